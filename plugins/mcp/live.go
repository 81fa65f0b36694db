package mcp

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// How live output reaches a client: a message at most every liveEvery, of each stream's
// last liveBytes, so that a program that prints without end costs it no more than that.
const (
	liveEvery = 150 * time.Millisecond
	liveBytes = 4 << 10
)

// relay tells a client what a program writes while it runs: as progress where the client
// asked for that, and as log messages, which the client's level decides about. A program
// that ends before the first message is due sends none: its result has all of it, and no
// goroutine was made for it, which a busy server would have to wait for. A slow client
// holds nobody up but the answer that follows its messages.
type relay struct {
	ctx   context.Context
	req   *sdk.CallToolRequest
	token any

	mu     sync.Mutex
	chunks map[string]*chunk
	total  int
	due    *time.Timer // of the next message; nil when there is nothing to say
	ended  bool

	sending sync.Mutex // held while a message is sent
}

// chunk is what a stream had since the last message.
type chunk struct {
	text    []byte
	omitted int
}

func (c *client) relay(ctx context.Context, req *sdk.CallToolRequest) *relay {
	return &relay{ctx: ctx, req: req, token: req.Params.GetProgressToken(), chunks: map[string]*chunk{}}
}

// close ends the messages; it may be called twice. None is sent after it returned.
func (r *relay) close() {
	r.mu.Lock()
	r.ended = true
	if r.due != nil {
		r.due.Stop()
	}
	r.mu.Unlock()
	r.sending.Lock()
	defer r.sending.Unlock()
}

// send sends what there is.
func (r *relay) send() {
	r.sending.Lock()
	defer r.sending.Unlock()
	r.mu.Lock()
	chunks, total, ended := r.chunks, r.total, r.ended
	r.chunks, r.due = map[string]*chunk{}, nil
	r.mu.Unlock()
	if ended {
		return
	}
	var last string
	for _, stream := range []string{"stdout", "stderr"} {
		c := chunks[stream]
		if c == nil {
			continue
		}
		text := strings.ToValidUTF8(string(c.text), "\uFFFD")
		last = text
		data := map[string]any{"stream": stream, "text": text}
		if c.omitted > 0 {
			data["omitted_bytes"] = c.omitted
		}
		// A client that is gone, or does not want it, is no reason to stop the program.
		_ = r.req.Session.Log(r.ctx, &sdk.LoggingMessageParams{Level: "info", Logger: "sandboxd." + stream, Data: data}) //nolint:staticcheck // deprecated in the protocol, and what clients have
	}
	if r.token != nil && last != "" {
		_ = r.req.Session.NotifyProgress(r.ctx, &sdk.ProgressNotificationParams{
			ProgressToken: r.token, Progress: float64(total), Message: strings.TrimRight(last, "\n"),
		})
	}
}

// stream is where a stream of the program's goes.
func (r *relay) stream(name string) io.Writer { return liveWriter{r, name} }

type liveWriter struct {
	relay *relay
	name  string
}

// Write takes all of p and keeps its end. It waits for nobody.
func (w liveWriter) Write(p []byte) (int, error) {
	r := w.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.chunks[w.name]
	if c == nil {
		c = &chunk{}
		r.chunks[w.name] = c
	}
	c.text = append(c.text, p[max(0, len(p)-liveBytes):]...)
	c.omitted += max(0, len(p)-liveBytes)
	if extra := len(c.text) - liveBytes; extra > 0 {
		c.omitted += extra
		c.text = append(c.text[:0], c.text[extra:]...)
	}
	r.total += len(p)
	if r.due == nil && !r.ended {
		r.due = time.AfterFunc(liveEvery, r.send)
	}
	return len(p), nil
}
