package mcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/mcp"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// engine is an Executor whose programs are what the tests need: "wait" runs until it is
// canceled, "fail" fails, "secret" fails of the host, and anything else is printed. What a
// program "writes" goes to its workspace.
type engine struct {
	started  chan string
	canceled atomic.Int32
}

func (e *engine) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	result := &host.Result{Status: host.StatusOK, Success: true, SessionID: r.Session, Runtime: r.Language, Profile: r.Profile}
	code := string(r.Code)
	switch verb, rest, _ := strings.Cut(code, " "); verb {
	case "wait":
		e.started <- r.Session
		<-ctx.Done()
		e.canceled.Add(1)
		result.Status, result.Success = host.StatusCanceled, false
	case "fail":
		result.Status, result.Success, result.ExitCode = host.StatusError, false, 1
		result.Error = &host.GuestError{Type: "ValueError", Message: "no", Line: 3, Guidance: []string{"Do this."}}
	case "secret":
		return nil, &os.PathError{Op: "open", Path: "/home/operator/secret", Err: os.ErrPermission}
	case "write":
		name, content, _ := strings.Cut(rest, " ")
		if r.Workspace != "" {
			if err := os.WriteFile(filepath.Join(r.Workspace, name), []byte(content), 0o600); err != nil {
				return nil, err
			}
		}
		result.FilesCreated = []host.File{{Path: "/app/" + name, Size: int64(len(content))}}
	default:
		result.Stdout = code
		if r.Stdout != nil {
			_, _ = io.WriteString(r.Stdout, code)
		}
	}
	return result, nil
}

