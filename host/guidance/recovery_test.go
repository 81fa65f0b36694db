package guidance_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// cacheDir is shared by all tests, and with the user's own runs.
func cacheDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	return cmp.Or(os.Getenv("SANDBOXD_CACHE_DIR"), filepath.Join(dir, "sandboxd"))
}

// lab is where programs fail: a host, a directory that they see as /data, and a server
// that the profile "granted" lets them ask.
type lab struct {
	host   *host.Host
	policy *policies.Policy
	data   string
	server string
}

const labPolicy = `
[profiles.case]
extends = "strict"
memory  = "64MiB"
timeout = "60s"

[profiles.granted]
extends = "case"
[profiles.granted.network]
allow   = ["GET SERVER/page"]
private = ["ADDRESS"]

[profiles.tight]
extends     = "case"
fuel        = 30_000_000
memory      = "32MiB"
timeout     = "300ms"
stdout      = "1KB"
output_limit = "stop"
disk        = { quota = "10KB", files = 3, file_size = "5KB" }
overridable = ["fuel", "memory", "stdout", "stderr", "timeout", "disk.quota", "disk.files", "disk.file_size"]
`

var openLab = sync.OnceValues(func() (*lab, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"page": 1}`)
	}))
	address := strings.TrimPrefix(server.URL, "http://")
	text := strings.NewReplacer("SERVER", server.URL, "ADDRESS", address).Replace(labPolicy)
	policy, err := policies.Parse("sandbox.toml", []byte(text))
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("", "guidance")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(data, "numbers.csv"), []byte("1,2\n"), 0o600); err != nil {
		return nil, err
	}
	return &lab{policy: policy, data: data, server: server.URL}, nil
})

// openedLab returns the lab that all tests share, but for the host, whose cache is a
// test's to find.
func openedLab(t *testing.T) *lab {
	t.Helper()
	l, err := openLab()
	if err != nil {
		t.Fatal(err)
	}
	opened := *l
	opened.host, err = host.Open(t.Context(), host.Options{
		Policy: l.policy, CacheDir: cacheDir(t),
		Packages: func(string) []string { return []string{"tabulate"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.host.Close(); err != nil {
			t.Error(err)
		}
	})
	return &opened
}

func (l *lab) run(t *testing.T, r host.Request) *host.Result {
	t.Helper()
	r.Mounts = []policies.Mount{{Host: l.data, Guest: "/data"}}
	r.Profile = cmp.Or(r.Profile, "case")
	r.Code = []byte(strings.ReplaceAll(string(r.Code), "SERVER", l.server))
	result, err := l.host.Execute(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// failureOf is what the host makes of a result, as far as rules look at it.
func failureOf(l *lab, r *host.Result, request host.Request) *guidance.Failure {
	profile, err := l.policy.Profile(r.Profile)
	if err == nil {
		profile, err = profile.WithMounts(policies.Mount{Host: l.data, Guest: "/data"})
	}
	if err != nil {
		panic(err)
	}
	return &guidance.Failure{
		Interface: request.Interface, Status: string(r.Status), Type: r.Error.Type, Message: r.Error.Message, Line: r.Error.Line,
		Code: request.Code, Stderr: r.Stderr, Profile: profile, Packages: []string{"tabulate"},
	}
}

// recovery is a program that fails and one that followed the advice.
type recovery struct {
	fail, fix, stdin, profile string
	tools                     []host.Tool
}

// search is a tool that finds nothing.
var search = host.Tool{
	Name:   "search",
	Schema: json.RawMessage(`{"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"], "additionalProperties": false}`),
	Call:   func(context.Context, json.RawMessage) (json.RawMessage, error) { return json.RawMessage(`[]`), nil },
}

// recoveries are those of a language, by the rule that they are about.
func recoveries(t *testing.T, language string) map[string]*recovery {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", language+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*recovery{}
	for _, file := range archive.Files {
		rule, part := path.Split(file.Name)
		rule = strings.TrimSuffix(rule, "/")
		if all[rule] == nil {
			all[rule] = &recovery{}
		}
		text := string(file.Data)
		switch part {
		case "fail":
			all[rule].fail = text
		case "fix":
			all[rule].fix = text
		case "tools":
			all[rule].tools = []host.Tool{search}
		case "stdin":
			all[rule].stdin = text
		case "profile":
			all[rule].profile = strings.TrimSpace(text)
		default:
			t.Errorf("%s: nobody reads this", file.Name)
		}
	}
	return all
}

// languages are those of the built-in runtimes that have rules.
func languages(t *testing.T) map[string]*guidance.Rules {
	t.Helper()
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*guidance.Rules{}
	for _, d := range registry.All() {
		rules, err := guidance.Load(d.Files)
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
		if rules != nil {
			all[d.Name] = rules
		}
	}
	return all
}

// TestAdviceHelps has a program fail for each rule of each language, sees that it is
// told what the rule says, and that the program which does so succeeds.
func TestAdviceHelps(t *testing.T) {
	l := openedLab(t)
	all := languages(t)
	if len(all) < 2 {
		t.Fatalf("only %d languages have rules", len(all))
	}
	var page strings.Builder
	for _, language := range slices.Sorted(maps.Keys(all)) {
		rules, cases := all[language], recoveries(t, language)
		fmt.Fprintf(&page, "\n### %s\n\n| what failed | for example | what is said |\n|---|---|---|\n", language)
		for _, rule := range rules.List {
			t.Run(language+"/"+rule.Name, func(t *testing.T) {
				c := cases[rule.Name]
				delete(cases, rule.Name)
				if c == nil || c.fail == "" || c.fix == "" {
					t.Fatal("there is no program that fails and one that does not")
				}
				request := host.Request{Language: language, Profile: c.profile, Code: []byte(c.fail), Filename: "program", Interface: guidance.CLI, Tools: c.tools}
				r := l.run(t, request)
				if r.Success {
					t.Fatal("it succeeded")
				}
				if got := r.Error.Guidance; len(got) == 0 || len(got) > guidance.MaxSentences {
					t.Errorf("guidance is %q", got)
				}
				said, name := guidance.Advise(failureOf(l, r, request), rules)
				if name != rule.Name {
					t.Fatalf("rule %q speaks: %s: %q %q\n%s", name, r.Status, r.Error.Type, r.Error.Message, r.Stderr)
				}
				for _, sentence := range said {
					if r.Status == host.StatusError && !slices.Contains(r.Error.Guidance, sentence) {
						t.Errorf("it is not told %q, but %q", sentence, r.Error.Guidance)
					}
				}
				fmt.Fprintf(&page, "| %s | %s | %s |\n", rule.Title, inline(c.fail), cell(strings.Join(said, " ")))
				r = l.run(t, host.Request{Language: language, Profile: c.profile, Code: []byte(c.fix), Stdin: strings.NewReader(c.stdin), Tools: c.tools})
				if !r.Success {
					t.Errorf("having followed the advice: %s\n%s", r.Status, r.Stderr)
				}
			})
		}
		for _, rule := range slices.Sorted(maps.Keys(cases)) {
			t.Errorf("%s: there is no rule %q", language, rule)
		}
	}
	if !t.Failed() {
		checkPage(t, page.String())
	}
}

// inline is a program in one line of Markdown.
func inline(code string) string {
	return "`" + cell(strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(code), "`", "´"), "\n", " ↵ ")) + "`"
}

// cell is text in a table of Markdown.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// checkPage holds the tables of docs/errors.md against what programs are told.
func checkPage(t *testing.T, tables string) {
	t.Helper()
	const page, mark = "../../docs/errors.md", "go test ./host/guidance -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, old, found := strings.Cut(string(text), mark)
	switch {
	case !found:
		t.Errorf("%s has no place for the tables", page)
	case os.Getenv("SANDBOXD_UPDATE_GOLDEN") != "":
		if err := os.WriteFile(page, []byte(head+mark+tables), 0o600); err != nil {
			t.Fatal(err)
		}
	case old != tables:
		t.Errorf("%s says something else of:\n%s\nrun this with SANDBOXD_UPDATE_GOLDEN=1 to change it", page, firstDifference(old, tables))
	}
}

// firstDifference is the first line that differs, as it is and as it should be.
func firstDifference(have, want string) string {
	a, b := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + "\n" + b[i]
		}
	}
	return "its end"
}
