package guestfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

const canary = "the canary outside"

// world is a guest file system over real directories, and a canary outside of
// them that no guest may read or change.
type world struct {
	*FS
	t       *testing.T
	outside string // host directory that is not mounted; holds "canary"
	app     string // host directory of /app, writable
	data    string // host directory of /data, read-only
	denied  []Limit
	charged int
}

// roomy are limits that no functional test reaches.
var roomy = Limits{MaxBytes: 1 << 20, MaxFiles: 1000}

func newWorld(t *testing.T, limits Limits) *world {
	t.Helper()
	base := t.TempDir()
	w := &world{
		FS:      new(FS),
		t:       t,
		outside: filepath.Join(base, "outside"),
		app:     filepath.Join(base, "app"),
		data:    filepath.Join(base, "data"),
	}
	for _, dir := range []string{w.outside, w.app, w.data} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.write(filepath.Join(w.outside, "canary"), canary)
	w.bind(limits)
	return w
}

func (w *world) bind(limits Limits) {
	w.t.Helper()
	err := w.Bind(Options{
		Mounts: []Mount{
			{Guest: "/app", Writable: true, Root: openRoot(w.t, w.app)},
			{Guest: "/data", Root: openRoot(w.t, w.data)},
		},
		Limits: limits,
		Charge: func(n int) { w.charged += n },
		Denied: func(l Limit) { w.denied = append(w.denied, l) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := w.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// openRoot returns a Mount.Root that opens a directory for the test's duration.
func openRoot(t testing.TB, dir string) func() (*os.Root, error) {
	return func() (*os.Root, error) {
		root, err := os.OpenRoot(dir)
		if err == nil {
			t.Cleanup(func() { _ = root.Close() })
		}
		return root, err
	}
}

func (w *world) write(path, content string) {
	w.t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) link(target, path string) {
	w.t.Helper()
	if err := os.Symlink(target, path); err != nil {
		w.t.Fatal(err)
	}
}

// opened opens a guest file that must open.
func (w *world) opened(path string, flag sys.Oflag) sys.File {
	w.t.Helper()
	file, errno := w.OpenFile(path, flag, 0o600)
	if errno != 0 {
		w.t.Fatalf("open %q: %v", path, errno)
	}
	return file
}

// put writes a guest file from the guest's side.
func (w *world) put(path, content string) {
	w.t.Helper()
	file := w.opened(path, sys.O_WRONLY|sys.O_CREAT|sys.O_TRUNC)
	defer file.Close()
	if n, errno := file.Write([]byte(content)); n != len(content) || errno != 0 {
		w.t.Fatalf("write %q: %d bytes, %v", path, n, errno)
	}
}

// get reads up to 4 KiB of a guest file from the guest's side.
func (w *world) get(path string) (string, sys.Errno) {
	file, errno := w.OpenFile(path, sys.O_RDONLY, 0)
	if errno != 0 {
		return "", errno
	}
	defer file.Close()
	buf := make([]byte, 4096)
	n, errno := file.Read(buf)
	return string(buf[:n]), errno
}

// names lists a guest directory.
func (w *world) names(path string) []string {
	w.t.Helper()
	dir := w.opened(path, sys.O_RDONLY|sys.O_DIRECTORY)
	defer dir.Close()
	list, errno := dir.Readdir(-1)
	if errno != 0 {
		w.t.Fatalf("readdir %q: %v", path, errno)
	}
	names := []string{}
	for _, e := range list {
		names = append(names, e.Name)
	}
	return names
}

// checkCanary fails the test if anything outside of the mounts changed.
func (w *world) checkCanary() {
	w.t.Helper()
	entries, err := os.ReadDir(w.outside)
	if err != nil || len(entries) != 1 {
		w.t.Errorf("the directory outside holds %v (%v), want the canary alone", entries, err)
	}
	content, err := os.ReadFile(filepath.Join(w.outside, "canary"))
	if err != nil || string(content) != canary {
		w.t.Errorf("the canary is %q (%v), want it untouched", content, err)
	}
	info, err := os.Lstat(filepath.Join(w.outside, "canary"))
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
		w.t.Errorf("the canary is %v (%v), want it untouched", info, err)
	}
}
