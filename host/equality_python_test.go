package host

import (
	"strings"
	"testing"
)

// result runs a program from the snapshot and returns all that is said of it.
func (e *equality) result(t *testing.T, r *Request) *Result {
	t.Helper()
	if r.Workspace == "" {
		r.Workspace = workspaceOf(t)
	}
	c, err := e.host.newCall(e.fast, &e.profile, r)
	if err != nil {
		t.Fatal(err)
	}
	return c.execute(t.Context(), func() {}, func() {})
}

func TestInstancesDrawDifferentRandomness(t *testing.T) {
	e := newEquality(t)
	sources := []string{
		"random.random()", "random.randbytes(8).hex()", "random.gauss(0, 1)", "random.Random().random()",
		"random.SystemRandom().random()", "os.urandom(8).hex()", "uuid.uuid1()", "uuid.uuid4()", "uuid.getnode()",
		"secrets.token_hex(8)", "secrets.randbelow(1 << 64)", "os.path.basename(tempfile.mktemp())",
	}
	code := "import os, random, secrets, tempfile, uuid\n"
	for _, s := range sources {
		code += "print(" + s + ")\n"
	}
	seen := map[string]int{}
	for range 5 {
		r := e.result(t, &Request{Code: []byte(code)})
		lines := strings.Fields(r.Stdout)
		if len(lines) != len(sources) {
			t.Fatalf("got %+v", r)
		}
		for i, line := range lines {
			if before, drawn := seen[line]; drawn {
				t.Errorf("%s gave %s, as %s did", sources[i], line, sources[before])
			}
			seen[line] = i
		}
	}
}

func TestInstancesHashAlike(t *testing.T) {
	e := newEquality(t)
	const code = "print(hash('text'), hash(b'bytes'), list({'one', 'two', 'three', 'four'}))"
	first, second := e.result(t, &Request{Code: []byte(code)}), e.result(t, &Request{Code: []byte(code)})
	if first.Stdout != second.Stdout || first.FuelConsumed != second.FuelConsumed {
		t.Errorf("got %q with %d, then %q with %d", first.Stdout, first.FuelConsumed, second.Stdout, second.FuelConsumed)
	}
}

// TestProcessTimeGoesForward is about a clock that Python's own build has wrong.
func TestProcessTimeGoesForward(t *testing.T) {
	e := newEquality(t)
	const code = "import time\na = time.process_time()\nsum(range(100_000))\nb = time.process_time_ns() / 1e9\nprint(0 < b - a < 60)"
	if r := e.result(t, &Request{Code: []byte(code)}); r.Stdout != "True\n" {
		t.Errorf("got %q, %q", r.Stdout, r.Stderr)
	}
}

