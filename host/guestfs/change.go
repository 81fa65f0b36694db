package guestfs

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
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
		return errnoOf(err)
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
	if err := at.Remove(at.name); err != nil {
		return errnoOf(err)
	}
	f.removed(p.guest, info)
	return 0
}

// removed accounts for an entry that is gone. A file that is still open keeps its
// bytes until it is closed; one with other names keeps them for good.
func (f *FS) removed(guest string, info fs.FileInfo) {
	if info.IsDir() {
		f.usage.release(0, 1)
		return
	}
	f.journal.deleted(guest)
	n := f.nodes[guest]
	switch {
	case n != nil:
		n.orphan = true
		delete(f.nodes, guest)
		f.usage.release(0, 1)
	case info.Mode().IsRegular() && !hardLinked(info):
		f.usage.release(info.Size(), 1)
	default:
		f.usage.release(0, 1)
	}
}

// Rename implements [sys.FS], within one writable mount. A program sees ENOTSUP
// between two mounts and falls back to copying. Links cannot be renamed: moved
// elsewhere, they would mean something else to the host.
func (f *FS) Rename(from, to string) sys.Errno {
	if !f.enter() {
		return sys.ENOENT
	}
	defer f.leave()
	src, errno := f.locate(from)
	if errno != 0 {
		return errno
	}
	dst, errno := f.locate(to)
	if errno != 0 {
		return errno
	}
	return f.rename(src, dst)
}

func (f *FS) rename(src, dst place) sys.Errno {
	if errno := f.refusal(src); errno != 0 && !f.exists(src) {
		return sys.ENOENT
	} else if errno != 0 {
		return errno
	}
	if errno := f.refusal(dst); errno != 0 {
		return errno
	}
	if src.mount != dst.mount {
		return sys.ENOTSUP
	}
	atSrc, info, errno := f.target(src)
	if errno != 0 {
		return errno
	}
	defer atSrc.done()
	atDst, old, errno := f.target(dst)
	if errno != 0 {
		return errno
	}
	defer atDst.done()
	if errno := checkRename(src, dst, info, old); errno != 0 || src.guest == dst.guest {
		return errno
	}
	if errno := f.measure(src.mount); errno != 0 {
		return errno
	}
	return f.move(src, dst, info, old, atDst)
}

// checkRename applies the rules of POSIX for what may replace what.
func checkRename(src, dst place, info, old fs.FileInfo) sys.Errno {
	switch {
	case info == nil:
		return sys.ENOENT
	case info.Mode()&fs.ModeSymlink != 0:
		return sys.EPERM
	case !info.IsDir() && (src.slash || dst.slash):
		return sys.ENOTDIR
	case strings.HasPrefix(dst.guest, src.guest+"/"):
		return sys.EINVAL
	case old == nil:
		return 0
	case info.IsDir() && !old.IsDir():
		return sys.ENOTDIR
	case !info.IsDir() && old.IsDir():
		return sys.EISDIR
	}
	return 0
}

// move renames what was checked. An empty directory in the way is removed first,
// because [os.Root.Rename] does not replace directories.
func (f *FS) move(src, dst place, info, old fs.FileInfo, atDst parent) sys.Errno {
	files, errno := f.below(src, dst, info)
	if errno != 0 {
		return errno
	}
	if old != nil && old.IsDir() {
		if err := atDst.Remove(atDst.name); err != nil {
			return errnoOf(err)
		}
		f.removed(dst.guest, old)
		old = nil
	}
	if err := src.mount.root.Rename(src.rel, dst.rel); err != nil {
		return errnoOf(err)
	}
	if old != nil && !os.SameFile(info, old) {
		f.removed(dst.guest, old)
	}
	for _, rel := range files {
		f.renamed(path.Join(src.guest, rel), path.Join(dst.guest, rel))
	}
	return 0
}

// renamed carries a file's journal entry and its open descriptors along.
func (f *FS) renamed(from, to string) {
	f.journal.deleted(from)
	f.journal.created(to)
	if n := f.nodes[from]; n != nil {
		delete(f.nodes, from)
		n.path = to
		f.nodes[to] = n
	}
}

// below returns the files that a rename moves, relative to what is renamed: all
// the files below a directory. It refuses to move a directory to where its
// content would be too deep.
func (f *FS) below(src, dst place, info fs.FileInfo) ([]string, sys.Errno) {
	if dst.depth() > f.opts.Limits.MaxDepth && dst.depth() > src.depth() {
		return nil, f.deny(LimitDepth)
	}
	if !info.IsDir() {
		return []string{"."}, 0
	}
	var (
		files []string
		found int
		limit Limit
	)
	err := walkTree(src.mount.root, src.rel, func(rel string, info fs.FileInfo) error {
		f.due += walkCharge
		found++
		depth := dst.depth() + strings.Count(rel, "/") + 1
		switch {
		case found > f.opts.Limits.MaxFiles:
			limit = LimitFiles
			return fs.SkipAll
		case depth > f.opts.Limits.MaxDepth && dst.depth() > src.depth():
			limit = LimitDepth
			return fs.SkipAll
		case !info.IsDir():
			files = append(files, rel)
		}
		return nil
	})
	if err != nil {
		return nil, errnoOf(err)
	}
	if limit != 0 {
		return nil, f.deny(limit)
	}
	return files, 0
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
	case hardLinked(info):
		return sys.EROFS
	}
	at, errno := p.mount.walk(p.rel)
	if errno != 0 {
		return errno
	}
	defer at.done()
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
