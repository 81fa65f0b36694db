//go:build unix

package guestfs

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
)

// sharedWorld is a world whose writable mount may hold files with other names.
func sharedWorld(t *testing.T, limits Limits) *world {
	w := newWorld(t, limits)
	w.root.child("app").mount.Shared = true
	return w
}

// then is when shared files were changed last.
var then = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// others is where the other names lie.
func (w *world) others() string { return filepath.Join(filepath.Dir(w.outside), "others") }

// share makes a file of /app that has another name, and returns that.
func (w *world) share(name, content string) string {
	w.t.Helper()
	if err := os.MkdirAll(w.others(), 0o700); err != nil {
		w.t.Fatal(err)
	}
	other := filepath.Join(w.others(), name)
	w.write(other, content)
	if err := os.Chtimes(other, then, then); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Link(other, filepath.Join(w.app, name)); err != nil {
		w.t.Skip(err)
	}
	return other
}

// TestChangesOfSharedFilesStayInside tries every way to change a file.
func TestChangesOfSharedFilesStayInside(t *testing.T) {
	const old, path = "0123456789", "app/f"
	must := func(t *testing.T, errno sys.Errno) {
		t.Helper()
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	pwrite := func(t *testing.T, file sys.File, text string, off int64) {
		t.Helper()
		if n, errno := file.Pwrite([]byte(text), off); n != len(text) || errno != 0 {
			t.Fatal(n, errno)
		}
	}
	for name, tt := range map[string]struct {
		change func(t *testing.T, w *world)
		want   string // at path; empty is no file
	}{
		"open and cut":         {func(_ *testing.T, w *world) { w.opened(path, sys.O_WRONLY|sys.O_TRUNC).Close() }, ""},
		"open to read and cut": {func(_ *testing.T, w *world) { w.opened(path, sys.O_RDONLY|sys.O_TRUNC).Close() }, ""},
		"replace":              {func(_ *testing.T, w *world) { w.put(path, "new") }, "new"},
		"write": {func(t *testing.T, w *world) {
			if n, errno := w.opened(path, sys.O_WRONLY).Write([]byte("ab")); n != 2 || errno != 0 {
				t.Fatal(n, errno)
			}
		}, "ab23456789"},
		"append": {func(t *testing.T, w *world) {
			if n, errno := w.opened(path, sys.O_WRONLY|sys.O_APPEND).Write([]byte("ab")); n != 2 || errno != 0 {
				t.Fatal(n, errno)
			}
		}, old + "ab"},
		"append later": {func(t *testing.T, w *world) {
			file := w.opened(path, sys.O_WRONLY)
			must(t, file.SetAppend(true))
			if n, errno := file.Write([]byte("ab")); n != 2 || errno != 0 {
				t.Fatal(n, errno)
			}
		}, old + "ab"},
		"write beyond the end":  {func(t *testing.T, w *world) { pwrite(t, w.opened(path, sys.O_RDWR), "x", 12) }, old + "\x00\x00x"},
		"cut":                   {func(t *testing.T, w *world) { must(t, w.opened(path, sys.O_RDWR).Truncate(3)) }, "012"},
		"make longer":           {func(t *testing.T, w *world) { must(t, w.opened(path, sys.O_RDWR).Truncate(11)) }, old + "\x00"},
		"same length":           {func(t *testing.T, w *world) { must(t, w.opened(path, sys.O_RDWR).Truncate(10)) }, old},
		"times":                 {func(t *testing.T, w *world) { must(t, w.Utimens(path, 1, 2)) }, old},
		"times of an open file": {func(t *testing.T, w *world) { must(t, w.opened(path, sys.O_RDONLY).Utimens(1, 2)) }, old},
		"write after a rename": {func(t *testing.T, w *world) {
			file := w.opened(path, sys.O_RDWR)
			must(t, w.Mkdir("app/d", 0))
			must(t, w.Rename(path, "app/d/g"))
			must(t, w.Rename("app/d", "app/e"))
			pwrite(t, file, "ab", 0)
			if got, errno := w.get("app/e/g"); got != "ab23456789" || errno != 0 {
				t.Errorf("%q, %v", got, errno)
			}
		}, ""},
		"write after deleting": {func(t *testing.T, w *world) {
			file, other := w.opened(path, sys.O_WRONLY), w.opened(path, sys.O_RDONLY)
			must(t, w.Unlink(path))
			pwrite(t, file, "ab", 0)
			buf := make([]byte, 20)
			if n, errno := other.Pread(buf, 0); string(buf[:n]) != "ab23456789" || errno != 0 {
				t.Errorf("%q, %v", buf[:n], errno)
			}
			w.put(path, "another")
			pwrite(t, file, "cd", 2)
		}, "another"},
		"cut after deleting": {func(t *testing.T, w *world) {
			file := w.opened(path, sys.O_RDWR)
			must(t, w.Unlink(path))
			must(t, file.Truncate(1))
		}, ""},
		"shared while it is open": {func(t *testing.T, w *world) {
			must(t, w.Unlink(path))
			w.put(path, old)
			file := w.opened(path, sys.O_RDWR)
			if err := os.Link(filepath.Join(w.app, "f"), filepath.Join(w.others(), "late")); err != nil {
				t.Fatal(err)
			}
			pwrite(t, file, "ab", 0)
			if got, err := os.ReadFile(filepath.Join(w.others(), "late")); string(got) != old || err != nil {
				t.Errorf("the late name has %q, %v", got, err)
			}
		}, "ab23456789"},
		"rename over": {func(t *testing.T, w *world) {
			file := w.opened(path, sys.O_RDWR)
			w.put("app/g", "g")
			must(t, w.Rename("app/g", path))
			pwrite(t, file, "ab", 0)
		}, "g"},
	} {
		t.Run(name, func(t *testing.T) {
			w := sharedWorld(t, roomy)
			other := w.share("f", old)
			before, err := os.Stat(other)
			if err != nil {
				t.Fatal(err)
			}
			tt.change(t, w)
			after, err := os.Stat(other)
			if err != nil || !os.SameFile(before, after) || !after.ModTime().Equal(then) {
				t.Errorf("the other name leads to %v (%v), changed at %v", after, err, after.ModTime())
			}
			if got, err := os.ReadFile(other); string(got) != old || err != nil {
				t.Errorf("the other name has %q, %v", got, err)
			}
			if got, errno := w.get(path); got != tt.want || tt.want != "" && errno != 0 {
				t.Errorf("the guest has %q, %v, want %q", got, errno, tt.want)
			}
			w.checkTidy()
			w.checkCanary()
		})
	}
}

// checkTidy looks for unfinished copies.
func (w *world) checkTidy() {
	w.t.Helper()
	_ = filepath.WalkDir(w.app, func(path string, _ os.DirEntry, _ error) error {
		if strings.HasPrefix(filepath.Base(path), ".sandboxd-") {
			w.t.Errorf("%s was left", path)
		}
		return nil
	})
}

// TestOpenFilesFollowTheCopy reads through descriptors that were there before.
func TestOpenFilesFollowTheCopy(t *testing.T) {
	w := sharedWorld(t, roomy)
	w.share("f", "0123456789")
	reader, writer, second := w.opened("app/f", sys.O_RDONLY), w.opened("app/f", sys.O_RDWR), w.opened("app/f", sys.O_WRONLY)
	if at, errno := reader.Seek(2, 0); at != 2 || errno != 0 {
		t.Fatal(at, errno)
	}
	for i, file := range []sys.File{writer, second} {
		if n, errno := file.Pwrite([]byte{byte('a' + i)}, int64(2+i)); n != 1 || errno != 0 {
			t.Fatal(n, errno)
		}
	}
	buf := make([]byte, 3)
	if n, errno := reader.Read(buf); string(buf[:n]) != "ab4" || errno != 0 {
		t.Errorf("%q, %v", buf[:n], errno)
	}
	if _, errno := reader.Pwrite([]byte("x"), 0); errno != sys.EBADF {
		t.Errorf("a descriptor for reading writes: %v", errno)
	}
	st, errno := writer.Stat()
	if errno != 0 || st.Nlink != 1 || st.Size != 10 {
		t.Errorf("%+v, %v", st, errno)
	}
}

// TestTimesOfACopy are those of the original, but for what was set.
func TestTimesOfACopy(t *testing.T) {
	w := sharedWorld(t, roomy)
	w.share("f", "x")
	if errno := w.Utimens("app/f", int64(time.Hour), sys.UTIME_OMIT); errno != 0 {
		t.Fatal(errno)
	}
	st, errno := w.Stat("app/f")
	if errno != 0 || st.Mtim != then.UnixNano() || st.Atim != int64(time.Hour) {
		t.Errorf("%+v, %v", st, errno)
	}
}

// TestACopyThatFailsChangesNothing has the host put something else in a file's place,
// so that there is nowhere to put a copy.
func TestACopyThatFailsChangesNothing(t *testing.T) {
	for name, swap := range map[string]func(path string) error{
		"nothing":      os.Remove,
		"another file": func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) },
		"a directory":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a link":       func(path string) error { return errors.Join(os.Remove(path), os.Symlink("g", path)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := sharedWorld(t, roomy)
			other := w.share("f", "0123456789")
			if err := os.Link(other, other+"2"); err != nil {
				t.Skip(err)
			}
			file := w.opened("app/f", sys.O_RDWR)
			if n, errno := file.Pwrite(nil, 0); n != 0 || errno != 0 {
				t.Fatal(n, errno)
			}
			if errno := w.Mkdir("app/d", 0); errno != 0 { // so that what is there was measured
				t.Fatal(errno)
			}
			if err := swap(filepath.Join(w.app, "f")); err != nil {
				t.Fatal(err)
			}
			if _, errno := file.Pwrite([]byte("x"), 20); errno != sys.EIO {
				t.Errorf("writing gives %v, want EIO", errno)
			}
			if errno := file.Truncate(30); errno != sys.EIO {
				t.Errorf("making it longer gives %v, want EIO", errno)
			}
			if got, err := os.ReadFile(other); string(got) != "0123456789" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if w.usage.bytes != 10 {
				t.Errorf("%d bytes are used", w.usage.bytes)
			}
			w.checkTidy()
		})
	}
}

