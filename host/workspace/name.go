package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Bounds of the names that methods take.
const (
	// MaxPath is the longest name, in bytes.
	MaxPath = 4096
	// MaxName is the longest component of a name, in bytes.
	MaxName = 255
	// MaxDepth is the most components of a name, and how deep a listing looks.
	MaxDepth = 256
)

// checkName refuses every name that is not a plain path below the workspace.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrName)
	case len(name) > MaxPath:
		return fmt.Errorf("%w: %d bytes, at most %d are accepted", ErrName, len(name), MaxPath)
	case strings.IndexByte(name, 0) >= 0:
		return fmt.Errorf("%w: it holds a NUL byte", ErrName)
	case strings.Count(name, "/") >= MaxDepth:
		return errDeep
	case name[0] == '/':
		return fmt.Errorf("%w: it must be relative to the workspace", ErrName)
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "":
			return fmt.Errorf("%w: it has an empty component", ErrName)
		case part == "." || part == "..":
			return fmt.Errorf("%w: it has a component %q", ErrName, part)
		case len(part) > MaxName:
			return fmt.Errorf("%w: a component has %d bytes, at most %d are accepted", ErrName, len(part), MaxName)
		case filepath.Separator != '/' && strings.ContainsRune(part, filepath.Separator), !filepath.IsLocal(part):
			return fmt.Errorf("%w: the host cannot use %q", ErrName, part)
		}
	}
	return nil
}

// parent is the directory that holds an entry, and the entry's name in it.
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

// parent checks a name and opens the directory it lies in.
func (w *Workspace) parent(name string) (parent, error) {
	if err := checkName(name); err != nil {
		return parent{}, err
	}
	return w.walk(name)
}

// walk opens the directory that holds name, one component at a time and without
// following a link. Should a guest swap a link in between looking and opening,
// [os.Root] still confines each step to the directory before it: a race can lead
// elsewhere in the workspace, and never out of it.
func (w *Workspace) walk(name string) (parent, error) {
	at := parent{Root: w.root}
	for {
		part, rest, more := strings.Cut(name, "/")
		if !more {
			at.name = part
			return at, nil
		}
		next, err := step(at.Root, part)
		at.done()
		if err != nil {
			return parent{}, err
		}
		at, name = parent{Root: next, owned: true}, rest
	}
}

// directory opens a directory by name; the caller closes it.
func (w *Workspace) directory(name string) (*os.Root, error) {
	if name == "." {
		return w.root.OpenRoot(".")
	}
	at, err := w.walk(name)
	if err != nil {
		return nil, err
	}
	defer at.done()
	return step(at.Root, at.name)
}

// step opens the directory called name, which must not be a link.
func step(at *os.Root, name string) (*os.Root, error) {
	info, err := at.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, ErrNotDirectory
	}
	return at.OpenRoot(name)
}

// lookFor describes an entry, or returns nil if there is none.
func lookFor(at parent) (fs.FileInfo, error) {
	info, err := at.Lstat(at.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing is an answer
	}
	return info, err
}

// join is path.Join without its cleaning, which would change hostile names.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
