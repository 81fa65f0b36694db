package policies

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"slices"
	"strconv"
	"strings"
)

// listen reads the [server.listen] table.
func (p *parser) listen(v value, l *Listen) {
	var socket, tcp, cert, key at[string]
	p.table(v, fields{
		"socket": func(v value) { p.text(v, &socket) },
		"tcp":    func(v value) { p.text(v, &tcp) },
		"cert":   func(v value) { p.text(v, &cert) },
		"key":    func(v value) { p.text(v, &key) },
	})
	for _, path := range []struct {
		name string
		said at[string]
		to   *string
	}{{"socket", socket, &l.Socket}, {"cert", cert, &l.Cert}, {"key", key, &l.Key}} {
		if path.said.value == "" {
			continue
		}
		file, err := resolveFile(p.dir(), path.said.value)
		if err != nil {
			p.addf(path.said.line, "%s.%s: %v", v.key, path.name, err)
			continue
		}
		*path.to = file
	}
	if tcp.value != "" {
		if err := CheckAddress(tcp.value); err != nil {
			p.addf(tcp.line, "%s.tcp: %v", v.key, err)
		}
		l.TCP = tcp.value
	}
	if (cert.value == "") != (key.value == "") {
		p.addf(max(cert.line, key.line), "%s: a certificate needs its key; write both cert and key", v.key)
	}
	if cert.value != "" && tcp.value == "" {
		p.addf(cert.line, `%s.cert: is for TCP; write an address as well, such as tcp = "0.0.0.0:8443"`, v.key)
	}
}

// CheckAddress checks an address to listen on: a host, which may be empty for all
// interfaces, and a port.
func CheckAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return invalidf(`%s is no address; write one such as "127.0.0.1:8080"`, quote(address))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return invalidf("%s: the port must be a number from 0 to 65535", quote(address))
	}
	if strings.ContainsAny(host, " \t/") {
		return invalidf(`%s is no address; write one such as "127.0.0.1:8080"`, quote(address))
	}
	return nil
}

// tokens reads the [[server.tokens]] tables.
func (p *parser) tokens(v value, f *file) {
	list, ok := p.tables(v)
	if !ok {
		return
	}
	if len(list) > MaxTokens {
		p.addf(v.line(), "%s: %d tokens are above the maximum of %d", v.key, len(list), MaxTokens)
		return
	}
	names, hashes := map[string]int{}, map[[sha256.Size]byte]int{}
	for i, item := range list {
		n := v.node.item(i)
		t, said := p.token(value{v.key, item, n}, f)
		if first, taken := names[t.Name]; taken && t.Name != "" {
			p.addf(said.name.line, "%s.name: %s is the token of line %d as well; give each its own name", v.key, quote(t.Name), first)
		}
		if first, taken := hashes[t.Hash]; taken && said.hash.value != "" {
			p.addf(said.hash.line, `%s.hash: is that of line %d as well; make a token for each with "sandboxd tokens new"`, v.key, first)
		}
		names[t.Name], hashes[t.Hash] = said.name.line, said.hash.line
		f.tokens = append(f.tokens, t)
	}
}

// saidToken is where a token's keys were written.
type saidToken struct{ name, hash at[string] }

func (p *parser) token(v value, f *file) (t Token, said saidToken) {
	before := len(p.problems)
	var owner at[string]
	p.table(v, fields{
		"name":          func(v value) { p.text(v, &said.name) },
		"hash":          func(v value) { p.text(v, &said.hash) },
		"owner":         func(v value) { p.text(v, &owner) },
		"profiles":      func(v value) { t.Profiles = p.tokenProfiles(v, f) },
		"rate":          func(v value) { t.Rate = p.rate(v, "executions", "to set no limit") },
		"burst":         func(v value) { t.Burst = p.count(v, MaxTokenRate) },
		"concurrent":    func(v value) { t.Concurrent = p.count(v, MaxConcurrentLimit) },
		"queue":         func(v value) { t.Queue = p.count(v, MaxQueueLimit) },
		"session_rate":  func(v value) { t.SessionRate = p.rate(v, "executions", "to set no limit") },
		"session_burst": func(v value) { t.SessionBurst = p.count(v, MaxTokenRate) },
		"metrics":       func(v value) { p.boolean(v, &t.Metrics) },
	})
	for _, name := range []struct {
		key  string
		said at[string]
		to   *string
	}{{"name", said.name, &t.Name}, {"owner", owner, &t.Owner}} {
		if name.said.value == "" {
			continue
		}
		if checkName(name.said.value) != nil {
			p.addf(name.said.line, "%s.%s: %s: use lower-case letters, digits, '-' and '_', at most 64, starting with a letter or a digit",
				v.key, name.key, quote(name.said.value))
		}
		*name.to = name.said.value
	}
	if said.hash.value != "" {
		digest, err := hex.DecodeString(said.hash.value)
		if err != nil || len(digest) != sha256.Size {
			p.addf(said.hash.line, `%s.hash: want the SHA-256 of the token, as 64 hexadecimal digits; "sandboxd tokens new" prints it`, v.key)
		}
		copy(t.Hash[:], digest)
	}
	if t.Burst > 0 && t.Rate == 0 {
		p.addf(v.node.at("burst").line, "%s.burst: says nothing without a rate; write both", v.key)
	}
	if t.SessionBurst > 0 && t.SessionRate == 0 {
		p.addf(v.node.at("session_burst").line, "%s.session_burst: says nothing without a session_rate; write both", v.key)
	}
	if len(p.problems) == before {
		p.required(v, "name", t.Name != "", `such as name = "ci"`)
		p.required(v, "hash", said.hash.value != "", `"sandboxd tokens new" makes one`)
		p.required(v, "profiles", len(t.Profiles) > 0, `such as profiles = ["strict"]`)
	}
	if t.Owner == "" {
		t.Owner = t.Name
	}
	return t, said
}

func (p *parser) required(v value, key string, there bool, cure string) {
	if !there {
		p.addf(v.line(), "%s.%s: is missing; %s", v.key, key, cure)
	}
}

// tokenProfiles reads the names of profiles, which exist.
func (p *parser) tokenProfiles(v value, f *file) []string {
	list, ok := v.data.([]any)
	if !ok || len(list) == 0 {
		p.addf(v.line(), `%s: want a list of profiles, such as ["strict"]`, v.key)
		return nil
	}
	var names []string
	for i, item := range list {
		var name at[string]
		if p.text(value{v.key, item, v.node.item(i)}, &name); name.value == "" {
			continue
		}
		if slices.Contains(names, name.value) {
			p.addf(name.line, "%s: %s is there twice", v.key, quote(name.value))
			continue
		}
		names = append(names, name.value)
		f.granted = append(f.granted, name)
	}
	return names
}

// rate reads how many of something may happen in a second. without is what leaving the
// key out does.
func (p *parser) rate(v value, what, without string) float64 {
	var rate float64
	switch n := v.data.(type) {
	case int64:
		rate = float64(n)
	case float64:
		rate = n
	default:
		p.addf(v.line(), "%s: want a number of %s a second, such as 10 or 0.5, not %s", v.key, what, describe(v.data))
		return 0
	}
	if !(rate >= 0.001 && rate <= MaxTokenRate) { // not a number is neither
		p.addf(v.line(), "%s: %g is not from 0.001 to %d; leave the key out %s", v.key, rate, MaxTokenRate, without)
		return 0
	}
	return rate
}
