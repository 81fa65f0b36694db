package httpd_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	httpd "github.com/sandboxd/sandboxd/plugins/http"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// engine runs programs that say what they do: "wait" waits until it is canceled, and
// any other prints itself.
type engine struct{}

func (engine) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	code := string(r.Code)
	result := &host.Result{Success: true, Status: host.StatusOK, Runtime: "python", Profile: r.Profile, Stdout: code}
	switch {
	case code == "wait":
		if r.Stdout != nil {
			fmt.Fprintln(r.Stdout, "begun")
		}
		<-ctx.Done()
		return &host.Result{Status: host.StatusCanceled}, nil
	case strings.HasPrefix(code, "flood"):
		for range 1 << 10 {
			if _, err := r.Stdout.Write(make([]byte, 64<<10)); err != nil {
				return &host.Result{Status: host.StatusCanceled}, nil //nolint:nilerr // as the host does
			}
		}
	case r.Stdout != nil:
		_, _ = io.WriteString(r.Stdout, code)
	}
	return result, nil
}

// served is a server under test.
type served struct {
	server  *httpd.Server
	service *service.Service
	metrics *httpd.Metrics
	socket  string // path
	address string // of plain TCP
}

// secrets of the callers.
const ada, grace = "ada's secret", "grace's secret"

func serve(t *testing.T) *served {
	t.Helper()
	return serveAt(t, 0)
}

// serveAt lets connections pause no longer than that, unless it is 0.
func serveAt(t *testing.T, pace time.Duration) *served {
	t.Helper()
	dir := t.TempDir()
	disk, err := session.OpenDisk(filepath.Join(dir, "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s := &served{socket: filepath.Join(dir, "s")}
	s.metrics = httpd.NewMetrics(httpd.Sources{
		Load:     func() host.Load { return host.Load{Running: 1, Slots: 8} },
		Sessions: func() (int, error) { return 3, nil },
		Profiles: policies.Builtin().Names,
		Runtimes: func() []string { return []string{"python"} },
	})
	s.service, err = service.New(service.Options{
		Engine: engine{}, Policy: policies.Builtin(), Registry: registry,
		Sessions: session.New(session.Options{Storage: disk}), Observer: s.metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.server, err = httpd.New(httpd.Options{Service: s.service, Metrics: s.metrics, Version: "v1", Configuration: func() string { return "c" }})
	if err != nil {
		t.Fatal(err)
	}
	if pace > 0 {
		s.server.SetPace(pace, pace)
	}
	s.server.SetTokens([]policies.Token{
		{Name: "ada", Owner: "ada", Hash: sha256.Sum256([]byte(ada)), Profiles: []string{"strict"}, Metrics: true},
		{Name: "grace", Owner: "grace", Hash: sha256.Sum256([]byte(grace)), Profiles: []string{"relaxed"}, Rate: 0.001, Burst: 2},
	}, service.Limits{Concurrent: 2, Queue: 1})
	local, err := net.Listen("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = tcp.Addr().String()
	var served sync.WaitGroup
	served.Go(func() { _ = s.server.ServeLocal(local) })
	served.Go(func() { _ = s.server.ServePlain(tcp) })
	s.server.SetReady(true)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.server.Shutdown(ctx)
		served.Wait()
	})
	return s
}

// answer is what a request got.
type answer struct {
	code   int
	body   string
	header http.Header
}

// ask makes a request over TCP, with a token unless that is empty.
func (s *served) ask(t *testing.T, method, path, secret, body string, header ...string) answer {
	t.Helper()
	return ask(t, http.DefaultTransport, "http://"+s.address+path, method, secret, strings.NewReader(body), header...)
}

// askLocally makes a request over the socket.
func (s *served) askLocally(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	transport := &http.Transport{ExpectContinueTimeout: time.Minute, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", s.socket)
	}}
	defer transport.CloseIdleConnections()
	return ask(t, transport, "http://localhost"+path, method, "", strings.NewReader(body), header...)
}

func ask(t *testing.T, transport http.RoundTripper, url, method, secret string, body io.Reader, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, string(data), res.Header}
}

func (a answer) want(t *testing.T, what string, code int, parts ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("%s: got %d %s, want %d", what, a.code, a.body, code)
	}
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			t.Errorf("%s: got %s, want %q in it", what, a.body, part)
		}
	}
}

