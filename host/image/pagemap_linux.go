package image

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The PAGEMAP_SCAN ioctl, Linux 6.7 and later. See struct pm_scan_arg in
// https://docs.kernel.org/admin-guide/mm/pagemap.html
const (
	pagemapScan = 0xc0606610

	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
)

type scanArg struct {
	size         uint64
	flags        uint64
	start        uint64
	end          uint64
	walkEnd      uint64
	vec          *pageRegion // a pointer takes 8 bytes wherever this ioctl is used
	vecLen       uint64
	maxPages     uint64
	catInverted  uint64
	catMask      uint64
	catAnyOfMask uint64
	returnMask   uint64
}

// pageRegion is a run of pages; the kernel also says which categories they are of.
type pageRegion struct{ start, end, _ uint64 }

// openPagemap returns the kernel's view of this process's pages, or nil where
// the kernel cannot scan it. sample is any mapped memory to try it on.
func openPagemap(sample []byte) *os.File {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	if !scanPrivate(f, sample, func(int, int) bool { return true }) {
		_ = f.Close()
		return nil
	}
	return f
}

// scanPrivate calls found with each run of pages of memory, which must be page
// aligned, that are private to this process: present or swapped out, and not
// backed by a file. Offsets count from the start of memory. It stops and
// returns false when the kernel fails or found does.
func scanPrivate(pagemap *os.File, memory []byte, found func(from, to int) bool) bool {
	base := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))) //nolint:gosec // only passed to the kernel
	end := base + uint64(len(memory))
	var runs [64]pageRegion
	for at := base; at < end; {
		arg := scanArg{
			start: at, end: end,
			vec:          &runs[0],
			vecLen:       uint64(len(runs)),
			catInverted:  pageIsFile,
			catMask:      pageIsFile,
			catAnyOfMask: pageIsPresent | pageIsSwapped,
			returnMask:   pageIsPresent | pageIsSwapped,
		}
		arg.size = uint64(unsafe.Sizeof(arg))
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, pagemap.Fd(), pagemapScan, uintptr(unsafe.Pointer(&arg))) //nolint:gosec // the ioctl's argument
		if errno != 0 || arg.walkEnd <= at {
			return false
		}
		for _, run := range runs[:n] {
			if !found(int(run.start-base), int(run.end-base)) { //nolint:gosec // inside memory
				return false
			}
		}
		at = arg.walkEnd
	}
	return true
}
