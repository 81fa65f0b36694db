package guestfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/experimental/sys"
	wazerosys "github.com/tetratelabs/wazero/sys"
)

const (
	// A directory of up to sortedEntries is listed in the order of its names,
	// which makes programs that list it deterministic. A larger one is streamed
	// in the order of the disk, so that it takes no more memory than this.
	sortedEntries = 1024
	// maxListing is the most entries that one call may gather, and the engine keeps
	// for each open directory: with names of 255 bytes, 2.5 MB. A guest that asks for
	// more at once has chosen to lose (EIO); C libraries ask for some hundred.
	maxListing = 1 << 13
)

// dirFile is an open directory, of a mount or synthetic.
type dirFile struct {
	sys.DirFile
	handle

	guest string
	mount *mount   // nil if synthetic
	table *dirNode // set if mounts may lie below

	started bool
	pending []sys.Dirent // read and not yet returned
	more    bool         // the disk has entries that were not read
}

var _ sys.File = (*dirFile)(nil)

func (f *FS) newDir(p place, file *os.File) *dirFile {
	d := &dirFile{handle: handle{fs: f, file: file}, guest: p.guest, mount: p.mount, table: p.node}
	f.track(&d.handle)
	return d
}

// Ino implements [sys.File].
func (d *dirFile) Ino() (wazerosys.Inode, sys.Errno) {
	return inodeOf(d.guest), 0
}

// Stat implements [sys.File].
func (d *dirFile) Stat() (wazerosys.Stat_t, sys.Errno) {
	if !d.enter() {
		return wazerosys.Stat_t{}, sys.EBADF
	}
	defer d.fs.leave()
	if d.file == nil {
		return synthetic(d.table), 0
	}
	info, err := d.file.Stat()
	if err != nil {
		return wazerosys.Stat_t{}, errnoOf(err)
	}
	return statOf(d.guest, info, &d.mount.Mount), 0
}

// Seek implements [sys.File]: to the start, which rewinds, and nowhere else.
func (d *dirFile) Seek(off offset, whence int) (int64, sys.Errno) {
	if !d.enter() {
		return 0, sys.EBADF
	}
	defer d.fs.leave()
	if off != 0 || whence != io.SeekStart {
		return 0, sys.EINVAL
	}
	d.started, d.pending, d.more = false, nil, false
	return 0, 0
}

// Utimens implements [sys.File].
func (d *dirFile) Utimens(atim, mtim int64) sys.Errno {
	if !d.enter() {
		return sys.EBADF
	}
	defer d.fs.leave()
	if d.mount == nil || !d.mount.Writable {
		return sys.EROFS
	}
	info, err := d.file.Stat()
	if err != nil {
		return errnoOf(err)
	}
	return d.fs.utimens(d.guest, atim, mtim, info)
}

// Readdir implements [sys.File]. It lists regular files, directories and links;
// in "/" and wherever mounts lie below, those too.
func (d *dirFile) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	if !d.enter() {
		return nil, sys.EBADF
	}
	defer d.fs.leave()
	if !d.started {
		if errno := d.start(); errno != 0 {
			return nil, errno
		}
	}
	if n <= 0 {
		n = maxListing + 1
	}
	var list []sys.Dirent
	for len(list) < n {
		if len(d.pending) == 0 && d.more {
			if errno := d.fill(min(n-len(list), sortedEntries)); errno != 0 {
				return nil, errno
			}
		}
		if len(d.pending) == 0 {
			if !d.more {
				break
			}
			continue
		}
		take := min(n-len(list), len(d.pending))
		list = append(list, d.pending[:take]...)
		d.pending = d.pending[take:]
		if len(list) > maxListing {
			return nil, sys.EIO
		}
	}
	return list, 0
}

// start reads the first entries and, if they are all there is, sorts them.
func (d *dirFile) start() sys.Errno {
	d.started = true
	if d.table != nil {
		for _, c := range d.table.children {
			kind := fs.ModeDir
			if c.isFile() {
				kind = 0
			}
			d.pending = append(d.pending, sys.Dirent{Name: c.name, Type: kind, Ino: inodeOf(c.path)})
		}
	}
	if d.file != nil {
		if _, err := d.file.Seek(0, io.SeekStart); err != nil {
			return errnoOf(err)
		}
		d.more = true
		for d.more && len(d.pending) < sortedEntries {
			if errno := d.fill(sortedEntries - len(d.pending) + 1); errno != 0 {
				return errno
			}
		}
	}
	if !d.more {
		slices.SortFunc(d.pending, func(a, b sys.Dirent) int { return strings.Compare(a.Name, b.Name) })
	}
	return 0
}

// fill reads up to n more entries from the disk.
func (d *dirFile) fill(n int) sys.Errno {
	entries, err := d.file.ReadDir(n)
	d.fs.due += len(entries) * walkCharge
	d.more = err == nil
	if err != nil && !errors.Is(err, io.EOF) {
		return errnoOf(err)
	}
	for _, e := range entries {
		if d.shows(e) {
			d.pending = append(d.pending, sys.Dirent{Name: e.Name(), Type: e.Type(), Ino: inodeOf(path.Join(d.guest, e.Name()))})
		}
	}
	return 0
}

// shows reports whether an entry of the disk appears in the listing. A name that
// is not UTF-8 does not, because wazero would not let the guest use it.
func (d *dirFile) shows(e fs.DirEntry) bool {
	return isVisible(e.Type()) && utf8.ValidString(e.Name()) && (d.table == nil || d.table.child(e.Name()) == nil)
}
