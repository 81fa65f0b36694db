package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fenced is a block of a document: what stands behind its fence, and what is in it.
type fenced struct{ info, text string }

// fences returns the blocks of a document, in order.
func fences(markdown string) []fenced {
	var all []fenced
	open := false
	for line := range strings.Lines(markdown) {
		switch {
		case strings.HasPrefix(line, "```") && !open:
			all, open = append(all, fenced{info: strings.TrimSpace(line[3:])}), true
		case strings.HasPrefix(line, "```"):
			open = false
		case open:
			all[len(all)-1].text += line
		}
	}
	return all
}

// TestAddALanguage follows docs/add-a-language.md: it writes the files that the page
// shows under the names it gives them, and runs its commands in order. In the end there
// is a language that was not there.
func TestAddALanguage(t *testing.T) {
	if testing.Short() {
		t.Skip("the page is followed without -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the page needs Go: ", err)
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("the page is written for a POSIX shell: ", err)
	}
	page, err := os.ReadFile(filepath.Join(repository(t), "docs", "add-a-language.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("SANDBOXD_DATA_DIR", t.TempDir())
	ran, printed := 0, ""
	for _, block := range fences(string(page)) {
		_, name, named := strings.Cut(block.info, " ")
		switch {
		case block.info == "sh in order":
			cmd := exec.CommandContext(t.Context(), shell, "-eu", "-c", block.text)
			cmd.Dir, cmd.Env = dir, childEnv(t)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, block.text, out)
			}
			ran, printed = ran+1, string(out)
		case block.info == "text prints":
			if diff := cmp.Diff(block.text, printed); diff != "" {
				t.Error(diff)
			}
		case named:
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(block.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if ran != 4 {
		t.Errorf("ran %d blocks of commands", ran)
	}
}

// TestRuntimeExamples checks what the README of examples/runtimes shows.
func TestRuntimeExamples(t *testing.T) {
	t.Setenv("SANDBOXD_DATA_DIR", t.TempDir())
	dir := filepath.Join(repository(t), "examples", "runtimes")
	got := ""
	for _, program := range [][]string{{"sqlite/primes.sql"}, {"php/words.php", "--", "the", "more", "the", "merrier"}} {
		name, _, _ := strings.Cut(program[0], "/")
		if _, stderr, code := sandboxd(t, dir, "", "runtimes", "add", name); code != 0 {
			t.Fatal(stderr)
		}
		stdout, stderr, code := sandboxd(t, dir, "", append([]string{"run"}, program...)...)
		if code != 0 || stderr != "" {
			t.Fatalf("exit code %d, standard error %q", code, stderr)
		}
		got += stdout
	}
	if diff := cmp.Diff(printed(t, "runtimes"), got); diff != "" {
		t.Errorf("the README shows something else:\n%s", diff)
	}
}
