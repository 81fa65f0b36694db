package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Usage is what a workspace holds, as its quota counts it.
type Usage struct {
	// Bytes is the apparent size of all regular files.
	Bytes int64 `json:"bytes"`
	// Entries is the number of files, directories, links and others.
	Entries int `json:"entries"`
}

// Measure counts what a workspace holds. A directory that cannot be read counts as
// one entry; what lies deeper than [MaxDepth] is [ErrName]. It ends with ctx.
func (w *Workspace) Measure(ctx context.Context) (Usage, error) {
	var u Usage
	if err := u.add(ctx, w.root, 0); err != nil {
		return Usage{}, fail("measure", ".", err)
	}
	return u, nil
}

// add counts what a directory holds, one open directory a level.
func (u *Usage) add(ctx context.Context, dir *os.Root, depth int) error {
	return eachEntry(ctx, dir, func(info fs.FileInfo) error {
		u.Entries++
		if info.Mode().IsRegular() {
			u.Bytes += info.Size()
		}
		if !info.IsDir() {
			return nil
		}
		child, err := enter(dir, info.Name(), depth)
		if child == nil {
			return err
		}
		defer func() { _ = child.Close() }() // opened for reading
		if err := u.add(ctx, child, depth+1); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		return nil
	})
}

// enter opens a directory below another; nil if it is gone, has become something
// else, or may not be opened.
func enter(dir *os.Root, name string, depth int) (*os.Root, error) {
	if depth+1 >= MaxDepth {
		return nil, errDeep
	}
	child, err := step(dir, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotDirectory) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	return child, err
}

// eachEntry visits the entries of a directory in the order of the disk, without
// following links.
func eachEntry(ctx context.Context, dir *os.Root, visit func(fs.FileInfo) error) error {
	file, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	return eachName(ctx, file, func(e fs.DirEntry) error {
		info, err := dir.Lstat(e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return visit(info)
	})
}

// Move gives an entry another name, a directory with all it holds. The directories
// on the way must be there, and nothing may have the new name: [ErrExists]. A guest
// that makes something of that name at the same moment can lose it.
func (w *Workspace) Move(from, to string) error {
	w.adding.Lock()
	defer w.adding.Unlock()
	if err := w.move(from, to); err != nil {
		return fail("move", from, err)
	}
	return nil
}

func (w *Workspace) move(from, to string) error {
	src, err := w.parent(from)
	if err != nil {
		return err
	}
	defer src.done()
	dst, err := w.parent(to)
	if err != nil {
		return fmt.Errorf("to %q: %w", to, err)
	}
	defer dst.done()
	if _, err := src.Lstat(src.name); err != nil {
		return err
	}
	if strings.HasPrefix(to, from+"/") {
		return fmt.Errorf("to %q: %w: it lies inside", to, ErrName)
	}
	old, err := lookFor(dst)
	if err == nil && old != nil {
		err = ErrExists
	}
	if err != nil {
		return fmt.Errorf("to %q: %w", to, err)
	}
	return w.root.Rename(from, to)
}

// CopyTo copies the regular files and directories of a workspace, with their times of
// modification, into another one, which may hold something already, and says what it copied and how many entries it
// left out: links, everything else that is no file or directory, and what cannot be
// read. Files that are there in the other one are [ErrExists]. The other workspace's
// limits apply. When it fails, what was copied so far stays.
func (w *Workspace) CopyTo(ctx context.Context, to *Workspace) (copied Usage, skipped int, err error) {
	return w.copyTo(ctx, to, false)
}

// ShareTo is CopyTo for workspaces whose files are never changed in place while they
// have other names: a guest's are not if its mount says so, and the methods of this
// package replace files anyway. Files of up to 64 MiB then get a second name instead
// of being copied, where the system can tell how many a file has and the filesystem
// gives it more. Larger ones are copied, because whoever changes one later has to wait
// for its copy.
//
// A file is synced before it gets its second name, and not changed while it has it, so
// what is shared is on disk, and [Workspace.Sync] passes it over.
func (w *Workspace) ShareTo(ctx context.Context, to *Workspace) (copied Usage, skipped int, err error) {
	if !canShare {
		return w.copyTo(ctx, to, false)
	}
	if err := w.sync(ctx, false); err != nil {
		return Usage{}, 0, fail("sync", ".", err)
	}
	return w.copyTo(ctx, to, true)
}

func (w *Workspace) copyTo(ctx context.Context, to *Workspace, share bool) (copied Usage, skipped int, err error) {
	to.adding.Lock()
	defer to.adding.Unlock()
	used, err := to.Measure(ctx)
	if err != nil {
		return Usage{}, 0, err
	}
	c := copier{ctx: ctx, share: share, left: Usage{to.limits.Bytes - used.Bytes, to.limits.Entries - used.Entries}}
	if err := c.directory(w.root, to.root, 0); err != nil {
		return c.copied, c.skipped, fail("copy", ".", err)
	}
	return c.copied, c.skipped, nil
}

// copier is one copy of a workspace.
type copier struct {
	ctx          context.Context // of one call
	share        bool            // see ShareTo
	left, copied Usage
	skipped      int
}

// pair is a directory and its copy.
type pair struct {
	from, to         *os.Root
	fromFile, toFile *os.File // the same; nil if nothing is shared
}

func (p *pair) open() (err error) {
	if p.fromFile, err = p.from.Open("."); err == nil {
		p.toFile, err = p.to.Open(".")
	}
	return err
}

// close closes what was opened for reading.
func (p *pair) close() {
	for _, file := range []*os.File{p.fromFile, p.toFile} {
		if file != nil {
			_ = file.Close()
		}
	}
}

func (c *copier) directory(from, to *os.Root, depth int) error {
	at := &pair{from: from, to: to}
	defer at.close()
	if c.share {
		if err := at.open(); err != nil {
			return err
		}
	}
	return eachEntry(c.ctx, from, func(info fs.FileInfo) error {
		if !info.IsDir() && !info.Mode().IsRegular() {
			c.skipped++
			return nil
		}
		if c.copied.Entries >= c.left.Entries {
			return ErrQuota
		}
		err := c.entry(at, info, depth)
		if errors.Is(err, ErrNotRegular) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			c.skipped++
			return nil
		}
		return err
	})
}

