package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// shelf is a directory with a lock file of what is installed, and the trees that were
// made of it. It need not exist. Several processes may use it at once.
type shelf struct{ dir string }

// contentsSuffix is of the file beside a tree that says what it was made of.
const contentsSuffix = ".contents"

// temporaryPrefix is of directories that are used for the time of one command.
const temporaryPrefix = "tmp-"

// abandonedAfter is how long nobody has put anything into a directory of a process that
// was killed.
const abandonedAfter = 24 * time.Hour

// change rewrites the lock file of a shelf, and sweeps what it does not name any more.
// contents are what trees may be made of, a line each. Of two changes at once, one waits
// for the other. One after which parse would not read the file any more is refused.
func change[L interface{ Encode() ([]byte, error) }](s shelf, read func() (L, error), parse func(path string, data []byte) (L, error), contents func(L) string, edit func(L) error) error {
	turn, err := s.turn()
	if err != nil {
		return err
	}
	defer func() { _ = turn.Close() }()
	l, err := read()
	if err != nil {
		return err
	}
	if err := edit(l); err != nil {
		return err
	}
	data, err := l.Encode()
	if err == nil {
		_, err = parse(lockFile, data)
	}
	if err != nil {
		return fmt.Errorf("what would be installed: %w", err)
	}
	tmp, err := s.temporary()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	next := filepath.Join(tmp, lockFile)
	if err = os.WriteFile(next, data, 0o600); err == nil {
		err = os.Rename(next, filepath.Join(s.dir, lockFile))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.sweep(contents(l))
	s.sweepTemporary()
	return nil
}

// turn waits until nobody else changes the store, until it is closed.
func (s shelf) turn() (*os.File, error) {
	err := os.MkdirAll(s.dir, 0o700)
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err == nil {
		if err = owned.Lock(file); err != nil {
			_ = file.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return file, nil
}

// temporary makes an empty directory on the disk of the shelf.
func (s shelf) temporary() (string, error) {
	err := os.MkdirAll(s.dir, 0o700)
	var dir string
	if err == nil {
		dir, err = os.MkdirTemp(s.dir, temporaryPrefix)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return dir, nil
}

// tree returns the directory that fill makes of some contents, for a use of them that key
// names. It stays there until hold is closed or the process ends.
func (s shelf) tree(contents, key string, fill func(dir string) error) (dir string, hold io.Closer, err error) {
	sum := sha256.Sum256([]byte(contents + key + "\n"))
	final := filepath.Join(s.dir, "trees", hex.EncodeToString(sum[:16]))
	if hold := owned.Hold(final); hold != nil {
		return final, hold, nil
	}
	tmp, err := s.temporary()
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := fill(tmp); err != nil {
		return "", nil, err
	}
	made := owned.Hold(tmp) // it is held as soon as others can see it
	if made == nil {
		return "", nil, fmt.Errorf("%w: %s cannot be opened", ErrUnavailable, tmp)
	}
	if err = os.MkdirAll(filepath.Dir(final), 0o700); err == nil {
		err = os.WriteFile(final+contentsSuffix, []byte(contents), 0o600)
	}
	if err == nil {
		err = os.Rename(tmp, final)
	}
	if err == nil {
		return final, made, nil
	}
	_ = made.Close()
	if others := owned.Hold(final); others != nil {
		return final, others, nil
	}
	return "", nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// sweep removes the trees that were made of something which is not installed any more,
// except those that somebody holds. What cannot be removed stays: the change that it
// follows has happened.
func (s shelf) sweep(installed string) {
	if !owned.Locks {
		return
	}
	names, err := filepath.Glob(filepath.Join(s.dir, "trees", "*"))
	if err != nil {
		return
	}
	known := strings.Split(installed, "\n")
	for _, dir := range names {
		if strings.HasSuffix(dir, contentsSuffix) {
			continue
		}
		contents, err := os.ReadFile(dir + contentsSuffix)
		if err == nil && !slices.ContainsFunc(strings.Split(string(contents), "\n"), func(line string) bool { return !slices.Contains(known, line) }) {
			continue
		}
		s.removeTree(dir)
	}
}

// sweepTemporary removes what processes that were killed left behind. Nothing that is
// still used is as old: what it is for, such as fetching and bundling, takes minutes.
func (s shelf) sweepTemporary() {
	names, err := filepath.Glob(filepath.Join(s.dir, temporaryPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range names {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && time.Since(info.ModTime()) > abandonedAfter {
			_ = os.RemoveAll(dir) // what stays is tried by the next change
		}
	}
}

func (s shelf) removeTree(dir string) {
	file, err := os.Open(dir)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	if free, err := owned.TryLock(file); err != nil || !free {
		return
	}
	tmp, err := s.temporary()
	if err != nil {
		return
	}
	// Nobody must find it half removed.
	if os.Rename(dir, filepath.Join(tmp, "tree")) == nil {
		_ = os.Remove(dir + contentsSuffix)
	}
	_ = os.RemoveAll(tmp)
}
