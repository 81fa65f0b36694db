package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Read opens a file for reading length bytes from an offset; a negative length
// reads to the end. An offset behind the end reads nothing. The Entry describes the
// whole file as it was when it was opened, without its hash; a guest that runs
// meanwhile may change what is read. The caller closes the reader.
func (w *Workspace) Read(name string, offset, length int64) (io.ReadCloser, Entry, error) {
	if offset < 0 {
		return nil, Entry{}, fail("read", name, fmt.Errorf("%w: negative offset %d", ErrName, offset))
	}
	file, e, err := w.open(name)
	if err != nil {
		return nil, Entry{}, fail("read", name, err)
	}
	if length < 0 {
		length = max(e.Size-offset, 0)
	}
	return &section{io.NewSectionReader(file, offset, length), file}, e, nil
}

// section is a part of an open file.
type section struct {
	*io.SectionReader

	file *os.File
}

func (s *section) Close() error { return s.file.Close() }

// open opens a regular file by its name in the workspace.
func (w *Workspace) open(name string) (*os.File, Entry, error) {
	at, err := w.parent(name)
	if err != nil {
		return nil, Entry{}, err
	}
	defer at.done()
	file, info, err := openRegular(at.Root, at.name)
	if err != nil {
		return nil, Entry{}, err
	}
	return file, entryOf(name, info), nil
}

// openRegular opens a regular file of a directory. Its kind is looked at first,
// because opening a device can have effects, and again once it is open; a pipe that
// was swapped in does not block.
func openRegular(at *os.Root, name string) (*os.File, fs.FileInfo, error) {
	info, err := at.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, ErrNotRegular
	}
	file, err := at.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	opened, err := file.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = ErrNotRegular // replaced while it was opened
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, opened, nil
}

// hash reads a file, up to the size it has when it is opened, and hashes it.
func (w *Workspace) hash(ctx context.Context, name string) (int64, string, error) {
	file, e, err := w.open(name)
	if err != nil {
		return 0, "", fail("hash", name, err)
	}
	defer func() { _ = file.Close() }() // opened for reading
	n, sum, err := hashOf(&observed{ctx, io.LimitReader(file, e.Size)})
	if err != nil {
		return 0, "", fail("hash", name, err)
	}
	return n, sum, nil
}

// observed is a reader that ends with a context.
type observed struct {
	ctx context.Context // of one call; a Reader has no other way to be given one
	io.Reader
}

func (o *observed) Read(p []byte) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.Reader.Read(p)
}
