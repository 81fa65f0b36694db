package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// file is the log and its older files. Processes that share it take turns by a
// lock on a file of its own, which is never renamed. One goroutine uses it.
type file struct {
	path string
	max  int64
	keep int
	lock *os.File
	now  *os.File // what path names, or named when last looked at; nil before
}

// openFile opens the log, makes it if need be, and ends a torn last line.
func openFile(path string, most int64, keep int) (_ *file, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // the operator names it
		return nil, err
	}
	info, err := os.Stat(dir) //nolint:gosec // as above
	if err != nil {
		return nil, err
	}
	if err := checkOwn(dir, info); err != nil {
		return nil, err
	}
	f := &file{path: path, max: most, keep: keep}
	if f.lock, err = openOwn(path + ".lock"); err != nil {
		return nil, err
	}
	if _, err := f.append(nil); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// openOwn opens a regular file for appending, or makes it. A link is not followed,
// and a pipe does not hang.
func openOwn(path string) (_ *os.File, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|openFlags, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	named, err := os.Lstat(path) //nolint:gosec // as above
	switch {
	case err != nil:
		return nil, err
	case !named.Mode().IsRegular() || !os.SameFile(info, named):
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return f, checkOwn(path, info)
}

func (f *file) close() error {
	err := f.lock.Close()
	if f.now != nil {
		err = errors.Join(err, f.now.Close())
	}
	return err
}

// append implements appender. Under the lock nobody else writes, so what a full
// disk cut is taken back to the end of the last whole line. Where even that fails,
// the next append begins on a line of its own.
func (f *file) append(lines []byte) (int, error) {
	if err := f.turn(); err != nil {
		return 0, err
	}
	defer func() { unlockFile(f.lock) }()
	size, err := f.current()
	if err == nil && size > 0 && size+int64(len(lines)) >= f.max {
		if err = f.rotate(); err == nil {
			size, err = f.current()
		}
	}
	if err != nil {
		return 0, err
	}
	torn, err := f.torn(size)
	if err != nil {
		return 0, err
	}
	if torn {
		if _, err := f.now.Write([]byte("\n")); err != nil {
			return 0, err
		}
		size++
	}
	n, err := f.now.Write(lines)
	if err == nil {
		return n, nil
	}
	kept := bytes.LastIndexByte(lines[:n], '\n') + 1
	return kept, errors.Join(err, f.now.Truncate(size+int64(kept)))
}

// turn takes the lock. If the name of the lock's file went to another file, others
// lock that one by now.
func (f *file) turn() error {
	for {
		if err := lockFile(f.lock); err != nil {
			return fmt.Errorf("lock %s: %w", f.lock.Name(), err)
		}
		if isNamed(f.lock) {
			return nil
		}
		lock, err := openOwn(f.lock.Name())
		if err != nil {
			unlockFile(f.lock)
			return err
		}
		_ = f.lock.Close()
		f.lock = lock
	}
}

// isNamed reports whether f is still what its name says.
func isNamed(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(info, named)
}

// current makes sure that now is what path names, which another process or an
// operator may have renamed, and returns its size.
func (f *file) current() (int64, error) {
	if f.now != nil && !isNamed(f.now) {
		_ = f.now.Close()
		f.now = nil
	}
	if f.now == nil {
		now, err := openOwn(f.path)
		if err != nil {
			return 0, err
		}
		f.now = now
	}
	info, err := f.now.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// torn reports whether the last of size bytes is not the end of a line: a process
// was killed while it wrote.
func (f *file) torn(size int64) (bool, error) {
	if size == 0 {
		return false, nil
	}
	var last [1]byte
	if _, err := f.now.ReadAt(last[:], size-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}

// rotate renames the log to PATH.1, PATH.1 to PATH.2 and so on, up to the first
// number that is free. A process that is killed in between leaves such a number,
// and no file is ever renamed onto another but the last, which is to go.
func (f *file) rotate() error {
	if err := f.now.Close(); err != nil { // not every system renames open files
		return err
	}
	f.now = nil
	free := 1
	for free < f.keep {
		if _, err := os.Lstat(f.old(free)); errors.Is(err, fs.ErrNotExist) {
			break
		}
		free++
	}
	for n := free; n > 0; n-- {
		if err := os.Rename(f.old(n-1), f.old(n)); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
	}
	for n := f.keep + 1; os.Remove(f.old(n)) == nil; n++ { // more were kept before
	}
	return nil
}

// old is the name of the n-th older file; the 0th is the log itself.
func (f *file) old(n int) string {
	if n == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(n)
}
