package network

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/policies"
)

// echo answers with what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Host", r.Host)
	_, _ = fmt.Fprintf(w, "%s %s %d %s", r.Method, r.URL.RequestURI(), r.ContentLength, body)
}

func TestAllowedRequestsAreMade(t *testing.T) {
	address := server(t, echo)
	fuel := uint64(0)
	c := open(t, address, anything, func(o *Options) { o.Charge = func(n uint64) { fuel += n } })
	a := get(t, c, "http://"+address+"/v1/x?y=%2F..")
	if a.Status != 200 || a.Reason != "OK" || a.body != "GET /v1/x?y=%2F.. 0 " || a.header("X-Host") != address {
		t.Errorf("got %+v", a)
	}
	if fuel < sentCost || fuel > sentCost+1000 {
		t.Errorf("took %d fuel", fuel)
	}
	a = ask(t, c, fmt.Sprintf(`{"method":"POST","url":"http://%s/v1/x","headers":[["Content-Type","text/plain"]],"body":5}`, address), "hello")
	if a.Status != 200 || a.body != "POST /v1/x 5 hello" {
		t.Errorf("got %+v", a)
	}
	a = ask(t, c, fmt.Sprintf(`{"method":"HEAD","url":"http://%s/"}`, address), "")
	if a.Status != 200 || a.body != "" {
		t.Errorf("got %+v", a)
	}
	want := []Record{
		{Method: "GET", Origin: "http://" + address, Path: "/v1/x", Status: 200, Received: 20},
		{Method: "POST", Origin: "http://" + address, Path: "/v1/x", Status: 200, Sent: 5, Received: 18},
		{Method: "HEAD", Origin: "http://" + address, Path: "/", Status: 200},
	}
	if diff := cmp.Diff(want, c.Records()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestEverythingElseIsRefusedAndNotSent(t *testing.T) {
	reached := 0
	address := server(t, func(http.ResponseWriter, *http.Request) { reached++ })
	other := server(t, func(http.ResponseWriter, *http.Request) { reached++ })
	_, port, _ := net.SplitHostPort(address)
	tests := []struct{ name, line, kind, part string }{
		{"another method", `{"method":"DELETE","url":"http://AT/v1/x"}`, kindDenied, `key "network.allow"`},
		{"method in lower case", `{"method":"get","url":"http://AT/v1/x"}`, kindDenied, `"get http://AT/v1/x"`},
		{"no method", `{"url":"http://AT/v1/x"}`, kindDenied, "network.allow"},
		{"a method that is a request", `{"method":"GET /admin HTTP/1.1\r\nX: y","url":"http://AT/v1/x"}`, kindDenied, "network.allow"},
		{"another path", `{"method":"GET","url":"http://AT/v2/x"}`, kindDenied, "network.allow"},
		{"another port", `{"method":"GET","url":"http://` + other + `/v1/x"}`, kindDenied, "network.allow"},
		{"another scheme", `{"method":"GET","url":"https://AT/v1/x"}`, kindDenied, "network.allow"},
		{"another name of the host", `{"method":"GET","url":"http://localhost:` + port + `/v1/x"}`, kindDenied, "network.allow"},
		{"the host as IPv6", `{"method":"GET","url":"http://[::ffff:127.0.0.1]:` + port + `/v1/x"}`, kindInvalid, "in disguise"},
		{"parent directory", `{"method":"GET","url":"http://AT/v1/../admin"}`, kindInvalid, "segment"},
		{"escaped parent directory", `{"method":"GET","url":"http://AT/v1/%2e%2e/admin"}`, kindInvalid, "segment"},
		{"the host as a user", `{"method":"GET","url":"http://AT@` + other + `/v1/x"}`, kindInvalid, "user information"},
		{"line break in the URL", `{"method":"GET","url":"http://AT/v1/x HTTP/1.1\r\nHost: y"}`, kindInvalid, "holds the character"},
		{"line break in a header", `{"method":"GET","url":"http://AT/v1/x","headers":[["A","b\r\nHost: evil"]]}`, kindInvalid, "visible ASCII"},
		{"line break in a header's name", `{"method":"GET","url":"http://AT/v1/x","headers":[["A: b\r\nHost","evil"]]}`, kindInvalid, "cannot name a header"},
		{"NUL in a header", `{"method":"GET","url":"http://AT/v1/x","headers":[["A","\u0000"]]}`, kindInvalid, "visible ASCII"},
		{"Host", `{"method":"GET","url":"http://AT/v1/x","headers":[["host","evil.example"]]}`, kindDenied, `"host" cannot be set`},
		{"Content-Length", `{"method":"GET","url":"http://AT/v1/x","headers":[["Content-Length","5"]]}`, kindDenied, "cannot be set"},
		{"Transfer-Encoding", `{"method":"GET","url":"http://AT/v1/x","headers":[["Transfer-Encoding","chunked"]]}`, kindDenied, "cannot be set"},
		{"Transfer_Encoding", `{"method":"GET","url":"http://AT/v1/x","headers":[["Transfer_Encoding","chunked"]]}`, kindDenied, "cannot be set"},
		{"Connection", `{"method":"GET","url":"http://AT/v1/x","headers":[["Connection","Authorization"]]}`, kindDenied, "cannot be set"},
		{"Proxy-Authorization", `{"method":"GET","url":"http://AT/v1/x","headers":[["Proxy-Authorization","x"]]}`, kindDenied, "cannot be set"},
		{"another method by a header", `{"method":"GET","url":"http://AT/v1/x","headers":[["X-HTTP-Method-Override","DELETE"]]}`, kindDenied, "cannot be set"},
		{"another path by a header", `{"method":"GET","url":"http://AT/v1/x","headers":[["X-Original-URL","/admin"]]}`, kindDenied, "cannot be set"},
		{"body of a GET", `{"method":"GET","url":"http://AT/v1/x","body":3}` + "\nabc", kindInvalid, "has no body"},
		{"a relative URL", `{"method":"GET","url":"/v1/x"}`, kindInvalid, "not absolute"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := open(t, address, "allow = [\"GET http://AT/v1/*\"]\nprivate = [\"AT\"]\n")
			line, body, _ := strings.Cut(strings.ReplaceAll(test.line, "AT", address), "\n")
			refused(t, ask(t, c, line, body), test.kind, strings.ReplaceAll(test.part, "AT", address))
			records := c.Records()
			if len(records) != 1 || records[0].Refused == "" || records[0].Status != 0 {
				t.Errorf("records %+v", records)
			}
		})
	}
	if reached != 0 {
		t.Errorf("%d requests were made", reached)
	}
}

func TestAddresses(t *testing.T) {
	tests := []struct {
		address string
		public  bool
	}{
		{"8.8.8.8", true},
		{"1.1.1.1", true},
		{"172.15.255.255", true},
		{"172.32.0.1", true},
		{"100.63.0.1", true},
		{"223.255.255.255", true},
		{"2606:4700::1111", true},
		{"::ffff:8.8.8.8", true},
		{"64:ff9b::8.8.8.8", true},
		{"127.0.0.1", false},
		{"127.255.255.254", false},
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"10.1.2.3", false},
		{"172.16.0.1", false},
		{"172.31.255.255", false},
		{"192.168.1.1", false},
		{"169.254.169.254", false},
		{"100.100.100.200", false},
		{"192.0.0.192", false},
		{"168.63.129.16", false},
		{"224.0.0.1", false},
		{"239.1.1.1", false},
		{"255.255.255.255", false},
		{"240.0.0.1", false},
		{"198.18.0.1", false},
		{"192.0.2.1", false},
		{"::", false},
		{"::1", false},
		{"::ffff:127.0.0.1", false},
		{"::ffff:10.0.0.1", false},
		{"::127.0.0.1", false},
		{"::ffff:0:127.0.0.1", false},
		{"64:ff9b::127.0.0.1", false},
		{"64:ff9b::169.254.169.254", false},
		{"64:ff9b:1::1", false},
		{"2002:7f00:1::", false},
		{"2002:808:808::", false},
		{"2001:0:1::1", false},
		{"2001:db8::1", false},
		{"3fff::1", false},
		{"fe80::1", false},
		{"fe80::1%eth0", false},
		{"fec0::1", false},
		{"fc00::1", false},
		{"fd00:ec2::254", false},
		{"ff02::1", false},
		{"100::1", false},
		{"5f00::1", false},
		{"4000::1", false},
	}
	for _, test := range tests {
		if got := isPublic(netip.MustParseAddr(test.address)); got != test.public {
			t.Errorf("%s is public: %t", test.address, got)
		}
	}
	c := open(t, "127.0.0.1:81", anything)
	for address, want := range map[string]bool{
		"127.0.0.1:81": true, "[::ffff:127.0.0.1]:81": true, "127.0.0.1:80": false, "127.0.0.2:81": false, "[::1]:81": false, "x": false,
		"[fe80::1%eth0]:81": false,
	} {
		if err := c.control("tcp", address, nil); (err == nil) != want {
			t.Errorf("connecting to %s: %v", address, err)
		}
	}
}

