package policies

import (
	"maps"
	"slices"
	"strings"
)

// resolver fills in what profiles inherit.
type resolver struct {
	*parser
	file  *file
	base  map[string]*resolved // the built-in profiles
	ready map[string]*resolved
}

// resolve makes a policy of a file. What it returns is only good when there are
// no problems.
func (p *parser) resolve(f *file) *Policy {
	r := &resolver{parser: p, file: f, base: builtins(), ready: builtins()}
	for name := range f.profiles {
		delete(r.ready, name)
	}
	for _, name := range keysOf(f.profiles) {
		r.profile(name)
	}
	policy := &Policy{
		path: p.path, fallback: DefaultProfile, server: f.server, tokens: f.tokens, mcp: f.mcp, runtimes: f.runtimes, profiles: r.ready,
	}
	if f.fallback.value != "" {
		policy.fallback = f.fallback.value
		r.mustExist("default_profile", f.fallback)
	}
	r.secludeExternal(f)
	for _, name := range f.granted {
		r.mustExist("server.tokens.profiles", name)
	}
	return policy
}

// mustExist reports a name that is no profile.
func (r *resolver) mustExist(key string, name at[string]) bool {
	_, declared := r.file.profiles[name.value]
	_, builtin := r.base[name.value]
	if declared || builtin {
		return true
	}
	known := keysOf(r.file.profiles)
	for name := range r.base {
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	r.addf(name.line, "%s: there is no profile %q%s; profiles are %s",
		key, name.value, didYouMean(name.value, known), strings.Join(known, ", "))
	return false
}

// profile resolves one declared profile and everything it inherits from.
func (r *resolver) profile(name string) {
	var chain []*declared // the child before its parent
	for r.ready[name] == nil {
		d := r.file.profiles[name]
		if i := slices.Index(chain, d); i >= 0 {
			r.cycle(chain[i:])
			// Give the cycle an end, so that the rest can be looked at.
			r.ready[name] = r.base[DefaultProfile]
			break
		}
		chain = append(chain, d)
		parent, ok := r.parent(d)
		if !ok {
			break
		}
		name = parent
	}
	for _, d := range slices.Backward(chain) {
		parent, ok := r.parent(d)
		from := r.ready[parent]
		if !ok || from == nil {
			from = r.base[DefaultProfile]
		}
		if d.extends.value == "" && r.base[d.name] != nil {
			from = r.base[d.name]
		}
		r.ready[d.name] = r.derive(d, from)
	}
}

// parent names the declared or built-in profile that d starts from. It is not
// ok for a redefined built-in, which starts from its original, and where extends
// names nothing.
func (r *resolver) parent(d *declared) (string, bool) {
	if d.extends.value != "" {
		_, declared := r.file.profiles[d.extends.value]
		_, builtin := r.base[d.extends.value]
		return d.extends.value, declared || builtin
	}
	_, builtin := r.base[d.name]
	return DefaultProfile, !builtin
}

// cycle reports profiles that extend each other, at the first of them.
func (r *resolver) cycle(members []*declared) {
	i := 0 // the first that says extends; some do not, but start from strict
	for j, d := range members {
		if line := members[i].extends.line; d.extends.line > 0 && (line == 0 || d.extends.line < line) {
			i = j
		}
	}
	first := members[i]
	var names []string
	for _, d := range slices.Concat(members[i:], members[:i+1]) {
		names = append(names, d.name)
	}
	if len(members) == 1 {
		r.addf(first.extends.line, "profiles.%s.extends: a profile cannot extend itself; leave extends out", first.name)
		return
	}
	r.addf(first.extends.line, "profiles.%s.extends: goes in a circle (%s); let one of them extend another profile",
		first.name, strings.Join(names, " -> "))
}

// derive returns the parent with what d says on top.
func (r *resolver) derive(d *declared, parent *resolved) *resolved {
	if d.extends.value != "" {
		r.mustExist("profiles."+d.name+".extends", d.extends)
	}
	out := parent.clone()
	out.profile.Name = d.name
	for _, l := range limits {
		if v, ok := d.limits[l.key]; ok {
			l.set(out.profile, v.value)
			out.origin[l.key] = r.origin(v.line)
		}
	}
	if d.outputLimit.value != "" {
		out.profile.OutputLimit = d.outputLimit.value
		out.origin["output_limit"] = r.origin(d.outputLimit.line)
	}
	if d.overridable.value != nil {
		out.profile.Overridable = slices.Clone(d.overridable.value)
		out.origin["overridable"] = r.origin(d.overridable.line)
	}
	if d.packages.value != nil {
		out.profile.Packages = slices.Clone(d.packages.value)
		out.origin[keyPackages] = r.origin(d.packages.line)
	}
	if d.history != nil {
		out.profile.Sessions.History = d.history.value
		out.origin[keyHistory] = r.origin(d.history.line)
	}
	r.deriveEnv(d, out)
	r.deriveMounts(d, out)
	r.deriveNetwork(d, out)
	return out
}

func (r *resolver) deriveEnv(d *declared, out *resolved) {
	env := out.profile.Env
	for _, name := range keysOf(d.noEnv) {
		if _, ok := env[name]; !ok {
			r.addf(d.noEnv[name], "%s: false drops an inherited variable, and %q is not inherited%s; leave it out",
				joinKey("profiles."+d.name+".env", name), name, didYouMean(name, slices.Sorted(maps.Keys(env))))
		}
		delete(env, name)
	}
	for name, v := range d.env {
		env[name] = v.value
		out.origin["env."+name] = r.origin(v.line)
	}
	if len(env) > MaxEnv {
		r.addf(d.line, "profiles.%s.env: %d variables are above the maximum of %d", d.name, len(env), MaxEnv)
		clear(env) // children need not repeat it
	}
}

func (r *resolver) deriveMounts(d *declared, out *resolved) {
	for _, m := range d.mounts {
		out.profile.setMount(m.value)
		out.origin["mounts."+m.value.Guest] = r.origin(m.line)
	}
	// Only what d itself mounts can be its fault; each pair is reported once.
	for i, m := range d.mounts {
		if r.file.server.Audit.Holds(m.value.Host) {
			r.addf(m.line, "profiles.%s.mounts: host directory %q holds the audit log of line %d, which programs must not see; keep that elsewhere",
				d.name, m.value.Host, r.file.audit.line)
		}
		if r.file.server.Sessions.Holds(m.value.Host) {
			r.addf(m.line, "profiles.%s.mounts: host directory %q holds the sessions of line %d, which programs must not see; keep those elsewhere",
				d.name, m.value.Host, r.file.kept)
		}
		for _, other := range out.profile.Mounts {
			later := slices.IndexFunc(d.mounts, func(o at[Mount]) bool { return o.value == other })
			if other == m.value || later > i {
				continue
			}
			if clash := m.value.clash(other); clash != "" {
				r.addf(m.line, "profiles.%s.mounts: %s", d.name, clash)
			}
		}
	}
	if n := len(out.profile.Mounts); n > MaxMounts {
		r.addf(d.line, "profiles.%s.mounts: %d mounts are above the maximum of %d", d.name, n, MaxMounts)
		out.profile.Mounts = nil // children need not repeat it
	}
}