// TestSharedProgramsMatchTheModel runs random programs on files that get other names
// at any time, and looks at all those names afterwards.
func TestSharedProgramsMatchTheModel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		code := make([]byte, 600)
		for i := range code {
			code[i] = byte(random.Uint32())
		}
		runShared(t, code)
	}
}

func FuzzSharedPrograms(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 9, 4, 0, 0, 1, 1, 2, 3, 0, 0})
	f.Add([]byte{7, 0, 0, 0, 3, 0, 0, 8, 0, 3, 40, 90, 10, 0})
	f.Fuzz(func(t *testing.T, code []byte) { runShared(t, code[:min(len(code), 500)]) })
}

func runShared(t *testing.T, code []byte) {
	c := newMachine(t, code)
	c.root.child("app").mount.Shared = true
	forks := map[string]map[string]string{}
	c.between = func(step int) {
		if step%5 == 0 {
			dir := filepath.Join(c.others(), time.Duration(step).String())
			forks[dir] = forkOf(t, c.app, dir)
		}
	}
	c.run()
	for dir, want := range forks {
		if diff := cmp.Diff(want, contentOf(t, dir)); diff != "" {
			t.Errorf("a fork was changed (-want +got):\n%s", diff)
		}
	}
	c.checkTidy()
}

// forkOf gives all files of a directory second names in another, and says what they
// hold.
func forkOf(t *testing.T, from, to string) map[string]string {
	for name := range contentOf(t, from) {
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(from, name), path); err != nil {
			t.Skip(err)
		}
	}
	return contentOf(t, to)
}

