package guestfs

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// TestSwappedDirectoriesDoNotLeadOutside lets the host replace directories by
// links, and back, while a guest works below them.
func TestSwappedDirectoriesDoNotLeadOutside(t *testing.T) {
	for _, mount := range []string{"app", "data"} {
		t.Run(mount, func(t *testing.T) {
			w := newWorld(t, roomy)
			dir := map[string]string{"app": w.app, "data": w.data}[mount]
			swapped := filepath.Join(dir, "dir")
			if err := os.MkdirAll(filepath.Join(swapped, "sub"), 0o700); err != nil {
				t.Fatal(err)
			}
			w.write(filepath.Join(swapped, "canary"), "inside")
			w.write(filepath.Join(dir, "file"), "inside")

			stop := make(chan struct{})
			var swaps int
			var host sync.WaitGroup
			host.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						swap(dir)
						swaps++
					}
				}
			})
			for i := range 3000 {
				hammer(t, w, mount, i)
			}
			close(stop)
			host.Wait()
			if swaps < 100 {
				t.Logf("only %d swaps happened", swaps)
			}
			w.checkCanary()
		})
	}
}

// swap replaces dir/dir by a link to the outside, and then undoes it. Errors are
// expected: the guest is at work in the same place.
func swap(dir string) {
	path, aside := filepath.Join(dir, "dir"), filepath.Join(dir, "aside")
	_ = os.Rename(path, aside)
	_ = os.Symlink("../outside", path)
	_ = os.Remove(path)
	_ = os.Rename(aside, path)
}

// hammer makes one round of calls below the swapped directory and checks that
// none sees the canary.
func hammer(t *testing.T, w *world, mount string, round int) {
	t.Helper()
	in := func(name string) string { return mount + "/dir/" + name }
	if got, errno := w.get(in("canary")); errno == 0 && got == canary {
		t.Fatalf("round %d: the canary was read", round)
	}
	if st, errno := w.Stat(in("canary")); errno == 0 && st.Size == int64(len(canary)) {
		t.Fatalf("round %d: the canary was seen", round)
	}
	for _, flag := range []sys.Oflag{sys.O_RDWR | sys.O_CREAT, sys.O_WRONLY | sys.O_TRUNC, sys.O_WRONLY | sys.O_CREAT | sys.O_EXCL} {
		if file, errno := w.OpenFile(in("canary"), flag, 0o600); errno == 0 {
			_, _ = file.Write([]byte("inside"))
			file.Close()
		}
	}
	if dir, errno := w.OpenFile(mount+"/dir", sys.O_DIRECTORY, 0); errno == 0 {
		_, _ = dir.Readdir(-1)
		dir.Close()
	}
	for _, f := range w.Summary(t.Context(), allOfIt).Created {
		if f.Size == int64(len(canary)) || f.SHA256 == fileWith("", canary).SHA256 {
			t.Fatalf("round %d: the canary was hashed", round)
		}
	}
	_ = w.Mkdir(in("new"), 0o700)
	_ = w.Rename(mount+"/file", in("file"))
	_ = w.Rename(in("file"), mount+"/file")
	_ = w.Utimens(in("canary"), 0, 0)
	_ = w.Unlink(in("canary"))
	_ = w.Rmdir(in("new"))
	_ = w.Rmdir(in("sub"))
}

// TestCloseDuringCalls closes the file system while a guest uses it.
func TestCloseDuringCalls(t *testing.T) {
	for range 20 {
		w := newWorld(t, roomy)
		w.put("app/file", "content")
		started := make(chan struct{})
		var guest sync.WaitGroup
		guest.Go(func() {
			buf := make([]byte, 16)
			for i := range 10_000 {
				file, errno := w.OpenFile("app/file", sys.O_RDWR, 0)
				if errno != 0 {
					return
				}
				_, _ = file.Read(buf)
				_, _ = file.Write(buf)
				_, _ = file.Stat()
				if i == 10 {
					close(started)
				}
				if i%2 == 0 {
					file.Close()
				}
			}
		})
		<-started
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		guest.Wait()
		if len(w.open) != 0 {
			t.Errorf("%d files are open after Close", len(w.open))
		}
	}
}
