package network

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/sandboxd/sandboxd/policies"
)

// maxRedirects is how many redirects are followed.
const maxRedirects = 10

// step is one request on the wire: what was asked, or where a redirect leads.
type step struct {
	method string
	url    policies.URL
	header http.Header // what the guest set
	body   []byte
}

// do makes a request, follows its redirects, and returns the whole answer.
func (c *Client) do(ctx context.Context, r *request, body []byte) []byte {
	u, err := policies.ParseURL(r.URL)
	if err != nil {
		return c.refuse(r, failuref(kindInvalid, "%v", err))
	}
	header, f := c.header(r)
	if f == nil && len(body) > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		f = failuref(kindInvalid, "a %s request has no body; use POST or PUT", r.Method)
	}
	if f != nil {
		return c.refuse(r, f)
	}
	redirects := maxRedirects
	if r.Redirects != nil {
		redirects = min(max(*r.Redirects, 0), maxRedirects)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout(r.Timeout))
	defer cancel()
	s := step{r.Method, u, header, body}
	for followed := 0; ; followed++ {
		answer, next, f := c.step(ctx, s, redirects > 0)
		switch {
		case f != nil:
			return frame(f, nil)
		case next == nil:
			return answer
		case followed == redirects:
			return c.refuse(r, failuref(kindFailed, "gave up after %d redirects", redirects))
		}
		s = *next
	}
}

// header checks the headers that the guest set.
func (c *Client) header(r *request) (http.Header, *failure) {
	header := http.Header{}
	for _, h := range r.Headers {
		name, value := h[0], strings.Trim(h[1], " \t")
		switch {
		case !policies.IsHeaderName(name):
			return nil, failuref(kindInvalid, "%q cannot name a header", visible(name, 128))
		case !policies.IsHeaderValue(value):
			return nil, failuref(kindInvalid, "the value of header %q holds more than 8 KiB, or a character other than visible ASCII and spaces", name)
		case policies.ReservedHeader(name):
			return nil, failuref(kindDenied, "header %q cannot be set by a program", name)
		}
		for _, placed := range c.opts.Grant.Headers {
			if strings.EqualFold(placed.Name, name) {
				return nil, failuref(kindDenied, "header %q is set by the host: leave it out", name)
			}
		}
		header.Add(name, value)
	}
	if _, set := header["User-Agent"]; !set {
		header.Set("User-Agent", "sandboxd")
	}
	return header, nil
}

// allows says whether a step may be made.
func (c *Client) allows(s step) *failure {
	for _, p := range c.opts.Grant.Allow {
		if p.Allows(s.method, s.url) {
			return nil
		}
	}
	return failuref(kindDenied, "%q is not among the requests that the profile allows; the operator can add it (profile %q, key \"network.allow\")",
		visible(s.method, 16)+" "+visible(s.url.Origin()+s.url.Path, 256), c.opts.Profile)
}

// step makes one request. It returns the whole answer, or the next step when the
// response is a redirect to follow.
func (c *Client) step(ctx context.Context, s step, follow bool) (answer []byte, next *step, f *failure) {
	record := Record{Method: visible(s.method, 16), Origin: s.url.Origin(), Path: visible(s.url.Path, 256)}
	index, f := c.begin(record)
	defer func() {
		if f != nil {
			c.amend(index, func(r *Record) { r.Refused = visible(f.Message+f.detail, maxRefused) })
		}
	}()
	if f == nil {
		f = c.allows(s)
	}
	if f != nil {
		c.charge(refusedCost)
		return nil, nil, f
	}
	outgoing, placed, f := c.outgoing(ctx, s)
	if f != nil {
		return nil, nil, f
	}
	c.charge(sentCost + byteCost*uint64(len(s.body)))
	c.amend(index, func(r *Record) { r.Sent = int64(len(s.body)) })
	// A connection that is still being made when the time is over ends with this.
	defer c.transport.CloseIdleConnections()
	incoming, err := c.transport.RoundTrip(outgoing)
	if err != nil {
		return nil, nil, c.explain(ctx, s.url, err)
	}
	defer incoming.Body.Close() //nolint:errcheck // nothing was written to it
	c.amend(index, func(r *Record) { r.Status = incoming.StatusCode })
	if f = c.spend(size(incoming.Header)); f != nil {
		return nil, nil, f
	}
	if location := incoming.Header.Get("Location"); follow && isRedirect(incoming.StatusCode) && location != "" {
		next, f = c.redirect(s, incoming.StatusCode, location)
		return nil, next, f
	}
	body, f := c.read(ctx, s, incoming, placed)
	c.amend(index, func(r *Record) { r.Received = int64(len(body)) })
	if f != nil {
		return nil, nil, f
	}
	return c.answer(s, incoming, body), nil, nil
}

// outgoing makes a step's request, with the headers that the host places, and says
// whether there are any.
func (c *Client) outgoing(ctx context.Context, s step) (r *http.Request, placed bool, f *failure) {
	u, err := url.Parse(s.url.String())
	if err != nil || u.String() != s.url.String() {
		// What was compared with the patterns must be what is sent.
		return nil, false, failuref(kindInvalid, "URL %q could be read in two ways", s.url)
	}
	r = (&http.Request{Method: s.method, URL: u, Header: s.header.Clone(), Body: http.NoBody}).WithContext(ctx)
	if len(s.body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(s.body)), int64(len(s.body))
	}
	r.Header.Set("Accept-Encoding", "identity")
	for i, h := range c.opts.Grant.Headers {
		if h.Match.Covers(s.url) {
			r.Header.Set(h.Name, h.Prefix+c.opts.Secrets[i])
			placed = true
		}
	}
	// A server that repeats what it is sent could be asked for parts of it.
	if placed && (r.Header["Range"] != nil || r.Header["If-Range"] != nil) {
		return nil, false, failuref(kindDenied, "a part of a response cannot be asked for where the host sets a header: leave \"Range\" out")
	}
	return r, placed, nil
}

