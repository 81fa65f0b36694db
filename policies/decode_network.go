package policies

import (
	"net/netip"
	"path/filepath"
	"strings"
)

// declaredNetwork is what a file says of a profile's network.
type declaredNetwork struct {
	allow   at[[]Pattern]
	private at[[]netip.AddrPort]
	headers at[[]Header]
	limits  map[string]at[uint64] // by key
}

func (p *parser) network(v value, d *declaredNetwork) {
	d.limits = map[string]at[uint64]{}
	known := fields{
		"allow": func(v value) {
			d.allow = readList(p, v, `["GET https://api.example.com/v1/*"]`, parsePattern)
		},
		"private": func(v value) {
			d.private = readList(p, v, `["127.0.0.1:8080"]`, parsePrivate)
		},
		"headers": func(v value) { p.headers(v, &d.headers) },
	}
	for _, l := range networkLimits {
		known[strings.TrimPrefix(l.key, "network.")] = func(v value) {
			n, err := l.read(v.data)
			if err == nil {
				err = l.check(n)
			}
			if err != nil {
				p.addf(v.line(), "%s: %v", v.key, err)
				return
			}
			d.limits[l.key] = at[uint64]{n, v.line()}
		}
	}
	p.table(v, known)
}

// readList reads a list of strings, each of which read understands. The list is
// not nil when there is none in the file to inherit instead.
func readList[T any](p *parser, v value, example string, read func(string) (T, error)) at[[]T] {
	out := at[[]T]{[]T{}, v.line()}
	list, ok := v.data.([]any)
	if !ok {
		p.addf(v.line(), "%s: want a list such as %s, not %s", v.key, example, describe(v.data))
		return out
	}
	if len(list) > MaxPatterns {
		p.addf(v.line(), "%s: %d entries are above the maximum of %d", v.key, len(list), MaxPatterns)
		return out
	}
	for i, item := range list {
		line := v.node.item(i).line
		s, ok := item.(string)
		if !ok {
			p.addf(line, "%s: want strings such as in %s, not %s", v.key, example, describe(item))
			continue
		}
		parsed, err := read(s)
		if err != nil {
			p.addf(line, "%s: %v", v.key, err)
			continue
		}
		out.value = append(out.value, parsed)
	}
	return out
}

// parsePrivate reads an address and port.
func parsePrivate(s string) (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(s)
	switch addr := a.Addr(); {
	case err != nil || a.Port() == 0 || addr.Zone() != "":
		return a, invalidf(`%s is not an address and a port; write it as "127.0.0.1:8080" or "[::1]:8080"`, quote(s))
	case addr.Is4In6():
		return a, invalidf("%s is an IPv4 address in disguise; write %s", quote(s), netip.AddrPortFrom(addr.Unmap(), a.Port()))
	case addr.IsUnspecified(), addr.IsMulticast():
		return a, invalidf("%s is no address of one machine; name the one that is meant", quote(s))
	}
	return a, nil
}

func (p *parser) headers(v value, to *at[[]Header]) {
	*to = at[[]Header]{[]Header{}, v.line()}
	list, ok := p.tables(v)
	if !ok {
		return
	}
	if len(list) > MaxPatterns {
		p.addf(v.line(), "%s: %d headers are above the maximum of %d", v.key, len(list), MaxPatterns)
		return
	}
	for i, item := range list {
		p.header(value{v.key, item, v.node.item(i)}, to)
	}
}

func (p *parser) header(v value, to *at[[]Header]) {
	var match, name, prefix, env, file at[string]
	before := len(p.problems)
	p.table(v, fields{
		"match":  func(v value) { p.text(v, &match) },
		"name":   func(v value) { p.text(v, &name) },
		"prefix": func(v value) { p.text(v, &prefix) },
		"env":    func(v value) { p.text(v, &env) },
		"file":   func(v value) { p.text(v, &file) },
		"value": func(v value) {
			p.addf(v.line(), `%s: a policy file holds no secrets, as it is shown and shared; name a variable of sandboxd's own environment with "env", or a file with "file"`, v.key)
		},
	})
	if len(p.problems) > before {
		return
	}
	h := Header{Name: name.value, Prefix: prefix.value, Env: env.value, File: file.value}
	switch {
	case !IsHeaderName(h.Name):
		p.addf(max(name.line, v.line()), `%s.name: %s cannot name a header; write one such as "Authorization"`, v.key, quote(h.Name))
	case ReservedHeader(h.Name):
		p.addf(name.line, "%s.name: %s is set by sandboxd itself; choose another header", v.key, quote(h.Name))
	case !IsHeaderValue(h.Prefix):
		p.addf(prefix.line, "%s.prefix: %s holds a character that no header can", v.key, quote(h.Prefix))
	case (h.Env == "") == (h.File == ""):
		p.addf(v.line(), `%s: write either env = "VARIABLE" or file = "path", where the value is found`, v.key)
	case h.Env != "" && (strings.ContainsAny(h.Env, "=\x00") || len(h.Env) > MaxEnvName):
		p.addf(env.line, "%s.env: %s cannot name a variable", v.key, quote(h.Env))
	}
	var err error
	if h.Match, err = parseURLPattern(match.value); err != nil {
		p.addf(max(match.line, v.line()), "%s.match: %v", v.key, err)
	} else if h.Match.Scheme == "http" && !isNear(h.Match.Host) {
		p.addf(match.line, "%s.match: http would show the secret to everyone on the way; use https", v.key)
	}
	if h.File != "" && !filepath.IsAbs(h.File) {
		if h.File, err = filepath.Abs(filepath.Join(p.dir(), h.File)); err != nil {
			p.addf(file.line, "%s.file: %v", v.key, err)
		}
	}
	if len(p.problems) == before {
		to.value = append(to.value, h)
	}
}

// isNear says whether a host is this machine or a private address, where plain
// HTTP is what is spoken.
func isNear(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast())
}

// IsHeaderValue says whether s can be the value of a header or a part of one:
// visible ASCII and spaces, at most 8 KiB.
func IsHeaderValue(s string) bool {
	ok := len(s) <= 8<<10
	for i := range len(s) {
		ok = ok && ' ' <= s[i] && s[i] <= '~'
	}
	return ok
}

// deriveNetwork merges by key: what d sets replaces what it inherits.
func (r *resolver) deriveNetwork(d *declared, out *resolved) {
	n := &out.profile.Network
	if v := d.network.allow; v.value != nil {
		n.Allow, out.origin["network.allow"] = v.value, r.origin(v.line)
	}
	if v := d.network.private; v.value != nil {
		n.Private, out.origin["network.private"] = v.value, r.origin(v.line)
	}
	if v := d.network.headers; v.value != nil {
		n.Headers, out.origin["network.headers"] = v.value, r.origin(v.line)
	}
	for _, l := range networkLimits {
		if v, ok := d.network.limits[l.key]; ok {
			l.set(n, v.value)
			out.origin[l.key] = r.origin(v.line)
		}
	}
}