func TestAddressesAreJudgedWhenConnecting(t *testing.T) {
	reached := 0
	address := server(t, func(http.ResponseWriter, *http.Request) { reached++ })
	_, port, _ := net.SplitHostPort(address)
	url := "http://api.example.com:" + port + "/"
	policy := "allow = [\"GET http://api.example.com:" + port + "/*\"]\nprivate = [\"AT\"]\n"

	// The name leads to what the profile names, and the next time elsewhere.
	c := open(t, address, policy, func(o *Options) {
		o.Resolver = names(map[string][]string{"api.example.com": {"127.0.0.1", "127.0.0.2"}})
	})
	if a := get(t, c, url); a.Status != 200 {
		t.Fatalf("the first time: %+v", a)
	}
	a := get(t, c, url)
	refused(t, a, kindDenied, `key "network.private"`)
	if strings.Contains(a.Message, "127.0.0") {
		t.Errorf("the guest is told an address: %q", a.Message)
	}
	if r := c.Records()[1]; !strings.Contains(r.Refused, "127.0.0.2:"+port+" is not a public address") {
		t.Errorf("the record does not say where the name leads: %q", r.Refused)
	}
	if reached != 1 {
		t.Errorf("reached %d times", reached)
	}
	for _, hidden := range []string{"169.254.169.254", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "fd00:ec2::254", "0.0.0.0", "::"} {
		c := open(t, "192.0.2.1:1", policy, func(o *Options) {
			o.Resolver = names(map[string][]string{"api.example.com": {hidden}})
		})
		a := get(t, c, url)
		// What the machine itself has no way to, it does not even try.
		if a.Kind != kindDenied && a.Kind != kindFailed || a.Status != 0 {
			t.Errorf("a name for %s: %+v", hidden, a)
		}
	}
	if reached != 1 {
		t.Errorf("reached %d times", reached)
	}
	c = open(t, address, policy, func(o *Options) { o.Resolver = names(nil) })
	refused(t, get(t, c, url), kindFailed, "could not be resolved")
}

