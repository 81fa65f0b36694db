package guestfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// hostilePaths name something outside of the mounts, or something that is not a
// regular file, in every way there is.
var hostilePaths = []struct {
	name, path string
}{
	{"relative link in a writable mount", "app/link"},
	{"absolute link in a writable mount", "app/abs"},
	{"link loop in a writable mount", "app/loop"},
	{"directory link in a writable mount", "app/linkdir/canary"},
	{"new file through a directory link", "app/linkdir/new"},
	{"link to /proc in a writable mount", "app/proc/self/environ"},
	{"link within a writable mount", "app/inside"},
	{"directory link within a writable mount", "app/insidedir/file"},
	{"pipe in a writable mount", "app/pipe"},
	{"path through a pipe", "app/pipe/x"},
	{"relative link in a read-only mount", "data/link"},
	{"absolute link in a read-only mount", "data/abs"},
	{"link loop in a read-only mount", "data/loop"},
	{"directory link in a read-only mount", "data/linkdir/canary"},
	{"new file through a read-only directory link", "data/linkdir/new"},
	{"link to /proc in a read-only mount", "data/proc/self/environ"},
	{"pipe in a read-only mount", "data/pipe"},
	{"link to a pipe in a read-only mount", "data/topipe"},
	{"dots from a mount", "app/../../outside/canary"},
	{"dots from the root", "../outside/canary"},
	{"dots in the middle", "app/dir/../../../outside/canary"},
	{"dots alone", ".."},
	{"absolute dots", "/../../../outside/canary"},
	{"a NUL", "app/file\x00/../../outside/canary"},
	{"a path that is not UTF-8", "app/\xff"},
	{"the reserved directory", ".sandboxd"},
	{"a reserved file that does not exist", ".sandboxd/x"},
}

// hostileWorld is a world in which the host left every kind of trap.
func hostileWorld(t *testing.T) *world {
	w := newWorld(t, roomy)
	plant(w)
	w.link("/proc", filepath.Join(w.app, "proc"))
	w.link("pipe", filepath.Join(w.data, "topipe"))
	for _, dir := range []string{filepath.Join(w.app, "dir"), filepath.Join(w.data, "dir")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		w.write(filepath.Join(dir, "file"), "inside")
	}
	w.link("dir/file", filepath.Join(w.app, "inside"))
	w.link("dir", filepath.Join(w.app, "insidedir"))
	return w
}

func TestHostilePathsDoNotOpen(t *testing.T) {
	flags := map[string]sys.Oflag{
		"read":           sys.O_RDONLY,
		"read, nofollow": sys.O_RDONLY | sys.O_NOFOLLOW,
		"directory":      sys.O_RDONLY | sys.O_DIRECTORY,
		"write":          sys.O_WRONLY,
		"read and write": sys.O_RDWR,
		"truncate":       sys.O_RDONLY | sys.O_TRUNC,
		"create":         sys.O_RDONLY | sys.O_CREAT,
		"create anew":    sys.O_WRONLY | sys.O_CREAT | sys.O_EXCL,
		"append":         sys.O_RDONLY | sys.O_APPEND,
		"both modes":     sys.O_RDWR | sys.O_WRONLY,
	}
	for _, hostile := range hostilePaths {
		t.Run(hostile.name, func(t *testing.T) {
			w := hostileWorld(t)
			for name, flag := range flags {
				for _, path := range []string{hostile.path, "/" + hostile.path, hostile.path + "/", "app/./" + "../" + hostile.path} {
					if file, errno := w.OpenFile(path, flag, 0o666); errno == 0 {
						t.Errorf("open %q to %s succeeded: %T", path, name, file)
					}
				}
			}
			w.checkCanary()
		})
	}
}

