package packages

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a wheel, which comes from outside.
const (
	maxWheel    = 64 << 20  // bytes packed
	maxUnpacked = 256 << 20 // bytes of all of its files
	maxMembers  = 20_000
	maxPath     = 400 // bytes
	maxDepth    = 30
	maxMetadata = 1 << 20
)

// preparedDir is the directory beside packages that is of sandboxd's own: what is in it
// is trusted. Windows leaves out dots and spaces at the end of a name.
const preparedDir = ".sandboxd"

// nativeEndings are those of files with native code.
var nativeEndings = []string{".so", ".pyd", ".dll", ".dylib", ".a", ".o", ".lib", ".exe"}

// unpack writes a wheel's modules below dir, which other wheels may have been unpacked
// into. What the installer would put elsewhere, such as scripts, is left out.
//
// The wheel's digest may be one that nobody has looked at but pip. A hostile one could
// name files outside of dir or through a link, over another package's or over each
// other on systems that do not tell case, be links or devices, or unpack for ever:
// paths are checked and opened below dir alone, no file is replaced, only regular files
// are taken, and their numbers and actual sizes are bounded.
func unpack(wheel string, p *Package, dir string) error {
	return unpackWithin(wheel, p, dir, maxUnpacked)
}

// unpackWithin is unpack of at most left bytes.
func unpackWithin(wheel string, p *Package, dir string, left int64) error {
	z, err := openWheel(wheel)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, p.File, err)
	}
	defer func() { _ = z.Close() }()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = root.Close() }()
	seen := map[string]bool{}
	for _, f := range z.File {
		name, err := memberPath(f)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrInvalid, p.File, err)
		}
		ending := strings.ToLower(path.Ext(name))
		switch {
		case name == "" || ending == ".pyc" || ending == ".pth":
			continue
		case slices.Contains(nativeEndings, ending) || strings.Contains(path.Base(name), ".so."):
			if p.Native == LeftOut {
				continue
			}
			return refuseNative(p.Name, name)
		}
		if folded := strings.ToLower(name); seen[folded] {
			return fmt.Errorf("%w: %s: %q is there twice, or in two cases", ErrInvalid, p.File, name)
		} else {
			seen[folded] = true
		}
		if err := writeMember(root, f, name, &left); err != nil {
			return fmt.Errorf("%s: %w", p.File, err)
		}
	}
	return nil
}

// openWheel opens a wheel after checks of its size and the number of its members.
func openWheel(wheel string) (*zip.ReadCloser, error) {
	info, err := os.Lstat(wheel)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxWheel {
		return nil, fmt.Errorf("it is no file of at most %d MiB", maxWheel>>20)
	}
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return nil, fmt.Errorf("it is damaged or no wheel: %w", err)
	}
	if len(z.File) > maxMembers {
		_ = z.Close()
		return nil, fmt.Errorf("it has %d files, at most %d are accepted", len(z.File), maxMembers)
	}
	return z, nil
}

// memberPath is where a member is to be written; empty if it is not to be.
func memberPath(f *zip.File) (string, error) {
	name := strings.TrimSuffix(f.Name, "/")
	top, _, _ := strings.Cut(name, "/")
	switch {
	case !fs.ValidPath(name), len(name) > maxPath, !utf8.ValidString(name), strings.ContainsAny(name, "\\:\x00"),
		strings.Count(name, "/") >= maxDepth, !filepath.IsLocal(filepath.FromSlash(name)):
		return "", fmt.Errorf("%q is no path that a wheel may have", f.Name)
	case strings.EqualFold(strings.TrimRight(top, ". "), preparedDir):
		return "", fmt.Errorf("%q is where what is prepared of packages lies", f.Name)
	case f.Mode().IsDir(), strings.HasSuffix(f.Name, "/"), strings.HasSuffix(top, ".data"):
		return "", nil
	case !f.Mode().IsRegular():
		return "", fmt.Errorf("%q is not a regular file", f.Name)
	}
	return name, nil
}

// writeMember writes one file, and takes its size from what is left.
func writeMember(root *os.Root, f *zip.File, name string, left *int64) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	from, err := f.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	defer func() { _ = from.Close() }()
	to, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: another package has %q as well", ErrInvalid, name)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	n, err := io.Copy(to, io.LimitReader(from, *left+1))
	*left -= n
	err = errors.Join(err, to.Close())
	if *left < 0 {
		return fmt.Errorf("%w: it unpacks to more than a package may, which is %d MiB", ErrInvalid, maxUnpacked>>20)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

var requirementForm = regexp.MustCompile(`^\s*([A-Za-z0-9][A-Za-z0-9._-]*)`)

// describe reads what a wheel says of itself. The names that it requires are only
// those that apply without extras; markers are not evaluated.
func describe(wheel string) (Package, error) {
	p := Package{File: filepath.Base(wheel)}
	z, err := openWheel(wheel)
	if err != nil {
		return p, fmt.Errorf("%w: %s: %w", ErrInvalid, p.File, err)
	}
	defer func() { _ = z.Close() }()
	modules := map[string]bool{}
	for _, f := range z.File {
		name, err := memberPath(f)
		if err != nil {
			return p, fmt.Errorf("%w: %s: %w", ErrInvalid, p.File, err)
		}
		top, rest, nested := strings.Cut(name, "/")
		switch {
		case nested && strings.HasSuffix(top, ".dist-info"):
			if rest == "METADATA" {
				if err := p.readMetadata(f); err != nil {
					return p, fmt.Errorf("%w: %s: %w", ErrInvalid, p.File, err)
				}
			}
		case !nested && path.Ext(name) == ".py":
			modules[strings.TrimSuffix(name, ".py")] = true
		case nested && path.Ext(name) == ".py":
			modules[top] = true
		}
	}
	for name := range modules {
		if moduleForm.MatchString(name) {
			p.Imports = append(p.Imports, name)
		}
	}
	slices.Sort(p.Imports)
	return p, nil
}

func (p *Package) readMetadata(f *zip.File) error {
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	lines := bufio.NewScanner(io.LimitReader(from, maxMetadata))
	lines.Buffer(nil, maxMetadata)
	for lines.Scan() && lines.Text() != "" {
		key, text, _ := strings.Cut(lines.Text(), ":")
		text = strings.TrimSpace(text)
		switch strings.ToLower(key) {
		case "name":
			p.Name = Normalize(text)
		case "version":
			p.Version = text
		case "summary":
			p.Summary = strings.ToValidUTF8(text[:min(len(text), maxSummary)], "")
		case "requires-dist":
			_, marker, _ := strings.Cut(text, ";")
			if m := requirementForm.FindStringSubmatch(text); m != nil && !strings.Contains(marker, "extra") {
				p.Requires = append(p.Requires, Normalize(m[1]))
			}
		}
	}
	return lines.Err()
}
