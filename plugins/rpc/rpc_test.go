package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/rpc"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// engine runs programs by a function of the test's.
type engine func(context.Context, host.Request) (*host.Result, error)

func (e engine) Execute(ctx context.Context, r host.Request) (*host.Result, error) { return e(ctx, r) }

// callers are by the token that a call carries.
var callers = map[string]service.Caller{
	"alice": {Name: "alice", Owner: "alice", Remote: true},
	"bob":   {Name: "bob", Owner: "bob", Profiles: []string{"strict"}, Remote: true},
	"local": {},
}

func authenticate(ctx context.Context) (service.Caller, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if token := md.Get("token"); len(token) == 1 {
		if c, ok := callers[token[0]]; ok {
			return c, nil
		}
	}
	return service.Caller{}, errors.New("no token that is known")
}

// as is a context of a call of one of the callers.
func as(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "token", token)
}

// serve serves an engine on a listener in memory.
func serve(t testing.TB, e engine) (*grpc.ClientConn, pb.SandboxClient) {
	t.Helper()
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	disk, err := session.OpenDisk(filepath.Join(t.TempDir(), "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	svc, err := service.New(service.Options{
		Engine: e, Policy: policies.Builtin(), Registry: registry, Sessions: session.New(session.Options{Storage: disk}),
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := rpc.NewServer(rpc.Options{Service: svc, Authenticate: authenticate, Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(append(rpc.ServerOptions(), grpc.WaitForHandlers(true))...)
	pb.RegisterSandboxServer(server, s)
	listener := bufconn.Listen(1 << 20)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///test", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
	})
	return conn, pb.NewSandboxClient(conn)
}

// succeeds writes what it was given as its program.
func succeeds(_ context.Context, r host.Request) (*host.Result, error) {
	out := string(r.Code)
	if r.Stdout != nil {
		_, _ = r.Stdout.Write(r.Code)
		out = ""
	}
	return &host.Result{Success: true, Status: host.StatusOK, Stdout: out}, nil
}

func TestNobodyUnknownIsServed(t *testing.T) {
	conn, _ := serve(t, succeeds)
	for _, method := range pb.Sandbox_ServiceDesc.Methods {
		err := conn.Invoke(as(t.Context(), "eve"), "/sandboxd.v1.Sandbox/"+method.MethodName, &pb.InfoRequest{}, &pb.InfoResponse{})
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", method.MethodName, err)
		}
	}
	for _, method := range pb.Sandbox_ServiceDesc.Streams {
		stream, err := conn.NewStream(as(t.Context(), "eve"), &method, "/sandboxd.v1.Sandbox/"+method.StreamName)
		if err != nil {
			t.Fatal(err)
		}
		_ = stream.SendMsg(&pb.InfoRequest{})
		_ = stream.CloseSend()
		if err := stream.RecvMsg(&pb.InfoResponse{}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", method.StreamName, err)
		}
	}
}

func TestSessionsAreTheirOwners(t *testing.T) {
	_, c := serve(t, succeeds)
	alice, bob := as(t.Context(), "alice"), as(t.Context(), "bob")
	if _, err := c.CreateSession(alice, &pb.CreateSessionRequest{SessionId: "s", Language: "python"}); err != nil {
		t.Fatal(err)
	}
	read := func() error {
		stream, err := c.ReadFile(bob, &pb.ReadFileRequest{SessionId: "s", Path: "x"})
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}
	run := func(r *pb.ExecuteRequest) error { _, err := c.Run(bob, r); return err }
	get := func() error { _, err := c.GetSession(bob, &pb.GetSessionRequest{SessionId: "s"}); return err }
	destroy := func() error { _, err := c.DestroySession(bob, &pb.DestroySessionRequest{SessionId: "s"}); return err }
	fork := func() error { _, err := c.ForkSession(bob, &pb.ForkSessionRequest{SessionId: "s"}); return err }
	for name, err := range map[string]error{
		"read": read(), "run": run(&pb.ExecuteRequest{SessionId: "s", Code: "x"}), "get": get(), "destroy": destroy(), "fork": fork(),
	} {
		if status.Code(err) != codes.NotFound {
			t.Errorf("%s: %v", name, err)
		}
		if name == "get" && detail[*errdetails.ResourceInfo](err).GetResourceName() != "s" {
			t.Errorf("%s: no details in %v", name, status.Convert(err).Details())
		}
	}
	if err := run(&pb.ExecuteRequest{Language: "python", Profile: "relaxed"}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("another profile: %v", err)
	}
	list, err := c.ListSessions(bob, &pb.ListSessionsRequest{})
	if err != nil || len(list.GetSessions()) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// detail is one kind of details of an error.
func detail[D any](err error) (d D) {
	for _, one := range status.Convert(err).Details() {
		if found, ok := one.(D); ok {
			return found
		}
	}
	return d
}

func TestErrorsSayWhoseTurnItIs(t *testing.T) {
	secret := &fs.PathError{Op: "open", Path: filepath.Join(t.TempDir(), "secret"), Err: fs.ErrPermission}
	tests := []struct {
		name         string
		err          error
		code         codes.Code
		told, hidden string // parts of what a remote caller is told, and is not
	}{
		{"invalid", fmt.Errorf("%w: fuel: too much", host.ErrInvalid), codes.InvalidArgument, "too much", ""},
		{"busy", fmt.Errorf("%w: 2 are running", host.ErrBusy), codes.ResourceExhausted, "2 are running", ""},
		{"closed", host.ErrClosed, codes.Unavailable, "try again", ""},
		{"state of another version", host.ErrStateVersion, codes.FailedPrecondition, "", ""},
		{"denied", fmt.Errorf("%w: fuel", policies.ErrDenied), codes.PermissionDenied, "fuel", ""},
		{"no runtime", fmt.Errorf("%w: x", runtimes.ErrNotFound), codes.NotFound, "x", ""},
		{"cannot be fetched", fmt.Errorf("fetch to %s: %w", secret.Path, runtimes.ErrUnavailable), codes.Unavailable, "try again", "secret"},
		{"ours", fmt.Errorf("disk: %w", secret), codes.Internal, "internal error", "secret"},
		{"invalid with a path", fmt.Errorf("%w: %w", host.ErrInvalid, secret), codes.InvalidArgument, "refused", "secret"},
		{"given up", context.Canceled, codes.Canceled, "", ""},
		{"late", context.DeadlineExceeded, codes.DeadlineExceeded, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c := serve(t, func(context.Context, host.Request) (*host.Result, error) { return nil, tt.err })
			_, err := c.Run(as(t.Context(), "alice"), &pb.ExecuteRequest{Language: "python"})
			text := status.Convert(err).Message()
			if status.Code(err) != tt.code || !strings.Contains(text, tt.told) || tt.hidden != "" && strings.Contains(text, tt.hidden) {
				t.Errorf("a remote caller is told %v", err)
			}
			if detail[*errdetails.ErrorInfo](err).GetDomain() != rpc.Domain {
				t.Errorf("no domain in %v", status.Convert(err).Details())
			}
			if retry := detail[*errdetails.RetryInfo](err); (retry != nil) != (tt.name == "busy") {
				t.Errorf("retry %v", retry)
			}
			_, err = c.Run(as(t.Context(), "local"), &pb.ExecuteRequest{Language: "python"})
			if text := status.Convert(err).Message(); !strings.Contains(text, tt.err.Error()) {
				t.Errorf("the user is told %q, and not %q", text, tt.err)
			}
		})
	}
}

func TestBadFieldsAreNamed(t *testing.T) {
	_, c := serve(t, succeeds)
	ctx := as(t.Context(), "local")
	run := func(r *pb.ExecuteRequest) error { _, err := c.Run(ctx, r); return err }
	list := func(r *pb.ListSessionsRequest) error { _, err := c.ListSessions(ctx, r); return err }
	files := func(r *pb.ListFilesRequest) error { _, err := c.ListFiles(ctx, r); return err }
	write := func(messages ...*pb.WriteFileRequest) error {
		stream, err := c.WriteFile(ctx)
		if err != nil {
			return err
		}
		for _, m := range messages {
			_ = stream.Send(m)
		}
		_, err = stream.CloseAndRecv()
		return err
	}
	if _, err := c.CreateSession(ctx, &pb.CreateSessionRequest{SessionId: "s", Language: "python"}); err != nil {
		t.Fatal(err)
	}
	target := func(m pb.WriteMode) *pb.WriteFileRequest {
		return &pb.WriteFileRequest{Part: &pb.WriteFileRequest_Target_{Target: &pb.WriteFileRequest_Target{SessionId: "s", Path: "x", Mode: m}}}
	}
	data := func(n int) *pb.WriteFileRequest {
		return &pb.WriteFileRequest{Part: &pb.WriteFileRequest_Data{Data: make([]byte, n)}}
	}
	tests := []struct {
		field string
		err   error
	}{
		{"persist", run(&pb.ExecuteRequest{Persist: 77})},
		{"limits.timeout", run(&pb.ExecuteRequest{Limits: &pb.Limits{Timeout: &durationpb.Duration{Seconds: 1, Nanos: -1}}})},
		{"limits.tool_timeout", run(&pb.ExecuteRequest{Limits: &pb.Limits{ToolTimeout: &durationpb.Duration{Seconds: 300_000_000_000}}})},
		{"page_size", list(&pb.ListSessionsRequest{PageSize: 1001})},
		{"page_token", list(&pb.ListSessionsRequest{PageToken: "-1"})},
		{"page_token", files(&pb.ListFilesRequest{PageToken: "!"})},
		{"target", write()},
		{"target", write(data(1))},
		{"target", write(target(0), target(0))},
		{"target.mode", write(target(9))},
		{"data", write(target(0), data(1<<20+1))},
	}
	for _, tt := range tests {
		violations := detail[*errdetails.BadRequest](tt.err).GetFieldViolations()
		if status.Code(tt.err) != codes.InvalidArgument || len(violations) != 1 || violations[0].GetField() != tt.field {
			t.Errorf("%s: %v %v", tt.field, tt.err, violations)
		}
	}
}

func TestSessionsComeInPages(t *testing.T) {
	_, c := serve(t, succeeds)
	ctx := as(t.Context(), "alice")
	for i := range 5 {
		if _, err := c.CreateSession(ctx, &pb.CreateSessionRequest{SessionId: fmt.Sprint("s", i), Language: "python"}); err != nil {
			t.Fatal(err)
		}
	}
	seen, token := map[string]bool{}, ""
	for pages := 1; ; pages++ {
		r, err := c.ListSessions(ctx, &pb.ListSessionsRequest{PageSize: 2, PageToken: token})
		if err != nil || len(r.GetSessions()) > 2 {
			t.Fatalf("%v, %v", r, err)
		}
		for _, n := range r.GetSessions() {
			seen[n.GetId()] = true
		}
		if token = r.GetNextPageToken(); token == "" {
			if pages != 3 || len(seen) != 5 {
				t.Errorf("%d sessions on %d pages", len(seen), pages)
			}
			return
		}
	}
}

func TestFilesComeInPages(t *testing.T) {
	_, c := serve(t, succeeds)
	ctx := as(t.Context(), "alice")
	files := map[string][]byte{"a/b": []byte("1"), "a/c": nil, "d": nil}
	if _, err := c.Run(ctx, &pb.ExecuteRequest{Language: "python", SessionId: "s", CreateSession: true, Files: files}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for token := ""; ; {
		r, err := c.ListFiles(ctx, &pb.ListFilesRequest{SessionId: "s", PageSize: 1, PageToken: token, Hash: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.GetEntries() {
			names = append(names, e.GetPath())
		}
		if token = r.GetNextPageToken(); token == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "a a/b a/c d" {
		t.Errorf("got %q", got)
	}
}

func TestRunCutsWhatDoesNotFit(t *testing.T) {
	_, c := serve(t, func(context.Context, host.Request) (*host.Result, error) {
		return &host.Result{Status: host.StatusOK, Stdout: "x" + strings.Repeat("\u00e9", 1<<20)}, nil
	})
	r, err := c.Run(as(t.Context(), "alice"), &pb.ExecuteRequest{Language: "python"})
	if err != nil || len(r.GetResult().GetStdout()) != 1<<20-1 || !r.GetResult().GetStdoutTruncated() || r.GetResult().GetStderrTruncated() {
		t.Errorf("%d bytes, %v", len(r.GetResult().GetStdout()), err)
	}
}

// raw is a codec that sends and receives bytes as they are.
type raw struct{ encoding.Codec }

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (raw) Name() string                       { return "proto" }

func TestWhatIsNoMessageHarmsNothing(t *testing.T) {
	conn, c := serve(t, succeeds)
	ctx := as(t.Context(), "alice")
	for name, tt := range map[string]struct {
		data []byte
		code codes.Code
	}{
		"no protobuf": {[]byte("\xff\xff\xff\xff"), codes.Internal},
		"no UTF-8":    {[]byte{0x12, 1, 0xff}, codes.Internal},
		"a cut field": {[]byte{0x12, 100, 'x'}, codes.Internal},
		"too much":    {make([]byte, rpc.MaxMessage+1), codes.ResourceExhausted},
	} {
		var answer []byte
		err := conn.Invoke(ctx, pb.Sandbox_Run_FullMethodName, &tt.data, &answer, grpc.ForceCodec(raw{}))
		if status.Code(err) != tt.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Run(ctx, &pb.ExecuteRequest{Language: "python"}); err != nil {
		t.Error(err)
	}
}

func TestACallThatIsGivenUpStopsItsProgram(t *testing.T) {
	stopped := make(chan error, 1)
	began := make(chan struct{}, 1)
	_, c := serve(t, func(ctx context.Context, r host.Request) (*host.Result, error) {
		_, _ = io.WriteString(r.Stdout, "x")
		began <- struct{}{}
		<-ctx.Done()
		// A program that writes on finds nobody, and does not wait for anybody.
		for {
			if _, err := r.Stdout.Write(make([]byte, 64<<10)); err != nil {
				stopped <- err
				return &host.Result{Status: host.StatusCanceled}, nil
			}
		}
	})
	before := runtime.NumGoroutine()
	for range 3 {
		ctx, cancel := context.WithCancel(as(t.Context(), "alice"))
		stream, err := c.Execute(ctx, &pb.ExecuteRequest{Language: "python"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		<-began
		cancel()
		if err := <-stopped; err == nil {
			t.Error("no error")
		}
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before+8; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, there were %d", runtime.NumGoroutine(), before)
		}
	}
}

func TestAReaderWhoDoesNotReadHoldsUpItsProgramOnly(t *testing.T) {
	release := make(chan struct{})
	wrote := make(chan int, 1)
	_, c := serve(t, func(_ context.Context, r host.Request) (*host.Result, error) {
		if string(r.Code) != "flood" {
			return succeeds(context.Background(), r)
		}
		full := make(chan struct{})
		go func() {
			n, _ := r.Stdout.Write(make([]byte, 64<<20))
			wrote <- n
			close(full)
		}()
		<-release // as when the deadline comes: the write is left behind
		return &host.Result{Status: host.StatusTimeout}, nil
	})
	ctx := as(t.Context(), "alice")
	slow, err := c.Execute(ctx, &pb.ExecuteRequest{Language: "python", Code: "flood"})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		stream, err := c.Execute(ctx, &pb.ExecuteRequest{Language: "python", Code: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		m, err := stream.Recv()
		if err != nil || string(m.GetOutput().GetData()) != "hello" {
			t.Fatalf("%v, %v", m, err)
		}
		if m, err = stream.Recv(); err != nil || !m.GetResult().GetSuccess() {
			t.Fatalf("%v, %v", m, err)
		}
	}
	close(release)
	n := <-wrote // the end of the call lets go of it
	var got int
	for {
		m, err := slow.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if m.GetResult() != nil {
			if m.GetResult().GetStatus() != "timeout" {
				t.Errorf("%v", m)
			}
			break
		}
		got += len(m.GetOutput().GetData())
	}
	if n == 64<<20 || got != n {
		t.Errorf("it wrote %d bytes, and %d were read", n, got)
	}
}

func TestToolsThatNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answered := make(chan error, 3)
		_, c := serve(t, func(ctx context.Context, r host.Request) (*host.Result, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := r.Tools[0].Call(ctx, []byte(`{}`))
			answered <- err
			for range 2 {
				_, err = r.Tools[0].Call(context.Background(), []byte(`{}`))
				answered <- err
			}
			return &host.Result{Status: host.StatusOK}, nil
		})
		stream, err := c.ExecuteWithTools(as(t.Context(), "alice"))
		if err != nil {
			t.Fatal(err)
		}
		start := &pb.ExecuteWithToolsRequest_Start{Request: &pb.ExecuteRequest{Language: "python"}, Tools: []*pb.Tool{{Name: "a"}}}
		if err := stream.Send(&pb.ExecuteWithToolsRequest{Message: &pb.ExecuteWithToolsRequest_Start_{Start: start}}); err != nil {
			t.Fatal(err)
		}
		first, err := stream.Recv()
		if err != nil || first.GetCall().GetName() != "a" {
			t.Fatalf("%v, %v", first, err)
		}
		// What was not asked is thrown away.
		stray := &pb.ToolAnswer{Id: 99}
		if err := stream.Send(&pb.ExecuteWithToolsRequest{Message: &pb.ExecuteWithToolsRequest_Answer{Answer: stray}}); err != nil {
			t.Fatal(err)
		}
		if err := <-answered; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no answer: %v", err)
		}
		if m, err := stream.Recv(); err != nil || m.GetAbandoned() != first.GetCall().GetId() {
			t.Errorf("%v, %v", m, err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-answered; err == nil || !strings.Contains(err.Error(), "does not answer") {
				t.Errorf("nobody there: %v", err)
			}
		}
	})
}

func TestAnUploadThatIsGivenUpLeavesTheOldFile(t *testing.T) {
	_, c := serve(t, succeeds)
	ctx := as(t.Context(), "alice")
	if _, err := c.Run(ctx, &pb.ExecuteRequest{
		Language: "python", SessionId: "s", CreateSession: true, Files: map[string][]byte{"x": []byte("old")},
	}); err != nil {
		t.Fatal(err)
	}
	upload, cancel := context.WithCancel(ctx)
	stream, err := c.WriteFile(upload)
	if err != nil {
		t.Fatal(err)
	}
	target := &pb.WriteFileRequest_Target{SessionId: "s", Path: "x", Mode: pb.WriteMode_WRITE_MODE_REPLACE}
	_ = stream.Send(&pb.WriteFileRequest{Part: &pb.WriteFileRequest_Target_{Target: target}})
	_ = stream.Send(&pb.WriteFileRequest{Part: &pb.WriteFileRequest_Data{Data: bytes.Repeat([]byte("new"), 1000)}})
	cancel()
	if _, err := stream.CloseAndRecv(); status.Code(err) != codes.Canceled {
		t.Errorf("%v", err)
	}
	// The session is free again, and as it was.
	if _, err := c.MoveFile(ctx, &pb.MoveFileRequest{SessionId: "s", From: "x", To: "y"}); err != nil {
		t.Fatal(err)
	}
	got, err := c.ReadFile(ctx, &pb.ReadFileRequest{SessionId: "s", Path: "y"})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := got.Recv(); err != nil || m.GetEntry().GetSize() != 3 {
		t.Errorf("%v, %v", m, err)
	}
}
