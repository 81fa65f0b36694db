package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/sandboxd/sandboxd/host"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// ExecuteWithTools implements [pb.SandboxServer]. Calls of tools travel on the
// execution's own stream and not over go-plugin's broker, which would need a new socket:
// a hardened process makes none, and a daemon's callers have nowhere to be called.
func (s *Server) ExecuteWithTools(stream grpc.BidiStreamingServer[pb.ExecuteWithToolsRequest, pb.ExecuteWithToolsResponse]) error {
	ctx := stream.Context()
	c, err := s.caller(ctx)
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return noTarget(err)
	}
	r := first.GetStart().GetRequest()
	if r == nil {
		return badField("start.request", "the first message says what to run")
	}
	e, err := executionOf(r)
	if err != nil {
		return err
	}
	box := newOutbox(func(e event) error { return stream.Send(e.message()) })
	asked := &asked{box: box, waiting: map[uint64]chan<- *pb.ToolAnswer{}}
	for i, t := range first.GetStart().GetTools() {
		timeout, err := durationOf(fmt.Sprintf("start.tools[%d].timeout", i), t.GetTimeout())
		if err != nil {
			return err
		}
		tool := host.Tool{Name: t.GetName(), Description: t.GetDescription(), Schema: t.GetSchema(), Call: asked.tool(t.GetName())}
		if timeout != nil {
			tool.Timeout = time.Duration(*timeout)
		}
		e.Request.Tools = append(e.Request.Tools, tool)
	}
	go asked.listen(stream.Recv) // which ends with the stream
	result, err := s.stream(ctx, c, e, box)
	if err != nil {
		return s.fail(ctx, c, err, about(r)...)
	}
	return stream.Send(&pb.ExecuteWithToolsResponse{Event: &pb.ExecuteWithToolsResponse_Result{Result: result}})
}

// message is an event for a caller with tools.
func (e event) message() *pb.ExecuteWithToolsResponse {
	switch {
	case e.output != nil:
		return &pb.ExecuteWithToolsResponse{Event: &pb.ExecuteWithToolsResponse_Output{Output: e.output}}
	case e.call != nil:
		return &pb.ExecuteWithToolsResponse{Event: &pb.ExecuteWithToolsResponse_Call{Call: e.call}}
	default:
		return &pb.ExecuteWithToolsResponse{Event: &pb.ExecuteWithToolsResponse_Abandoned{Abandoned: e.abandoned}}
	}
}

// asked are the calls of tools that wait for their answers. A hostile caller can leave
// them unanswered, up to the time that a call may take, answer what was not asked,
// which is thrown away, and answer what it likes: it offers the tools.
type asked struct {
	box *outbox

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan<- *pb.ToolAnswer
	deaf    bool // no answers come any more
}

var errDeaf = errors.New("the program that offers the tools does not answer any more")

// tool asks the caller to run a tool.
func (a *asked) tool(name string) func(context.Context, json.RawMessage) (json.RawMessage, error) {
	return func(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
		answer := make(chan *pb.ToolAnswer, 1)
		id, err := a.begin(answer)
		if err != nil {
			return nil, err
		}
		if err := a.box.tell(event{call: &pb.ToolCall{Id: id, Name: name, Arguments: args}}); err != nil {
			a.forget(id)
			return nil, errDeaf
		}
		select {
		case m := <-answer:
			switch {
			case m == nil:
				return nil, errDeaf
			case m.GetError() != "":
				return nil, errors.New(m.GetError())
			}
			return m.GetValue(), nil
		case <-ctx.Done():
			if a.forget(id) {
				_ = a.box.tell(event{abandoned: id}) // for whoever still listens
			}
			return nil, ctx.Err()
		}
	}
}

func (a *asked) begin(answer chan<- *pb.ToolAnswer) (id uint64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.deaf {
		return 0, errDeaf
	}
	a.last++
	a.waiting[a.last] = answer
	return a.last, nil
}

// forget reports whether a call still waited.
func (a *asked) forget(id uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, waited := a.waiting[id]
	delete(a.waiting, id)
	return waited
}

// listen takes answers until there are no more.
func (a *asked) listen(recv func() (*pb.ExecuteWithToolsRequest, error)) {
	for {
		m, err := recv()
		a.mu.Lock()
		if err != nil {
			a.deaf = true
			for id, answer := range a.waiting {
				delete(a.waiting, id)
				answer <- nil
			}
			a.mu.Unlock()
			return
		}
		id := m.GetAnswer().GetId()
		if answer := a.waiting[id]; answer != nil {
			delete(a.waiting, id)
			answer <- m.GetAnswer()
		}
		a.mu.Unlock()
	}
}
