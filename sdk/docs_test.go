package sdk_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// block is the first block of a language in a section of a page.
func block(t *testing.T, page, section, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), section)
	_, rest, begun := strings.Cut(rest, "```"+language+"\n")
	code, _, ended := strings.Cut(rest, "```")
	if !found || !begun || !ended {
		t.Fatalf("%s has no block of %s in %q", page, language, section)
	}
	return code
}

// build compiles a program as if it were a file of this module.
func build(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	source, overlay, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "program"+executable)
	if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root(t), "internal", "snippet", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, files, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, "./internal/snippet")
	cmd.Dir = root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// output runs a program with the built sandboxd first on PATH.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"), "SANDBOXD_DATA_DIR="+t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.String())
	}
	return string(out)
}

func TestTheREADMEsProgramRuns(t *testing.T) {
	code := block(t, "README.md", "## From Go", "go")
	if n := strings.Count(code, "\n"); n > 20 {
		t.Errorf("it has %d lines", n)
	}
	if got := output(t, build(t, code)); got != "42\n" {
		t.Errorf("it prints %q", got)
	}
}

func TestTheExampleRuns(t *testing.T) {
	program := filepath.Join(t.TempDir(), "host-go"+executable)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/host-go")
	cmd.Dir = root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := output(t, program), block(t, "examples/host-go/README.md", "#", "text"); got != want {
		t.Errorf("it prints\n%s, and its README shows\n%s", got, want)
	}
}
