package policies

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const grant = `[profiles.x.network]
allow        = ["GET,POST https://api.example.com/v1/*", "GET http://127.0.0.1:8080/*"]
requests     = 5
max_response = "1MiB"
private      = ["127.0.0.1:8080"]

[[profiles.x.network.headers]]
match  = "https://api.example.com/*"
name   = "Authorization"
prefix = "Bearer "
env    = "API_TOKEN"
`

func TestNetworkIsInheritedByKey(t *testing.T) {
	const fixed = "network.max_request = 1MiB (built-in strict)\n"
	tests := []struct{ name, text, want string }{
		{"nothing is granted unless it is said", "[profiles.y]\nnetwork = { requests = 3 }\n", ""},
		{"a child takes all of it", grant + "[profiles.y]\nextends = \"x\"\n", "" +
			"network.allow = [GET,POST https://api.example.com/v1/*, GET http://127.0.0.1:8080/*] (sandbox.toml:2)\n" +
			"network.requests = 5 (sandbox.toml:3)\n" + fixed +
			"network.max_response = 1MiB (sandbox.toml:4)\n" +
			"network.total = 20MiB (built-in strict)\n" +
			"network.timeout = 10s (built-in strict)\n" +
			"network.private = [127.0.0.1:8080] (sandbox.toml:5)\n" +
			"network.headers = [Authorization for https://api.example.com/* from variable API_TOKEN] (sandbox.toml:7)\n"},
		{"a list replaces the list", grant + "[profiles.y]\nextends = \"x\"\n[profiles.y.network]\nallow = [\"GET http://127.0.0.1:8080/a\"]\nheaders = []\ntotal = \"2MiB\"\n", "" +
			"network.allow = [GET http://127.0.0.1:8080/a] (sandbox.toml:15)\n" +
			"network.requests = 5 (sandbox.toml:3)\n" + fixed +
			"network.max_response = 1MiB (sandbox.toml:4)\n" +
			"network.total = 2MiB (sandbox.toml:17)\n" +
			"network.timeout = 10s (built-in strict)\n" +
			"network.private = [127.0.0.1:8080] (sandbox.toml:5)\n" +
			"network.headers = [] (sandbox.toml:16)\n"},
		{"an empty list takes the grant away", grant + "[profiles.y]\nextends = \"x\"\nnetwork = { allow = [] }\n", ""},
		{
			"a file is found from the policy's directory",
			"[profiles.y.network]\nallow = [\"GET https://a.example/\"]\nheaders = [{ match = \"https://a.example/\", name = \"X-Key\", file = \"key\" }]\n", "" +
				"network.allow = [GET https://a.example/] (sandbox.toml:2)\n" +
				"network.requests = 20 (built-in strict)\n" + fixed +
				"network.max_response = 5MiB (built-in strict)\n" +
				"network.total = 20MiB (built-in strict)\n" +
				"network.timeout = 10s (built-in strict)\n" +
				"network.private = [] (built-in strict)\n" +
				"network.headers = [X-Key for https://a.example/ from file $DIR/key] (sandbox.toml:3)\n",
		},
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := Parse("sandbox.toml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			_, got, found := strings.Cut(explain(t, p, "y", dir), "\nnetwork.")
			if found {
				got = "network." + got
			} else {
				got = ""
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestsNeverWidenTheNetwork(t *testing.T) {
	p, err := Parse("sandbox.toml", []byte("[profiles.x]\noverridable = [\"network.requests\"]\n"))
	if err == nil {
		t.Fatalf("a request may change the network of %v", p)
	}
	p, err = Parse("sandbox.toml", []byte(grant))
	if err != nil {
		t.Fatal(err)
	}
	before, err := p.Profile("x")
	if err != nil {
		t.Fatal(err)
	}
	after, err := before.With(Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	after.Network.Allow[0].Host = "evil.example"
	if again, err := p.Profile("x"); err != nil || again.Network.Allow[0].Host != "api.example.com" || before.Network.Allow[0].Host != "api.example.com" {
		t.Errorf("a copy of a profile shares its grants")
	}
}

func TestBadNetworks(t *testing.T) {
	allow := func(pattern string) string { return "[profiles.x.network]\nallow = [\"" + pattern + "\"]\n" }
	header := func(lines string) string { return "[[profiles.x.network.headers]]\n" + lines }
	const key = `name = "X-Key"` + "\n" + `env = "KEY"` + "\n"
	tests := []struct{ name, text, want string }{
		{"unknown key", "[profiles.x.network]\nallowed = []\n", `2: unknown key profiles.x.network.allowed (did you mean "allow"?)`},
		{"not a table", "[profiles.x]\nnetwork = true\n", `2: profiles.x.network: want a table, not true`},
		{"not a list", "[profiles.x.network]\nallow = \"*\"\n", `2: profiles.x.network.allow: want a list such as ["GET https://api.example.com/v1/*"], not the string "*"`},
		{"not strings", "[profiles.x.network]\nallow = [\n1]\n", `3: profiles.x.network.allow: want strings such as in ["GET https://api.example.com/v1/*"], not a number`},
		{"no method", allow("https://a.example/"), `2: profiles.x.network.allow: pattern "https://a.example/" names no method; write it as "GET https://api.example.com/v1/*"`},
		{"every method", allow("* https://a.example/"), `2: profiles.x.network.allow: pattern "* https://a.example/": method "*" cannot be granted; methods are DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT`},
		{"tunnel", allow("CONNECT https://a.example/"), `2: profiles.x.network.allow: pattern "CONNECT https://a.example/": method "CONNECT" cannot be granted; methods are DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT`},
		{"lower case", allow("get https://a.example/"), `2: profiles.x.network.allow: pattern "get https://a.example/": method "get" cannot be granted (did you mean "GET"?); methods are DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT`},
		{"method twice", allow("GET,GET https://a.example/"), `2: profiles.x.network.allow: pattern "GET,GET https://a.example/" lists GET twice`},
		{"no path", allow("GET https://a.example"), `2: profiles.x.network.allow: pattern "https://a.example" has no path; write https://a.example/* for every path`},
		{"any host", allow("GET https://*/"), `2: profiles.x.network.allow: pattern "https://*/": host "*" is not a name of letters, digits and '-' between dots; write a name in other letters in its xn-- form`},
		{"any subdomain", allow("GET https://*.a.example/"), `2: profiles.x.network.allow: pattern "https://*.a.example/": host "*.a.example" is not a name of letters, digits and '-' between dots; write a name in other letters in its xn-- form`},
		{"any port", allow("GET https://a.example:*/"), `2: profiles.x.network.allow: pattern "https://a.example:*/": port "*" is not a number from 1 to 65535`},
		{"half a segment", allow("GET https://a.example/v1*"), `2: profiles.x.network.allow: pattern "https://a.example/v1*": "*" stands only at the end, after a '/'`},
		{"star in the middle", allow("GET https://a.example/*/x"), `2: profiles.x.network.allow: pattern "https://a.example/*/x": "*" stands only at the end, after a '/'`},
		{"query", allow("GET https://a.example/?a=1"), `2: profiles.x.network.allow: pattern "https://a.example/?a=1": a query or fragment cannot be matched; end with the path`},
		{"escape", allow("GET https://a.example/%20/"), `2: profiles.x.network.allow: pattern "https://a.example/%20/" holds an escape; end with "*" before it`},
		{"dots", allow("GET https://a.example/a/../*"), `2: profiles.x.network.allow: pattern "https://a.example/a/../*": path has the segment ".."; write the path it leads to`},
		{"user information", allow("GET https://a@b.example/"), `2: profiles.x.network.allow: pattern "https://a@b.example/": holds user information before '@'; leave it out`},
		{"no requests", "[profiles.x.network]\nrequests = 0\n", `2: profiles.x.network.requests: 0 is refused, as no value means unlimited; set at least 1, or leave the key out to inherit`},
		{"too many requests", "[profiles.x.network]\nrequests = 1001\n", `2: profiles.x.network.requests: 1_001 is above the maximum of 1_000`},
		{"large bodies", "[profiles.x.network]\nmax_response = \"1GiB\"\n", `2: profiles.x.network.max_response: 1GiB is above the maximum of 64MiB`},
		{"time without a unit", "[profiles.x.network]\ntimeout = 5\n", `2: profiles.x.network.timeout: 5 has no unit; for seconds write "5s"`},
		{"private without a port", "[profiles.x.network]\nprivate = [\"127.0.0.1\"]\n", `2: profiles.x.network.private: "127.0.0.1" is not an address and a port; write it as "127.0.0.1:8080" or "[::1]:8080"`},
		{"private by name", "[profiles.x.network]\nprivate = [\"localhost:80\"]\n", `2: profiles.x.network.private: "localhost:80" is not an address and a port; write it as "127.0.0.1:8080" or "[::1]:8080"`},
		{"private and everywhere", "[profiles.x.network]\nprivate = [\"0.0.0.0:80\"]\n", `2: profiles.x.network.private: "0.0.0.0:80" is no address of one machine; name the one that is meant`},
		{"private in disguise", "[profiles.x.network]\nprivate = [\"[::ffff:10.0.0.1]:80\"]\n", `2: profiles.x.network.private: "[::ffff:10.0.0.1]:80" is an IPv4 address in disguise; write 10.0.0.1:80`},
		{"secret in the file", header("match = \"https://a.example/\"\nname = \"X-Key\"\nvalue = \"s3cret\"\n"), `4: profiles.x.network.headers.value: a policy file holds no secrets, as it is shown and shared; name a variable of sandboxd's own environment with "env", or a file with "file"`},
		{"no source", header("match = \"https://a.example/\"\nname = \"X-Key\"\n"), `1: profiles.x.network.headers: write either env = "VARIABLE" or file = "path", where the value is found`},
		{"two sources", header("match = \"https://a.example/\"\nfile = \"f\"\n" + key), `1: profiles.x.network.headers: write either env = "VARIABLE" or file = "path", where the value is found`},
		{"no match", header(key), `1: profiles.x.network.headers.match: pattern "": is not absolute; write it in full, such as "https://api.example.com/v1/items"`},
		{"methods in a match", header("match = \"GET https://a.example/\"\n" + key), `2: profiles.x.network.headers.match: pattern "GET https://a.example/": scheme "GET https" is unknown; use https or http`},
		{"in clear", header("match = \"http://a.example/\"\n" + key), `2: profiles.x.network.headers.match: http would show the secret to everyone on the way; use https`},
		{"reserved header", header("match = \"https://a.example/\"\nname = \"Host\"\nenv = \"E\"\n"), `3: profiles.x.network.headers.name: "Host" is set by sandboxd itself; choose another header`},
		{"no header", header("match = \"https://a.example/\"\nname = \"X: y\"\nenv = \"E\"\n"), `3: profiles.x.network.headers.name: "X: y" cannot name a header; write one such as "Authorization"`},
		{"line break in a prefix", header("match = \"https://a.example/\"\nprefix = \"a\\r\\nb\"\n" + key), `3: profiles.x.network.headers.prefix: "a\r\nb" holds a character that no header can`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("sandbox.toml", []byte(test.text))
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff("sandbox.toml:"+test.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
