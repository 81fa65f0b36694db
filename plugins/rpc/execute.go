package rpc

import (
	"bytes"
	"context"
	"math"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// maxRunOutput is the most of each stream that a RunResponse holds, so that no client's
// own limit refuses it.
const maxRunOutput = 1 << 20

// Execute implements [pb.SandboxServer].
func (s *Server) Execute(r *pb.ExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecuteResponse]) error {
	ctx := stream.Context()
	c, err := s.caller(ctx)
	if err != nil {
		return err
	}
	e, err := executionOf(r)
	if err != nil {
		return err
	}
	result, err := s.stream(ctx, c, e, newOutbox(func(e event) error {
		return stream.Send(&pb.ExecuteResponse{Event: &pb.ExecuteResponse_Output{Output: e.output}})
	}))
	if err != nil {
		return s.fail(ctx, c, err, about(r)...)
	}
	return stream.Send(&pb.ExecuteResponse{Event: &pb.ExecuteResponse_Result{Result: result}})
}

// stream runs a program and sends what is put into box on the way; when it returns,
// nothing more is sent. A caller who cannot be reached ends the program.
func (s *Server) stream(call context.Context, c service.Caller, e service.Execution, box *outbox) (*pb.Result, error) {
	ctx, cancel := context.WithCancel(call)
	defer cancel()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if box.run() != nil {
			cancel()
		}
	}()
	e.Request.Stdout, e.Request.Stderr = box.writer(pb.Stream_STREAM_STDOUT), box.writer(pb.Stream_STREAM_STDERR)
	e.Request.StreamOnly = true
	out, err := s.service.Execute(ctx, c, e)
	box.end()
	<-sent
	if err = inTime(call, err); err != nil {
		return nil, err
	}
	return resultOf(out), nil
}

// inTime is err or, if there is none, the end of the call itself: a program that was
// stopped because its caller's time was up is no answer to that caller, whichever of the
// two clocks was first.
func inTime(call context.Context, err error) error {
	if err == nil {
		err = call.Err()
	}
	return err
}

// Run implements [pb.SandboxServer].
func (s *Server) Run(ctx context.Context, r *pb.ExecuteRequest) (*pb.RunResponse, error) {
	c, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	e, err := executionOf(r)
	if err != nil {
		return nil, err
	}
	out, err := s.service.Execute(ctx, c, e)
	if err = inTime(ctx, err); err != nil {
		return nil, s.fail(ctx, c, err, about(r)...)
	}
	result := resultOf(out)
	result.Stdout, result.StdoutTruncated = cut(result.GetStdout(), result.GetStdoutTruncated())
	result.Stderr, result.StderrTruncated = cut(result.GetStderr(), result.GetStderrTruncated())
	return &pb.RunResponse{Result: result}, nil
}

// CancelExecution implements [pb.SandboxServer].
func (s *Server) CancelExecution(ctx context.Context, r *pb.CancelExecutionRequest) (*pb.CancelExecutionResponse, error) {
	c, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.service.Cancel(c, r.GetId()); err != nil {
		return nil, s.fail(ctx, c, err, resource{"execution", r.GetId()})
	}
	return &pb.CancelExecutionResponse{}, nil
}

// about is what an execution may lack.
func about(r *pb.ExecuteRequest) []resource {
	if r.GetSessionId() == "" {
		return nil
	}
	return []resource{{"session", r.GetSessionId()}}
}

// executionOf reads a request. Nothing in it can name a path of this machine.
func executionOf(r *pb.ExecuteRequest) (service.Execution, error) {
	e := service.Execution{
		ID: r.GetId(), Session: r.GetSessionId(), Create: r.GetCreateSession(), ResetState: r.GetResetState(), NoWait: r.GetNoWait(),
		Files: r.GetFiles(),
	}
	var err error
	if e.Persist, err = persistOf(r.GetPersist()); err != nil {
		return e, err
	}
	e.Request.Interface, e.Request.WantValue, e.Request.ProfileFuel = guidance.RPC, r.GetWantValue(), r.GetProfileFuel()
	e.Request.Language, e.Request.Profile, e.Request.Filename = r.GetLanguage(), r.GetProfile(), r.GetFilename()
	e.Request.Code, e.Request.Args, e.Request.Env = []byte(r.GetCode()), r.GetArgs(), r.GetEnv()
	if len(r.GetStdin()) > 0 {
		e.Request.Stdin = bytes.NewReader(r.GetStdin())
	}
	e.Request.Overrides, err = overridesOf(r.GetLimits())
	return e, err
}

// persistOf reads what a session keeps.
func persistOf(p pb.Persist) (session.Persist, error) {
	switch p {
	case pb.Persist_PERSIST_UNSPECIFIED, pb.Persist_PERSIST_NONE:
		return session.PersistNone, nil
	case pb.Persist_PERSIST_STATE:
		return session.PersistState, nil
	}
	return "", badField("persist", "no such value")
}

// overridesOf reads limits; their values are the policy's to judge.
func overridesOf(l *pb.Limits) (o policies.Overrides, err error) {
	if l == nil {
		return o, nil
	}
	o = policies.Overrides{
		Fuel: l.Fuel, Memory: sizeOf(l.Memory), Stdout: sizeOf(l.Stdout), Stderr: sizeOf(l.Stderr),
		DiskQuota: sizeOf(l.DiskQuota), DiskFiles: l.DiskFiles, DiskFileSize: sizeOf(l.DiskFileSize),
		DiskDepth: l.DiskDepth, DiskOpenFiles: l.DiskOpenFiles,
	}
	o.ToolCalls, o.ToolRequest, o.ToolResponse, o.ToolTotal = l.ToolCalls, sizeOf(l.ToolRequest), sizeOf(l.ToolResponse), sizeOf(l.ToolTotal)
	if o.Timeout, err = durationOf("limits.timeout", l.GetTimeout()); err != nil {
		return o, err
	}
	o.ToolTimeout, err = durationOf("limits.tool_timeout", l.GetToolTimeout())
	return o, err
}

// durationOf reads a duration; nil stays nil.
func durationOf(field string, d *durationpb.Duration) (*policies.Duration, error) {
	if d == nil {
		return nil, nil //nolint:nilnil // not asked for
	}
	if d.CheckValid() != nil || d.GetSeconds() > math.MaxInt64/int64(time.Second)-1 {
		return nil, badField(field, "not a duration")
	}
	of := policies.Duration(d.AsDuration())
	return &of, nil
}

func sizeOf(n *uint64) *policies.Bytes {
	if n == nil {
		return nil
	}
	size := policies.Bytes(*n)
	return &size
}
