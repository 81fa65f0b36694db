//go:build unix

package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Locks says whether locks exist here. Where they do not, taking one always succeeds.
const Locks = true

// TryLock takes an exclusive lock of an open file or directory that ends with file, or
// with the process. It reports false while someone else holds one.
func TryLock(file *os.File) (bool, error) {
	err := flock(file, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// Lock takes the lock of [TryLock], and waits until nobody else holds one. It cannot be
// interrupted: whoever holds such a lock must not keep it for long.
func Lock(file *os.File) error { return flock(file, unix.LOCK_EX) }

// LockShared takes a lock that others may share, and waits until nobody holds that of
// [Lock].
func LockShared(file *os.File) error { return flock(file, unix.LOCK_SH) }

func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Check refuses a directory in which others may do more than it says, or that is
// somebody else's. info is that of dir.
func Check(dir string, info fs.FileInfo, others Others) error {
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	forbidden, what := fs.FileMode(0o077), "is open to others"
	if others == Reading {
		forbidden, what = 0o022, "may be written by others"
	}
	if perm := info.Mode().Perm(); perm&forbidden != 0 {
		return fmt.Errorf("%s %s (mode %#o): run chmod 700 on it, or choose another directory", dir, what, perm)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if uid := os.Geteuid(); ok && int(stat.Uid) != uid && stat.Uid != 0 {
		return fmt.Errorf("%s belongs to user %d, not to this user (%d): choose another directory", dir, stat.Uid, uid)
	}
	return nil
}

// SyncDir makes the names in dir survive a crash. Filesystems that cannot sync a
// directory do without.
func SyncDir(dir string) error {
	file, err := os.Open(dir) //nolint:gosec // the caller's own
	if err != nil {
		return err
	}
	err = file.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, file.Close())
}
