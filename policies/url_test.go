package policies

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestURLsAreReadInOneForm(t *testing.T) {
	tests := []struct{ in, want string }{
		{"https://api.example.com", "https://api.example.com/"},
		{"https://api.example.com?q=1", "https://api.example.com/?q=1"},
		{"HTTPS://API.Example.COM/V1/x", "https://api.example.com/V1/x"},
		{"https://api.example.com:443/", "https://api.example.com/"},
		{"http://api.example.com:443/", "http://api.example.com:443/"},
		{"http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1/"},
		{"http://[0:0::1]:80/", "http://[::1]/"},
		{"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"},
		{"https://a/b%20c/%C3%A9?x=%2F..%2F&y=%00", "https://a/b%20c/%C3%A9?x=%2F..%2F&y=%00"},
		{"https://a/b/.hidden/..rest/c.", "https://a/b/.hidden/..rest/c."},
		{"https://a/b?c?d/../e", "https://a/b?c?d/../e"},
	}
	for _, test := range tests {
		u, err := ParseURL(test.in)
		if err != nil || u.String() != test.want {
			t.Errorf("ParseURL(%q) = %q, %v; want %q", test.in, u, err, test.want)
		}
	}
}

func TestURLsThatCouldMeanTwoThingsAreRefused(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"relative", "/v1", "is not absolute"},
		{"without a scheme", "//api.example.com/", "is not absolute"},
		{"a file", "file:///etc/passwd", `scheme "file" is unknown`},
		{"another protocol", "gopher://a/", `scheme "gopher" is unknown`},
		{"user information", "https://api.example.com@evil.example/", "user information"},
		{"password", "https://a:b@api.example.com/", "user information"},
		{"user information after a backslash", `https://evil.example\@api.example.com/`, `path does not begin`},
		{"fragment", "https://a/b#c", "fragment"},
		{"no host", "https:///b", "host"},
		{"empty port", "https://a:/", "port"},
		{"port zero", "https://a:0/", "port"},
		{"large port", "https://a:65536/", "port"},
		{"port with zeros", "https://a:0443/", "port"},
		{"signed port", "https://a:+80/", "port"},
		{"two ports", "https://a:80:443/", "host"},
		{"parent", "https://a/v1/../admin", "segment"},
		{"parent at the end", "https://a/v1/..", "segment"},
		{"escaped parent", "https://a/v1/%2e%2e/admin", "segment"},
		{"half escaped parent", "https://a/v1/.%2E/admin", "segment"},
		{"parent with a parameter", "https://a/v1/..;x=1/admin", "segment"},
		{"escaped parent with an escaped parameter", "https://a/v1/%2e%2e%3bx/admin", "segment"},
		{"here", "https://a/v1/./x", "segment"},
		{"two slashes", "https://a/v1//admin", "empty segment"},
		{"slashes first", "https://a//v1/", "empty segment"},
		{"parameters for a name", "https://a/v1/;x/admin", "empty segment"},
		{"escaped slash", "https://a/v1/..%2fadmin", "escaped '/'"},
		{"backslash", `https://a/v1/..\admin`, "holds the character"},
		{"escaped backslash", "https://a/v1/..%5cadmin", `escaped '/', '\'`},
		{"escaped percent", "https://a/v1/%252e%252e/admin", "escaped"},
		{"escaped NUL", "https://a/v1/%00", "control character"},
		{"escaped line break", "https://a/v1/%0d%0aX: y", "control character"},
		{"overlong dot", "https://a/v1/%c0%ae%c0%ae/admin", "not UTF-8"},
		{"half an escape", "https://a/v1/%2", "ends within an escape"},
		{"no escape", "https://a/v1/%+1", "no escape"},
		{"space", "https://a/v1 /x", "holds the character"},
		{"line break", "https://a/v1\r\nHost: b", "holds the character"},
		{"line break in the query", "https://a/v1?x=\r\nHost: b", "holds the character"},
		{"line break in the host", "https://a\r\nb/", "host"},
		{"Unicode path", "https://a/é", "holds the character"},
		{"Unicode host", "https://bücher.example/", "xn--"},
		{"full-width dot", "https://a．b/", "xn--"},
		{"Kelvin sign", "https://\u212Aa.example/", "xn--"},
		{"trailing dot", "https://api.example.com./", "host"},
		{"empty label", "https://a..b/", "host"},
		{"escaped host", "https://%61/", "host"},
		{"short address", "http://127.1/", "neither a name nor an address"},
		{"number for an address", "http://2130706433/", "neither a name nor an address"},
		{"octal address", "http://0177.0.0.1/", "neither a name nor an address"},
		{"hexadecimal address", "http://0x7f.0.0.0x1/", "neither a name nor an address"},
		{"hexadecimal number", "http://0x7f000001/", "neither a name nor an address"},
		{"IPv4 in IPv6", "http://[::ffff:127.0.0.1]/", "in disguise; write 127.0.0.1"},
		{"zone", "http://[fe80::1%25eth0]/", "IPv6"},
		{"IPv4 in brackets", "http://[127.0.0.1]/", "IPv6"},
		{"open bracket", "http://[::1/", "IPv6"},
		{"long", "https://a/" + strings.Repeat("x", MaxURL), "above the maximum"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u, err := ParseURL(test.in)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("ParseURL(%q) = %q, %v; want an error with %q", test.in, u, err, test.want)
			}
		})
	}
}

