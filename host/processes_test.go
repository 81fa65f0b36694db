package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/runtimes"
)

// Variables by which a process of TestProcessesShareACache knows its part.
const (
	sharedCache = "SANDBOXD_TEST_SHARED_CACHE" // where the cache is
	dieAt       = "SANDBOXD_TEST_DIE_AT"       // the stage of preparing in which it is killed
)

// TestProcessesShareACache kills a process while it prepares a runtime, and then has
// two others at once find a damaged one in the same cache. Both must prepare and run
// right, and leave one runtime that is whole.
func TestProcessesShareACache(t *testing.T) {
	if dir := os.Getenv(sharedCache); dir != "" {
		prepareAndRun(t, dir)
		return
	}
	if testing.Short() || raceDetector {
		t.Skip("prepares Python twice: a minute and more under the race detector")
	}
	shared, _ := pythonPlugin(t)
	b := pythonBuilder(t, shared)
	dir, entry := cloneCache(t, b)
	prepared := filepath.Dir(entry)
	away := filepath.Join(t.TempDir(), "away")
	if err := os.Rename(entry, away); err != nil {
		t.Fatal(err)
	}
	const self = "TestProcessesShareACache"
	killed := child(t, self, sharedCache+"="+dir, dieAt+"="+StageCompile)
	if err := killed.cmd.Wait(); err == nil || strings.Contains(killed.output.String(), "--- ") {
		t.Errorf("the process that was to be killed ended: %v, %s", err, killed.output.String())
	}
	left := directories(t, prepared)
	if len(left) != 1 || !strings.HasPrefix(left[0], "new-") {
		t.Errorf("the killed process left %q", left)
	}
	if err := os.Rename(away, entry); err != nil {
		t.Fatal(err)
	}
	damage(t, filepath.Join(entry, imageDir, "memory"), damages[1].change)
	others := []*childProcess{child(t, self, sharedCache+"="+dir), child(t, self, sharedCache+"="+dir)}
	for _, other := range others {
		other.wait(t)
	}
	if p, err := b.load(t.Context(), entry); err != nil {
		t.Errorf("what the others left: %v", err)
	} else if err := p.close(); err != nil {
		t.Error(err)
	}
	if now := directories(t, prepared); len(now) != len(left)+1 {
		t.Errorf("the cache holds %q, before %q", now, left)
	}
}

func directories(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// prepareAndRun runs a program from a cache that holds a module and, at first, nothing
// prepared.
func prepareAndRun(t *testing.T, dir string) {
	t.Helper()
	last := os.Getenv(dieAt)
	h, err := Open(t.Context(), Options{CacheDir: dir, Progress: func(e runtimes.Event) {
		if e.Stage == last {
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Kill()
			}
			select {} // it takes a moment
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	r, err := h.Execute(t.Context(), Request{Language: "python", Code: []byte("print(sum(range(1000)))")})
	if err != nil || r.Stdout != "499500\n" || r.Status != StatusOK {
		t.Errorf("got %+v, %v", r, err)
	}
	if h.plugins["python"].plugin.image == nil {
		t.Error("it does not start from a snapshot")
	}
}
