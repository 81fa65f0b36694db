//go:build unix && !solaris && !aix

package host

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lockDir locks a directory of this user's, until it is closed or the process ends. It
// waits for others if wait is set, and is an error otherwise.
func lockDir(dir string, wait bool) (_ *os.File, err error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	f := os.NewFile(uintptr(fd), dir) //nolint:gosec // a descriptor
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: dir, Err: err}
	}
	if int(st.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("%s belongs to user %d", dir, st.Uid)
	}
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		if err := unix.Flock(fd, how); err != unix.EINTR { //nolint:errorlint // a plain number
			if err != nil {
				return nil, &os.PathError{Op: "lock", Path: dir, Err: err}
			}
			return f, nil
		}
	}
}