func TestHostilePathsDoNotChange(t *testing.T) {
	calls := map[string]func(f *FS, path string) sys.Errno{
		"mkdir":           func(f *FS, p string) sys.Errno { return f.Mkdir(p, 0o777) },
		"mkdir below":     func(f *FS, p string) sys.Errno { return f.Mkdir(p+"/new", 0o777) },
		"rmdir":           func(f *FS, p string) sys.Errno { return f.Rmdir(p) },
		"unlink below":    func(f *FS, p string) sys.Errno { return f.Unlink(p + "/canary") },
		"chmod":           func(f *FS, p string) sys.Errno { return f.Chmod(p, 0o777) },
		"utimens":         func(f *FS, p string) sys.Errno { return f.Utimens(p, 0, 0) },
		"rename from":     func(f *FS, p string) sys.Errno { return f.Rename(p, "app/stolen") },
		"rename below":    func(f *FS, p string) sys.Errno { return f.Rename("app/main.py", p+"/canary") },
		"hard link from":  func(f *FS, p string) sys.Errno { return f.Link(p, "app/stolen") },
		"hard link to":    func(f *FS, p string) sys.Errno { return f.Link("app/main.py", p) },
		"symbolic link":   func(f *FS, p string) sys.Errno { return f.Symlink("../outside/canary", p) },
		"readlink":        func(f *FS, p string) sys.Errno { _, errno := f.Readlink(p + "/canary"); return errno },
		"stat, followed":  func(f *FS, p string) sys.Errno { _, errno := f.Stat(p); return errno },
		"lstat below":     func(f *FS, p string) sys.Errno { _, errno := f.Lstat(p + "/canary"); return errno },
		"lstat, as a dir": func(f *FS, p string) sys.Errno { _, errno := f.Lstat(p + "/"); return errno },
	}
	for _, hostile := range hostilePaths {
		t.Run(hostile.name, func(t *testing.T) {
			w := hostileWorld(t)
			for name, call := range calls {
				if errno := call(w.FS, hostile.path); errno == 0 {
					t.Errorf("%s %q succeeded", name, hostile.path)
				}
			}
			w.checkCanary()
			if _, err := os.Stat(filepath.Join(w.app, "stolen")); err == nil {
				t.Error("something was moved into the mount")
			}
		})
	}
}

// TestLinksInAWritableMount checks the three things a guest may do to a link that
// the host left in a writable mount: see it, replace it and delete it.
func TestLinksInAWritableMount(t *testing.T) {
	w := hostileWorld(t)
	st, errno := w.Lstat("app/link")
	if errno != 0 || st.Mode&os.ModeSymlink == 0 || st.Size != 0 {
		t.Errorf("lstat of a link: mode %v, size %d, %v; want a link of unknown size", st.Mode, st.Size, errno)
	}
	for _, link := range []string{"app/link", "app/inside"} {
		if target, errno := w.Readlink(link); errno != sys.EACCES {
			t.Errorf("readlink %s gave %q, %v; want EACCES", link, target, errno)
		}
	}
	if errno := w.Rename("app/main.py", "app/abs"); errno != 0 {
		t.Errorf("rename over a link: %v", errno)
	}
	if info, err := os.Lstat(filepath.Join(w.app, "abs")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link was not replaced: %v, %v", info, err)
	}
	for _, link := range []string{"app/link", "app/linkdir"} {
		if errno := w.Unlink(link); errno != 0 {
			t.Errorf("unlink of %s: %v", link, errno)
		}
	}
	w.checkCanary()
}

func TestLinksInAReadOnlyMount(t *testing.T) {
	w := hostileWorld(t)
	deep := filepath.Join(w.data, "dir", "up")
	w.link("../ok.txt", deep)
	w.link("../../data/ok.txt", filepath.Join(w.data, "dir", "around"))
	w.link("dir", filepath.Join(w.data, "todir"))

	for _, path := range []string{"data/inner", "data/dir/up", "data/todir/up"} {
		if got, errno := w.get(path); got != "fine\n" || errno != 0 {
			t.Errorf("%s reads %q, %v; want the file inside", path, got, errno)
		}
	}
	if _, errno := w.get("data/dir/around"); errno == 0 {
		t.Error("a link that leaves the mount and comes back was followed")
	}
	if st, errno := w.Lstat("data/inner"); errno != 0 || st.Mode&os.ModeSymlink == 0 {
		t.Errorf("lstat gave mode %v, %v; want a link", st.Mode, errno)
	}
	if st, errno := w.Stat("data/inner"); errno != 0 || !st.Mode.IsRegular() || st.Size != 5 {
		t.Errorf("stat gave mode %v, size %d, %v; want the file", st.Mode, st.Size, errno)
	}
	if _, errno := w.OpenFile("data/inner", sys.O_RDONLY|sys.O_NOFOLLOW, 0); errno != sys.ELOOP {
		t.Errorf("open with O_NOFOLLOW gave %v, want ELOOP", errno)
	}
	for path, want := range map[string]string{"data/inner": "ok.txt", "data/dir/up": "../ok.txt"} {
		if got, errno := w.Readlink(path); got != want || errno != 0 {
			t.Errorf("readlink %s gave %q, %v; want %q", path, got, errno, want)
		}
	}
	for _, path := range []string{"data/abs", "data/link", "data/dir/around"} {
		if got, errno := w.Readlink(path); errno != sys.EACCES || got != "" {
			t.Errorf("readlink %s gave %q, %v; want EACCES", path, got, errno)
		}
	}
}

