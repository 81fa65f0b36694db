package host

import (
	"errors"
	"os"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// oldKernel is set in a process that is to find no PAGEMAP_SCAN, as before Linux 6.7.
const oldKernel = "SANDBOXD_TEST_OLD_KERNEL"

// pagemapScan is the ioctl that came with it.
const pagemapScan = 0xc0606610

func init() {
	if os.Getenv(oldKernel) != "" {
		forbidPagemapScan()
	}
}

// forbidPagemapScan has the kernel answer as one that does not know the ioctl, to
// every thread of this process from now on.
func forbidPagemapScan() {
	const number, argument = 0, 24 // where a filter finds a call's number and its second argument
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_IOCTL, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: argument},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: pagemapScan, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOTTY)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		panic(errno)
	}
}

// TestOnAnOldKernel runs the tests of reset memory once more, in a process whose kernel
// cannot tell which pages a guest wrote: there every instance gets memory of its own,
// and states are found by comparing all of it.
func TestOnAnOldKernel(t *testing.T) {
	if os.Getenv(oldKernel) == "" {
		tests := "TestOnAnOldKernel|TestARestoredInstanceIsAlwaysTheSame|TestEveryRestoreGivesTheSameFuel|TestMixedCalls|TestSessionsDoNotMeet|TestASmallStateIsSmall"
		if LongTests {
			tests += "|TestAResetRegionEqualsAFreshOne|TestRandomProgramsLeaveNoTrace|TestACrashNeverDisturbsItsNeighbours"
		}
		child(t, tests, oldKernel+"=1").wait(t)
		return
	}
	pages, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pages.Close() }()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, pages.Fd(), pagemapScan, 0); !errors.Is(errno, unix.ENOTTY) {
		t.Errorf("the kernel knows it: %v", errno)
	}
}