func serve(t *testing.T, o mcp.Options) (*mcp.Server, *engine) {
	t.Helper()
	disk, err := session.OpenDisk(filepath.Join(t.TempDir(), "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{started: make(chan string, 100)}
	o.Service, err = service.New(service.Options{
		Engine: e, Policy: policies.Builtin(), Registry: registry, Sessions: session.New(session.Options{Storage: disk}),
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := mcp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

// connect is a client over streams.
func connect(t *testing.T, s *mcp.Server, caller service.Caller, o *sdk.ClientOptions) *sdk.ClientSession {
	t.Helper()
	inRead, inWrite := io.Pipe()
	outRead, outWrite := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := s.ServeStdio(context.Background(), inRead, outWrite, caller)
		_ = outWrite.Close()
		ended <- err
	}()
	c, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, o).
		Connect(t.Context(), &sdk.IOTransport{Reader: outRead, Writer: inWrite}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return c
}

func call(t *testing.T, c *sdk.ClientSession, tool string, args map[string]any) *sdk.CallToolResult {
	t.Helper()
	r, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return r
}

// text is all text of an answer.
func text(r *sdk.CallToolResult) string {
	var b strings.Builder
	for _, c := range r.Content {
		if t, ok := c.(*sdk.TextContent); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

// field is a field of the structured content.
func field(t *testing.T, r *sdk.CallToolResult, name string) any {
	t.Helper()
	m, ok := r.StructuredContent.(map[string]any)
	if !ok {
		t.Fatalf("no structured content: %+v, %s", r.StructuredContent, text(r))
	}
	return m[name]
}

var (
	ada   = service.Caller{Name: "ada", Owner: "ada"}
	grace = service.Caller{Name: "grace", Owner: "grace", Profiles: []string{"relaxed"}}
)

// What a model sees of the tools changes only on purpose.
func TestTheToolsAreWhatTheyWere(t *testing.T) {
	s, _ := serve(t, mcp.Options{External: []policies.Mount{{Host: "/home/operator/data", Guest: "/external/data"}}})
	c := connect(t, s, ada, nil)
	list, err := c.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(list.Tools, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "tools.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the tools are others than in %s; if that is meant, run the test with -update", golden)
	}
	if strings.Contains(string(got), "operator") {
		t.Error("a path of the host is in a tool")
	}
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
		if tool.Title == "" || tool.Annotations == nil || tool.OutputSchema == nil || !strings.Contains(tool.Description, "Examples:") {
			t.Errorf("%s has no title, annotations, output schema or examples", tool.Name)
		}
	}
	if all := slices.Sorted(slices.Values(policies.MCPTools())); !slices.Equal(names, all) {
		t.Errorf("tools %q, want %q", names, all)
	}
}

func TestToolsCanBeLeftOut(t *testing.T) {
	s, _ := serve(t, mcp.Options{Tools: []string{"execute_code", "read_file"}, Without: []string{"read_file"}})
	c := connect(t, s, ada, nil)
	list, err := c.ListTools(t.Context(), nil)
	if err != nil || len(list.Tools) != 1 || list.Tools[0].Name != "execute_code" {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := mcp.New(mcp.Options{Service: &service.Service{}, Tools: []string{"execute"}}); err == nil || !strings.Contains(err.Error(), "execute_code") {
		t.Errorf("a tool that there is not: %v", err)
	}
}

func TestNoLimitIsNegative(t *testing.T) {
	for _, o := range []mcp.Options{{Rate: -1}, {Rate: math.NaN()}, {Burst: -1}, {Concurrent: -1}} {
		o.Service = &service.Service{}
		if _, err := mcp.New(o); err == nil || !strings.Contains(err.Error(), "negative") {
			t.Errorf("rate %g, burst %d, concurrent %d: %v", o.Rate, o.Burst, o.Concurrent, err)
		}
	}
}

func TestToolsChangeForThoseWhoAreConnected(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	web := over(t, s, false)
	changed := make(chan struct{}, 10)
	c, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, &sdk.ClientOptions{
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) { changed <- struct{}{} },
	}).Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: web.URL, HTTPClient: &http.Client{Transport: bearer("ada")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	offered := func(c *sdk.ClientSession) []string {
		t.Helper()
		list, err := c.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tool := range list.Tools {
			names = append(names, tool.Name)
		}
		return names
	}
	if err := s.SetTools([]string{"execute_code", "read_file"}, []string{"read_file"}); err != nil {
		t.Fatal(err)
	}
	if got := offered(c); !slices.Equal(got, []string{"execute_code"}) {
		t.Errorf("who is connected is offered %q", got)
	}
	if r, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "list_sessions"}); err == nil {
		t.Errorf("a tool that was withdrawn answers %v", r)
	}
	if got := offered(dial(t, web.URL, "bob")); !slices.Equal(got, []string{"execute_code"}) {
		t.Errorf("who comes later is offered %q", got)
	}
	if err := s.SetTools([]string{"list_file"}, nil); !errors.Is(err, policies.ErrInvalid) || !strings.Contains(err.Error(), `did you mean "list_files"`) {
		t.Errorf("a tool that there is not: %v", err)
	}
	if got := offered(c); !slices.Equal(got, []string{"execute_code"}) {
		t.Errorf("after a mistake %q is offered", got)
	}
	if err := s.SetTools(nil, nil); err != nil {
		t.Fatal(err)
	}
	if got := offered(c); len(got) != len(policies.MCPTools()) {
		t.Errorf("at last %q is offered", got)
	}
	<-changed
}

func TestAFailureIsAResultThatSaysWhatToDo(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	c := connect(t, s, ada, nil)
	r := call(t, c, "execute_code", map[string]any{"code": "fail"})
	if !r.IsError || field(t, r, "status") != "error" || !strings.Contains(text(r), "ValueError: no (line 3)\n- Do this.") {
		t.Errorf("got %s, %v", text(r), r.StructuredContent)
	}
	r = call(t, c, "execute_code", map[string]any{"code": "fine"})
	if r.IsError || text(r) != "fine\n" || field(t, r, "stdout") != "fine" {
		t.Errorf("got %q, %v", text(r), r.StructuredContent)
	}
	for name, args := range map[string]map[string]any{
		"create_session": {"code": "x", "session_id": "none"},
		"base64":         {"code": "x", "files": []map[string]any{{"path": "a", "content": "?", "encoding": "base64"}}},
		"/app":           {"code": "x", "files": []map[string]any{{"path": "/etc/passwd", "content": ""}}},
		"timeout":        {"code": "x", "timeout": 1e300},
	} {
		if r := call(t, c, "execute_code", args); !r.IsError || !strings.Contains(text(r), name) {
			t.Errorf("%v: %s", args, text(r))
		}
	}
}

func TestNoPathOfTheHostIsTold(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	c := connect(t, s, ada, nil)
	if r := call(t, c, "execute_code", map[string]any{"code": "secret"}); !r.IsError || strings.Contains(text(r), "operator/") {
		t.Errorf("got %s", text(r))
	}
}

func TestSessionsHaveFilesTurnsAndCopies(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	c := connect(t, s, ada, nil)
	in := func(more map[string]any) map[string]any {
		m := map[string]any{"session_id": "s"}
		maps.Copy(m, more)
		return m
	}
	call(t, c, "create_session", in(map[string]any{"language": "py"}))
	call(t, c, "execute_code", in(map[string]any{"code": "write a.txt old", "files": []map[string]any{{"path": "/app/in.csv", "content": "1"}}}))
	call(t, c, "write_file", in(map[string]any{"path": "b/c.bin", "content": "AP8=", "encoding": "base64"}))
	if r := call(t, c, "read_file", in(map[string]any{"path": "/app/b/c.bin"})); field(t, r, "content") != "AP8=" || field(t, r, "encoding") != "base64" {
		t.Errorf("got %v", r.StructuredContent)
	}
	if r := call(t, c, "read_file", in(map[string]any{"path": "a.txt", "offset": 1, "length": 1})); field(t, r, "content") != "l" || field(t, r, "truncated") != true {
		t.Errorf("got %v", r.StructuredContent)
	}
	call(t, c, "fork_session", in(map[string]any{"new_session_id": "t"}))
	call(t, c, "delete_file", in(map[string]any{"path": "b", "recursive": true}))
	if r := call(t, c, "list_files", in(map[string]any{"limit": 1})); field(t, r, "next") != "/app/a.txt" {
		t.Errorf("got %v", r.StructuredContent)
	}
	if r := call(t, c, "list_files", in(map[string]any{"after": "/app/a.txt"})); !strings.Contains(text(r), "in.csv") || strings.Contains(text(r), "c.bin") {
		t.Errorf("got %s", text(r))
	}
	if r := call(t, c, "list_files", map[string]any{"session_id": "t", "pattern": "**/*.bin"}); !strings.Contains(text(r), "/app/b/c.bin") {
		t.Errorf("the copy has %s", text(r))
	}
	if r := call(t, c, "rollback_session", in(nil)); r.IsError {
		t.Errorf("got %s", text(r))
	}
	if r := call(t, c, "get_workspace_info", in(nil)); field(t, r, "turn") != float64(0) || field(t, r, "files") != float64(1) { // the file given before the first turn
		t.Errorf("rolled back: %v", r.StructuredContent)
	}
	call(t, c, "reset_workspace", map[string]any{"session_id": "t"})
	call(t, c, "destroy_session", in(nil))
	if r := call(t, c, "list_sessions", nil); field(t, r, "total") != float64(1) {
		t.Errorf("got %v", r.StructuredContent)
	}
}

func TestImagesAreShownIfTheyAreSome(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	c := connect(t, s, ada, nil)
	for code, want := range map[string]string{
		"write a.svg <svg/>":                      "image/svg+xml",
		"write a.png \x89PNG\r\n\x1a\nx":          "",
		"write a.png <html>":                      "",
		"write a.svg <html><svg/>":                "",
		"write a.jpg " + strings.Repeat("x", 100): "",
	} {
		got := ""
		for _, content := range call(t, c, "execute_code", map[string]any{"code": code}).Content {
			if image, ok := content.(*sdk.ImageContent); ok {
				got = image.MIMEType
			}
		}
		if got != want {
			t.Errorf("%q is shown as %q, want %q", code, got, want)
		}
	}
	if r := call(t, c, "list_sessions", nil); field(t, r, "total") != float64(0) {
		t.Errorf("left behind: %v", r.StructuredContent)
	}
}

func TestClientsReachOnlyTheirOwn(t *testing.T) {
	s, e := serve(t, mcp.Options{})
	one, other := connect(t, s, ada, nil), connect(t, s, grace, nil)
	call(t, one, "create_session", map[string]any{"session_id": "mine"})
	call(t, one, "write_file", map[string]any{"session_id": "mine", "path": "a.txt", "content": "secret"})
	done := make(chan *sdk.CallToolResult)
	go func() {
		r, err := one.CallTool(context.Background(), &sdk.CallToolParams{Name: "execute_code", Arguments: map[string]any{"code": "wait", "session_id": "mine", "execution_id": "x"}})
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	<-e.started
	for _, tool := range policies.MCPTools() {
		r := call(t, other, tool, map[string]any{})
		var args map[string]any
		switch tool {
		case "execute_code":
			args = map[string]any{"code": "x", "session_id": "mine"}
		case "read_file", "delete_file":
			args = map[string]any{"session_id": "mine", "path": "a.txt"}
		case "write_file":
			args = map[string]any{"session_id": "mine", "path": "a.txt", "content": ""}
		case "cancel_execution":
			args = map[string]any{"execution_id": "x"}
		case "list_files", "get_workspace_info", "fork_session", "rollback_session", "reset_workspace", "destroy_session":
			args = map[string]any{"session_id": "mine"}
		default:
			if strings.Contains(text(r), "mine") {
				t.Errorf("%s tells another client of a session: %s", tool, text(r))
			}
			continue
		}
		if r := call(t, other, tool, args); !r.IsError || !strings.Contains(text(r), "not found") {
			t.Errorf("%s reaches another client's session: %s", tool, text(r))
		}
	}
	if r, err := other.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "sandboxd://session/mine/files/a.txt"}); err == nil {
		t.Errorf("a resource of another client: %v", r)
	}
	// A long run of one client's is no obstacle to the other, nor to its own next call.
	if r := call(t, other, "execute_code", map[string]any{"code": "here"}); text(r) != "here\n" {
		t.Errorf("got %s", text(r))
	}
	if r := call(t, one, "cancel_execution", map[string]any{"session_id": "mine"}); !strings.Contains(text(r), "x") {
		t.Errorf("got %s", text(r))
	}
	if r := <-done; field(t, r, "status") != "canceled" {
		t.Errorf("got %v", r.StructuredContent)
	}
}

func TestTheProtocolsCancellationStopsTheProgram(t *testing.T) {
	s, e := serve(t, mcp.Options{Rate: 1e6, Burst: 1e6}) // it asks until the program has stopped
	c := connect(t, s, ada, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.CallTool(ctx, &sdk.CallToolParams{Name: "execute_code", Arguments: map[string]any{"code": "wait"}})
		ended <- err
	}()
	<-e.started
	cancel()
	<-ended
	for deadline := time.Now().Add(time.Minute); len(field(t, call(t, c, "get_metrics", nil), "running").([]any)) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the program still runs")
		}
	}
	if n := e.canceled.Load(); n != 1 {
		t.Errorf("%d programs were canceled", n)
	}
}

