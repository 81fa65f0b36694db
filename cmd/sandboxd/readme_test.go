package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// TestReadme runs what the documentation tells people to type: every block
// fenced as "sh" in README.md, docs and examples, from the root of the
// repository. Those fenced as "sh built" need the Python that is built from source,
// and run where it is installed.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("the commands are run without -short")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("the documentation is written for a POSIX shell: ", err)
	}
	prepare(t)
	root := repository(t)
	built := fromSource(t)
	ran := 0
	for _, file := range documents(t, root) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range shellBlocks(string(text), built) {
			if runsTests(block) {
				continue
			}
			ran++
			t.Run(fmt.Sprintf("%s/%d", strings.TrimPrefix(file, root), i+1), func(t *testing.T) {
				t.Parallel()
				cmd := exec.CommandContext(t.Context(), shell, "-eu", "-c", block)
				cmd.Dir = root
				cmd.Env = childEnv(t)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s\n%s", err, block, out)
				}
			})
		}
	}
	if ran < 5 {
		t.Errorf("found %d blocks of commands in the documentation; something is wrong with the search", ran)
	}
}

// documents are the files whose commands people type.
func documents(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"README.md", "docs/*.md", "examples/*/README.md"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("no file matches %s", pattern)
		}
		all = append(all, files...)
	}
	return all
}

// link is a Markdown link to a file of the repository.
var link = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)

// headings are the anchors of a document's headings.
func headings(markdown string) map[string]bool {
	anchors, fenced := map[string]bool{}, false
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		level, title, found := strings.Cut(strings.TrimSpace(line), " ")
		if fenced || !found || strings.Trim(level, "#") != "" {
			continue
		}
		anchors[strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, title)] = true
	}
	return anchors
}

// TestLinks checks that the documents name files that exist, and headings in them.
func TestLinks(t *testing.T) {
	root := repository(t)
	for _, file := range append(documents(t, root), filepath.Join(root, "CONTRIBUTING.md")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			target := file
			if match[1] != "" {
				target = filepath.Join(filepath.Dir(file), filepath.FromSlash(match[1]))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", strings.TrimPrefix(file, root), match[1])
				continue
			}
			if match[2] == "" {
				continue
			}
			there, err := os.ReadFile(target)
			if err != nil {
				t.Fatal(err)
			}
			if !headings(string(there))[match[2][1:]] {
				t.Errorf("%s links to %s, which has no such heading", strings.TrimPrefix(file, root), match[1]+match[2])
			}
		}
	}
}

// runsTests reports whether block is the command that runs these very tests.
func runsTests(block string) bool { return strings.TrimSpace(block) == "go test -timeout 30m ./..." }

// fromSource reports whether the Python in the cache was built from source.
func fromSource(t *testing.T) bool {
	t.Helper()
	d, store, err := (&app{getenv: os.Getenv}).find("python")
	if err != nil {
		t.Fatal(err)
	}
	return store.Prefer(d).Source.Build != ""
}

// shellBlocks returns the text of every block fenced as "sh" and, if they are
// wanted, as "sh built".
func shellBlocks(markdown string, built bool) []string {
	var blocks []string
	var block strings.Builder
	fence := ""
	for line := range strings.Lines(markdown) {
		text := strings.TrimSpace(line)
		switch {
		case fence == "" && strings.HasPrefix(text, "```"):
			fence = text
		case fence != "" && text == "```":
			if fence == "```sh" || built && fence == "```sh built" {
				blocks = append(blocks, block.String())
			}
			fence = ""
			block.Reset()
		case fence != "":
			block.WriteString(line)
		}
	}
	return blocks
}

func TestShellBlocks(t *testing.T) {
	const text = "a\n```sh\none\ntwo\n```\n```text\nno\n```\n```\n```sh\nfake\n```\n  ```sh\n  three\n  ```\n```sh built\nfour\n```\n"
	for built, want := range map[bool]string{false: "one\ntwo\n|  three\n", true: "one\ntwo\n|  three\n|four\n"} {
		if got := strings.Join(shellBlocks(text, built), "|"); got != want {
			t.Errorf("built %t: got %q, want %q", built, got, want)
		}
	}
}
