package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Mode says what [Workspace.Write] does about a file that is there already.
type Mode int

// The modes of writing. The zero value is the safe one.
const (
	Create  Mode = iota // fail with [ErrExists] if there is anything
	Replace             // replace a file, or whatever else but a directory there is
	Append              // add to a file, or create it
)

// TempPrefix is how the names of unfinished files begin. A crash can leave some
// behind; nothing else depends on the name, which a guest may use as well.
const TempPrefix = ".sandboxd-"

// Write writes a file with what r gives, up to its end, and describes it, hash
// included. Directories missing on the way are made. The content goes to another
// file in the same directory first, which takes the name when it is complete and on
// disk: whoever opens the file sees the old content or the new one, and any failure
// leaves the old one, and the directories that were made. Appending copies what is there, so it costs as much as
// writing it all, and other names of the file keep the old content.
//
// More than the limits allow is [ErrQuota]; while it is written, the new content
// comes on top of the old. The workspace is measured first, which takes the time of
// [Workspace.Measure].
func (w *Workspace) Write(ctx context.Context, name string, mode Mode, r io.Reader) (Entry, error) {
	w.adding.Lock()
	defer w.adding.Unlock()
	e, err := w.write(ctx, name, mode, r)
	if err != nil {
		return Entry{}, fail("write", name, err)
	}
	return e, nil
}

func (w *Workspace) write(ctx context.Context, name string, mode Mode, r io.Reader) (Entry, error) {
	if err := checkName(name); err != nil {
		return Entry{}, err
	}
	used, err := w.Measure(ctx)
	if err != nil {
		return Entry{}, err
	}
	at, err := w.makeParent(name, &used)
	if err != nil {
		return Entry{}, err
	}
	defer at.done()
	old, err := at.replaceable(mode)
	if err != nil {
		return Entry{}, err
	}
	if old == nil {
		used.Entries++
	} else if old.Mode().IsRegular() {
		used.Bytes -= old.Size()
	}
	if used.Entries > w.limits.Entries {
		return Entry{}, fmt.Errorf("%w: more than %d entries", ErrQuota, w.limits.Entries)
	}
	if mode == Append && old != nil {
		file, _, err := w.open(name)
		if err != nil {
			return Entry{}, err
		}
		defer func() { _ = file.Close() }() // opened for reading
		r = io.MultiReader(file, r)
	}
	return at.put(name, &capped{observed{ctx, r}, w.limits.Bytes - used.Bytes})
}

// replaceable checks that what is at a place may be written over in this mode, and
// describes it; nil is nothing.
func (p parent) replaceable(mode Mode) (fs.FileInfo, error) {
	info, err := lookFor(p)
	switch {
	case info == nil:
		return nil, err
	case mode == Create:
		return nil, ErrExists
	case info.IsDir(), mode == Append && !info.Mode().IsRegular():
		return nil, ErrNotRegular
	}
	return info, nil
}

// makeParent opens the directory that holds name and makes what is missing of it.
func (w *Workspace) makeParent(name string, used *Usage) (parent, error) {
	at := parent{Root: w.root}
	for {
		part, rest, more := strings.Cut(name, "/")
		if !more {
			at.name = part
			return at, nil
		}
		next, err := step(at.Root, part)
		if errors.Is(err, fs.ErrNotExist) {
			next, err = w.makeStep(at.Root, part, used)
		}
		at.done()
		if err != nil {
			return parent{}, err
		}
		at, name = parent{Root: next, owned: true}, rest
	}
}

func (w *Workspace) makeStep(at *os.Root, name string, used *Usage) (*os.Root, error) {
	if used.Entries++; used.Entries > w.limits.Entries {
		return nil, fmt.Errorf("%w: more than %d entries", ErrQuota, w.limits.Entries)
	}
	if err := at.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return step(at, name)
}

// put writes a file beside its place and moves it there. A guest may take the
// unfinished file away or put something else in its place; that is then what the
// name leads to, in the same directory and never elsewhere.
func (p parent) put(name string, r io.Reader) (_ Entry, err error) {
	temp := TempPrefix + rand.Text()
	file, err := p.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Entry{}, err
	}
	defer func() {
		if err != nil {
			_ = p.Remove(temp) // err says more
		}
	}()
	size, sum, err := hashOf(io.TeeReader(r, file))
	if err == nil {
		err = file.Sync()
	}
	info, statErr := file.Stat()
	if err = errors.Join(err, statErr, file.Close()); err != nil {
		return Entry{}, err
	}
	if err := p.Rename(temp, p.name); err != nil {
		return Entry{}, err
	}
	e := entryOf(name, info)
	e.Size, e.SHA256 = size, sum
	return e, nil
}

// capped is a reader that fails where there is more than may be written.
type capped struct {
	observed

	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	// One byte more than is left tells the end of the input from the quota's.
	n, err := c.observed.Read(p[:min(int64(len(p)), max(c.left, 0)+1)])
	if c.left -= int64(n); c.left < 0 {
		return 0, fmt.Errorf("%w: the file does not fit", ErrQuota)
	}
	return n, err
}
