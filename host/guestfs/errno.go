package guestfs

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// errSwapped means that a directory entry changed between looking at it and
// opening it. Only the host, or another guest in the same workspace, does that.
var errSwapped = errors.New("entry changed while it was opened")

// errnoOf translates an error of the os package. What has no number of its own
// is [os.Root] refusing a link that leads outside: EACCES, whether or not
// something exists there.
func errnoOf(err error) sys.Errno {
	if err == nil {
		return 0
	}
	if errors.Is(err, errSwapped) {
		return sys.EIO
	}
	if errors.Is(err, fs.ErrClosed) {
		return sys.EBADF
	}
	var number syscall.Errno
	if !errors.As(err, &number) {
		return sys.EACCES
	}
	switch number {
	case syscall.EBUSY:
		return sys.EPERM
	case syscall.EXDEV:
		return sys.ENOTSUP
	default:
		return sys.UnwrapOSError(number)
	}
}
