package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/policies"
)

// hardenedDir is set in a process that hardens itself: where its mounts are.
const hardenedDir = "SANDBOXD_TEST_HARDENED"

// TestAHardenedHostRunsGuests gives up everything but a call's own directories, as
// "sandboxd run" does, and then does all that a guest can ask of the host.
func TestAHardenedHostRunsGuests(t *testing.T) {
	dir := os.Getenv(hardenedDir)
	if dir != "" {
		runHardened(t, dir)
		return
	}
	if missing := harden.Available().Missing(); len(missing) > 0 {
		t.Logf("without %v", missing)
	}
	dir = t.TempDir()
	for _, name := range []string{"work", "shared", "results", "outside"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "file"), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	child(t, "TestAHardenedHostRunsGuests", hardenedDir+"="+dir).wait(t)
	if got, err := os.ReadFile(filepath.Join(dir, "work", "two", "kept")); err != nil || string(got) != "kept" {
		t.Errorf("the workspace: %q, %v", got, err)
	}
}

// allOfIt uses files, memory, time, randomness and modules that were not imported yet.
const allOfIt = `
import os, time, random, json, decimal, textwrap
os.makedirs("one"); os.makedirs("two", exist_ok=True)
with open("one/kept", "w") as f: f.write("kept and more")
os.truncate("one/kept", 4)
os.rename("one/kept", "two/kept"); os.rmdir("one")
with open("/results/%d" % random.getrandbits(60), "w") as f: f.write("x")
space = [bytearray(1 << 20) for _ in range(60)]
time.sleep(0.001)
try: open("/shared/file", "w")
except OSError: pass
else: raise SystemExit("a read-only mount was written")
print(open("/shared/file").read(), open("two/kept").read(), len(os.urandom(8)))
`

func runHardened(t *testing.T, dir string) {
	h, _ := pythonPlugin(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	report, err := harden.Apply(harden.Options{
		Read:      []string{at("shared")},
		Write:     []string{at("work"), at("results")},
		Temporary: []string{h.Scratch()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report)
	if _, err := os.ReadFile(at("outside/file")); active(report, harden.Landlock) && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file outside: %v", err)
	}
	if err := exec.CommandContext(t.Context(), "true").Run(); active(report, harden.Seccomp) && err == nil {
		t.Error("a program was started")
	}
	r := Request{
		Language: "python", Code: []byte(allOfIt), Profile: "default", Workspace: at("work"),
		Mounts: []policies.Mount{{Host: at("shared"), Guest: "/shared"}, {Host: at("results"), Guest: "/results", Writable: true}},
	}
	expect(t, h, r, "shared kept 8\n")
	r.Workspace = "" // a temporary one for each
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() { expect(t, h, r, "shared kept 8\n") })
	}
	calls.Wait()
	spin := Request{Language: "python", Code: []byte("while True: pass")}
	if result, err := h.Execute(context.Background(), spin); err != nil || result.Status != StatusOutOfFuel {
		t.Errorf("a loop: %+v, %v", result, err)
	}
	scratch := h.Scratch()
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("workspaces that stayed: %v, %v", left, err)
	}
	if err := h.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := os.Lstat(scratch); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the scratch directory: %v", err)
	}
}

func active(r harden.Report, name string) bool {
	return !strings.Contains(fmt.Sprint(r.Missing()), name)
}

// expect runs a program that must print want.
func expect(t *testing.T, h *Host, r Request, want string) {
	t.Helper()
	result, err := h.Execute(context.Background(), r)
	if err != nil || result.Status != StatusOK || result.Stdout != want {
		t.Errorf("%+v, %v", result, err)
	}
}
