package image

import "testing"

// addWithoutPagemap adds the image as it is on a kernel that cannot scan pages.
func addWithoutPagemap(t *testing.T, images map[string]*Image, memory []byte) {
	t.Helper()
	im := openImage(t, memory)
	mapped, ok := im.memory.(*mappedBacking)
	if !ok {
		t.Fatalf("backing is a %T", im.memory)
	}
	if mapped.pages != nil {
		if err := mapped.pages.Close(); err != nil {
			t.Fatal(err)
		}
		mapped.pages = nil
	}
	images["mapped, without a page map"] = im
}