// contentOf are the files of a directory and, with their times, what they hold.
func contentOf(t *testing.T, dir string) map[string]string {
	files := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if os.IsNotExist(err) || err == nil && info.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(data) + " " + info.ModTime().String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// siblings are two guests with the same file as /app/f.
func siblings(t *testing.T, content string, limits Limits) (a, b *world) {
	t.Helper()
	a, b = sharedWorld(t, limits), sharedWorld(t, limits)
	a.write(filepath.Join(a.app, "f"), content)
	if err := os.Link(filepath.Join(a.app, "f"), filepath.Join(b.app, "f")); err != nil {
		t.Skip(err)
	}
	return a, b
}

// TestSharedFileThatIsOpenAndGone looks at what a guest still reads from a file that it
// has deleted: not what the guest writes who then has the only name for it.
func TestSharedFileThatIsOpenAndGone(t *testing.T) {
	for name, remove := range map[string]func(*world) sys.Errno{
		"deleted": func(w *world) sys.Errno { return w.Unlink("app/f") },
		"replaced": func(w *world) sys.Errno {
			w.put("app/g", "g")
			return w.Rename("app/g", "app/f")
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := siblings(t, "0123456789", roomy)
			mine := a.opened("app/f", sys.O_RDONLY)
			if errno := remove(a); errno != 0 {
				t.Fatal(errno)
			}
			if n, errno := b.opened("app/f", sys.O_RDWR).Pwrite([]byte("SECRET"), 0); n != 6 || errno != 0 {
				t.Fatal(n, errno)
			}
			buf := make([]byte, 20)
			if n, errno := mine.Pread(buf, 0); string(buf[:n]) != "0123456789" || errno != 0 {
				t.Errorf("it reads %q, %v", buf[:n], errno)
			}
		})
	}
}