func TestRedirectsAreHeldToTheSameRules(t *testing.T) {
	reached := 0
	other := server(t, func(http.ResponseWriter, *http.Request) { reached++ })
	const plan = "/here/"
	address := server(t, func(w http.ResponseWriter, r *http.Request) {
		to := r.URL.Query().Get("to")
		switch to {
		case "loop":
			to = r.URL.RequestURI()
		case "":
			echo(w, r)
			return
		}
		status := http.StatusFound
		_, _ = fmt.Sscan(r.URL.Query().Get("as"), &status)
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	})
	policy := "allow = [\"GET,POST,PUT http://AT/here/*\", \"GET http://api.example.com:9/*\", \"GET http://[::1]:9/*\"]\nprivate = [\"AT\"]\nrequests = 15\n"
	rebound := func(o *Options) { o.Resolver = names(map[string][]string{"api.example.com": {"127.0.0.1"}}) }
	tests := []struct{ name, method, query, want, kind, part string }{
		{"within", "GET", "to=/here/x", "GET /here/x 0 ", "", ""},
		{"relative", "GET", "to=x/y", "GET /here/x/y 0 ", "", ""},
		{"fragment", "GET", "to=/here/x%23y", "GET /here/x 0 ", "", ""},
		{"POST becomes GET", "POST", "to=/here/x&as=302", "GET /here/x 0 ", "", ""},
		{"POST stays", "POST", "to=/here/x&as=307", "POST /here/x 4 body", "", ""},
		{"PUT becomes GET by 303", "PUT", "to=/here/x&as=303", "GET /here/x 0 ", "", ""},
		{"another path", "GET", "to=/admin", "", kindDenied, "network.allow"},
		{"up", "GET", "to=../admin", "", kindDenied, "network.allow"},
		{"escaped up", "GET", "to=%252e%252e/admin", "", kindFailed, "segment"},
		{"another port", "GET", "to=http://" + other + "/here/x", "", kindDenied, "network.allow"},
		{"without a scheme", "GET", "to=//" + other + "/here/x", "", kindDenied, "network.allow"},
		{"a name for loopback", "GET", "to=http://api.example.com:9/", "", kindDenied, "network.private"},
		{"loopback", "GET", "to=http://%5B::1%5D:9/", "", kindDenied, "network.private"},
		{"a method that is not allowed there", "POST", "to=http://api.example.com:9/&as=307", "", kindDenied, "POST http://api.example.com:9/"},
		{"a file", "GET", "to=file:///etc/passwd", "", kindFailed, "scheme"},
		{"user information", "GET", "to=http://" + address + "@" + other + "/", "", kindFailed, "user information"},
		{"round and round", "GET", "to=loop", "", kindFailed, "gave up after 10 redirects"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := open(t, address, policy, rebound)
			body := ""
			if test.method != "GET" {
				body = "body"
			}
			a := ask(t, c, fmt.Sprintf(`{"method":%q,"url":"http://%s%s?%s","body":%d}`, test.method, address, plan, test.query, len(body)), body)
			switch {
			case test.want != "":
				if a.Status != 200 || a.body != test.want {
					t.Errorf("got %+v", a)
				}
			default:
				refused(t, a, test.kind, test.part)
			}
		})
	}
	if reached != 0 {
		t.Errorf("the other server was reached %d times", reached)
	}
	c := open(t, address, policy)
	a := ask(t, c, fmt.Sprintf(`{"method":"GET","url":"http://%s/here/?to=/admin","redirects":0}`, address), "")
	if a.Status != 302 || a.header("Location") != "/admin" {
		t.Errorf("a guest that follows by itself gets %+v", a)
	}
	if n := len(c.Records()); n != 1 {
		t.Errorf("%d records of one request", n)
	}
}