const program = `{"language": "python", "code": "print(1)"}`

func TestNobodyIsServedWithoutAToken(t *testing.T) {
	s := serve(t)
	for _, route := range []string{
		"POST /v1/execute", "GET /v1/sessions", "POST /v1/sessions", "GET /v1/sessions/x", "DELETE /v1/sessions/x",
		"GET /v1/sessions/x/files", "GET /v1/sessions/x/files/f", "PUT /v1/sessions/x/files/f", "DELETE /v1/sessions/x/files/f",
		"GET /v1/about", "GET /metrics", "GET /debug/pprof/", "GET /nonesuch",
		"POST /sandboxd.v1.Sandbox/Run", "POST /sandboxd.v1.Sandbox/Execute", "POST /sandboxd.v1.Sandbox/Info",
	} {
		method, path, _ := strings.Cut(route, " ")
		for name, header := range map[string][]string{
			"none":           nil,
			"a wrong one":    {"Authorization", "Bearer ada's secrets"},
			"a hash":         {"Authorization", fmt.Sprintf("Bearer %x", sha256.Sum256([]byte(ada)))},
			"another scheme": {"Authorization", "Basic " + ada},
			"an empty one":   {"Authorization", "Bearer "},
		} {
			header = append(header, "Content-Type", "application/json")
			a := s.ask(t, method, path, "", program, header...)
			a.want(t, route+" with "+name, http.StatusUnauthorized, `"unauthenticated"`)
			if a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s does not say how to authenticate", route)
			}
		}
	}
	s.ask(t, "GET", "/healthz", "", "").want(t, "health", http.StatusOK)
	s.ask(t, "GET", "/readyz", "", "").want(t, "readiness", http.StatusOK)
	// On the socket, a wrong token is no better than on the network.
	s.askLocally(t, "GET", "/v1/about", "").want(t, "the socket", http.StatusOK, `"configuration":"c"`)
	s.askLocally(t, "GET", "/v1/about", "", "Authorization", "Bearer x").want(t, "a wrong token on the socket", http.StatusUnauthorized)
}

func TestCallersAreKeptApart(t *testing.T) {
	s := serve(t)
	s.ask(t, "POST", "/v1/sessions", ada, `{"id": "mine", "language": "python"}`).want(t, "create", http.StatusCreated, `"profile":"strict"`)
	s.ask(t, "PUT", "/v1/sessions/mine/files/f", ada, "text").want(t, "put", http.StatusOK, `"size":4`)
	for _, route := range []string{
		"GET /v1/sessions/mine", "DELETE /v1/sessions/mine", "GET /v1/sessions/mine/files", "GET /v1/sessions/mine/files/f",
		"PUT /v1/sessions/mine/files/f", "DELETE /v1/sessions/mine/files/f",
	} {
		method, path, _ := strings.Cut(route, " ")
		s.ask(t, method, path, grace, "").want(t, route, http.StatusNotFound)
		s.askLocally(t, method, path, "").want(t, route+" on the socket", http.StatusNotFound)
	}
	s.ask(t, "POST", "/v1/execute", grace, `{"session_id": "mine", "language": "python", "code": "x"}`).want(t, "execute", http.StatusNotFound)
	s.ask(t, "POST", "/v1/execute", ada, `{"language": "python", "profile": "relaxed"}`).want(t, "another profile", http.StatusForbidden, `"denied"`)
	s.ask(t, "GET", "/metrics", grace, "").want(t, "metrics without the right", http.StatusForbidden)
	s.ask(t, "GET", "/metrics", ada, "").want(t, "metrics", http.StatusOK, "sandboxd_slots 8", "sandboxd_sessions 3")
	s.ask(t, "GET", "/debug/pprof/goroutine", ada, "").want(t, "profiles of the process", http.StatusNotFound)
	s.askLocally(t, "GET", "/debug/pprof/goroutine", "", "Authorization", "Bearer "+ada).want(t, "with a token on the socket", http.StatusForbidden)
	s.askLocally(t, "GET", "/debug/pprof/goroutine?debug=1", "").want(t, "on the socket", http.StatusOK, "goroutine profile")
	s.ask(t, "GET", "/v1/sessions/mine/files/f", ada, "").want(t, "the file after all", http.StatusOK, "text")
	a := s.ask(t, "GET", "/v1/about", ada, "")
	if strings.Contains(a.body, "configuration") {
		t.Errorf("a caller from the network learns %s", a.body)
	}
}

