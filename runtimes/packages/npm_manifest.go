package packages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// manifest is what a package.json says that matters here. Authors write what they like:
// what is not of the expected kind is as if it were not there.
type manifest struct {
	description, kind, main, module, browser string
	exports                                  *exports
	installs                                 bool
}

// maxManifest bounds a package.json, in bytes.
const maxManifest = 2 << 20

// parseManifest reads a package.json.
func parseManifest(data []byte) (*manifest, error) {
	if len(data) > maxManifest {
		return nil, fmt.Errorf("%w: package.json has more than %d MiB", ErrInvalid, maxManifest>>20)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &raw); err != nil {
		return nil, fmt.Errorf("%w: package.json: %w", ErrInvalid, err)
	}
	text := func(key string) string {
		var s string
		_ = json.Unmarshal(raw[key], &s) // otherwise it is not there
		return s
	}
	m := &manifest{description: oneLine(text("description")), kind: text("type"), main: text("main"), module: text("module"), browser: text("browser")}
	var scripts map[string]json.RawMessage
	_ = json.Unmarshal(raw["scripts"], &scripts)
	var gyp bool
	_ = json.Unmarshal(raw["gypfile"], &gyp)
	m.installs = gyp
	for _, s := range []string{"preinstall", "install", "postinstall"} {
		_, there := scripts[s]
		m.installs = m.installs || there
	}
	if given, ok := raw["exports"]; ok && string(given) != "null" {
		e, err := parseExports(given)
		if err != nil {
			return nil, fmt.Errorf("%w: package.json: exports: %w", ErrInvalid, err)
		}
		m.exports = e
	}
	return m, nil
}

// oneLine makes a text fit to be a summary.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(unprintable.ReplaceAllString(s, " ")), " ")
	if len(s) > maxSummary {
		s = s[:maxSummary]
	}
	return s
}

// exports is a value of "exports": a path, alternatives, or values by subpath or
// condition, whose order counts. All zero is null.
type exports struct {
	text   string
	list   []exports
	keys   []string
	values []exports // by keys
}

// Bounds of "exports".
const (
	maxExports      = 20_000
	maxExportsDepth = 20
)

// parseExports reads "exports", with the order of its keys.
func parseExports(data []byte) (*exports, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	left := maxExports
	e, err := readExports(d, maxExportsDepth, &left)
	if err != nil {
		return nil, err
	}
	return &e, nil
}

func readExports(d *json.Decoder, depth int, left *int) (exports, error) {
	var e exports
	*left--
	if depth == 0 || *left < 0 {
		return e, errors.New("too many values, or too deep in each other")
	}
	token, err := d.Token()
	if err != nil {
		return e, err
	}
	switch t := token.(type) {
	case string:
		e.text = t
	case json.Delim:
		for d.More() {
			if t == '{' {
				key, err := d.Token()
				if err != nil {
					return e, err
				}
				e.keys = append(e.keys, fmt.Sprint(key))
			}
			value, err := readExports(d, depth-1, left)
			if err != nil {
				return e, err
			}
			if t == '{' {
				e.values = append(e.values, value)
			} else {
				e.list = append(e.list, value)
			}
		}
		_, err = d.Token()
	}
	return e, err
}

// choose is the path that conditions choose, in the order of the file; empty if there is
// none. decided says that null was chosen, which ends the search.
func (e *exports) choose(conditions []string) (to string, decided bool) {
	switch {
	case e.text != "":
		return e.text, true
	case e.list != nil:
		for i := range e.list {
			if to, _ := e.list[i].choose(conditions); to != "" {
				return to, true
			}
		}
		return "", false
	case e.keys != nil:
		for i, key := range e.keys {
			if key != "default" && !slices.Contains(conditions, key) {
				continue
			}
			if to, decided := e.values[i].choose(conditions); decided {
				return to, true
			}
		}
		return "", false
	}
	return "", true
}

// subpath is the value of one key such as "./locale"; nil if there is none. Of patterns,
// the longest before its star wins, and star is what stood for it.
func (e *exports) subpath(key string) (value *exports, star string) {
	if !e.mapped() {
		if key == "." {
			return e, ""
		}
		return nil, ""
	}
	best := -1
	for i, k := range e.keys {
		before, after, pattern := strings.Cut(k, "*")
		switch {
		case k == key && !pattern:
			return &e.values[i], ""
		case pattern && len(key) >= len(before)+len(after) && strings.HasPrefix(key, before) && strings.HasSuffix(key, after) && len(before) > best:
			best, value, star = len(before), &e.values[i], key[len(before):len(key)-len(after)]
		}
	}
	return value, star
}

