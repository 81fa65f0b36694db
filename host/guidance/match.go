package guidance

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sandboxd/sandboxd/runtimes"
)

// fields are what a rule found in a failure.
type fields struct {
	f     *Failure
	found map[string]string // the guest's
	entry string            // the table's
}

// find returns the first rule that matches a failure, with what it found.
func (rs *Rules) find(f *Failure) (*Rule, *fields) {
	if rs == nil {
		return nil, nil
	}
	texts := [4]string{f.Type, f.Message, f.source(), f.tail()}
	for _, r := range rs.List {
		if r.Status != f.Status || r.Network != nil && *r.Network != (len(f.Profile.Network.Allow) > 0) {
			continue
		}
		if m, ok := r.match(rs, f, &texts); ok {
			return r, m
		}
	}
	return nil, nil
}

func (r *Rule) match(rs *Rules, f *Failure, texts *[4]string) (*fields, bool) {
	m := &fields{f: f, found: map[string]string{}}
	for i, pattern := range r.patterns {
		if pattern == nil {
			continue
		}
		match := pattern.FindStringSubmatch(texts[i])
		if match == nil {
			return nil, false
		}
		for j, name := range pattern.SubexpNames() {
			if name != "" {
				m.found[name] = match[j]
			}
		}
	}
	if r.Lookup != "" {
		name, table, _ := strings.Cut(r.Lookup, " in ")
		var ok bool
		if m.entry, ok = rs.Tables[table][m.found[name]]; !ok {
			return nil, false
		}
	}
	if r.Near != "" {
		name, table, _ := strings.Cut(r.Near, " in ")
		words := slices.Concat(rs.Words[table], f.Packages)
		if m.found["near"] = runtimes.Nearest(m.found[name], words); m.found["near"] == "" {
			return nil, false
		}
	}
	if r.Packaged != "" && !slices.Contains(f.Packages, m.found[r.Packaged]) {
		return nil, false
	}
	if r.Path != "" {
		name, where, _ := strings.Cut(r.Path, " ")
		if f.placeOf(m.found[name]) != places[where] {
			return nil, false
		}
	}
	return m, true
}

// expand fills in the fields of sentences.
func (m *fields) expand(sentences []string) []string {
	var out []string
	for _, sentence := range sentences {
		complete := true
		text := field.ReplaceAllStringFunc(sentence, func(name string) string {
			value := m.value(name[1 : len(name)-1])
			complete = complete && value != ""
			return value
		})
		if complete {
			out = append(out, text)
		}
	}
	return out
}

// value is what a field stands for: the guest's own words only in quotes.
func (m *fields) value(name string) string {
	if t, ok := strings.CutPrefix(name, "how."); ok {
		return strings.ReplaceAll(phrases[m.f.Interface][topic(t)], "{profile}", quote(m.f.Profile.Name))
	}
	var text string
	switch name {
	case "entry":
		return m.entry
	case "directories":
		return m.f.directories(false)
	case "writable":
		return m.f.directories(true)
	case "line":
		if m.f.Line > 0 {
			return strconv.Itoa(m.f.Line)
		}
		return ""
	case "source":
		text = m.f.source()
	case "pointed":
		text = m.f.pointed()
	default:
		text = m.found[name]
	}
	if text == "" {
		return ""
	}
	return quote(text)
}

// Imports are the modules of the library that a program seems to import and that take
// much fuel, with about the most that each takes.
func (rs *Rules) Imports(code []byte) map[string]uint64 {
	if rs == nil || rs.Costly.find == nil {
		return nil
	}
	found := map[string]uint64{}
	for _, match := range rs.Costly.find.FindAllSubmatch(code[:min(len(code), maxCode)], 100) {
		for _, name := range match[1:] {
			if fuel, ok := rs.Costly.Fuel[string(name)]; ok {
				found[string(name)] = fuel
			}
		}
	}
	return found
}
