package runtimes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Registry finds runtimes. It never changes and is safe for concurrent use.
type Registry struct {
	sorted     []*Definition
	names      map[string]*Definition // by name and by alias
	extensions map[string]*Definition
}

// NewRegistry returns a registry of defs. A name, alias or extension that two
// of them claim is an error of class [ErrInvalid]; every clash is reported.
func NewRegistry(defs ...*Definition) (*Registry, error) {
	r := &Registry{
		sorted:     slices.Clone(defs),
		names:      make(map[string]*Definition),
		extensions: make(map[string]*Definition),
	}
	slices.SortStableFunc(r.sorted, func(a, b *Definition) int { return strings.Compare(a.Name, b.Name) })
	var clashes []string
	claim := func(in map[string]*Definition, what, key string, d *Definition) {
		if owner, taken := in[key]; taken {
			clashes = append(clashes, fmt.Sprintf("%s %q is claimed by both %s %s and %s %s",
				what, key, owner.Name, owner.Version, d.Name, d.Version))
			return
		}
		in[key] = d
	}
	for _, d := range r.sorted {
		claim(r.names, "name", d.Name, d)
		if d.Project {
			continue // it is found by its name alone
		}
		for _, alias := range d.Aliases {
			claim(r.names, "name", alias, d)
		}
		for _, ext := range d.Extensions {
			claim(r.extensions, "extension", ext, d)
		}
	}
	if len(clashes) > 0 {
		return nil, fmt.Errorf("register runtimes: %w: %s", ErrInvalid, strings.Join(clashes, "; "))
	}
	return r, nil
}

// Lookup returns the runtime called name, by name or alias. Otherwise the error
// is of class [ErrNotFound] and lists the names there are.
func (r *Registry) Lookup(name string) (*Definition, error) {
	if d, ok := r.names[name]; ok {
		return d, nil
	}
	known := "none are registered"
	if len(r.sorted) > 0 {
		known = "available: " + strings.Join(namesOf(r.sorted), ", ")
	}
	hint := didYouMean(name, slices.Collect(maps.Keys(r.names)))
	return nil, fmt.Errorf("look up runtime %s: %w%s; %s", quote(name), ErrNotFound, hint, known)
}

// ByExtension returns the runtime for programs whose file name ends in ext,
// which includes the dot: ".py". The case of letters does not matter.
func (r *Registry) ByExtension(ext string) (*Definition, bool) {
	d, ok := r.extensions[strings.ToLower(ext)]
	return d, ok
}

// All returns every runtime, sorted by name, in a slice of the caller's own.
func (r *Registry) All() []*Definition {
	return slices.Clone(r.sorted)
}

func namesOf(defs []*Definition) []string {
	names := make([]string, len(defs))
	for i, d := range defs {
		names[i] = d.Name
	}
	return names
}
