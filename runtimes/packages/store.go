package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Store is what one user has installed: a lock file, the wheels it names, and the trees
// that were made of them. Make one with [Open].
type Store struct {
	shelf

	catalogue *Lock
	python    string
}

// Ready makes packages ready that are to be used together, or says why that fails.
type Ready func(ctx context.Context, ps []Package) error

const lockFile = "installed.toml"

// Open returns the store in dir, which need not exist. The catalogue is where names
// are looked up first; python is the version that the packages are for, as in "3.12".
func Open(dir string, catalogue *Lock, python string) *Store {
	return &Store{shelf: shelf{dir}, catalogue: catalogue, python: python}
}

// Catalogue is what the store was opened with.
func (s *Store) Catalogue() *Lock { return s.catalogue }

// Installed returns what is installed: nothing if there is no lock file.
func (s *Store) Installed() (*Lock, error) {
	path := filepath.Join(s.dir, lockFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Lock{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return ParseLock(path, data)
}

// Add installs packages and what they require: by the name of one in the catalogue, or
// as "name==version". It returns all that it put into the lock file. Before that, ready
// is given all that would be installed then, unless it is nil. Nothing is changed when it
// or one of the packages fails.
func (s *Store) Add(ctx context.Context, specs []string, ready Ready) ([]Package, error) {
	var added []Package
	for _, spec := range specs {
		found, err := s.find(ctx, spec)
		if err != nil {
			return nil, fmt.Errorf("add %s: %w", spec, err)
		}
		added = append(added, found...)
	}
	slices.SortFunc(added, byName)
	added = slices.CompactFunc(added, func(a, b Package) bool { return a.Name == b.Name })
	for i := range added {
		if err := s.inspect(ctx, &added[i]); err != nil {
			return nil, fmt.Errorf("add %s: %w", added[i].Name, err)
		}
	}
	if ready != nil {
		next, err := s.Installed()
		if err != nil {
			return nil, err
		}
		next.put(added)
		if err := ready(ctx, next.Packages); err != nil {
			return nil, err
		}
	}
	return added, s.change(func(l *Lock) error { l.put(added); return nil })
}

// inspect makes sure that a package's wheel is there and can be unpacked.
func (s *Store) inspect(ctx context.Context, p *Package) error {
	wheel, err := s.wheel(ctx, p)
	if err != nil {
		return err
	}
	tmp, err := s.temporary()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	return unpack(wheel, p, tmp)
}

// find resolves one argument of Add.
func (s *Store) find(ctx context.Context, spec string) ([]Package, error) {
	name, version, pinned := strings.Cut(spec, "==")
	name = Normalize(strings.TrimSpace(name))
	if !nameForm.MatchString(name) || pinned && !versionForm.MatchString(version) {
		return nil, fmt.Errorf("%w: want a name of the catalogue, or name==version", ErrInvalid)
	}
	if p, ok := s.catalogue.Find(name); ok && (!pinned || p.Version == version) {
		return s.catalogue.Closure([]string{p.Name})
	}
	if _, native := instead[name]; native {
		return nil, refuseNative(name, "")
	}
	if !pinned {
		return nil, fmt.Errorf("%w in the catalogue%s: see \"sandboxd packages list\"; for one that is not in it name the version: %s==VERSION", ErrNotFound, s.catalogue.meant(name), name)
	}
	return s.resolve(ctx, name+"=="+version)
}

// resolve pins a package that is not in the catalogue, and what it requires.
func (s *Store) resolve(ctx context.Context, spec string) ([]Package, error) {
	tmp, err := s.temporary()
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	paths, err := resolve(ctx, tmp, s.python, spec, s.catalogue)
	if err != nil {
		return nil, err
	}
	var found []Package
	names := map[string]bool{}
	for _, path := range paths {
		p, err := describe(path)
		if err != nil {
			return nil, err
		}
		if known, ok := s.catalogue.Find(p.Name); ok && known.Version == p.Version {
			p = known
		} else if p.SHA256, err = digest(path); err != nil {
			return nil, err
		} else if wrong := p.wrong(); wrong != "" {
			return nil, fmt.Errorf("%w: %q %s", ErrInvalid, p.Name, wrong)
		} else if err := s.keep(path, p.SHA256); err != nil {
			return nil, err
		}
		names[p.Name] = true
		found = append(found, p)
	}
	for i := range found {
		found[i].Requires = slices.DeleteFunc(slices.Clone(found[i].Requires), func(r string) bool { return !names[r] })
	}
	return found, nil
}

// Remove takes packages out of the lock file. One that another needs is refused.
func (s *Store) Remove(names []string) error {
	return s.change(func(l *Lock) error {
		for _, name := range names {
			p, ok := l.Find(name)
			if !ok {
				return fmt.Errorf("%w: %q is not installed%s", ErrNotFound, name, l.meant(name))
			}
			l.Packages = slices.DeleteFunc(l.Packages, func(o Package) bool { return o.Name == p.Name })
		}
		for _, p := range l.Packages {
			for _, r := range p.Requires {
				if _, ok := l.Find(r); !ok {
					return fmt.Errorf("%w: %s needs %s: remove it as well", ErrInvalid, p.Name, r)
				}
			}
		}
		return nil
	})
}

// Update brings what is installed of the catalogue to the catalogue's versions, and
// returns what changed. For ready see [Store.Add].
func (s *Store) Update(ctx context.Context, ready Ready) ([]Package, error) {
	installed, err := s.Installed()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range installed.Packages {
		if c, ok := s.catalogue.Find(p.Name); ok && c.SHA256 != p.SHA256 {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	return s.Add(ctx, names, ready)
}

// Verify checks the wheel of an installed package against its pin.
func (s *Store) Verify(p *Package) error {
	got, err := digest(s.wheelPath(p))
	if err != nil {
		return err
	}
	if got != p.SHA256 {
		return fmt.Errorf("%w: %s has %s", ErrDigest, p.File, got)
	}
	return nil
}

// Tree returns the directory in which the packages lie together, made ready for one
// version of an interpreter, which key names, by prepare. It is made if it is not
// there; two who make it at once both succeed. It stays there until hold is closed or
// the process ends: one that nobody holds is removed when a package that it was made of
// is not installed any more.
func (s *Store) Tree(ctx context.Context, ps []Package, key string, prepare func(ctx context.Context, dir string) error) (dir string, hold io.Closer, err error) {
	return s.tree(contentsOf(ps), key, func(dir string) error {
		for i := range ps {
			wheel, err := s.wheel(ctx, &ps[i])
			if err == nil {
				err = unpack(wheel, &ps[i], dir)
			}
			if err != nil {
				return fmt.Errorf("package %s: %w", ps[i].Name, err)
			}
		}
		return prepare(ctx, dir)
	})
}

// contentsOf says what a tree is made of, a line for each package.
func contentsOf(ps []Package) string {
	var b strings.Builder
	for _, p := range ps {
		_, _ = fmt.Fprintln(&b, p.Name, p.SHA256, p.Native)
	}
	return b.String()
}

func (s *Store) wheelPath(p *Package) string {
	return filepath.Join(s.dir, "wheels", p.SHA256+".whl")
}

// wheel returns where a package's wheel is, fetching it unless it is there and whole.
func (s *Store) wheel(ctx context.Context, p *Package) (string, error) {
	if s.Verify(p) == nil {
		return s.wheelPath(p), nil
	}
	tmp, err := s.temporary()
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	got, err := fetch(ctx, tmp, p)
	if err != nil {
		return "", err
	}
	sum, err := digest(got)
	if err != nil {
		return "", err
	}
	if sum != p.SHA256 {
		return "", fmt.Errorf("%w: %s is pinned to %s, and the index has %s", ErrDigest, p.File, p.SHA256, sum)
	}
	return s.wheelPath(p), s.keep(got, sum)
}

// keep moves a wheel into the store.
func (s *Store) keep(path, sum string) error {
	to := filepath.Join(s.dir, "wheels", sum+".whl")
	err := os.MkdirAll(filepath.Dir(to), 0o700)
	if err == nil {
		err = os.Rename(path, to)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// change rewrites the lock file.
func (s *Store) change(edit func(*Lock) error) error {
	return change(s.shelf, s.Installed, ParseLock, func(l *Lock) string { return contentsOf(l.Packages) }, edit)
}

// copyWhole reads a file of at most a wheel's size.
func copyWhole(to io.Writer, file *os.File) error {
	n, err := io.Copy(to, io.LimitReader(file, maxWheel+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case n > maxWheel:
		return fmt.Errorf("%w: %s has more than %d MiB", ErrInvalid, filepath.Base(file.Name()), maxWheel>>20)
	}
	return nil
}

// digest is the SHA-256 of a file, which may be of any size up to a wheel's.
func digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = file.Close() }()
	h := sha256.New()
	if err := copyWhole(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
