//go:build unix

package external

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sandboxd/sandboxd/policies"
)

// TestAHostileFolder names what nobody should open or follow: it must neither block nor
// look outside, where a file is that is too large.
func TestAHostileFolder(t *testing.T) {
	dir := t.TempDir()
	folder, outside := filepath.Join(dir, "folder"), filepath.Join(dir, "outside")
	err := errors.Join(
		os.Mkdir(folder, 0o700), os.Mkdir(outside, 0o700),
		os.WriteFile(filepath.Join(folder, "small"), []byte("x"), 0o600),
		os.WriteFile(filepath.Join(outside, "large"), make([]byte, 11), 0o600),
		syscall.Mkfifo(filepath.Join(folder, "fifo"), 0o600),
		os.Symlink(outside, filepath.Join(folder, "directory")),
		os.Symlink("../outside/large", filepath.Join(folder, "file")),
		os.Symlink("/", filepath.Join(folder, "root")),
		os.Symlink(os.DevNull, filepath.Join(folder, "device")),
		os.Symlink("loop", filepath.Join(folder, "loop")),
		os.Symlink("nowhere", filepath.Join(folder, "dangling")),
	)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Mounts([]string{folder}, 10); err != nil || len(got) != 1 {
		t.Errorf("the folder: %+v, %v", got, err)
	}
	tests := []struct{ name, want string }{
		{"fifo", "neither a file nor a folder"},
		{"device", "neither a file nor a folder"},
		{"file", "at most"}, // the operator's own path is followed, and its target measured
		{"directory", "at most"},
		{"loop", "too many links"},
		{"dangling", "no such file"},
	}
	for _, tt := range tests {
		_, err := Mounts([]string{filepath.Join(folder, tt.name)}, 10)
		if !errors.Is(err, policies.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
