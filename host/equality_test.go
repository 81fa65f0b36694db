package host

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/policies"
)

// TestSnapshotStartEqualsPlainStart runs programs from the image and from a plain
// start of the same module, which must tell the same story.
func TestSnapshotStartEqualsPlainStart(t *testing.T) {
	h, snapshot := pythonPlugin(t)
	plain := &plugin{
		definition: snapshot.definition, driver: snapshot.driver, compiled: snapshot.compiled,
		blank: snapshot.blank, minMemory: snapshot.minMemory, log: snapshot.log,
	}
	t.Cleanup(plain.standby.close)
	for _, tt := range equalPrograms {
		t.Run(tt.name, func(t *testing.T) {
			request := Request{
				Code: []byte(tt.code), Filename: tt.file, Args: tt.args,
			}
			var results [2]*Result
			for i, p := range []*plugin{snapshot, plain} {
				r := request
				if tt.stdin != "" {
					r.Stdin = strings.NewReader(tt.stdin)
				}
				results[i] = runOn(t, h, p, tt.env, &r)
			}
			fast, slow := results[0], results[1]
			if slow.Status != StatusOK && slow.Status != StatusError {
				t.Fatalf("the plain start ended as %s: %+v", slow.Status, slow.Error)
			}
			if fast.Stdout != slow.Stdout {
				t.Errorf("stdout\n snapshot: %q\n plain:    %q", fast.Stdout, slow.Stdout)
			}
			if a, b := steady(fast.Stderr), steady(slow.Stderr); a != b {
				t.Errorf("stderr\n snapshot: %q\n plain:    %q", a, b)
			}
			if fast.ExitCode != slow.ExitCode || fast.Status != slow.Status {
				t.Errorf("snapshot: %s, %d; plain: %s, %d", fast.Status, fast.ExitCode, slow.Status, slow.ExitCode)
			}
			if tt.want != "" && !strings.Contains(fast.Stdout+fast.Stderr, tt.want) {
				t.Errorf("output %q does not contain %q", fast.Stdout+fast.Stderr, tt.want)
			}
		})
	}
}

// addresses differ from start to start, and so do the depths of our own frames.
var addresses = regexp.MustCompile(`0x[0-9a-f]+|repeated \d+ more times`)

func steady(text string) string { return addresses.ReplaceAllString(text, "N") }

