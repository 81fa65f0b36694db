package sdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// Tool is a function of this program's that a program in the sandbox may call: as
// tools.name(...) after "import tools" in Python, and as await tools.name({...}) in
// JavaScript.
type Tool struct {
	// Name is ASCII letters, digits and underscores, no digit first, at most 64 bytes.
	Name string
	// Description is what programs are told, by help(tools.name) in Python.
	Description string
	// Schema is the JSON Schema of the arguments, which are always one object; nil
	// accepts any object. Say "additionalProperties": false: encoding/json matches
	// names in any case, and a schema does not.
	Schema json.RawMessage
	// Timeout is the most time of one call; the profile bounds it in any case.
	Timeout time.Duration
	// Call runs the tool, with the authority of this program: a hostile program chose
	// args, and Schema is all that was checked of them. What it returns is encoded as
	// JSON; a [json.RawMessage] is passed on as it is. Its error becomes an exception in
	// the sandbox, with the error's text: put nothing into it that a program may not
	// see. A panic ends the execution with an error.
	//
	// ctx ends when nobody waits for the answer any more. Call must be safe for
	// concurrent use, and one that ignores ctx may outlive the execution.
	Call func(ctx context.Context, args json.RawMessage) (any, error)
}

// executionWithTools is an execution whose program calls tools.
type executionWithTools struct {
	stream grpc.BidiStreamingClient[pb.ExecuteWithToolsRequest, pb.ExecuteWithToolsResponse]
	tools  map[string]Tool
	fail   context.CancelCauseFunc // ends the execution

	mu      sync.Mutex // serialises sending, and guards running
	running map[uint64]context.CancelFunc
}

// streamWithTools is [Client.Stream] for a program that may call tools.
func streamWithTools(parent context.Context, to *conn, r *pb.ExecuteRequest, tools []Tool, stdout, stderr io.Writer) (*Result, error) {
	ctx, fail := context.WithCancelCause(parent)
	defer fail(nil)
	x := &executionWithTools{tools: map[string]Tool{}, fail: fail, running: map[uint64]context.CancelFunc{}}
	start := &pb.ExecuteWithToolsRequest_Start{Request: r}
	for _, t := range tools {
		x.tools[t.Name] = t
		m := &pb.Tool{Name: t.Name, Description: t.Description, Schema: t.Schema}
		if t.Timeout != 0 {
			m.Timeout = durationpb.New(t.Timeout)
		}
		start.Tools = append(start.Tools, m)
	}
	var err error
	if x.stream, err = to.ExecuteWithTools(ctx); err != nil {
		return nil, to.explain(parent, err)
	}
	// Its errors are those of Recv.
	_ = x.stream.Send(&pb.ExecuteWithToolsRequest{Message: &pb.ExecuteWithToolsRequest_Start_{Start: start}})
	for {
		m, err := x.stream.Recv()
		if err != nil {
			if parent.Err() == nil && ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, to.explain(parent, noResult(err))
		}
		switch e := m.GetEvent().(type) {
		case *pb.ExecuteWithToolsResponse_Result:
			_, _ = x.stream.Recv() // lets the stream end in order
			return resultOf(e.Result), nil
		case *pb.ExecuteWithToolsResponse_Output:
			if err := write(e.Output, stdout, stderr); err != nil {
				return nil, err
			}
		case *pb.ExecuteWithToolsResponse_Call:
			x.begin(ctx, e.Call)
		case *pb.ExecuteWithToolsResponse_Abandoned:
			x.end(e.Abandoned)
		}
	}
}

// begin runs a tool and sends its answer.
func (x *executionWithTools) begin(ctx context.Context, call *pb.ToolCall) {
	ctx, cancel := context.WithCancel(ctx)
	x.mu.Lock()
	x.running[call.GetId()] = cancel
	x.mu.Unlock()
	go func() {
		defer x.end(call.GetId())
		answer := x.run(ctx, call)
		x.mu.Lock()
		defer x.mu.Unlock()
		if ctx.Err() == nil {
			_ = x.stream.Send(&pb.ExecuteWithToolsRequest{Message: &pb.ExecuteWithToolsRequest_Answer{Answer: answer}})
		}
	}()
}

// end ends a call that may have ended.
func (x *executionWithTools) end(id uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if cancel := x.running[id]; cancel != nil {
		cancel()
		delete(x.running, id)
	}
}

// run runs a tool.
func (x *executionWithTools) run(ctx context.Context, call *pb.ToolCall) *pb.ToolAnswer {
	answer := &pb.ToolAnswer{Id: call.GetId()}
	defer func() {
		if cause := recover(); cause != nil {
			x.fail(fmt.Errorf("sandboxd: tool %q: panic: %v\n%s", call.GetName(), cause, debug.Stack()))
		}
	}()
	value, err := x.tools[call.GetName()].Call(ctx, call.GetArguments())
	if err == nil && value != nil {
		answer.Value, err = json.Marshal(value)
	}
	if err != nil {
		answer.Error = cmp.Or(strings.ToValidUTF8(err.Error(), "\uFFFD"), "the tool failed")
	}
	return answer
}
