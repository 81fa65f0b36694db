package policies

import (
	"slices"
	"strings"
)

// MaxPattern is the longest pattern of a URL, in bytes.
const MaxPattern = 1024

// methods are the methods that can be granted. CONNECT opens tunnels and TRACE
// shows the headers that the host placed, so neither can.
var methods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// Pattern says which requests are allowed: the value "GET,POST
// https://api.example.com/v1/*" of network.allow. Its grammar is small on
// purpose:
//
//	pattern = methods " " scheme "://" host [":" port] path
//	methods = method *("," method)
//	path    = "/" *(character of a path, without '%') ["*"]
//
// Scheme, host and port are exact: no wildcard stands for a host, since the name
// of a host that a program invents carries data to whoever answers for it. A path
// that ends in "/*" covers every path that begins with what precedes the "*";
// another covers only itself. Every query is covered.
type Pattern struct {
	Methods []string // in alphabetical order; none in a header's match
	Scheme  string
	Host    string // as in [URL]
	Port    uint16
	Path    string // without the "*"
	Prefix  bool   // the path ended in "*"
}

// parsePattern reads methods and a URL pattern.
func parsePattern(s string) (Pattern, error) {
	list, rest, ok := strings.Cut(s, " ")
	if !ok || strings.Contains(list, "/") {
		return Pattern{}, invalidf(`pattern %s names no method; write it as "GET https://api.example.com/v1/*"`, quote(s))
	}
	p, err := parseURLPattern(rest)
	if err != nil {
		return Pattern{}, err
	}
	for method := range strings.SplitSeq(list, ",") {
		switch {
		case !slices.Contains(methods, method):
			return Pattern{}, invalidf("pattern %s: method %s cannot be granted%s; methods are %s", quote(s), quote(method),
				didYouMean(strings.ToUpper(method), methods), strings.Join(methods, ", "))
		case slices.Contains(p.Methods, method):
			return Pattern{}, invalidf("pattern %s lists %s twice", quote(s), method)
		}
		p.Methods = append(p.Methods, method)
	}
	slices.Sort(p.Methods)
	return p, nil
}

// parseURLPattern reads the part of a pattern that follows the methods.
func parseURLPattern(s string) (Pattern, error) {
	if len(s) > MaxPattern {
		return Pattern{}, invalidf("pattern of %d bytes is above the maximum of %d", len(s), MaxPattern)
	}
	u, path, err := parseOrigin(s)
	if err != nil {
		return Pattern{}, invalidf("pattern %s: %v", quote(s), err)
	}
	p := Pattern{Scheme: u.Scheme, Host: u.Host, Port: u.Port}
	p.Path, p.Prefix = strings.CutSuffix(path, "*")
	switch {
	case path == "":
		return Pattern{}, invalidf("pattern %s has no path; write %s/* for every path", quote(s), s)
	case strings.ContainsAny(path, "?#"):
		return Pattern{}, invalidf("pattern %s: a query or fragment cannot be matched; end with the path", quote(s))
	case strings.Contains(path, "%"):
		return Pattern{}, invalidf("pattern %s holds an escape; end with \"*\" before it", quote(s))
	case p.Prefix && !strings.HasSuffix(p.Path, "/"), strings.Contains(p.Path, "*"):
		return Pattern{}, invalidf(`pattern %s: "*" stands only at the end, after a '/'`, quote(s))
	}
	if err := checkPath(p.Path); err != nil {
		return Pattern{}, invalidf("pattern %s: %v", quote(s), err)
	}
	return p, nil
}

// Covers says whether the pattern's address covers u, whatever the method.
func (p Pattern) Covers(u URL) bool {
	return p.Scheme == u.Scheme && p.Host == u.Host && p.Port == u.Port &&
		(p.Path == u.Path || p.Prefix && strings.HasPrefix(u.Path, p.Path))
}

// Allows says whether the pattern covers u and lists the method.
func (p Pattern) Allows(method string, u URL) bool {
	return slices.Contains(p.Methods, method) && p.Covers(u)
}

// String is the pattern as it is written in a file.
func (p Pattern) String() string {
	s := URL{Scheme: p.Scheme, Host: p.Host, Port: p.Port, Path: p.Path}.String()
	if p.Prefix {
		s += "*"
	}
	if len(p.Methods) > 0 {
		s = strings.Join(p.Methods, ",") + " " + s
	}
	return s
}
