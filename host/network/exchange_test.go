package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

func TestFramesThatAreNone(t *testing.T) {
	address := "127.0.0.1:9"
	tests := []struct{ name, text, part string }{
		{"nothing", "", "no request was written"},
		{"half a line", `{"method":"GET"`, "no request was written"},
		{"an empty line", "\n", "not what is understood"},
		{"no JSON", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "not what is understood"},
		{"a list", "[]\n", "not what is understood"},
		{"a number for a text", `{"method":1}` + "\n", "not what is understood"},
		{"an unknown key", `{"method":"GET","proxy":"http://evil"}` + "\n", "unknown field"},
		{"two values", `{} {}` + "\n", "more than one value"},
		{"negative body", `{"body":-1}` + "\n", "-1 bytes"},
		{"huge body", `{"body":1e300}` + "\n", "not what is understood"},
		{"half a header", `{"headers":[["A"]]}` + "\n", "a name and a value"},
		{"many headers", `{"headers":[` + strings.Repeat(`["A","b"],`, 100) + `["A","b"]]}` + "\n", "101 headers"},
		{"deep", `{"headers":` + strings.Repeat("[", 20_000) + "\n", "not what is understood"},
		{"long line", strings.Repeat("x", maxHead+1), "longer than 65536"},
		{"long line with an end", strings.Repeat(" ", maxHead+1) + "\n", "longer than 65536"},
		{"body missing", `{"method":"POST","body":5}` + "\nabc", "3 of the 5 bytes"},
		{"body too long", `{"method":"POST","body":5}` + "\nabcdef", "longer than the 5 bytes"},
		{"a second request", `{"method":"GET"}` + "\n" + `{"method":"GET"}` + "\n", "longer than the 0 bytes"},
		{"not UTF-8", "{\"url\":\"\xff\"}\n", "URL"},
	}
	for _, test := range tests {
		for _, piece := range []int{1, 1000, 1 << 20} {
			c := open(t, address, anything)
			e := c.Open(t.Context())
			for text := test.text; text != ""; {
				n, err := e.Write([]byte(text[:min(piece, len(text))]))
				if err != nil || n == 0 {
					t.Fatalf("%s: Write: %d, %v", test.name, n, err)
				}
				text = text[n:]
			}
			got, err := io.ReadAll(e)
			if err != nil || !strings.Contains(string(got), `"error":"invalid"`) || !strings.Contains(string(got), test.part) {
				t.Errorf("%s, in pieces of %d: %q, %v; want %q", test.name, piece, got, err, test.part)
			}
			if _, err := e.Write([]byte("x")); err == nil {
				t.Errorf("%s: takes more after the answer", test.name)
			}
			if n, err := e.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("%s: after the end: %d, %v", test.name, n, err)
			}
			if len(c.Records()) != 1 || len(c.Records()[0].Refused) > maxRefused {
				t.Errorf("%s: records %.1000v", test.name, c.Records())
			}
		}
	}
}

// FuzzExchange claims that whatever a guest writes, it gets one answer in the form
// it expects, nothing is connected to that the profile does not allow, and the host
// keeps and records no more than it may.
func FuzzExchange(f *testing.F) {
	for _, s := range []string{
		"", "{}\n", `{"method":"GET","url":"http://a.example/v1/x","headers":[["A","b"]],"body":0,"timeout":1e-9,"redirects":-1}` + "\n",
		`{"method":"POST","url":"http://a.example/v1/x","body":3}` + "\nabc", `{"method":"GET","url":"http://a.example/v1/../x"}` + "\n",
		"{\"METHOD\":\"GET\",\"url\":\"http://A.example:80/v1/\u2028\"}\n", `{"headers":[["Host","x"],["A",""]],"method":"GET","url":"http://a.example"}` + "\n",
	} {
		f.Add([]byte(s), 7)
	}
	policy := grant(f, "allow = [\"GET,POST http://a.example/v1/*\"]\nmax_request = \"1KB\"\ntotal = \"4KB\"\ntimeout = \"1s\"\n")
	f.Fuzz(func(t *testing.T, text []byte, piece int) {
		c := New(Options{Grant: policy, Profile: "x"})
		dialed := ""
		c.transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
			dialed = address
			return nil, io.ErrUnexpectedEOF
		}
		e := c.Open(t.Context()).(*exchange)
		defer e.Close()
		for rest := text; len(rest) > 0; {
			n := min(len(rest), max(piece, 1))
			if got, err := e.Write(rest[:n]); got != n || err != nil {
				t.Fatalf("Write: %d, %v", got, err)
			}
			if len(e.body)+len(e.line) > 4000 {
				t.Fatalf("keeps %d bytes", len(e.body)+len(e.line))
			}
			rest = rest[n:]
		}
		got, err := io.ReadAll(e)
		line, body, ok := bytes.Cut(got, []byte("\n"))
		var a failure
		if err != nil || !ok || len(body) > 0 || json.Unmarshal(line, &a) != nil || a.Kind == "" || a.Message == "" {
			t.Fatalf("answer %q, %v", got, err)
		}
		if dialed != "" && dialed != "a.example:80" {
			t.Errorf("connects to %q", dialed)
		}
		records := c.Records()
		if len(records) != 1 || len(records[0].Path) > 256 || len(records[0].Method) > 16 || len(records[0].Refused) > maxRefused {
			t.Errorf("records %.1000v", records)
		}
		for _, r := range records {
			for _, s := range []string{r.Method, r.Origin, r.Path, r.Refused} {
				if visible(s, len(s)) != s {
					t.Errorf("record %q", s)
				}
			}
			if dialed != "" && !strings.HasPrefix(r.Path, "/v1/") {
				t.Errorf("sends %q", r.Path)
			}
		}
	})
}
