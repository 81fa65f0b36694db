//go:build unix

package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestShareTo says what is the same file afterwards, and what is a copy.
func TestShareTo(t *testing.T) {
	w, other := newWorld(t, roomy), newWorld(t, Limits{Bytes: 1 << 30, Entries: 100})
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, dir := range []string{"d", "d/e"} {
		if err := os.Mkdir(filepath.Join(w.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"a": 0o600, "d/e/b": 0o600, "open": 0o644, "tool": 0o600 | os.ModeSetuid, "large": 0o600} {
		path := filepath.Join(w.dir, name)
		err := os.WriteFile(path, []byte(name), 0o600)
		if err == nil && name == "large" {
			err = os.Truncate(path, shareMost+1)
		}
		if err := errors.Join(err, os.Chmod(path, mode), os.Chtimes(path, then, then)); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"link": filepath.Join(w.outside, "canary"), "d/loop": ".."} {
		if err := os.Symlink(target, filepath.Join(w.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(w.dir, "d"), then, then); err != nil {
		t.Fatal(err)
	}
	used, skipped, err := w.ShareTo(t.Context(), other.Workspace)
	if err != nil || skipped != 2 || used.Entries != 7 || used.Bytes != shareMost+1+int64(len("ad/e/bopentool")) {
		t.Fatalf("%+v, %d, %v", used, skipped, err)
	}
	for name, same := range map[string]bool{"a": true, "d/e/b": true, "open": false, "tool": false, "large": false} {
		one, err := os.Lstat(filepath.Join(w.dir, name))
		two, err2 := os.Lstat(filepath.Join(other.dir, name))
		if err != nil || err2 != nil || os.SameFile(one, two) != same {
			t.Errorf("%s is shared: %v, want %v (%v, %v)", name, !same, same, err, err2)
			continue
		}
		if !two.ModTime().Equal(then) || two.Mode() != 0o600 || two.Size() != one.Size() {
			t.Errorf("%s is %v, changed at %v", name, two.Mode(), two.ModTime())
		}
	}
	if info, err := os.Lstat(filepath.Join(other.dir, "d")); err != nil || !info.ModTime().Equal(then) {
		t.Errorf("the directory was changed: %v, %v", info, err)
	}
}

// TestShareToKeepsLimits counts what is shared like what is copied.
func TestShareToKeepsLimits(t *testing.T) {
	for _, limits := range []Limits{{Bytes: 7, Entries: 10}, {Bytes: 100, Entries: 1}} {
		w, other := newWorld(t, roomy), newWorld(t, limits)
		for _, name := range []string{"a", "b"} {
			if err := os.WriteFile(filepath.Join(w.dir, name), []byte("four"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := w.ShareTo(t.Context(), other.Workspace); !errors.Is(err, ErrQuota) {
			t.Errorf("%+v: %v", limits, err)
		}
	}
}

// TestSharedFilesAreReplaced writes to a shared file with what this package has.
func TestSharedFilesAreReplaced(t *testing.T) {
	w, other := newWorld(t, roomy), newWorld(t, roomy)
	if err := os.WriteFile(filepath.Join(w.dir, "f"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []Mode{Append, Replace} {
		if err := Delete(t.Context(), filepath.Join(other.dir, "f")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.ShareTo(t.Context(), other.Workspace); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Write(t.Context(), "f", mode, strings.NewReader("new")); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(w.dir, "f")); string(got) != "old" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestWhatIsSynced visits what a crash of the machine could take away: files that
// have one name, and directories.
func TestWhatIsSynced(t *testing.T) {
	w, other := newWorld(t, roomy), newWorld(t, roomy)
	if err := os.Mkdir(filepath.Join(w.dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "d/b"} {
		if err := os.WriteFile(filepath.Join(w.dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	visited := func(w *world, directories bool) (count int) {
		err := eachToSync(t.Context(), w.root, 0, directories, func(*os.Root, string) error { count++; return nil })
		if err != nil {
			t.Error(err)
		}
		return count
	}
	if files, all := visited(w, false), visited(w, true); files != 2 || all != 4 {
		t.Errorf("%d files, %d in all", files, all)
	}
	if _, _, err := w.ShareTo(t.Context(), other.Workspace); err != nil {
		t.Fatal(err)
	}
	if files, all := visited(other, false), visited(other, true); files != 0 || all != 2 {
		t.Errorf("shared: %d files, %d in all", files, all)
	}
	if _, err := other.Write(t.Context(), "a", Append, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if files := visited(other, false); files != 1 {
		t.Errorf("changed: %d files", files)
	}
	if err := other.Sync(t.Context()); err != nil {
		t.Error(err)
	}
}
