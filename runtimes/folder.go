package runtimes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// maxFolders is how many runtimes a folder of runtimes may hold.
const maxFolders = 256

// LoadAll reads the runtimes that lie in dir, one folder each, by name. A folder that
// does not exist holds none. What is wrong with one runtime is reported and does not
// keep the others away.
func LoadAll(dir string) (defs []*Definition, problems []error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{fmt.Errorf("load runtimes: %w", err)}
	}
	defer func() { _ = root.Close() }()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, []error{fmt.Errorf("load runtimes: %w", err)}
	}
	if len(entries) > maxFolders {
		return nil, []error{fmt.Errorf("load runtimes: %s holds more than %d entries", dir, maxFolders)}
	}
	for _, entry := range entries {
		if !entry.IsDir() || badName(entry.Name()) != "" {
			continue
		}
		d, err := loadFolder(root, entry.Name(), filepath.Join(dir, entry.Name()))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		defs = append(defs, d)
	}
	return defs, problems
}

// loadFolder reads a runtime's folder, which cannot be a way out of root.
func loadFolder(root *os.Root, name, shown string) (*Definition, error) {
	folder, err := root.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("load runtime: %w", err)
	}
	files := folder.FS() // keeps folder open for as long as the definition lives
	data, err := readCapped(files, fileName, maxFile+1)
	if err != nil {
		return nil, fmt.Errorf("load runtime: %s: %w", shown, err)
	}
	d, err := Parse(filepath.Join(shown, fileName), data, files)
	if err == nil && d.Name != name {
		err = fmt.Errorf("%w: %s: the folder of runtime %q must be called %q", ErrInvalid, filepath.Join(shown, fileName), d.Name, d.Name)
	}
	return d, err
}

// LoadUser reads the runtimes that a user added. The folder must be private to the
// user, as a cache must: see [OpenStore].
func LoadUser(dir string) ([]*Definition, []error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = owned.Check(dir, info, owned.Reading)
	}
	if err != nil {
		return nil, []error{fmt.Errorf("load runtimes: %w", err)}
	}
	return LoadAll(dir)
}

// LoadProject reads the runtimes that a folder brings which its user may have from
// anybody: a clone, an archive. Reading it must not run, fetch or change anything. So
// a project's runtime has its module beside its definition, is of a driver for modules
// that nobody trusts, and is found by its name alone, which the user types: neither a
// program's ending nor its first line lead to it, and it takes no other runtime's
// place.
func LoadProject(dir string) (defs []*Definition, problems []error) {
	found, problems := LoadAll(dir)
	for _, d := range found {
		switch {
		case d.Driver != DriverCommand && d.Driver != DriverExtism:
			problems = append(problems, fmt.Errorf("load runtime %s of this project: %w: driver %q is only for sandboxd's own runtimes", d.Name, ErrInvalid, d.Driver))
		case d.Source.File == "":
			problems = append(problems, fmt.Errorf("load runtime %s of this project: %w: a project's runtime must bring its module: use source.file, or add it for yourself (sandboxd runtimes add %s)",
				d.Name, ErrInvalid, filepath.Join(dir, d.Name)))
		default:
			d.Project = true
			defs = append(defs, d)
		}
	}
	return defs, problems
}

// With returns a registry that has more runtimes. One that claims what another has
// already is left out and reported. Those of a project are found by name only.
func (r *Registry) With(defs ...*Definition) (*Registry, []error) {
	var problems []error
	for _, d := range defs {
		next, err := NewRegistry(append(r.All(), d)...)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		r = next
	}
	return r, problems
}

// InProject returns the project's runtime whose programs end in ext, which
// [Registry.ByExtension] does not.
func (r *Registry) InProject(ext string) (*Definition, bool) {
	for _, d := range r.sorted {
		if d.Project && slices.Contains(d.Extensions, ext) {
			return d, true
		}
	}
	return nil, false
}