// mapped says whether the keys are subpaths, not conditions.
func (e *exports) mapped() bool {
	return slices.ContainsFunc(e.keys, func(k string) bool { return strings.HasPrefix(k, ".") })
}

// npmEntry is what programs can import of a package.
type npmEntry struct {
	subpath string // empty for the package itself
	imports string // the file for import, in the package; empty if there is none
	require string // and for require
}

// conditions are what a program is to the authors of packages.
type conditions struct{ imports, require []string }

var (
	likeNode    = conditions{[]string{"node", "import", "module-sync"}, []string{"node", "require", "module-sync"}}
	likeBrowser = conditions{[]string{"browser", "import", "module"}, []string{"browser", "require"}}
)

// maxAutomatic is how many subpaths are bundled without being asked for.
const maxAutomatic = 24

// entries are what a package offers: itself, the subpaths that are asked for, and those
// that its exports name one by one, unless they are more than most. is says whether the
// package has a file.
func (m *manifest) entries(c conditions, wanted []string, most int, is func(string) bool) ([]npmEntry, error) {
	all := append([]string{""}, wanted...)
	if m.exports != nil {
		if named := m.named(c, is); len(named) <= most {
			all = append(all, named...)
		}
	}
	var found []npmEntry
	for _, s := range all {
		e := npmEntry{subpath: s}
		if m.exports == nil {
			e.require = m.byFile(s, c, is)
			e.imports = e.require
		} else {
			e.imports = m.exported(s, c.imports, is)
			e.require = m.exported(s, c.require, is)
		}
		if e.imports == "" && e.require == "" {
			if s == "" {
				return nil, errors.New("has no JavaScript that a program could import")
			}
			return nil, fmt.Errorf("has nothing to import at %q", s)
		}
		found = append(found, e)
	}
	return found, nil
}

// named are the subpaths that exports name and that are JavaScript.
func (m *manifest) named(c conditions, is func(string) bool) []string {
	var found []string
	for _, key := range m.exports.keys {
		s, ok := strings.CutPrefix(key, "./")
		if !ok || strings.Contains(key, "*") || !isSubpath(s) || path.Ext(s) == ".json" {
			continue
		}
		if m.exported(s, c.imports, is) != "" || m.exported(s, c.require, is) != "" {
			found = append(found, s)
		}
	}
	return found
}

// exported is the file of a subpath by exports. A package could name files of others, or
// outside of all: what its path leads to must be below the package.
func (m *manifest) exported(s string, conditions []string, is func(string) bool) string {
	key := "."
	if s != "" {
		key = "./" + s
	}
	value, star := m.exports.subpath(key)
	if value == nil {
		return ""
	}
	to, _ := value.choose(conditions)
	to = strings.ReplaceAll(to, "*", star)
	name, ok := strings.CutPrefix(to, "./")
	if !ok || !fs.ValidPath(name) || slices.Contains(strings.Split(name, "/"), nodeModules) {
		return ""
	}
	if !isScript(name) || !is(name) {
		return ""
	}
	return name
}

// byFile is the file of a subpath of a package without exports.
func (m *manifest) byFile(s string, c conditions, is func(string) bool) string {
	candidates := []string{s}
	if s == "" {
		candidates = []string{m.main, "index", m.module}
		if slices.Contains(c.require, "browser") {
			candidates = slices.Insert(candidates, 0, m.browser)
		}
	}
	for _, name := range candidates {
		name = strings.TrimPrefix(path.Clean("/"+name), "/")
		if name == "" {
			continue
		}
		for _, full := range []string{name, name + ".js", name + ".cjs", name + ".mjs", name + "/index.js", name + "/index.cjs", name + "/index.mjs"} {
			if isScript(full) && is(full) {
				return full
			}
		}
	}
	return ""
}

// isScript says whether a file is one that can be run.
func isScript(name string) bool {
	ext := path.Ext(name)
	return ext != ".json" && slices.Contains(sourceEndings, ext) && !strings.HasSuffix(strings.TrimSuffix(name, ext), ".d")
}
