package guestfs

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// target prepares a change to an existing or future entry: it refuses every
// place that cannot be changed, and opens the entry's parent otherwise. info is
// nil if there is nothing.
func (f *FS) target(p place) (at parent, info fs.FileInfo, errno sys.Errno) {
	if errno := f.refusal(p); errno != 0 {
		return parent{}, nil, errno
	}
	if at, errno = p.mount.walk(p.rel); errno != 0 {
		return parent{}, nil, errno
	}
	info, err := at.Lstat(at.name)
	if errors.Is(err, fs.ErrNotExist) {
		return at, nil, 0
	}
	if err == nil && !isVisible(info.Mode()) {
		err = sys.EACCES
	}
	if err != nil {
		at.done()
		if errno, ok := errors.AsType[sys.Errno](err); ok {
			return parent{}, nil, errno
		}
		return parent{}, nil, errnoOf(err)
	}
	return at, info, 0
}

// refusal says why nothing at a place can be changed, or zero.
func (f *FS) refusal(p place) sys.Errno {
	switch {
	case p.node != nil:
		return sys.EPERM
	case p.virtual != nil, p.mount == nil, !p.mount.Writable:
		return sys.EROFS
	}
	return 0
}

// exists reports whether a place that cannot be changed names something, so that
// a program learns what is wrong with its path first.
func (f *FS) exists(p place) bool {
	if p.node != nil || p.virtual != nil {
		return true
	}
	if p.mount == nil {
		return false
	}
	_, errno := p.look(false)
	return errno == 0
}

// Mkdir implements [sys.FS]. The permission bits are ignored, as in OpenFile.
func (f *FS) Mkdir(path string, _ fs.FileMode) sys.Errno {
	if !f.enter() {
		return sys.ENOENT
	}
	defer f.leave()
	p, errno := f.locate(path)
	if errno != 0 {
		return errno
	}
	if errno := f.refusal(p); errno != 0 {
		if f.exists(p) {
			return sys.EEXIST
		}
		return errno
	}
	at, info, errno := f.target(p)
	if errno != 0 {
		return errno
	}
	defer at.done()
	if info != nil {
		return sys.EEXIST
	}
	if errno := f.reserveEntry(p); errno != 0 {
		return errno
	}
	if err := at.Mkdir(at.name, 0o700); err != nil {
		f.usage.release(0, 1)
		return f.failed(err)
	}
	return 0
}

// Rmdir implements [sys.FS].
func (f *FS) Rmdir(path string) sys.Errno {
	return f.remove(path, true)
}

// Unlink implements [sys.FS]. It removes a link, not what the link names.
func (f *FS) Unlink(path string) sys.Errno {
	return f.remove(path, false)
}

func (f *FS) remove(path string, dir bool) sys.Errno {
	if !f.enter() {
		return sys.ENOENT
	}
	defer f.leave()
	p, errno := f.locate(path)
	if errno != 0 {
		return errno
	}
	if errno := f.refusal(p); errno != 0 && !f.exists(p) {
		return sys.ENOENT
	} else if errno != 0 {
		return errno
	}
	at, info, errno := f.target(p)
	if errno != 0 {
		return errno
	}
	defer at.done()
	switch {
	case info == nil:
		return sys.ENOENT
	case dir && !info.IsDir(), p.slash && !info.IsDir():
		return sys.ENOTDIR
	case !dir && info.IsDir():
		return sys.EISDIR
	}
	if errno := f.measure(p.mount); errno != 0 {
		return errno
	}
	f.due += changeCharge
	if err := f.keepOpen(p, at, info); err != nil {
		return f.failed(err)
	}
	if err := at.Remove(at.name); err != nil {
		return f.failed(err)
	}
	f.removed(p, info)
	return 0
}

// keepOpen gives a file that is about to lose the guest's name, and is open, a content
// of its own: whoever has its last name then writes to it in place.
func (f *FS) keepOpen(p place, at parent, info fs.FileInfo) error {
	if !p.mount.Shared || f.nodes[p.guest] == nil || !hardLinked(info) {
		return nil
	}
	return f.unsharePath(p, at, info)
}

