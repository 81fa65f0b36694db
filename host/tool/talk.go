package tool

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
)

// Open returns the host's end of a conversation that is one call: the guest writes a
// tool's name, a line break and the arguments, and reads "ok", a line break and the
// answer; or the kind of the failure, a line break and a message. Nothing it does
// outlives ctx. The caller closes it.
func (c *Client) Open(ctx context.Context) io.ReadWriteCloser {
	ctx, cancel := context.WithCancel(ctx)
	return &talk{client: c, ctx: ctx, cancel: cancel}
}

// talk is one call and its answer.
//
// A hostile guest can write anything, in any pieces, to any number of these: what it
// wrote is kept up to the largest call that is allowed, and all that is kept counts as
// bytes that its calls have sent. It can read before it has written, which is a call of
// no tool; and it can leave, which gives the call up.
type talk struct {
	client *Client
	ctx    context.Context // an io.Reader has no other way to be given one
	cancel context.CancelFunc

	name    []byte // up to one byte more than a name can have
	named   bool   // the name is complete
	args    []byte
	failure *Failure // why there will be no answer

	answered bool
	answer   bytes.Reader
}

var errAnswered = errors.New("the call was answered; open the file again for another")

// Write takes a part of the call.
func (t *talk) Write(p []byte) (int, error) {
	if t.answered {
		return 0, errAnswered
	}
	rest := p
	if !t.named {
		var name []byte
		name, rest, t.named = bytes.Cut(p, []byte("\n"))
		t.name = append(t.name, name[:min(len(name), MaxName+1-len(t.name))]...)
	}
	if t.failure == nil {
		t.failure = t.client.checkSize(string(t.name), len(t.args)+len(rest))
	}
	if t.failure == nil {
		t.failure = t.client.spend(len(rest))
	}
	if t.failure != nil {
		t.args = nil
		return len(p), nil
	}
	t.args = append(t.args, rest...)
	return len(p), nil
}

// Read gives the answer, for which the first call waits. It fills p while it can: a guest
// takes a read that gives less for the last one.
func (t *talk) Read(p []byte) (int, error) {
	if !t.answered {
		t.answered = true
		t.answer.Reset(t.perform())
	}
	return t.answer.Read(p)
}

// Close gives up a call that is on its way.
func (t *talk) Close() error {
	t.cancel()
	return nil
}

// perform makes the call, and returns the whole answer.
func (t *talk) perform() []byte {
	call := t.client.start(t.ctx, string(t.name), t.args, t.failure, nil)
	t.args = nil
	answer, f := call.Wait()
	if f != nil {
		return []byte(f.Kind + "\n" + f.Message)
	}
	return append([]byte("ok\n"), answer...)
}

// visible is a name as a guest wrote it, cut, without what a terminal might obey.
func visible(s string) string {
	out := []byte(s[:min(len(s), MaxName)])
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '?'
		}
	}
	return string(out)
}

// cut is at most n bytes of s, in UTF-8.
func cut(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	const mark = "..."
	return strings.ToValidUTF8(strings.ToValidUTF8(s[:n-len(mark)], ""), "\uFFFD") + mark
}
