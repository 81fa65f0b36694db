package guestfs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// dirNode is a directory of the mount table: a mount point, or a synthetic
// directory on the way to one.
type dirNode struct {
	name     string // last component
	path     string // guest path
	mount    *mount // nil for a synthetic directory
	children []*dirNode
}

// mount is a [Mount] in use.
type mount struct {
	Mount

	tried    bool
	root     *os.Root // nil until the first use, and when Root failed
	measured bool     // its content is part of the usage
}

// newTable builds the tree of mounts, and refuses a table that is not one.
func newTable(mounts []Mount) (dirNode, error) {
	root := dirNode{path: "/"}
	for _, m := range mounts {
		if err := checkMount(m); err != nil {
			return dirNode{}, err
		}
		at := &root
		for name := range strings.SplitSeq(m.Guest[1:], "/") {
			if at.isFile() {
				return dirNode{}, fmt.Errorf("bind mount %q: below a file", m.Guest)
			}
			at = at.ensure(name)
		}
		if m.File != "" && len(at.children) > 0 {
			return dirNode{}, fmt.Errorf("bind mount %q: a file above another mount", m.Guest)
		}
		if at.mount != nil {
			return dirNode{}, fmt.Errorf("bind mount %q: mounted twice", m.Guest)
		}
		at.mount = &mount{Mount: m}
	}
	return root, nil
}

func checkMount(m Mount) error {
	switch {
	case !isCleanGuestPath(m.Guest):
		return fmt.Errorf("bind mount %q: not an absolute, clean guest path below /", m.Guest)
	case m.Guest == Reserved || strings.HasPrefix(m.Guest, Reserved+"/"):
		return fmt.Errorf("bind mount %q: %s is reserved", m.Guest, Reserved)
	case m.File != "" && (m.Writable || m.File == "." || !fs.ValidPath(m.File) || strings.ContainsAny(m.File, "/\x00")):
		return fmt.Errorf("bind mount %q: cannot show the file %q", m.Guest, m.File)
	case m.Root == nil:
		return fmt.Errorf("bind mount %q: no root", m.Guest)
	}
	return nil
}

func checkVirtual(files map[string]Virtual) error {
	for p, v := range files {
		if !isCleanGuestPath(p) || path.Dir(p) != Reserved {
			return fmt.Errorf("bind virtual file %q: not directly below %s", p, Reserved)
		}
		if v.Data != nil && v.Sink != nil || v.Talk != nil && (v.Data != nil || v.Sink != nil) {
			return fmt.Errorf("bind virtual file %q: is more than one of data, a sink and a conversation", p)
		}
	}
	return nil
}

func isCleanGuestPath(p string) bool {
	return len(p) > 1 && p[0] == '/' && fs.ValidPath(p[1:]) && strings.IndexByte(p, 0) < 0
}

// isFile reports whether a file is mounted here.
func (d *dirNode) isFile() bool { return d.mount != nil && d.mount.File != "" }