func isRedirect(status int) bool {
	return slices.Contains([]int{301, 302, 303, 307, 308}, status)
}

// redirect is the step that a response asks for. Whether it is allowed is decided
// when it is made.
func (c *Client) redirect(s step, status int, location string) (*step, *failure) {
	if c.scrubber.holds(location) {
		return nil, failuref(kindDenied, "the server redirects to a URL that holds a header's value")
	}
	base, err := url.Parse(s.url.String())
	if err != nil {
		return nil, failuref(kindFailed, "the server redirects to a URL that cannot be read")
	}
	to, err := base.Parse(location)
	if err != nil {
		return nil, failuref(kindFailed, "the server redirects to a URL that cannot be read")
	}
	to.Fragment, to.RawFragment = "", ""
	u, err := policies.ParseURL(to.String())
	if err != nil {
		return nil, failuref(kindFailed, "the server redirects to a %v", err)
	}
	next := step{s.method, u, s.header.Clone(), s.body}
	if u.Origin() != s.url.Origin() {
		for _, name := range []string{"Authorization", "Cookie", "Www-Authenticate"} {
			next.header.Del(name)
		}
	}
	if status == http.StatusSeeOther && s.method != http.MethodHead || status < http.StatusSeeOther && s.method == http.MethodPost {
		next.method, next.body = http.MethodGet, nil
		for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"} {
			next.header.Del(name)
		}
	}
	if len(next.body) > 0 {
		if f := c.spend(int64(len(next.body))); f != nil {
			return nil, f
		}
	}
	return &next, nil
}

// read reads the body of a response, as far as the profile allows.
func (c *Client) read(ctx context.Context, s step, r *http.Response, placed bool) ([]byte, *failure) {
	coding := strings.TrimSpace(r.Header.Get("Content-Encoding"))
	if placed && coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, failuref(kindFailed, "the response is compressed, which it was asked not to be: it could hide a header's value")
	}
	most := int64(c.opts.Grant.MaxResponse) //nolint:gosec // at most policies.MaxNetworkBody
	tooLarge := func() *failure {
		return c.limitf("max_response", "the response is larger than %v", c.opts.Grant.MaxResponse)
	}
	if r.ContentLength > most && s.method != http.MethodHead {
		return nil, tooLarge()
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, min(most, c.left())+1))
	c.charge(byteCost * uint64(len(body)))
	f := c.spend(int64(len(body)))
	switch {
	case f != nil:
	case int64(len(body)) > most:
		f = tooLarge()
	case err != nil:
		f = c.explain(ctx, s.url, err)
	}
	return body, f
}

// answer is the whole answer to a request that has a response.
func (c *Client) answer(s step, r *http.Response, body []byte) []byte {
	scrubbed := c.scrubber.bytes(body)
	out := response{
		Status: r.StatusCode, URL: s.url.String(), Body: len(scrubbed), Headers: [][2]string{},
		Reason: c.shown(strings.TrimSpace(strings.TrimPrefix(r.Status, fmt.Sprint(r.StatusCode)))),
	}
	for name, values := range r.Header {
		if c.scrubber.holds(name) || name == "Connection" || name == "Keep-Alive" ||
			name == "Content-Length" && len(scrubbed) != len(body) {
			continue
		}
		for _, value := range values {
			out.Headers = append(out.Headers, [2]string{name, c.shown(value)})
		}
	}
	slices.SortStableFunc(out.Headers, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return frame(out, scrubbed)
}

// shown is a server's text as a guest sees it.
func (c *Client) shown(s string) string { return strings.ToValidUTF8(c.scrubber.text(s), "\uFFFD") }

// size is how many bytes headers take.
func size(h http.Header) (n int64) {
	for name, values := range h {
		for _, value := range values {
			n += int64(len(name) + len(": ") + len(value) + len("\r\n"))
		}
	}
	return n
}

// explain says why a request got no response, in words of our own: those of the
// system hold addresses that are not the guest's business.
func (c *Client) explain(ctx context.Context, u policies.URL, err error) *failure {
	var refused *addressError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	origin := u.Origin()
	var f *failure
	switch {
	case errors.As(err, &refused):
		f = failuref(kindDenied, "%s is not at a public address; the operator can name its address and port (profile %q, key \"network.private\")", origin, c.opts.Profile)
		f.detail = fmt.Sprintf(": %v", refused)
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		f = failuref(kindTimeout, "%s gave no complete response in time (profile %q, key \"network.timeout\")", origin, c.opts.Profile)
	case errors.As(err, &dns):
		f = failuref(kindFailed, "the name of %s could not be resolved", origin)
	case errors.As(err, &certificate):
		f = failuref(kindFailed, "the certificate of %s is not valid for it", origin)
	case errors.As(err, &record):
		f = failuref(kindFailed, "%s does not speak TLS", origin)
	case errors.Is(err, syscall.ECONNREFUSED):
		f = failuref(kindFailed, "%s refused the connection", origin)
	default:
		f = failuref(kindFailed, "the connection to %s failed, or what came was no HTTP response", origin)
	}
	if f.detail == "" {
		f.detail = ": " + c.scrubber.text(err.Error())
	}
	return f
}
