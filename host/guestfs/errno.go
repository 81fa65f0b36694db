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

// meaning is an error that the guest should see and wazero has no number for: its
// number in WASI, and that of the error that stands in for it until [FS.Amend].
//
// See https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#errno
type meaning struct {
	number, standIn uint32
}

// WASI numbers of the errors that stand in for others.
const (
	wasiIO     = 29
	wasiNotsup = 58
	wasiPerm   = 63
)

var (
	meansBusy    = meaning{10, wasiPerm}   // EBUSY
	meansQuota   = meaning{19, wasiIO}     // EDQUOT
	meansTooBig  = meaning{22, wasiIO}     // EFBIG
	meansOpen    = meaning{33, wasiIO}     // EMFILE
	meansFull    = meaning{51, wasiIO}     // ENOSPC
	meansDevices = meaning{75, wasiNotsup} // EXDEV
)

// Amend returns the WASI error number that the guest should see, given the one that
// the engine made of the last call's error: the same, unless that only stands in
// for another. A guest learns nothing by it but why it was refused.
func (f *FS) Amend(number uint32) uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.meant.standIn == number {
		return f.meant.number
	}
	return number
}

// failed translates an error of a call that changes something on the host's disk,
// and remembers what it means.
func (f *FS) failed(err error) sys.Errno {
	number, _ := errors.AsType[syscall.Errno](err)
	switch number { //nolint:exhaustive // the others have numbers of their own
	case syscall.ENOSPC, syscall.EDQUOT:
		f.meant = meansFull
	case syscall.EFBIG:
		f.meant = meansTooBig
	case syscall.EMFILE, syscall.ENFILE:
		f.meant = meansOpen
	case syscall.EBUSY:
		f.meant = meansBusy
	case syscall.EXDEV:
		f.meant = meansDevices
	}
	return errnoOf(err)
}

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