func TestPagesInBrowsersAreNotServed(t *testing.T) {
	s := serve(t)
	for name, header := range map[string][]string{
		"a page":                       {"Origin", "https://evil.example"},
		"a page of ours":               {"Origin", "http://" + s.address},
		"a form":                       {"Sec-Fetch-Site", "cross-site"},
		"a name that leads here":       {"Host", "evil.example"},
		"a name like this machine's":   {"Host", "localhost.evil.example:80"},
		"an address that is not ours":  {"Host", "10.0.0.1"},
		"an address that is in a name": {"Host", "127.0.0.1.evil.example"},
	} {
		s.ask(t, "POST", "/v1/execute", ada, program, header...).want(t, name, http.StatusForbidden, `"denied"`)
	}
	for _, host := range []string{"localhost", "LOCALHOST:99", "127.0.0.1", "127.0.0.2:1", "[::1]", "[::1]:80"} {
		s.ask(t, "GET", "/v1/about", ada, "", "Host", host).want(t, host, http.StatusOK)
	}
	s.askLocally(t, "POST", "/v1/execute", program, "Origin", "null").want(t, "a page on the socket", http.StatusForbidden)
}

func TestBadRequestsAreNamed(t *testing.T) {
	s := serve(t)
	for name, test := range map[string]struct {
		body string
		code int
		want string
	}{
		"no JSON":               {"print(1)", http.StatusBadRequest, "invalid character"},
		"a misspelled key":      {`{"langauge": "python"}`, http.StatusBadRequest, `unknown field \"langauge\"`},
		"two values":            {`{} {}`, http.StatusBadRequest, "more than one"},
		"a wrong type":          {`{"code": 5}`, http.StatusBadRequest, "code"},
		"a size in words":       {`{"limits": {"memory": "much"}}`, http.StatusBadRequest, "much"},
		"a time without a unit": {`{"limits": {"timeout": 5}}`, http.StatusBadRequest, "1.5s"},
		"another persistence":   {`{"persist": "all"}`, http.StatusBadRequest, "persist"},
		"a program too long":    {`{"code": "` + strings.Repeat("x", 33<<20) + `"}`, http.StatusRequestEntityTooLarge, "bytes"},
		"a language of nobody":  {`{"language": "cobol", "session_id": "s", "create_session": true}`, http.StatusNotFound, "cobol"},
	} {
		// With Expect, as curl has it, so that nobody sends what is refused.
		s.askLocally(t, "POST", "/v1/execute", test.body, "Expect", "100-continue").want(t, name, test.code, test.want)
	}
	s.askLocally(t, "GET", "/v1/execute", "").want(t, "another method", http.StatusMethodNotAllowed)
	s.askLocally(t, "PUT", "/v1/sessions/s/files/f?mode=x", "").want(t, "another mode", http.StatusBadRequest, "create, replace or append")
	s.askLocally(t, "POST", "/sandboxd.v1.Sandbox/Run", `{"code": 5}`, "Content-Type", "application/json").
		want(t, "bad JSON for Connect", http.StatusBadRequest, "invalid_argument")
}

func TestMessagesThatAreTooLargeOrNoneAreRefused(t *testing.T) {
	s := serve(t)
	client := pb.NewSandboxClient(s.dial(t, "unix:"+s.socket))
	if _, err := client.Run(t.Context(), &pb.ExecuteRequest{Code: strings.Repeat("x", 33<<20)}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a message of 33 MiB: %v", err)
	}
	for name, header := range map[string][]string{
		"for Connect":                  {"Content-Type", "application/proto"},
		"for gRPC-Web":                 {"Content-Type", "application/grpc-web+proto"},
		"compressed":                   {"Content-Type", "application/proto", "Content-Encoding", "gzip"},
		"of a type that is not served": {"Content-Type", "text/plain"},
	} {
		a := s.askLocally(t, "POST", "/sandboxd.v1.Sandbox/Run", "\xff\xff\xff\xff\xff\xff", header...)
		if a.code == http.StatusOK && (a.header.Get("Grpc-Status") == "0" || strings.Contains(a.body, "grpc-status: 0")) || a.code >= 500 && a.code != http.StatusNotImplemented {
			t.Errorf("%s: got %d %q %v", name, a.code, a.body, a.header)
		}
	}
	s.askLocally(t, "GET", "/v1/about", "").want(t, "afterwards", http.StatusOK)
}

