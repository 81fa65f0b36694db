package policies

import (
	"maps"
	"slices"
	"strings"
)

// Setting is one effective value of a profile.
type Setting struct {
	// Key is the value's name below profiles.NAME: "fuel", "disk.quota",
	// "env.LANG", "mounts./data".
	Key string
	// Value is the value as text, such as "500_000_000", "32MiB" or "10s".
	Value string
	// Origin is where the value was set: "built-in strict", or the file and
	// line, such as "sandbox.toml:12".
	Origin string
}

// resolved is a complete profile with the origin of each of its keys.
type resolved struct {
	profile *Profile
	origin  map[string]string
}

// newResolved returns p with every key it has now from one origin.
func newResolved(p *Profile, origin string) *resolved {
	r := &resolved{profile: p, origin: map[string]string{}}
	for _, s := range r.settings() {
		r.origin[s.Key] = origin
	}
	return r
}

func (r *resolved) clone() *resolved {
	return &resolved{profile: r.profile.clone(), origin: maps.Clone(r.origin)}
}

// Explain returns the effective value of every key of the named profile ("" is
// the default one) and where it came from: limits first, then output_limit and
// overridable, then variables and mounts in alphabetical order. An unknown name
// is [ErrNotFound].
func (p *Policy) Explain(name string) ([]Setting, error) {
	r, err := p.find(name)
	if err != nil {
		return nil, err
	}
	return r.settings(), nil
}

func (r *resolved) settings() []Setting {
	var out []Setting
	add := func(key, value string) {
		out = append(out, Setting{Key: key, Value: value, Origin: r.origin[key]})
	}
	for _, l := range limits {
		add(l.key, l.format(l.get(r.profile)))
	}
	add("output_limit", r.profile.OutputLimit)
	add("overridable", "["+strings.Join(r.profile.Overridable, ", ")+"]")
	for _, name := range slices.Sorted(maps.Keys(r.profile.Env)) {
		add("env."+name, r.profile.Env[name])
	}
	for _, m := range r.profile.Mounts {
		add("mounts."+m.Guest, m.Host+" ("+m.mode()+")")
	}
	return out
}
