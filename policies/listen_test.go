package policies

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// someHash is the SHA-256 of "secret".
const someHash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

func TestWhereADaemonListensAndWhomItServes(t *testing.T) {
	dir := newDir(t)
	p, err := Parse(filepath.Join(dir, "sandbox.toml"), []byte(`
[server.listen]
socket = "run/sandboxd.sock"
tcp = "[::1]:8443"
cert = "tls/cert.pem"
key = "/etc/key.pem"

[[server.tokens]]
name = "ci"
hash = "`+someHash+`"
owner = "team"
profiles = ["small", "strict"]
rate = 0.5
burst = 3
concurrent = 4
queue = 5
session_rate = 2
session_burst = 9
metrics = true

[[server.tokens]]
name = "plain"
hash = "`+strings.Repeat("AB", 32)+`"
profiles = ["strict"]

[profiles.small]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Listen{
		Socket: filepath.Join(dir, "run", "sandboxd.sock"), TCP: "[::1]:8443",
		Cert: filepath.Join(dir, "tls", "cert.pem"), Key: "/etc/key.pem",
	}
	if got := p.Server().Listen; got != want {
		t.Errorf("listens at %+v", got)
	}
	tokens := p.Tokens()
	if len(tokens) != 2 || tokens[0].Hash[0] != 0x2b || tokens[1].Hash[31] != 0xab {
		t.Fatalf("got %+v", tokens)
	}
	for i := range tokens {
		tokens[i].Hash = [32]byte{}
	}
	if diff := cmp.Diff([]Token{
		{Name: "ci", Owner: "team", Profiles: []string{"small", "strict"}, Rate: 0.5, Burst: 3, Concurrent: 4, Queue: 5, SessionRate: 2, SessionBurst: 9, Metrics: true},
		{Name: "plain", Owner: "plain", Profiles: []string{"strict"}},
	}, tokens); diff != "" {
		t.Error(diff)
	}
	tokens[0].Profiles[0] = "relaxed"
	if p.Tokens()[0].Profiles[0] != "small" {
		t.Error("a policy can be changed")
	}
}

func TestBadListenersAndTokens(t *testing.T) {
	token := func(lines string) string {
		return "[[server.tokens]]\nname = \"a\"\nhash = \"" + someHash + "\"\nprofiles = [\"strict\"]\n" + lines
	}
	for name, test := range map[string]struct{ text, want string }{
		"an address without a port":        {"[server.listen]\ntcp = \"localhost\"", `2: server.listen.tcp: "localhost" is no address; write one such as "127.0.0.1:8080"`},
		"a port with a name":               {"[server.listen]\ntcp = \":http\"", `2: server.listen.tcp: ":http": the port must be a number from 0 to 65535`},
		"a certificate without a key":      {"[server.listen]\ntcp = \":1\"\ncert = \"c\"", `3: server.listen: a certificate needs its key; write both cert and key`},
		"a certificate for no TCP":         {"[server.listen]\ncert = \"c\"\nkey = \"k\"", `2: server.listen.cert: is for TCP; write an address as well, such as tcp = "0.0.0.0:8443"`},
		"a directory for a socket":         {"[server.listen]\nsocket = \"data\"", `2: server.listen.socket: file "$DIR/data" is a directory; write the path of a file in it`},
		"a misspelled key":                 {"[server.listen]\nsokcet = \"x\"", `2: unknown key server.listen.sokcet (did you mean "socket"?)`},
		"one token as a table":             {"[server.tokens]\nname = \"a\"", `1: server.tokens: want tables, written as [[server.tokens]], not a table`},
		"a token without a hash":           {"[[server.tokens]]\nname = \"a\"\nprofiles = [\"strict\"]", `1: server.tokens.hash: is missing; "sandboxd tokens new" makes one`},
		"a token of no profiles":           {"[[server.tokens]]\nname = \"a\"\nhash = \"" + someHash + "\"", `1: server.tokens.profiles: is missing; such as profiles = ["strict"]`},
		"a token itself for its hash":      {"[[server.tokens]]\nname = \"a\"\nhash = \"secret\"\nprofiles = [\"strict\"]", `3: server.tokens.hash: want the SHA-256 of the token, as 64 hexadecimal digits; "sandboxd tokens new" prints it`},
		"an empty list of profiles":        {"[[server.tokens]]\nname = \"a\"\nhash = \"" + someHash + "\"\nprofiles = []", `4: server.tokens.profiles: want a list of profiles, such as ["strict"]`},
		"a profile that is not there":      {strings.ReplaceAll(token(""), "strict", "strikt"), `4: server.tokens.profiles: there is no profile "strikt" (did you mean "strict"?); profiles are default, relaxed, strict`},
		"a profile twice":                  {strings.ReplaceAll(token(""), `"strict"`, `"strict", "strict"`), `4: server.tokens.profiles: "strict" is there twice`},
		"a name twice":                     {token("") + strings.ReplaceAll(token(""), "2bb", "2bc"), `6: server.tokens.name: "a" is the token of line 2 as well; give each its own name`},
		"a secret twice":                   {token("") + strings.ReplaceAll(token(""), `"a"`, `"b"`), `7: server.tokens.hash: is that of line 3 as well; make a token for each with "sandboxd tokens new"`},
		"an owner that is a path":          {token("owner = \"../x\""), `5: server.tokens.owner: "../x": use lower-case letters, digits, '-' and '_', at most 64, starting with a letter or a digit`},
		"a rate of nothing":                {token("rate = 0"), `5: server.tokens.rate: 0 is not from 0.001 to 1000000; leave the key out to set no limit`},
		"a rate that is no number":         {token("rate = nan"), `5: server.tokens.rate: NaN is not from 0.001 to 1000000; leave the key out to set no limit`},
		"a session's burst without a rate": {token("session_burst = 5"), `5: server.tokens.session_burst: says nothing without a session_rate; write both`},
		"a burst without a rate":           {token("burst = 5"), `5: server.tokens.burst: says nothing without a rate; write both`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			path := filepath.Join(dir, "sandbox.toml")
			_, err := Parse(path, []byte(test.text))
			if err == nil {
				t.Fatal("accepted")
			}
			if got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), path+":", ""), dir, "$DIR"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