// TestCallersTogetherFillNoMemory sends many large messages that never end.
func TestCallersTogetherFillNoMemory(t *testing.T) {
	s := serve(t)
	part := `{"code": "` + strings.Repeat("x", 30<<20)
	refused := make(chan struct{}, 10)
	for range 10 {
		conn, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", len(part)+10)
		_ = conn.SetWriteDeadline(time.Now().Add(time.Minute)) // those that are refused are closed
		_, _ = io.WriteString(conn, part)
		go func() { // none of them is whole, so what is answered is refused
			_, _ = conn.Read(make([]byte, 1))
			refused <- struct{}{}
		}()
	}
	<-refused
	s.askLocally(t, "POST", "/v1/execute", program).want(t, "a small one", http.StatusOK)
}

// TestConnectionsThatPauseAreClosed waits for the server to close them: a header that
// does not end, a body that does not come, and an answer that nobody reads.
func TestConnectionsThatPauseAreClosed(t *testing.T) {
	s := serveAt(t, 50*time.Millisecond)
	for name, text := range map[string]string{
		"nothing":         "",
		"half a header":   "GET /v1/about HTTP/1.1\r\nHost: ",
		"half a body":     "POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
		"half a protobuf": "POST /sandboxd.v1.Sandbox/Run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/proto\r\nContent-Length: 100\r\n\r\n\x0a",
		"half an upload":  "PUT /v1/sessions/s/files/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("unix", s.socket)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, text)
			if answer, _ := io.ReadAll(conn); strings.HasPrefix(string(answer), "HTTP/1.1 200") {
				t.Errorf("got %s", answer)
			}
		})
	}
	t.Run("an answer that nobody reads", func(t *testing.T) {
		// A machine that is busy for longer than the pause lets no answer begin.
		begun := false
		for attempts := 0; !begun; attempts++ {
			if attempts == 100 {
				t.Fatal("no answer begins")
			}
			begun = s.floods(t)
		}
		for deadline := time.Now().Add(time.Minute); s.active(t) != 0; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatal("the program goes on")
			}
		}
	})
}

// floods asks for output without end, and reports whether the answer begins. Nobody
// reads the rest of it.
func (s *served) floods(t *testing.T) bool {
	t.Helper()
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	body := `{"language": "python", "code": "flood"}`
	fmt.Fprintf(conn, "POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	status := make([]byte, len("HTTP/1.1 200"))
	_, err = io.ReadFull(conn, status)
	return err == nil && string(status) == "HTTP/1.1 200"
}

// active is how many executions have not ended.
func (s *served) active(t *testing.T) (n int) {
	t.Helper()
	w := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	_, text, found := strings.Cut(w.Body.String(), "\nsandboxd_executions_active ")
	if _, err := fmt.Sscan(text, &n); !found || err != nil {
		t.Fatalf("no number of executions: %v\n%s", err, w.Body)
	}
	return n
}

func TestALongHeaderIsNotRead(t *testing.T) {
	s := serve(t)
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /v1/about HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 80<<10))
	// The connection ends, before or after the answer could be read.
	if text, _ := io.ReadAll(conn); len(text) > 0 && !strings.HasPrefix(string(text), "HTTP/1.1 431") {
		t.Errorf("got %s", text)
	}
}

