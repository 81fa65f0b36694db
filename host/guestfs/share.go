package guestfs

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	wazerosys "github.com/tetratelabs/wazero/sys"
)

// unshare gives the file, which info describes as it is now, a content of its own, if
// it has other names. It is called before every change, and not when the file is
// opened: others may get a name for it while it is open. keep is how much of the
// content is still wanted.
func (d *dataFile) unshare(info fs.FileInfo, keep int64) error {
	if !d.mount.Shared || !countsLinks {
		return nil
	}
	if d.node.orphan {
		// The guest's own name is gone, so even a single one is somebody else's.
		if wazerosys.NewStat_t(info).Nlink == 0 {
			return nil
		}
		root, errno := d.mount.dir()
		if errno != 0 {
			return errSwapped
		}
		return d.fs.replace(parent{Root: root}, d.node, d.file, info, keep)
	}
	if !hardLinked(info) && d.node.own {
		return nil
	}
	due := d.fs.due
	p := d.fs.resolve(d.node.path)
	d.fs.due = due // sharing costs the guest nothing
	at, errno := p.mount.walk(p.rel)
	if errno != 0 {
		return errSwapped
	}
	defer at.done()
	there, err := at.Lstat(at.name)
	if err != nil || !os.SameFile(info, there) {
		return errors.Join(errSwapped, err)
	}
	if !hardLinked(info) {
		d.node.own = true // the one name is the guest's
		return nil
	}
	return d.fs.replace(at, d.node, d.file, info, keep)
}

// unsharePath gives the file at a place, which info describes, a content of its own.
func (f *FS) unsharePath(p place, at parent, info fs.FileInfo) (err error) {
	file, err := openSame(at, os.O_RDONLY|syscall.O_NONBLOCK, info)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return f.replace(at, f.nodes[p.guest], file, info, info.Size())
}

// replace puts a copy of a file, with its times, in its place, and lets every
// descriptor of it that the guest has, which is what n stands for, lead to the copy. A
// place without a name is that of a deleted file, which nothing but descriptors leads
// to. On an error, all is as before; after a crash of the host, an unfinished copy may
// be left beside the file, which is whole.
func (f *FS) replace(at parent, n *node, source *os.File, info fs.FileInfo, keep int64) (err error) {
	temp := ".sandboxd-" + rand.Text()
	file, err := at.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	var copies []*os.File
	defer func() {
		err = errors.Join(err, file.Close())
		for _, c := range copies {
			_ = c.Close() // nothing was written through it
		}
	}()
	if err := fill(at, temp, file, source, info, keep); err != nil {
		return errors.Join(err, at.Remove(temp))
	}
	holders := f.holders(n)
	for _, h := range holders {
		flag := os.O_RDONLY | syscall.O_NONBLOCK
		if h.writes {
			flag = os.O_RDWR | syscall.O_NONBLOCK
		}
		c, err := at.OpenFile(temp, flag, 0)
		if err != nil {
			return errors.Join(err, at.Remove(temp))
		}
		copies = append(copies, c)
	}
	if at.name == "" {
		err = at.Remove(temp)
	} else if err = at.Rename(temp, at.name); err != nil {
		err = errors.Join(err, at.Remove(temp))
	}
	if err != nil {
		return err
	}
	if n != nil {
		n.own = true
	}
	for i, h := range holders {
		h.file, copies[i] = copies[i], h.file
	}
	return nil
}

// fill copies the beginning of a file, whose offset nothing else uses, and its times.
func fill(at parent, name string, to, source *os.File, info fs.FileInfo, keep int64) error {
	if _, err := source.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyN(to, source, keep)
	if errors.Is(err, io.EOF) {
		return errSwapped // somebody cut it, which nobody may
	}
	if err != nil {
		return err
	}
	return at.Chtimes(name, time.Unix(0, wazerosys.NewStat_t(info).Atim), info.ModTime())
}

// holders are the descriptors of a file; none if n is nil.
func (f *FS) holders(n *node) (all []*handle) {
	for _, h := range f.open {
		if n != nil && h.node == n {
			all = append(all, h)
		}
	}
	return all
}
