package policies

import (
	"regexp"
	"slices"
)

// MaxPreload is how many packages a runtime may be told to preload.
const MaxPreload = 100

// preloadName is the name of a package, or of a module in one.
var preloadName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,198}[A-Za-z0-9_])?$`)

// Runtime holds a [runtimes.NAME] table: settings of one language's runtime.
type Runtime struct {
	// Preload are packages, or modules of packages, that programs find imported, in
	// the order of the file and without repetitions. Whether they exist is for those
	// to say who have them.
	Preload []string
	// Origin is where Preload was said, as in "sandbox.toml:12".
	Origin string
}

// runtimes reads the [runtimes] table.
func (p *parser) runtimes(v value, f *file) {
	t, ok := v.data.(map[string]any)
	if !ok {
		p.addf(v.line(), "%s: want tables, written as [runtimes.NAME], not %s", v.key, describe(v.data))
		return
	}
	f.runtimes = map[string]Runtime{}
	for _, name := range keysOf(t) {
		var r Runtime
		child := value{joinKey(v.key, name), t[name], v.node.at(name)}
		r.Origin = p.origin(child.line())
		p.table(child, fields{"preload": func(v value) { p.preload(v, &r) }})
		f.runtimes[name] = r
	}
}

// preload reads what is to be preloaded.
func (p *parser) preload(v value, r *Runtime) {
	r.Origin = p.origin(v.line())
	list, ok := v.data.([]any)
	if !ok {
		p.addf(v.line(), `%s: want a list of packages such as ["jinja2", "openpyxl"], not %s`, v.key, describe(v.data))
		return
	}
	if len(list) > MaxPreload {
		p.addf(v.line(), "%s: %d packages are above the maximum of %d", v.key, len(list), MaxPreload)
		return
	}
	for i, item := range list {
		line := v.node.item(i).line
		name, ok := item.(string)
		switch {
		case !ok:
			p.addf(line, "%s: want the name of a package in quotes, not %s", v.key, describe(item))
		case !preloadName.MatchString(name):
			p.addf(line, "%s: %s cannot name a package or a module; write one that \"sandboxd packages list\" shows, or a module in it such as \"openpyxl.chart\"", v.key, quote(name))
		case slices.Contains(r.Preload, name):
			p.addf(line, "%s: %q is listed twice; delete one of the two", v.key, name)
		default:
			r.Preload = append(r.Preload, name)
		}
	}
}