func TestWhoIsTooManyIsToldWhenToComeAgain(t *testing.T) {
	s := serve(t)
	for range 2 {
		s.ask(t, "POST", "/v1/execute", grace, program).want(t, "within the burst", http.StatusOK)
	}
	a := s.ask(t, "POST", "/v1/execute", grace, program)
	a.want(t, "past it", http.StatusTooManyRequests, `"busy"`, `"retry_after_seconds":`)
	if after := a.header.Get("Retry-After"); len(after) < 3 {
		t.Errorf("Retry-After: %q, and there is one execution in 1000 s", after)
	}
	a = s.ask(t, "POST", "/sandboxd.v1.Sandbox/Run", grace, program, "Content-Type", "application/json")
	a.want(t, "over Connect", http.StatusTooManyRequests, "resource_exhausted", "RetryInfo")
	s.ask(t, "POST", "/v1/execute", ada, program).want(t, "another caller", http.StatusOK)
	client := pb.NewSandboxClient(s.dial(t, "passthrough:///"+s.address))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+grace)
	_, err := client.Run(ctx, &pb.ExecuteRequest{Language: "python"})
	st := status.Convert(err)
	if st.Code() != codes.ResourceExhausted || len(st.Details()) != 2 {
		t.Fatalf("over gRPC: %v", err)
	}
	if retry, ok := st.Details()[1].(*errdetails.RetryInfo); !ok || retry.GetRetryDelay().AsDuration() < 100*time.Second {
		t.Errorf("over gRPC: %v", st.Details()[1])
	}
}

func (s *served) dial(t *testing.T, target string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestGRPCIsServedOnTheSocketAndOnTCP(t *testing.T) {
	s := serve(t)
	for name, test := range map[string]struct{ target, secret string }{
		"socket": {"unix:" + s.socket, ""},
		"TCP":    {"passthrough:///" + s.address, ada},
	} {
		t.Run(name, func(t *testing.T) {
			client := pb.NewSandboxClient(s.dial(t, test.target))
			ctx := t.Context()
			if test.secret != "" {
				_, err := client.Info(ctx, &pb.InfoRequest{})
				if status.Code(err) != codes.Unauthenticated {
					t.Errorf("without a token: %v", err)
				}
				ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+test.secret)
			}
			stream, err := client.Execute(ctx, &pb.ExecuteRequest{Language: "python", Code: "hello"})
			if err != nil {
				t.Fatal(err)
			}
			var output []byte
			for {
				m, err := stream.Recv()
				if err != nil {
					t.Fatal(err)
				}
				if m.GetResult() != nil {
					break
				}
				output = append(output, m.GetOutput().GetData()...)
			}
			if _, err := stream.Recv(); !errors.Is(err, io.EOF) || string(output) != "hello" {
				t.Errorf("got %q and then %v", output, err)
			}
			if _, err := client.CreateSession(ctx, &pb.CreateSessionRequest{SessionId: "s", Language: "python"}); err != nil {
				t.Fatal(err)
			}
			up, err := client.WriteFile(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []*pb.WriteFileRequest{
				{Part: &pb.WriteFileRequest_Target_{Target: &pb.WriteFileRequest_Target{SessionId: "s", Path: "f"}}},
				{Part: &pb.WriteFileRequest_Data{Data: []byte("one")}},
				{Part: &pb.WriteFileRequest_Data{Data: []byte("two")}},
			} {
				if err := up.Send(m); err != nil {
					t.Fatal(err)
				}
			}
			if res, err := up.CloseAndRecv(); err != nil || res.GetEntry().GetSize() != 6 {
				t.Errorf("got %v, %v", res, err)
			}
			_, err = client.GetSession(ctx, &pb.GetSessionRequest{SessionId: "none"})
			if st := status.Convert(err); st.Code() != codes.NotFound || len(st.Details()) != 2 {
				t.Errorf("a session that is not there: %v", err)
			}
		})
	}
}

func TestOutputStreamsAsItIsWritten(t *testing.T) {
	s := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+s.address+"/v1/execute", strings.NewReader(`{"language": "python", "code": "wait", "id": "1"}`))
	r.Header.Set("Authorization", "Bearer "+ada)
	r.Header.Set("Accept", "application/x-ndjson")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != `{"stream":"stdout","data":"begun\n"}`+"\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	s.ask(t, "POST", "/sandboxd.v1.Sandbox/CancelExecution", ada, `{"id": "1"}`, "Content-Type", "application/json").want(t, "cancel", http.StatusOK)
	line, err := lines.ReadString('\n')
	var last httpd.Event
	if err != nil || json.Unmarshal([]byte(line), &last) != nil || last.Result == nil || last.Result.Status != host.StatusCanceled {
		t.Errorf("got %q, %v", line, err)
	}
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("after the result: %q, %v", rest, err)
	}
}

