package runtimes

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFile is the largest runtime.toml accepted, in bytes. The one for Python
// takes 500.
const maxFile = 16 << 10

// Parse reads a runtime.toml. The path is used in messages only; files becomes
// the definition's Files and may be nil.
//
// Parsing is strict: an unknown key, a key in another case, a value of another
// type, a missing pin and a malformed name are all errors. Every problem is
// reported, one a line and sorted by line, each starting "path:line: "; only a
// file that is not TOML at all stops at the first. The error is of class
// [ErrInvalid].
func Parse(path string, data []byte, files fs.FS) (*Definition, error) {
	p := &parser{path: path}
	d := p.definition(data)
	if len(p.problems) > 0 {
		return nil, p.problems.sorted()
	}
	d.Files = files
	return d, nil
}

// problem is one thing wrong with a file.
type problem struct {
	path string
	line int
	text string
}

type problems []problem

func (ps problems) sorted() problems {
	slices.SortStableFunc(ps, func(a, b problem) int { return a.line - b.line })
	return ps
}

func (ps problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = fmt.Sprintf("%s:%d: %s", p.path, p.line, p.text)
	}
	return strings.Join(lines, "\n")
}

func (problems) Unwrap() error { return ErrInvalid }

// parser collects what is wrong with one file.
type parser struct {
	path     string
	problems problems
}

func (p *parser) add(line int, format string, args ...any) {
	p.problems = append(p.problems, problem{p.path, max(line, 1), fmt.Sprintf(format, args...)})
}

// The keys of runtime.toml, in the order the documentation gives them.
var (
	topKeys    = []string{"name", "version", "aliases", "extensions", "driver", "command", "limits", "source"}
	sourceKeys = []string{"npm", "file", "https", "oci", "go", "path", "sha256"}
)

func (p *parser) definition(data []byte) *Definition {
	if len(data) > maxFile {
		p.add(1, "the file is too large: at most %d bytes are read", maxFile)
		return nil
	}
	var raw map[string]toml.Primitive
	meta, err := toml.Decode(string(data), &raw)
	if err != nil {
		p.syntax(err)
		return nil
	}
	top := p.table(&meta, raw, topKeys, table{line: 1})
	source, hasSource := top.keys["source"]
	d := &Definition{
		Name:       p.text(top, "name", `give the runtime a name, such as name = "python"`, badName),
		Version:    p.text(top, "version", `say which version of the language this is, such as version = "3.12.0"`, badVersion),
		Driver:     p.text(top, "driver", "say how the host enters the module: "+strings.Join(drivers, ", "), badDriver),
		Aliases:    p.texts(top, "aliases", badName),
		Extensions: p.texts(top, "extensions", badExtension),
	}
	p.repeats(top, d)
	switch {
	case hasSource:
		d.Source = p.source(&meta, source)
	case top.meantBy["source"] == "":
		p.add(1, "source is missing: add a [source] table with npm, file, https, oci or go, and sha256")
	}
	p.command(&meta, top, d)
	p.limits(&meta, top, d)
	return d
}

// syntax reports what the TOML library refuses.
func (p *parser) syntax(err error) {
	if at, ok := errors.AsType[toml.ParseError](err); ok {
		// It may quote a line end, and a problem is one line.
		said := strings.ReplaceAll(strings.TrimSuffix(at.Message, "."), "\n", `\n`)
		p.add(at.Position.Line, "not valid TOML: %s", said)
		return
	}
	p.add(1, "not valid TOML: %v", err)
}

// repeats reports a name or an extension given twice.
func (p *parser) repeats(top table, d *Definition) {
	names := append([]string{d.Name}, d.Aliases...)
	for i, alias := range names {
		if i > 0 && alias != "" && slices.Contains(names[:i], alias) {
			p.add(top.keys["aliases"].line, "aliases: %s is given twice (the name counts)", quote(alias))
		}
	}
	for i, ext := range d.Extensions {
		if ext != "" && slices.Contains(d.Extensions[:i], ext) {
			p.add(top.keys["extensions"].line, "extensions: %s is given twice", quote(ext))
		}
	}
}

