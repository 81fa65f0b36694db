package host

import (
	"maps"

	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// bundlerName is what tells the two uses of the esbuild driver apart: they share a
// module, and what was prepared of it.
const bundlerName = "bundler"

// Bundler is esbuild as a runtime of its own, for sandboxd's use: it makes single files
// of packages of JavaScript. The arguments of a request are esbuild's command line, and
// [BundlerPath] is its working directory, where the packages are to be mounted. What it
// reads is anybody's code, so it runs like a program: within the limits and the mounts
// of a profile.
func Bundler() *runtimes.Definition {
	d := *typescriptCompiler
	d.Name, d.BuiltIn = bundlerName, true
	return &d
}

// BundlerPath is the working directory of [Bundler].
const BundlerPath = "/bundle"

// bundler is esbuild with the command line of a request.
type bundler struct{ esbuild }

// start implements starter.
func (bundler) start(r *Request, p *policies.Profile) (start, error) {
	s := start{args: append([]string{"esbuild"}, r.Args...), env: maps.Clone(p.Env)}
	if s.env == nil {
		s.env = map[string]string{}
	}
	s.env["PWD"] = BundlerPath
	return s, nil
}

func (bundler) outOfMemory(*GuestError) bool { return true }
func (bundler) outOfDisk(*GuestError) bool   { return true }