// child returns the directory called name, or nil.
func (d *dirNode) child(name string) *dirNode {
	for _, c := range d.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// ensure returns the directory called name and adds it if it is missing.
func (d *dirNode) ensure(name string) *dirNode {
	if c := d.child(name); c != nil {
		return c
	}
	c := &dirNode{name: name, path: path.Join(d.path, name)}
	d.children = append(d.children, c)
	return c
}

// dir returns the mount's directory and asks for it on first use.
func (m *mount) dir() (*os.Root, sys.Errno) {
	if !m.tried {
		m.tried = true
		if root, err := m.Root(); err == nil {
			m.root = root
		}
	}
	if m.root == nil {
		return nil, sys.EIO
	}
	return m.root, 0
}

// place is what a guest path names, before the disk was looked at. Exactly one
// of these holds: virtual is set; mount is set; node alone is set (a synthetic
// directory); or nothing is, for a path absent from a synthetic directory.
type place struct {
	guest   string   // clean and absolute
	slash   bool     // the path asked for a directory by ending in a slash
	node    *dirNode // set if the path is a mount point or a synthetic directory
	mount   *mount
	rel     string // below the mount: "." for the mount point itself
	virtual *Virtual
}

// locate resolves a path as wazero passes it: joined from a directory's
// remembered name and what the guest wrote, so it may begin with a slash and
// hold empty or "." components. wazero has resolved "..", so here it is refused.
func (f *FS) locate(p string) (place, sys.Errno) {
	guest, errno := f.clean(p)
	if errno != 0 {
		return place{}, errno
	}
	guest = f.based(guest)
	slash := strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")
	if strings.HasPrefix(guest, Reserved+"/") {
		pl := place{guest: guest, slash: slash}
		if v, ok := f.opts.Virtual[guest]; ok {
			pl.virtual = &v
			if pl.slash {
				return pl, sys.ENOTDIR
			}
		}
		return pl, 0
	}
	pl := f.resolve(guest)
	pl.slash = slash
	return pl, 0
}

// resolve finds a clean guest path outside of [Reserved] in the mount table.
func (f *FS) resolve(guest string) place {
	pl := place{guest: guest}
	at, rest := &f.root, guest[1:]
	for rest != "" {
		name, tail, _ := strings.Cut(rest, "/")
		next := at.child(name)
		if next == nil {
			break
		}
		at, rest = next, tail
	}
	pl.mount = at.mount
	if at.isFile() && rest == "" {
		pl.rel = at.mount.File
	} else if at.isFile() {
		pl.mount = nil // a file has nothing below it
	} else if rest == "" {
		pl.node, pl.rel = at, "."
	} else {
		pl.rel = rest
		f.due += strings.Count(rest, "/") * stepCharge
	}
	return pl
}

// based is where a path leads that names nothing of the table's: below the base, if
// there is one. The result is a guest path like any other, and bounded by its mount.
func (f *FS) based(guest string) string {
	name, _, _ := strings.Cut(guest[1:], "/")
	if f.opts.Base == "" || f.root.child(name) != nil || "/"+name == Reserved {
		return guest
	}
	return path.Join(f.opts.Base, guest)
}

// clean checks a guest path and returns it absolute and in its shortest form.
func (f *FS) clean(p string) (string, sys.Errno) {
	switch {
	case p == "":
		return "", sys.ENOENT
	case len(p) > f.opts.Limits.MaxPath:
		return "", f.deny(LimitPath)
	case strings.IndexByte(p, 0) >= 0 || !utf8.ValidString(p):
		return "", sys.EINVAL
	}
	for name := range strings.SplitSeq(p, "/") {
		if name == ".." {
			return "", sys.EPERM
		}
		if len(name) > f.opts.Limits.MaxName {
			return "", f.deny(LimitName)
		}
	}
	return path.Clean("/" + p), 0
}

// depth is how many directories lie between the mount point and the place.
func (p place) depth() int {
	return strings.Count(p.rel, "/") + 1
}

// parent is the directory that holds a place of a writable mount, and the
// place's name in it.
type parent struct {
	*os.Root

	name  string
	owned bool // opened on the way, so closed by done
}

func (p parent) done() {
	if p.owned {
		_ = p.Close() // a directory opened for reading has nothing to lose
	}
}

// walk opens the parent of a place in a writable mount, one component at a time
// and without following a link. Should the host swap a link in between looking
// and opening, [os.Root] still confines each step to the directory before it: a
// race can lead elsewhere in the mount, and never out of it.
func (m *mount) walk(rel string) (parent, sys.Errno) {
	root, errno := m.dir()
	if errno != 0 {
		return parent{}, errno
	}
	at := parent{Root: root}
	for {
		name, rest, more := strings.Cut(rel, "/")
		if !more {
			at.name = name
			return at, 0
		}
		next, errno := at.step(name)
		at.done()
		if errno != 0 {
			return parent{}, errno
		}
		at, rel = parent{Root: next, owned: true}, rest
	}
}

// step opens the directory called name, which must not be a link.
func (p parent) step(name string) (*os.Root, sys.Errno) {
	info, err := p.Lstat(name)
	switch {
	case err != nil:
		return nil, errnoOf(err)
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, sys.ELOOP
	case !info.IsDir():
		return nil, sys.ENOTDIR
	}
	dir, err := p.OpenRoot(name)
	return dir, errnoOf(err)
}
