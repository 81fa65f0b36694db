package guestfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tetratelabs/wazero/experimental/sys"
)

func TestBindRefusesWhatCannotBeMounted(t *testing.T) {
	root := func() (*os.Root, error) { return nil, errors.New("not called") }
	tests := []struct {
		name string
		o    Options
	}{
		{"the root", Options{Mounts: []Mount{{Guest: "/", Root: root}}}},
		{"no path", Options{Mounts: []Mount{{Root: root}}}},
		{"a relative path", Options{Mounts: []Mount{{Guest: "app", Root: root}}}},
		{"a path that is not clean", Options{Mounts: []Mount{{Guest: "/app/", Root: root}}}},
		{"dots", Options{Mounts: []Mount{{Guest: "/app/../x", Root: root}}}},
		{"a path that is not UTF-8", Options{Mounts: []Mount{{Guest: "/\xff", Root: root}}}},
		{"a NUL", Options{Mounts: []Mount{{Guest: "/a\x00", Root: root}}}},
		{"no directory", Options{Mounts: []Mount{{Guest: "/app"}}}},
		{"two mounts in one place", Options{Mounts: []Mount{{Guest: "/app", Root: root}, {Guest: "/app", Root: root}}}},
		{"the reserved directory", Options{Mounts: []Mount{{Guest: Reserved, Root: root}}}},
		{"below the reserved directory", Options{Mounts: []Mount{{Guest: Reserved + "/x", Root: root}}}},
		{"a virtual file elsewhere", Options{Virtual: map[string]Virtual{"/app/x": {}}}},
		{"a virtual file deeper down", Options{Virtual: map[string]Virtual{Reserved + "/a/b": {}}}},
		{"a virtual file in place of the directory", Options{Virtual: map[string]Virtual{Reserved: {}}}},
		{"a conversation that is a sink", Options{Virtual: map[string]Virtual{Reserved + "/x": {Sink: io.Discard, Talk: func() io.ReadWriteCloser { return nil }}}}},
		{"a virtual file of both kinds", Options{Virtual: map[string]Virtual{Reserved + "/x": {Data: []byte{}, Sink: io.Discard}}}},
		{"a negative limit", Options{Limits: Limits{MaxOpen: -1}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := new(FS)
			if err := f.Bind(test.o); err == nil {
				t.Error("Bind accepted it")
			}
			if err := f.Bind(Options{}); err != nil {
				t.Errorf("a refused Bind left something behind: %v", err)
			}
			if err := f.Bind(Options{}); err == nil {
				t.Error("a second Bind was accepted")
			}
		})
	}
}

// TestOutOfService checks the one thing wazero insists on: a preopened directory
// that cannot be opened is absent.
func TestOutOfService(t *testing.T) {
	w := newWorld(t, roomy)
	w.put("app/file", "x")
	file := w.opened("app/file", sys.O_RDWR)
	dir := w.opened(".", sys.O_RDONLY)
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	for state, f := range map[string]*FS{"before Bind": new(FS), "after Close": w.FS} {
		for _, path := range []string{".", "/", "app", "app/file"} {
			_, opened := f.OpenFile(path, sys.O_RDONLY, 0)
			_, stated := f.Stat(path)
			_, read := f.Readlink(path)
			for call, errno := range map[string]sys.Errno{
				"open": opened, "stat": stated, "readlink": read,
				"mkdir": f.Mkdir(path, 0), "rmdir": f.Rmdir(path), "unlink": f.Unlink(path),
				"rename": f.Rename(path, "app/x"), "utimens": f.Utimens(path, 0, 0),
			} {
				if errno != sys.ENOENT {
					t.Errorf("%s, %s %q gives %v, want ENOENT", state, call, path, errno)
				}
			}
		}
	}
	for name, file := range map[string]sys.File{"file": file, "directory": dir} {
		_, read := file.Read(make([]byte, 1))
		_, stated := file.Stat()
		_, listed := file.Readdir(1)
		_, sought := file.Seek(0, io.SeekStart)
		for call, errno := range map[string]sys.Errno{
			"read": read, "stat": stated, "readdir": listed, "seek": sought,
			"sync": file.Sync(), "truncate": file.Truncate(0), "utimens": file.Utimens(0, 0),
		} {
			if errno == 0 {
				t.Errorf("%s: %s succeeded after Close", name, call)
			}
		}
		if errno := file.Close(); errno != 0 {
			t.Errorf("%s: closing again gives %v", name, errno)
		}
	}
	if got := w.Journal(); !slices.Equal(got.Created, []string{"/app/file"}) {
		t.Errorf("the journal after Close is %+v, want /app/file created", got)
	}
}

