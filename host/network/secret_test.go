package network

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	secret = "s3cret-0123456789abcdef"
	inner  = "s3cret-0123" // the beginning of the other one
)

// withSecrets allows two servers, and gives the first one two headers below /key/.
func withSecrets(tb testing.TB, first, second string) *Client {
	tb.Helper()
	policy := fmt.Sprintf(`allow = ["GET,POST http://AT/*", "GET,POST http://%s/*"]
private = ["AT", %q]
[[profiles.x.network.headers]]
match  = "http://AT/key/*"
name   = "Authorization"
prefix = "Bearer "
env    = "A"
[[profiles.x.network.headers]]
match  = "http://AT/key/*"
name   = "X-Key"
env    = "B"
`, second, second)
	return open(tb, first, policy, func(o *Options) { o.Secrets = []string{secret, inner} })
}

func TestSecretsGoWhereTheyBelongAndDoNotComeBack(t *testing.T) {
	var seen []string
	note := func(r *http.Request) {
		seen = append(seen, r.URL.Path+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-Key")+" "+r.Header.Get("Accept-Encoding"))
	}
	second := server(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		_, _ = fmt.Fprint(w, "second ", secret) // it knows, from elsewhere
	})
	first := server(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		switch r.URL.Path {
		case "/key/away":
			http.Redirect(w, r, "http://"+second+"/x", http.StatusTemporaryRedirect)
		case "/key/out":
			http.Redirect(w, r, "/open", http.StatusFound)
		case "/in":
			http.Redirect(w, r, "/key/echo", http.StatusFound)
		case "/key/tell":
			http.Redirect(w, r, "http://"+second+"/x?"+url.QueryEscape(r.Header.Get("X-Key")), http.StatusFound)
		case "/key/zip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = fmt.Fprint(w, "x")
		default:
			auth := r.Header.Get("Authorization")
			w.Header().Set("X-Echo", auth)
			w.Header()["x-"+inner+"-x"] = []string{"1"}
			_, _ = fmt.Fprintf(w, "%s %s%s", auth, r.Header.Get("X-Key"), r.Header.Get("X-Key"))
		}
	})
	const bearer = "Bearer " + secret
	tests := []struct {
		path string
		seen []string
		body string
		kind string
	}{
		{"/open", []string{"/open   identity"}, " ", ""},
		{"/key/echo", []string{"/key/echo " + bearer + " " + inner + " identity"}, "Bearer [secret] [secret][secret]", ""},
		{"/in", []string{"/in   identity", "/key/echo " + bearer + " " + inner + " identity"}, "Bearer [secret] [secret][secret]", ""},
		{"/key/out", []string{"/key/out " + bearer + " " + inner + " identity", "/open   identity"}, " ", ""},
		{"/key/away", []string{"/key/away " + bearer + " " + inner + " identity", "/x   identity"}, "second [secret]", ""},
		{"/key/tell", []string{"/key/tell " + bearer + " " + inner + " identity"}, "", kindDenied},
		{"/key/zip", []string{"/key/zip " + bearer + " " + inner + " identity"}, "", kindFailed},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			seen = nil
			c := withSecrets(t, first, second)
			a := get(t, c, "http://"+first+test.path)
			if a.body != test.body || a.Kind != test.kind {
				t.Errorf("got %+v", a)
			}
			if got := fmt.Sprint(seen); got != fmt.Sprint(test.seen) {
				t.Errorf("the servers saw %s, want %s", got, test.seen)
			}
			if n := a.header("Content-Length"); n != "" && n != fmt.Sprint(len(a.body)) {
				t.Errorf("announces %s bytes of %d", n, len(a.body))
			}
			for _, text := range []string{fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", c.Records())} {
				if strings.Contains(strings.ToLower(text), inner) {
					t.Errorf("tells a secret: %s", text)
				}
			}
		})
	}
}

func TestHeadersOfTheHostAreNotTheGuests(t *testing.T) {
	reached := 0
	address := server(t, func(http.ResponseWriter, *http.Request) { reached++ })
	c := withSecrets(t, address, address)
	for _, name := range []string{"Authorization", "authorization", "X-KEY", "X_Key"} {
		a := get(t, c, "http://"+address+"/open", name, "mine")
		if a.Kind != kindDenied || !strings.Contains(a.Message, name) {
			t.Errorf("setting %s: %+v", name, a)
		}
	}
	// A guest that gets an echo in pieces could put them together.
	refused(t, get(t, c, "http://"+address+"/key/echo", "Range", "bytes=0-3"), kindDenied, `leave "Range" out`)
	refused(t, get(t, c, "http://"+address+"/key/echo", "range", "", "RANGE", "bytes=0-3"), kindDenied, `leave "Range" out`)
	refused(t, get(t, c, "http://"+address+"/key/echo", "Accept-Encoding", "gzip"), kindDenied, "cannot be set")
	if reached != 0 {
		t.Errorf("reached %d times", reached)
	}
	if a := get(t, c, "http://"+address+"/open", "Range", "bytes=0-3"); a.Status != 200 {
		t.Errorf("a range of what has no secrets: %+v", a)
	}
}

func TestGuestsOwnCredentialsStayAtTheirOrigin(t *testing.T) {
	var seen []string
	note := func(r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization")+r.Header.Get("Cookie")+r.Header.Get("X-Mine"))
	}
	second := server(t, func(_ http.ResponseWriter, r *http.Request) { note(r) })
	first := server(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		w.Header().Set("Set-Cookie", "session=1")
		to := map[string]string{"/a": "/b", "/b": "http://" + second + "/"}[r.URL.Path]
		http.Redirect(w, r, to, http.StatusFound)
	})
	c := open(t, first, fmt.Sprintf("allow = [\"GET http://AT/*\", \"GET http://%s/*\"]\nprivate = [\"AT\", %q]\n", second, second))
	a := get(t, c, "http://"+first+"/a", "Authorization", "A", "Cookie", "C", "X-Mine", "M")
	if got := strings.Join(seen, " "); a.Status != 200 || got != "ACM ACM M" {
		t.Errorf("the servers saw %q (%+v)", got, a)
	}
}

func TestSecretsThatCannotBeKeptAreRefused(t *testing.T) {
	for _, s := range []string{"", "short", "seven77", "with\r\nbreak", "with a tab\t", " space", "space    ", "ünicode-secret", strings.Repeat("x", 8<<10+1)} {
		err := CheckSecret(s)
		if err == nil {
			t.Errorf("accepts %.20q", s)
		} else if s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("shows the secret: %v", err)
		}
	}
	for _, s := range []string{secret, "12345678", "two words", strings.Repeat("x", 8<<10)} {
		if err := CheckSecret(s); err != nil {
			t.Errorf("refuses %.20q: %v", s, err)
		}
	}
}
