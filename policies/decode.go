package policies

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// at is a value with the line it was written on.
type at[T any] struct {
	value T
	line  int
}

// file is what a policy file says, each value checked by itself.
type file struct {
	fallback at[string] // default_profile; "" when not said
	server   Server
	audit    at[string] // the path of server.audit.file, as in server
	kept     int        // the line of server.sessions
	tokens   []Token
	mcp      MCP
	external int          // the line of mcp.external_files
	granted  []at[string] // the profiles of tokens
	runtimes map[string]Runtime
	profiles map[string]*declared
}

// declared is what a file says of one profile; what it leaves out is inherited.
type declared struct {
	name    string
	line    int
	extends at[string]

	limits      map[string]at[uint64] // by limit key
	env         map[string]at[string]
	noEnv       map[string]int // inherited names to leave out, with their line
	mounts      []at[Mount]
	outputLimit at[string]
	overridable at[[]string]
	network     declaredNetwork
	history     *at[int]     // sessions.history; nil when not said
	packages    at[[]string] // the value is nil when not said
}

// value is a decoded TOML value on its way to its place.
type value struct {
	key  string // the dotted key, for messages
	data any
	node *node
}

func (v value) line() int { return v.node.line }

// fields says what reads each key of a table.
type fields map[string]func(value)

// table hands each key of a table to its reader, in alphabetical order, and
// reports keys that have none. Key case counts: a limit must not hide behind
// another spelling.
func (p *parser) table(v value, known fields) {
	t, ok := v.data.(map[string]any)
	if !ok {
		p.addf(v.line(), "%s: want a table, not %s", v.key, describe(v.data))
		return
	}
	for _, key := range keysOf(t) {
		child := value{joinKey(v.key, key), t[key], v.node.at(key)}
		if read, ok := known[key]; ok {
			read(child)
			continue
		}
		p.unknown(child, key, keysOf(known))
	}
}

func (p *parser) unknown(v value, key string, known []string) {
	near := nearest(key, known)
	switch {
	case near != "" && strings.EqualFold(near, key):
		p.addf(v.line(), "unknown key %s (did you mean %q? case counts)", v.key, near)
	case near != "":
		p.addf(v.line(), "unknown key %s (did you mean %q?)", v.key, near)
	case slices.Contains([]string{"quota", "files", "file_size", "depth", "open_files"}, key):
		p.addf(v.line(), "unknown key %s (did you mean \"disk.%s\"?)", v.key, key)
	default:
		p.addf(v.line(), "unknown key %s; known keys here: %s", v.key, strings.Join(known, ", "))
	}
}

// decode reads the whole document.
func (p *parser) decode(doc map[string]any, lines *node) *file {
	f := &file{profiles: map[string]*declared{}}
	known := fields{
		"default_profile": func(v value) { p.text(v, &f.fallback) },
		"server":          func(v value) { p.server(v, f) },
		"mcp":             func(v value) { p.agents(v, f) },
		"profiles":        func(v value) { p.profiles(v, f) },
		"runtimes":        func(v value) { p.runtimes(v, f) },
	}
	for _, key := range keysOf(doc) {
		if _, ok := known[key]; ok {
			continue
		}
		// The usual slips at the top: a profile's key, or a profile, left out
		// of its table.
		_, isTable := doc[key].(map[string]any)
		_, isProfileKey := p.profileFields(&declared{})[key]
		switch line := lines.at(key).line; {
		case isProfileKey:
			p.addf(line, "unknown key %s; it belongs in a profile, below [profiles.NAME]", key)
		case isTable && checkName(key) == nil && nearest(key, keysOf(known)) == "":
			p.addf(line, "unknown key %s; a profile is written as [profiles.%s]", key, key)
		default:
			continue
		}
		delete(doc, key)
	}
	p.table(value{"", doc, lines}, known)
	return f
}

func (p *parser) server(v value, f *file) {
	s := &f.server
	p.table(v, fields{
		"max_concurrent": func(v value) { s.MaxConcurrent = p.count(v, MaxConcurrentLimit) },
		"queue":          func(v value) { s.Queue = p.count(v, MaxQueueLimit) },
		"audit":          func(v value) { p.audit(v, f) },
		"sessions":       func(v value) { p.serverSessions(v, f) },
		"harden":         func(v value) { s.Harden = p.harden(v) },
		"listen":         func(v value) { p.listen(v, &s.Listen) },
		"tokens":         func(v value) { p.tokens(v, f) },
	})
}

// harden reads whether the process gives up what it does not need.
func (p *parser) harden(v value) Hardening {
	switch v.data {
	case true:
		return HardenAlways
	case false:
		return HardenNever
	}
	p.addf(v.line(), "%s: want true or false, not %s", v.key, describe(v.data))
	return HardenIfPossible
}

// count reads a server setting.
func (p *parser) count(v value, most int64) int {
	n, ok := v.data.(int64)
	switch {
	case !ok:
		p.addf(v.line(), "%s: want a whole number, not %s", v.key, describe(v.data))
	case n == 0:
		p.addf(v.line(), "%s: 0 is refused; leave the key out to let sandboxd decide, or set at least 1", v.key)
	case n < 0:
		p.addf(v.line(), "%s: %d is negative; set at least 1", v.key, n)
	case n > most:
		p.addf(v.line(), "%s: %d is above the maximum of %d", v.key, n, most)
	default:
		return int(n)
	}
	return 0
}

