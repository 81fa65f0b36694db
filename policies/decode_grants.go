package policies

import (
	"slices"
	"strings"
)

func (p *parser) overridable(v value, d *declared) {
	known := limitKeys()
	keys := p.words(v, `limit keys such as ["fuel", "timeout"]`, "the key of a limit", func(key string) error {
		if slices.Contains(known, key) {
			return nil
		}
		return invalidf("%s is not a limit%s; limits are %s", quote(key), didYouMean(key, known), strings.Join(known, ", "))
	})
	slices.Sort(keys)
	d.overridable = at[[]string]{keys, v.line()}
}

func (p *parser) env(v value, d *declared) {
	d.env, d.noEnv = map[string]at[string]{}, map[string]int{}
	vars, ok := v.data.(map[string]any)
	if !ok {
		p.addf(v.line(), `%s: want a table such as { LANG = "C.UTF-8" }, not %s`, v.key, describe(v.data))
		return
	}
	for _, name := range keysOf(vars) {
		line, key := v.node.at(name).line, joinKey(v.key, name)
		s, isString := vars[name].(string)
		switch err := checkEnv(name, s); {
		case err != nil:
			p.addf(line, "%s: %v", key, err)
		case isString:
			d.env[name] = at[string]{s, line}
		case vars[name] == false:
			d.noEnv[name] = line
		default:
			p.addf(line, "%s: want a string in quotes, or false to drop an inherited variable, not %s", key, describe(vars[name]))
		}
	}
}

func (p *parser) mounts(v value, d *declared) {
	list, ok := p.tables(v)
	if !ok {
		return
	}
	if len(list) > MaxMounts {
		p.addf(v.line(), "%s: %d mounts are above the maximum of %d", v.key, len(list), MaxMounts)
		return
	}
	for i, item := range list {
		p.mount(value{v.key, item, v.node.item(i)}, d)
	}
}

// tables returns the items of a list of tables, which need not all be tables.
func (p *parser) tables(v value) (list []any, ok bool) {
	switch data := v.data.(type) {
	case []any:
		return data, true
	case []map[string]any:
		for _, item := range data {
			list = append(list, item)
		}
		return list, true
	}
	p.addf(v.line(), "%s: want tables, written as [[%s]], not %s", v.key, v.key, describe(v.data))
	return nil, false
}

func (p *parser) mount(v value, d *declared) {
	host, guest := at[string]{line: v.line()}, at[string]{line: v.line()}
	mode := at[string]{"ro", v.line()}
	before := len(p.problems)
	p.table(v, fields{
		"host":  func(v value) { p.text(v, &host) },
		"guest": func(v value) { p.text(v, &guest) },
		"mode":  func(v value) { p.text(v, &mode) },
	})
	if len(p.problems) > before {
		return
	}
	writable, err := parseMode(mode.value)
	if err != nil {
		p.addf(mode.line, "%s.mode: %v", v.key, err)
	}
	if err := checkGuestPath(guest.value); err != nil {
		p.addf(guest.line, "%s.guest: %v", v.key, err)
	}
	dir, err := resolveHost(p.dir(), host.value)
	if err != nil {
		p.addf(host.line, "%s.host: %v", v.key, err)
	}
	if len(p.problems) > before {
		return
	}
	for _, earlier := range d.mounts {
		if earlier.value.Guest == guest.value {
			p.addf(guest.line, "%s.guest: %q is mounted on line %d already; delete one of the two", v.key, guest.value, earlier.line)
			return
		}
	}
	d.mounts = append(d.mounts, at[Mount]{Mount{Host: dir, Guest: guest.value, Writable: writable}, v.line()})
}
