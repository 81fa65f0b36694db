package runtimes

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// table is one table of a TOML file, with the line of each key. The library
// finds keys whatever their case and gives no lines for those it does not know,
// so the tables are taken apart here.
type table struct {
	name    string // how its keys are shown: "source."
	line    int    // where it begins; 0 when only dotted keys imply it
	keys    map[string]entry
	meantBy map[string]string // a known key, and what was written instead
}

// entry is one key and its value.
type entry struct {
	line  int
	value any
	raw   toml.Primitive
}

// table fills in t from raw. Keys other than known are reported and left out.
func (p *parser) table(meta *toml.MetaData, raw map[string]toml.Primitive, known []string, t table) table {
	t.keys, t.meantBy = make(map[string]entry), make(map[string]string)
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		e := entry{raw: raw[key], line: lineOf(meta, raw[key])}
		if t.line == 0 {
			t.line = e.line
		}
		if !slices.Contains(known, key) {
			p.unknown(t, e.line, key, known)
			continue
		}
		if err := meta.PrimitiveDecode(e.raw, &e.value); err != nil {
			p.add(e.line, "%s%s: %v", t.name, key, err)
			continue
		}
		t.keys[key] = e
	}
	return t
}

// unknown reports a key that is not known, and notes which one was meant, so
// that nobody is told as well that it is missing.
func (p *parser) unknown(t table, line int, key string, known []string) {
	meant := Nearest(key, known)
	if meant == "" {
		p.add(line, "unknown key %s; the keys here are %s", quote(t.name+key), strings.Join(known, ", "))
		return
	}
	t.meantBy[meant] = key
	p.add(line, "unknown key %s (did you mean %s?)", quote(t.name+key), quote(t.name+meant))
}

// errHere is what a locator fails with.
var errHere = errors.New("here")

// locator refuses every value, which makes the library say where the value is:
// it keeps the position of each key but shows it only in such errors.
type locator struct{}

func (*locator) UnmarshalTOML(any) error { return errHere }

// lineOf returns the line of the key that raw belongs to, or 0 for a table that
// only its children's dotted keys imply.
func lineOf(meta *toml.MetaData, raw toml.Primitive) int {
	if at, ok := errors.AsType[toml.ParseError](meta.PrimitiveDecode(raw, &locator{})); ok {
		return at.Position.Line
	}
	return 0
}

// typeName says what a decoded TOML value is, with its article.
func typeName(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case bool:
		return "a boolean"
	case time.Time:
		return "a date or time"
	case []map[string]any:
		return "an array of tables"
	case []any:
		return "an array"
	default:
		return "a table"
	}
}
