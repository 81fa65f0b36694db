package guestfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f := new(FS)
	if err := f.Bind(Options{Mounts: []Mount{{Guest: "/app", Writable: true, Root: func() (*os.Root, error) { return root, nil }}}, Limits: Limits{MaxBytes: 1000, MaxFiles: 10}}); err != nil {
		t.Fatal(err)
	}
	file, errno := f.OpenFile("app/x", sys.O_RDWR|sys.O_CREAT, 0o600)
	if errno != 0 {
		t.Fatal(errno)
	}
	if n, errno := file.Write([]byte("hello")); n != 5 || errno != 0 {
		t.Fatal(n, errno)
	}
	f.Close()
	b, _ := os.ReadFile(filepath.Join(dir, "x"))
	t.Logf("%s %+v", b, f.Journal())
}
