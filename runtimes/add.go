package runtimes

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// Probe fetches the module at a source that is not pinned yet, and returns it. Pin what
// it returns, by [Digest]: fetching again may give something else. Errors are those of
// [Store.Fetch].
func (s *Store) Probe(ctx context.Context, source Source, p Progress) ([]byte, error) {
	dir, err := os.MkdirTemp(s.Dir, tempPrefix+"*")
	if err != nil {
		return nil, s.writeError(err, 0)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var module bytes.Buffer
	put := func(from io.Reader, size int64) error {
		if size > maxModule {
			return tooLarge()
		}
		n, err := io.Copy(&module, io.LimitReader(from, maxModule+1))
		if err == nil && n > maxModule {
			err = tooLarge()
		}
		return err
	}
	d, to := &Definition{Name: "new", Source: source}, reporter{to: p, runtime: "new"}
	switch {
	case source.NPM != "":
		err = s.fromNPM(ctx, d, dir, to, put)
	case source.HTTPS != "":
		err = s.fromHTTPS(ctx, d, to, put)
	case source.OCI != "":
		err = fromOCI(ctx, d, to, put)
	default:
		err = fmt.Errorf("%w: it has no source", ErrInvalid)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, cause
	}
	return module.Bytes(), err
}

// Digest is the pin of a module.
func Digest(module []byte) string {
	sum := sha256.Sum256(module)
	return hex.EncodeToString(sum[:])
}

// ParseSource reads a source as people type it: npm:package@version/path, oci:address,
// or an https address.
func ParseSource(text string) (Source, error) {
	var s Source
	problem := ""
	switch {
	case strings.HasPrefix(text, "npm:"):
		s.NPM, s.Path = splitNPM(strings.TrimPrefix(text, "npm:"))
		if problem = badNPM(s.NPM); problem == "" {
			problem = badPath(s.Path)
		}
	case strings.HasPrefix(text, OCIPrefix):
		s.OCI = strings.TrimPrefix(text, OCIPrefix)
		problem = badOCI(s.OCI)
	default:
		s.HTTPS = text
		problem = badHTTPS(text)
	}
	if problem != "" {
		return Source{}, fmt.Errorf("%w: source: %s", ErrInvalid, problem)
	}
	return s, nil
}

// splitNPM parts a package with its version from the path behind it.
func splitNPM(text string) (spec, path string) {
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return text, ""
	}
	version, path, _ := strings.Cut(text[at:], "/")
	return text[:at] + version, path
}

// Text is the runtime.toml of d.
func (d *Definition) Text() []byte {
	var b bytes.Buffer
	line := func(key, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(&b, "%s = %s\n", key, strconv.Quote(value))
		}
	}
	list := func(key string, values []string) {
		var quoted []string
		for _, v := range values {
			quoted = append(quoted, strconv.Quote(v))
		}
		if len(values) > 0 {
			_, _ = fmt.Fprintf(&b, "%s = [%s]\n", key, strings.Join(quoted, ", "))
		}
	}
	line("name", d.Name)
	line("version", d.Version)
	list("aliases", d.Aliases)
	list("extensions", d.Extensions)
	line("driver", d.Driver)
	if d.Driver == DriverCommand && len(d.Command.Args) > 0 {
		b.WriteString("\n[command]\n")
		line("program", d.Command.Program)
		list("args", d.Command.Args)
	}
	b.WriteString("\n[source]\n")
	line("npm", d.Source.NPM)
	line("file", d.Source.File)
	line("https", d.Source.HTTPS)
	line("oci", d.Source.OCI)
	line("path", d.Source.Path)
	line("sha256", d.Source.SHA256)
	return b.Bytes()
}

// errExists means that a user has such a runtime already.
var errExists = errors.New("there is one of that name already: remove it first")

// Add puts a runtime's folder into dir, under its name, if try accepts it there. What
// it takes over is what the definition needs: the runtime.toml, the module of
// source.file, the program of source.go. A runtime that is refused leaves nothing.
func Add(dir string, d *Definition, text []byte, try func(*Definition) error) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("add runtime %s: %w", d.Name, err)
	}
	info, err := os.Stat(dir)
	if err == nil {
		err = owned.Check(dir, info, owned.Reading)
	}
	if err != nil {
		return fmt.Errorf("add runtime %s: %w", d.Name, err)
	}
	final := filepath.Join(dir, d.Name)
	if _, err := os.Lstat(final); err == nil {
		return fmt.Errorf("add runtime %s: %w", d.Name, errExists)
	}
	// A name that LoadAll does not take for a runtime's.
	temp, err := os.MkdirTemp(dir, ".add-")
	if err != nil {
		return fmt.Errorf("add runtime %s: %w", d.Name, err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	if err := copyFolder(d, text, temp); err != nil {
		return fmt.Errorf("add runtime %s: %w", d.Name, err)
	}
	added, err := LoadDir(temp)
	if err != nil {
		return err
	}
	if err := try(added); err != nil {
		return err
	}
	if err := os.Rename(temp, final); err != nil {
		return fmt.Errorf("add runtime %s: %w", d.Name, err)
	}
	return syncDir(dir)
}

// copyFolder writes what a definition needs into dir.
func copyFolder(d *Definition, text []byte, dir string) error {
	files := map[string][]byte{fileName: text}
	switch {
	case d.Source.File != "":
		module, err := readCapped(d.Files, d.Source.File, maxModule+1)
		if err != nil {
			return err
		}
		if len(module) > maxModule {
			return tooLarge()
		}
		files[d.Source.File] = module
	case d.Source.Go != "":
		program, err := goFiles(d)
		if err != nil {
			return err
		}
		for name, content := range program {
			files[d.Source.Go+"/"+name] = content
		}
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Remove deletes the runtime that [Add] put into dir. One that is not there is
// [ErrNotFound]. Its module stays in the cache.
func Remove(dir, name string) error {
	if badName(name) != "" {
		return fmt.Errorf("remove runtime %s: %w", quote(name), ErrNotFound)
	}
	final := filepath.Join(dir, name)
	if _, err := os.Lstat(final); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove runtime %s: %w", quote(name), ErrNotFound)
	}
	if err := os.RemoveAll(final); err != nil {
		return fmt.Errorf("remove runtime %s: %w", quote(name), err)
	}
	return nil
}