func TestErrorsNameTheLineOfTheProgram(t *testing.T) {
	e := newEquality(t)
	tests := []struct {
		name, code, kind, message string
		line                      int
	}{
		{"at the top", "\n\n1/0", "ZeroDivisionError", "division by zero", 3},
		{"the innermost line of the program", "def f():\n    return [][1]\n\nf()", "IndexError", "list index out of range", 2},
		{"in the library: where the program called it", "import json\n\njson.loads('{')", "json.decoder.JSONDecodeError", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)", 3},
		{"in a module beside the program: where it was called", "import helper\n\n\nhelper.fail(2)", "ZeroDivisionError", "division by zero", 4},
		{"a module that does not compile: where it is imported", "x = 1\nimport broken", "SyntaxError", "'(' was never closed (broken.py, line 2)", 2},
		{"a module that does not exist", "\nimport no.such", "ModuleNotFoundError", "No module named 'no'", 2},
		{"syntax", "x = 1\ny = (", "SyntaxError", "'(' was never closed (prog.py, line 2)", 2},
		{"syntax that the parser accepts", "x = 1\n\nreturn x", "SyntaxError", "'return' outside function (prog.py, line 3)", 3},
		{"indentation", "if 1:\nx", "IndentationError", "expected an indented block after 'if' statement on line 1 (prog.py, line 2)", 2},
		{"syntax of text that the program evaluates", "\n\neval('1 +')", "SyntaxError", "invalid syntax (<string>, line 1)", 3},
		{"in text that the program executes", "\nexec(compile('\\n\\n1/0', 'made', 'exec'))", "ZeroDivisionError", "division by zero", 2},
		{"a class of the program", "class Bad(Exception): pass\nraise Bad('x')", "Bad", "x", 2},
		{"a class inside another", "class A:\n    class B(Exception): pass\nraise A.B", "A.B", "", 3},
		{"a class of the library", "import queue\nqueue.Queue().get(False)", "_queue.Empty", "", 2},
		{"no Exception", "class Own(BaseException): pass\nraise Own(1, 2)", "Own", "(1, 2)", 2},
		{"the last of a chain", "try:\n    1/0\nexcept Exception as e:\n    raise KeyError('k') from e", "KeyError", "'k'", 4},
		{"a group", "\nraise ExceptionGroup('g', [ValueError(1), TypeError()])", "ExceptionGroup", "g (2 sub-exceptions)", 2},
		{"one without text", "class E(Exception):\n    def __str__(self): 1/0\nraise E", "E", "", 3},
		{"text of several lines", "raise ValueError('a\\nb \\u00e9 \\U0001f600')", "ValueError", "a\nb \u00e9 \U0001f600", 1},
		{"half a surrogate pair", "raise ValueError('\\udc80')", "ValueError", "\ufffd", 1},
		{"a long text", "raise ValueError('x' * 10_000)", "ValueError", strings.Repeat("x", 4096), 1},
		{"a statement of several lines", "f = lambda: [\n    1,\n    1 / 0,\n]\nf()", "ZeroDivisionError", "division by zero", 3},
		{"an assertion", "x = 1\nassert x == 2, 'not two'", "AssertionError", "not two", 2},
		{"recursion without end", "def f():\n    f()\nf()", "RecursionError", "maximum recursion depth exceeded", 2},
		{"an interrupt", "\nraise KeyboardInterrupt", "KeyboardInterrupt", "", 2},
		{"the end of the input", "\ninput()", "EOFError", "EOF when reading a line", 2},
		{"leaving with a message", "import sys\nsys.exit('bye')", "SystemExit", "bye", 2},
		{"leaving with a number", "import sys\nsys.exit(3)", "exit", "the program ended with exit code 3", 0},
		{"leaving at once", "import os\nos._exit(3)", "exit", "the program ended with exit code 3", 0},
		{"with a hook of the program's", "import sys\nsys.excepthook = print\n[].pop()", "IndexError", "pop from empty list", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := e.result(t, &Request{Code: []byte(tt.code), Filename: "prog.py"})
			if r.Error == nil || r.Error.Type != tt.kind || r.Error.Message != tt.message || r.Error.Line != tt.line {
				t.Errorf("got %+v, want %s, %q, line %d", r.Error, tt.kind, tt.message, tt.line)
			}
		})
	}
}

// TestRecursionBeyondTheLimit is about programs that lift Python's own guard:
// whatever happens to them, it happens to them alone.
func TestRecursionBeyondTheLimit(t *testing.T) {
	e := newEquality(t)
	e.profile.Fuel, e.profile.Memory = 200_000_000, 32<<20
	const lift = "import sys\nsys.setrecursionlimit(10**9)\n"
	for name, code := range map[string]string{
		"functions":    "def f(): f()\nf()",
		"repr":         "class A:\n    def __repr__(self): return repr(self)\nrepr(A())",
		"attributes":   "class A:\n    def __getattr__(self, n): return getattr(self, n + 'x')\nA().x",
		"sorting keys": "f = lambda: sorted([1], key=lambda _: f())\nf()",
		"finalizers":   "class A:\n    def __init__(self): self.me = self\n    def __del__(self): A(); import gc; gc.collect()\nA(); import gc; gc.collect()",
		"parser":       "eval('(' * 10000)",
		"compiler":     "compile('a' + '.a' * 20000, '', 'eval')",
	} {
		t.Run(name, func(t *testing.T) {
			switch r := e.result(t, &Request{Code: []byte(lift + code)}); r.Status {
			case StatusOK, StatusError, StatusOutOfFuel, StatusOutOfMemory:
			case StatusTimeout, StatusCanceled, StatusDiskQuota, StatusOutputLimit, StatusInternal:
				t.Errorf("got %s: %+v", r.Status, r.Error)
			}
			if r := e.result(t, &Request{Code: []byte("print('unharmed')")}); r.Stdout != "unharmed\n" {
				t.Errorf("the next call gave %+v", r)
			}
		})
	}
}
