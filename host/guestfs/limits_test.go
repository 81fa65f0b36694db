package guestfs

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// refusedBy checks that a call failed with the error and for the limit given.
func (w *world) refusedBy(what string, got, want sys.Errno, limit Limit) {
	w.t.Helper()
	if got != want || !slices.Equal(w.denied, []Limit{limit}) {
		w.t.Errorf("%s gives %v and denies %v; want %v and [%v]", what, got, w.denied, want, limit)
	}
	w.denied = nil
}

func TestBytesAreCountedBeforeTheyAreWritten(t *testing.T) {
	routes := map[string]func(w *world, size int64) sys.Errno{
		"write": func(w *world, size int64) sys.Errno {
			return write(w.opened("app/f", sys.O_WRONLY), strings.Repeat("x", int(size)))
		},
		"pwrite behind a hole": func(w *world, size int64) sys.Errno {
			_, errno := w.opened("app/f", sys.O_WRONLY).Pwrite([]byte("x"), size-1)
			return errno
		},
		"seek, then write": func(w *world, size int64) sys.Errno {
			file := w.opened("app/f", sys.O_WRONLY)
			if _, errno := file.Seek(size-1, 0); errno != 0 {
				return errno
			}
			return write(file, "x")
		},
		"truncate": func(w *world, size int64) sys.Errno {
			return w.opened("app/f", sys.O_WRONLY).Truncate(size)
		},
		"append": func(w *world, size int64) sys.Errno {
			return write(w.opened("app/f", sys.O_WRONLY|sys.O_APPEND), strings.Repeat("x", int(size)))
		},
	}
	for name, grow := range routes {
		for _, test := range []struct {
			name   string
			limits Limits
			limit  Limit
		}{
			{"in all", Limits{MaxBytes: 100, MaxFiles: 9, MaxFileSize: 1000}, LimitBytes},
			{"in one file", Limits{MaxBytes: 1000, MaxFiles: 9, MaxFileSize: 90}, LimitFileSize},
		} {
			t.Run(name+" "+test.name, func(t *testing.T) {
				w := newWorld(t, test.limits)
				w.write(filepath.Join(w.app, "existing"), "0123456789")
				w.put("app/f", "")
				w.refusedBy("one byte too many", grow(w, 91), sys.EIO, test.limit)
				if info, err := os.Stat(filepath.Join(w.app, "f")); err != nil || info.Size() != 0 {
					t.Errorf("a refused call left %v, %v", info, err)
				}
				if errno := grow(w, 90); errno != 0 || len(w.denied) != 0 {
					t.Errorf("the last byte gives %v, denied %v", errno, w.denied)
				}
			})
		}
	}
}

func TestAbsurdSizesAreRefused(t *testing.T) {
	w := newWorld(t, Limits{MaxBytes: 1<<63 - 1, MaxFiles: 9, MaxFileSize: 1 << 20})
	w.put("app/f", "x")
	file := w.opened("app/f", sys.O_WRONLY)
	w.refusedBy("truncate to 8 EiB", file.Truncate(1<<63-1), sys.EIO, LimitFileSize)
	_, errno := file.Pwrite([]byte("x"), 1<<43)
	w.refusedBy("a byte at 8 TiB", errno, sys.EIO, LimitFileSize)
}

func TestDeletedBytesCountWhileOpen(t *testing.T) {
	w := newWorld(t, Limits{MaxBytes: 100, MaxFiles: 9})
	w.put("app/f", strings.Repeat("x", 80))
	one, two := w.opened("app/f", sys.O_RDWR), w.opened("app/f", sys.O_RDWR)
	if errno := w.Unlink("app/f"); errno != 0 {
		t.Fatal(errno)
	}
	other := w.opened("app/g", sys.O_WRONLY|sys.O_CREAT)
	w.refusedBy("reuse of a deleted file's bytes", write(other, strings.Repeat("x", 80)), sys.EIO, LimitBytes)
	one.Close()
	w.refusedBy("the same, still open once", write(other, strings.Repeat("x", 80)), sys.EIO, LimitBytes)
	if errno := two.Truncate(10); errno != 0 {
		t.Fatal(errno)
	}
	if errno := write(other, strings.Repeat("x", 90)); errno != 0 {
		t.Errorf("after the deleted file shrank: %v", errno)
	}
	two.Close()
	if errno := write(other, strings.Repeat("x", 10)); errno != 0 {
		t.Errorf("after the deleted file was closed: %v", errno)
	}
}