func (c *copier) entry(at *pair, info fs.FileInfo, depth int) error {
	name, to := info.Name(), at.to
	if !info.IsDir() {
		if done, err := c.link(at, info); done || err != nil {
			return err
		}
		return c.file(at.from, to, name)
	}
	source, err := enter(at.from, name, depth)
	if err != nil {
		return err
	}
	if source == nil {
		c.skipped++
		return nil
	}
	defer func() { _ = source.Close() }() // opened for reading
	if err := to.Mkdir(name, 0o700); err != nil {
		return err
	}
	c.copied.Entries++
	target, err := step(to, name)
	if err != nil {
		return err
	}
	err = c.directory(source, target, depth+1)
	_ = target.Close() // holds no data
	return errors.Join(err, keepTime(to, info))
}

// keepTime gives a copy its original's time of modification.
func keepTime(to *os.Root, info fs.FileInfo) error {
	err := to.Chtimes(info.Name(), time.Time{}, info.ModTime())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // somebody took it away
	}
	return err
}

// shareMost is how large files are shared. See ShareTo.
const shareMost = 64 << 20

// link shares a file, or reports false. Files that a guest made have the mode that
// copies would get.
func (c *copier) link(at *pair, info fs.FileInfo) (bool, error) {
	if !c.share || info.Size() > shareMost || info.Mode() != 0o600 {
		return false, nil
	}
	if info.Size() > c.left.Bytes-c.copied.Bytes {
		return false, ErrQuota
	}
	err := link(at.fromFile, at.toFile, at.to, info)
	switch {
	case err == nil:
		c.copied.Entries++
		c.copied.Bytes += info.Size()
		return true, nil
	case errors.Is(err, ErrNotRegular), errors.Is(err, fs.ErrExist):
		return false, err
	}
	return false, nil // too many names, or a filesystem that gives files only one
}

// copyStep is how much is copied between two looks at the context.
const copyStep = 16 << 20

// file copies a regular file, up to the size it has when it is opened.
func (c *copier) file(from, to *os.Root, name string) (err error) {
	source, info, err := openRegular(from, name)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // opened for reading
	if info.Size() > c.left.Bytes-c.copied.Bytes {
		return ErrQuota
	}
	target, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, target.Close()); err == nil {
			err = keepTime(to, info)
		}
	}()
	c.copied.Entries++
	for left := info.Size(); left > 0 && err == nil; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		var n int64
		n, err = io.CopyN(target, source, min(left, copyStep))
		c.copied.Bytes += n
		left -= n
	}
	if errors.Is(err, io.EOF) {
		err = nil // it was cut meanwhile
	}
	return err
}
