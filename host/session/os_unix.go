//go:build unix

package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockNow takes an exclusive lock that ends with the file, or with the process. It
// reports false while someone else holds it.
func lockNow(file *os.File) (bool, error) {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		}
		return err == nil, err
	}
}

// checkPrivate refuses a directory that others could change. Root is not counted
// among the others: it can change anything anyway.
func checkPrivate(dir string, info fs.FileInfo) error {
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("%s is open to others (mode %#o): run chmod 700 on it, or choose another directory", dir, perm)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if uid := os.Geteuid(); ok && int(stat.Uid) != uid && stat.Uid != 0 {
		return fmt.Errorf("%s belongs to user %d, not to this user (%d): choose another directory", dir, stat.Uid, uid)
	}
	return nil
}

// syncDir makes the names in dir survive a crash. Filesystems that cannot sync a
// directory do without.
func syncDir(dir string) error {
	file, err := os.Open(dir) //nolint:gosec // a name of this package
	if err != nil {
		return err
	}
	err = file.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, file.Close())
}
