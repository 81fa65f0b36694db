package mcp

import (
	"context"
	"iter"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Bounds of what is kept of streams, for clients that lost their connection and resume.
// A client that comes back too late is told so, and asks again.
const (
	eventBytes    = 1 << 20 // of a stream
	eventStreams  = 32      // of a connection, with every request a stream
	eventAllBytes = 64 << 20
)

// events keeps the last messages of the last streams of each connection. It is safe for
// concurrent use.
type events struct {
	mu          sync.Mutex
	connections map[string]*connection
	bytes       int
}

type connection struct {
	streams map[string]*stream
	order   []string // the oldest first; the standing one, "", is not among them
}

// stream is the messages of one stream from number first.
type stream struct {
	first    int
	messages [][]byte
	bytes    int
}

func newEvents() *events { return &events{connections: map[string]*connection{}} }

// Open implements [sdk.EventStore].
func (e *events) Open(_ context.Context, session, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.connections[session]
	if c == nil {
		c = &connection{streams: map[string]*stream{}}
		e.connections[session] = c
	}
	if c.streams[id] != nil {
		return nil
	}
	c.streams[id] = &stream{}
	if id == "" {
		return nil
	}
	if c.order = append(c.order, id); len(c.order) > eventStreams {
		e.bytes -= c.streams[c.order[0]].bytes
		delete(c.streams, c.order[0])
		c.order = append(c.order[:0], c.order[1:]...)
	}
	return nil
}

// Append implements [sdk.EventStore]. What belongs to a stream that is not kept any more
// is not kept either.
func (e *events) Append(_ context.Context, session, id string, data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.connections[session]
	if c == nil || c.streams[id] == nil {
		return nil
	}
	s := c.streams[id]
	s.messages = append(s.messages, data)
	s.bytes += len(data)
	e.bytes += len(data)
	for s.bytes > eventBytes || e.bytes > eventAllBytes && len(s.messages) > 0 {
		e.bytes -= len(s.messages[0])
		s.bytes -= len(s.messages[0])
		s.messages[0] = nil
		s.messages = s.messages[1:]
		s.first++
	}
	return nil
}

// After implements [sdk.EventStore].
func (e *events) After(_ context.Context, session, id string, index int) iter.Seq2[[]byte, error] {
	e.mu.Lock()
	defer e.mu.Unlock()
	var messages [][]byte
	lost := true
	if c := e.connections[session]; c != nil && c.streams[id] != nil {
		s := c.streams[id]
		if from := index + 1 - s.first; from >= 0 && from <= len(s.messages) {
			messages, lost = append(messages, s.messages[from:]...), false
		}
	}
	return func(yield func([]byte, error) bool) {
		if lost {
			yield(nil, sdk.ErrEventsPurged)
			return
		}
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// SessionClosed implements [sdk.EventStore].
func (e *events) SessionClosed(_ context.Context, session string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.connections[session]; c != nil {
		for _, s := range c.streams {
			e.bytes -= s.bytes
		}
		delete(e.connections, session)
	}
	return nil
}
