package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

func TestRequestsThatAreRefused(t *testing.T) {
	h := shared(t)
	huge := policies.Bytes(1 << 40)
	little := policies.Bytes(1 << 20)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		r     host.Request
		class error
	}{
		{"no language", host.Request{}, runtimes.ErrNotFound},
		{"unknown language", host.Request{Language: "pyhton"}, runtimes.ErrNotFound},
		{"unknown profile", host.Request{Language: "python", Profile: "sTrict"}, policies.ErrNotFound},
		{"a limit that is raised", host.Request{Language: "python", Profile: "strict", Overrides: fuel(1 << 40)}, policies.ErrDenied},
		{"a limit of nothing", host.Request{Language: "python", Overrides: fuel(0)}, policies.ErrInvalid},
		{"a limit beyond all bounds", host.Request{Language: "python", Overrides: memory(huge)}, policies.ErrInvalid},
		{"too little memory for the runtime", host.Request{Language: "python", Overrides: memory(little)}, policies.ErrInvalid},
		{"NUL in an argument", host.Request{Language: "python", Args: []string{"a\x00b"}}, host.ErrInvalid},
		{"NUL in the file name", host.Request{Language: "python", Filename: "a\x00b"}, host.ErrInvalid},
		{"a variable with a bad name", host.Request{Language: "python", Env: map[string]string{"A=B": "x"}}, policies.ErrInvalid},
		{"NUL in a variable", host.Request{Language: "python", Env: map[string]string{"A": "\x00"}}, policies.ErrInvalid},
		{"a program that is too large", host.Request{Language: "python", Code: make([]byte, host.MaxCode+1)}, host.ErrInvalid},
		{"a workspace that is not there", host.Request{Language: "python", Workspace: file + "2"}, host.ErrInvalid},
		{"a workspace that is a file", host.Request{Language: "python", Workspace: file}, host.ErrInvalid},
		{"a mount over the workspace", host.Request{Language: "python", Mounts: []policies.Mount{{Host: filepath.Dir(file), Guest: "/app"}}}, policies.ErrInvalid},
		{"a mount in the host's corner", host.Request{Language: "python", Mounts: []policies.Mount{{Host: filepath.Dir(file), Guest: "/.sandboxd/x"}}}, policies.ErrInvalid},
		{"a mount that is not there", host.Request{Language: "python", Mounts: []policies.Mount{{Host: file + "2", Guest: "/data"}}}, os.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := h.Execute(t.Context(), tt.r)
			if !errors.Is(err, tt.class) || r != nil {
				t.Errorf("got %+v, %v; want %v", r, err, tt.class)
			}
		})
	}
	checkStatus(t, execute(t, h, python("")), host.StatusOK, 0)
}

// TestMissingMountsAreNamed also covers a directory that vanished after the policy
// was read.
func TestMissingMountsAreNamed(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	r := python("")
	r.Profile = "strict"
	r.Mounts = []policies.Mount{{Host: gone, Guest: "/data"}}
	_, err := shared(t).Execute(t.Context(), r)
	if !errors.Is(err, host.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	for _, part := range []string{`profile "strict"`, `key "mounts"`, `"/data"`, gone} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
}

func TestOpenRefusesWhatItCannotHold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"no cache": "", "a cache that is a file": file} {
		if h, err := host.Open(t.Context(), host.Options{CacheDir: dir}); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
	// With it, a guest's output would be this process's own.
	t.Setenv("EXTISM_ENABLE_WASI_OUTPUT", "0")
	if _, err := host.Open(t.Context(), host.Options{CacheDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "EXTISM_ENABLE_WASI_OUTPUT") {
		t.Errorf("got %v", err)
	}
}

func TestRequestsThatAreStrange(t *testing.T) {
	h := shared(t)
	tests := []struct {
		name string
		r    host.Request
		want string
	}{
		{"no program", host.Request{}, ""},
		{"an alias of the language", host.Request{Language: "py", Code: []byte("print(1)")}, "1\n"},
		{"a file name of control characters", host.Request{Filename: "a\n\x1b[2J", Code: []byte("import sys; print(sys.argv)")}, "['a\\n\\x1b[2J']\n"},
		{"a file name that is not UTF-8", host.Request{Filename: "\xff.py", Code: []byte("import sys; print(ascii(sys.argv))")}, "['\\ufffd.py']\n"},
		{"arguments that look like options", host.Request{Args: []string{"-c", "--help", "", "\u00e9"}, Code: []byte("import sys; print(sys.argv)")}, "['-c', '-c', '--help', '', '\u00e9']\n"},
		{"a thousand arguments", host.Request{Args: make([]string, 1000), Code: []byte("import sys; print(len(sys.argv))")}, "1001\n"},
		{"variables that configure the interpreter", host.Request{
			Env:  map[string]string{"PYTHONPATH": "/data", "PYTHONINSPECT": "1", "PYTHONHASHSEED": "7", "HOME": "/root"},
			Code: []byte("import os, sys; print(sorted(os.environ), '/data' in sys.path, sys.flags.inspect)"),
		}, "['HOME', 'LANG', 'PYTHONHASHSEED', 'PYTHONINSPECT', 'PYTHONPATH'] False 0\n"},
		{"a program of a megabyte", host.Request{Code: []byte("#" + strings.Repeat("x", 1<<20) + "\nprint(1)")}, "1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.r.Language == "" {
				tt.r.Language = "python"
			}
			if got := execute(t, h, tt.r); got.Stdout != tt.want || got.Status != host.StatusOK {
				t.Errorf("got %q, %s, stderr %q; want %q", got.Stdout, got.Status, got.Stderr, tt.want)
			}
		})
	}
}

