package daemontest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// Agents come in by the same tokens as everybody else, and see the same sessions.
func TestAgentsAreServedByTheDaemon(t *testing.T) {
	dir := newDir(t, fmt.Sprintf("[[server.tokens]]\nname = \"ada\"\nhash = \"%x\"\nprofiles = [\"strict\"]\n"+
		"[[server.tokens]]\nname = \"grace\"\nhash = \"%x\"\nprofiles = [\"strict\"]\n", sha256.Sum256([]byte("a")), sha256.Sum256([]byte("g"))))
	d := start(t, dir, "--tcp", "127.0.0.1:0", "--insecure")
	connect := func(token string) (*mcp.ClientSession, error) {
		return mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{
			Endpoint: "http://" + d.address() + "/mcp", HTTPClient: &http.Client{Transport: bearer(token)},
		}, nil)
	}
	if c, err := connect("guess"); err == nil {
		_ = c.Close()
		t.Error("another token was let in")
	}
	call := func(token, tool string, args map[string]any) string {
		c, err := connect(token)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		r, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, content := range r.Content {
			if text, ok := content.(*mcp.TextContent); ok {
				said = append(said, text.Text)
			}
		}
		return strings.Join(said, "\n")
	}
	call("a", "create_session", map[string]any{"session_id": "mine", "language": "python"})
	if said := call("a", "execute_code", map[string]any{"session_id": "mine", "code": "print(6 * 7)"}); !strings.Contains(said, "42") {
		t.Errorf("it said %q", said)
	}
	if said := call("a", "execute_code", map[string]any{"code": "1", "profile": "relaxed"}); !strings.Contains(said, "relaxed does not equal any of: [strict]") {
		t.Errorf("another profile: %q", said)
	}
	if said := call("g", "list_sessions", nil); strings.Contains(said, "mine") {
		t.Errorf("somebody else is told %q", said)
	}
	if said := call("a", "list_sessions", nil); !strings.Contains(said, "mine") {
		t.Errorf("its owner is told %q", said)
	}
}

// What agents are offered is the policy's to say, and a reload changes it for those that
// are connected.
func TestAgentsAreOfferedWhatThePolicySays(t *testing.T) {
	token := fmt.Sprintf("[[server.tokens]]\nname = \"ada\"\nhash = \"%x\"\nprofiles = [\"strict\"]\n", sha256.Sum256([]byte("a")))
	dir := newDir(t, token+"[mcp]\ntools = [\"execute_code\", \"read_file\"]\ndisable_tools = [\"read_file\"]\nexternal_files = [\"notes.txt\"]\n")
	write(t, filepath.Join(dir, "notes.txt"), "of the operator's")
	d := start(t, dir, "--tcp", "127.0.0.1:0", "--insecure")
	changed := make(chan struct{}, 10)
	c, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} },
	}).Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: "http://" + d.address() + "/mcp", HTTPClient: &http.Client{Transport: bearer("a")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	offers := func(want ...string) {
		t.Helper()
		list, err := c.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tool := range list.Tools {
			names = append(names, tool.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("it offers %q, and not %q", names, want)
		}
	}
	offers("execute_code")
	r, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "execute_code", Arguments: map[string]any{"code": "print(open('/external/notes.txt').read())"}})
	if err != nil {
		t.Fatal(err)
	}
	if said, ok := r.Content[0].(*mcp.TextContent); !ok || said.Text != "of the operator's\n" {
		t.Errorf("the program sees %v", r.Content[0])
	}

	reload := func(text, outcome string) {
		t.Helper()
		write(t, filepath.Join(dir, "sandbox.toml"), text)
		d.signal(syscall.SIGHUP)
		d.logged(outcome)
	}
	reload(token+"[mcp]\ntools = [\"execute\"]\n", `did you mean \"execute_code\"`)
	offers("execute_code")
	reload(token+"[mcp]\ntools = [\"execute_code\", \"list_runtimes\"]\nrate = 5\n", "msg=reloaded")
	offers("execute_code", "list_runtimes")
	select {
	case <-changed:
	case <-time.After(2 * time.Minute):
		t.Error("agents are not told that there are other tools")
	}
	for _, setting := range []string{"mcp.rate", "mcp.external_files"} {
		if !strings.Contains(d.log.String(), "a setting applies after a restart\" setting="+setting) {
			t.Errorf("the log does not say that %s needs a restart", setting)
		}
	}
	d.end()
}
