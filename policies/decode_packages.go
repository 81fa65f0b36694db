package policies

import (
	"regexp"
	"slices"
)

// keyPackages is the key of [Profile.Packages].
const keyPackages = "packages"

// MaxPackages is how many packages a profile may name.
const MaxPackages = 1000

// packageName is the form of names in package indexes: Python's compare them in lower case
// with '-' between words, and npm has scopes and more punctuation.
var packageName = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._~-]{0,98}/)?[a-z0-9]([a-z0-9._~-]{0,98}[a-z0-9])?$`)

// packages reads the names of the packages that a profile allows. An empty list allows
// none. Whether they exist is for those to say who have them.
func (p *parser) packages(v value, d *declared) {
	if list, _ := v.data.([]any); len(list) > MaxPackages {
		p.addf(v.line(), "%s: %d packages are above the maximum of %d", v.key, len(list), MaxPackages)
		return
	}
	names := p.words(v, `packages such as ["jinja2", "tabulate"]`, "the name of a package", func(name string) error {
		if packageName.MatchString(name) {
			return nil
		}
		return invalidf("%s cannot name a package; use lower-case letters, digits, '-', '.' and '_', as \"sandboxd packages list\" does", quote(name))
	})
	slices.Sort(names)
	d.packages = at[[]string]{names, v.line()}
}
