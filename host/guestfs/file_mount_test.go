package guestfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// bindFile makes a file system that shows the file "shown" of dir as /external/f.
func bindFile(t *testing.T, dir string, more ...Mount) *FS {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := new(FS)
	mounts := append([]Mount{{Guest: "/external/f", File: "shown", Root: func() (*os.Root, error) { return root, nil }}}, more...)
	if err := f.Bind(Options{Mounts: mounts}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = f.Close(), root.Close() })
	return f
}

func TestOnlyTheFileOfAMountIsThere(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(dir, "shown"), filepath.Join(dir, "hidden"), filepath.Join(outside, "secret")} {
		if err := os.WriteFile(name, []byte(filepath.Base(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := bindFile(t, dir)
	read := func() (string, sys.Errno) {
		file, errno := f.OpenFile("external/f", sys.O_RDONLY, 0)
		if errno != 0 {
			return "", errno
		}
		defer func() { _ = file.Close() }()
		buf := make([]byte, 100)
		n, errno := file.Read(buf)
		return string(buf[:n]), errno
	}
	if text, errno := read(); text != "shown" || errno != 0 {
		t.Fatalf("%q, %v", text, errno)
	}
	list, errno := f.OpenFile("external", sys.O_RDONLY|sys.O_DIRECTORY, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	entries, errno := list.Readdir(-1)
	if errno != 0 || len(entries) != 1 || entries[0].Name != "f" || !entries[0].Type.IsRegular() {
		t.Errorf("%+v, %v", entries, errno)
	}
	_ = list.Close()
	for _, path := range []string{"external/hidden", "external/shown", "external/f/hidden", "external/f/../hidden", "external/f/.", "external/f/"} {
		if file, errno := f.OpenFile(path, sys.O_RDONLY, 0); errno == 0 {
			t.Errorf("%s opens", path)
			_ = file.Close()
		}
	}
	for name, change := range map[string]func() sys.Errno{
		"write":    func() sys.Errno { _, errno := f.OpenFile("external/f", sys.O_RDWR, 0); return errno },
		"truncate": func() sys.Errno { _, errno := f.OpenFile("external/f", sys.O_WRONLY|sys.O_TRUNC, 0); return errno },
		"create":   func() sys.Errno { _, errno := f.OpenFile("external/g", sys.O_WRONLY|sys.O_CREAT, 0); return errno },
		"unlink":   func() sys.Errno { return f.Unlink("external/f") },
		"rename":   func() sys.Errno { return f.Rename("external/f", "external/g") },
		"mkdir":    func() sys.Errno { return f.Mkdir("external/f/d", 0o700) },
		"utimens":  func() sys.Errno { return f.Utimens("external/f", 0, 0) },
	} {
		if errno := change(); errno == 0 {
			t.Errorf("%s is done", name)
		}
	}
	// Whatever takes the file's place while the program runs leads nowhere else.
	for _, target := range []string{"../secret", filepath.Join(outside, "secret"), "."} {
		if err := os.Remove(filepath.Join(dir, "shown")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, "shown")); err != nil {
			t.Skip(err)
		}
		if text, errno := read(); errno == 0 {
			t.Errorf("a link to %q gives %q", target, text)
		}
	}
	if text, _ := os.ReadFile(filepath.Join(outside, "secret")); string(text) != "secret" {
		t.Errorf("the secret is %q", text)
	}
}

func TestFileMountsThatAreNone(t *testing.T) {
	root := func() (*os.Root, error) { return os.OpenRoot(t.TempDir()) }
	for name, mounts := range map[string][]Mount{
		"writable":      {{Guest: "/a", File: "f", Writable: true, Root: root}},
		"a path":        {{Guest: "/a", File: "d/f", Root: root}},
		"out":           {{Guest: "/a", File: "..", Root: root}},
		"the directory": {{Guest: "/a", File: ".", Root: root}},
		"below a file":  {{Guest: "/a", File: "f", Root: root}, {Guest: "/a/b", Root: root}},
		"above a mount": {{Guest: "/a/b", Root: root}, {Guest: "/a", File: "f", Root: root}},
	} {
		if err := new(FS).Bind(Options{Mounts: mounts}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