// TestNoExistenceOracle checks that a guest cannot tell what exists outside.
func TestNoExistenceOracle(t *testing.T) {
	w := newWorld(t, roomy)
	for _, dir := range []string{w.app, w.data} {
		w.link("../outside/canary", filepath.Join(dir, "there"))
		w.link("../outside/nothing", filepath.Join(dir, "gone"))
	}
	for _, mount := range []string{"app", "data"} {
		_, there := w.Stat(mount + "/there")
		_, gone := w.Stat(mount + "/gone")
		if there != gone || there == 0 {
			t.Errorf("%s: a link to something gives %v, to nothing %v; want the same error", mount, there, gone)
		}
	}
}

func TestReadOnlyMountDoesNotChange(t *testing.T) {
	w := newWorld(t, roomy)
	w.write(filepath.Join(w.data, "file"), "fixed")
	if err := os.Mkdir(filepath.Join(w.data, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(w.data, "file"))
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []sys.Oflag{sys.O_WRONLY, sys.O_RDWR, sys.O_TRUNC, sys.O_CREAT, sys.O_APPEND, sys.O_CREAT | sys.O_EXCL} {
		for _, path := range []string{"data/file", "data/new", "data/dir/new"} {
			if _, errno := w.OpenFile(path, flag, 0o600); errno != sys.EROFS && errno != sys.ENOENT {
				t.Errorf("open %s with flags %#x gave %v, want EROFS", path, flag, errno)
			}
		}
	}
	file := w.opened("data/file", sys.O_RDONLY)
	dir := w.opened("data/dir", sys.O_RDONLY|sys.O_DIRECTORY)
	calls := map[string]func() sys.Errno{
		"mkdir":                    func() sys.Errno { return w.Mkdir("data/new", 0o700) },
		"link":                     func() sys.Errno { return w.Link("data/file", "data/new") },
		"link out":                 func() sys.Errno { return w.Link("data/file", "app/new") },
		"symlink":                  func() sys.Errno { return w.Symlink("file", "data/new") },
		"rename a dir":             func() sys.Errno { return w.Rename("data/dir", "data/moved") },
		"rename over":              func() sys.Errno { w.put("app/y", "x"); return w.Rename("app/y", "data/file") },
		"rename the mount":         func() sys.Errno { return w.Rename("data", "moved") },
		"remove the mount":         func() sys.Errno { return w.Rmdir("data") },
		"utimens of a dir":         func() sys.Errno { return w.Utimens("data/dir", 0, 0) },
		"utimens of the mount":     func() sys.Errno { return w.Utimens("data", 0, 0) },
		"file set size by opening": func() sys.Errno { _, errno := w.OpenFile("data/file", sys.O_RDONLY|sys.O_TRUNC, 0); return errno },
		"rmdir":                    func() sys.Errno { return w.Rmdir("data/dir") },
		"unlink":                   func() sys.Errno { return w.Unlink("data/file") },
		"rename":                   func() sys.Errno { return w.Rename("data/file", "data/moved") },
		"rename in":                func() sys.Errno { w.put("app/x", "x"); return w.Rename("app/x", "data/x") },
		"rename out":               func() sys.Errno { return w.Rename("data/file", "app/file") },
		"chmod":                    func() sys.Errno { return w.Chmod("data/file", 0) },
		"utimens":                  func() sys.Errno { return w.Utimens("data/file", 0, 0) },
		"file write":               func() sys.Errno { _, errno := file.Write([]byte("x")); return errno },
		"file pwrite":              func() sys.Errno { _, errno := file.Pwrite([]byte("x"), 0); return errno },
		"file truncate":            func() sys.Errno { return file.Truncate(0) },
		"fd_allocate":              func() sys.Errno { return file.Truncate(100) },
		"file utimens":             func() sys.Errno { return file.Utimens(0, 0) },
		"set append":               func() sys.Errno { return file.SetAppend(true) },
		"dir utimens":              func() sys.Errno { return dir.Utimens(0, 0) },
		"dir truncate":             func() sys.Errno { return dir.Truncate(0) },
		"dir write":                func() sys.Errno { _, errno := dir.Write([]byte("x")); return errno },
		"dir append":               func() sys.Errno { return dir.SetAppend(true) },
	}
	// Whoever has no descriptor for writing learns that first; links and modes are
	// refused everywhere.
	others := map[string]sys.Errno{
		"chmod": sys.ENOSYS, "link": sys.EPERM, "link out": sys.EPERM, "symlink": sys.EPERM,
		"file write": sys.EBADF, "file pwrite": sys.EBADF, "dir write": sys.EISDIR, "dir truncate": sys.EISDIR, "dir append": sys.EISDIR,
		"rename the mount": sys.EPERM, "remove the mount": sys.EPERM,
	}
	for name, call := range calls {
		want, ok := others[name]
		if !ok {
			want = sys.EROFS
		}
		if errno := call(); errno != want {
			t.Errorf("%s gives %v, want %v", name, errno, want)
		}
	}
	after, err := os.Stat(filepath.Join(w.data, "file"))
	if err != nil || !after.ModTime().Equal(before.ModTime()) || after.Size() != 5 {
		t.Errorf("the file changed: %v, %v", after, err)
	}
	entries, err := os.ReadDir(w.data)
	if err != nil || len(entries) != 2 {
		t.Errorf("the mount holds %v (%v), want file and dir", entries, err)
	}
}

// TestHardLinkedFilesAreNotWritten protects a package cache whose files the host
// linked into a workspace.
func TestHardLinkedFilesAreNotWritten(t *testing.T) {
	w := newWorld(t, roomy)
	inside := filepath.Join(w.app, "cached")
	if err := os.Link(filepath.Join(w.outside, "canary"), inside); err != nil {
		t.Skip(err)
	}
	for _, flag := range []sys.Oflag{sys.O_WRONLY, sys.O_RDWR, sys.O_TRUNC, sys.O_APPEND | sys.O_WRONLY} {
		if _, errno := w.OpenFile("app/cached", flag, 0); errno != sys.EPERM {
			t.Errorf("open with flags %#x gave %v, want EPERM", flag, errno)
		}
	}
	file := w.opened("app/cached", sys.O_RDONLY)
	for name, errno := range map[string]sys.Errno{
		"utimens":      w.Utimens("app/cached", 0, 0),
		"file utimens": file.Utimens(0, 0),
		"truncate":     file.Truncate(0),
	} {
		if errno == 0 {
			t.Errorf("%s succeeded", name)
		}
	}
	if errno := w.Unlink("app/cached"); errno != 0 {
		t.Errorf("unlink: %v", errno)
	}
	w.put("app/cached", "mine")
	w.checkCanary()
}

// TestSetUserIDFilesAreNotWritten covers what the host left behind: a guest makes
// none, because it cannot set permissions.
func TestSetUserIDFilesAreNotWritten(t *testing.T) {
	for _, bit := range []os.FileMode{os.ModeSetuid, os.ModeSetgid} {
		w := newWorld(t, roomy)
		path := filepath.Join(w.app, "tool")
		w.write(path, "content")
		if err := os.Chmod(path, 0o755|bit); err != nil {
			t.Skip(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode()&bit == 0 {
			t.Skipf("this file system has no %v", bit)
		}
		if st, errno := w.Stat("app/tool"); errno != 0 || st.Mode != 0o644 {
			t.Errorf("the guest sees mode %v, %v", st.Mode, errno)
		}
		for _, flag := range []sys.Oflag{sys.O_WRONLY, sys.O_RDWR, sys.O_TRUNC, sys.O_APPEND | sys.O_WRONLY} {
			if _, errno := w.OpenFile("app/tool", flag, 0); errno != sys.EPERM {
				t.Errorf("open with flags %#x gave %v, want EPERM", flag, errno)
			}
		}
		if content, errno := w.get("app/tool"); content != "content" || errno != 0 {
			t.Errorf("reads %q, %v", content, errno)
		}
		w.put("app/mine", "content")
		if errno := w.Rename("app/mine", "app/tool"); errno != 0 {
			t.Errorf("replace: %v", errno)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("afterwards it is %v, %v", info.Mode(), err)
		}
	}
}

// TestDescriptorsFollowFilesNotNames renames and replaces what is open. wazero
// remembers the names of directories, so the old name must mean what is there
// now, or nothing.
func TestDescriptorsFollowFilesNotNames(t *testing.T) {
	w := newWorld(t, roomy)
	for _, dir := range []string{"app/d", "app/d/e"} {
		if errno := w.Mkdir(dir, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	w.put("app/d/e/f", "old")
	file := w.opened("app/d/e/f", sys.O_RDWR)
	if errno := w.Rename("app/d", "app/r"); errno != 0 {
		t.Fatal(errno)
	}
	w.link("../outside", filepath.Join(w.app, "d"))
	if _, errno := w.OpenFile("app/d/canary", sys.O_RDWR, 0); errno == 0 {
		t.Error("a link in place of a renamed directory was followed")
	}
	if _, errno := file.Write([]byte("new")); errno != 0 {
		t.Errorf("write after rename: %v", errno)
	}
	if got, _ := w.get("app/r/e/f"); got != "new" {
		t.Errorf("the renamed file reads %q, want what was written to its descriptor", got)
	}
	if errno := file.Utimens(1e9, 1e9); errno != 0 {
		t.Errorf("utimens after rename: %v", errno)
	}
	if errno := w.Unlink("app/r/e/f"); errno != 0 {
		t.Fatal(errno)
	}
	w.put("app/r/e/f", "other")
	if errno := file.Utimens(2e9, 2e9); errno != sys.ENOENT {
		t.Errorf("utimens of a deleted file gave %v, want ENOENT", errno)
	}
	if _, errno := file.Pwrite([]byte("ghost"), 0); errno != 0 {
		t.Errorf("write to a deleted file: %v", errno)
	}
	if got, _ := w.get("app/r/e/f"); got != "other" {
		t.Errorf("the new file reads %q, want what was written to it", got)
	}
	w.checkCanary()
}

// TestUtimensChecksWhatThePathLeadsTo lets the host put another file in place of
// an open one.
func TestUtimensChecksWhatThePathLeadsTo(t *testing.T) {
	w := newWorld(t, roomy)
	w.put("app/f", "old")
	file := w.opened("app/f", sys.O_RDWR)
	path := filepath.Join(w.app, "f")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	w.write(path, "new")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if errno := file.Utimens(0, 0); errno != sys.ENOENT {
		t.Errorf("utimens gives %v, want ENOENT", errno)
	}
	if after, err := os.Stat(path); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the other file changed: %v, %v", after, err)
	}
}

func TestMountPointsStay(t *testing.T) {
	w := newWorld(t, roomy)
	for _, path := range []string{"/", "app", "/app", "app/", "data"} {
		for name, errno := range map[string]sys.Errno{
			"rmdir":       w.Rmdir(path),
			"unlink":      w.Unlink(path),
			"rename":      w.Rename(path, "app/new"),
			"rename over": w.Rename("app", path),
			"mkdir":       w.Mkdir(path, 0),
		} {
			if errno == 0 {
				t.Errorf("%s %q succeeded", name, path)
			}
		}
	}
	for name, errno := range map[string]sys.Errno{
		"mkdir in the root":      w.Mkdir("new", 0),
		"mkdir in the reserved":  w.Mkdir(".sandboxd/new", 0),
		"mkdir of the reserved":  w.Mkdir(".sandboxd", 0),
		"rename to the root":     w.Rename("app/x", "x"),
		"rename to the reserved": w.Rename("app/x", ".sandboxd/x"),
	} {
		if errno == 0 {
			t.Errorf("%s succeeded", name)
		}
	}
}