func TestARateBinds(t *testing.T) {
	s, _ := serve(t, mcp.Options{Rate: 1e-6, Burst: 3, Concurrent: 1})
	c := connect(t, s, ada, nil)
	for range 3 {
		if r := call(t, c, "list_profiles", nil); r.IsError {
			t.Fatal(text(r))
		}
	}
	// Whatever a client calls itself or its sessions, it is the same one.
	if r := call(t, c, "execute_code", map[string]any{"code": "x", "session_id": "another"}); !r.IsError || !strings.Contains(text(r), "busy") {
		t.Errorf("a call too many: %s", text(r))
	}
}

func TestOneClientHasNoMoreThanItsShare(t *testing.T) {
	s, e := serve(t, mcp.Options{Concurrent: 1})
	c := connect(t, s, ada, nil)
	go func() {
		_, _ = c.CallTool(context.Background(), &sdk.CallToolParams{Name: "execute_code", Arguments: map[string]any{"code": "wait"}})
	}()
	<-e.started
	if r := call(t, c, "execute_code", map[string]any{"code": "x"}); !r.IsError || !strings.Contains(text(r), "busy") {
		t.Errorf("got %s", text(r))
	}
	call(t, c, "cancel_execution", nil)
}

func TestFilesAreResources(t *testing.T) {
	updates := make(chan string, 10)
	s, _ := serve(t, mcp.Options{})
	c := connect(t, s, ada, &sdk.ClientOptions{
		ResourceUpdatedHandler: func(_ context.Context, r *sdk.ResourceUpdatedNotificationRequest) { updates <- r.Params.URI },
	})
	call(t, c, "create_session", map[string]any{"session_id": "s"})
	call(t, c, "write_file", map[string]any{"session_id": "s", "path": "d/ä b.txt", "content": "one"})
	list, err := c.ListResources(t.Context(), nil)
	if err != nil || len(list.Resources) != 2 {
		t.Fatalf("got %v, %v", list, err)
	}
	uri := list.Resources[1].URI
	if r, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri}); err != nil || r.Contents[0].Text != "one" {
		t.Errorf("%s: %v, %v", uri, r, err)
	}
	if err := c.Subscribe(t.Context(), &sdk.SubscribeParams{URI: uri}); err != nil {
		t.Fatal(err)
	}
	call(t, c, "write_file", map[string]any{"session_id": "s", "path": "d/ä b.txt", "content": "two"})
	if got := <-updates; got != uri {
		t.Errorf("told of %s, want %s", got, uri)
	}
	for _, wrong := range []string{"sandboxd://session/s/files/../../x", "sandboxd://session/s/files/none", "sandboxd://session/t/files/a", "file:///etc/passwd"} {
		if r, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: wrong}); err == nil {
			t.Errorf("%s: %v", wrong, r)
		}
	}
}