func TestMountsAreOpenedOnFirstUse(t *testing.T) {
	var calls int
	f := new(FS)
	err := f.Bind(Options{Mounts: []Mount{{Guest: "/app", Root: func() (*os.Root, error) {
		calls++
		return nil, errors.New("disk on fire")
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	if st, errno := f.Stat("app"); errno != 0 || !st.Mode.IsDir() {
		t.Errorf("stat of the mount point: %v, %v", st.Mode, errno)
	}
	if calls != 0 {
		t.Errorf("Root was called %d times for a stat of the mount point", calls)
	}
	for range 2 {
		if _, errno := f.Stat("app/x"); errno != sys.EIO {
			t.Errorf("stat below a mount that failed gives %v, want EIO", errno)
		}
	}
	if calls != 1 {
		t.Errorf("Root was called %d times, want once", calls)
	}
}

func TestNestedMounts(t *testing.T) {
	outer, inner := t.TempDir(), t.TempDir()
	for _, dir := range []string{"way/hidden", "plain"} {
		if err := os.MkdirAll(filepath.Join(outer, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(inner, "file"), []byte("inner"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{FS: new(FS), t: t}
	err := w.Bind(Options{Limits: roomy, Mounts: []Mount{
		{Guest: "/mnt", Writable: true, Root: openRoot(t, outer)},
		{Guest: "/mnt/way/in", Root: openRoot(t, inner)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	for path, want := range map[string][]string{
		"/":           {"mnt"},
		"mnt":         {"plain", "way"},
		"mnt/way":     {"in"},
		"mnt/way/in":  {"file"},
		"/mnt/plain/": {},
	} {
		if diff := cmp.Diff(want, w.names(path)); diff != "" {
			t.Errorf("listing of %s (-want +got):\n%s", path, diff)
		}
	}
	if got, errno := w.get("mnt/way/in/file"); got != "inner" {
		t.Errorf("the inner mount reads %q, %v", got, errno)
	}
	for name, errno := range map[string]sys.Errno{
		"remove the way":  w.Rmdir("mnt/way"),
		"rename the way":  w.Rename("mnt/way", "mnt/plain"),
		"rename over it":  w.Rename("mnt/plain", "mnt/way"),
		"add to the way":  w.Mkdir("mnt/way/new", 0),
		"use the hidden":  w.Rmdir("mnt/way/hidden"),
		"cross the mount": w.Rename("mnt/way/in/file", "mnt/file"),
	} {
		if errno == 0 {
			t.Errorf("%s: succeeded", name)
		}
	}
}

func TestVirtualFiles(t *testing.T) {
	var sink bytes.Buffer
	f := new(FS)
	charged := 0
	err := f.Bind(Options{
		Virtual: map[string]Virtual{Reserved + "/code": {Data: []byte("print(1)")}, Reserved + "/out": {Sink: &sink}, Reserved + "/empty": {}},
		Charge:  func(n int) { charged += n },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	w := &world{FS: f, t: t}

	if got := w.names("/"); len(got) != 0 {
		t.Errorf("the root lists %q, want nothing", got)
	}
	for _, path := range []string{".sandboxd", ".sandboxd/", ".sandboxd/none", ".sandboxd/code/"} {
		if _, errno := f.OpenFile(path, sys.O_RDONLY, 0); errno == 0 {
			t.Errorf("%q opened", path)
		}
		if _, errno := f.Stat(path); errno == 0 {
			t.Errorf("%q can be stated", path)
		}
	}

	code := w.opened("/.sandboxd/code", sys.O_RDONLY)
	buf := make([]byte, 5)
	if n, errno := code.Read(buf); string(buf[:n]) != "print" || errno != 0 {
		t.Errorf("read gives %q, %v", buf[:n], errno)
	}
	if n, errno := code.Pread(buf, 6); string(buf[:n]) != "1)" || errno != 0 {
		t.Errorf("pread gives %q, %v", buf[:n], errno)
	}
	if pos, errno := code.Seek(-1, io.SeekEnd); pos != 7 || errno != 0 {
		t.Errorf("seek gives %d, %v", pos, errno)
	}
	if _, errno := code.Seek(-9, io.SeekEnd); errno != sys.EINVAL {
		t.Errorf("seek to before the start gives %v", errno)
	}
	if n, errno := code.Read(buf); n != 1 || errno != 0 {
		t.Errorf("read at the end gives %d, %v", n, errno)
	}
	if n, errno := code.Read(buf); n != 0 || errno != 0 {
		t.Errorf("read after the end gives %d, %v", n, errno)
	}
	if st, errno := code.Stat(); st.Size != 8 || !st.Mode.IsRegular() || errno != 0 {
		t.Errorf("stat gives %+v, %v", st, errno)
	}
	for _, flag := range []sys.Oflag{sys.O_WRONLY, sys.O_RDWR, sys.O_TRUNC, sys.O_CREAT, sys.O_APPEND} {
		if _, errno := f.OpenFile(".sandboxd/code", flag, 0); errno != sys.EROFS {
			t.Errorf("open with flags %#x gives %v, want EROFS", flag, errno)
		}
	}
	if got, errno := w.get(".sandboxd/empty"); got != "" || errno != 0 {
		t.Errorf("the empty file reads %q, %v", got, errno)
	}

	if _, errno := f.OpenFile(".sandboxd/out", sys.O_RDWR, 0); errno != sys.EACCES {
		t.Errorf("opening a sink to read gives %v", errno)
	}
	out := w.opened(".sandboxd/out", sys.O_WRONLY|sys.O_CREAT|sys.O_TRUNC)
	for _, part := range []string{"one ", "two"} {
		if n, errno := out.Write([]byte(part)); n != len(part) || errno != 0 {
			t.Errorf("write gives %d, %v", n, errno)
		}
	}
	if _, errno := out.Pwrite([]byte("!"), 0); errno != 0 {
		t.Errorf("pwrite gives %v", errno)
	}
	if sink.String() != "one two!" {
		t.Errorf("the sink holds %q, want what was written in order", sink.String())
	}
	if pos, errno := out.Seek(0, io.SeekCurrent); pos != 8 || errno != 0 {
		t.Errorf("tell gives %d, %v", pos, errno)
	}
	if n, errno := out.Read(buf); n != 0 || errno != sys.EBADF {
		t.Errorf("read gives %d, %v", n, errno)
	}
	if errno := f.Unlink(".sandboxd/out"); errno != sys.EROFS {
		t.Errorf("unlink gives %v", errno)
	}
	if want := 5 + 2 + 1 + 4 + 3 + 1; charged != want {
		t.Errorf("charged %d bytes, want %d", charged, want)
	}
}

func TestReadAndWriteAndSeek(t *testing.T) {
	w := newWorld(t, roomy)
	w.put("app/f", "0123456789")
	if want := changeCharge + callCharge + 10*writeCharge; w.charged != want {
		t.Errorf("charged %d bytes for the write, want %d", w.charged, want)
	}
	file := w.opened("app/f", sys.O_RDWR)
	buf := make([]byte, 4)
	for _, step := range []struct {
		off    int64
		whence int
		want   int64
		read   string
	}{
		{2, io.SeekStart, 2, "2345"},
		{1, io.SeekCurrent, 7, "789"},
		{-3, io.SeekEnd, 7, "789"},
		{5, io.SeekEnd, 15, ""},
	} {
		if pos, errno := file.Seek(step.off, step.whence); pos != step.want || errno != 0 {
			t.Errorf("seek %d, %d gives %d, %v; want %d", step.off, step.whence, pos, errno, step.want)
		}
		n, errno := file.Read(buf)
		if got := string(buf[:n]); got != step.read || errno != 0 {
			t.Errorf("read after seek %d, %d gives %q, %v; want %q", step.off, step.whence, got, errno, step.read)
		}
	}
	for _, step := range []struct {
		off    int64
		whence int
	}{
		{-1, io.SeekStart},
		{-11, io.SeekEnd},
		{1<<63 - 1, io.SeekCurrent},
		{-1 << 63, io.SeekCurrent},
		{0, 3},
	} {
		if pos, errno := file.Seek(step.off, step.whence); errno != sys.EINVAL {
			t.Errorf("seek %d, %d gives %d, %v; want EINVAL", step.off, step.whence, pos, errno)
		}
	}
	if pos, errno := file.Seek(1<<63-1, io.SeekStart); pos != 1<<63-1 || errno != 0 {
		t.Errorf("seek to the last offset gives %d, %v", pos, errno)
	}
	for name, call := range map[string]func([]byte) (int, sys.Errno){"read": file.Read, "write": file.Write} {
		if n, errno := call(buf); n != 0 || errno != sys.EINVAL {
			t.Errorf("%s at the last offset gives %d, %v; want EINVAL", name, n, errno)
		}
	}
	for name, call := range map[string]func() (int, sys.Errno){
		"pread before the start":  func() (int, sys.Errno) { return file.Pread(buf, -1) },
		"pread past the end":      func() (int, sys.Errno) { return file.Pread(buf, 1<<63-1) },
		"pwrite before the start": func() (int, sys.Errno) { return file.Pwrite(buf, -1) },
		"pwrite past the end":     func() (int, sys.Errno) { return file.Pwrite(buf, 1<<63-1) },
	} {
		if n, errno := call(); n != 0 || errno != sys.EINVAL {
			t.Errorf("%s gives %d, %v; want EINVAL", name, n, errno)
		}
	}
	if errno := file.Truncate(-1); errno != sys.EINVAL {
		t.Errorf("truncate to less than nothing gives %v", errno)
	}
	reader, writer := w.opened("app/f", sys.O_RDONLY), w.opened("app/f", sys.O_WRONLY)
	if _, errno := reader.Write(buf); errno != sys.EBADF {
		t.Errorf("write to a file opened to be read gives %v", errno)
	}
	if errno := reader.Truncate(0); errno != sys.EBADF {
		t.Errorf("truncate of a file opened to be read gives %v", errno)
	}
	if _, errno := writer.Read(buf); errno != sys.EBADF {
		t.Errorf("read of a file opened to be written gives %v", errno)
	}
}

func TestOpenFollowsPOSIX(t *testing.T) {
	w := newWorld(t, roomy)
	w.put("app/f", "f")
	w.link("f", filepath.Join(w.app, "l"))
	if errno := w.Mkdir("app/d", 0); errno != 0 {
		t.Fatal(errno)
	}
	for _, test := range []struct {
		name, path string
		flag       sys.Oflag
		want       sys.Errno
	}{
		{"nothing", "", sys.O_RDONLY, sys.ENOENT},
		{"what does not exist", "app/none", sys.O_RDWR, sys.ENOENT},
		{"what is not mounted", "none", sys.O_RDONLY, sys.ENOENT},
		{"below a file", "app/f/x", sys.O_RDONLY, sys.ENOTDIR},
		{"a file as a directory", "app/f", sys.O_DIRECTORY, sys.ENOTDIR},
		{"a file with a slash", "app/f/", sys.O_RDONLY, sys.ENOTDIR},
		{"a file with a slash and a dot", "app/f/.", sys.O_RDONLY, sys.ENOTDIR},
		{"a new file with a slash", "app/new/", sys.O_WRONLY | sys.O_CREAT, sys.EISDIR},
		{"a file that must be new", "app/f", sys.O_WRONLY | sys.O_CREAT | sys.O_EXCL, sys.EEXIST},
		{"a directory that must be new", "app/d", sys.O_RDONLY | sys.O_CREAT | sys.O_EXCL, sys.EEXIST},
		{"a link that must be new", "app/l", sys.O_WRONLY | sys.O_CREAT | sys.O_EXCL, sys.EEXIST},
		{"a link", "app/l", sys.O_RDONLY, sys.ELOOP},
		{"a directory to write", "app/d", sys.O_RDWR, sys.EISDIR},
		{"a mount point to write", "app", sys.O_RDWR, sys.EISDIR},
		{"the root to write", "/", sys.O_WRONLY, sys.EISDIR},
		{"a directory", "app/d/", sys.O_RDONLY | sys.O_DIRECTORY, 0},
		{"a file", "/app/./f", sys.O_RDONLY, 0},
	} {
		if _, errno := w.OpenFile(test.path, test.flag, 0); errno != test.want {
			t.Errorf("opening %s gives %v, want %v", test.name, errno, test.want)
		}
	}
}

func TestAppendWritesAtTheEnd(t *testing.T) {
	w := newWorld(t, roomy)
	w.put("app/f", "start")
	file := w.opened("app/f", sys.O_RDWR|sys.O_APPEND)
	if !file.IsAppend() {
		t.Error("a file opened with O_APPEND does not say so")
	}
	pollable := file.(sys.PollableFile)
	if errno := pollable.SetNonblock(true); errno != 0 || !pollable.IsNonblock() {
		t.Errorf("setting the non-blocking mode gives %v, and it is %v", errno, pollable.IsNonblock())
	}
	if ready, errno := pollable.Poll(sys.POLLIN, -1); !ready || errno != 0 {
		t.Errorf("poll gives %v, %v; want ready", ready, errno)
	}
	other := w.opened("app/f", sys.O_WRONLY)
	for _, errno := range []sys.Errno{write(file, "+1"), other.SetAppend(true), write(other, "+2"), write(file, "+3"), other.SetAppend(false)} {
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	if _, errno := other.Seek(0, io.SeekStart); errno != 0 {
		t.Fatal(errno)
	}
	if errno := write(other, "S"); errno != 0 {
		t.Fatal(errno)
	}
	if got, _ := w.get("app/f"); got != "Start+1+2+3" {
		t.Errorf("the file holds %q", got)
	}
}

func write(file sys.File, content string) sys.Errno {
	_, errno := file.Write([]byte(content))
	return errno
}

func TestStatTellsNothingOfTheHost(t *testing.T) {
	w := newWorld(t, roomy)
	w.write(filepath.Join(w.data, "f"), "data")
	if err := os.Chmod(filepath.Join(w.data, "f"), 0o777); err != nil {
		t.Fatal(err)
	}
	w.put("app/f", "12345")
	app, errno := w.Stat("app/f")
	if errno != 0 || app.Size != 5 || app.Mode != 0o644 || app.Dev != 0 || app.Nlink != 1 || app.Ino == 0 {
		t.Errorf("stat of app/f: %+v, %v", app, errno)
	}
	data, errno := w.Stat("data/f")
	if errno != 0 || data.Size != 4 || data.Mode != 0o444 || data.Dev != 0 || data.Nlink != 1 || data.Mtim%1e9 != 0 {
		t.Errorf("stat of data/f: %+v, %v", data, errno)
	}
	if app.Ino == data.Ino {
		t.Error("two files have the same inode number")
	}
	file := w.opened("./app//f", sys.O_RDONLY)
	if st, errno := file.Stat(); st != app || errno != 0 {
		t.Errorf("stat of the open file: %+v, %v; want %+v", st, errno, app)
	}
	list, errno := w.opened("app", sys.O_RDONLY|sys.O_DIRECTORY).Readdir(-1)
	if errno != 0 || len(list) != 1 || list[0].Ino != app.Ino {
		t.Errorf("the listing is %+v, %v; want the inode number of stat", list, errno)
	}
}

func TestUtimens(t *testing.T) {
	w := newWorld(t, roomy)
	w.put("app/f", "x")
	file := w.opened("app/f", sys.O_RDONLY)
	for name, set := range map[string]func(atim, mtim int64) sys.Errno{
		"by path":       func(a, m int64) sys.Errno { return w.Utimens("app/f", a, m) },
		"by descriptor": file.Utimens,
	} {
		if errno := set(1_500_000_000, 2_500_000_000); errno != 0 {
			t.Errorf("%s: %v", name, errno)
		}
		if errno := set(sys.UTIME_OMIT, 0); errno != 0 {
			t.Errorf("%s, without atim: %v", name, errno)
		}
		if st, _ := w.Stat("app/f"); st.Atim != 1_500_000_000 || st.Mtim != 0 {
			t.Errorf("%s: times are %d and %d", name, st.Atim, st.Mtim)
		}
	}
}

func TestListings(t *testing.T) {
	w := newWorld(t, roomy)
	plant(w)
	for _, name := range []string{"c", "a", "b\n\x1b[31m", "bad\xff"} {
		w.write(filepath.Join(w.app, name), "")
	}
	want := []string{"a", "abs", "b\n\x1b[31m", "c", "link", "linkdir", "loop", "main.py"}
	if diff := cmp.Diff(want, w.names("app")); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	dir := w.opened("app", sys.O_RDONLY|sys.O_DIRECTORY)
	for range 2 { // a rewind starts over
		var names []string
		for {
			list, errno := dir.Readdir(3)
			if errno != 0 {
				t.Fatal(errno)
			}
			for _, e := range list {
				names = append(names, e.Name)
			}
			if len(list) < 3 {
				break
			}
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("listing by threes (-want +got):\n%s", diff)
		}
		if _, errno := dir.Seek(0, io.SeekStart); errno != 0 {
			t.Fatal(errno)
		}
		w.write(filepath.Join(w.app, "new"), "")
		want = append(slices.Clone(want), "new")
		slices.Sort(want)
		want = slices.Compact(want)
	}
	if _, errno := dir.Seek(1, io.SeekStart); errno != sys.EINVAL {
		t.Errorf("seek into a directory gives %v", errno)
	}
	if list, errno := w.opened("app/main.py", sys.O_RDONLY).Readdir(1); errno == 0 {
		t.Errorf("a file lists %v", list)
	}
}

// TestHugeListingsAreStreamed checks that a directory too large to sort is listed
// completely, by a program that reads it in parts.
func TestHugeListingsAreStreamed(t *testing.T) {
	w := newWorld(t, roomy)
	const n = 2*sortedEntries + 500
	want := map[string]bool{}
	for i := range n {
		name := fmt.Sprintf("%x-%d", i*7919%n, i)
		want[name] = true
		w.write(filepath.Join(w.data, name), "")
	}
	dir := w.opened("data", sys.O_RDONLY|sys.O_DIRECTORY)
	for {
		list, errno := dir.Readdir(700)
		if errno != 0 {
			t.Fatal(errno)
		}
		for _, e := range list {
			if !want[e.Name] {
				t.Errorf("%q is listed twice, or does not exist", e.Name)
			}
			delete(want, e.Name)
		}
		if len(dir.(*dirFile).pending) > sortedEntries+1 {
			t.Fatalf("%d entries are kept in memory", len(dir.(*dirFile).pending))
		}
		if len(list) < 700 {
			break
		}
	}
	if len(want) != 0 {
		t.Errorf("%d entries are missing", len(want))
	}
}

func TestOneCallGathersABoundedListing(t *testing.T) {
	w := newWorld(t, roomy)
	w.root.children = nil
	for range maxListing + 1 {
		w.root.children = append(w.root.children, &dirNode{name: "d", path: "/d"})
	}
	dir := w.opened("/", sys.O_RDONLY)
	if list, errno := dir.Readdir(-1); errno != sys.EIO || list != nil {
		t.Errorf("listing too much at once gives %d entries, %v; want EIO", len(list), errno)
	}
	if _, errno := dir.Seek(0, io.SeekStart); errno != 0 {
		t.Fatal(errno)
	}
	if list, errno := dir.Readdir(100); errno != 0 || len(list) != 100 {
		t.Errorf("listing in parts gives %d entries, %v", len(list), errno)
	}
}

func TestRenameFollowsPOSIX(t *testing.T) {
	tests := []struct {
		name, from, to string
		want           sys.Errno
	}{
		{"file to a new name", "app/f", "app/new", 0},
		{"file over a file", "app/f", "app/g", 0},
		{"file to itself", "app/f", "app/f", 0},
		{"file over a directory", "app/f", "app/empty", sys.EISDIR},
		{"directory over a file", "app/dir", "app/f", sys.ENOTDIR},
		{"directory over an empty one", "app/dir", "app/empty", 0},
		{"directory over one in use", "app/empty", "app/dir", sys.ENOTEMPTY},
		{"directory into itself", "app/dir", "app/dir/below", sys.EINVAL},
		{"nothing", "app/none", "app/new", sys.ENOENT},
		{"into nothing", "app/f", "app/none/f", sys.ENOENT},
		{"into a file", "app/f", "app/g/f", sys.ENOTDIR},
		{"file with a slash", "app/f/", "app/new", sys.ENOTDIR},
		{"file to a name with a slash", "app/f", "app/new/", sys.ENOTDIR},
		{"directory with slashes", "app/dir/", "app/new/", 0},
		{"into a read-only mount", "app/f", "data/f", sys.EROFS},
		{"out of a read-only mount", "data/f", "app/x", sys.EROFS},
		{"to another writable mount", "app/f", "app2/f", sys.ENOTSUP},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, roomy)
			w.write(filepath.Join(w.data, "f"), "")
			other := &mount{Mount: Mount{Guest: "/app2", Writable: true, Root: openRoot(t, t.TempDir())}}
			w.root.ensure("app2").mount = other
			w.put("app/f", "f")
			w.put("app/g", "g")
			for _, dir := range []string{"app/dir", "app/empty"} {
				if errno := w.Mkdir(dir, 0); errno != 0 {
					t.Fatal(errno)
				}
			}
			w.put("app/dir/x", "x")
			if errno := w.Rename(test.from, test.to); errno != test.want {
				t.Errorf("rename gives %v, want %v", errno, test.want)
			}
		})
	}
}

func TestJournal(t *testing.T) {
	w := newWorld(t, roomy)
	for _, name := range []string{"kept", "edited", "emptied", "gone", "replaced", "touched", "dir/one", "dir/two"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(w.app, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		w.write(filepath.Join(w.app, name), "before")
	}
	w.opened("app/kept", sys.O_RDWR)
	w.get("app/kept")
	edited := w.opened("app/edited", sys.O_RDWR)
	w.put("app/new", "x")
	w.put("app/temporary", "x")
	w.put("app/replacement", "x")
	for _, errno := range []sys.Errno{
		write(edited, "x"),
		w.opened("app/emptied", sys.O_WRONLY).Truncate(0),
		w.Unlink("app/gone"),
		w.Unlink("app/temporary"),
		w.Rename("app/replacement", "app/replaced"),
		w.Utimens("app/touched", 0, 0),
		w.Mkdir("app/folder", 0),
		w.Rename("app/dir", "app/folder/dir"),
		w.Rename("app/new", "app/newer"),
	} {
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	want := Changes{
		Created:  []string{"/app/folder/dir/one", "/app/folder/dir/two", "/app/newer"},
		Modified: []string{"/app/edited", "/app/emptied", "/app/replaced"},
		Deleted:  []string{"/app/dir/one", "/app/dir/two", "/app/gone"},
	}
	if diff := cmp.Diff(want, w.Journal(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}
