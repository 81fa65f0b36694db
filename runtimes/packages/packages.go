// Package packages keeps packages for programs to import: a catalogue that pins each by
// its digest, what the user added of it and beside it, and trees of files in which they lie
// together. [Store] has those of pure Python, as wheels, and [NPMStore] those of pure
// JavaScript, as bundles.
//
// Packages are other people's code. They run inside the guest only: what is fetched is
// archives that run nothing when they are unpacked, such as wheels, never source
// distributions, which do, and no script of one is run. What an archive says of paths and
// sizes is not trusted.
//
// Everything in this package is safe for concurrent use, also by several processes.
package packages

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/sandboxd/sandboxd/internal/near"
)

// Classes of error, for errors.Is.
var (
	// ErrInvalid means that a file, a name or a wheel is not fit to be used.
	ErrInvalid = errors.New("invalid package")
	// ErrNotFound means that no such package is known, or installed.
	ErrNotFound = errors.New("package not found")
	// ErrUnavailable means that a package could not be fetched or kept: trying again
	// may help.
	ErrUnavailable = errors.New("package unavailable")
	// ErrDigest means that what was fetched or kept is not what was pinned.
	ErrDigest = errors.New("package has another digest than the pinned one")
)

// Package is one package, pinned.
type Package struct {
	// Name is its name as package indexes compare them: in lower case, with '-'
	// between words.
	Name    string `toml:"name" json:"name"`
	Version string `toml:"version" json:"version"`
	// Summary is one line for people, as its authors wrote it.
	Summary string `toml:"summary" json:"summary"`
	// Imports are the modules that programs import it by.
	Imports []string `toml:"imports" json:"imports"`
	// Requires are the names of packages that it needs.
	Requires []string `toml:"requires,omitempty" json:"requires"`
	// Native is [LeftOut] where the wheel's native code may be left out.
	Native string `toml:"native,omitempty" json:"-"`
	// File is the wheel's name, and SHA256 its digest in hexadecimal digits.
	File   string `toml:"file" json:"file"`
	SHA256 string `toml:"sha256" json:"sha256"`
}

// LeftOut says that a package works without the native code in its wheel.
const LeftOut = "left out"

// Lock is a list of packages, ordered by name, in which no name is twice.
type Lock struct {
	Packages []Package `toml:"package"`
}

// Bounds of what a lock file may say.
const (
	maxLock     = 1 << 20 // bytes
	maxPackages = 1000
	maxSummary  = 300 // bytes
)

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$`)
	versionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.!+_-]{0,63}$`)
	moduleForm  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)
	fileForm    = regexp.MustCompile(`^[A-Za-z0-9_.!+]{1,100}-[A-Za-z0-9_.!+]{1,64}(-[0-9][A-Za-z0-9_.]*)?-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl$`)
	digestForm  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// decodeLock decodes a lock file of at most so many bytes, and refuses unknown keys.
func decodeLock(path string, data []byte, most int, into any) error {
	if len(data) > most {
		return fmt.Errorf("%w: %s has %d bytes, at most %d are accepted", ErrInvalid, path, len(data), most)
	}
	meta, err := toml.Decode(string(data), into)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return fmt.Errorf("%w: %s: unknown key %q", ErrInvalid, path, unknown[0].String())
	}
	return nil
}

// ParseLock reads a lock file; path is for messages. Parsing is strict: unknown keys,
// malformed and repeated names, and requirements that are not in the file are errors
// of class [ErrInvalid].
func ParseLock(path string, data []byte) (*Lock, error) {
	var l Lock
	if err := decodeLock(path, data, maxLock, &l); err != nil {
		return nil, err
	}
	if len(l.Packages) > maxPackages {
		return nil, fmt.Errorf("%w: %s: %d packages are above the maximum of %d", ErrInvalid, path, len(l.Packages), maxPackages)
	}
	slices.SortFunc(l.Packages, byName)
	for i, p := range l.Packages {
		wrong := p.wrong()
		if i > 0 && l.Packages[i-1].Name == p.Name {
			wrong = "is there twice"
		}
		for _, r := range p.Requires {
			if _, ok := l.Find(r); !ok {
				wrong = fmt.Sprintf("requires %q, which is not in the file", r)
			}
		}
		if wrong != "" {
			return nil, fmt.Errorf("%w: %s: package %q %s", ErrInvalid, path, p.Name, wrong)
		}
	}
	return &l, nil
}

