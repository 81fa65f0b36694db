package runtimes

import (
	"fmt"
	"io"
	"io/fs"
)

// fromFile copies a module out of the runtime's own folder, so that it stays
// usable when the folder goes away.
func fromFile(d *Definition, to reporter, put putFunc) error {
	name := d.Source.File
	if d.Files == nil {
		return fmt.Errorf("%w: source.file %s has no folder to be in", ErrInvalid, quote(name))
	}
	if err := plainFile(d.Files, name); err != nil {
		return err
	}
	file, err := d.Files.Open(name)
	if err != nil {
		return unavailable("open source.file: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return unavailable("open source.file: %w", err)
	}
	return put(to.count(file, StageDownload, info.Size()), info.Size())
}

// plainFile refuses a name that leads through a symbolic link or does not end
// at a regular file: a definition must mean the same file wherever its folder
// is, and opening a pipe or a device could block for ever.
func plainFile(files fs.FS, name string) error {
	if badPath(name) != "" {
		return fmt.Errorf("%w: source.file: %s", ErrInvalid, badPath(name))
	}
	for end := range len(name) + 1 {
		if end < len(name) && name[end] != '/' {
			continue
		}
		part := name[:end]
		info, err := fs.Lstat(files, part)
		switch {
		case err != nil:
			return unavailable("source.file: %w", err)
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%w: source.file: %s is a symbolic link", ErrInvalid, quote(part))
		case end == len(name) && !info.Mode().IsRegular():
			return fmt.Errorf("%w: source.file: %s is not a regular file", ErrInvalid, quote(part))
		}
	}
	return nil
}

// readCapped returns the contents of a file, or its first most bytes.
func readCapped(files fs.FS, name string, most int64) ([]byte, error) {
	if err := plainFile(files, name); err != nil {
		return nil, err
	}
	file, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, most))
}
