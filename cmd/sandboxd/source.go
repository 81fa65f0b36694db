package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/runtimes"
)

// defaultLanguage is what -c and standard input hold unless something says
// otherwise.
const defaultLanguage = "python"

// source is a program to run and where it came from.
type source struct {
	code  []byte
	label string // the name in the guest's tracebacks
	path  string // the file's path; empty for -c and standard input
	piped bool   // it came from standard input, which is used up
	// otherwise is the language of what has neither a file nor a first line that
	// tells; empty is defaultLanguage.
	otherwise string
}

// readSource finds the program: -c, a file, or standard input.
func (a *app) readSource(files []string, code *string) (source, error) {
	switch {
	case code != nil && len(files) > 0:
		return source{}, fmt.Errorf("find the program: both -c and the file %q were given", files[0])
	case code != nil && len(*code) > host.MaxCode:
		return source{}, errTooLong
	case code != nil:
		return source{code: []byte(*code), label: "<string>"}, nil
	case len(files) > 0 && files[0] != "-":
		return readFile(files[0])
	case len(files) == 0 && isTerminal(a.stdin):
		return source{}, errors.New("find the program: name a file, give it with -c, or pipe it in")
	default:
		text, err := readProgram(a.stdin)
		if err != nil {
			return source{}, fmt.Errorf("read the program from standard input: %w", err)
		}
		return source{code: text, label: "<stdin>", piped: true}, nil
	}
}

func readFile(path string) (source, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return source{}, fmt.Errorf("read the program: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := readProgram(f)
	if err != nil {
		return source{}, fmt.Errorf("read the program %q: %w", path, err)
	}
	return source{code: text, label: path, path: path}, nil
}

var errTooLong = fmt.Errorf("the program is longer than %d MiB", host.MaxCode>>20)

// readProgram reads at most [host.MaxCode] bytes and refuses more.
func readProgram(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, host.MaxCode+1))
	if err != nil {
		return nil, err
	}
	if len(text) > host.MaxCode {
		return nil, errTooLong
	}
	return text, nil
}

// language decides what src is written in: --lang, then the file's extension,
// then its first line. What has no file may also have neither.
func language(lang string, src source, registry *runtimes.Registry) (*runtimes.Definition, error) {
	if lang != "" {
		return registry.Lookup(lang)
	}
	if ext := filepath.Ext(src.path); ext != "" {
		if def, ok := registry.ByExtension(ext); ok {
			return def, nil
		}
		if def, ok := registry.InProject(strings.ToLower(ext)); ok {
			return nil, fmt.Errorf("find the language of %q: this project brings runtime %q for such files, which is used when you name it: --lang %s",
				src.path, def.Name, def.Name)
		}
	}
	first, _, _ := bytes.Cut(src.code, []byte("\n"))
	if def, ok := registry.ByShebang(first); ok {
		return def, nil
	}
	if src.path == "" {
		return registry.Lookup(cmp.Or(src.otherwise, defaultLanguage))
	}
	return nil, fmt.Errorf("find the language of %q: neither its extension nor its first line tells; name it with --lang (%s)",
		src.path, strings.Join(languages(registry), ", "))
}

// languages are the names of all runtimes.
func languages(registry *runtimes.Registry) []string {
	var names []string
	for _, def := range registry.All() {
		names = append(names, def.Name)
	}
	return names
}
