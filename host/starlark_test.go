package host_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

func starlark(code string) host.Request {
	return host.Request{Language: "starlark", Code: []byte(code), Profile: "free", Filename: "main.star"}
}

func TestStarlark(t *testing.T) {
	h := shared(t)
	workspace := t.TempDir()
	for name, text := range map[string]string{
		"lib.star":    "def double(x):\n    return 2 * x\n\ndef fail_here():\n    return 1 // 0\n",
		"self.star":   `load("self.star", "x")` + "\nx = 1\n",
		"broken.star": "x = (\n",
	} {
		if err := os.WriteFile(filepath.Join(workspace, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	failed := func(kind, message string, line int) *host.GuestError {
		return &host.GuestError{Type: kind, Message: message, Line: line, Guidance: []string{}}
	}
	tests := []struct {
		name, code string
		exit       int
		stdout     string
		fault      *host.GuestError
		created    []string
	}{
		{name: "a greeting", code: `print("hi", 3 if False else 8, [x for x in range(3)])`, stdout: "hi 8 [0, 1, 2]\n"},
		{name: "nothing", code: ""},
		{name: "arguments, environment and input", code: `print(args, env["COLOUR"], read().strip(), read() == "")`, stdout: `["a", "é"] blue input True` + "\n"},
		{name: "json, math and time", code: `print(json.decode('{"a": [1, 2.5]}')["a"], math.sqrt(16.0), time.parse_duration("90s"), time.now().year > 2000)`, stdout: "[1, 2.5] 4.0 1m30s True\n"},
		{name: "loops, sets and globals that change", code: "n = 0\nwhile n < 3:\n    n += 1\nfor i in set([1, 1, 2]):\n    n += i\nprint(n)", stdout: "6\n"},
		{name: "recursion", code: "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(15))", stdout: "610\n"},
		{name: "a file of the workspace", code: `load("lib.star", d="double")` + "\nprint(d(21))", stdout: "42\n"},
		{name: "a file written and read", code: "write_file(\"out.txt\", \"text\")\nprint(read_file(\"/app/out.txt\"))", stdout: "text\n", created: []string{"/app/out.txt"}},
		{name: "an exit code", code: "print(1)\nexit(7)\nprint(2)", exit: 7, stdout: "1\n", fault: failed("exit", "the program ended with exit code 7", 0)},
		{name: "an exit that is a success", code: "exit()\nprint(2)"},
		{name: "an error in a file that was loaded", code: "load(\"lib.star\", \"fail_here\")\n\nfail_here()", exit: 1, fault: failed("Error", "floored division by zero", 3)},
		{name: "a failure", code: "\nfail(\"no\", 1)", exit: 1, fault: failed("Error", "fail: no 1", 2)},
		{name: "broken syntax", code: "x = 1\ny = (", exit: 1, fault: failed("SyntaxError", "got end of file, want primary expression", 2)},
		{name: "an unknown name", code: "print(1)\nprint(nope)", exit: 1, fault: failed("SyntaxError", "undefined: nope", 2)},
		{name: "recursion without end", code: "def f(n):\n    return 1 + f(n)\nf(0)", exit: 1, fault: failed("Error", "Starlark computation cancelled: calls are nested more than 1000 deep", 1)},
		{name: "a file that loads itself", code: `load("self.star", "x")`, exit: 1, fault: failed("Error", "cannot load self.star: cannot load self.star: self.star loads itself", 1)},
		{name: "a broken file", code: "\n" + `load("broken.star", "x")`, exit: 1, fault: failed("Error", "cannot load broken.star: broken.star:2:1: got end of file, want primary expression", 2)},
		{name: "a host file", code: `read_file("/etc/passwd")`, exit: 1, fault: failed("Error", "open /etc/passwd: No such file or directory", 1)},
		{name: "a host file by a way up", code: `load("../../../etc/passwd", "x")`, exit: 1, fault: failed("Error", "cannot load ../../../etc/passwd: open /etc/passwd: No such file or directory", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := starlark(tt.code)
			r.Args, r.Env, r.Stdin, r.Workspace = []string{"a", "é"}, map[string]string{"COLOUR": "blue"}, strings.NewReader("input\n"), workspace
			got := execute(t, h, r)
			status := host.StatusOK
			if tt.exit != 0 {
				status = host.StatusError
			}
			checkStatus(t, got, status, tt.exit)
			if diff := cmp.Diff(tt.fault, unadvised(t, got.Error)); diff != "" || got.Stdout != tt.stdout {
				t.Errorf("stdout %q, stderr %q, error %s", got.Stdout, got.Stderr, diff)
			}
			if created := paths(got.FilesCreated); !slices.Equal(created, tt.created) {
				t.Errorf("created %q", created)
			}
		})
	}
}

func TestStarlarkIsLimited(t *testing.T) {
	h := shared(t)
	disk := policies.Bytes(1000)
	tests := []struct {
		name, code string
		o          policies.Overrides
		status     host.Status
	}{
		{"fuel", "while True: pass", fuel(100_000_000), host.StatusOutOfFuel},
		{"time", "while True: pass", timeout(30 * time.Millisecond), host.StatusTimeout},
		{"memory", "l = []\nwhile True:\n    l.append(str(len(l)) * 100000)", memory(24 << 20), host.StatusOutOfMemory},
		{"memory at once", "x = 'x' * (1 << 28)", memory(24 << 20), host.StatusOutOfMemory},
		{"disk", "write_file('f', 'x' * 100000)", policies.Overrides{DiskQuota: &disk}, host.StatusDiskQuota},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := starlark(tt.code)
			r.Overrides = tt.o
			if got := execute(t, h, r); got.Status != tt.status {
				t.Errorf("got %+v, error %+v", got, got.Error)
			}
		})
	}
}

func TestStarlarkStartsFromASnapshotAndSpendsTheSameFuelEveryTime(t *testing.T) {
	h := shared(t)
	code := "d = {str(i): i for i in range(1000)}\nprint(len(json.encode(d)))"
	want := execute(t, h, starlark(code))
	for range 10 {
		if got := execute(t, h, starlark(code)); got.FuelConsumed != want.FuelConsumed || got.Stdout != want.Stdout {
			t.Errorf("%d %q, before %d %q", got.FuelConsumed, got.Stdout, want.FuelConsumed, want.Stdout)
		}
	}
	// Starting Go and the interpreter takes more than this.
	if got := execute(t, h, starlark("")); got.FuelConsumed > 3_000_000 {
		t.Errorf("the empty program took %d: it was not started from a snapshot", got.FuelConsumed)
	}
}