func TestPromptsAndCompletions(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	c := connect(t, s, grace, nil)
	call(t, c, "create_session", map[string]any{"session_id": "report"})
	call(t, c, "write_file", map[string]any{"session_id": "report", "path": "data.csv", "content": "1"})
	p, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "analyse_file", Arguments: map[string]string{"session_id": "report", "path": "data.csv"}})
	if err != nil || !strings.Contains(p.Messages[0].Content.(*sdk.TextContent).Text, "data.csv") {
		t.Errorf("got %v, %v", p, err)
	}
	if _, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "analyse_file"}); err == nil || !strings.Contains(err.Error(), "session_id") {
		t.Errorf("without arguments: %v", err)
	}
	for argument, want := range map[string]string{"session_id:re": "report", "profile:": "relaxed", "language:pyt": "python", "path:d": "data.csv"} {
		name, value, _ := strings.Cut(argument, ":")
		r, err := c.Complete(t.Context(), &sdk.CompleteParams{
			Ref:      &sdk.CompleteReference{Type: "ref/prompt", Name: "analyse_file"},
			Argument: sdk.CompleteParamsArgument{Name: name, Value: value},
			Context:  &sdk.CompleteContext{Arguments: map[string]string{"session_id": "report"}},
		})
		if err != nil || !slices.Contains(r.Completion.Values, want) {
			t.Errorf("%s: %v, %v", argument, r, err)
		}
	}
}