func TestFilesAreCounted(t *testing.T) {
	w := newWorld(t, Limits{MaxBytes: 100, MaxFiles: 3})
	w.write(filepath.Join(w.app, "existing"), "")
	w.put("app/f", "")
	if errno := w.Mkdir("app/d", 0); errno != 0 {
		t.Fatal(errno)
	}
	_, errno := w.OpenFile("app/g", sys.O_WRONLY|sys.O_CREAT, 0)
	w.refusedBy("a fourth file", errno, sys.EIO, LimitFiles)
	w.refusedBy("a fourth directory", w.Mkdir("app/e", 0), sys.EIO, LimitFiles)
	if errno := w.Rename("app/f", "app/existing"); errno != 0 {
		t.Fatal(errno)
	}
	if errno := w.Mkdir("app/e", 0); errno != 0 {
		t.Errorf("after a file was replaced: %v", errno)
	}
	for _, path := range []string{"app/d", "app/e"} {
		if errno := w.Rmdir(path); errno != 0 {
			t.Fatal(errno)
		}
	}
	w.put("app/g", "")
	w.put("app/h", "")
}

func TestAFullWorkspaceStaysReadable(t *testing.T) {
	for _, test := range []struct {
		limits Limits
		limit  Limit
	}{
		{Limits{MaxBytes: 5, MaxFiles: 100, MaxFileSize: 100}, LimitBytes},
		{Limits{MaxBytes: 1000, MaxFiles: 2}, LimitFiles},
	} {
		w := newWorld(t, test.limits)
		for _, name := range []string{"a", "b", "c"} {
			w.write(filepath.Join(w.app, name), "content")
		}
		if got, errno := w.get("app/a"); got != "content" || errno != 0 {
			t.Errorf("read gives %q, %v", got, errno)
		}
		file := w.opened("app/a", sys.O_RDWR)
		if errno := write(file, "CONTENT"); errno != 0 {
			t.Errorf("overwriting gives %v", errno)
		}
		w.refusedBy("growth", write(file, "x"), sys.EIO, test.limit)
		w.refusedBy("a new directory", w.Mkdir("app/d", 0), sys.EIO, test.limit)
		if errno := w.Unlink("app/b"); errno != 0 {
			t.Errorf("deleting gives %v", errno)
		}
	}
}

