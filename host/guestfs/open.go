package guestfs

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Opening an entry that changes under our hands is tried this often.
const openTries = 3

// access is what an open call asks for.
type access struct {
	read, write         bool
	create, excl, trunc bool
	appending, nonblock bool
	directory, nofollow bool
	changes             bool // any flag that could change a file
}

const accessMode = sys.O_RDONLY | sys.O_RDWR | sys.O_WRONLY

func accessOf(flag sys.Oflag) (access, sys.Errno) {
	a := access{
		create:    flag&sys.O_CREAT != 0,
		trunc:     flag&sys.O_TRUNC != 0,
		appending: flag&sys.O_APPEND != 0,
		nonblock:  flag&sys.O_NONBLOCK != 0,
		directory: flag&sys.O_DIRECTORY != 0,
		nofollow:  flag&sys.O_NOFOLLOW != 0,
	}
	a.excl = a.create && flag&sys.O_EXCL != 0
	switch flag & accessMode {
	case sys.O_RDONLY:
		a.read = true
	case sys.O_RDWR:
		a.read, a.write = true, true
	case sys.O_WRONLY:
		a.write = true
	default:
		return a, sys.EINVAL
	}
	a.changes = a.write || a.create || a.trunc || a.appending
	return a, 0
}

func (f *FS) openPlace(p place, flag sys.Oflag) (sys.File, sys.Errno) {
	a, errno := accessOf(flag)
	if errno != 0 {
		return nil, errno
	}
	if errno := f.full(p); errno != 0 {
		return nil, errno
	}
	switch {
	case p.virtual != nil:
		return f.openVirtual(p, a)
	case p.mount == nil && p.node != nil:
		return f.openSynthetic(p, a)
	case p.mount == nil && a.changes:
		return nil, sys.EROFS
	case p.mount == nil:
		return nil, sys.ENOENT
	case p.mount.Writable:
		return f.openWritable(p, a)
	default:
		return f.openReadOnly(p, a)
	}
}

func (f *FS) openSynthetic(p place, a access) (sys.File, sys.Errno) {
	if errno := a.checkDir(); errno != 0 {
		return nil, errno
	}
	return f.newDir(p, nil), 0
}

// openReadOnly opens an existing file of a read-only mount, following links as
// far as [os.Root] does. The type is looked at first, because opening a device
// can have effects, and again once it is open.
func (f *FS) openReadOnly(p place, a access) (sys.File, sys.Errno) {
	info, errno := p.look(!a.nofollow || p.slash)
	switch {
	case errno == sys.ENOENT && a.create:
		return nil, sys.EROFS
	case errno != 0:
		return nil, errno
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, sys.ELOOP
	case info.IsDir():
		errno = a.checkDir()
	case a.changes:
		errno = sys.EROFS
	default:
		errno = a.checkFile()
	}
	if errno != 0 {
		return nil, errno
	}
	file, err := p.mount.root.OpenFile(p.rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, f.failed(err)
	}
	opened, err := file.Stat()
	if err != nil || opened.Mode().Type() != info.Mode().Type() {
		return nil, errnoOf(errors.Join(errSwapped, err, file.Close()))
	}
	if opened.IsDir() {
		return f.newDir(p, file), 0
	}
	return f.newData(p, a, file), 0
}

// openWritable opens or creates a file of a writable mount, without following
// any link.
func (f *FS) openWritable(p place, a access) (sys.File, sys.Errno) {
	at, errno := p.mount.walk(p.rel)
	if errno != 0 {
		return nil, errno
	}
	defer at.done()
	for range openTries {
		var file sys.File
		info, err := at.Lstat(at.name)
		switch {
		case err == nil:
			file, err = f.openExisting(p, a, at, info)
		case errors.Is(err, fs.ErrNotExist) && a.create:
			file, err = f.create(p, a, at)
		}
		if err == nil {
			return file, 0
		}
		if errno, ok := errors.AsType[sys.Errno](err); ok {
			return nil, errno
		}
		if !errors.Is(err, errSwapped) {
			return nil, f.failed(err)
		}
	}
	return nil, sys.EIO
}

// openExisting opens the entry that info describes, or fails with errSwapped if
// it is not that any more.
func (f *FS) openExisting(p place, a access, at parent, info fs.FileInfo) (sys.File, error) {
	if errno := a.check(p, info); errno != 0 {
		return nil, errno
	}
	file, err := openSame(at, a.hostFlag(p.mount), info)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return f.newDir(p, file), nil
	}
	d := f.newData(p, a, file)
	if a.trunc {
		if errno := d.truncate(0); errno != 0 {
			return nil, errors.Join(errno, f.drop(&d.handle))
		}
	}
	return d, nil
}

// openSame opens the entry that info describes, or fails with errSwapped if it is not
// that any more.
func openSame(at parent, flag int, info fs.FileInfo) (*os.File, error) {
	file, err := at.OpenFile(at.name, flag, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errSwapped
	}
	if err != nil {
		return nil, err
	}
	opened, err := file.Stat()
	if err != nil || !os.SameFile(info, opened) {
		return nil, errors.Join(errSwapped, file.Close())
	}
	return file, nil
}

// create makes the regular file that a place names, or fails with errSwapped if
// there is one by now.
func (f *FS) create(p place, a access, at parent) (sys.File, error) {
	if p.slash {
		return nil, sys.EISDIR
	}
	if errno := f.reserveEntry(p); errno != 0 {
		return nil, errno
	}
	file, err := at.OpenFile(at.name, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		f.usage.release(0, 1)
		if errors.Is(err, fs.ErrExist) {
			return nil, errSwapped
		}
		return nil, err
	}
	f.journal.created(p.guest)
	d := f.newData(p, a, file)
	d.node.own = true
	return d, nil
}

// check decides whether an existing entry of a writable mount may be opened.
func (a access) check(p place, info fs.FileInfo) sys.Errno {
	mode := info.Mode()
	switch {
	case a.excl:
		return sys.EEXIST
	case mode&fs.ModeSymlink != 0:
		return sys.ELOOP
	case mode.IsDir():
		return a.checkDir()
	case !mode.IsRegular():
		return sys.EACCES
	case p.slash:
		return sys.ENOTDIR
	case a.changes && (hardLinked(info) && !p.mount.Shared || mode&(fs.ModeSetuid|fs.ModeSetgid) != 0):
		return sys.EPERM // what runs as someone else is not for a guest to write
	}
	return a.checkFile()
}

func (a access) checkDir() sys.Errno {
	switch {
	case a.excl:
		return sys.EEXIST
	case a.changes:
		return sys.EISDIR
	}
	return 0
}

func (a access) checkFile() sys.Errno {
	if a.directory {
		return sys.ENOTDIR
	}
	return 0
}

// hostFlag is how the host opens an existing file. Truncation and appending are
// done by hand, where they are counted; O_NONBLOCK keeps a pipe that was swapped
// in from holding the host up. What may have to be copied is opened for reading too.
func (a access) hostFlag(m *mount) int {
	switch {
	case !a.write && !a.trunc:
		return os.O_RDONLY | syscall.O_NONBLOCK
	case !a.read && !m.Shared:
		return os.O_WRONLY | syscall.O_NONBLOCK
	default:
		return os.O_RDWR | syscall.O_NONBLOCK
	}
}
