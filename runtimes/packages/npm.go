package packages

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// NPMPackage is one package of JavaScript, pinned with all that is bundled into it.
type NPMPackage struct {
	// Name is what programs import it by, such as "lodash" or "@scope/name".
	Name    string `toml:"name" json:"name"`
	Version string `toml:"version" json:"version"`
	// Summary is one line for people, as its authors wrote it.
	Summary string `toml:"summary" json:"summary"`
	// Subpaths are what else programs can import of it: "locale" for "name/locale".
	Subpaths []string `toml:"subpaths,omitempty" json:"subpaths"`
	// Integrity is the SHA-512 of its archive, as npm writes it.
	Integrity string `toml:"integrity" json:"integrity"`
	// Bundle is the SHA-256 of the files that were made of it, in hexadecimal digits;
	// empty in a catalogue.
	Bundle string `toml:"bundle,omitempty" json:"bundle"`
	// Bundled are the packages that it needs and that its files contain.
	Bundled []NPMDependency `toml:"bundled,omitempty" json:"bundled"`

	// automatic says that nobody has chosen the subpaths yet.
	automatic bool
}

// NPMDependency is a package that is bundled into another.
type NPMDependency struct {
	Name      string `toml:"name" json:"name"`
	Version   string `toml:"version" json:"version"`
	Integrity string `toml:"integrity" json:"integrity"`
	// At is where npm puts it, below the directory that has the package's own
	// node_modules, unless that is "node_modules/" and its name.
	At string `toml:"at,omitempty" json:"-"`
}

// sameSource says whether two packages are made of the same archives in the same way.
func (p *NPMPackage) sameSource(o *NPMPackage) bool {
	return p.Version == o.Version && p.Integrity == o.Integrity && !p.automatic &&
		slices.Equal(p.Bundled, o.Bundled) && slices.Equal(p.Subpaths, o.Subpaths)
}

func (d *NPMDependency) place() string {
	if d.At != "" {
		return d.At
	}
	return nodeModules + "/" + d.Name
}

// nodeModules is the directory that packages of JavaScript lie in.
const nodeModules = "node_modules"

// NPMLock is a list of packages of JavaScript, ordered by name, in which no name is twice.
type NPMLock struct {
	Packages []NPMPackage `toml:"package"`
}

// Bounds of what a package may be made of.
const (
	maxNPMLock  = 8 << 20 // bytes of a lock file, of which a package may have 50,000
	maxBundled  = 300
	maxSubpaths = 100
	maxNPMName  = 214 // bytes, as npm has it
)