// TestNoProgramIsOurFault gives programs that do not even fit their own memory.
func TestNoProgramIsOurFault(t *testing.T) {
	h := shared(t)
	r := free("", memory(24<<20))
	r.Code = []byte(strings.Repeat("#\n", host.MaxCode/2))
	checkStatus(t, execute(t, h, r), host.StatusOutOfMemory, 137)
	r = free("print(1)", memory(24<<20))
	r.Args = []string{strings.Repeat("x", 64<<20)}
	checkStatus(t, execute(t, h, r), host.StatusOutOfMemory, 137)
}

func TestWorkspacesAndMounts(t *testing.T) {
	h := shared(t)
	work, data := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		filepath.Join(data, "in.txt"): "in", filepath.Join(work, "old.txt"): "old", filepath.Join(work, "dead.txt"): "",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := python(`
import os
open("new.txt", "w").write(open("/data/in.txt").read())
open("old.txt", "a").write("er")
os.remove("dead.txt")
open("brief.txt", "w"); os.remove("brief.txt")
try:
    open("/data/x", "w")
except OSError as e:
    print(type(e).__name__, e.strerror)
`)
	r.Workspace = work
	r.Mounts = []policies.Mount{{Host: data, Guest: "/data"}}
	got := execute(t, h, r)
	if got.Stdout != "OSError Read-only file system\n" {
		t.Errorf("stdout %q, stderr %q", got.Stdout, got.Stderr)
	}
	if !slices.Equal(got.FilesCreated, []host.File{hashed("/app/new.txt", "in")}) ||
		!slices.Equal(got.FilesModified, []host.File{hashed("/app/old.txt", "older")}) ||
		!slices.Equal(got.FilesDeleted, []host.DeletedFile{{Path: "/app/dead.txt"}}) || got.FilesOmitted != 0 {
		t.Errorf("journal: %v %v %v %d", got.FilesCreated, got.FilesModified, got.FilesDeleted, got.FilesOmitted)
	}
	for name, want := range map[string]string{"new.txt": "in", "old.txt": "older"} {
		if b, err := os.ReadFile(filepath.Join(work, name)); string(b) != want {
			t.Errorf("%s holds %q, %v", name, b, err)
		}
	}
	r = python("print(open('new.txt').read())")
	r.Workspace = work
	if got := execute(t, h, r); got.Stdout != "in\n" {
		t.Errorf("the next call sees %q, %s", got.Stdout, got.Stderr)
	}
}

func TestTemporaryWorkspacesAreDeleted(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	h := open(t, host.Options{Policy: policy(t, testPolicy)})
	for name, code := range map[string]string{
		"an end":     "",
		"an error":   "1/0",
		"a trap":     "import os; os.abort()",
		"a limit":    "while True: pass",
		"open files": "f = open('/app/held', 'w'); import os; os._exit(0)",
	} {
		fill := "import os\nos.makedirs('/app/a/b/c')\nfor n in range(20): open(f'/app/a/{n}', 'w').write('x')\nos.utime('/app/a/0')\nprint(len(os.listdir('/app/a')))\n"
		got := execute(t, h, free(fill+code, fuel(60_000_000)))
		if got.Stdout != "21\n" {
			t.Fatalf("%s: %s, %q", name, got.Status, got.Stderr)
		}
		if left, err := filepath.Glob(filepath.Join(temp, "*", "*")); err != nil || len(left) != 0 {
			t.Errorf("after %s: %q are left (%v)", name, left, err)
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("after Close: %q are left (%v)", left, err)
	}
}
