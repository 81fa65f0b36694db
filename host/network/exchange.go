package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sandboxd/sandboxd/policies"
)

// maxHead is the most bytes of a request's first line, and of a response's headers.
const maxHead = 64 << 10

// maxHeaders is the most headers of a request.
const maxHeaders = 100

// request is the first line that a guest writes, as JSON. The body follows it.
//
//	{"method":"POST","url":"https://api.example.com/v1/items",
//	 "headers":[["Accept","application/json"]],"body":3,"timeout":2.5,"redirects":0}
type request struct {
	Method  string     `json:"method"`
	URL     string     `json:"url"`
	Headers [][]string `json:"headers"`
	// Body is how many bytes follow the line.
	Body int64 `json:"body"`
	// Timeout is in seconds; 0 means the profile's, which is the most there is.
	Timeout float64 `json:"timeout"`
	// Redirects is how many are followed; without it, maxRedirects.
	Redirects *int `json:"redirects"`
}

// response is the first line that a guest reads, as JSON, if there is a response.
// The body follows it. If there is none the line is a [failure].
type response struct {
	Status  int         `json:"status"`
	Reason  string      `json:"reason"`
	URL     string      `json:"url"`
	Headers [][2]string `json:"headers"`
	Body    int         `json:"body"`
}

// parseRequest reads the first line. What is in it is judged elsewhere.
func parseRequest(line []byte) (*request, error) {
	var r request
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return nil, fmt.Errorf("the request is not what is understood here: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the request has more than one value")
	}
	switch {
	case r.Body < 0:
		return nil, fmt.Errorf("the request has a body of %d bytes", r.Body)
	case len(r.Headers) > maxHeaders:
		return nil, fmt.Errorf("the request has %d headers, at most %d are accepted", len(r.Headers), maxHeaders)
	}
	for _, h := range r.Headers {
		if len(h) != 2 {
			return nil, fmt.Errorf("a header is a name and a value, not %d texts", len(h))
		}
	}
	return &r, nil
}

// exchange is the host's end of one request and its answer.
//
// A hostile guest can write anything, in any pieces: the first line is bounded, the
// body is at most what the line announces and the profile allows, and all of it
// counts as bytes the call has moved, so that many exchanges hold no more than one.
// What cannot be used is forgotten, and the answer says why. It can read before it
// has written, which is answered in the same way; and it can leave.
type exchange struct {
	client *Client
	ctx    context.Context // an io.Reader has no other way to be given one
	cancel context.CancelFunc

	line    []byte
	request *request // once the line is complete
	body    []byte
	failure *failure // why there will be no response

	answered bool
	answer   bytes.Reader
}

var errAnswered = errors.New("the request was answered; open the file again for another")

// Write takes a part of the request.
func (e *exchange) Write(p []byte) (int, error) {
	if e.answered {
		return 0, errAnswered
	}
	rest := p
	if e.failure == nil {
		e.failure = e.client.spend(int64(len(p)))
	}
	if e.failure == nil && e.request == nil {
		rest = e.takeLine(p)
	}
	if e.failure == nil && e.request != nil {
		e.takeBody(rest)
	}
	if e.failure != nil {
		e.line, e.body = nil, nil
	}
	return len(p), nil
}

// takeLine takes the first line, and returns what is after it.
func (e *exchange) takeLine(p []byte) (rest []byte) {
	line, rest, complete := bytes.Cut(p, []byte("\n"))
	if len(e.line)+len(line) > maxHead {
		e.failure = failuref(kindInvalid, "the first line of the request is longer than %d bytes", maxHead)
		return nil
	}
	e.line = append(e.line, line...)
	if !complete {
		return nil
	}
	r, err := parseRequest(e.line)
	if err != nil {
		e.failure = failuref(kindInvalid, "%v", err)
		return nil
	}
	if most := e.client.opts.Grant.MaxRequest; uint64(r.Body) > uint64(most) { //nolint:gosec // not negative
		e.failure = e.client.limitf("max_request", "the request's body of %d bytes is larger than %v", r.Body, most)
	}
	e.request, e.line = r, nil
	return rest
}

func (e *exchange) takeBody(p []byte) {
	if int64(len(e.body))+int64(len(p)) > e.request.Body {
		e.failure = failuref(kindInvalid, "the request's body is longer than the %d bytes announced", e.request.Body)
		return
	}
	e.body = append(e.body, p...)
}

// Read gives the answer, for which the first call waits.
func (e *exchange) Read(p []byte) (int, error) {
	if !e.answered {
		e.answered = true
		e.answer.Reset(e.perform())
		e.body = nil
	}
	return e.answer.Read(p)
}

// Close gives up a request that is on its way.
func (e *exchange) Close() error {
	e.cancel()
	return nil
}

// perform makes the request, and returns the whole answer.
func (e *exchange) perform() []byte {
	switch {
	case e.failure != nil:
	case e.request == nil:
		e.failure = failuref(kindInvalid, "no request was written before the answer was read")
	case int64(len(e.body)) < e.request.Body:
		e.failure = failuref(kindInvalid, "the request's body has %d of the %d bytes announced", len(e.body), e.request.Body)
	}
	if e.failure != nil {
		return e.client.refuse(e.request, e.failure)
	}
	return e.client.do(e.ctx, e.request, e.body)
}

// refuse records a request that is not sent, and returns the answer.
func (c *Client) refuse(r *request, f *failure) []byte {
	record := Record{Refused: f.Message}
	if r != nil {
		record.Method = visible(r.Method, 16)
		if u, err := policies.ParseURL(r.URL); err == nil {
			record.Origin, record.Path = u.Origin(), visible(u.Path, 256)
		}
	}
	if _, tooMany := c.begin(record); tooMany != nil {
		f = tooMany
	}
	c.charge(refusedCost)
	return frame(f, nil)
}

// frame puts a first line before a body.
func frame(line any, body []byte) []byte {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err) // these are numbers and texts
	}
	out := make([]byte, 0, len(text)+1+len(body))
	out = append(append(out, text...), '\n')
	return append(out, body...)
}

// visible is at most n bytes of s, without what a terminal might obey.
func visible(s string, n int) string {
	out := []byte(s[:min(len(s), n)])
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '?'
		}
	}
	return string(out)
}