// source reads the [source] table.
func (p *parser) source(meta *toml.MetaData, e entry) Source {
	t, ok := p.subtable(meta, e, "source", sourceKeys)
	if !ok {
		return Source{}
	}
	pin := "pin the module with its SHA-256, as sha256sum prints it"
	if _, ok := t.keys["go"]; ok {
		pin = ""
	}
	s := Source{
		NPM:    p.text(t, "npm", "", badNPM),
		File:   p.text(t, "file", "", badPath),
		HTTPS:  p.text(t, "https", "", badHTTPS),
		OCI:    p.text(t, "oci", "", badOCI),
		Go:     p.text(t, "go", "", badPath),
		Path:   p.text(t, "path", "", badPath),
		SHA256: p.text(t, "sha256", pin, badDigest),
	}
	p.kinds(t, s)
	return s
}

// subtable reads the table under a key of the file.
func (p *parser) subtable(meta *toml.MetaData, e entry, name string, known []string) (table, bool) {
	var raw map[string]toml.Primitive
	if _, ok := e.value.(map[string]any); !ok || meta.PrimitiveDecode(e.raw, &raw) != nil {
		p.add(e.line, "%s must be a table, not %s", name, typeName(e.value))
		return table{}, false
	}
	return p.table(meta, raw, known, table{name: name + ".", line: e.line}), true
}

// kinds checks that the keys of [source] belong together.
func (p *parser) kinds(t table, s Source) {
	var given []string
	for _, key := range []string{"npm", "file", "https", "oci", "go"} {
		if _, ok := t.keys[key]; ok {
			given = append(given, key)
		}
	}
	path, hasPath := t.keys["path"]
	switch {
	case len(t.meantBy) > 0: // what is missing may be there, misspelled
	case len(given) == 0:
		p.add(t.line, "source needs one of npm, file, https, oci or go")
	case len(given) > 1:
		p.add(t.keys[given[1]].line, "source has both %s and %s: keep one", given[0], given[1])
	case given[0] == "npm" && !hasPath:
		p.add(t.keys["npm"].line, "source.path is missing: say where in the npm package the module is")
	case given[0] == "https" && isArchive(s.HTTPS) && !hasPath:
		p.add(t.keys["https"].line, "source.path is missing: say where in the archive the module is")
	case given[0] == "https" && s.HTTPS != "" && !isArchive(s.HTTPS) && hasPath:
		p.add(path.line, "source.path is only for npm and for https addresses that end in .tar.gz or .tgz")
	case given[0] == "file" && hasPath:
		p.add(path.line, "source.path is only for npm and https: let source.file name the module itself")
	case hasPath && (given[0] == "oci" || given[0] == "go"):
		p.add(path.line, "source.path is only for npm and https")
	case given[0] == "go" && s.SHA256 != "":
		p.add(t.keys["sha256"].line, "source.sha256 is not for go: the Go source is the pin")
	}
}

// text returns the string under key, or "" after reporting why it cannot. With
// no words for missing, the key may be absent. The check returns what is wrong
// with a value, or "".
func (p *parser) text(t table, key, missing string, check func(string) string) string {
	e, ok := t.keys[key]
	if !ok {
		if missing != "" && t.meantBy[key] == "" {
			p.add(t.line, "%s%s is missing: %s", t.name, key, missing)
		}
		return ""
	}
	s, ok := e.value.(string)
	if !ok {
		p.add(e.line, "%s%s must be a string, not %s", t.name, key, typeName(e.value))
		return ""
	}
	if wrong := check(s); wrong != "" {
		p.add(e.line, "%s%s: %s", t.name, key, wrong)
		return ""
	}
	return s
}

// texts is text for an array of strings; entries that are wrong are left out.
func (p *parser) texts(t table, key string, check func(string) string) []string {
	e, ok := t.keys[key]
	if !ok {
		return nil
	}
	values, ok := e.value.([]any)
	if !ok {
		p.add(e.line, "%s%s must be an array of strings, not %s", t.name, key, typeName(e.value))
		return nil
	}
	var list []string
	for _, value := range values {
		s, ok := value.(string)
		if !ok {
			p.add(e.line, "%s%s must hold strings, not %s", t.name, key, typeName(value))
			continue
		}
		if wrong := check(s); wrong != "" {
			p.add(e.line, "%s%s: %s", t.name, key, wrong)
			continue
		}
		list = append(list, s)
	}
	return list
}

// quote renders untrusted text for a message: escaped, and cut where it is
// long.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