// Nothing that a client says of a tool's arguments ends the server or reaches a file that
// is not the client's.
func FuzzArguments(f *testing.F) {
	for i, args := range []string{`{"code":"x"}`, `{"code":"x","files":[{"path":"/app/../a","content":"1"}]}`, `{"session_id":"../..","path":"/etc/passwd"}`, `{"turn":-1}`, `[]`, `{"timeout":1e999}`, `null`} {
		f.Add(uint8(i), args)
	}
	f.Fuzz(func(t *testing.T, tool uint8, args string) {
		if !json.Valid([]byte(args)) {
			t.Skip()
		}
		s, _ := serve(t, mcp.Options{Rate: 1e6, Burst: 1e6})
		c := connect(t, s, ada, nil)
		name := policies.MCPTools()[int(tool)%len(policies.MCPTools())]
		if name == "execute_code" && strings.Contains(args, "wait") {
			t.Skip()
		}
		r, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: name, Arguments: json.RawMessage(args)})
		if err == nil && strings.Contains(text(r), t.TempDir()) {
			t.Errorf("%s %s tells a path: %s", name, args, text(r))
		}
		if _, err := c.ListTools(t.Context(), nil); err != nil {
			t.Errorf("after %s %s: %v", name, args, err)
		}
	})
}

// over is a server over HTTP where "Bearer NAME" is enough.
func over(t *testing.T, s *mcp.Server, anonymous bool) *httptest.Server {
	t.Helper()
	o := mcp.HTTPOptions{Anonymous: service.Caller{Owner: "guest"}, Origins: []string{"http://good.example"}}
	if !anonymous {
		o.Authenticate = func(r *http.Request) (service.Caller, error) {
			name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				return service.Caller{}, service.ErrDenied
			}
			return service.Caller{Name: name, Owner: name}, nil
		}
	}
	web := httptest.NewServer(s.Handler(o))
	t.Cleanup(web.Close)
	return web
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func dial(t *testing.T, url, token string) *sdk.ClientSession {
	t.Helper()
	transport := &sdk.StreamableClientTransport{Endpoint: url}
	if token != "" {
		transport.HTTPClient = &http.Client{Transport: bearer(token)}
	}
	c, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestOverHTTPTheTokenOwnsSessions(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	web := over(t, s, false)
	one, again, other := dial(t, web.URL, "ada"), dial(t, web.URL, "ada"), dial(t, web.URL, "grace")
	call(t, one, "create_session", map[string]any{"session_id": "mine"})
	if r := call(t, again, "execute_code", map[string]any{"code": "hi", "session_id": "mine"}); text(r) != "hi\n" {
		t.Errorf("the same token: %s", text(r))
	}
	if r := call(t, other, "execute_code", map[string]any{"code": "hi", "session_id": "mine"}); !r.IsError {
		t.Errorf("another token: %s", text(r))
	}
}

func TestWithoutTokensTheConnectionOwnsSessions(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	web := over(t, s, true)
	one, other := dial(t, web.URL, ""), dial(t, web.URL, "")
	call(t, one, "create_session", map[string]any{"session_id": "mine"})
	if r := call(t, other, "list_sessions", nil); field(t, r, "total") != float64(0) {
		t.Errorf("another connection sees %v", r.StructuredContent)
	}
	if r := call(t, one, "list_sessions", nil); field(t, r, "total") != float64(1) {
		t.Errorf("the connection itself sees %v", r.StructuredContent)
	}
}

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`

func TestHostileRequestsAreRefused(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	web := over(t, s, false)
	_, header := post(t, web.URL, hello, map[string]string{"Authorization": "Bearer ada"})
	stolen := header.Get("Mcp-Session-Id")
	if stolen == "" {
		t.Fatal("no session")
	}
	ping := `{"jsonrpc":"2.0","id":2,"method":"ping"}`
	for name, c := range map[string]struct {
		body    string
		headers map[string]string
		want    int
	}{
		"a token":                  {hello, map[string]string{"Authorization": "Bearer ada"}, 200},
		"an origin that may":       {hello, map[string]string{"Authorization": "Bearer ada", "Origin": "http://good.example"}, 200},
		"no token":                 {hello, nil, 401},
		"a page of another origin": {hello, map[string]string{"Authorization": "Bearer ada", "Origin": "http://evil.example"}, 403},
		"a page without an origin": {hello, map[string]string{"Authorization": "Bearer ada", "Origin": "null"}, 403},
		"a name of its own":        {hello, map[string]string{"Authorization": "Bearer ada", "Host": "evil.example"}, 403},
		"its own connection":       {ping, map[string]string{"Authorization": "Bearer ada", "Mcp-Session-Id": stolen}, 200},
		"another's connection":     {ping, map[string]string{"Authorization": "Bearer grace", "Mcp-Session-Id": stolen}, 403},
		"no such connection":       {ping, map[string]string{"Authorization": "Bearer ada", "Mcp-Session-Id": "x"}, 404},
		"100 MB":                   {strings.Repeat(" ", 100_000_000), map[string]string{"Authorization": "Bearer ada"}, 413},
		"no JSON":                  {"{", map[string]string{"Authorization": "Bearer ada"}, 400},
		"no JSON-RPC":              {`{"id":{}}`, map[string]string{"Authorization": "Bearer ada", "Mcp-Session-Id": stolen}, 400},
		"a form":                   {hello, map[string]string{"Authorization": "Bearer ada", "Content-Type": "text/plain"}, 415},
	} {
		if got, _ := post(t, web.URL, c.body, c.headers); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
	if r := call(t, dial(t, web.URL, "ada"), "execute_code", map[string]any{"code": "still"}); text(r) != "still\n" {
		t.Errorf("afterwards: %s", text(r))
	}
}

// poster waits for the server before it sends a body, however busy the machine is.
var poster = func() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = time.Minute
	return &http.Client{Transport: transport}
}()

func post(t *testing.T, url, body string, headers map[string]string) (status int, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	// As curl has it, so that nobody sends what is refused: the refusal and the broken pipe
	// would race to the client.
	r.Header.Set("Expect", "100-continue")
	r.Host = headers["Host"]
	answer, err := poster.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode, answer.Header
}

func TestConnectionsAreBounded(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	web := over(t, s, true)
	codes := map[int]int{}
	for range 1010 {
		code, _ := post(t, web.URL, hello, nil)
		codes[code]++
	}
	if codes[200] != 1000 || codes[429] != 10 {
		t.Errorf("got %v", codes)
	}
}

// The protocol from 2026-07-28 on has no connections: what a token owns is there again.
func TestTheNewestProtocolNeedsAToken(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	ask := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_code","arguments":{"code":"new"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`
	headers := map[string]string{"Authorization": "Bearer ada", "Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "execute_code"}
	if code, _ := post(t, over(t, s, false).URL, ask, headers); code != 200 {
		t.Errorf("with a token: %d", code)
	}
	if code, _ := post(t, over(t, s, true).URL, ask, headers); code != 400 {
		t.Errorf("without a token: %d", code)
	}
}

// Requests that never end, and streams that nobody reads, hold nobody else up.
func TestHalfOpenStreamsHoldNobodyUp(t *testing.T) {
	s, _ := serve(t, mcp.Options{})
	web := over(t, s, false)
	_, header := post(t, web.URL, hello, map[string]string{"Authorization": "Bearer ada"})
	address := strings.TrimPrefix(web.URL, "http://")
	for i := range 100 {
		c, err := net.Dial("tcp", address) //nolint:noctx // loopback
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		request := "POST / HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer ada\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: 1000\r\n\r\n{"
		if i%2 == 1 {
			request = "GET / HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer ada\r\nAccept: text/event-stream\r\nMcp-Session-Id: " + header.Get("Mcp-Session-Id") + "\r\n\r\n"
		}
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
	}
	for _, token := range []string{"ada", "grace"} {
		if r := call(t, dial(t, web.URL, token), "execute_code", map[string]any{"code": "still"}); text(r) != "still\n" {
			t.Errorf("%s: %s", token, text(r))
		}
	}
	web.CloseClientConnections()
}
