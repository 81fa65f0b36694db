package guestfs

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
	wazerosys "github.com/tetratelabs/wazero/sys"
)

// dataFile is an open regular file of a mount. It keeps the file offset itself,
// so that every write is to an offset that was checked against the limits.
type dataFile struct {
	handle

	mount     *mount
	ino       wazerosys.Inode
	read      bool
	write     bool
	appending bool
	nonblock  bool
	off       int64
}

var _ sys.PollableFile = (*dataFile)(nil)

func (f *FS) newData(p place, a access, file *os.File) *dataFile {
	d := &dataFile{
		handle:    handle{fs: f, file: file, writes: a.write || a.trunc},
		mount:     p.mount,
		ino:       inodeOf(p.guest),
		read:      a.read,
		write:     a.write,
		appending: a.appending,
		nonblock:  a.nonblock,
	}
	if p.mount.Writable {
		d.node = f.nodeAt(p.guest)
	}
	f.track(&d.handle)
	return d
}

// hardLinked reports whether a regular file has other names, which may lie
// outside of the mount.
func hardLinked(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && wazerosys.NewStat_t(info).Nlink > 1
}

// Ino implements [sys.File].
func (d *dataFile) Ino() (wazerosys.Inode, sys.Errno) {
	return d.ino, 0
}

// IsDir implements [sys.File].
func (d *dataFile) IsDir() (bool, sys.Errno) {
	return false, 0
}

// IsAppend implements [sys.File].
func (d *dataFile) IsAppend() bool {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	return d.appending
}

// SetAppend implements [sys.File].
func (d *dataFile) SetAppend(enable bool) sys.Errno {
	if !d.enter() {
		return sys.EBADF
	}
	defer d.fs.leave()
	if enable && !d.mount.Writable {
		return sys.EROFS
	}
	d.appending = enable
	return 0
}

// IsNonblock implements [sys.PollableFile].
func (d *dataFile) IsNonblock() bool {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	return d.nonblock
}

// SetNonblock implements [sys.PollableFile]. Regular files never block, so this
// only remembers the flag.
func (d *dataFile) SetNonblock(enable bool) sys.Errno {
	if !d.enter() {
		return sys.EBADF
	}
	defer d.fs.leave()
	d.nonblock = enable
	return 0
}

// Poll implements [sys.Pollable]: a regular file is always ready.
func (d *dataFile) Poll(sys.Pflag, int32) (bool, sys.Errno) {
	return true, 0
}

// Stat implements [sys.File].
func (d *dataFile) Stat() (wazerosys.Stat_t, sys.Errno) {
	if !d.enter() {
		return wazerosys.Stat_t{}, sys.EBADF
	}
	defer d.fs.leave()
	info, err := d.file.Stat()
	if err != nil {
		return wazerosys.Stat_t{}, errnoOf(err)
	}
	st := statOf("", info, &d.mount.Mount)
	st.Ino = d.ino
	return st, 0
}

// Read implements [sys.File].
func (d *dataFile) Read(buf []byte) (int, sys.Errno) {
	if !d.enter() {
		return 0, sys.EBADF
	}
	defer d.fs.leave()
	n, errno := d.readAt(buf, d.off)
	d.off += int64(n)
	return n, errno
}

// Pread implements [sys.File].
func (d *dataFile) Pread(buf []byte, off int64) (int, sys.Errno) {
	if !d.enter() {
		return 0, sys.EBADF
	}
	defer d.fs.leave()
	return d.readAt(buf, off)
}

func (d *dataFile) readAt(buf []byte, off int64) (int, sys.Errno) {
	switch {
	case !d.read:
		return 0, sys.EBADF
	case off < 0 || off > math.MaxInt64-int64(len(buf)):
		return 0, sys.EINVAL
	case len(buf) == 0:
		return 0, 0
	}
	n, err := d.file.ReadAt(buf, off)
	d.fs.due += n * readCharge
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, errnoOf(err)
}

// Write implements [sys.File].
func (d *dataFile) Write(buf []byte) (int, sys.Errno) {
	if !d.enter() {
		return 0, sys.EBADF
	}
	defer d.fs.leave()
	off := d.off
	if d.appending {
		info, err := d.file.Stat()
		if err != nil {
			return 0, errnoOf(err)
		}
		off = info.Size()
	}
	n, errno := d.writeAt(buf, off)
	if n > 0 {
		d.off = off + int64(n)
	}
	return n, errno
}

