package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/internal/s3test"
)

// TestTwoNodes goes on with a session on another machine: two sandboxd with nothing in
// common but a bucket of a real S3 server and its credentials.
func TestTwoNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("told without -short; it runs programs")
	}
	prepare(t)
	server := s3test.Start(t)
	nodes := map[string][]string{}
	for _, name := range []string{"a", "b"} {
		t.Setenv("SANDBOXD_DATA_DIR", t.TempDir())
		config := filepath.Join(t.TempDir(), "sandbox.toml")
		text := fmt.Sprintf("[server.sessions]\nstorage = %q\nprefix = \"team\"\n[profiles.default]\nsessions = { history = 2 }\n", server.URL(server.Address))
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		nodes[name] = append(childEnv(t), "SANDBOXD_CONFIG="+config)
	}
	for _, step := range []struct{ node, args, want string }{
		{"a", "run --session trip --persist state -c " + `
import re, collections
class Trip:
    def __init__(self): self.rows = [10, 20]
trip, word = Trip(), re.compile("[a-z]+")
def doubled():
    for row in trip.rows: yield 2 * row
rest = doubled(); print(next(rest)); open("log", "w").write("a")`, "20\n"},
		{"b", "run --session trip -c " + `trip.rows.append(30); print(*rest, word.findall("a1b"), open("log").read()); open("log", "a").write("b")`, "40 60 ['a', 'b'] a\n"},
		{"a", "run --session trip -c " + `print(sum(trip.rows), open("log").read())`, "60 ab\n"},
		{"b", "run --session trip -c " + `trip = None`, ""},
		{"a", "sessions rollback trip", ""},
		{"b", "run --session trip -c " + `print(sum(trip.rows))`, "60\n"},
		{"a", "sessions cat trip log", "ab"},
		{"b", "sessions fork trip other", "other\n"},
		{"a", "run --session other -c " + `print(trip.rows, open("log").read())`, "[10, 20, 30] ab\n"},
		{"b", "run --session files -c " + `open("f", "w").write("kept")`, ""},
		{"a", "run --session files --lang python -c " + `print(open("f").read())`, "kept\n"},
		{"a", "sessions remove trip", ""},
		{"b", "sessions prune --max-count 1", ""},
		{"b", "sessions ls files", ""},
	} {
		before, code, _ := strings.Cut(step.args, "-c ")
		args := strings.Fields(before)
		if code != "" {
			args = append(args, "-c", code)
		}
		cmd := exec.CommandContext(t.Context(), "sandboxd", args...)
		cmd.Env = nodes[step.node]
		cmd.Dir = t.TempDir()
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("node %s: %s: %v\n%s%s", step.node, step.args, err, out, stderr.String())
		}
		if step.want != "" && string(out) != step.want {
			t.Errorf("node %s: %s: %q, want %q\n%s", step.node, step.args, out, step.want, stderr.String())
		}
		if strings.Contains(stderr.String(), "WARN") || strings.Contains(stderr.String(), "not kept") {
			t.Errorf("node %s: %s: %s", step.node, step.args, stderr.String())
		}
	}
	if _, err := os.Stat(filepath.Join(server.Dir, "team", "commits", "local", "files")); err != nil {
		t.Errorf("where the prefix says: %v", err)
	}
}