// TestASlowReaderHoldsUpNobodyElse lets as many callers as may run not read.
func TestASlowReaderHoldsUpNobodyElse(t *testing.T) {
	s := serve(t)
	var idle []net.Conn
	for range 2 {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		body := `{"language": "python", "code": "flood"}`
		fmt.Fprintf(conn, "POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nAccept: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s", ada, len(body), body)
		one := make([]byte, 1)
		if _, err := conn.Read(one); err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	s.ask(t, "POST", "/v1/execute", grace, program).want(t, "another caller", http.StatusOK)
	s.ask(t, "GET", "/v1/sessions", ada, "").want(t, "another request of the same", http.StatusOK)
	s.ask(t, "GET", "/metrics", ada, "").want(t, "metrics", http.StatusOK, "sandboxd_executions_active 2")
	for _, conn := range idle {
		_ = conn.Close()
	}
	// Those who are gone give their places back.
	for range 2 {
		a := s.ask(t, "POST", "/v1/execute", ada, program)
		for a.code == http.StatusTooManyRequests {
			a = s.ask(t, "POST", "/v1/execute", ada, program)
		}
		a.want(t, "when they are gone", http.StatusOK)
	}
}

func TestNobodyIsLetInBeforeTheServerIsReady(t *testing.T) {
	s := serve(t)
	s.server.SetReady(false)
	s.ask(t, "GET", "/readyz", "", "").want(t, "readiness", http.StatusServiceUnavailable)
	s.ask(t, "GET", "/healthz", "", "").want(t, "health", http.StatusOK)
	a := s.ask(t, "POST", "/v1/execute", ada, program)
	a.want(t, "execute", http.StatusServiceUnavailable, `"unavailable"`)
	if a.header.Get("Retry-After") == "" {
		t.Error("does not say when to come again")
	}
	_, err := pb.NewSandboxClient(s.dial(t, "unix:"+s.socket)).Info(t.Context(), &pb.InfoRequest{})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("over gRPC: %v", err)
	}
	s.ask(t, "GET", "/metrics", ada, "").want(t, "metrics", http.StatusOK)
	s.server.SetReady(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.service.Drain(ctx)
	s.ask(t, "POST", "/v1/execute", ada, program).want(t, "when it ends", http.StatusServiceUnavailable, "the service is ending")
}

func TestAListenerThatComesTooLateIsClosed(t *testing.T) {
	s := serve(t)
	if err := s.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.server.ServePlain(late); err != nil {
		t.Error(err)
	}
	if err := late.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it was open: %v", err)
	}
}

// TestLabelsAreBounded lets a caller choose what it can.
func TestLabelsAreBounded(t *testing.T) {
	s := serve(t)
	for i := range 20 {
		s.askLocally(t, "POST", "/v1/execute", fmt.Sprintf(`{"language": "l%d", "profile": "p%d", "session_id": "s%d"}`, i, i, i))
	}
	s.askLocally(t, "POST", "/v1/execute", program).want(t, "one", http.StatusOK)
	text := s.askLocally(t, "GET", "/metrics", "").body
	n := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "sandboxd_execut") && !strings.Contains(line, "_bucket") {
			n++
		}
	}
	if n > 10 || !strings.Contains(text, `sandboxd_executions_total{profile="",runtime="python",status="ok"} 1`) &&
		!strings.Contains(text, `sandboxd_executions_total{profile="strict",runtime="python",status="ok"} 1`) {
		t.Errorf("%d series:\n%s", n, text)
	}
}

func FuzzExecuteRequest(f *testing.F) {
	f.Add([]byte(program))
	f.Add([]byte(`{"limits": {"memory": "1MiB", "timeout": "1s", "fuel": 1}, "files": {"../a": "b"}, "persist": "state"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		var q httpd.ExecuteRequest
		if dec.Decode(&q) != nil {
			return
		}
		e, err := q.Execution()
		if err != nil {
			return
		}
		r := e.Request
		if r.Workspace != "" || r.Mounts != nil || r.Caller != "" || r.State != nil || r.Stdout != nil {
			t.Errorf("a request grants itself %+v", r)
		}
	})
}
