// Package external shows files and folders of the host to a call, read-only, below one
// directory of the guest. It says what to mount; nothing is copied.
package external

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sandboxd/sandboxd/policies"
)

const (
	// Dir is where programs find external files and folders, by their base names.
	Dir = "/external"
	// DefaultLimit is the most bytes that a file may have where nothing else is said.
	DefaultLimit = 50 << 20
	// maxEntries is how many entries of a folder are looked at before it is refused.
	maxEntries = 100_000
)

// Mounts returns the mounts that show the named files and folders under [Dir]: for one
// call or for many. Like every mount they are a grant that only the operator may make:
// a path is followed wherever it leads, and must never come from a guest. The directory
// of a single file is opened, of which only that file is shown.
//
// Each path keeps its base name, and two with the same one are [policies.ErrInvalid].
// So are a path that is neither a regular file nor a folder, and a file, named or
// anywhere in a folder, of more than limit bytes. That is looked at once, here: a file
// that grows later is readable. Links in a folder are not followed here; for the guest
// they lead no further than the folder.
func Mounts(paths []string, limit int64) ([]policies.Mount, error) {
	mounts := make([]policies.Mount, 0, len(paths))
	from := map[string]string{}
	for _, given := range paths {
		m, err := mount(given, limit)
		if err != nil {
			return nil, fmt.Errorf("external files: %w", err)
		}
		if other, taken := from[m.Guest]; taken {
			return nil, fmt.Errorf("external files: %w: %q and %q would both be %s; rename one, or name the folder they are in", policies.ErrInvalid, other, given, m.Guest)
		}
		from[m.Guest] = given
		mounts = append(mounts, m)
	}
	return mounts, nil
}

func mount(given string, limit int64) (policies.Mount, error) {
	absolute, err := filepath.Abs(given)
	if err != nil {
		return policies.Mount{}, err
	}
	name := filepath.Base(absolute)
	at, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return policies.Mount{}, refused(given, err)
	}
	info, err := os.Lstat(at)
	if err != nil {
		return policies.Mount{}, refused(given, err)
	}
	m := policies.Mount{Host: at, Guest: Dir + "/" + name}
	switch {
	case strings.ContainsAny(name, ":\\/\x00") || !fs.ValidPath(name):
		return policies.Mount{}, fmt.Errorf("%w: %q has no name that a program could use", policies.ErrInvalid, given)
	case info.IsDir():
		return m, folder(given, at, limit)
	case !info.Mode().IsRegular():
		return policies.Mount{}, fmt.Errorf("%w: %q is neither a file nor a folder", policies.ErrInvalid, given)
	case info.Size() > limit:
		return policies.Mount{}, tooLarge(given, info.Size(), limit)
	}
	m.Host, m.File = filepath.Dir(at), filepath.Base(at)
	return m, nil
}

// folder looks at the sizes of all files in a folder.
func folder(given, at string, limit int64) error {
	root, err := os.OpenRoot(at)
	if err != nil {
		return refused(given, err)
	}
	defer func() { _ = root.Close() }() // opened for reading
	seen := 0
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if seen++; seen > maxEntries {
			return fmt.Errorf("%w: %q holds more than %d files and folders; mount it with --mount", policies.ErrInvalid, given, maxEntries)
		}
		if err != nil {
			return refused(filepath.Join(given, name), err)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone since
		}
		if err == nil && info.Size() > limit {
			err = tooLarge(filepath.Join(given, name), info.Size(), limit)
		}
		return err
	})
}

func tooLarge(name string, size, limit int64) error {
	return fmt.Errorf("%w: %q has %v, at most %v are shown of a file", policies.ErrInvalid, name, policies.Bytes(size), policies.Bytes(limit)) //nolint:gosec // sizes
}

// refused leaves out the host's own words for the path.
func refused(name string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return fmt.Errorf("%w: %q: %w", policies.ErrInvalid, name, err)
}
