package httpd

import (
	"context"
	"errors"
	"io"
	"math"
	"strconv"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
	"github.com/sandboxd/sandboxd/sdk/sandboxdv1/sandboxdv1connect"
)

// connected serves a server that was written for gRPC's own library by way of Connect,
// which speaks gRPC, gRPC-Web and JSON.
type connected struct{ server pb.SandboxServer }

var _ sandboxdv1connect.SandboxHandler = (*connected)(nil)

// unary makes one call.
func unary[Req, Res any](ctx context.Context, r *connect.Request[Req], call func(context.Context, *Req) (*Res, error)) (*connect.Response[Res], error) {
	res, err := call(ctx, r.Msg)
	if err != nil {
		return nil, connectError(err)
	}
	return connect.NewResponse(res), nil
}

// connectError is an error of gRPC's library in Connect's terms.
func connectError(err error) error {
	if err == nil {
		return nil
	}
	if already, ok := errors.AsType[*connect.Error](err); ok {
		return already
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	out := connect.NewError(connect.Code(st.Code()), errors.New(st.Message()))
	for _, detail := range st.Proto().GetDetails() {
		if d, err := connect.NewErrorDetail(detail); err == nil {
			out.AddDetail(d)
		}
	}
	for _, detail := range st.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			seconds := math.Ceil(retry.GetRetryDelay().AsDuration().Seconds())
			out.Meta().Set("Retry-After", strconv.Itoa(int(seconds)))
		}
	}
	return out
}

// serverStream is a Connect stream as gRPC's library has it. What the embedded one
// would do, headers and trailers, no procedure uses.
type serverStream[Res any] struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // gRPC's streams carry one
	out *connect.ServerStream[Res]
}

func (s *serverStream[Res]) Context() context.Context { return s.ctx }
func (s *serverStream[Res]) Send(m *Res) error        { return s.out.Send(m) }

// clientStream is serverStream for uploads.
type clientStream[Req, Res any] struct {
	grpc.ServerStream
	ctx    context.Context //nolint:containedctx // gRPC's streams carry one
	in     *connect.ClientStream[Req]
	answer *Res
}

func (s *clientStream[Req, Res]) Context() context.Context { return s.ctx }

