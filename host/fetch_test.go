package host_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/hostile"
	"github.com/sandboxd/sandboxd/internal/hostile/outcome"
	"github.com/sandboxd/sandboxd/policies"
)

const apiToken = "s3cret-4711-0815"

// web is a server on loopback that a profile called "net" may ask, and a host
// with that profile.
type web struct {
	host    *host.Host
	address string
	stalled chan struct{} // receives when a request waits

	mu      sync.Mutex
	bearer  []string // the Authorization of every request
	strayed []string // requests for what the profile does not allow
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{stalled: make(chan struct{}, 1)}
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	w.address = strings.TrimPrefix(server.URL, "http://")
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(apiToken+"-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`
[profiles.net]
extends     = "relaxed"
overridable = ["timeout", "fuel"]
[profiles.net.network]
allow        = ["GET,POST http://AT/v1/*"]
private      = ["AT"]
max_response = "1MB"
[[profiles.net.network.headers]]
match  = "http://AT/v1/*"
name   = "Authorization"
prefix = "Bearer "
env    = "API_TOKEN"
[[profiles.net.network.headers]]
match = "http://AT/v1/*"
name  = "X-Key"
file  = %q
[profiles.unset]
extends = "net"
[[profiles.unset.network.headers]]
match = "http://AT/v1/*"
name  = "X-Key"
env   = "NOT_SET"
[profiles.short]
extends = "net"
[[profiles.short.network.headers]]
match = "http://AT/v1/*"
name  = "X-Key"
env   = "SHORT"
[profiles.lost]
extends = "net"
[[profiles.lost.network.headers]]
match = "http://AT/v1/*"
name  = "X-Key"
file  = %q
`, file, file+"-lost")
	w.host = open(t, host.Options{
		Policy: policy(t, strings.ReplaceAll(text, "AT", w.address)),
		Getenv: func(name string) string { return map[string]string{"API_TOKEN": apiToken, "SHORT": "short"}[name] },
	})
	return w
}

func (w *web) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.bearer = append(w.bearer, r.Header.Get("Authorization")+" "+r.Header.Get("X-Key"))
	if !strings.HasPrefix(r.RequestURI, "/v1/") || r.Method != "GET" && r.Method != "POST" || r.Header.Get("X-Evil") != "" {
		w.strayed = append(w.strayed, r.Method+" "+r.RequestURI)
	}
	w.mu.Unlock()
	switch r.URL.Path {
	case "/v1/echo":
		body, _ := io.ReadAll(r.Body)
		out.Header().Set("Content-Type", "text/plain; charset=latin-1")
		out.Header().Add("X-Twice", "a")
		out.Header().Add("X-Twice", "b")
		_, _ = fmt.Fprintf(out, "%s %s %s %s \xe9 %s", r.Method, r.URL.RequestURI(), body, r.Header.Get("Content-Type"), r.Header.Get("Authorization"))
	case "/v1/json":
		_, _ = fmt.Fprint(out, `{"n": [1, 2]}`)
	case "/v1/again":
		http.Redirect(out, r, "/v1/json", http.StatusFound)
	case "/v1/away":
		http.Redirect(out, r, "/admin", http.StatusFound)
	case "/v1/large":
		_, _ = out.Write(make([]byte, 2_000_000))
	case "/v1/endless":
		for r.Context().Err() == nil {
			_, _ = out.Write(make([]byte, 4096))
		}
	case "/v1/bomb":
		out.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(out)
		_, _ = z.Write(make([]byte, 100<<20))
		_ = z.Close()
	case "/v1/tell":
		out.Header().Set("Location", "/v1/echo?"+r.Header.Get("X-Key"))
		out.WriteHeader(http.StatusFound)
	case "/v1/stall":
		select {
		case w.stalled <- struct{}{}:
		default: // nobody needs to know
		}
		<-r.Context().Done()
	default:
		http.Error(out, "missing", http.StatusNotFound)
	}
}

// run executes a program in which AT is the server's address, and checks that
// nothing of the result tells a secret.
func (w *web) run(t *testing.T, ctx context.Context, r host.Request) *host.Result { //nolint:revive // as in testing's own helpers
	t.Helper()
	if r.Language == "" {
		r.Language = "python"
	}
	if r.Profile == "" {
		r.Profile = "net"
	}
	r.Code = []byte(strings.ReplaceAll(string(r.Code), "AT", w.address))
	result, err := w.host.Execute(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v %+v", result, result.Error); strings.Contains(text, apiToken) {
		t.Errorf("a secret is told: %s", text)
	}
	return result
}

func TestProgramsMakeTheRequestsOfTheirProfile(t *testing.T) {
	w := newWeb(t)
	tests := []struct{ name, code, stdout string }{
		{"fetch", `
from sandbox_net import fetch
r = fetch("http://AT/v1/echo?a=%2F", timeout=30)
print(r.status, r.reason, r.text, r.headers["content-TYPE"], r.headers.get("x-twice"), "X-TWICE" in r.headers)
print(fetch("http://AT/v1/echo", "post", json={"a": 1}).body)
print(fetch("http://AT/v1/echo", "POST", {"Content-Type": "x/y"}, b"\x00").body[-41:])
print(fetch("http://AT/v1/again"), fetch("http://AT/v1/again").json(), fetch("http://AT/v1/again", redirects=0).status)
print(fetch("http://AT/v1/none").status)
`, `200 OK GET /v1/echo?a=%2F   é Bearer [secret] text/plain; charset=latin-1 a, b True
b'POST /v1/echo {"a": 1} application/json \xe9 Bearer [secret]'
b'POST /v1/echo \x00 x/y \xe9 Bearer [secret]'
<Response 200 http://AT/v1/json> {'n': [1, 2]} 302
404
`},
		{"urllib", `
import json, urllib.error, urllib.request
with urllib.request.urlopen("http://AT/v1/again#here") as r:
    print(r.status, r.url, json.load(r), r.headers["Content-Length"], r.reason)
r = urllib.request.Request("http://AT/v1/echo", data=b"x=1", headers={"Content-type": "x/y"})
print(urllib.request.build_opener().open(r).read())
try:
    urllib.request.urlopen("http://AT/v1/none")
except urllib.error.HTTPError as e:
    print(e, e.read())
for url in "http://AT/admin", "https://example.com/", "http://AT/v1/away":
    try:
        urllib.request.urlopen(url)
    except urllib.error.URLError as e:
        print(type(e.reason).__name__, "network.allow" in str(e))
print(urllib.request.__loader__ is urllib.request.__spec__.loader, type(urllib.request.__loader__).__module__ != "sandbox_net")
`, `200 http://AT/v1/json {'n': [1, 2]} 13 OK
b'POST /v1/echo x=1 x/y \xe9 Bearer [secret]'
HTTP Error 404: Not Found b'missing\n'
NetworkDenied True
NetworkDenied True
NetworkDenied True
True True
`},
		{"refusals say what to do", `
from sandbox_net import fetch, NetworkDenied, NetworkError
def attempt(*args, **named):
    try:
        print(fetch(*args, **named))
    except NetworkError as e:
        print(type(e).__name__, e.strerror)
attempt("http://AT/admin")
attempt("http://AT/v1/away")
attempt("http://AT/v1/x", "DELETE")
attempt("http://AT/v1/../admin")
attempt("http://AT/v1/echo", headers={"authorization": "mine"})
attempt("http://AT/v1/large")
attempt("http://AT/v1/stall", timeout=0.05)
`, `NetworkDenied "GET http://AT/admin" is not among the requests that the profile allows; the operator can add it (profile "net", key "network.allow")
NetworkDenied "GET http://AT/admin" is not among the requests that the profile allows; the operator can add it (profile "net", key "network.allow")
NetworkDenied "DELETE http://AT/v1/x" is not among the requests that the profile allows; the operator can add it (profile "net", key "network.allow")
NetworkError URL "http://AT/v1/../admin": path has the segment ".."; write the path it leads to
NetworkDenied header "authorization" is set by the host: leave it out
NetworkError the response is larger than 1MB (profile "net", key "network.max_response")
NetworkError http://AT gave no complete response in time (profile "net", key "network.timeout")
`},
		{"sockets are none", `
import socket
for attempt in (lambda: socket.create_connection(("127.0.0.1", 80)), lambda: socket.socket()):
    try:
        attempt()
    except (OSError, AttributeError) as e:
        print("no")
`, "no\nno\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := w.run(t, t.Context(), host.Request{Code: []byte(test.code)})
			if diff := cmp.Diff(strings.ReplaceAll(test.stdout, "AT", w.address), r.Stdout); diff != "" || !r.Success {
				t.Errorf("%s, stderr %s (-want +got):\n%s", r.Status, r.Stderr, diff)
			}
			select {
			case <-w.stalled:
			default:
			}
		})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.bearer {
		if b != "Bearer "+apiToken+" "+apiToken+"-file" {
			t.Errorf("a request came with %q", b)
		}
	}
}

func TestJavaScriptFetches(t *testing.T) {
	w := newWeb(t)
	tests := []struct{ name, profile, code, stdout string }{
		{"responses", "net", `
const r = await fetch('http://AT/v1/echo?a=%2F', { headers: { accept: 'x/y' } });
console.log(r.status, r.statusText, r.ok, r.url === 'http://AT/v1/echo?a=%2F', r.redirected, r.headers.get('X-TWICE'), (await r.text()).trim().split('  ')[0]);
const post = (body, headers) => fetch('http://AT/v1/echo', { method: 'post', body, headers }).then((r) => r.text()).then((t) => t.replace(/ +. Bearer.*/, ''));
console.log(await post('{"a":1}', { 'Content-Type': 'application/json' }), await post(new URLSearchParams({ b: 2 })), await post(new Uint8Array([65, 66])));
const again = await fetch(new URL('http://AT/v1/again#here'));
console.log(again.url, again.redirected, await again.clone().json(), (await again.arrayBuffer()).byteLength);
console.log((await fetch('http://AT/v1/again', { redirect: 'manual' })).status);
const none = await fetch('http://AT/v1/none');
console.log(none.ok, none.status, (await none.bytes()).length);
`, `200 OK true true false a, b GET /v1/echo?a=%2F
POST /v1/echo {"a":1} application/json POST /v1/echo b=2 application/x-www-form-urlencoded;charset=UTF-8 POST /v1/echo AB
http://AT/v1/json true { n: [ 1, 2 ] } 13
302
false 404 8
`},
		{"refusals", "net", `
for (const [url, init] of [['http://AT/admin'], ['https://example.com/'], ['http://AT/v1/away'], ['http://AT/v1/json', { method: 'DELETE' }],
  ['http://AT/v1/large'], ['http://AT/v1/json', { signal: AbortSignal.abort() }], ['http://AT/v1/again', { redirect: 'error' }], ['no url']]) {
  await fetch(url, init).then((r) => console.log(r.status), (e) => console.log(e.name, e.cause?.code, /network.allow/.test(e.cause?.message)));
}
`, `TypeError EACCES true
TypeError EACCES true
TypeError EACCES true
TypeError EACCES true
TypeError EDQUOT false
AbortError undefined false
TypeError EIO false
TypeError undefined false
`},
		{"no grant", "relaxed", `
await fetch('http://AT/v1/json').catch((e) => console.log(e.message, e.cause.code, /grants none.*network.allow/.test(e.cause.message)));
`, "fetch failed ERR_SANDBOX_UNAVAILABLE true\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := w.run(t, t.Context(), host.Request{Language: "javascript", Profile: tt.profile, Code: []byte(tt.code)})
			if diff := cmp.Diff(strings.ReplaceAll(tt.stdout, "AT", w.address), r.Stdout); diff != "" {
				t.Errorf("stdout (-want +got):\n%s%s", diff, r.Stderr)
			}
		})
	}
	if len(w.strayed) > 0 {
		t.Errorf("not allowed, and made: %q", w.strayed)
	}
}

func TestRequestsAreOnTheRecord(t *testing.T) {
	w := newWeb(t)
	r := w.run(t, t.Context(), host.Request{Code: []byte(`
from sandbox_net import fetch, NetworkDenied
fetch("http://AT/v1/echo?secret=1", "POST", body="hello")
try:
    fetch("http://AT/v1/away")
except NetworkDenied:
    pass
`)})
	origin := "http://" + w.address
	want := []host.NetworkRequest{
		{Method: "POST", Origin: origin, Path: "/v1/echo", Status: 200, Sent: 5, Received: 55},
		{Method: "GET", Origin: origin, Path: "/v1/away", Status: 302},
		{
			Method: "GET", Origin: origin, Path: "/admin",
			Refused: fmt.Sprintf(`"GET %s/admin" is not among the requests that the profile allows; the operator can add it (profile "net", key "network.allow")`, origin),
		},
	}
	if diff := cmp.Diff(want, r.Network); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r = w.run(t, t.Context(), host.Request{Code: []byte("print(1)"), Profile: "strict"}); r.Network != nil {
		t.Errorf("a program without network: %v", r.Network)
	}
}

func TestWaitingRequestsEndWithTheCall(t *testing.T) {
	w := newWeb(t)
	code := []byte("import sandbox_net\ntry:\n    sandbox_net.fetch('http://AT/v1/stall')\nexcept BaseException as e:\n    print('went on', e)\n")
	untilItComes(t, func(limit time.Duration) bool {
		r := w.run(t, t.Context(), host.Request{Code: code, Overrides: timeout(limit)})
		if r.Abandoned || r.Status == host.StatusTimeout && len(r.Network) == 0 {
			return false
		}
		want := fmt.Sprintf(`the program was stopped after %v (profile "net", key "timeout")`, policies.Duration(limit))
		if r.Status != host.StatusTimeout || r.Stdout != "" || r.Error.Message != want {
			t.Errorf("got %s, %q, %+v", r.Status, r.Stdout, r.Error)
		}
		if len(r.Network) != 1 || r.Network[0].Refused == "" {
			t.Errorf("records %+v", r.Network)
		}
		return true
	})
	w = newWeb(t) // to which none of those requests can still come
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-w.stalled; cancel() }()
	if r := w.run(t, ctx, host.Request{Code: code}); r.Status != host.StatusCanceled || r.Stdout != "" {
		t.Errorf("got %s, %q", r.Status, r.Stdout)
	}
}

// TestHostileOnTheNetwork runs every guest of testdata/network, which has the grant
// of newWeb, and after each a harmless one.
func TestHostileOnTheNetwork(t *testing.T) {
	names, err := filepath.Glob("testdata/network/*.py")
	if err != nil || len(names) < 8 {
		t.Fatalf("found %d hostile guests (%v)", len(names), err)
	}
	w := newWeb(t)
	first := execute(t, w.host, python(benign))
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".py"), func(t *testing.T) {
			g, err := hostile.Read(name, languageVersion(t, "python"))
			if err != nil {
				t.Fatal(err)
			}
			r := w.run(t, t.Context(), host.Request{Code: g.Code, Filename: "hostile.py", Overrides: g.Overrides})
			t.Logf("%s, exit code %d, fuel %d, stdout %.300q, stderr %.2000q", r.Status, r.ExitCode, r.FuelConsumed, r.Stdout, r.Stderr)
			if err := g.Check(outcome.Of(r)); err != nil {
				t.Error(err)
			}
			w.mu.Lock()
			if len(w.strayed) > 0 {
				t.Errorf("reached what it may not: %q", w.strayed)
			}
			w.strayed = nil
			w.mu.Unlock()
			if len(r.Network) > 21 {
				t.Errorf("%d records", len(r.Network))
			}
			checkBenign(t, execute(t, w.host, python(benign)), first)
		})
	}
}

func TestMissingSecretsAreTheOperatorsFault(t *testing.T) {
	w := newWeb(t)
	for profile, want := range map[string]string{
		"unset": `profile "unset": network.headers: X-Key: variable NOT_SET is not set in sandboxd's own environment; set it, or use another profile`,
		"short": `profile "short": network.headers: X-Key: variable SHORT holds 5 bytes; a secret has at least 8, or it could not be told from other text`,
		"lost":  `no such file`,
	} {
		_, err := w.host.Execute(t.Context(), host.Request{Language: "python", Code: []byte("1"), Profile: profile})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("profile %s: %v", profile, err)
		}
	}
	if r := w.run(t, t.Context(), host.Request{Code: []byte("print(1)"), Profile: "strict"}); !r.Success {
		t.Errorf("another profile: %+v", r)
	}
}
