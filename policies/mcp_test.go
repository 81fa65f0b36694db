package policies

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAgentsAreOffered(t *testing.T) {
	dir := newDir(t)
	p, err := Parse(filepath.Join(dir, "sandbox.toml"), []byte(`
[mcp]
tools = ["execute_code", "list_files"]
disable_tools = ["list_files"]
external_files = ["data", "/srv/notes.txt", "log/audit.json", "sess"]
max_external_file_size = "10MB"
rate = 2.5
concurrent = 3
[server.audit]
file = "log/audit"
[server.sessions]
storage = "file:///srv/sessions"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := MCP{
		Tools: []string{"execute_code", "list_files"}, DisableTools: []string{"list_files"},
		ExternalFiles: []string{filepath.Join(dir, "data"), "/srv/notes.txt", filepath.Join(dir, "log", "audit.json"), filepath.Join(dir, "sess")}, MaxExternalFileSize: 10_000_000, Rate: 2.5, Concurrent: 3,
	}
	if diff := cmp.Diff(want, p.MCP()); diff != "" {
		t.Error(diff)
	}
	got := p.MCP()
	got.Tools[0], got.DisableTools[0], got.ExternalFiles[0] = "x", "x", "x"
	if diff := cmp.Diff(want, p.MCP()); diff != "" {
		t.Errorf("a policy can be changed:\n%s", diff)
	}
	if diff := cmp.Diff(MCP{}, Builtin().MCP()); diff != "" {
		t.Errorf("the built-in policy says:\n%s", diff)
	}
}

func TestBadOffersToAgents(t *testing.T) {
	tools := strings.Join(MCPTools(), ", ")
	for name, test := range map[string]struct{ text, want string }{
		"a misspelled tool":           {"[mcp]\ntools = [\n\"execute_code\",\n\"list_file\"]", `4: mcp.tools: there is no tool "list_file" (did you mean "list_files"?); tools are ` + tools},
		"a tool of nobody's":          {"[mcp]\ndisable_tools = [\"shell\"]", `2: mcp.disable_tools: there is no tool "shell"; tools are ` + tools},
		"a tool in another case":      {"[mcp]\ntools = [\"Execute_Code\"]", `2: mcp.tools: there is no tool "Execute_Code" (did you mean "execute_code"?); tools are ` + tools},
		"one tool, without a list":    {"[mcp]\ntools = \"execute_code\"", `2: mcp.tools: want a list of tools such as ["execute_code", "list_files"], not the string "execute_code"`},
		"a tool that is a number":     {"[mcp]\ntools = [1]", `2: mcp.tools: want the name of a tool in quotes, not a number`},
		"a tool twice":                {"[mcp]\ntools = [\"read_file\", \"read_file\"]", `2: mcp.tools: "read_file" is listed twice; delete one of the two`},
		"no tools":                    {"[mcp]\ntools = []", `2: mcp.tools: is empty; name a tool, or leave the key out`},
		"a misspelled key":            {"[mcp]\ntool = [\"read_file\"]", `2: unknown key mcp.tool (did you mean "tools"?)`},
		"in the table of the daemon":  {"[server.mcp]", `1: unknown key server.mcp; known keys here: audit, harden, listen, max_concurrent, queue, sessions, tokens`},
		"a path with a tilde":         {"[mcp]\nexternal_files = [\"~/x\"]", `2: mcp.external_files: external file "~/x": "~" is not expanded; write the path in full`},
		"an empty path":               {"[mcp]\nexternal_files = [\"\"]", `2: mcp.external_files: a path of 0 bytes names no file; write one of 1 to 4096`},
		"the whole machine":           {"[mcp]\nexternal_files = [\"/\"]", `2: mcp.external_files: external file "/" is the root of the host, which programs cannot see; name what they need`},
		"two paths of one name":       {"[mcp]\nexternal_files = [\"a/x\", \"b/x\"]", `2: mcp.external_files: "a/x" and "b/x" would both be seen as "x"; rename one, or name the directory that holds it`},
		"where the audit log is":      {"[mcp]\nexternal_files = [\"data\"]\n[server.audit]\nfile = \"data/log/a\"", `2: mcp.external_files: "$DIR/data" holds the audit log of line 4, which programs must not see; keep that elsewhere`},
		"where sessions are":          {"[mcp]\nexternal_files = [\"data\"]\n[server.sessions]\nstorage = \"file://$DIR/data/s\"", `2: mcp.external_files: "$DIR/data" holds the sessions of line 3, which programs must not see; keep those elsewhere`},
		"where the audit log will be": {"[mcp]\nexternal_files = [\"data/a\"]\n[server.audit]\nfile = \"data/a\"", `2: mcp.external_files: "$DIR/data/a" is of the audit log of line 4, which programs must not see; take it off the list`},
		"an older audit log":          {"[mcp]\nexternal_files = [\"data/a.1\"]\n[server.audit]\nfile = \"data/a\"", `2: mcp.external_files: "$DIR/data/a.1" is of the audit log of line 4, which programs must not see; take it off the list`},
		"within the sessions":         {"[mcp]\nexternal_files = [\"data/s/x\"]\n[server.sessions]\nstorage = \"file://$DIR/data\"", `2: mcp.external_files: "$DIR/data/s/x" lies where the sessions of line 3 are, which programs must not see; keep those elsewhere`},
		"nothing of the tools":        {"[mcp]\ntools = [\"read_file\"]\ndisable_tools = [\"write_file\", \"read_file\"]", `3: mcp.disable_tools: leaves no tool of mcp.tools; take one off the list`},
		"nothing of all":              {"[mcp]\ndisable_tools = [\"" + strings.Join(MCPTools(), `", "`) + "\"]", `2: mcp.disable_tools: leaves no tool of all that there are; take one off the list`},
		"a size of nothing":           {"[mcp]\nmax_external_file_size = 0", `2: mcp.max_external_file_size: 0 is refused; leave the key out to let sandboxd decide, or set at least 1`},
		"a size above the maximum":    {"[mcp]\nmax_external_file_size = \"2TiB\"", `2: mcp.max_external_file_size: 2TiB is above the maximum of 1TiB`},
		"a rate in words":             {"[mcp]\nrate = \"fast\"", `2: mcp.rate: want a number of calls a second, such as 10 or 0.5, not the string "fast"`},
		"a rate of nothing":           {"[mcp]\nrate = 0", `2: mcp.rate: 0 is not from 0.001 to 1000000; leave the key out to let sandboxd decide`},
		"programs of none":            {"[mcp]\nconcurrent = 0", `2: mcp.concurrent: 0 is refused; leave the key out to let sandboxd decide, or set at least 1`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			path := filepath.Join(dir, "sandbox.toml")
			_, err := Parse(path, []byte(strings.ReplaceAll(test.text, "$DIR", dir)))
			if err == nil {
				t.Fatal("accepted")
			}
			if got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), path+":", ""), dir, "$DIR"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
