// Package network makes the requests that a profile allows, on a guest's behalf.
//
// A guest has no sockets. It opens a file, writes one request into it, and reads
// the answer from it: an exchange, which [Client.Open] is the other end of. The
// client decides by [policies.Network] what may be asked, connects to addresses
// that it may connect to, adds the headers that the guest must not see, and keeps
// what comes back within limits.
//
// What holds, whatever the guest asks and the server answers: a request is sent
// only if its method and URL match a pattern, and each step of a redirect is held
// to the same; a connection is made only to a public address or to one that the
// profile names, judged by the address that is being connected to and not by what
// a name resolved to before; no proxy, cookie, cache or kept connection leads from
// one request to another; numbers, sizes and times are bounded; a secret is sent
// only where its own pattern says so, and its bytes do not come back.
//
// What does not hold: a server that is given a secret can show it in another form,
// reversed or encoded, and a guest that can make it do so will know it. Only the
// secret itself is taken out of responses.
//
// A [Client] serves one call. Its methods may be called concurrently.
package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sandboxd/sandboxd/policies"
)

// Options say what a guest may ask. They are borrowed and must not change.
type Options struct {
	// Grant is the profile's network, and Profile its name, for messages.
	Grant   policies.Network
	Profile string
	// Secrets are the values of Grant.Headers, in the same order, without their
	// prefixes. [CheckSecret] has accepted each.
	Secrets []string
	// Charge takes fuel from the guest for what the host does; nil is allowed.
	Charge func(fuel uint64)
	// Resolver looks names up; nil means the system's.
	Resolver *net.Resolver
	// RootCAs is whom servers must be certified by; nil means the system's.
	RootCAs *x509.CertPool
}

// maxRefused is the most bytes of a record's reason.
const maxRefused = 512

// What the host's work costs the guest, in fuel: about a unit for each nanosecond.
const (
	refusedCost = 20_000    // looking at a request that is not sent
	sentCost    = 1_000_000 // a connection, which is mostly TLS
	byteCost    = 1         // for each byte of a body, either way
)

// Client makes the requests of one call.
type Client struct {
	opts      Options
	transport *http.Transport
	scrubber  scrubber

	mu       sync.Mutex
	requests uint64 // made or refused
	moved    uint64 // bytes, both ways
	records  []Record
}

// Record is one request, or one step of a redirect, for those who look after the
// host. What the guest wrote in it is ASCII without control characters.
type Record struct {
	Method string `json:"method"`
	// Origin is the scheme, host and port; empty if the URL could not be read.
	Origin string `json:"origin"`
	// Path is the URL's path, cut to 256 bytes. Queries are not recorded.
	Path string `json:"path"`
	// Status is the response's; 0 if there was none.
	Status int `json:"status,omitempty"`
	// Sent and Received count the bytes of the bodies.
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
	// Refused says why the guest got no response; empty if it got one.
	Refused string `json:"refused,omitempty"`
}

// New returns a client.
func New(o Options) *Client {
	c := &Client{opts: o, scrubber: newScrubber(o.Secrets)}
	dialer := &net.Dialer{Resolver: o.Resolver, KeepAlive: -1, Control: c.control}
	// A transport with a dialer of its own speaks HTTP/1.1 only.
	c.transport = &http.Transport{
		DialContext:            dialer.DialContext,
		DisableKeepAlives:      true, // and so no request is ever sent twice
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHead,
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
	}
	return c
}

// Open returns the host's end of a new exchange. Nothing it does outlives ctx. The
// caller closes it.
func (c *Client) Open(ctx context.Context) io.ReadWriteCloser {
	ctx, cancel := context.WithCancel(ctx)
	return &exchange{client: c, ctx: ctx, cancel: cancel}
}

// Records returns what was asked so far: at most one more than the profile allows
// requests, the last saying that there were too many.
func (c *Client) Records() []Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Record(nil), c.records...)
}

// Kinds of failure, as a guest is told them.
const (
	kindDenied  = "denied"  // the profile does not allow it
	kindLimit   = "limit"   // a limit of the profile is reached
	kindInvalid = "invalid" // nothing that could be sent
	kindTimeout = "timeout" // no response in time
	kindFailed  = "failed"  // the network or the server
)

// failure is why a guest gets no response. It says nothing that the guest may not
// know, such as the address behind a name; what the operator should know beside is
// in detail.
type failure struct {
	Kind    string `json:"error"`
	Message string `json:"message"`
	detail  string
}

func failuref(kind, format string, args ...any) *failure {
	return &failure{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// limitf is a failure for a limit, which it names.
func (c *Client) limitf(key, format string, args ...any) *failure {
	return failuref(kindLimit, "%s (profile %q, key \"network.%s\")", fmt.Sprintf(format, args...), c.opts.Profile, key)
}

func (c *Client) charge(fuel uint64) {
	if c.opts.Charge != nil {
		c.opts.Charge(fuel)
	}
}

// spend counts n bytes, or fails when they are too many. They count in any case.
func (c *Client) spend(n int64) *failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved += uint64(max(n, 0)) //nolint:gosec // not negative
	if total := c.opts.Grant.Total; c.moved > uint64(total) {
		return c.limitf("total", "the requests of this call sent and received more than %v", total)
	}
	return nil
}

// left is how many bytes may still come.
func (c *Client) left() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := uint64(c.opts.Grant.Total)
	return int64(total - min(c.moved, total)) //nolint:gosec // at most policies.MaxNetworkTotal
}

// begin counts a request and records it. The failure says that there were too many;
// only the first of those is recorded.
func (c *Client) begin(r Record) (index int, f *failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	if most := c.opts.Grant.Requests; c.requests > most {
		f = c.limitf("requests", "this call made %d requests already", most)
		if c.requests > most+1 {
			return -1, f
		}
		r.Refused = f.Message
	}
	r.Refused = visible(r.Refused, maxRefused)
	c.records = append(c.records, r)
	return len(c.records) - 1, f
}

// amend completes a record.
func (c *Client) amend(index int, change func(*Record)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if index >= 0 {
		change(&c.records[index])
	}
}

// timeout is the time one request may take, of which the guest may ask for less.
func (c *Client) timeout(seconds float64) time.Duration {
	most := time.Duration(c.opts.Grant.Timeout)
	if seconds > 0 && seconds < most.Seconds() {
		return time.Duration(seconds * float64(time.Second))
	}
	return most
}
