package meter

import "golang.org/x/sys/unix"

// threadTime is the processor time of this thread: other processes on the
// machine do not count.
func threadTime() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		panic(err)
	}
	return now.Nano()
}
