package policies

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxURL is the longest URL a program may ask for, in bytes.
const MaxURL = 8 << 10

// URL is a web address in the one form that is both compared with the patterns
// of a profile and sent: see [ParseURL].
type URL struct {
	// Scheme is "http" or "https".
	Scheme string
	// Host is a name in lower case, or an IP address in its shortest form,
	// without brackets.
	Host string
	// Port is never 0: a URL without one has its scheme's.
	Port uint16
	// Path begins with a slash. Its escapes are as they were written.
	Path string
	// Query is what follows the question mark, or "".
	Query string
}

// ParseURL reads an absolute URL as a program wrote it. It is stricter than the
// standards, for whatever two programs could read in two ways could be used to
// show one address to the profile and another to the server: ASCII only, no user
// information, no fragment, no path with empty or dot segments, whether written
// plainly, escaped or with parameters, no backslash, and no escape of a character
// that separates or escapes. Numbers are addresses only in their usual form.
// Errors are [ErrInvalid].
func ParseURL(s string) (URL, error) {
	switch {
	case len(s) > MaxURL:
		return URL{}, invalidf("URL of %d bytes is above the maximum of %d", len(s), MaxURL)
	case strings.Contains(s, "#"):
		return URL{}, invalidf("URL %s has a fragment, which is not sent; leave out '#' and what follows", quote(s))
	}
	u, rest, err := parseOrigin(s)
	if err != nil {
		return URL{}, invalidf("URL %s: %v", quote(s), err)
	}
	path, query, _ := strings.Cut(rest, "?")
	if path == "" {
		path = "/"
	}
	u.Path, u.Query = path, query
	if err := checkPath(path); err != nil {
		return URL{}, invalidf("URL %s: %v", quote(s), err)
	}
	if _, err := unescape(query, "/?"); err != nil {
		return URL{}, invalidf("URL %s: query %v", quote(s), err)
	}
	return u, nil
}

// parseOrigin reads "scheme://host:port" and returns what follows it.
func parseOrigin(s string) (u URL, rest string, err error) {
	scheme, rest, ok := strings.Cut(s, "://")
	switch u.Scheme = lower(scheme); {
	case !ok:
		return URL{}, "", invalidf(`is not absolute; write it in full, such as "https://api.example.com/v1/items"`)
	case u.Scheme == "https":
		u.Port = 443
	case u.Scheme == "http":
		u.Port = 80
	default:
		return URL{}, "", invalidf("scheme %s is unknown; use https or http", quote(scheme))
	}
	end := strings.IndexAny(rest, `/?\`)
	if end < 0 {
		end = len(rest)
	}
	authority, rest := rest[:end], rest[end:]
	if strings.Contains(authority, "@") {
		return URL{}, "", invalidf("holds user information before '@'; leave it out")
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port[0] == '0' || port[0] == '+' {
			return URL{}, "", invalidf("port %s is not a number from 1 to 65535", quote(port))
		}
		u.Port = uint16(n)
	}
	u.Host, err = parseHost(host)
	return u, rest, err
}

// parseHost returns the host of a URL in the form it is compared in.
func parseHost(s string) (string, error) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", invalidf("host %s is not an IPv6 address without a zone", quote(s))
		}
		if addr.Is4In6() {
			return "", invalidf("host %s is an IPv4 address in disguise; write %s", quote(s), addr.Unmap())
		}
		return addr.String(), nil
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Is4() {
		return addr.String(), nil
	}
	s = lower(s)
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", invalidf("host %s is not a name of letters, digits and '-' between dots; write a name in other letters in its xn-- form", quote(s))
		}
	}
	// What ends in a number is an address to some programs and a name to others.
	last := labels[len(labels)-1]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || isDigits(last) || strings.HasPrefix(last, "0x") || len(s) > 253 {
		return "", invalidf("host %s is neither a name nor an address in its usual form, such as 192.0.2.1", quote(s))
	}
	return s, nil
}

// lower is s with the capitals of ASCII made small. Unicode's rules would make an
// ordinary letter of some that only look like one.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func isLabel(s string) bool {
	ok := s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-'
	for i := range len(s) {
		c := s[i]
		ok = ok && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_')
	}
	return ok
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// checkPath refuses a path that servers could take for another one.
func checkPath(path string) error {
	if path[0] != '/' {
		return invalidf("path does not begin with '/'")
	}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		plain, err := unescape(segment, "")
		if err != nil {
			return invalidf("path %v", err)
		}
		name, _, _ := strings.Cut(plain, ";")
		switch {
		case name == "" && i < len(segments)-1:
			return invalidf("path has an empty segment; write one '/' where there are two")
		case name == "." || name == "..":
			return invalidf("path has the segment %q; write the path it leads to", segment)
		case plain != segment && strings.ContainsAny(plain, "/\\%;"):
			return invalidf("path segment %s holds an escaped '/', '\\', ';' or '%%', which servers read in different ways", quote(segment))
		}
	}
	return nil
}

// unescape resolves the escapes of a part of a URL, in which the characters in
// extra may stand plainly beside those of every part. What comes out is text
// without control characters.
func unescape(s, extra string) (string, error) {
	const plain = "-._~!$&'()*+,;=:@"
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte(plain, c) >= 0, strings.IndexByte(extra, c) >= 0:
		case c != '%':
			return "", invalidf("holds the character %q; write it as %%%02X", c, c)
		case i+2 >= len(s):
			return "", invalidf("ends within an escape")
		default:
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil || s[i+1] == '+' {
				return "", invalidf("holds %q, which is no escape", s[i:i+3])
			}
			if c = byte(n); extra == "" && (c < ' ' || c == 0x7f) {
				return "", invalidf("holds the control character %q", s[i:i+3])
			}
			i += 2
		}
		out = append(out, c)
	}
	if extra == "" && !utf8.Valid(out) {
		return "", invalidf("holds escapes that are not UTF-8")
	}
	return string(out), nil
}

// Origin is the scheme, host and port, the port only where it is not the scheme's
// own: what the web's security calls an origin, such as "https://api.example.com".
func (u URL) Origin() string {
	host := u.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.Scheme == "https" && u.Port == 443 || u.Scheme == "http" && u.Port == 80 {
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + host + ":" + strconv.Itoa(int(u.Port))
}

// String is the whole URL in the form that is sent.
func (u URL) String() string {
	if u.Query == "" {
		return u.Origin() + u.Path
	}
	return u.Origin() + u.Path + "?" + u.Query
}
