//go:build unix

package host

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// TestWhatKilledProcessesLeaveIsRemoved puts into the directory for temporary files what
// may lie there, and opens a host.
func TestWhatKilledProcessesLeaveIsRemoved(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	outside := filepath.Join(t.TempDir(), "kept")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(outside, 0o700))
	must(os.WriteFile(filepath.Join(outside, "f"), nil, 0o600))
	used, err := openScratch()
	must(err)
	stale := filepath.Join(temp, "sandboxd-scratch-17")
	must(os.MkdirAll(filepath.Join(stale, "workspace-1", "d"), 0o700))
	must(os.Symlink(outside, filepath.Join(stale, "workspace-1", "d", "link")))
	must(os.Symlink(outside, filepath.Join(temp, "sandboxd-scratch-18")))
	must(os.WriteFile(filepath.Join(temp, "sandboxd-scratch-19"), nil, 0o600))
	must(os.Mkdir(filepath.Join(temp, "sandboxd-scratch-data"), 0o700))
	must(os.Mkdir(filepath.Join(temp, "sandboxd-5"), 0o700))
	opened, err := openScratch()
	must(err)
	want := []string{
		filepath.Base(used.dir), filepath.Base(opened.dir),
		"sandboxd-scratch-18", "sandboxd-scratch-19", "sandboxd-scratch-data", "sandboxd-5",
	}
	slices.Sort(want)
	if got := directories(t, temp); !slices.Equal(got, want) {
		t.Errorf("there is %q, want %q", got, want)
	}
	if _, err := os.Stat(filepath.Join(outside, "f")); err != nil {
		t.Error(err)
	}
	for _, s := range []*scratch{used, opened} {
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.dir); err == nil {
			t.Errorf("%s is still there", s.dir)
		}
	}
}

// TestManyScratchDirectories opens and closes them at once: nobody may take another's
// for one that was left behind.
func TestManyScratchDirectories(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 40 {
				s, err := openScratch()
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(filepath.Join(s.dir, "f"), nil, 0o600); err != nil {
					t.Errorf("somebody removed it: %v", err)
				}
				if err := s.close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if left := directories(t, os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
