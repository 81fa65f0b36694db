// Package jsonedit changes one entry of a JSON file that belongs to another program, and
// leaves every other byte of it alone.
//
// Files are another program's, and may be large or wrong: what is not strict JSON, such
// as one with comments, is refused and not changed.
package jsonedit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ErrSyntax means that a file is not a JSON object, or has comments.
var ErrSyntax = errors.New("not plain JSON")

// member is a member of an object, by where it is in a file.
type member struct {
	name       string
	key        int // where its name begins
	start, end int // its value
}

// object reads the members of the object that begins at from.
func object(data []byte, from int) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(data[from:]))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%w: an object is expected at byte %d", ErrSyntax, from)
	}
	var members []member
	for d.More() {
		before := from + int(d.InputOffset())
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		end := from + int(d.InputOffset())
		text, _ := name.(string)
		key := before + bytes.IndexByte(data[before:], '"')
		members = append(members, member{text, key, end - len(value), end})
	}
	return members, nil
}

// find returns the last member of a name, which is the one that counts.
func find(members []member, name string) (member, bool) {
	for _, m := range slices.Backward(members) {
		if m.name == name {
			return m, true
		}
	}
	return member{}, false
}

// check refuses what is not one JSON object, and says where it begins.
func check(data []byte) (int, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	var value map[string]json.RawMessage
	if err := d.Decode(&value); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	if value == nil {
		return 0, fmt.Errorf("%w: it is null", ErrSyntax)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("%w: there is more behind the object", ErrSyntax)
	}
	return bytes.IndexByte(data, '{'), nil
}

const indent = "  "

// Set makes value the member name of the object under group, which is made if it is not
// there. An empty file is an empty object.
func Set(data []byte, group, name string, value any) ([]byte, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		data = []byte("{}\n")
	}
	top, err := check(data)
	if err != nil {
		return nil, err
	}
	entry, err := encode(value, indent+indent)
	if err != nil {
		return nil, err
	}
	groups, err := object(data, top)
	if err != nil {
		return nil, err
	}
	g, ok := find(groups, group)
	if !ok {
		text := fmt.Sprintf("%s: {\n%s%s%s: %s\n%s}", quote(group), indent, indent, quote(name), entry, indent)
		return insert(data, top, len(groups) > 0, indent, text), nil
	}
	members, err := object(data, g.start)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", group, err)
	}
	if m, ok := find(members, name); ok {
		return splice(data, m.start, m.end, entry), nil
	}
	return insert(data, g.start, len(members) > 0, indent+indent, quote(name)+": "+entry), nil
}

// Remove removes the member name of the object under group, if it is there.
func Remove(data []byte, group, name string) ([]byte, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return data, nil
	}
	top, err := check(data)
	if err != nil {
		return nil, err
	}
	groups, err := object(data, top)
	if err != nil {
		return nil, err
	}
	g, ok := find(groups, group)
	if !ok {
		return data, nil
	}
	members, err := object(data, g.start)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", group, err)
	}
	for i, m := range slices.Backward(members) {
		if m.name != name {
			continue
		}
		start, end := m.key, m.end
		switch {
		case i > 0: // with the comma before it
			start = members[i-1].end
		case len(members) > 1: // with the comma behind it
			end = members[1].key
		default: // with the space around it
			start, end = g.start+1, g.end-1
		}
		data = splice(data, start, end, "")
		return Remove(data, group, name) // there may be another of that name
	}
	return data, nil
}

// insert puts a member at the beginning of the object at from.
func insert(data []byte, from int, more bool, indentation, text string) []byte {
	after := from + 1
	if more {
		return splice(data, after, after, "\n"+indentation+text+",")
	}
	end := after + bytes.IndexByte(data[after:], '}')
	return splice(data, after, end, "\n"+indentation+text+"\n"+strings.TrimSuffix(indentation, indent))
}

func splice(data []byte, start, end int, text string) []byte {
	out := make([]byte, 0, len(data)+len(text))
	out = append(out, data[:start]...)
	out = append(out, text...)
	return append(out, data[end:]...)
}

// encode is value as JSON whose later lines are indented.
func encode(value any, prefix string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, indent)
	if err := e.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func quote(s string) string {
	text, err := encode(s, "")
	if err != nil {
		panic(err) // a string can be encoded
	}
	return text
}
