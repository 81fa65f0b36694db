//go:build unix

package owned

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatOthersMayDo(t *testing.T) {
	tests := []struct {
		name   string
		mode   os.FileMode
		others Others
		want   string // in the error; "" for none
	}{
		{"private", 0o700, Nothing, ""},
		{"readers are let in nowhere by default", 0o750, Nothing, "is open to others (mode 0750): run chmod 700"},
		{"readers are let in where they may be", 0o755, Reading, ""},
		{"writers never are", 0o770, Reading, "may be written by others (mode 0770)"},
		{"nor all the world", 0o702, Reading, "may be written by others"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, test.mode); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(dir)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := Check(dir, info, test.others); err != nil {
				got = err.Error()
			}
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(file, info, Reading); err == nil {
		t.Error("a file is taken for a directory")
	}
}

func TestLocksExcludeEachOther(t *testing.T) {
	dir := t.TempDir()
	open := func() *os.File {
		f, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	try := func(want bool) {
		t.Helper()
		f := open()
		if got, err := TryLock(f); err != nil || got != want {
			t.Errorf("got %v, %v", got, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	try(true)
	one, other := open(), open()
	for _, f := range []*os.File{one, other} {
		if err := LockShared(f); err != nil {
			t.Fatal(err)
		}
	}
	_ = one.Close()
	try(false)
	_ = other.Close()
	try(true)
	held := open()
	if err := Lock(held); err != nil {
		t.Fatal(err)
	}
	try(false)
	if err := SyncDir(dir); err != nil {
		t.Error(err)
	}
}

func TestHolding(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if hold := Hold(dir); hold != nil {
		t.Error("a directory is held that is not there")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	free := func() bool {
		t.Helper()
		f, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		free, err := TryLock(f)
		if err != nil {
			t.Fatal(err)
		}
		return free
	}
	one, other := Hold(dir), Hold(dir)
	if one == nil || other == nil {
		t.Fatal("it cannot be held twice")
	}
	_ = one.Close()
	if free() {
		t.Error("it can be locked while it is held")
	}
	_ = other.Close()
	if !free() {
		t.Error("it cannot be locked any more")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if hold := Hold(file); hold != nil {
		t.Error("a file is held")
	}
}