func TestPatternsCoverWhatTheySay(t *testing.T) {
	tests := []struct {
		pattern, method, url string
		want                 bool
	}{
		{"GET https://a.example/v1/*", "GET", "https://a.example/v1/x/y?z", true},
		{"GET https://a.example/v1/*", "GET", "https://a.example/v1/", true},
		{"GET https://a.example/v1/*", "GET", "https://a.example/v1", false},
		{"GET https://a.example/v1/*", "GET", "https://a.example/v1x", false},
		{"GET https://a.example/v1/*", "GET", "https://a.example/", false},
		{"GET https://a.example/v1/*", "GET", "https://a.example/V1/x", false},
		{"GET https://a.example/v1/*", "GET", "https://a.example/%761/x", false},
		{"GET https://a.example/v1/*", "GET", "http://a.example/v1/x", false},
		{"GET https://a.example/v1/*", "GET", "https://a.example:444/v1/x", false},
		{"GET https://a.example/v1/*", "GET", "https://b.a.example/v1/x", false},
		{"GET https://a.example/v1/*", "GET", "https://a.example.evil/v1/x", false},
		{"GET https://a.example/v1/*", "POST", "https://a.example/v1/x", false},
		{"GET https://a.example/v1/*", "get", "https://a.example/v1/x", false},
		{"GET,POST https://A.example:443/v1/*", "POST", "https://a.EXAMPLE/v1/x", true},
		{"GET https://a.example/v1", "GET", "https://a.example/v1?x=1", true},
		{"GET https://a.example/v1", "GET", "https://a.example/v1/", false},
		{"GET https://a.example/*", "GET", "https://a.example", true},
		{"GET http://[::1]:8080/*", "GET", "http://[0::1]:8080/x", true},
	}
	for _, test := range tests {
		p, err := parsePattern(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		u, err := ParseURL(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Allows(test.method, u); got != test.want {
			t.Errorf("%q allows %s %s: %t", test.pattern, test.method, test.url, got)
		}
	}
}

// FuzzPattern claims that nothing outside of a pattern's origin and path matches
// it, by what the standard library makes of the same URL.
func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{
		"GET https://api.example.com/v1/*", "GET,POST http://127.0.0.1:8080/*", "PUT https://[2001:db8::1]/x",
	} {
		for _, u := range []string{
			"https://api.example.com/v1/x", "https://api.example.com/v1/../x", "https://api.example.com@evil/v1/",
			"http://127.0.0.1:8080/%2e%2e/", "https://[2001:db8::1]/x?y", `https://api.example.com\@evil/v1/x`, "https://api.example.com/v1/%2e%2e;/x",
		} {
			f.Add(pattern, "GET", u)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, method, raw string) {
		p, err := parsePattern(pattern)
		if err != nil {
			return
		}
		u, err := ParseURL(raw)
		if err != nil || !p.Allows(method, u) {
			return
		}
		std, err := url.Parse(u.String())
		if err != nil {
			t.Fatalf("%q was accepted, and the library says %v", raw, err)
		}
		port := std.Port()
		if port == "" {
			port = map[string]string{"https": "443", "http": "80"}[std.Scheme]
		}
		if std.Scheme != p.Scheme || std.Hostname() != p.Host || port != strconv.Itoa(int(p.Port)) || std.User != nil {
			t.Errorf("%q matches %q, and leads to %q", raw, pattern, std.Host)
		}
		if !slices.Contains(p.Methods, method) {
			t.Errorf("%q matches %q with method %q", raw, pattern, method)
		}
		// Whatever a server does with escapes, slashes and dots, it stays below.
		for _, read := range []string{std.Path, std.EscapedPath(), strings.ReplaceAll(std.Path, `\`, "/")} {
			clean := path.Clean(read)
			if !strings.HasPrefix(clean+"/", p.Path) && clean != p.Path && strings.TrimSuffix(read, "/") != strings.TrimSuffix(p.Path, "/") {
				t.Errorf("%q matches %q, and can be read as %q", raw, pattern, clean)
			}
		}
		if std.String() != u.String() {
			t.Errorf("%q is sent as %q", u, std)
		}
	})
}

// FuzzURL claims that what is accepted is read the same again, here and by the
// standard library, and holds nothing that could end a line.
func FuzzURL(f *testing.F) {
	for _, s := range []string{"https://a.example:81/b/c?d=e", "http://[::1]/", "http://0x7f.1/", "https://a/%2e%2e/", "http://1.2.3.4:8080", "https://a?b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURL(s)
		if err != nil {
			return
		}
		again, err := ParseURL(u.String())
		if err != nil || again != u {
			t.Errorf("%q is read as %+v, and that as %+v, %v", s, u, again, err)
		}
		if strings.ContainsFunc(u.String(), func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '#' }) {
			t.Errorf("%q is read as %q", s, u)
		}
		std, err := url.Parse(u.String())
		if err != nil || std.RequestURI() != strings.TrimPrefix(u.String(), u.Origin()) {
			t.Errorf("%q is %q here and %v to the library (%v)", s, u, std, err)
		}
		if _, err := netip.ParseAddr(u.Host); err != nil && net.ParseIP(u.Host) != nil {
			t.Errorf("%q has the address %q for a name", s, u.Host)
		}
	})
}