func TestLimits(t *testing.T) {
	address := server(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscan(r.URL.Query().Get("n"), &n)
		switch r.URL.Path {
		case "/endless":
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 4096))
			}
		case "/headers":
			for i := range n {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
		case "/zip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, n))
			_ = z.Close()
		default:
			_, _ = w.Write(bytes.Repeat([]byte("x"), n))
		}
	})
	policy := anything + "requests = 3\nmax_request = \"1KB\"\nmax_response = \"10KB\"\ntotal = \"25KB\"\n"
	url := "http://" + address
	t.Run("a response of exactly the limit comes, one byte more does not", func(t *testing.T) {
		c := open(t, address, policy)
		if a := get(t, c, url+"/?n=10000"); a.Status != 200 || len(a.body) != 10000 {
			t.Errorf("got %d, %d bytes", a.Status, len(a.body))
		}
		refused(t, get(t, c, url+"/?n=10001"), kindLimit, `larger than 10KB (profile "x", key "network.max_response")`)
	})
	t.Run("a body without an end", func(t *testing.T) {
		c := open(t, address, policy)
		refused(t, get(t, c, url+"/endless"), kindLimit, `key "network.max_response"`)
		if r := c.Records()[0]; r.Received != 10001 || r.Refused == "" {
			t.Errorf("record %+v", r)
		}
	})
	t.Run("what was compressed is not unpacked", func(t *testing.T) {
		c := open(t, address, policy)
		a := get(t, c, url+"/zip?n=1000000")
		if a.Status != 200 || len(a.body) > 10_000 || a.header("Content-Encoding") != "gzip" {
			t.Errorf("got %d, %d bytes, %q", a.Status, len(a.body), a.header("Content-Encoding"))
		}
		refused(t, get(t, c, url+"/zip?n=30000000"), kindLimit, `key "network.max_response"`)
	})
	t.Run("the sum of all", func(t *testing.T) {
		c := open(t, address, policy)
		get(t, c, url+"/?n=10000")
		get(t, c, url+"/?n=10000")
		refused(t, get(t, c, url+"/?n=10000"), kindLimit, `more than 25KB (profile "x", key "network.total")`)
	})
	t.Run("headers count", func(t *testing.T) {
		c := open(t, address, policy)
		refused(t, get(t, c, url+"/headers?n=26"), kindLimit, `key "network.total"`)
		refused(t, get(t, open(t, address, anything), url+"/headers?n=100"), kindFailed, "no HTTP response")
	})
	t.Run("a request's body", func(t *testing.T) {
		c := open(t, address, policy)
		line := `{"method":"POST","url":"` + url + `/","body":`
		if a := ask(t, c, line+"1000}", strings.Repeat("x", 1000)); a.Status != 200 {
			t.Errorf("got %+v", a)
		}
		refused(t, ask(t, c, line+"1001}", strings.Repeat("x", 1001)), kindLimit, `key "network.max_request"`)
		refused(t, ask(t, c, line+"9000000000000000000}", ""), kindLimit, `key "network.max_request"`)
	})
	t.Run("20 001 requests", func(t *testing.T) {
		fuel := uint64(0)
		c := open(t, address, policy+"", func(o *Options) { o.Grant.Total = 1 << 30; o.Charge = func(n uint64) { fuel += n } })
		made := 0
		for i := range 20_001 {
			if a := ask(t, c, numbered(address, i), ""); a.Status == 200 {
				made++
			} else if a.Kind != kindLimit || !strings.Contains(a.Message, `made 3 requests already (profile "x", key "network.requests")`) {
				t.Fatalf("request %d: %+v", i, a)
			}
		}
		records := c.Records()
		if made != 3 || len(records) != 4 || !strings.Contains(records[3].Refused, "network.requests") {
			t.Errorf("%d requests were made, records %+v", made, records)
		}
		if fuel < 19_998*refusedCost {
			t.Errorf("refusals took %d fuel", fuel)
		}
	})
	t.Run("many requests at once hold no more than one call may move", func(t *testing.T) {
		c := open(t, address, policy)
		held := 0
		for range 100 {
			e := c.Open(t.Context()).(*exchange)
			_, _ = e.Write([]byte(`{"method":"POST","url":"` + url + `/","body":1000}` + "\n"))
			_, _ = e.Write(bytes.Repeat([]byte("x"), 999))
			held += len(e.body) + len(e.line)
		}
		if held > 25_000 {
			t.Errorf("%d bytes are held", held)
		}
	})
}

