package guestfs

import (
	"io/fs"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
	wazerosys "github.com/tetratelabs/wazero/sys"
)

// inodeOf returns the made-up inode number of a guest path: its FNV-1a hash. It
// is the same in every run and says nothing about the host. A file that is
// renamed gets another number, except on descriptors that are open.
//
// See http://www.isthe.com/chongo/tech/comp/fnv/ for the algorithm and its
// constants.
func inodeOf(guest string) wazerosys.Inode {
	const offset, prime = 14695981039346656037, 1099511628211
	hash := uint64(offset)
	for i := range len(guest) {
		hash = (hash ^ uint64(guest[i])) * prime
	}
	return max(hash, 1) // zero means unknown
}

// statOf describes a file of a mount: its type, size and times are real, the
// rest is made up. Times of a read-only mount, which are the host's business,
// are cut to whole seconds.
func statOf(guest string, info fs.FileInfo, m *Mount) wazerosys.Stat_t {
	from := wazerosys.NewStat_t(info)
	st := wazerosys.Stat_t{
		Ino:   inodeOf(guest),
		Nlink: 1,
		Mode:  info.Mode().Type() | modeOf(info.IsDir(), m.Writable),
		Atim:  from.Atim,
		Mtim:  from.Mtim,
		Ctim:  from.Ctim,
	}
	if info.Mode().IsRegular() {
		st.Size = info.Size()
	}
	for _, t := range []*int64{&st.Atim, &st.Mtim, &st.Ctim} {
		if m.Times != 0 {
			*t = m.Times
		}
		if !m.Writable {
			*t -= *t % int64(time.Second)
		}
	}
	return st
}

func modeOf(dir, writable bool) fs.FileMode {
	switch {
	case dir && writable:
		return 0o755
	case dir:
		return 0o555
	case writable:
		return 0o644
	default:
		return 0o444
	}
}

// synthetic describes a directory that the disk was not asked about.
func synthetic(d *dirNode) wazerosys.Stat_t {
	writable := d.mount != nil && d.mount.Writable
	return wazerosys.Stat_t{Ino: inodeOf(d.path), Nlink: 1, Mode: fs.ModeDir | modeOf(true, writable)}
}

// Lstat implements [sys.FS].
func (f *FS) Lstat(path string) (wazerosys.Stat_t, sys.Errno) {
	return f.stat(path, false)
}

// Stat implements [sys.FS]. A link in a writable mount is not followed: ELOOP.
func (f *FS) Stat(path string) (wazerosys.Stat_t, sys.Errno) {
	return f.stat(path, true)
}

func (f *FS) stat(path string, follow bool) (wazerosys.Stat_t, sys.Errno) {
	if !f.enter() {
		return wazerosys.Stat_t{}, sys.ENOENT
	}
	defer f.leave()
	p, errno := f.locate(path)
	if errno != 0 {
		return wazerosys.Stat_t{}, errno
	}
	switch {
	case p.virtual != nil:
		return p.virtual.stat(p.guest, 0), 0
	case p.node != nil && (p.mount == nil || p.mount.root == nil):
		return synthetic(p.node), 0
	case p.mount == nil:
		return wazerosys.Stat_t{}, sys.ENOENT
	}
	info, errno := p.look(follow || p.slash)
	if errno != 0 {
		return wazerosys.Stat_t{}, errno
	}
	return statOf(p.guest, info, &p.mount.Mount), 0
}

// look asks the disk about a place in a mount. The answer is a regular file, a
// directory or, unless links are to be followed, a link.
func (p place) look(follow bool) (fs.FileInfo, sys.Errno) {
	info, errno := p.lookRaw(follow)
	if errno != 0 {
		return nil, errno
	}
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0 && follow:
		return nil, sys.ELOOP
	case !isVisible(mode):
		return nil, sys.EACCES
	case p.slash && !mode.IsDir():
		return nil, sys.ENOTDIR
	}
	return info, 0
}

func (p place) lookRaw(follow bool) (fs.FileInfo, sys.Errno) {
	if p.mount.Writable {
		at, errno := p.mount.walk(p.rel)
		if errno != 0 {
			return nil, errno
		}
		defer at.done()
		info, err := at.Lstat(at.name)
		return info, errnoOf(err)
	}
	root, errno := p.mount.dir()
	if errno != 0 {
		return nil, errno
	}
	if follow {
		info, err := root.Stat(p.rel)
		return info, errnoOf(err)
	}
	info, err := root.Lstat(p.rel)
	return info, errnoOf(err)
}

// isVisible reports whether the guest may know of an entry. Devices, pipes and
// sockets are left out of listings and refused everywhere else.
func isVisible(mode fs.FileMode) bool {
	return mode.IsRegular() || mode.IsDir() || mode&fs.ModeSymlink != 0
}
