package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
)

// suitePolicy gives CPython's tests what they are written for.
const suitePolicy = `
default_profile = "suite"
[server]
max_concurrent = 2
[profiles.suite]
fuel = 400_000_000_000
memory = "512MiB"
stdout = "1MB"
stderr = "1MB"
timeout = "10m"
disk = { quota = "400MiB", files = 100000 }
env = { LANG = "C.UTF-8" }
[[profiles.suite.mounts]]
host = %q
guest = "/suite/test"
mode = "ro"
`

// suiteEvery is how many modules share one run in the short form: every so manieth
// is run.
const suiteEvery = 8

// TestCPythonsOwnTests runs modules of CPython's test suite, each in an instance of
// its own. They are in the sources that a build of Python unpacks:
// SANDBOXD_CPYTHON_TESTS names their folder, Lib/test. Set SANDBOXD_CPYTHON_ALL to
// run all of testdata/cpython/passing.txt, which takes some minutes, and not a part
// of it. What is not in the list, and why, is in docs/python.md.
func TestCPythonsOwnTests(t *testing.T) {
	dir := os.Getenv("SANDBOXD_CPYTHON_TESTS")
	if dir == "" {
		t.Skip("SANDBOXD_CPYTHON_TESTS does not say where the tests are: see just cpython-tests")
	}
	if _, err := os.Stat(filepath.Join(dir, "test_json")); err != nil {
		t.Fatalf("SANDBOXD_CPYTHON_TESTS is not the folder Lib/test of CPython's sources: %v", err)
	}
	list, err := os.ReadFile("testdata/cpython/passing.txt")
	if err != nil {
		t.Fatal(err)
	}
	runner, err := os.ReadFile("testdata/cpython/runner.py")
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.Fields(string(list))
	if len(modules) < 60 {
		t.Fatalf("the list has %d modules", len(modules))
	}
	h, err := host.Open(t.Context(), host.Options{CacheDir: cacheDir(t), Policy: policy(t, fmt.Sprintf(suitePolicy, dir))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	for i, name := range modules {
		if os.Getenv("SANDBOXD_CPYTHON_ALL") == "" && i%suiteEvery != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := h.Execute(t.Context(), host.Request{Language: "python", Code: runner, Filename: "runner.py", Args: []string{name}})
			if err != nil {
				t.Fatal(err)
			}
			var ran, wrong, skipped int
			_, err = fmt.Sscan(lastLine(r.Stdout), &ran, &wrong, &skipped)
			if err != nil || r.Status != host.StatusOK || ran <= skipped {
				t.Errorf("ended as %s after %d tests, %d of them skipped: %s\n%s", r.Status, ran, skipped, lastLine(r.Stdout), r.Stderr)
			}
		})
	}
}

// lastLine is the last line of what a module printed: tests print, too.
func lastLine(text string) string {
	text = strings.TrimRight(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}
