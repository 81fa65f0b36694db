package guestfs

import (
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Rename implements [sys.FS], within one writable mount. A program sees EXDEV
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
		f.meant = meansDevices
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
			return f.failed(err)
		}
		f.removed(dst, old)
		old = nil
	}
	f.due += changeCharge
	if old != nil && !os.SameFile(info, old) {
		if err := f.keepOpen(dst, atDst, old); err != nil {
			return f.failed(err)
		}
	}
	if err := src.mount.root.Rename(src.rel, dst.rel); err != nil {
		return f.failed(err)
	}
	if old != nil && !os.SameFile(info, old) {
		f.removed(dst, old)
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