// TestSharedFileThatIsGoneCountsAsItWas has somebody else's guest change the size of a
// file that this one has deleted and still holds.
func TestSharedFileThatIsGoneCountsAsItWas(t *testing.T) {
	const quota = 1 << 20
	a, b := siblings(t, "0123456789", Limits{MaxBytes: quota, MaxFiles: 100})
	held := a.opened("app/f", sys.O_RDONLY)
	if errno := a.Unlink("app/f"); errno != 0 {
		t.Fatal(errno)
	}
	if n, errno := a.opened("app/big", sys.O_RDWR|sys.O_CREAT).Pwrite(make([]byte, quota-10), 0); n != quota-10 || errno != 0 {
		t.Fatal(n, errno)
	}
	if errno := b.opened("app/f", sys.O_RDWR).Truncate(quota); errno != 0 {
		t.Fatal(errno)
	}
	if errno := held.Close(); errno != 0 {
		t.Fatal(errno)
	}
	if n, errno := a.opened("app/more", sys.O_RDWR|sys.O_CREAT).Pwrite(make([]byte, 100), 0); n > 10 || errno == 0 && n != 10 {
		t.Errorf("%d bytes more than the quota were written, %v", n-10, errno)
	}
}

// TestSharingCostsNoFuel compares writing to a file of its own with writing to one that
// has other names.
func TestSharingCostsNoFuel(t *testing.T) {
	charged := func(shared bool) int {
		w := sharedWorld(t, roomy)
		for _, dir := range []string{"app/d", "app/d/e"} {
			if errno := w.Mkdir(dir, 0); errno != 0 {
				t.Fatal(errno)
			}
		}
		w.put("app/d/e/f", "0123456789")
		if shared {
			if err := os.Link(filepath.Join(w.app, "d/e/f"), filepath.Join(w.outside, "other")); err != nil {
				t.Skip(err)
			}
		}
		w.charged = 0
		f := w.opened("app/d/e/f", sys.O_RDWR)
		if n, errno := f.Pwrite([]byte("x"), 0); n != 1 || errno != 0 {
			t.Fatal(n, errno)
		}
		if errno := f.Close(); errno != 0 {
			t.Fatal(errno)
		}
		return w.charged
	}
	if own, shared := charged(false), charged(true); own != shared || own == 0 {
		t.Errorf("%d for a file of its own, %d for a shared one", own, shared)
	}
}

// TestTheHostDeletesWhatAGuestHolds is a guest that was given up, and whose workspace
// is gone: the only name of its file is that of a turn which was kept.
func TestTheHostDeletesWhatAGuestHolds(t *testing.T) {
	w := sharedWorld(t, roomy)
	kept := w.share("f", "0123456789")
	f := w.opened("app/f", sys.O_RDWR)
	if err := os.Remove(filepath.Join(w.app, "f")); err != nil {
		t.Fatal(err)
	}
	if n, errno := f.Pwrite([]byte("changed"), 0); errno == 0 {
		t.Errorf("%d bytes were written", n)
	}
	if got, err := os.ReadFile(kept); err != nil || string(got) != "0123456789" {
		t.Errorf("what was kept is %q, %v", got, err)
	}
}
