package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// scratch is a Host's directory for workspaces that nobody named, in the system's
// directory for temporary files. It is locked for as long as its process lives, so that
// what a killed one left can be told from what is in use.
type scratch struct {
	dir  string
	lock *os.File
}

// scratchName is how scratch directories are called, and nothing else that belongs to
// anybody.
var scratchName = regexp.MustCompile(`^sandboxd-scratch-[0-9]+$`)

// scratchTries is how often another process may take a new directory for one that was
// left behind.
const scratchTries = 10

// openScratch makes a directory, and removes those whose processes are gone.
func openScratch() (*scratch, error) {
	parent := os.TempDir()
	sweepScratch(parent)
	for range scratchTries {
		dir, err := os.MkdirTemp(parent, "sandboxd-scratch-")
		if err != nil {
			return nil, fmt.Errorf("make a directory for workspaces: %w", err)
		}
		lock, err := lockDir(dir, true)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			_ = os.Remove(dir)
			return nil, fmt.Errorf("lock the directory for workspaces: %w", err)
		}
		if _, err := os.Lstat(dir); err == nil {
			return &scratch{dir, lock}, nil
		}
		_ = lock.Close()
	}
	return nil, fmt.Errorf("make a directory for workspaces in %s: others remove it", parent)
}

// sweepScratch removes directories that nobody holds. It looks at names, owners and
// locks, and follows no links: others may put anything into parent. What it cannot
// remove stays: that is no reason not to start.
func sweepScratch(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !scratchName.MatchString(e.Name()) {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		lock, err := lockDir(dir, false)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}

// close removes the directory with all that is in it.
func (s *scratch) close() error {
	err := os.RemoveAll(s.dir)
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}
