package runtimes

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestDocumentedDefinitionsAreValid(t *testing.T) {
	page, err := os.ReadFile("../docs/runtimes.md")
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile("../docs/add-a-language.md")
	if err != nil {
		t.Fatal(err)
	}
	fence := regexp.MustCompile("(?s)```toml[^\n]*\n(.*?)```")
	blocks := append(fence.FindAllSubmatch(page, -1), fence.FindAllSubmatch(other, -1)...)
	if len(blocks) < 3 {
		t.Fatalf("found %d blocks of TOML", len(blocks))
	}
	for i, block := range blocks {
		d, err := Parse("docs/runtimes.md", block[1], nil)
		if err != nil {
			t.Errorf("block %d: %v", i+1, err)
			continue
		}
		if d.Name != "python" {
			continue
		}
		shipped, err := builtin.ReadFile("python/" + fileName)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(string(shipped), string(block[1])) {
			t.Error("the page shows another python than the one that ships")
		}
	}
	for _, key := range append(topKeys[:5:5], "source.npm", "source.file", "source.https", "source.oci", "source.go", "source.path", "source.sha256", "command.program", "command.args", "command", "limits") {
		if !strings.Contains(string(page), "| `"+key+"` |") {
			t.Errorf("the reference does not list %s", key)
		}
	}
	for _, driver := range drivers {
		if !strings.Contains(string(page), "| `"+driver+"` |") {
			t.Errorf("the reference does not list the driver %s", driver)
		}
	}
}
