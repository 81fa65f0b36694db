package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/policies"
)

// grant is a profile's network, written as in a file; NAME and PORT stand for what
// the test's server is.
func grant(tb testing.TB, text string) policies.Network {
	tb.Helper()
	p, err := policies.Parse("sandbox.toml", []byte("[profiles.x.network]\n"+text))
	if err != nil {
		tb.Fatal(err)
	}
	profile, err := p.Profile("x")
	if err != nil {
		tb.Fatal(err)
	}
	return profile.Network
}

// server answers on loopback until the test ends.
func server(tb testing.TB, h http.HandlerFunc) string {
	tb.Helper()
	s := httptest.NewServer(h)
	tb.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return strings.TrimPrefix(s.URL, "http://")
}

// open returns a client that may ask what the text says, where AT is the address of
// a server.
func open(tb testing.TB, address, text string, change ...func(*Options)) *Client {
	tb.Helper()
	o := Options{Grant: grant(tb, strings.ReplaceAll(text, "AT", address)), Profile: "x"}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

// anything allows every path of one server.
const anything = `allow = ["GET,POST,PUT,HEAD http://AT/*"]
private = ["AT"]
`

// answer is what a guest reads.
type answer struct {
	response

	Kind    string `json:"error"`
	Message string `json:"message"`
	body    string
}

func (a answer) header(name string) string {
	for _, h := range a.Headers {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// ask makes one exchange as a guest does. The line is sent as it is.
func ask(tb testing.TB, c *Client, line, body string) answer {
	tb.Helper()
	return askWith(tb, tb.Context(), c, line, body)
}

func askWith(tb testing.TB, ctx context.Context, c *Client, line, body string) answer { //nolint:revive // as in testing's own helpers
	tb.Helper()
	e := c.Open(ctx)
	defer e.Close()
	if _, err := io.WriteString(e, line+"\n"+body); err != nil {
		tb.Fatal(err)
	}
	got, err := io.ReadAll(e)
	if err != nil {
		tb.Fatal(err)
	}
	head, rest, ok := bytes.Cut(got, []byte("\n"))
	var a answer
	if err := json.Unmarshal(head, &a); !ok || err != nil {
		tb.Fatalf("%q is no answer: %v", got, err)
	}
	if a.Kind == "" && a.Body != len(rest) || a.Kind != "" && len(rest) > 0 {
		tb.Fatalf("%q announces %d bytes", got, a.Body)
	}
	a.body = string(rest)
	return a
}

// get asks for a URL.
func get(tb testing.TB, c *Client, url string, headers ...string) answer {
	tb.Helper()
	list := [][2]string{}
	for i := 0; i < len(headers); i += 2 {
		list = append(list, [2]string{headers[i], headers[i+1]})
	}
	line, err := json.Marshal(map[string]any{"method": "GET", "url": url, "headers": list})
	if err != nil {
		tb.Fatal(err)
	}
	return ask(tb, c, string(line), "")
}

// refused checks that an answer is a failure of a kind, which names something.
func refused(tb testing.TB, a answer, kind, part string) {
	tb.Helper()
	if a.Kind != kind || !strings.Contains(a.Message, part) {
		tb.Errorf("got status %d, %s %q; want %s with %q", a.Status, a.Kind, a.Message, kind, part)
	}
}

// names is a name server that answers the n-th question for an address of a name
// with the n-th address of a list, the last one over and over.
func names(table map[string][]string) *net.Resolver {
	asked := make(chan map[string]int, 1)
	asked <- map[string]int{}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer ours.Close()
			_ = ours.SetDeadline(time.Now().Add(time.Minute))
			counts := <-asked
			defer func() { asked <- counts }()
			answerName(ours, table, counts)
		}()
		return theirs, nil
	}}
}

// answerName answers one question in DNS's form over a stream; see RFC 1035, 4.
func answerName(conn net.Conn, table map[string][]string, counts map[string]int) {
	question := make([]byte, 2)
	if _, err := io.ReadFull(conn, question); err != nil {
		return
	}
	question = make([]byte, int(question[0])<<8|int(question[1]))
	if _, err := io.ReadFull(conn, question); err != nil {
		return
	}
	const header = 12
	var labels []string
	at := header
	for question[at] != 0 {
		n := int(question[at])
		labels = append(labels, string(question[at+1:at+1+n]))
		at += 1 + n
	}
	name, kind := strings.Join(labels, "."), question[at+2]
	var address []byte
	if list := table[name]; len(list) > 0 {
		a := netip.MustParseAddr(list[min(counts[name], len(list)-1)])
		if isA := kind == 1; isA && a.Is4() || kind == 28 && a.Is6() {
			address = a.AsSlice()
			counts[name]++
		}
	}
	end := at + 5
	reply := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[header:end]...)
	if address != nil {
		reply[7] = 1
		reply = append(reply, 0xc0, header, 0, kind, 0, 1, 0, 0, 0, 0, 0, byte(len(address)))
		reply = append(reply, address...)
	}
	_, _ = conn.Write(append([]byte{byte(len(reply) >> 8), byte(len(reply))}, reply...))
}

// numbered is the text of a program's many requests.
func numbered(address string, i int) string {
	return fmt.Sprintf(`{"method":"GET","url":"http://%s/%d"}`, address, i)
}
