package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// parentWaiter returns a function that waits for the end of a parent, and reports
// whether it could. It opens what it needs at once: a process that has given up its
// powers could not. PR_SET_PDEATHSIG would not do, as it tells of the thread that
// started this process, which may end earlier than its process.
//
// See https://man7.org/linux/man-pages/man2/pidfd_open.2.html
func parentWaiter(parent int) func() bool {
	fd, err := unix.PidfdOpen(parent, 0)
	if err != nil { // before Linux 5.3, or the parent is in no namespace of ours
		return func() bool { return false }
	}
	return func() bool {
		defer unix.Close(fd)        //nolint:errcheck // it was only polled
		if os.Getppid() != parent { // it ended before, and another may have its number
			return true
		}
		for {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1) //nolint:gosec // a descriptor
			if !errors.Is(err, unix.EINTR) {
				return err == nil
			}
		}
	}
}
