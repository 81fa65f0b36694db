package packages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Bundler runs esbuild with a command line in a directory, which is its working directory
// and all that it sees and may change. It returns what esbuild wrote to standard error; ok
// is false if it failed of what it read. What it reads is anybody's code.
type Bundler func(ctx context.Context, dir string, args []string) (said string, ok bool, err error)

// Bounds of what is made of a package.
const (
	maxBundle      = 8 << 20 // bytes of all of its files
	maxBundleFiles = 1000
	maxMeta        = 64 << 20
)

// workshop is a directory in which a package is bundled: it and what it needs are in
// node_modules below, as npm would put them.
type workshop struct {
	dir      string
	name     string
	manifest *manifest
	bundler  Bundler
	made     map[string][]byte // the bundle's files, by name
	runs     int
}

// bundle makes a package's files of the archives, and returns them by name: one for
// each subpath and way of importing, and a package.json that names them. It fills in p's
// Subpaths and Summary.
func (s *NPMStore) bundle(ctx context.Context, p *NPMPackage, archives map[string]string, dir string) (map[string][]byte, error) {
	if err := unpackAll(p, archives, dir); err != nil {
		return nil, err
	}
	w := &workshop{dir: dir, name: p.Name, bundler: s.bundler}
	var err error
	if w.manifest, err = w.readManifest(p.Name); err != nil {
		return nil, err
	}
	for _, d := range p.Bundled {
		m, err := w.readManifest(strings.TrimPrefix(d.place(), nodeModules+"/"))
		if err != nil {
			return nil, err
		}
		if m.installs {
			return nil, refuseScripts(p.Name, d.Name)
		}
	}
	if w.manifest.installs {
		return nil, refuseScripts(p.Name, p.Name)
	}
	subpaths, err := w.make(ctx, p)
	if err != nil {
		return nil, err
	}
	p.Subpaths = subpaths
	if p.Summary == "" {
		p.Summary = w.manifest.description
	}
	return w.made, nil
}

// unpackAll puts the archives of a package and of all that it needs where npm would.
func unpackAll(p *NPMPackage, archives map[string]string, dir string) error {
	u, err := newNPMUnpacker(dir)
	if err != nil {
		return err
	}
	defer func() { _ = u.root.Close() }()
	for _, d := range append([]NPMDependency{{Name: p.Name, Integrity: p.Integrity}}, p.Bundled...) {
		err := u.unpack(archives[d.Integrity], d.place())
		if native := (nativeError{}); errors.As(err, &native) {
			if d.Name == p.Name {
				return refuseNPM(p.Name, native.Error())
			}
			return refuseNPM(p.Name, fmt.Sprintf("needs %s, which %s", d.Name, native.Error()))
		}
		if err != nil {
			return fmt.Errorf("archive of %s: %w", d.Name, err)
		}
	}
	return nil
}

// readManifest reads the package.json of a package in the workshop.
func (w *workshop) readManifest(name string) (*manifest, error) {
	data, err := readBounded(filepath.Join(w.dir, nodeModules, filepath.FromSlash(name), "package.json"), maxManifest)
	if err != nil {
		return nil, fmt.Errorf("package %s: %w", name, err)
	}
	return parseManifest(data)
}

// is says whether the package has a file.
func (w *workshop) is(name string) bool {
	if !fs.ValidPath(name) {
		return false
	}
	info, err := os.Lstat(filepath.Join(w.dir, nodeModules, filepath.FromSlash(w.name), filepath.FromSlash(name)))
	return err == nil && info.Mode().IsRegular()
}

// make bundles the package as a program of Node's sees it or, where that needs modules
// that the sandbox lacks, as one of a browser does. Subpaths that nobody asked for are
// left out where they are what needs them, such as a command line.
func (w *workshop) make(ctx context.Context, p *NPMPackage) ([]string, error) {
	var first *lackingError
	for _, c := range []conditions{likeNode, likeBrowser} {
		for _, most := range []int{maxAutomatic, 0} {
			if most > 0 && !p.automatic {
				continue
			}
			subpaths, err := w.makeFor(ctx, p, c, most)
			if err == nil || ctx.Err() != nil {
				return subpaths, err
			}
			if lacks := (*lackingError)(nil); first == nil && !errors.As(err, &lacks) {
				return nil, err
			} else if first == nil {
				first = lacks
			}
		}
	}
	return nil, refuseLacking(w.name, first.modules)
}

// lackingError says which modules of Node's a bundle needs that are not there.
type lackingError struct{ modules []string }