func (s *clientStream[Req, Res]) Recv() (*Req, error) {
	if s.in.Receive() {
		return s.in.Msg(), nil
	}
	if err := s.in.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

func (s *clientStream[Req, Res]) SendAndClose(m *Res) error {
	s.answer = m
	return nil
}

// upload makes a call that takes a stream.
func upload[Req, Res any](ctx context.Context, in *connect.ClientStream[Req], call func(grpc.ClientStreamingServer[Req, Res]) error) (*connect.Response[Res], error) {
	stream := &clientStream[Req, Res]{ctx: ctx, in: in}
	if err := call(stream); err != nil {
		return nil, connectError(err)
	}
	return connect.NewResponse(stream.answer), nil
}

// bidiStream is serverStream for conversations.
type bidiStream[Req, Res any] struct {
	grpc.ServerStream
	ctx  context.Context //nolint:containedctx // gRPC's streams carry one
	both *connect.BidiStream[Req, Res]
}

func (s *bidiStream[Req, Res]) Context() context.Context { return s.ctx }
func (s *bidiStream[Req, Res]) Recv() (*Req, error)      { return s.both.Receive() }
func (s *bidiStream[Req, Res]) Send(m *Res) error        { return s.both.Send(m) }

// The procedures.

func (c *connected) Execute(ctx context.Context, r *connect.Request[pb.ExecuteRequest], out *connect.ServerStream[pb.ExecuteResponse]) error {
	return connectError(c.server.Execute(r.Msg, &serverStream[pb.ExecuteResponse]{ctx: ctx, out: out}))
}

func (c *connected) ExecuteWithTools(ctx context.Context, both *connect.BidiStream[pb.ExecuteWithToolsRequest, pb.ExecuteWithToolsResponse]) error {
	return connectError(c.server.ExecuteWithTools(&bidiStream[pb.ExecuteWithToolsRequest, pb.ExecuteWithToolsResponse]{ctx: ctx, both: both}))
}

func (c *connected) ReadFile(ctx context.Context, r *connect.Request[pb.ReadFileRequest], out *connect.ServerStream[pb.ReadFileResponse]) error {
	return connectError(c.server.ReadFile(r.Msg, &serverStream[pb.ReadFileResponse]{ctx: ctx, out: out}))
}

func (c *connected) WriteFile(ctx context.Context, in *connect.ClientStream[pb.WriteFileRequest]) (*connect.Response[pb.WriteFileResponse], error) {
	return upload(ctx, in, c.server.WriteFile)
}

func (c *connected) DownloadWorkspace(ctx context.Context, r *connect.Request[pb.DownloadWorkspaceRequest], out *connect.ServerStream[pb.DownloadWorkspaceResponse]) error {
	return connectError(c.server.DownloadWorkspace(r.Msg, &serverStream[pb.DownloadWorkspaceResponse]{ctx: ctx, out: out}))
}

func (c *connected) UploadWorkspace(ctx context.Context, in *connect.ClientStream[pb.UploadWorkspaceRequest]) (*connect.Response[pb.UploadWorkspaceResponse], error) {
	return upload(ctx, in, c.server.UploadWorkspace)
}

func (c *connected) Run(ctx context.Context, r *connect.Request[pb.ExecuteRequest]) (*connect.Response[pb.RunResponse], error) {
	return unary(ctx, r, c.server.Run)
}

func (c *connected) CancelExecution(ctx context.Context, r *connect.Request[pb.CancelExecutionRequest]) (*connect.Response[pb.CancelExecutionResponse], error) {
	return unary(ctx, r, c.server.CancelExecution)
}

func (c *connected) CreateSession(ctx context.Context, r *connect.Request[pb.CreateSessionRequest]) (*connect.Response[pb.CreateSessionResponse], error) {
	return unary(ctx, r, c.server.CreateSession)
}

func (c *connected) GetSession(ctx context.Context, r *connect.Request[pb.GetSessionRequest]) (*connect.Response[pb.GetSessionResponse], error) {
	return unary(ctx, r, c.server.GetSession)
}

func (c *connected) ListSessions(ctx context.Context, r *connect.Request[pb.ListSessionsRequest]) (*connect.Response[pb.ListSessionsResponse], error) {
	return unary(ctx, r, c.server.ListSessions)
}

func (c *connected) ForkSession(ctx context.Context, r *connect.Request[pb.ForkSessionRequest]) (*connect.Response[pb.ForkSessionResponse], error) {
	return unary(ctx, r, c.server.ForkSession)
}

func (c *connected) RollbackSession(ctx context.Context, r *connect.Request[pb.RollbackSessionRequest]) (*connect.Response[pb.RollbackSessionResponse], error) {
	return unary(ctx, r, c.server.RollbackSession)
}

func (c *connected) ResetSession(ctx context.Context, r *connect.Request[pb.ResetSessionRequest]) (*connect.Response[pb.ResetSessionResponse], error) {
	return unary(ctx, r, c.server.ResetSession)
}

func (c *connected) DestroySession(ctx context.Context, r *connect.Request[pb.DestroySessionRequest]) (*connect.Response[pb.DestroySessionResponse], error) {
	return unary(ctx, r, c.server.DestroySession)
}

func (c *connected) ListTurns(ctx context.Context, r *connect.Request[pb.ListTurnsRequest]) (*connect.Response[pb.ListTurnsResponse], error) {
	return unary(ctx, r, c.server.ListTurns)
}

func (c *connected) ListFiles(ctx context.Context, r *connect.Request[pb.ListFilesRequest]) (*connect.Response[pb.ListFilesResponse], error) {
	return unary(ctx, r, c.server.ListFiles)
}

func (c *connected) DeleteFile(ctx context.Context, r *connect.Request[pb.DeleteFileRequest]) (*connect.Response[pb.DeleteFileResponse], error) {
	return unary(ctx, r, c.server.DeleteFile)
}

func (c *connected) MoveFile(ctx context.Context, r *connect.Request[pb.MoveFileRequest]) (*connect.Response[pb.MoveFileResponse], error) {
	return unary(ctx, r, c.server.MoveFile)
}

func (c *connected) ListRuntimes(ctx context.Context, r *connect.Request[pb.ListRuntimesRequest]) (*connect.Response[pb.ListRuntimesResponse], error) {
	return unary(ctx, r, c.server.ListRuntimes)
}

func (c *connected) ListProfiles(ctx context.Context, r *connect.Request[pb.ListProfilesRequest]) (*connect.Response[pb.ListProfilesResponse], error) {
	return unary(ctx, r, c.server.ListProfiles)
}

func (c *connected) Info(ctx context.Context, r *connect.Request[pb.InfoRequest]) (*connect.Response[pb.InfoResponse], error) {
	return unary(ctx, r, c.server.Info)
}