func TestDepthNamesAndPathsAreBounded(t *testing.T) {
	w := newWorld(t, Limits{MaxBytes: 100, MaxFiles: 100, MaxDepth: 3, MaxName: 10, MaxPath: 40})
	for _, dir := range []string{"app/1", "app/1/2", "app/1/2/3", "app/d", "app/d/e"} {
		if errno := w.Mkdir(dir, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	w.refusedBy("mkdir too deep", w.Mkdir("app/1/2/3/4", 0), sys.ENAMETOOLONG, LimitDepth)
	_, errno := w.OpenFile("app/1/2/3/f", sys.O_CREAT|sys.O_WRONLY, 0)
	w.refusedBy("create too deep", errno, sys.ENAMETOOLONG, LimitDepth)
	w.refusedBy("rename too deep", w.Rename("app/d", "app/1/2/d"), sys.ENAMETOOLONG, LimitDepth)
	if errno := w.Rename("app/d/e", "app/1/2/e"); errno != 0 {
		t.Errorf("rename to the last depth gives %v", errno)
	}
	w.refusedBy("a long name", w.Mkdir("app/0123456789x", 0), sys.ENAMETOOLONG, LimitName)
	_, errno = w.Stat("app/" + strings.Repeat("a/", 20))
	w.refusedBy("a long path", errno, sys.ENAMETOOLONG, LimitPath)
	if errno := w.Mkdir("app/0123456789", 0); errno != 0 {
		t.Errorf("the longest name gives %v", errno)
	}
}

func TestOpenFilesAreBounded(t *testing.T) {
	w := newWorld(t, Limits{MaxFiles: 10, MaxOpen: 2})
	w.write(filepath.Join(w.app, "f"), "")
	one := w.opened("app/f", sys.O_RDONLY)
	w.opened("app", sys.O_RDONLY)
	_, errno := w.OpenFile("app/f", sys.O_RDONLY, 0)
	w.refusedBy("a third file", errno, sys.EIO, LimitOpen)
	_, errno = w.OpenFile("app/new", sys.O_WRONLY|sys.O_CREAT, 0)
	w.refusedBy("a third file, to be created", errno, sys.EIO, LimitOpen)
	if _, err := os.Lstat(filepath.Join(w.app, "new")); err == nil {
		t.Error("a refused open created the file")
	}
	_, errno = w.OpenFile(".", sys.O_RDONLY, 0)
	w.refusedBy("the root", errno, sys.ENOENT, LimitOpen)
	one.Close()
	one.Close()
	w.opened("app/f", sys.O_RDONLY)
	_, errno = w.OpenFile("app/f", sys.O_RDONLY, 0)
	w.refusedBy("a third file after one was closed twice", errno, sys.EIO, LimitOpen)
}

func TestLimitsAreNamed(t *testing.T) {
	seen := map[string]bool{}
	for l := LimitBytes; l <= LimitOpen; l++ {
		if l.String() == Limit(0).String() || seen[l.String()] {
			t.Errorf("limit %d is called %q", l, l)
		}
		seen[l.String()] = true
	}
	if got := Limit(99).String(); got != "unknown limit" {
		t.Errorf("limit 99 is called %q", got)
	}
}

// TestChargeMayUnwind checks that a host which ends the guest from Charge leaves
// the file system usable, at least to be closed.
func TestChargeMayUnwind(t *testing.T) {
	outOfFuel := errors.New("out of fuel")
	f := new(FS)
	dir := t.TempDir()
	err := f.Bind(Options{
		Mounts: []Mount{{Guest: "/app", Writable: true, Root: openRoot(t, dir)}},
		Limits: roomy,
		Charge: func(int) { panic(outOfFuel) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{FS: f, t: t}
	for range 2 { // to create it, and to write to it
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !errors.Is(err, outOfFuel) {
					t.Errorf("recovered %v, want the panic of Charge", err)
				}
			}()
			_ = write(w.opened("app/f", sys.O_WRONLY|sys.O_CREAT), "x")
		}()
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if got := f.Journal().Created; !slices.Equal(got, []string{"/app/f"}) {
		t.Errorf("created %q, want /app/f", got)
	}
}

// TestNoDescriptorsLeak counts the process's descriptors after guests that leave
// everything open, are refused half way, or fail.
func TestNoDescriptorsLeak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts descriptors in /proc")
	}
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	w := hostileWorld(t)
	w.opened("app", sys.O_RDONLY) // open the roots
	w.opened("data", sys.O_RDONLY)
	before := count() - 2
	base := w.FS
	for range 50 {
		f := new(FS)
		if err := f.Bind(base.opts); err != nil {
			t.Fatal(err)
		}
		f.root = base.root // share the opened roots
		for _, hostile := range hostilePaths {
			for _, flag := range []sys.Oflag{sys.O_RDONLY, sys.O_RDWR | sys.O_CREAT, sys.O_DIRECTORY} {
				_, _ = f.OpenFile(hostile.path, flag, 0)
			}
			_ = f.Mkdir(hostile.path, 0)
			_ = f.Rename("app/dir/file", hostile.path)
			_, _ = f.Stat(hostile.path)
		}
		for _, path := range []string{"app/dir/file", "app/main.py", "data/ok.txt", "data/dir", "app", "/", "app/dir/new"} {
			_, _ = f.OpenFile(path, sys.O_RDONLY, 0)
			_, _ = f.OpenFile(path, sys.O_RDWR|sys.O_CREAT|sys.O_TRUNC, 0)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := base.Close(); err != nil {
		t.Fatal(err)
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
}
