package rpc

import (
	"errors"
	"io"
	"sync"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

const (
	// maxPiece is the most output in one message, and maxBuffered what waits for a
	// caller to read it. A program that has written more waits.
	maxPiece    = 64 << 10
	maxBuffered = 1 << 20
)

var errGone = errors.New("nobody reads the output any more")

// event is what a caller is told while a program runs: one of these.
type event struct {
	output    *pb.Output
	call      *pb.ToolCall
	abandoned uint64 // the id of a call
}

// outbox is what one program says, on its way to a caller who may be slow. Writers of
// output wait while it is full; calls of tools do not, which the limits of tools bound.
// It is safe for concurrent use.
type outbox struct {
	send func(event) error // called by one goroutine at a time

	mu     sync.Mutex
	moved  sync.Cond // something was put in or taken out, or the end came
	events []event
	size   int  // of the output
	busy   bool // an event is being sent
	ended  bool // nothing more will be put in
	gone   bool // nothing more will be taken
}

func newOutbox(send func(event) error) *outbox {
	o := &outbox{send: send}
	o.moved.L = &o.mu
	return o
}

// writer is one stream of an outbox.
type writer struct {
	box    *outbox
	stream pb.Stream
}

func (w writer) Write(p []byte) (int, error) { return w.box.put(w.stream, p) }

func (o *outbox) writer(s pb.Stream) io.Writer { return writer{o, s} }

// put copies output in, waiting for room. It fails once nobody takes it.
func (o *outbox) put(s pb.Stream, p []byte) (n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n < len(p) {
		for o.size >= maxBuffered && !o.ended && !o.gone {
			o.moved.Wait()
		}
		if o.ended || o.gone {
			return n, errGone
		}
		take := min(len(p)-n, maxPiece)
		o.append(s, p[n:n+take])
		n += take
		o.size += take
		o.moved.Broadcast()
	}
	return n, nil
}

// append adds output to the last piece, or a new one. o.mu is held.
func (o *outbox) append(s pb.Stream, p []byte) {
	if last := len(o.events) - 1; last >= 0 {
		piece := o.events[last].output
		if piece != nil && piece.GetStream() == s && len(piece.GetData())+len(p) <= maxPiece {
			piece.Data = append(piece.Data, p...)
			return
		}
	}
	o.events = append(o.events, event{output: &pb.Output{Stream: s, Data: append([]byte(nil), p...)}})
}

// tell puts in what is not output. It fails once nobody takes it. What has nothing
// before it is sent at once, by the caller itself: a program waits for the answer.
func (o *outbox) tell(e event) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || o.gone {
		return errGone
	}
	if o.busy || len(o.events) > 0 {
		o.events = append(o.events, e)
		o.moved.Broadcast()
		return nil
	}
	return o.pass(e)
}

// pass sends an event. o.mu is held, but not meanwhile.
func (o *outbox) pass(e event) error {
	o.busy = true
	o.mu.Unlock()
	err := o.send(e)
	o.mu.Lock()
	o.busy = false
	o.gone = o.gone || err != nil
	o.moved.Broadcast()
	return err
}

// run sends what is put in until the end, or until it cannot. Afterwards nobody sends.
func (o *outbox) run() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for o.busy || len(o.events) == 0 && !o.ended && !o.gone {
			o.moved.Wait()
		}
		if o.gone {
			return errGone
		}
		if len(o.events) == 0 {
			return nil
		}
		first := o.events[0]
		o.events[0] = event{}
		o.events = o.events[1:]
		o.size -= len(first.output.GetData())
		if err := o.pass(first); err != nil {
			return err
		}
	}
}

// end says that the program has ended: what is in the outbox may still be sent.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.moved.Broadcast()
}
