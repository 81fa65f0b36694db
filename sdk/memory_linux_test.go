package sdk_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// counter counts what is written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func TestMuchOutputNeedsLittleMemory(t *testing.T) {
	seen, logger := listening()
	c := launch(t, `
default_profile = "p"
[profiles.p]
extends = "relaxed"
stdout = "512MiB"
`, logger)
	stream := func(megabytes int) {
		t.Helper()
		var n counter
		r, err := c.Stream(t.Context(), python(fmt.Sprintf(
			"import sys\nline = 'x' * 65535 + '\\n'\nfor _ in range(%d * 16): sys.stdout.write(line)", megabytes)), &n, nil)
		if err != nil || !r.Success || int(n) != megabytes<<20 || r.Stdout != "" || r.StdoutTruncated {
			t.Fatalf("%d bytes, %+v, %v", n, r, err)
		}
	}
	stream(200) // garbage fills the heap until it is collected for the first time
	before := peak(t, seen.last())
	stream(400)
	if grown := peak(t, seen.last()) - before; grown > 32<<10 {
		t.Errorf("the plugin grew by %d KiB for 400 MiB of output, after 200", grown)
	}
}

// peak is the most memory that a process had resident, in KiB.
func peak(t *testing.T, pid int) (kib int) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscan(text, &kib); err != nil {
				t.Fatal(err)
			}
		}
	}
	return kib
}