// stall keeps its clients waiting until they leave, and says when one has come.
func stall(t *testing.T) (address string, come chan struct{}) {
	come = make(chan struct{}, 1)
	address = server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/drip" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case come <- struct{}{}:
			<-r.Context().Done()
		case <-r.Context().Done():
		}
	})
	return address, come
}

// untilOneComes makes requests that are to run out of time at a server: with more time
// each time, because a busy machine may take a little away before one gets there.
func untilOneComes(t *testing.T, request func(address string, limit time.Duration)) {
	t.Helper()
	for limit := 50 * time.Millisecond; limit < time.Minute; limit *= 6 {
		address, come := stall(t)
		request(address, limit)
		select {
		case <-come:
			return
		case <-time.After(time.Second):
		}
	}
	t.Error("no request came to the server")
}

func TestSlowServersAreLeft(t *testing.T) {
	for _, path := range []string{"/silent", "/drip"} {
		untilOneComes(t, func(address string, limit time.Duration) {
			c := open(t, address, anything+fmt.Sprintf("timeout = %q\n", policies.Duration(limit)))
			refused(t, get(t, c, "http://"+address+path), kindTimeout, `key "network.timeout"`)
		})
		// The guest may ask for less, and not for more.
		untilOneComes(t, func(address string, limit time.Duration) {
			c := open(t, address, anything+"timeout = \"10m\"\n")
			line := fmt.Sprintf(`{"method":"GET","url":"http://%s%s","timeout":%g}`, address, path, limit.Seconds())
			refused(t, ask(t, c, line, ""), kindTimeout, "in time")
		})
		address, come := stall(t)
		c := open(t, address, anything+"timeout = \"10m\"\n")
		if got := c.timeout(1e300); got != 10*time.Minute {
			t.Errorf("a guest that asks for more gets %v", got)
		}

		// The end of the call ends the request.
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-come; cancel() }()
		a := askWith(t, ctx, c, `{"method":"GET","url":"http://`+address+path+`"}`, "")
		refused(t, a, kindTimeout, "in time")

		// So does a guest that closes the file.
		e := c.Open(t.Context())
		_, _ = e.Write([]byte(`{"method":"GET","url":"http://` + address + path + `"}` + "\n"))
		go func() { <-come; _ = e.Close() }()
		if got, err := io.ReadAll(e); err != nil || !bytes.Contains(got, []byte("timeout")) {
			t.Errorf("after closing: %q, %v", got, err)
		}
	}
}