func (e *lackingError) Error() string { return fmt.Sprintf("needs %q", e.modules) }

// makeFor is make in one of the two ways, with subpaths that nobody asked for if there are
// no more than most.
func (w *workshop) makeFor(ctx context.Context, p *NPMPackage, c conditions, most int) ([]string, error) {
	entries, err := w.manifest.entries(c, p.Subpaths, most, w.is)
	if err != nil {
		return nil, refuseNPM(w.name, err.Error())
	}
	w.made = map[string][]byte{}
	scripts, modules := map[string]string{}, map[string]string{} // the names of outputs, by file
	subpaths, written := []string{}, map[string]any{}
	for i, e := range entries {
		key, out := ".", "index"
		if e.subpath != "" {
			key, out = "./"+e.subpath, fmt.Sprint("sub-", i)
			subpaths = append(subpaths, e.subpath)
		}
		written[key] = w.plan(e, out, scripts, modules)
	}
	if err := w.buildScripts(ctx, c, scripts, modules, written); err != nil {
		return nil, err
	}
	if err := w.build(ctx, c, "esm", modules); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(map[string]any{"name": p.Name, "version": p.Version, "exports": written}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	w.made["package.json"] = append(data, '\n')
	size := 0
	for _, content := range w.made {
		size += len(content)
	}
	if size > maxBundle || len(w.made) > maxBundleFiles {
		return nil, refuseNPM(w.name, fmt.Sprintf("is too large: %d KiB in %d files, at most %d KiB in %d are kept", size>>10, len(w.made), maxBundle>>10, maxBundleFiles))
	}
	slices.Sort(subpaths)
	return subpaths, nil
}

// plan says which outputs an entry has, and how "exports" names them. As in Node, a file
// is an ECMAScript module by its ending or by the package.json nearest to it; require
// gives the namespace of one.
func (w *workshop) plan(e npmEntry, out string, scripts, modules map[string]string) any {
	file := e.imports
	if file == "" {
		file = e.require
	}
	module := w.isModule(file)
	switch {
	case module && (e.require == "" || e.require == file || w.isModule(e.require)):
		modules[out] = file
		return "./" + out + ".mjs"
	case module:
		modules[out], scripts[out] = file, e.require
		return map[string]string{"import": "./" + out + ".mjs", "require": "./" + out + ".cjs"}
	}
	if e.require != "" {
		file = e.require
	}
	scripts[out] = file
	return "./" + out + ".cjs"
}

// isModule says whether Node takes a file of the package for an ECMAScript module.
func (w *workshop) isModule(file string) bool {
	switch path.Ext(file) {
	case ".mjs", ".mts":
		return true
	case ".cjs", ".cts":
		return false
	}
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		data, err := readBounded(filepath.Join(w.dir, nodeModules, filepath.FromSlash(w.name), filepath.FromSlash(dir), "package.json"), maxManifest)
		if err != nil {
			continue
		}
		if m, err := parseManifest(data); err == nil {
			return m.kind == "module"
		}
	}
	return w.manifest.kind == "module"
}

// buildScripts builds what Node takes for CommonJS. Files of which esbuild says that they
// are modules after all, which Node refuses, become modules.
func (w *workshop) buildScripts(ctx context.Context, c conditions, scripts, modules map[string]string, written map[string]any) error {
	if err := w.build(ctx, c, "cjs", scripts); err != nil {
		return err
	}
	for out, file := range scripts {
		if _, both := modules[out]; both || !w.wasModule(file) {
			continue
		}
		delete(w.made, out+".cjs")
		modules[out] = file
		for key, value := range written {
			if value == "./"+out+".cjs" {
				written[key] = "./" + out + ".mjs"
			}
		}
	}
	return nil
}

// metafile is what esbuild says of what it did.
//
// See https://esbuild.github.io/api/#metafile.
type metafile struct {
	Inputs map[string]struct {
		Format string `json:"format"`
	} `json:"inputs"`
	Outputs map[string]struct {
		Imports []struct {
			Path     string `json:"path"`
			External bool   `json:"external"`
		} `json:"imports"`
	} `json:"outputs"`
}

func (w *workshop) metaName(format string) string { return "meta-" + format + ".json" }

func (w *workshop) meta(format string) (*metafile, error) {
	data, err := readBounded(filepath.Join(w.dir, w.metaName(format)), maxMeta)
	if err != nil {
		return nil, err
	}
	var m metafile
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%w: esbuild's report: %w", ErrUnavailable, err)
	}
	return &m, nil
}

