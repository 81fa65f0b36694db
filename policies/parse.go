package policies

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// MaxFile is the largest policy file accepted, in bytes.
const MaxFile = 1 << 20

// Load reads a policy file. Every problem in it is reported, not only the
// first: the error joins one [ErrInvalid] for each, in the order of the file,
// whose message starts with "path:line: ". A file that does not exist is
// [ErrNotFound].
func Load(path string) (*Policy, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFoundf("policy file %q does not exist", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	if !info.Mode().IsRegular() { // a pipe or a device might never end
		return nil, invalidf("policy file %q is not a regular file", path)
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	return Parse(path, data)
}

// Parse reads the text of a policy file. path is what messages call it, and
// relative mounts start at its directory. Errors are those of [Load].
func Parse(path string, data []byte) (*Policy, error) {
	p := &parser{path: path}
	if lines, doc := p.document(data); doc != nil {
		file := p.decode(doc, lines)
		policy := p.resolve(file)
		if len(p.problems) == 0 {
			return policy, nil
		}
	}
	return nil, p.err()
}

// parser collects the problems of one file.
type parser struct {
	path     string
	problems []problem
}

type problem struct {
	line int
	text string
}

// addf reports a problem.
func (p *parser) addf(line int, format string, args ...any) {
	p.problems = append(p.problems, problem{line, inert(fmt.Sprintf(format, args...))})
}

// inert escapes what a terminal might obey, such as a line break in a message of
// the TOML library, which quotes the file as it is.
func inert(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}

// err joins the problems in the order of the file.
func (p *parser) err() error {
	slices.SortStableFunc(p.problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	errs := make([]error, len(p.problems))
	for i, problem := range p.problems {
		errs[i] = invalidf("%s: %s", p.origin(problem.line), problem.text)
	}
	return errors.Join(errs...)
}

// origin names a line of the file.
func (p *parser) origin(line int) string { return fmt.Sprintf("%s:%d", p.path, line) }

// dir is where relative paths start.
func (p *parser) dir() string { return filepath.Dir(p.path) }

// document decodes TOML and finds the line of every key. The document is nil
// after a problem that leaves nothing to look at.
func (p *parser) document(data []byte) (*node, map[string]any) {
	if len(data) > MaxFile {
		p.addf(1, "the file is larger than %v; a policy is not that long", Bytes(MaxFile))
		return nil, nil
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !p.isText(data) {
		return nil, nil
	}
	l := &locator{src: string(data), line: 1, again: map[int]*node{}}
	lines, err := l.locate()
	if errors.Is(err, errDeep) {
		p.addf(l.line, "nested more than %d levels deep; a policy needs five", maxDepth)
		return nil, nil
	}
	src := l.src
	if err != nil {
		// The library will stop here too. It must not go far beyond what the
		// locator saw, as nobody has looked at the depth there.
		src = src[:lineEnd(src, l.pos)]
	}
	var doc map[string]any
	_, decodeErr := toml.Decode(src, &doc)
	if decodeErr != nil {
		p.syntax(decodeErr, l, err != nil)
		return nil, nil
	}
	if err != nil {
		p.addf(l.line, "this line cannot be read; write one key = value or [table] a line")
		return nil, nil
	}
	if doc == nil {
		doc = map[string]any{}
	}
	return lines, doc
}

// lineEnd returns where the line around pos ends, but looks only a little way.
func lineEnd(src string, pos int) int {
	const far = 256
	rest := src[pos:min(len(src), pos+far)]
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		return pos + end + 1
	}
	return pos + len(rest)
}

// isText refuses what cannot be shown in an editor, so that what a reviewer
// sees is what is read.
func (p *parser) isText(data []byte) bool {
	line := 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			p.addf(line, "byte 0x%02x is not valid UTF-8; save the file as UTF-8 text", data[i])
			return false
		case r == '\n':
			line++
		case r == '\r' && bytes.HasPrefix(data[i:], []byte("\r\n")), r == '\t':
		case r < ' ', r == 0x7f:
			p.addf(line, "control character 0x%02x; delete it, or write it as an escape in a string", r)
			return false
		case isBidi(r):
			p.addf(line, "character %U changes the direction of the text and can hide what is written; delete it, or write it as an escape in a string", r)
			return false
		}
		i += size
	}
	return true
}

// isBidi says whether r reorders the text around it when it is displayed.
//
// See https://trojansource.codes
func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// unquoted matches a size or a duration that lacks its quotes.
var unquoted = regexp.MustCompile(`=\s*([0-9][0-9_.]*)[ \t]?([A-Za-z]+)\s*(?:[,}#]|$)`)

// cures says what to do about the TOML library's messages, known by a part of
// them. It is read-only; the first that matches counts.
var cures = []struct{ sign, cure string }{
	{`but found "`, "write strings in quotes"},
	{"EOF; expected value", "write a value, and close every '['"},
	{"expected value", "write a value after '='"},
	{"cannot contain newlines", "close the quotes on the same line"},
	{"expected '.' or '='", "write key = value"},
	{"expected key separator", "write key = value"},
	{"key name appears blank", "write key = value, and close every '{'"},
	{"array terminator", "close the list with ']'"},
	{"inline table terminator", "close the table with '}'"},
	{"table name", "write a table as [profiles.NAME]"},
	{"invalid escape", `write a backslash as "\\", or use single quotes`},
	{"out of range", "use a smaller number"},
	{"already", "delete one of the two"},
	{"unexpected EOF", "close what was opened"},
	{"top-level item to end", "write one key = value a line"},
	{"nvalid integer", "write a number like 500_000_000"},
	{"nvalid float", "write a number like 500_000_000"},
}

// syntax reports what the TOML library refused. Where the locator stopped, the
// library cannot have come further, though it may say so after a line end.
func (p *parser) syntax(err error, l *locator, stopped bool) {
	var pe toml.ParseError
	if !errors.As(err, &pe) {
		p.addf(l.line, "%v", err)
		return
	}
	line := max(pe.Position.Line, 1)
	if stopped {
		line = min(line, l.line)
	}
	if first, ok := l.again[line]; ok && strings.Contains(pe.Message, "already") {
		p.addf(line, "%s is set twice, first on line %d; delete one of the two", first.name, first.line)
		return
	}
	lines := strings.Split(l.src, "\n")
	m := unquoted.FindStringSubmatch(lines[min(line, len(lines))-1])
	if m != nil && strings.HasPrefix(pe.Message, "expected a") {
		p.addf(line, "%s needs quotes, as a value with a unit is a string; write %q", m[1]+m[2], m[1]+m[2])
		return
	}
	message := strings.TrimSuffix(pe.Message, ".")
	for _, c := range cures {
		if strings.Contains(message, c.sign) {
			message += "; " + c.cure
			break
		}
	}
	if message != "" && !strings.HasPrefix(message, "TOML") {
		message = strings.ToLower(message[:1]) + message[1:]
	}
	p.addf(line, "%s", message)
}
