package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// NPMStore is what one user has installed for JavaScript: a lock file, the bundles that
// it names, and the trees that were made of them. Make one with [OpenNPM].
type NPMStore struct {
	shelf

	catalogue *NPMLock
	bundler   Bundler
	trial     Trial
}

// Trial imports modules from packages in a directory as a program would, and says of those
// that cannot be imported why. What it runs is anybody's code.
type Trial func(ctx context.Context, tree string, imports []string) (failed map[string]string, err error)

// OpenNPM returns the store in dir, which need not exist. The catalogue is where names are
// looked up first; the bundler and the trial are needed by Add, Update and Check alone.
func OpenNPM(dir string, catalogue *NPMLock, bundler Bundler, trial Trial) *NPMStore {
	return &NPMStore{shelf: shelf{dir}, catalogue: catalogue, bundler: bundler, trial: trial}
}

// Catalogue is what the store was opened with.
func (s *NPMStore) Catalogue() *NPMLock { return s.catalogue }

// Installed returns what is installed: nothing if there is no lock file.
func (s *NPMStore) Installed() (*NPMLock, error) {
	path := filepath.Join(s.dir, lockFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &NPMLock{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return ParseNPMLock(path, data)
}

// Add installs packages: by the name of one in the catalogue, or as "name@version", where
// the version may be a part of one, a range or a tag. It returns what it put into the lock
// file. Nothing is changed when one of them fails.
func (s *NPMStore) Add(ctx context.Context, specs []string) ([]NPMPackage, error) {
	tmp, err := s.temporary()
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	installed, err := s.Installed()
	if err != nil {
		return nil, err
	}
	var added, ready []NPMPackage
	for i, spec := range specs {
		dir := filepath.Join(tmp, fmt.Sprint("spec-", i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		p, err := s.find(ctx, dir, spec)
		if err != nil {
			return nil, fmt.Errorf("add %s: %w", spec, err)
		}
		if slices.ContainsFunc(slices.Concat(added, ready), func(o NPMPackage) bool { return o.Name == p.Name }) {
			return nil, fmt.Errorf("add %s: %w: %s is named twice", spec, ErrInvalid, p.Name)
		}
		if old, ok := installed.Find(p.Name); ok && p.sameSource(&old) && s.Verify(&old) == nil {
			ready = append(ready, old)
			continue
		}
		added = append(added, *p)
	}
	if err := s.prepare(ctx, tmp, added); err != nil {
		return nil, err
	}
	added = append(added, ready...)
	slices.SortFunc(added, npmByName)
	return added, s.change(func(l *NPMLock) error { l.put(added); return nil })
}

// find resolves one argument of Add.
func (s *NPMStore) find(ctx context.Context, dir, spec string) (*NPMPackage, error) {
	name, version, err := parseNPMSpec(spec)
	if err != nil {
		return nil, err
	}
	if isBuiltin(name) {
		return nil, fmt.Errorf("%w: programs that import %q get the sandbox's own module of that name: nothing need be added", ErrInvalid, name)
	}
	if p, ok := s.catalogue.Find(name); ok && satisfies(p.Version, version) {
		return &p, nil
	}
	if _, known := npmInstead[name]; known {
		return nil, refuseNPM(name, "cannot work in the sandbox")
	}
	if version == "" {
		return nil, fmt.Errorf("%w in the catalogue%s: see \"sandboxd packages list\"; for one that is not in it name the version: %s@VERSION", ErrNotFound, s.catalogue.meant(name), name)
	}
	return npmResolve(ctx, dir, name, version)
}

// prepare fetches packages, all at once, and bundles each. It fills in what their bundles
// tell.
func (s *NPMStore) prepare(ctx context.Context, tmp string, added []NPMPackage) error {
	var pins []NPMDependency
	for _, p := range added {
		pins = append(pins, NPMDependency{Name: p.Name, Version: p.Version, Integrity: p.Integrity})
		for _, d := range p.Bundled {
			pins = append(pins, NPMDependency{Name: d.Name, Version: d.Version, Integrity: d.Integrity})
		}
	}
	slices.SortFunc(pins, func(a, b NPMDependency) int { return strings.Compare(a.Name+" "+a.Version, b.Name+" "+b.Version) })
	archives, err := npmPack(ctx, tmp, slices.Compact(pins))
	if err != nil {
		return err
	}
	for i := range added {
		dir := filepath.Join(tmp, fmt.Sprint("bundle-", i))
		if err := s.make(ctx, &added[i], archives, dir); err != nil {
			return fmt.Errorf("add %s: %w", added[i].Name, err)
		}
	}
	return nil
}

// make bundles a package and tries it. Subpaths that nobody asked for and that cannot be
// imported are left out.
func (s *NPMStore) make(ctx context.Context, p *NPMPackage, archives map[string]string, dir string) error {
	if err := s.makeOnce(ctx, p, archives, dir); err != nil {
		return err
	}
	failed, err := s.try(ctx, p)
	if err != nil {
		return err
	}
	if len(failed) > 0 && failed[p.Name] == "" && p.automatic {
		p.automatic = false
		p.Subpaths = slices.DeleteFunc(p.Subpaths, func(sub string) bool { return failed[p.Name+"/"+sub] != "" })
		return s.makeOnce(ctx, p, archives, dir)
	}
	for _, name := range p.Imports() {
		if why, ok := failed[name]; ok {
			return refuseNPM(p.Name, fmt.Sprintf("cannot be imported as %q in the sandbox: %s", name, oneLine(why)))
		}
	}
	return nil
}

// makeOnce bundles a package in a directory, which is gone afterwards.
func (s *NPMStore) makeOnce(ctx context.Context, p *NPMPackage, archives map[string]string, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	made, err := s.bundle(ctx, p, archives, dir)
	if err != nil {
		return err
	}
	return s.keep(p, made, dir)
}

// try imports all of a package.
func (s *NPMStore) try(ctx context.Context, p *NPMPackage) (map[string]string, error) {
	tree, err := s.temporary()
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(tree) }()
	files, err := s.load(p)
	if err != nil {
		return nil, err
	}
	if err := writeFiles(tree, filepath.FromSlash(p.Name), files); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return s.trial(ctx, tree, p.Imports())
}

// Check compares the bundle of an installed package with its pin, and imports all of it.
func (s *NPMStore) Check(ctx context.Context, p *NPMPackage) error {
	failed, err := s.try(ctx, p)
	if err != nil {
		return err
	}
	for _, name := range p.Imports() {
		if why, ok := failed[name]; ok {
			return fmt.Errorf("%w: import of %q fails: %s", ErrInvalid, name, oneLine(why))
		}
	}
	return nil
}

// keep puts a bundle into the store, and its digest into p.
func (s *NPMStore) keep(p *NPMPackage, made map[string][]byte, tmp string) error {
	p.Bundle = bundleDigest(made)
	if s.Verify(p) == nil {
		return nil
	}
	ready := filepath.Join(tmp, "ready")
	err := os.Mkdir(ready, 0o700)
	if err == nil {
		err = writeFiles(ready, "", made)
	}
	final := s.bundlePath(p)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(final), 0o700)
	}
	if err == nil {
		err = os.Rename(ready, final)
	}
	if err != nil && s.Verify(p) != nil { // a damaged one is in the way
		if err = os.RemoveAll(final); err == nil {
			err = os.Rename(ready, final)
		}
	}
	if err != nil && s.Verify(p) != nil { // another process may have been quicker
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// writeFiles writes files into a directory below root.
func writeFiles(root, dir string, files map[string][]byte) error {
	r, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if dir != "" {
		if err := r.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := r.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// bundleDigest is the SHA-256 of files by their names and digests.
func bundleDigest(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(h, "%x %s\n", sha256.Sum256(files[name]), name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *NPMStore) bundlePath(p *NPMPackage) string { return filepath.Join(s.dir, "bundles", p.Bundle) }

// load reads a bundle, whose digest must be the pinned one.
func (s *NPMStore) load(p *NPMPackage) (map[string][]byte, error) {
	entries, err := os.ReadDir(s.bundlePath(p))
	if err != nil {
		return nil, fmt.Errorf("%w: the bundle of %s cannot be read: add it again: %w", ErrUnavailable, p.Name, err)
	}
	files := map[string][]byte{}
	for _, e := range entries[:min(len(entries), maxBundleFiles+1)] {
		data, err := readBounded(filepath.Join(s.bundlePath(p), e.Name()), maxBundle)
		if err != nil {
			return nil, err
		}
		files[e.Name()] = data
	}
	if got := bundleDigest(files); got != p.Bundle {
		return nil, fmt.Errorf("%w: the bundle of %s has %s: add it again", ErrDigest, p.Name, got)
	}
	return files, nil
}

// Verify checks the bundle of an installed package against its pin.
func (s *NPMStore) Verify(p *NPMPackage) error {
	_, err := s.load(p)
	return err
}

// Remove takes packages out of the lock file. Others that need them have their own.
func (s *NPMStore) Remove(names []string) error {
	return s.change(func(l *NPMLock) error {
		for _, name := range names {
			if _, ok := l.Find(name); !ok {
				return fmt.Errorf("%w: %q is not installed%s", ErrNotFound, name, l.meant(name))
			}
			l.Packages = slices.DeleteFunc(l.Packages, func(o NPMPackage) bool { return o.Name == name })
		}
		return nil
	})
}

// Update brings what is installed of the catalogue to the catalogue's versions, and
// returns what changed.
func (s *NPMStore) Update(ctx context.Context) ([]NPMPackage, error) {
	installed, err := s.Installed()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range installed.Packages {
		if c, ok := s.catalogue.Find(p.Name); ok && !c.sameSource(&p) {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	return s.Add(ctx, names)
}

// Tree returns a directory in which packages lie, each in one of its name. It is made if
// it is not there; two who make it at once both succeed. It stays there until hold is
// closed or the process ends: see [Store.Tree].
func (s *NPMStore) Tree(ps []NPMPackage) (dir string, hold io.Closer, err error) {
	return s.tree(npmContentsOf(ps), "", func(dir string) error {
		for i := range ps {
			files, err := s.load(&ps[i])
			if err == nil {
				err = writeFiles(dir, filepath.FromSlash(ps[i].Name), files)
			}
			if err != nil {
				return fmt.Errorf("package %s: %w", ps[i].Name, err)
			}
		}
		return nil
	})
}

// npmContentsOf says what a tree is made of, a line for each package.
func npmContentsOf(ps []NPMPackage) string {
	var b strings.Builder
	for _, p := range ps {
		_, _ = fmt.Fprintln(&b, p.Name, p.Bundle)
	}
	return b.String()
}

// change rewrites the lock file. Of two changes at once, one waits for the other.
func (s *NPMStore) change(edit func(*NPMLock) error) error {
	return change(s.shelf, s.Installed, ParseNPMLock, func(l *NPMLock) string { return npmContentsOf(l.Packages) }, edit)
}
