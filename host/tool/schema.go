package tool

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schemas compiles schemas, and keeps some of them for the next request with the same.
// The zero value is ready, and safe for concurrent use.
type Schemas struct {
	mu   sync.Mutex
	kept map[string]*jsonschema.Resolved
	size int
}

// maxKept is how many bytes of schemas are kept; one more empties the store.
const maxKept = 4 << 20

// compile returns the validator for a schema, nil for one that accepts any object.
// Errors are the fault of whoever wrote it.
func (s *Schemas) compile(text json.RawMessage) (*jsonschema.Resolved, error) {
	if len(text) == 0 {
		return nil, nil
	}
	s.mu.Lock()
	known := s.kept[string(text)]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	compiled, err := compile(text)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size += len(text); s.size > maxKept || s.kept == nil {
		s.kept, s.size = map[string]*jsonschema.Resolved{}, len(text)
	}
	s.kept[string(text)] = compiled
	return compiled, nil
}

func compile(text json.RawMessage) (_ *jsonschema.Resolved, err error) {
	defer func() {
		if cause := recover(); cause != nil { // the library asserts what it should check
			err = fmt.Errorf("the schema cannot be used: %.200v", cause)
		}
	}()
	document, err := parseObject(text)
	if err != nil {
		return nil, fmt.Errorf("the schema's bytes %w", err)
	}
	if kind, ok := document["type"]; ok && kind != "object" {
		return nil, errors.New(`the schema must be of "type": "object", as arguments are`)
	}
	delete(document, "$id") // the document's own
	if err := (&unfolding{root: document, open: map[string]bool{}, budget: maxUnfolded}).visit(document); err != nil {
		return nil, err
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		return nil, fmt.Errorf("the schema cannot be read: %w", err)
	}
	resolved, err := schema.Resolve(nil) // with no loader: nothing is fetched
	if err != nil {
		return nil, fmt.Errorf("the schema cannot be used: %w", err)
	}
	return resolved, nil
}

// maxUnfolded is how many values a schema may have with every reference replaced by
// what it refers to. It bounds the work for each value of the arguments.
const maxUnfolded = 100_000

// unfolding follows the references of a schema. One that comes back to itself is
// refused: where it does so in two branches of an anyOf, the work that a hostile guest
// can cause doubles with each level of its arguments, and the validator knows no limit.
type unfolding struct {
	root   any
	open   map[string]bool
	budget int
}

func (u *unfolding) visit(v any) error {
	if u.budget--; u.budget < 0 {
		return fmt.Errorf("the schema has more than %d values when its references are replaced by what they refer to", maxUnfolded)
	}
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			to, isText := child.(string)
			var err error
			switch {
			case isText && key == "$ref":
				err = u.follow(to)
			case isText && slices.Contains(elsewhere, key):
				err = fmt.Errorf(`the schema has a %q, which is not supported; refer to "#/$defs/..."`, key)
			default:
				err = u.visit(child)
			}
			if err != nil {
				return err
			}
		}
	case []any:
		for _, child := range v {
			if err := u.visit(child); err != nil {
				return err
			}
		}
	}
	return nil
}

// elsewhere are keywords by which a reference may mean something else than a place in
// the document, below its root.
var elsewhere = []string{"$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef"}

func (u *unfolding) follow(ref string) error {
	if u.open[ref] || ref == "#" {
		return fmt.Errorf("the schema refers to itself (%q), which is not supported: accept any value there, and look at it in the tool", ref)
	}
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return fmt.Errorf(`the schema refers to %q; a schema stands alone, and refers to "#/$defs/..." only`, ref)
	}
	at := u.root
	for part := range strings.SplitSeq(pointer, "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch v := at.(type) {
		case map[string]any:
			at, ok = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if ok = err == nil && i >= 0 && i < len(v); ok {
				at = v[i]
			}
		default:
			ok = false
		}
		if !ok {
			return fmt.Errorf("the schema refers to %q, where there is nothing", ref)
		}
	}
	u.open[ref] = true
	defer delete(u.open, ref)
	return u.visit(at)
}