// TestConnectionsThatAreNotMadeInTimeAreGivenUp covers the part before there is a
// connection: net/http goes on connecting for a request that has ended.
func TestConnectionsThatAreNotMadeInTimeAreGivenUp(t *testing.T) {
	ended := make(chan error, 1)
	var begun atomic.Bool
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		begun.Store(true)
		<-ctx.Done()
		select {
		case ended <- ctx.Err():
		default:
		}
		return nil, ctx.Err()
	}}
	// A busy machine may take a little time away before resolving has begun.
	for limit := 50 * time.Millisecond; limit < time.Minute && !begun.Load(); limit *= 6 {
		policy := fmt.Sprintf("allow = [\"GET http://api.example.com/*\"]\ntimeout = %q\n", policies.Duration(limit))
		c := open(t, "", policy, func(o *Options) { o.Resolver = resolver })
		refused(t, get(t, c, "http://api.example.com/"), kindTimeout, "in time")
	}
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("resolving ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("resolving goes on")
	}
}

func TestServersThatDoNotSpeakHTTP(t *testing.T) {
	for _, says := range []string{"", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, says)
			_ = conn.Close()
		}()
		address := listener.Addr().String()
		refused(t, get(t, open(t, address, anything), "http://"+address+"/"), kindFailed, "no HTTP response")
		_ = listener.Close()
		refused(t, get(t, open(t, address, anything), "http://"+address+"/"), kindFailed, "refused the connection")
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Proto)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	address := strings.TrimPrefix(s.URL, "https://")
	policy := "allow = [\"GET https://AT/*\"]\nprivate = [\"AT\"]\n"
	refused(t, get(t, open(t, address, policy), s.URL), kindFailed, "certificate")
	pool := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c := open(t, address, policy, func(o *Options) { o.RootCAs = pool })
	if a := get(t, c, s.URL); a.Status != 200 || a.body != "HTTP/1.1" {
		t.Errorf("got %+v", a)
	}
}
