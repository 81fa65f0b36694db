//go:build unix

package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/guestfs"
)

// sameFile reports whether a file is one and the same in two turns.
func sameFile(t *testing.T, d *Disk, a Key, turnA int, b Key, turnB int, name string) bool {
	t.Helper()
	one, err := os.Stat(d.turnPath(a, turnA, workspaceDir, name))
	two, err2 := os.Stat(d.turnPath(b, turnB, workspaceDir, name))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return os.SameFile(one, two)
}

// TestTurnsAndForksShareFiles says which files are one, before and after a program
// changes some.
func TestTurnsAndForksShareFiles(t *testing.T) {
	s, d := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 1, keeps("a", "1", "1"))
	ran(t, s, k, 1, keeps("b", "2", "2"))
	n, err := s.Fork(t.Context(), k, -1, "fork")
	if err != nil {
		t.Fatal(err)
	}
	fork := n.Key()
	for name, same := range map[string]bool{
		"a in turns": sameFile(t, d, k, 1, k, 2, "a"),
		"a in forks": sameFile(t, d, k, 2, fork, 0, "a"),
		"b in forks": sameFile(t, d, k, 2, fork, 0, "b"),
	} {
		if !same {
			t.Errorf("%s is not shared", name)
		}
	}
	ran(t, s, fork, 0, keeps("a", "of the fork", "3")) // in place
	ran(t, s, k, 0, keeps("b", "of the parent", "3"))
	if got := content(t, s, fork).files; got["a"] != "of the fork" || got["b"] != "2" {
		t.Errorf("the fork has %q", got)
	}
	if got := content(t, s, k).files; got["a"] != "1" || got["b"] != "of the parent" {
		t.Errorf("the parent has %q", got)
	}
	if sameFile(t, d, k, 2, fork, 0, "a") || sameFile(t, d, k, 2, fork, 0, "b") {
		t.Error("a changed file is shared")
	}
}

// TestFilesWithTooManyNames are copied: one of a filesystem's bounds.
func TestFilesWithTooManyNames(t *testing.T) {
	s, d := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 0, keeps("a", "1", ""))
	names := t.TempDir()
	for i := 0; ; i++ {
		err := os.Link(d.turnPath(k, 0, workspaceDir, "a"), filepath.Join(names, fmt.Sprint(i)))
		if err != nil {
			break
		}
		if i == 70_000 {
			t.Skip("this filesystem has no such bound that is worth reaching")
		}
	}
	n, err := s.Fork(t.Context(), k, -1, "fork")
	if err != nil {
		t.Fatal(err)
	}
	if sameFile(t, d, k, 0, n.Key(), 0, "a") || content(t, s, n.Key()).files["a"] != "1" {
		t.Error("it was not copied")
	}
}

// TestCommitLeavesNothingUnfinished looks for what a commit writes before it has a name,
// in a turn that was begun and in one that was there, and after one that failed.
func TestCommitLeavesNothingUnfinished(t *testing.T) {
	s, d := openStore(t)
	k := created(t, s, "s")
	for _, history := range []int{1, 0, 1} {
		ran(t, s, k, history, keeps("a", "1", fmt.Sprint(history)))
	}
	// A state that is there already is written once more.
	ran(t, s, k, 1, keeps("a", "2", "0"))
	for _, missing := range []Key{k, {ID: "missing"}} {
		err := d.Commit(t.Context(), missing, Commit{Turn: TurnData{Number: 77}, Image: &ImageData{Digest: "0"}})
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%v", err)
		}
	}
	err := filepath.WalkDir(d.root, func(path string, e os.DirEntry, err error) error {
		if matched, _ := filepath.Match(".sandboxd-*", e.Name()); matched {
			t.Errorf("%s was left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// mounted is the workspace of a request as a guest sees it.
func mounted(t *testing.T, r host.Request) *guestfs.FS {
	t.Helper()
	root, err := os.OpenRoot(r.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	f := new(guestfs.FS)
	err = f.Bind(guestfs.Options{
		Mounts: []guestfs.Mount{{
			Guest: "/app", Writable: true, Shared: r.WorkspaceShared,
			Root: func() (*os.Root, error) { return root, nil },
		}},
		Limits: guestfs.Limits{MaxBytes: 1 << 20, MaxFiles: 100},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func opened(t *testing.T, f *guestfs.FS, flag sys.Oflag) sys.File {
	t.Helper()
	file, errno := f.OpenFile("/app/a", flag, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return file
}

// TestAnAbandonedGuestChangesNoTurn has a guest go on after its turn was given up.
func TestAnAbandonedGuestChangesNoTurn(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 1, keeps("a", "committed", "1"))
	ran(t, s, k, 0, keeps("b", "x", "1")) // forgets the turns before
	var file sys.File
	ran(t, s, k, 1, executor(func(_ context.Context, r host.Request) (*host.Result, error) {
		f := mounted(t, r)
		if errno := f.Mkdir("/app/d", 0); errno != 0 { // measures the mount, which has a name then
			t.Fatal(errno)
		}
		file = opened(t, f, sys.O_RDWR)
		return &host.Result{Status: host.StatusTimeout, Abandoned: true}, nil
	}))
	n, errno := file.Pwrite([]byte("OVERWRITE"), 0)
	if got := content(t, s, k).files["a"]; got != "committed" {
		t.Errorf("the turn before has %q, after %d, %v", got, n, errno)
	}
}

// TestADeletedFileIsNotTheForks reads a deleted file while a fork writes to its own.
func TestADeletedFileIsNotTheForks(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 0, keeps("a", "0123456789", "1"))
	n, err := s.Fork(t.Context(), k, -1, "fork")
	if err != nil {
		t.Fatal(err)
	}
	ran(t, s, k, 0, executor(func(_ context.Context, r host.Request) (*host.Result, error) {
		f := mounted(t, r)
		file := opened(t, f, sys.O_RDONLY)
		if errno := f.Unlink("/app/a"); errno != 0 {
			t.Fatal(errno)
		}
		ran(t, s, n.Key(), 0, keeps("a", "the fork's", "1"))
		buf := make([]byte, 20)
		if m, errno := file.Pread(buf, 0); string(buf[:m]) != "0123456789" {
			t.Errorf("it reads %q, %v", buf[:m], errno)
		}
		return &host.Result{Status: host.StatusOK, Success: true}, nil
	}))
}