// Pwrite implements [sys.File]. As POSIX has it, and unlike Linux, the offset
// counts even in append mode.
func (d *dataFile) Pwrite(buf []byte, off int64) (int, sys.Errno) {
	if !d.enter() {
		return 0, sys.EBADF
	}
	defer d.fs.leave()
	return d.writeAt(buf, off)
}

// writeAt writes all of buf or, past a limit, nothing. What counts is how far the
// file grows, so that a hole costs as much as the bytes it stands for.
func (d *dataFile) writeAt(buf []byte, off int64) (int, sys.Errno) {
	switch {
	case !d.write:
		return 0, sys.EBADF
	case off < 0 || off > math.MaxInt64-int64(len(buf)):
		return 0, sys.EINVAL
	case len(buf) == 0:
		return 0, 0
	}
	info, err := d.file.Stat()
	if err != nil {
		return 0, d.fs.failed(err)
	}
	size, end := info.Size(), off+int64(len(buf))
	if errno := d.fs.reserveGrowth(d.mount, size, end); errno != 0 {
		return 0, errno
	}
	n := 0
	if err = d.unshare(info, size); err == nil {
		n, err = d.file.WriteAt(buf, off)
	}
	grown := int64(0)
	if n > 0 {
		grown = max(off+int64(n)-size, 0)
	}
	d.fs.usage.release(max(end-size, 0)-grown, 0)
	d.fs.due += callCharge + n*writeCharge
	if n > 0 {
		d.changed()
	}
	return n, d.fs.failed(err)
}

// changed notes that the content changed, for as long as a path leads to it.
func (d *dataFile) changed() {
	if !d.node.orphan {
		d.fs.journal.modified(d.node.path)
	}
}

// Seek implements [sys.File].
func (d *dataFile) Seek(off offset, whence int) (int64, sys.Errno) {
	if !d.enter() {
		return 0, sys.EBADF
	}
	defer d.fs.leave()
	var base int64
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		base = d.off
	case io.SeekEnd:
		info, err := d.file.Stat()
		if err != nil {
			return 0, d.fs.failed(err)
		}
		base = info.Size()
	default:
		return 0, sys.EINVAL
	}
	if off > math.MaxInt64-base || base+off < 0 {
		return 0, sys.EINVAL
	}
	d.off = base + off
	return d.off, 0
}

// Readdir implements [sys.File].
func (d *dataFile) Readdir(int) ([]sys.Dirent, sys.Errno) {
	return nil, sys.ENOTDIR
}

// Truncate implements [sys.File]. WASI's fd_allocate arrives here too.
func (d *dataFile) Truncate(size int64) sys.Errno {
	if !d.enter() {
		return sys.EBADF
	}
	defer d.fs.leave()
	switch {
	case !d.mount.Writable:
		return sys.EROFS
	case !d.write:
		return sys.EBADF
	case size < 0:
		return sys.EINVAL
	}
	return d.truncate(size)
}

// truncate sets the size of the file, which is open for writing.
func (d *dataFile) truncate(size int64) sys.Errno {
	info, err := d.file.Stat()
	if err != nil {
		return errnoOf(err)
	}
	f, old := d.fs, info.Size()
	if errno := f.reserveGrowth(d.mount, old, size); errno != 0 {
		return errno
	}
	if err = d.unshare(info, min(size, old)); err == nil {
		err = d.file.Truncate(size)
	}
	if err != nil {
		f.usage.release(max(size-old, 0), 0)
		return f.failed(err)
	}
	f.usage.release(max(old-size, 0), 0)
	d.changed()
	return 0
}

// Utimens implements [sys.File]. A deleted file has no times to set: ENOENT,
// rather than the EPERM that would make wazero try its remembered path.
func (d *dataFile) Utimens(atim, mtim int64) sys.Errno {
	if !d.enter() {
		return sys.EBADF
	}
	defer d.fs.leave()
	switch {
	case !d.mount.Writable:
		return sys.EROFS
	case d.node.orphan:
		return sys.ENOENT
	}
	info, err := d.file.Stat()
	if err != nil {
		return errnoOf(err)
	}
	return d.fs.utimens(d.node.path, atim, mtim, info)
}
