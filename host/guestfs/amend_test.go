package guestfs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// TestErrorsMeanWhatProgramsExpect checks the numbers that guests see where the
// engine has none, as WASI counts them.
func TestErrorsMeanWhatProgramsExpect(t *testing.T) {
	const (
		edquot, efbig, emfile, enospc, exdev, ebusy = 19, 22, 33, 51, 75, 10
		eio, enoent, enotsup, eperm                 = 29, 44, 58, 63
	)
	long := strings.Repeat("x", 200)
	for _, test := range []struct {
		name   string
		limits Limits
		call   func(w *world) sys.Errno
		engine uint32 // what the engine makes of the error
		want   uint32
	}{
		{"more bytes than there may be", Limits{MaxBytes: 100, MaxFiles: 9, MaxFileSize: 99}, func(w *world) sys.Errno {
			w.put("app/a", strings.Repeat("x", 60))
			return write(w.opened("app/f", sys.O_WRONLY|sys.O_CREAT), strings.Repeat("x", 60))
		}, eio, edquot},
		{"more bytes in one file than there may be in all", Limits{MaxBytes: 100, MaxFiles: 9}, func(w *world) sys.Errno {
			return write(w.opened("app/f", sys.O_WRONLY|sys.O_CREAT), long)
		}, eio, edquot},
		{"more bytes than one file may have", Limits{MaxBytes: 1000, MaxFiles: 9, MaxFileSize: 100}, func(w *world) sys.Errno {
			return write(w.opened("app/f", sys.O_WRONLY|sys.O_CREAT), long)
		}, eio, efbig},
		{"a longer file than one may be", Limits{MaxBytes: 1000, MaxFiles: 9, MaxFileSize: 100}, func(w *world) sys.Errno {
			return w.opened("app/f", sys.O_WRONLY|sys.O_CREAT).Truncate(101)
		}, eio, efbig},
		{"more files than there may be", Limits{MaxBytes: 100, MaxFiles: 1}, func(w *world) sys.Errno {
			w.put("app/a", "")
			_, errno := w.OpenFile("app/f", sys.O_WRONLY|sys.O_CREAT, 0)
			return errno
		}, eio, edquot},
		{"more directories than there may be", Limits{MaxBytes: 100, MaxFiles: 1}, func(w *world) sys.Errno {
			w.put("app/a", "")
			return w.Mkdir("app/d", 0)
		}, eio, edquot},
		{"more open files than there may be", Limits{MaxBytes: 100, MaxFiles: 9, MaxOpen: 1}, func(w *world) sys.Errno {
			w.opened("app", sys.O_DIRECTORY)
			_, errno := w.OpenFile("app", sys.O_DIRECTORY, 0)
			return errno
		}, eio, emfile},
		{"a move to another mount", roomy, func(w *world) sys.Errno {
			other := &mount{Mount: Mount{Guest: "/app2", Writable: true, Root: openRoot(t, t.TempDir())}}
			w.root.ensure("app2").mount = other
			w.put("app/f", "")
			return w.Rename("app/f", "app2/f")
		}, enotsup, exdev},
		{"a full disk", roomy, func(w *world) sys.Errno { return w.failed(hostError(syscall.ENOSPC)) }, eio, enospc},
		{"the host's own quota", roomy, func(w *world) sys.Errno { return w.failed(hostError(syscall.EDQUOT)) }, eio, enospc},
		{"no descriptors left in the host", roomy, func(w *world) sys.Errno { return w.failed(hostError(syscall.ENFILE)) }, eio, emfile},
		{"a file in use", roomy, func(w *world) sys.Errno { return w.failed(hostError(syscall.EBUSY)) }, eperm, ebusy},
		{"a broken disk", roomy, func(w *world) sys.Errno { return w.failed(hostError(syscall.EIO)) }, eio, eio},
		{"no such file", roomy, func(w *world) sys.Errno { return w.failed(hostError(syscall.ENOENT)) }, enoent, enoent},
		{"another error of the engine after a refusal", Limits{MaxBytes: 100, MaxFiles: 9}, func(w *world) sys.Errno {
			return write(w.opened("app/f", sys.O_WRONLY|sys.O_CREAT), long)
		}, eperm, eperm},
		{"a failure of another kind after a refusal", Limits{MaxBytes: 100, MaxFiles: 9}, func(w *world) sys.Errno {
			if errno := write(w.opened("app/f", sys.O_WRONLY|sys.O_CREAT), long); errno != sys.EIO {
				return errno
			}
			_, errno := w.OpenFile("app/none", sys.O_RDONLY, 0)
			return errno
		}, eio, eio},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.limits)
			if errno := test.call(w); errno == 0 {
				t.Fatal("the call succeeds")
			}
			if got := w.Amend(test.engine); got != test.want {
				t.Errorf("the guest sees %d, want %d", got, test.want)
			}
		})
	}
}

func hostError(number syscall.Errno) error {
	return &os.PathError{Op: "write", Path: filepath.Join("some", "path"), Err: number}
}