func pythonPlugin(t *testing.T) (*Host, *plugin) {
	t.Helper()
	cache := os.Getenv("SANDBOXD_CACHE_DIR")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(dir, "sandboxd")
	}
	h, err := Open(t.Context(), Options{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	definition, err := h.registry.Lookup("python")
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.plugin(t.Context(), definition)
	if err != nil {
		t.Fatal(err)
	}
	if p.image == nil {
		t.Fatal("python does not start from a snapshot")
	}
	return h, p
}

func runOn(t *testing.T, h *Host, p *plugin, env map[string]string, r *Request) *Result {
	t.Helper()
	profile := &policies.Profile{
		Name: "test", Fuel: 20_000_000_000, Memory: 64 << 20, Stdout: 1 << 20, Stderr: 1 << 20,
		Timeout: policies.Duration(time.Minute), Env: env, Disk: policies.Disk{Quota: 1 << 20, Files: 100},
	}
	c, err := h.newCall(p, profile, r)
	if err != nil {
		t.Fatal(err)
	}
	return c.execute(t.Context(), func() {})
}

type equalProgram struct {
	name, code string
	file       string
	args       []string
	env        map[string]string
	stdin      string
	want       string // must be in the output, so that equal failures do not pass
}

var equalPrograms = []equalProgram{
	{name: "nothing", code: ""},
	{name: "output without a newline", code: `print("a", end="")`, want: "a"},
	{name: "output of both streams", code: "import sys\nprint(1); print(2, file=sys.stderr); sys.stdout.write('x')", want: "x"},
	{name: "arguments", code: "import sys; print(sys.argv)", file: "prog.py", args: []string{"a", "", "\u00e9 b"}, want: "['prog.py', 'a', '', '\u00e9 b']"},
	{name: "arguments without a file", code: "import sys; print(sys.argv)", want: "['-c']"},
	{name: "the environment is exact", code: "import os; print(sorted(os.environ.items()))", env: map[string]string{"A": "1", "LANG": "x y"}, want: "[('A', '1'), ('LANG', 'x y')]"},
	{name: "no environment", code: "import os; print(dict(os.environ))", want: "{}"},
	{name: "the environment reaches C code", code: "import os, time; time.tzset() if hasattr(time, 'tzset') else None; print(os.getenv('TZ'))", env: map[string]string{"TZ": "UTC"}, want: "UTC"},
	{name: "working directory", code: "import os; print(os.getcwd(), os.listdir('.'))", want: "/app []"},
	{name: "import from the working directory", code: "open('helper.py','w').write('x=41\\ndef f(): return x+1'); import helper; print(helper.f(), helper.__file__)", want: "42 /app/helper.py"},
	{name: "an error in an imported module", code: "open('helper2.py','w').write('def f():\\n    return {}[1]\\n'); import helper2; helper2.f()", file: "main.py", want: "KeyError: 1"},
	{name: "text input", code: "import sys\nprint([l for l in sys.stdin])", stdin: "a\nb\u00e9\r\nc", want: "c"},
	{name: "binary input", code: "import sys\nprint(sys.stdin.buffer.read())", stdin: "a\x00\xff\n", want: `b'a\x00\xff\n'`},
	{name: "input function", code: "print(input('? ') + input())", stdin: "x\ny\n", want: "? xy"},
	{name: "input at its end", code: "input()", want: "EOFError"},
	{name: "exit by number", code: "import sys; sys.exit(3)"},
	{name: "exit by a large number", code: "import sys; sys.exit(300)"},
	{name: "exit by a negative number", code: "import sys; sys.exit(-1)"},
	{name: "exit by text", code: "import sys; sys.exit('bye')", want: "bye"},
	{name: "exit by nothing", code: "raise SystemExit"},
	{name: "exit by an object", code: "raise SystemExit((1, 2))", want: "(1, 2)"},
	{name: "exit at once", code: "import os; print('lost', end=''); os._exit(9)"},
	{name: "exception in nested calls", code: "def f(x):\n    return g(x)\n\ndef g(x):\n    return x / 0\n\nf(1)", file: "deep.py", want: "ZeroDivisionError"},
	{name: "exception without a file", code: "def f():\n    raise ValueError('a\\nb')\nf()", want: "ValueError: a"},
	{name: "chained exceptions", code: "try:\n    1/0\nexcept Exception as e:\n    try:\n        {}['x']\n    except KeyError as k:\n        raise RuntimeError('r') from k", file: "c.py", want: "direct cause"},
	{name: "exception while handling", code: "try:\n    1/0\nexcept Exception:\n    undefined_name", file: "c.py", want: "During handling"},
	{name: "exception group", code: "raise ExceptionGroup('g', [ValueError(1), ExceptionGroup('h', [TypeError(2)])])", file: "c.py", want: "TypeError: 2"},
	{name: "exception with notes", code: "e = ValueError('x'); e.add_note('note'); raise e", want: "note"},
	{name: "exception that cannot be shown", code: "class E(Exception):\n    def __str__(self): 1/0\nraise E()", want: "E"},
	{name: "suggestions", code: "import math\nmath.sqroot", want: "sqrt"},
	{name: "syntax error", code: "x = (1,\ny = 2", file: "s.py", want: "SyntaxError"},
	{name: "indentation error", code: "if 1:\nx", file: "s.py", want: "IndentationError"},
	{name: "NUL in the program", code: "x = 1\x00", file: "s.py", want: "Error"},
	{name: "runaway recursion", code: "def f(): f()\nf()", file: "r.py", want: "RecursionError"},
	{name: "keyboard interrupt", code: "raise KeyboardInterrupt", want: "KeyboardInterrupt"},
	{name: "a hook for exceptions", code: "import sys\nsys.excepthook = lambda t, v, b: print('hook', t.__name__, v)\n1/0", want: "hook ZeroDivisionError"},
	{name: "a hook that fails", code: "import sys\ndef hook(t, v, b): raise TypeError('h')\nsys.excepthook = hook\n1/0", want: "Error in sys.excepthook"},
	{name: "atexit runs last, in reverse", code: "import atexit\natexit.register(print, 1); atexit.register(print, 2); print(0)", want: "0\n2\n1"},
	{name: "atexit after an exception", code: "import atexit\natexit.register(print, 'end'); 1/0", want: "end"},
	{name: "finalizers", code: "class A:\n    def __init__(s, n): s.n = n\n    def __del__(s): print('del', s.n)\na = A('a'); _p = A('p'); c = A('c'); c.c = c; print('end')", want: "del c"},
	{name: "__main__", code: "import __main__, sys\nprint(__name__, __main__.__dict__ is globals(), sys.modules['__main__'] is __main__, __doc__, __package__, __spec__)\nif __name__ == '__main__': print('main')", want: "main"},
	{name: "__file__", code: "print(__file__)", file: "dir/x.py", want: "dir/x.py"},
	{name: "no __file__", code: "print('__file__' in globals())", want: "False"},
	{name: "future imports", code: "'''doc'''\nfrom __future__ import annotations\ndef f(x: undefined): pass\nprint(__doc__, f.__annotations__)", want: "doc"},
	{name: "our own names stay ours", code: "print(sorted(n for n in globals() if not n.startswith('__')))", want: "[]"},
	{name: "coding cookie", code: "# -*- coding: latin-1 -*-\nprint('\xe9')", file: "l.py", want: "\u00e9"},
	{name: "byte order mark", code: "\xef\xbb\xbfprint('bom')", want: "bom"},
	{name: "invalid source", code: "x = '\xff'", file: "l.py", want: "SyntaxError"},
	{name: "carriage returns", code: "x = 1\r\nprint(x)\r\n", want: "1"},
	{name: "encodings", code: "import sys, locale\nprint(sys.stdout.encoding, sys.stdout.errors, sys.stdin.encoding, sys.getfilesystemencoding(), locale.getpreferredencoding(False))", want: "utf-8"},
	{name: "lone surrogates", code: "print('\\udcff')", want: "\uFFFD"},
	{name: "hashes repeat", code: "print(hash('a'), hash(b'b'), {'x', 'y', 'z'})", want: "x"},
	{name: "flags", code: "import sys; print(sys.flags, sys.platform, sys.version)", want: "isolated=1"},
	{name: "threads", code: "import threading\ntry:\n    threading.Thread(target=print).start()\nexcept RuntimeError as e: print(e)", want: "can't start new thread"},
	{name: "subprocesses", code: "import subprocess\ntry:\n    subprocess.run(['ls'])\nexcept OSError as e: print(type(e).__name__, e)", want: "Error"},
	{name: "sleeping", code: "import time; t = time.monotonic(); time.sleep(0.02); print(time.monotonic() - t >= 0.02)", want: "True"},
	{name: "the clock goes on", code: "import time, datetime; print(time.time() > 1.7e9, datetime.datetime.now().year > 2024, time.perf_counter() > 0)", want: "True True True"},
	{name: "stdlib that is preloaded", code: "import json, re, sqlite3, zlib, decimal\nprint(json.dumps({'a': [1, None]}), re.sub('a+', 'b', 'caat'), sqlite3.connect(':memory:').execute('select 1+1').fetchone(), zlib.crc32(b'a'), decimal.Decimal('0.1') * 3)", want: "0.3"},
	{name: "warnings", code: "import warnings\nfor i in range(3): warnings.warn('w%d' % (i > 5))", file: "w.py", want: "w0"},
	{name: "logging", code: "import logging\nlogging.warning('x'); logging.getLogger('a').error('y')", want: "ERROR:a:y"},
	{name: "argparse", code: "import argparse\nargparse.ArgumentParser().parse_args()", file: "p.py", args: []string{"--bad"}, want: "unrecognized arguments"},
	{name: "unittest", code: "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(1, 1)\nimport sys, re, io\nout = io.StringIO()\nunittest.main(exit=False, testRunner=unittest.TextTestRunner(out))\nprint(re.sub(r'in .*s', '', out.getvalue()))", want: "OK"},
	{name: "pickling a class of the program", code: "import pickle\nclass A: x = 1\nprint(pickle.loads(pickle.dumps(A())).x)", want: "1"},
	{name: "the program's source", code: "import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f))", file: "i.py", want: "return 1"},
	{name: "a replaced standard output", code: "import sys, io\nsys.stdout = io.StringIO(); print('hidden'); sys.__stdout__.write('shown')", want: "shown"},
	{name: "a closed standard output", code: "import sys\nsys.stdout.close()"},
	{name: "a large program", code: strings.Repeat("x = [1, 2, 3]\ndef f(a): return a + 1\n", 4000) + "print(f(1))", want: "2"},
	{name: "asynchronous code without a loop", code: "async def f(): return 5\nc = f()\ntry:\n    c.send(None)\nexcept StopIteration as e: print(e.value)", want: "5"},
}

func TestInstancesDrawDifferentRandomness(t *testing.T) {
	h, p := pythonPlugin(t)
	code := "import random, os, uuid, secrets\nprint(random.random(), os.urandom(4).hex(), uuid.uuid4(), secrets.token_hex(4), sep='\\n')"
	seen := map[string]bool{}
	for range 20 {
		r := runOn(t, h, p, nil, &Request{Code: []byte(code)})
		lines := strings.Fields(r.Stdout)
		if len(lines) != 4 {
			t.Fatalf("got %+v", r)
		}
		for _, line := range lines {
			if seen[line] {
				t.Fatalf("%s was drawn twice", line)
			}
			seen[line] = true
		}
	}
}

func TestErrorsNameTheLineOfTheProgram(t *testing.T) {
	h, p := pythonPlugin(t)
	tests := []struct {
		name, code, kind, message string
		line                      int
	}{
		{"at the top", "\n\n1/0", "ZeroDivisionError", "division by zero", 3},
		{"in a function: the innermost line of the program", "def f():\n    return [][1]\n\nf()", "IndexError", "list index out of range", 2},
		{"in the library: where the program called it", "import json\n\njson.loads('{')", "json.decoder.JSONDecodeError", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)", 3},
		{"syntax", "x = 1\ny = (", "SyntaxError", "'(' was never closed (prog.py, line 2)", 2},
		{"a class of the program", "class Bad(Exception): pass\nraise Bad('x')", "Bad", "x", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := runOn(t, h, p, nil, &Request{Code: []byte(tt.code), Filename: "prog.py"})
			if r.Error == nil || r.Error.Type != tt.kind || r.Error.Message != tt.message || r.Error.Line != tt.line {
				t.Errorf("got %+v, want %s, %q, line %d", r.Error, tt.kind, tt.message, tt.line)
			}
		})
	}
}