// wasModule says whether esbuild took a file for a module in the build of scripts.
func (w *workshop) wasModule(file string) bool {
	m, err := w.meta("cjs")
	return err == nil && m.Inputs[nodeModules+"/"+w.name+"/"+file].Format == "esm"
}

// build runs esbuild for entries, which are files of the package by the names of what
// is made of them, and takes what it made.
func (w *workshop) build(ctx context.Context, c conditions, format string, entries map[string]string) error {
	if len(entries) == 0 {
		return nil
	}
	w.runs++
	out := fmt.Sprint("out-", w.runs)
	args := []string{
		"--bundle", "--format=" + format, "--target=es2023", "--outdir=" + out, "--metafile=" + w.metaName(format),
		"--minify-whitespace", "--minify-syntax", "--legal-comments=inline", "--charset=utf8",
		"--log-level=error", "--log-limit=5", "--color=false", "--external:" + w.name,
	}
	if c.imports[0] == "browser" {
		args = append(args, "--platform=browser", "--define:global=globalThis")
		for _, m := range provided {
			args = append(args, "--external:"+m, "--external:node:"+m)
		}
	} else {
		args = append(args, "--platform=node")
	}
	if format == "esm" {
		args = append(args, "--out-extension:.js=.mjs")
		if len(entries) > 1 {
			args = append(args, "--splitting")
		}
	} else {
		args = append(args, "--out-extension:.js=.cjs")
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		args = append(args, name+"=./"+nodeModules+"/"+w.name+"/"+entries[name])
	}
	said, ok, err := w.bundler(ctx, w.dir, args)
	if err != nil {
		return err
	}
	if !ok {
		return w.explain(said)
	}
	return w.take(out, format)
}

var unresolved = regexp.MustCompile(`Could not resolve "(?:node:)?([^"]+)"`)

// explain says why esbuild failed. What it says holds pieces of the package's text.
func (w *workshop) explain(said string) error {
	var lacks []string
	for _, m := range unresolved.FindAllStringSubmatch(said, -1) {
		if _, is := lacking[m[1]]; is {
			lacks = append(lacks, m[1])
		}
	}
	if len(lacks) > 0 {
		return &lackingError{slices.Compact(slices.Sorted(slices.Values(lacks)))}
	}
	var first []string
	for line := range strings.Lines(said) {
		if _, message, found := strings.Cut(line, "[ERROR] "); found {
			first = append(first, strings.TrimSpace(message))
		}
	}
	return refuseNPM(w.name, "cannot be bundled"+shown(strings.Join(first, "\n")))
}

// esbuild's stand-in for require in a module, and what takes its place: the name itself is
// only there in scripts, so a bundled script that requires one of Node's modules would not
// get it.
var (
	requireShim = []byte(`(x=>typeof require<"u"?require:`)
	requireHere = []byte(`(x=>__requireHere?__requireHere:`)
	requireMade = []byte("import{createRequire as __makeRequire}from\"node:module\";const __requireHere=__makeRequire(import.meta.url);\n")
)

// take reads what esbuild made, and checks what it will import when it runs.
func (w *workshop) take(out, format string) error {
	meta, err := w.meta(format)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Join(w.dir, out))
	if err != nil {
		return fmt.Errorf("%w: esbuild made nothing: %w", ErrUnavailable, err)
	}
	defer func() { _ = root.Close() }()
	var lacks []string
	for name, o := range meta.Outputs {
		base, ok := strings.CutPrefix(name, out+"/")
		if !ok || strings.Contains(base, "/") || path.Ext(base) != map[string]string{"esm": ".mjs", "cjs": ".cjs"}[format] {
			continue
		}
		data, err := readInRoot(root, base)
		if err != nil {
			return err
		}
		for _, i := range o.Imports {
			module := strings.TrimPrefix(i.Path, "node:")
			if _, is := lacking[module]; is && i.External {
				lacks = append(lacks, module)
			}
		}
		if format == "esm" && bytes.Contains(data, requireShim) {
			data = slices.Concat(requireMade, bytes.Replace(data, requireShim, requireHere, 1))
		}
		w.made[base] = data
	}
	if len(lacks) > 0 {
		return &lackingError{slices.Compact(slices.Sorted(slices.Values(lacks)))}
	}
	return nil
}

// readInRoot reads a file that esbuild wrote.
func readInRoot(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 4*maxBundle {
		return nil, fmt.Errorf("%w: esbuild's %s is no file of at most %d MiB", ErrInvalid, name, 4*maxBundle>>20)
	}
	data, err := root.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return data, nil
}
