package policies

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	for _, s := range r.settings(true) {
		r.origin[s.Key] = origin
	}
	return r
}

func (r *resolved) clone() *resolved {
	return &resolved{profile: r.profile.clone(), origin: maps.Clone(r.origin)}
}

// Explain returns the effective value of every key of the named profile ("" is
// the default one) and where it came from: limits first, then output_limit,
// overridable, sessions.history and packages if they are limited, then variables and mounts in alphabetical
// order, then the network if any is granted. An unknown name is [ErrNotFound].
func (p *Policy) Explain(name string) ([]Setting, error) {
	r, err := p.find(name)
	if err != nil {
		return nil, err
	}
	return r.settings(false), nil
}

// settings lists the values; all of them, or those that have an effect.
func (r *resolved) settings(all bool) []Setting {
	var out []Setting
	add := func(key, value string) {
		from := key
		if key == keyFileSize && r.profile.Disk.FileSize == 0 {
			from = keyQuota
		}
		out = append(out, Setting{Key: key, Value: value, Origin: r.origin[from]})
	}
	for _, l := range limits {
		add(l.key, l.format(l.get(r.profile)))
	}
	add("output_limit", r.profile.OutputLimit)
	add("overridable", "["+strings.Join(r.profile.Overridable, ", ")+"]")
	add(keyHistory, strconv.Itoa(r.profile.Sessions.History))
	if r.profile.Packages != nil {
		add(keyPackages, "["+strings.Join(r.profile.Packages, ", ")+"]")
	}
	for _, name := range slices.Sorted(maps.Keys(r.profile.Env)) {
		add("env."+name, r.profile.Env[name])
	}
	for _, m := range r.profile.Mounts {
		add("mounts."+m.Guest, m.Host+" ("+m.mode()+")")
	}
	n := &r.profile.Network
	if len(n.Allow) == 0 && !all {
		return out
	}
	add("network.allow", listOf(n.Allow))
	for _, l := range networkLimits {
		add(l.key, l.format(l.get(n)))
	}
	add("network.private", listOf(n.Private))
	headers := make([]string, len(n.Headers))
	for i, h := range n.Headers {
		headers[i] = h.Name + " for " + h.Match.String() + " from " + h.source()
	}
	add("network.headers", "["+strings.Join(headers, ", ")+"]")
	return out
}

func listOf[T fmt.Stringer](items []T) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.String()
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