var (
	// npmNameForm is stricter than npm: nothing that begins with a punctuation mark,
	// such as "__proto__", and no upper case, which systems disagree about.
	npmNameForm = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._~-]*/)?[a-z0-9][a-z0-9._~-]*$`)
	// npmOldNameForm is that of dependencies, which may be older than npm's rules.
	npmOldNameForm = regexp.MustCompile(`^(@[A-Za-z0-9][A-Za-z0-9._~-]*/)?[A-Za-z0-9][A-Za-z0-9._~-]*$`)
	npmVersionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]{1,64})?(\+[0-9A-Za-z.-]{1,64})?$`)
	subpathForm    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@~-]*(/[A-Za-z0-9_][A-Za-z0-9_.@~-]*)*$`)
)

// ParseNPMLock reads a lock file or a catalogue of packages of JavaScript; path is for
// messages. Parsing is strict: unknown keys, malformed and repeated names are errors of
// class [ErrInvalid].
func ParseNPMLock(path string, data []byte) (*NPMLock, error) {
	var l NPMLock
	if err := decodeLock(path, data, maxNPMLock, &l); err != nil {
		return nil, err
	}
	if len(l.Packages) > maxPackages {
		return nil, fmt.Errorf("%w: %s: %d packages are above the maximum of %d", ErrInvalid, path, len(l.Packages), maxPackages)
	}
	slices.SortFunc(l.Packages, npmByName)
	for i, p := range l.Packages {
		wrong := p.wrong()
		if i > 0 && l.Packages[i-1].Name == p.Name {
			wrong = "is there twice"
		}
		if wrong != "" {
			return nil, fmt.Errorf("%w: %s: package %q %s", ErrInvalid, path, p.Name, wrong)
		}
	}
	return &l, nil
}

// wrong says what is wrong with a package's fields, or nothing.
func (p *NPMPackage) wrong() string {
	switch {
	case !isNPMName(p.Name):
		return "has a name that is none: lower-case letters, digits, '-', '.' and '_', perhaps behind \"@scope/\""
	case !npmVersionForm.MatchString(p.Version):
		return fmt.Sprintf("has the version %q, which is none", p.Version)
	case len(p.Summary) > maxSummary || strings.ContainsAny(p.Summary, "\n\r"):
		return "has a summary that is not one short line"
	case len(p.Subpaths) > maxSubpaths || slices.ContainsFunc(p.Subpaths, func(s string) bool { return !isSubpath(s) }):
		return fmt.Sprintf("has subpaths %q, which cannot be imported", p.Subpaths)
	case !isIntegrity(p.Integrity):
		return "has an integrity that is not \"sha512-\" and 64 bytes in base64"
	case p.Bundle != "" && !digestForm.MatchString(p.Bundle):
		return "has a bundle that is not 64 hexadecimal digits"
	case len(p.Bundled) > maxBundled:
		return fmt.Sprintf("needs %d packages, at most %d are bundled", len(p.Bundled), maxBundled)
	}
	places := map[string]bool{strings.ToLower(nodeModules + "/" + p.Name): true}
	for _, d := range p.Bundled {
		place := strings.ToLower(d.place())
		switch {
		case !isOldNPMName(d.Name), !npmVersionForm.MatchString(d.Version), !isIntegrity(d.Integrity):
			return fmt.Sprintf("needs %q in version %q, which is no pinned package", d.Name, d.Version)
		case !isPlace(d.place()):
			return fmt.Sprintf("needs a package at %q, which is no place of one", d.At)
		case places[place]:
			return fmt.Sprintf("needs two packages at %q", d.place())
		}
		places[place] = true
	}
	return ""
}

// isNPMName says whether programs may import a package of that name.
func isNPMName(name string) bool {
	return len(name) <= maxNPMName && npmNameForm.MatchString(name) && isLocalName(name)
}

func isOldNPMName(name string) bool {
	return len(name) <= maxNPMName && npmOldNameForm.MatchString(name) && isLocalName(name)
}

func isLocalName(name string) bool {
	return !slices.Contains(strings.Split(name, "/"), nodeModules) && filepath.IsLocal(filepath.FromSlash(name))
}

func isSubpath(s string) bool {
	return len(s) <= 200 && subpathForm.MatchString(s) && !slices.Contains(strings.Split(s, "/"), nodeModules) &&
		filepath.IsLocal(filepath.FromSlash(s))
}

// isPlace says whether npm may put a package there: "node_modules/a/node_modules/@b/c".
func isPlace(place string) bool {
	const deepest = 10
	rest, ok := strings.CutPrefix(place, nodeModules+"/")
	if !ok {
		return false
	}
	names := strings.Split(rest, "/"+nodeModules+"/")
	return len(names) <= deepest && !slices.ContainsFunc(names, func(n string) bool { return !isOldNPMName(n) })
}

// isIntegrity says whether a text is a SHA-512 as npm writes it. Weaker ones, which very
// old packages have, pin nothing.
func isIntegrity(s string) bool {
	encoded, ok := strings.CutPrefix(s, "sha512-")
	sum, err := base64.StdEncoding.DecodeString(encoded)
	return ok && err == nil && len(sum) == 64
}

func npmByName(a, b NPMPackage) int { return strings.Compare(a.Name, b.Name) }

// Encode writes a lock file.
func (l *NPMLock) Encode() ([]byte, error) {
	var text bytes.Buffer
	text.WriteString("# Written by \"sandboxd packages\": what programs can import, pinned.\n\n")
	err := toml.NewEncoder(&text).Encode(l)
	return text.Bytes(), err
}

// Find returns the package of a name.
func (l *NPMLock) Find(name string) (NPMPackage, bool) {
	if i, ok := slices.BinarySearchFunc(l.Packages, NPMPackage{Name: name}, npmByName); ok {
		return l.Packages[i], true
	}
	return NPMPackage{}, false
}

// meant asks whether another package was meant; empty if none is close.
func (l *NPMLock) meant(name string) string {
	return meant(name, l.Packages, func(p *NPMPackage) string { return p.Name })
}

// Choose returns the packages with these names, ordered by name. A name that is not in
// the list is [ErrNotFound].
func (l *NPMLock) Choose(names []string) ([]NPMPackage, error) {
	var out []NPMPackage
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		p, ok := l.Find(name)
		if !ok {
			return nil, fmt.Errorf("%w: %q", ErrNotFound, name)
		}
		out = append(out, p)
	}
	return out, nil
}

// put adds packages, in place of those that have their names.
func (l *NPMLock) put(ps []NPMPackage) {
	for _, p := range ps {
		i, ok := slices.BinarySearchFunc(l.Packages, p, npmByName)
		if ok {
			l.Packages[i] = p
		} else {
			l.Packages = slices.Insert(l.Packages, i, p)
		}
	}
}

// Imports are what programs import a package by.
func (p *NPMPackage) Imports() []string {
	names := []string{p.Name}
	for _, s := range p.Subpaths {
		names = append(names, p.Name+"/"+s)
	}
	return names
}

// Modules are what programs import the packages by, in order.
func (l *NPMLock) Modules() []string {
	names := []string{}
	for i := range l.Packages {
		names = append(names, l.Packages[i].Imports()...)
	}
	slices.Sort(names)
	return names
}

var (
	npmRangeForm = regexp.MustCompile(`^[~^]?[0-9]{1,9}(\.([0-9]{1,9}|x)){0,2}(-[0-9A-Za-z.-]{1,64})?(\+[0-9A-Za-z.-]{1,64})?$`)
	npmTagForm   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
)

// parseNPMSpec reads what "packages add" is told: a name, or name@version, where the
// version may be a part of one ("4"), a range ("^4.1.0") or a tag ("latest"). What npm
// takes beside that, such as addresses, paths and aliases, is refused.
func parseNPMSpec(spec string) (name, version string, err error) {
	name = strings.TrimSpace(spec)
	given := false
	if i := strings.LastIndexByte(name, '@'); i > 0 {
		name, version, given = name[:i], name[i+1:], true
	} else if before, after, ok := strings.Cut(name, "=="); ok {
		name, version, given = before, after, true
	}
	if !isNPMName(name) || given && !npmRangeForm.MatchString(version) && !npmTagForm.MatchString(version) {
		return "", "", fmt.Errorf("%w: want a name of the catalogue, or name@version", ErrInvalid)
	}
	return name, version, nil
}

// satisfies says whether a version is what was asked for. It may say no to one that npm
// would find fit.
func satisfies(version, wanted string) bool {
	wanted = strings.TrimLeft(wanted, "~^")
	return wanted == "" || version == wanted || strings.HasPrefix(version, wanted+".")
}
