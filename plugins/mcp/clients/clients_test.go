// Package clients drives the MCP server as it is delivered, the sandboxd program, with
// the clients and the conformance suite that others wrote.
package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/internal/delivered"
	"github.com/sandboxd/sandboxd/policies"
)

// binary is the program under test.
var binary string

func TestMain(m *testing.M) { os.Exit(delivered.Main(m, &binary)) }

// packages are what is installed from npm, at exact versions. The suite needs a newer
// Node.js than many machines have.
var packages = []string{
	"@modelcontextprotocol/conformance@0.1.16",
	"@modelcontextprotocol/inspector-cli@1.0.3",
	"@modelcontextprotocol/sdk@1.32.2",
	"node-" + node() + "@22.12.0",
}

// node is what npm calls this machine.
func node() string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return runtime.GOOS + "-" + arch
}

const pythonSDK = "mcp==2.3.0"

// installTime is how long an installation may take: a registry that does not answer is
// no failure of the server's.
const installTime = 3 * time.Minute

// failed says why an installation cannot be had, so that no other test waits for it.
var failed = map[string]string{}

// installed returns a directory that install made, once for all runs of the tests: under
// another name first, so that nobody sees half of it.
func installed(t *testing.T, what []string, install func(ctx context.Context, dir string) *exec.Cmd) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no cache directory")
	}
	names := strings.Join(what, " ")
	if reason := failed[names]; reason != "" {
		t.Skip(reason)
	}
	sum := sha256.Sum256([]byte(names))
	parent := filepath.Join(cache, "sandboxd", "mcp-clients")
	dir := filepath.Join(parent, hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	making, err := os.MkdirTemp(parent, "making-") //nolint:usetesting // it is renamed, which one file system must hold
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(making)
	ctx, cancel := context.WithTimeout(t.Context(), installTime)
	defer cancel()
	cmd := install(ctx, making)
	cmd.WaitDelay = time.Second // what it has started may outlive it
	if out, err := cmd.CombinedOutput(); err != nil {
		failed[names] = fmt.Sprintf("install %q: %v\n%s", what, err, out)
		t.Skip(failed[names])
	}
	if err := os.Rename(making, dir); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	return dir
}

// npm returns the directory of the packages and the Node.js to run them with.
func npm(t *testing.T) (dir, program string) {
	t.Helper()
	dir = installed(t, packages, func(ctx context.Context, dir string) *exec.Cmd {
		return exec.CommandContext(ctx, "npm", append([]string{"install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"}, packages...)...)
	})
	return filepath.Join(dir, "node_modules"), filepath.Join(dir, "node_modules", "node-"+node(), "bin", "node")
}

// python returns the interpreter that has the SDK.
func python(t *testing.T) string {
	t.Helper()
	dir := installed(t, []string{pythonSDK}, func(ctx context.Context, dir string) *exec.Cmd {
		return exec.CommandContext(ctx, "sh", "-c", `python3 -m venv "$0" && "$0/bin/pip" install -q --disable-pip-version-check "$1"`, dir, pythonSDK)
	})
	return filepath.Join(dir, "bin", "python")
}

// policy gives programs time on a machine that is busy with other tests: what is to end
// them is fuel.
const policy = `
default_profile = "strict"
[profiles.strict]
timeout = "5m"
[profiles.strict.sessions]
history = 5
`

// command is the server's command line.
func command(t *testing.T, args ...string) []string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "sandbox.toml")
	if err := os.WriteFile(config, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	return append([]string{binary, "mcp", "--config", config, "--data-dir", filepath.Join(t.TempDir(), "data"), "--runtime", "python", "--rate", "1000000"}, args...)
}

const token = "a-token-that-nobody-else-has"

var address = regexp.MustCompile(`http://\S+\s`) // to its end