func (p *parser) profiles(v value, f *file) {
	t, ok := v.data.(map[string]any)
	if !ok {
		p.addf(v.line(), "%s: want tables, written as [profiles.NAME], not %s", v.key, describe(v.data))
		return
	}
	for _, name := range keysOf(t) {
		child := value{joinKey(v.key, name), t[name], v.node.at(name)}
		if err := checkName(name); err != nil {
			p.addf(child.line(), "%s: %v", child.key, err)
			continue
		}
		d := &declared{name: name, line: child.line()}
		f.profiles[name] = d
		p.table(child, p.profileFields(d))
	}
}

// checkName keeps names to what can be typed anywhere, and to one case, so that
// no two profiles look the same.
func checkName(name string) error {
	const longest = 64
	ok := name != "" && len(name) <= longest
	for i := range len(name) {
		c := name[i]
		ok = ok && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || i > 0 && (c == '-' || c == '_'))
	}
	if ok {
		return nil
	}
	return invalidf("%s cannot name a profile; use lower-case letters, digits, '-' and '_', at most %d, starting with a letter or a digit", quote(name), longest)
}

func (p *parser) profileFields(d *declared) fields {
	d.limits = map[string]at[uint64]{}
	known := fields{
		"extends":      func(v value) { p.text(v, &d.extends) },
		"disk":         func(v value) { p.table(v, p.limitFields(d, "disk.")) },
		"tools":        func(v value) { p.table(v, p.limitFields(d, "tools.")) },
		"env":          func(v value) { p.env(v, d) },
		"mounts":       func(v value) { p.mounts(v, d) },
		"network":      func(v value) { p.network(v, &d.network) },
		"output_limit": func(v value) { p.outputLimit(v, d) },
		"overridable":  func(v value) { p.overridable(v, d) },
		"packages":     func(v value) { p.packages(v, d) },
		"sessions":     func(v value) { p.sessions(v, d) },
	}
	maps.Copy(known, p.limitFields(d, ""))
	return known
}

// sessions reads the sessions table of a profile.
func (p *parser) sessions(v value, d *declared) {
	p.table(v, fields{"history": func(v value) {
		n, ok := v.data.(int64)
		switch {
		case !ok:
			p.addf(v.line(), "%s: want a whole number, not %s", v.key, describe(v.data))
		case n < 0:
			p.addf(v.line(), "%s: %d is negative; 0 keeps no earlier turns", v.key, n)
		case n > MaxHistory:
			p.addf(v.line(), "%s: %d is above the maximum of %d", v.key, n, MaxHistory)
		default:
			d.history = &at[int]{int(n), v.line()}
		}
	}})
}

// limitFields returns the readers of the limits directly below a prefix.
func (p *parser) limitFields(d *declared, prefix string) fields {
	known := fields{}
	for _, l := range limits {
		key, ok := strings.CutPrefix(l.key, prefix)
		if !ok || strings.Contains(key, ".") {
			continue
		}
		known[key] = func(v value) {
			n, err := l.read(v.data)
			if err == nil {
				err = l.check(amount{n, l.format(n)})
			}
			if err != nil {
				p.addf(v.line(), "%s: %v", v.key, err)
				return
			}
			d.limits[l.key] = at[uint64]{n, v.line()}
		}
	}
	return known
}

// maxText bounds names, paths and words: no host takes longer paths.
const maxText = 4096

// text reads a string that is not empty.
func (p *parser) text(v value, to *at[string]) {
	s, ok := v.data.(string)
	switch {
	case !ok:
		p.addf(v.line(), "%s: want a string, not %s", v.key, describe(v.data))
	case s == "":
		p.addf(v.line(), "%s: is empty; write a value or leave the key out", v.key)
	case len(s) > maxText:
		p.addf(v.line(), "%s: %d bytes are above the maximum of %d", v.key, len(s), maxText)
	default:
		*to = at[string]{s, v.line()}
	}
}

// words reads a list of strings, of which each is there once and check takes it. Messages
// call the list and what is in it by the words given.
func (p *parser) words(v value, all, one string, check func(string) error) []string {
	list, ok := v.data.([]any)
	if !ok {
		p.addf(v.line(), "%s: want a list of %s, not %s", v.key, all, describe(v.data))
		return nil
	}
	words := []string{}
	for i, item := range list {
		line := v.node.item(i).line
		word, ok := item.(string)
		if !ok {
			p.addf(line, "%s: want %s in quotes, not %s", v.key, one, describe(item))
			continue
		}
		if err := check(word); err != nil {
			p.addf(line, "%s: %v", v.key, err)
			continue
		}
		if slices.Contains(words, word) {
			p.addf(line, "%s: %s is listed twice; delete one of the two", v.key, quote(word))
			continue
		}
		words = append(words, word)
	}
	return words
}

func (p *parser) outputLimit(v value, d *declared) {
	var s at[string]
	if p.text(v, &s); s.value == "" {
		return
	}
	if s.value != OutputTruncate && s.value != OutputStop {
		p.addf(v.line(), `%s: %s is unknown; write %q (extra output is discarded) or %q (the program is stopped)`,
			v.key, quote(s.value), OutputTruncate, OutputStop)
		return
	}
	d.outputLimit = s
}

// describe names the type of a decoded TOML value.
func describe(v any) string {
	switch v := v.(type) {
	case string:
		return "the string " + quote(v)
	case int64:
		return "a number"
	case float64:
		return "a decimal number"
	case bool:
		if v {
			return "true"
		}
		return "false"
	case time.Time:
		return "a date or time"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	default:
		return "a value of an unknown type"
	}
}

// joinKey appends to a dotted key, quoting what would not be readable bare.
func joinKey(prefix, key string) string {
	bare := key != ""
	for i := range len(key) {
		bare = bare && isBare(key[i])
	}
	if !bare || len(key) > MaxEnvName {
		key = quote(key)
	}
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// keysOf returns the keys of a map in order.
func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
