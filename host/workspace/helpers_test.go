package workspace

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "the canary outside"

var roomy = Limits{Bytes: 1 << 20, Entries: 1 << 20}

// world is a workspace in a real directory, and a canary outside of it.
type world struct {
	*Workspace
	t       testing.TB
	dir     string
	outside string
}

func newWorld(t testing.TB, limits Limits) *world {
	t.Helper()
	base := t.TempDir()
	w := &world{t: t, dir: filepath.Join(base, "workspace"), outside: filepath.Join(base, "outside")}
	for _, dir := range []string{w.dir, w.outside} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(w.outside, "canary"), []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.Workspace, err = Open(w.dir, limits); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// plant makes a file from the host's side, or a directory if the path ends in a
// slash, and what is missing on the way.
func (w *world) plant(path, content string) {
	w.t.Helper()
	full := filepath.Join(w.dir, path)
	dir, isDir := filepath.Dir(full), strings.HasSuffix(path, "/")
	if isDir {
		dir = full
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil && !isDir {
		err = os.WriteFile(full, []byte(content), 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) link(target, path string) {
	w.t.Helper()
	if err := os.Symlink(target, filepath.Join(w.dir, path)); err != nil {
		w.t.Fatal(err)
	}
}

// get reads a file through the workspace.
func (w *world) get(name string) (string, error) {
	r, _, err := w.Read(name, 0, -1)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

func (w *world) put(name string, mode Mode, content string) error {
	_, err := w.Write(context.Background(), name, mode, strings.NewReader(content))
	return err
}

// paths lists the workspace, which must go without an error.
func (w *world) paths(o ListOptions) []string {
	w.t.Helper()
	list := []string{}
	for e, err := range w.List(context.Background(), o) {
		if err != nil {
			w.t.Fatalf("list %+v: %q: %v", o, e.Path, err)
		}
		list = append(list, e.Path)
	}
	return list
}

// checkOutside fails the test if the canary changed, or something came beside it.
func (w *world) checkOutside() {
	w.t.Helper()
	entries, err := os.ReadDir(w.outside)
	content, readErr := os.ReadFile(filepath.Join(w.outside, "canary"))
	if err = errors.Join(err, readErr); err != nil || len(entries) != 1 || string(content) != canary {
		w.t.Errorf("outside are %v, and the canary is %q (%v)", entries, content, err)
	}
}
