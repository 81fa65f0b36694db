package image

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve maps n bytes of zeroes that cost nothing until they are touched.
func reserve(n uint64) ([]byte, error) {
	return unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE, //nolint:gosec // a profile's limit
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
}

// unreserve fails only for memory that reserve did not return.
func unreserve(space []byte) { _ = unix.Munmap(space) }

// mappedBacking is an image's memory on disk, mapped copy-on-write into regions.
type mappedBacking struct {
	file    *os.File // nil for an image of nothing
	content []byte   // the file, mapped once for reading
	pages   *os.File // /proc/self/pagemap, nil where it cannot tell private pages
}

// openBacking opens an image's memory file the way that suits this system best.
func openBacking(name string, size uint64) (backing, error) {
	f, err := os.Open(name) //nolint:gosec // the caller's cache
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && uint64(info.Size()) != size { //nolint:gosec // a file's size
		err = fmt.Errorf("%w: %s has %d bytes, not %d", ErrDamaged, memoryFile, info.Size(), size)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	content, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED) //nolint:gosec // checked
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &mappedBacking{file: f, content: content, pages: openPagemap(content)}, nil
}

// blankBacking is the memory of an image of nothing.
func blankBacking() (backing, error) {
	sample, err := reserve(uint64(os.Getpagesize())) //nolint:gosec // positive
	if err != nil {
		return nil, err
	}
	defer unreserve(sample)
	return &mappedBacking{pages: openPagemap(sample)}, nil
}

func (b *mappedBacking) bytes() []byte { return b.content }

// mapped reserves limit bytes that begin with the image, copy-on-write.
func (b *mappedBacking) mapped(limit uint64) ([]byte, error) {
	space, err := reserve(limit)
	if err != nil || b.file == nil {
		return space, err
	}
	// MAP_FIXED replaces the start of our own reservation and nothing else.
	_, err = unix.MmapPtr(int(b.file.Fd()), 0, unsafe.Pointer(unsafe.SliceData(space)), uintptr(len(b.content)), //nolint:gosec // see above
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		unreserve(space)
		return nil, err
	}
	return space, nil
}

// maxResident is how many private pages a region keeps from one instance to the
// next. A small program writes 150 or so; what a large one leaves is given back.
const maxResident = 512

// reset makes a region equal to the image again, or reports that it cannot.
//
// The kernel tells which pages became private (PAGEMAP_SCAN, Linux 6.7). Those
// are overwritten with what they held at first, the image's bytes or zeroes above
// it, and stay resident, so that the next instance takes no page faults on them.
func (b *mappedBacking) reset(r *Region) bool {
	if b.pages == nil {
		return false
	}
	kept := 0
	return scanPrivate(b.pages, r.space[:r.size], func(from, to int) bool {
		if kept += (to - from) / os.Getpagesize(); kept > maxResident {
			return unix.Madvise(r.space[from:to], unix.MADV_DONTNEED) == nil
		}
		if from < len(b.content) {
			from += copy(r.space[from:to], b.content[from:])
		}
		clear(r.space[from:to])
		return true
	})
}

// private asks the kernel, as reset does.
func (b *mappedBacking) private(r *Region, found func(from, to int) bool) bool {
	return b.pages != nil && scanPrivate(b.pages, r.space[:r.size], found)
}

func (b *mappedBacking) close() error {
	if b.pages != nil {
		_ = b.pages.Close()
	}
	if b.file == nil {
		return nil
	}
	_ = unix.Munmap(b.content)
	return b.file.Close()
}
