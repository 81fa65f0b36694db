package policies

import (
	"regexp"
	"slices"
)

// keyPackages is the key of [Profile.Packages].
const keyPackages = "packages"

// MaxPackages is how many packages a profile may name.
const MaxPackages = 1000

// packageName is the form in which package indexes compare names.
var packageName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$`)

// packages reads the names of the packages that a profile allows. An empty list allows
// none. Whether they exist is for those to say who have them.
func (p *parser) packages(v value, d *declared) {
	list, ok := v.data.([]any)
	if !ok {
		p.addf(v.line(), `%s: want a list of packages such as ["jinja2", "tabulate"], not %s`, v.key, describe(v.data))
		return
	}
	if len(list) > MaxPackages {
		p.addf(v.line(), "%s: %d packages are above the maximum of %d", v.key, len(list), MaxPackages)
		return
	}
	names := []string{}
	for i, item := range list {
		line := v.node.item(i).line
		name, ok := item.(string)
		switch {
		case !ok:
			p.addf(line, "%s: want the name of a package in quotes, not %s", v.key, describe(item))
		case !packageName.MatchString(name):
			p.addf(line, "%s: %s cannot name a package; use lower-case letters, digits and '-', as \"sandboxd packages list\" does", v.key, quote(name))
		case slices.Contains(names, name):
			p.addf(line, "%s: %q is listed twice; delete one of the two", v.key, name)
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	d.packages = at[[]string]{names, v.line()}
}