// web starts a server over HTTP and returns its address.
func web(t *testing.T, args ...string) string {
	t.Helper()
	line := command(t, append([]string{"--http", "127.0.0.1:0"}, args...)...)
	cmd := exec.Command(line[0], line[1:]...)
	if !slices.Contains(args, "--no-token") {
		cmd.Env = append(os.Environ(), "SANDBOXD_MCP_TOKEN="+token)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	var said bytes.Buffer
	buffer := make([]byte, 4096)
	for {
		n, err := stderr.Read(buffer)
		said.Write(buffer[:n])
		if url := address.FindString(said.String()); url != "" {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return strings.TrimSpace(url)
		}
		if err != nil {
			t.Fatalf("the server did not start: %s", said.String())
		}
	}
}

// doesNotApply says why a scenario of the suite is not run to success: the suite calls
// tools, prompts and resources by the names that its own example server gives them.
// What they exercise of the protocol is tested where it says.
var doesNotApply = map[string]string{
	"tools-call-simple-text":        "calls test_simple_text; TestClientsDriveEveryTool",
	"tools-call-image":              "calls test_image_content; TestImagesAreShownIfTheyAreSome",
	"tools-call-audio":              "calls test_audio_content, and programs make no audio",
	"tools-call-embedded-resource":  "calls test_embedded_resource; files are resources of their own: TestFilesAreResources",
	"tools-call-mixed-content":      "calls test_multiple_content_types; TestImagesAreShownIfTheyAreSome",
	"tools-call-with-logging":       "calls test_tool_with_logging; TestOutputComesWhileTheProgramRuns",
	"tools-call-error":              "calls test_error_handling; TestAFailureIsAResultThatSaysWhatToDo",
	"tools-call-with-progress":      "calls test_tool_with_progress; TestOutputComesWhileTheProgramRuns",
	"tools-call-sampling":           "calls test_sampling, and sandboxd asks no model",
	"tools-call-elicitation":        "calls test_elicitation, and sandboxd asks no user",
	"elicitation-sep1034-defaults":  "calls test_elicitation_sep1034_defaults, and sandboxd asks no user",
	"elicitation-sep1330-enums":     "calls test_elicitation_sep1330_enums, and sandboxd asks no user",
	"resources-read-text":           "reads test://static-text; TestFilesAreResources",
	"resources-read-binary":         "reads test://static-binary; TestFilesAreResources",
	"resources-templates-read":      "reads test://template/123/data; TestFilesAreResources",
	"resources-subscribe":           "subscribes to test://watched-resource; TestFilesAreResources",
	"resources-unsubscribe":         "unsubscribes from test://watched-resource; TestFilesAreResources",
	"prompts-get-simple":            "gets test_simple_prompt; TestPromptsAndCompletions",
	"prompts-get-with-args":         "gets test_prompt_with_arguments; TestPromptsAndCompletions",
	"prompts-get-embedded-resource": "gets test_prompt_with_embedded_resource, and prompts are text",
	"prompts-get-with-image":        "gets test_prompt_with_image, and prompts are text",
}

var verdict = regexp.MustCompile(`(?m)^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed`)

func TestTheConformanceSuitePasses(t *testing.T) {
	modules, program := npm(t)
	url := web(t, "--no-token")
	cmd := exec.CommandContext(t.Context(), program, filepath.Join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js"), "server", "--url", url)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, v := range verdict.FindAllStringSubmatch(string(out), -1) {
		name, passes := v[1], v[3] == "0" && v[2] != "0"
		seen[name] = true
		switch reason := doesNotApply[name]; {
		case reason == "" && !passes:
			t.Errorf("%s fails", name)
		case reason != "" && passes:
			t.Errorf("%s passes, though it should not apply: %s", name, reason)
		}
	}
	for name := range doesNotApply {
		if !seen[name] {
			t.Errorf("there is no scenario %s any more", name)
		}
	}
	if len(seen) < 30 {
		t.Errorf("only %d scenarios were run", len(seen))
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

// step is a call that the clients make, and what is in its answer's text or structure.
type step struct {
	Tool   string         `json:"tool"`
	Args   map[string]any `json:"args"`
	expect string
	fails  bool
}

func steps() []step {
	in := func(more ...any) map[string]any {
		m := map[string]any{"session_id": "s"}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	return []step{
		{Tool: "execute_code", Args: map[string]any{"code": "print('hi')"}, expect: `"stdout": "hi\n"`},
		{Tool: "execute_code", Args: map[string]any{"code": "1/0"}, expect: "ZeroDivisionError", fails: true},
		{Tool: "execute_code", Args: map[string]any{"code": "import sys\nprint(open('a').read(), sys.stdin.read(), sys.argv[1])", "files": []any{map[string]any{"path": "a", "content": "A"}}, "stdin": "B", "args": []any{"C"}}, expect: "A B C"},
		{Tool: "create_session", Args: in("persist_state", true), expect: `"persist_state": true`},
		{Tool: "execute_code", Args: in("code", "x = 41\nopen('plot.svg', 'w').write('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')"), expect: "image/svg+xml"},
		{Tool: "execute_code", Args: in("code", "print(x + 1)"), expect: "42"},
		{Tool: "fork_session", Args: in("new_session_id", "copy"), expect: `"forked_from": "s"`},
		{Tool: "execute_code", Args: map[string]any{"session_id": "copy", "code": "print(x)"}, expect: "41"},
		{Tool: "write_file", Args: in("path", "/app/b.txt", "content", "text"), expect: `"size": 4`},
		{Tool: "read_file", Args: in("path", "b.txt"), expect: `"content": "text"`},
		{Tool: "list_files", Args: in(), expect: "/app/plot.svg"},
		{Tool: "delete_file", Args: in("path", "b.txt"), expect: "/app/b.txt"},
		{Tool: "get_workspace_info", Args: in(), expect: `"turn": 2`},
		{Tool: "rollback_session", Args: in("turns", 1), expect: `"turn": 1`},
		{Tool: "reset_workspace", Args: in(), expect: `"session_id": "s"`},
	}
}

// every is steps, with those that take no arguments.
func every() []step {
	none := map[string]any{}
	return append(steps(),
		step{Tool: "list_sessions", Args: none, expect: `"total": 2`},
		step{Tool: "get_active_sessions", Args: none, expect: `"total": 2`},
		step{Tool: "cancel_execution", Args: none, expect: `"canceled": []`},
		step{Tool: "list_runtimes", Args: none, expect: `"python"`},
		step{Tool: "list_available_packages", Args: map[string]any{"language": "python"}, expect: "standard library"},
		step{Tool: "list_profiles", Args: none, expect: `"strict"`},
		step{Tool: "destroy_session", Args: map[string]any{"session_id": "copy"}, expect: "copy"},
		step{Tool: "read_file", Args: map[string]any{"session_id": "copy", "path": "x"}, expect: "not found", fails: true},
		step{Tool: "reset_all_sessions", Args: none, expect: `"s"`},
		step{Tool: "get_metrics", Args: none, expect: `"executions"`},
	)
}

func TestClientsDriveEveryTool(t *testing.T) {
	all := every()
	var used []string
	for _, s := range all {
		used = append(used, s.Tool)
	}
	for _, name := range policies.MCPTools() {
		if !slices.Contains(used, name) {
			t.Errorf("nobody calls %s", name)
		}
	}
	script, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	clients := map[string]func(*testing.T) []string{
		"TypeScript": func(t *testing.T) []string {
			modules, program := npm(t)
			return []string{program, linked(t, modules, "drive.mjs")}
		},
		"Python": func(t *testing.T) []string { return []string{python(t), filepath.Join("testdata", "drive.py")} },
	}
	for name, client := range clients {
		for _, transport := range []string{"stdio", "http"} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				line := client(t)
				if transport == "http" {
					line = append(line, "http", web(t), token)
				} else {
					line = append(append(line, "stdio"), command(t)...)
				}
				cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
				cmd.Stdin = bytes.NewReader(script)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, stderr.String())
				}
				answers := strings.Split(strings.TrimSpace(string(out)), "\n")
				if len(answers) != len(all) {
					t.Fatalf("%d answers to %d calls:\n%s", len(answers), len(all), out)
				}
				for i, s := range all {
					check(t, s, answers[i])
				}
			})
		}
	}
}

