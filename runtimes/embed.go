package runtimes

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

// builtin holds the folders of the runtimes that come with sandboxd. A new one
// is a new folder and its name on this line.
//
//go:embed python all:python/lib javascript/*.* javascript/lib starlark ruby
var builtin embed.FS

// Builtin returns the runtimes that come with sandboxd. An error means that the
// binary was built from a broken tree.
func Builtin() (*Registry, error) {
	found, err := fs.Glob(builtin, "*/"+fileName)
	if err != nil {
		return nil, fmt.Errorf("built-in runtimes: %w", err)
	}
	defs := make([]*Definition, 0, len(found))
	for _, name := range found {
		data, err := builtin.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("built-in runtimes: %w", err)
		}
		files, err := fs.Sub(builtin, path.Dir(name))
		if err != nil {
			return nil, fmt.Errorf("built-in runtimes: %w", err)
		}
		d, err := Parse(name, data, files)
		if err != nil {
			return nil, fmt.Errorf("built-in runtimes: %w", err)
		}
		d.BuiltIn = true
		defs = append(defs, d)
	}
	return NewRegistry(defs...)
}
