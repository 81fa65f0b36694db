package runtimes

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The drivers: how the host enters a module.
const (
	// DriverCPython is CPython built as a WASI command; see runtimes/python.
	DriverCPython = "cpython"
	// DriverQuickJS is QuickJS built for WASI.
	DriverQuickJS = "quickjs"
	// DriverRuby is CRuby as ruby.wasm builds it for WASI.
	DriverRuby = "ruby"
	// DriverExtism is any Extism plugin that exports execute: the contract for
	// new languages.
	DriverExtism = "extism"
	// DriverCommand is any WASI command, run from the start on every call.
	DriverCommand = "command"
)

// fileName is the name of a definition inside the folder of its runtime.
const fileName = "runtime.toml"

// Definition describes one runtime. [Parse], [LoadDir] and [Builtin] return
// valid ones. Treat it as immutable: registries share it between goroutines.
type Definition struct {
	// Name is what the runtime is called: a lower-case letter, then up to 31
	// more of a-z, 0-9, _ and -.
	Name string

	// Version is the language's version, such as "3.12.0". It is shown, never
	// compared.
	Version string

	// Driver is one of the Driver constants.
	Driver string

	// Aliases are other names for the runtime, under the rules of Name.
	Aliases []string

	// Extensions are the file name endings of programs in this language, in
	// lower case with their dot, such as ".py".
	Extensions []string

	// Source is where the module comes from.
	Source Source

	// Command says how a WASI command is started. Only with DriverCommand.
	Command Command

	// Limits are the runtime's own. They tighten every profile and raise none.
	Limits Limits

	// BuiltIn says that the runtime comes with sandboxd. Others may come from
	// anybody.
	BuiltIn bool

	// Project says that the runtime was found in the folder that the user works in,
	// and nobody chose it; see [LoadProject].
	Project bool

	// Files is the folder of the runtime.toml: the runtime's guest-side files,
	// and what [Source].File is relative to. Nil when the definition was parsed
	// without one.
	Files fs.FS
}

// Source says where a module comes from and what its bytes must be. Exactly one
// of NPM, File, HTTPS, OCI, Go and Build is set.
type Source struct {
	// NPM is an npm package at an exact version, such as "@scope/name@1.2.3",
	// fetched with the npm client so that the user's npm configuration applies.
	NPM string

	// File is a slash-separated path inside the folder of the runtime.toml. It
	// may not leave that folder, nor pass through a symbolic link.
	File string

	// HTTPS is the https address of a module or of a .tar.gz or .tgz archive.
	HTTPS string

	// OCI is the address of a module in a container registry, without [OCIPrefix].
	OCI string

	// Go is the folder, inside that of the runtime.toml, of a Go program that the
	// module is built from when it is first used; see [Store.Resolve]. There is no
	// SHA256 then: the source is the pin.
	Go string

	// Build is the recipe of a module that was built from source and installed in
	// the cache, which is the only place it can come from; see [Store.Install].
	// A runtime.toml cannot ask for it.
	Build string
	// Path is the module's path inside the npm package or the archive; empty
	// when the source is the module itself.
	Path string

	// SHA256 is the pinned digest of the module (not of the archive around it),
	// in lower-case hexadecimal.
	SHA256 string
}

// String names the source for people, such as
// "npm @scope/name@1.2.3 (dist/x.wasm)".
func (s Source) String() string {
	var b strings.Builder
	switch {
	case s.NPM != "":
		b.WriteString("npm " + s.NPM)
	case s.File != "":
		b.WriteString("file " + s.File)
	case s.OCI != "":
		b.WriteString(OCIPrefix + s.OCI)
	case s.Go != "":
		b.WriteString("go " + s.Go)
	case s.Build != "":
		b.WriteString("built from source (recipe " + short(s.Build) + ")")
	default:
		b.WriteString(s.HTTPS)
	}
	if s.Path != "" {
		b.WriteString(" (" + s.Path + ")")
	}
	return b.String()
}

// isArchive reports whether name ends like a compressed tar archive.
func isArchive(name string) bool {
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz")
}

// LoadDir reads the definition of the runtime whose folder is dir, with the
// folder itself as Files. Files cannot be used to leave the folder. Problems in
// the file are reported as by [Parse].
func LoadDir(dir string) (*Definition, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("load runtime: %w", err)
	}
	files := root.FS() // keeps root open for as long as the definition lives
	data, err := readCapped(files, fileName, maxFile+1)
	if err != nil {
		return nil, fmt.Errorf("load runtime: %w", err)
	}
	return Parse(filepath.Join(dir, fileName), data, files)
}