// wrong says what is wrong with a package's fields, or nothing.
func (p *Package) wrong() string {
	switch {
	case !nameForm.MatchString(p.Name):
		return "has a name that is none: lower-case letters, digits and '-'"
	case !versionForm.MatchString(p.Version):
		return fmt.Sprintf("has the version %q, which is none", p.Version)
	case len(p.Summary) > maxSummary || strings.ContainsAny(p.Summary, "\n\r"):
		return "has a summary that is not one short line"
	case len(p.Imports) == 0 || slices.ContainsFunc(p.Imports, func(m string) bool { return !moduleForm.MatchString(m) }):
		return fmt.Sprintf("has imports %q, which are not names of modules", p.Imports)
	case p.Native != "" && p.Native != LeftOut:
		return fmt.Sprintf("has native = %q; it is %q or not said", p.Native, LeftOut)
	case !fileForm.MatchString(p.File):
		return fmt.Sprintf("has the file %q, which is no wheel's name", p.File)
	case !digestForm.MatchString(p.SHA256):
		return "has a sha256 that is not 64 hexadecimal digits"
	}
	return ""
}

func byName(a, b Package) int { return strings.Compare(a.Name, b.Name) }

// Encode writes a lock file.
func (l *Lock) Encode() ([]byte, error) {
	var text bytes.Buffer
	text.WriteString("# Written by \"sandboxd packages\": what programs can import, pinned.\n\n")
	err := toml.NewEncoder(&text).Encode(l)
	return text.Bytes(), err
}

var separators = regexp.MustCompile(`[-_.]+`)

// Normalize makes a package's name comparable.
//
// See https://packaging.python.org/en/latest/specifications/name-normalization/.
func Normalize(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}

// Find returns the package of a name, however it is written, or by which a module of
// that name is imported.
func (l *Lock) Find(name string) (Package, bool) {
	name = Normalize(name)
	if i, ok := slices.BinarySearchFunc(l.Packages, Package{Name: name}, byName); ok {
		return l.Packages[i], true
	}
	for _, p := range l.Packages {
		for _, m := range p.Imports {
			if Normalize(m) == name {
				return p, true
			}
		}
	}
	return Package{}, false
}

// Closure returns the named packages and all that they require, ordered by name. A name
// that is not in the list is [ErrNotFound].
func (l *Lock) Closure(names []string) ([]Package, error) {
	found := map[string]bool{}
	var out []Package
	for rest := slices.Clone(names); len(rest) > 0; rest = rest[1:] {
		p, ok := l.Find(rest[0])
		if !ok {
			return nil, fmt.Errorf("%w: %q", ErrNotFound, rest[0])
		}
		if !found[p.Name] {
			found[p.Name] = true
			out = append(out, p)
			rest = append(rest, p.Requires...)
		}
	}
	slices.SortFunc(out, byName)
	return out, nil
}

// meant asks whether another name was meant; empty if none is close.
func meant[P any](name string, ps []P, nameOf func(*P) string) string {
	names := make([]string, 0, len(ps))
	for i := range ps {
		names = append(names, nameOf(&ps[i]))
	}
	if word := near.Word(name, names); word != "" {
		return fmt.Sprintf(" (did you mean %q?)", word)
	}
	return ""
}

// meant asks whether another package was meant; empty if none is close.
func (l *Lock) meant(name string) string {
	return meant(name, l.Packages, func(p *Package) string { return p.Name })
}

// put adds packages, in place of those that have their names.
func (l *Lock) put(ps []Package) {
	for _, p := range ps {
		i, ok := slices.BinarySearchFunc(l.Packages, p, byName)
		if ok {
			l.Packages[i] = p
		} else {
			l.Packages = slices.Insert(l.Packages, i, p)
		}
	}
}

// Modules are the names of the modules of all packages, in order.
func (l *Lock) Modules() []string {
	names := []string{}
	for _, p := range l.Packages {
		names = append(names, p.Imports...)
	}
	slices.Sort(names)
	return names
}