// removed accounts for an entry that is gone. A file that is still open keeps its
// bytes until it is closed; one with other names keeps them for good, unless the
// mount is one where those lie elsewhere.
func (f *FS) removed(p place, info fs.FileInfo) {
	if info.IsDir() {
		f.usage.release(0, 1)
		return
	}
	f.journal.deleted(p.guest)
	n := f.nodes[p.guest]
	switch {
	case n != nil:
		n.orphan = true
		delete(f.nodes, p.guest)
		f.usage.release(0, 1)
	case info.Mode().IsRegular() && (p.mount.Shared || !hardLinked(info)):
		f.usage.release(info.Size(), 1)
	default:
		f.usage.release(0, 1)
	}
}

// Link implements [sys.FS]: a guest makes no hard links.
func (f *FS) Link(string, string) sys.Errno {
	return sys.EPERM
}

// Symlink implements [sys.FS]: a guest makes no symbolic links.
func (f *FS) Symlink(string, string) sys.Errno {
	return sys.EPERM
}

// Chmod implements [sys.FS]. WASI has no way to ask for it.
func (f *FS) Chmod(string, fs.FileMode) sys.Errno {
	return sys.ENOSYS
}

// Readlink implements [sys.FS]. Only a link in a read-only mount can be read, and
// only if it is relative and stays inside its mount by its text alone: any other
// target is a host path, which is none of the guest's business (EACCES).
func (f *FS) Readlink(name string) (string, sys.Errno) {
	if !f.enter() {
		return "", sys.ENOENT
	}
	defer f.leave()
	p, errno := f.locate(name)
	if errno != 0 {
		return "", errno
	}
	if p.node != nil || p.virtual != nil {
		return "", sys.EINVAL
	}
	if p.mount == nil {
		return "", sys.ENOENT
	}
	info, errno := p.look(false)
	switch {
	case errno != 0:
		return "", errno
	case info.Mode()&fs.ModeSymlink == 0:
		return "", sys.EINVAL
	case p.mount.Writable:
		return "", sys.EACCES
	}
	target, err := p.mount.root.Readlink(p.rel)
	if err != nil {
		return "", errnoOf(err)
	}
	if path.IsAbs(target) || !fs.ValidPath(path.Join(path.Dir(p.rel), target)) {
		return "", sys.EACCES
	}
	return target, 0
}

// Utimens implements [sys.FS].
func (f *FS) Utimens(path string, atim, mtim int64) sys.Errno {
	if !f.enter() {
		return sys.ENOENT
	}
	defer f.leave()
	return f.utimens(path, atim, mtim, nil)
}

// utimens sets the times of what is at a path of a writable mount and, unless
// want is nil, is still that file.
func (f *FS) utimens(path string, atim, mtim int64, want fs.FileInfo) sys.Errno {
	p, errno := f.locate(path)
	if errno != 0 {
		return errno
	}
	if p.mount == nil || !p.mount.Writable {
		if f.exists(p) {
			return sys.EROFS
		}
		return sys.ENOENT
	}
	info, errno := p.look(true)
	switch {
	case errno != 0:
		return errno
	case want != nil && !os.SameFile(want, info):
		return sys.ENOENT
	case hardLinked(info) && !p.mount.Shared:
		return sys.EROFS
	}
	at, errno := p.mount.walk(p.rel)
	if errno != 0 {
		return errno
	}
	defer at.done()
	if hardLinked(info) {
		if err := f.unsharePath(p, at, info); err != nil {
			return f.failed(err)
		}
	}
	return errnoOf(at.Chtimes(at.name, timeOf(atim), timeOf(mtim)))
}

// timeOf translates a time of WASI for [os.Root.Chtimes], which leaves what is
// zero alone.
func timeOf(nanoseconds int64) time.Time {
	if nanoseconds == sys.UTIME_OMIT {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}