// check compares an answer, as JSON, with what a step expects.
func check(t *testing.T, s step, answer string) {
	t.Helper()
	var got struct {
		IsError bool            `json:"isError"`
		Content json.RawMessage `json:"content"`
		Data    any             `json:"structuredContent"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatalf("%s: %v: %s", s.Tool, err, answer)
	}
	data, err := json.MarshalIndent(got.Data, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if got.IsError != s.fails || !strings.Contains(string(data)+string(got.Content), s.expect) {
		t.Errorf("%s %v: want %q in %s", s.Tool, s.Args, s.expect, answer)
	}
}

// linked copies a script to where it finds its modules.
func linked(t *testing.T, modules, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join("testdata", script))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, script)
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// A model recovers from what went wrong with nothing but what it was told: each advice is
// looked for in the result's guidance, and the next program does what it says.
func TestAnAgentRecovers(t *testing.T) {
	line := command(t, "--profile", "strict", "--profile", "relaxed")
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	c, err := sdk.NewClient(&sdk.Implementation{Name: "agent", Version: "1"}, nil).Connect(t.Context(), &sdk.CommandTransport{Command: cmd}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	run := func(args map[string]any) (result struct {
		Success bool
		Status  string
		Stdout  string
		Error   struct {
			Type     string
			Line     int
			Guidance []string
		}
	}, text string,
	) {
		r, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "execute_code", Arguments: args})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(r.StructuredContent)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &result); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		for _, content := range r.Content {
			if said, ok := content.(*sdk.TextContent); ok {
				text += said.Text
			}
		}
		return result, text
	}
	type args = map[string]any
	for name, story := range map[string]struct {
		first  args
		status string
		advice string // what the guidance names
		then   func(guidance string, line int) args
		prints string
	}{
		"a syntax error": {
			args{"code": "rows = [1, 2\nprint(sum(rows))"},
			"error", "line",
			func(string, int) args { return args{"code": "rows = [1, 2]\nprint(sum(rows))"} }, "3",
		},
		"a missing package": {
			args{"code": "import pandas\nprint(pandas)"},
			"error", "list_available_packages",
			func(string, int) args {
				return args{"code": "import csv, io\nprint(len(list(csv.reader(io.StringIO('a,b')))))"}
			}, "1",
		},
		"a file outside of /app": {
			args{"code": "print(open('/data/in.csv').read())"},
			"error", "files",
			func(string, int) args {
				return args{"code": "print(open('/app/in.csv').read())", "files": []any{args{"path": "/app/in.csv", "content": "1,2"}}}
			}, "1,2",
		},
		"fuel": {
			args{"code": "n = 0\nfor i in range(10**8): n += i\nprint(n)"},
			"out_of_fuel", "",
			func(string, int) args { return args{"code": "n = 10**8\nprint(n * (n - 1) // 2)"} }, "4999999950000000",
		},
	} {
		failed, text := run(story.first)
		if failed.Success || failed.Status != story.status {
			t.Errorf("%s: got %s: %s", name, failed.Status, text)
			continue
		}
		guidance := strings.Join(failed.Error.Guidance, " ")
		if guidance == "" || !strings.Contains(guidance, story.advice) {
			t.Errorf("%s: the guidance %q does not name %q", name, guidance, story.advice)
		}
		for _, sentence := range failed.Error.Guidance {
			if !strings.Contains(text, sentence) {
				t.Errorf("%s: %q is not in the text", name, sentence)
			}
		}
		if again, text := run(story.then(guidance, failed.Error.Line)); strings.TrimSpace(again.Stdout) != story.prints {
			t.Errorf("%s: the second program printed %q: %s", name, again.Stdout, text)
		}
	}
}

func TestExternalFilesAreThereAndCannotBeChanged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.csv"), []byte("1,2"), 0o600); err != nil {
		t.Fatal(err)
	}
	line := command(t, "--external-files", filepath.Join(dir, "in.csv"))
	c, err := sdk.NewClient(&sdk.Implementation{Name: "agent", Version: "1"}, nil).
		Connect(t.Context(), &sdk.CommandTransport{Command: exec.CommandContext(t.Context(), line[0], line[1:]...)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for code, want := range map[string]string{
		"print(open('/external/in.csv').read())":       `"stdout":"1,2\n"`,
		"open('/external/in.csv', 'w').write('other')": `"success":false`,
	} {
		r, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "execute_code", Arguments: map[string]any{"code": code}})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(r.StructuredContent); !strings.Contains(string(got), want) || strings.Contains(string(got), dir) {
			t.Errorf("%s: %s", code, got)
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, "in.csv")); err != nil || string(data) != "1,2" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}

// The policy says what is offered, and a flag says it again.
func TestThePolicySaysWhatIsOffered(t *testing.T) {
	config := filepath.Join(t.TempDir(), "sandbox.toml")
	if err := os.WriteFile(config, []byte("[mcp]\ntools = [\"execute_code\", \"list_runtimes\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, flags := range map[string][]string{
		"execute_code list_runtimes": nil,
		"list_runtimes":              {"--disable-tools", "execute_code"},
		"read_file":                  {"--tools", "read_file"},
	} {
		line := command(t, append([]string{"--config", config}, flags...)...)
		c, err := sdk.NewClient(&sdk.Implementation{Name: "agent", Version: "1"}, nil).
			Connect(t.Context(), &sdk.CommandTransport{Command: exec.CommandContext(t.Context(), line[0], line[1:]...)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tool := range list.Tools {
			names = append(names, tool.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("with %q it offers %q, and not %q", flags, got, want)
		}
		_ = c.Close()
	}
}

// Output reaches a client that asked for progress while the program runs.
func TestOutputComesWhileTheProgramRuns(t *testing.T) {
	line := command(t)
	messages := make(chan string, 100)
	c, err := sdk.NewClient(&sdk.Implementation{Name: "agent", Version: "1"}, &sdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) { messages <- r.Params.Message },
	}).Connect(t.Context(), &sdk.CommandTransport{Command: exec.CommandContext(t.Context(), line[0], line[1:]...)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ended := make(chan *sdk.CallToolResult)
	go func() {
		p := &sdk.CallToolParams{Name: "execute_code", Arguments: map[string]any{"code": "import time\nprint('early', flush=True)\ntime.sleep(60)", "execution_id": "slow"}}
		p.SetProgressToken("t")
		r, err := c.CallTool(context.Background(), p)
		if err != nil {
			t.Error(err)
		}
		ended <- r
	}()
	if got := <-messages; got != "early" {
		t.Errorf("got %q", got)
	}
	if _, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "cancel_execution", Arguments: map[string]any{"execution_id": "slow"}}); err != nil {
		t.Error(err)
	}
	if r := <-ended; !r.IsError {
		t.Errorf("got %+v", r)
	}
}

func TestTheInspectorDrivesTheServer(t *testing.T) {
	modules, program := npm(t)
	// Alone, without the package that it usually comes in, it lacks a file of that.
	lacking := filepath.Join(modules, "@modelcontextprotocol", "package.json")
	if _, err := os.Stat(lacking); err != nil { // others may be reading it
		if err := os.WriteFile(lacking, []byte(`{"name":"inspector","version":"1.0.3"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inspect := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), program, append([]string{filepath.Join(modules, ".bin", "mcp-inspector-cli"), "--cli"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	server := command(t) // its flags would be taken for the inspector's
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"sandboxd": map[string]any{"command": server[0], "args": server[1:]}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mcp.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	for transport, target := range map[string][]string{
		"stdio": {"--config", file, "--server", "sandboxd"},
		"http":  {web(t), "--transport", "http", "--header", "Authorization: Bearer " + token},
	} {
		if out := inspect(append(slices.Clone(target), "--method", "tools/list")...); !strings.Contains(out, `"execute_code"`) {
			t.Errorf("%s: tools/list gives %s", transport, out)
		}
		if out := inspect(append(slices.Clone(target), "--method", "tools/call", "--tool-name", "execute_code", "--tool-arg", "code=print(6*7)")...); !strings.Contains(out, `"stdout": "42\n"`) {
			t.Errorf("%s: tools/call gives %s", transport, out)
		}
	}
}
