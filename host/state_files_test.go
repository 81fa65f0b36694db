package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// TestOpenFilesAreClosedWithTheCall: what was written is in the file, and the object
// says that it is closed.
func TestOpenFilesAreClosedWithTheCall(t *testing.T) {
	s := newSession(t)
	s.request.Workspace = t.TempDir()
	got := s.turn(t, `
import os, io
a, b, c = open("a", "w"), open("b", "wb"), open("c", "w+b", buffering=0)
a.write("not flushed")
b.write(b"nor this")
c.write(b"raw")
memory = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
memory.write("stays open")
loose, shut, empty = io.TextIOWrapper(io.BytesIO()), open("shut", "w"), io.TextIOWrapper.__new__(io.TextIOWrapper)
loose.detach()
shut.close()
class Odd(io.BufferedWriter):
    closed = property(lambda self: 1 / 0)
odd = Odd(io.FileIO("odd", "w"))
odd.write(b"of a class of one's own")
both = [a, b, c, {"again": a}]
print("written")`)
	if got != "written\n" {
		t.Errorf("got %q", got)
	}
	for name, want := range map[string]string{"a": "not flushed", "b": "nor this", "c": "raw", "odd": "of a class of one's own"} {
		text, err := os.ReadFile(filepath.Join(s.request.Workspace, name))
		if err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	got = s.turn(t, `
new = open("secret", "w+")
new.write("of the next call")
new.seek(0)
for f in a, b, c:
    assert f.closed
    for use in f.flush, f.tell, f.truncate, lambda: f.seek(0), f.fileno:
        try:
            use()
            print("used", f)
        except ValueError as e:
            assert "closed" in str(e), e
    f.close()
memory.write("!")
memory.seek(0)
print(new.read(), memory.read())
del a, b, c, both, f, use
import gc
gc.collect()
new.seek(0)
print(new.read())`)
	if want := "of the next call stays open!\nof the next call\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAFileThatCannotBeWrittenIsSaid leaves a file open for which there is no room.
func TestAFileThatCannotBeWrittenIsSaid(t *testing.T) {
	s := newSession(t)
	small := policies.Bytes(1000)
	s.request.Overrides.DiskQuota = &small
	r := s.try(t, "f = open('f', 'w', buffering=100_000)\nf.write('x' * 50_000)")
	if r.Status != host.StatusOK || r.State == nil || !strings.Contains(r.Stderr, "Exception ignored") || !strings.Contains(r.Stderr, "OSError") {
		t.Errorf("%s, %q, %s", r.Status, r.StateError, r.Stderr)
	}
	s.turn(t, "assert f.closed")
}

// TestDescriptorsOfAnEarlierCallNameNoOtherFile is about descriptors that no Python
// file closes: numbers, and those inside of the library.
func TestDescriptorsOfAnEarlierCallNameNoOtherFile(t *testing.T) {
	s := newSession(t)
	s.request.Workspace = t.TempDir()
	s.turn(t, `
import os, sqlite3
for name in "abcd":
    with open(name, "w") as f: f.write(name * 100)
one = os.open("a", os.O_RDWR)
python = open("b")
entries = os.scandir(".")
next(entries)
db = sqlite3.connect("data.db")
db.execute("create table t (x)")
db.commit()
db.execute("begin exclusive")
highest = os.open("d", os.O_RDONLY)`)
	got := s.turn(t, `
opened = {n: open(f"new {n}", "w+") for n in range(20)}
numbers = [f.fileno() for f in opened.values()]
assert one not in numbers and highest not in numbers and python.closed, (one, highest, numbers)
def fails(f, *a):
    try:
        print("it did not fail:", f(*a))
    except OSError as e:
        return e.errno
print([fails(*use) for use in ((os.read, one, 10), (os.write, one, b"x"), (os.read, highest, 1))])
try:
    print(len(list(entries)))
except OSError as e:
    print("scandir", e.errno)
try:
    db.execute("insert into t values (1)")
    db.commit()
    print("written")
except sqlite3.OperationalError as e:
    print(e)
for n, f in opened.items():
    f.write(f"{n}")
os.close(one)
del entries, db
import gc
gc.collect()
for n, f in opened.items():
    f.seek(0)
    assert f.read() == f"{n}"
with open("a") as f: assert f.read() == "a" * 100
`)
	t.Log(got)
	for _, wrong := range []string{"it did not fail", "written", "None"} {
		if strings.Contains(got, wrong) {
			t.Errorf("%q in %s", wrong, got)
		}
	}
	for n := range 3 {
		if got := s.turn(t, "more = [open(f'again {n}', 'w+') for n in range(20)]\nprint(fails(os.read, highest, 1))"); got == "None\n" {
			t.Errorf("call %d: got %q", n, got)
		}
	}
}

// TestLeakedDescriptorsAreCounted leaves more and more descriptors open.
func TestLeakedDescriptorsAreCounted(t *testing.T) {
	s := newSession(t)
	s.request.Workspace = t.TempDir()
	s.turn(t, "import os\nopen('f', 'w').close()\nall = []\ndef leak(n):\n    for _ in range(n): all.append(os.open('f', os.O_RDONLY))")
	s.turn(t, "leak(10)")
	s.turn(t, "leak(10)\nprint(len(all))")
	r := s.try(t, "leak(10)\nprint(len(all))")
	if r.Status != host.StatusOK || r.Stdout != "30\n" || !strings.Contains(r.StateError, "disk.open_files") {
		t.Errorf("%s, %q, %q", r.Status, r.Stdout, r.StateError)
	}
	if got := s.turn(t, "print(len(all))"); got != "20\n" {
		t.Errorf("got %q", got)
	}
}

// TestAProgramThatMeddlesHarmsItself has programs take apart what keeps a session. A
// session may be lost by it; the host gets by, and other calls see nothing.
func TestAProgramThatMeddlesHarmsItself(t *testing.T) {
	for name, code := range map[string]string{
		"forged farewells":      "import posix\nfor _ in range(5):\n    d = posix.open('/.sandboxd/farewell', posix.O_WRONLY)\n    try: posix.write(d, b'{\"exit\": 9, \"random\": [1, 2, 4294967295]}')\n    except OSError: pass",
		"a farewell too long":   "import posix\nd = posix.open('/.sandboxd/farewell', posix.O_WRONLY)\nfor _ in range(3):\n    try: posix.write(d, b'x' * 2_000_000)\n    except OSError: pass\nposix.close(d)",
		"no posix.open":         "import posix\ndel posix.open",
		"a posix.write that":    "import posix\nposix.write = lambda *a: 0",
		"no main":               "import sys\ndel sys.modules['__main__']\nglobals().clear()",
		"the guest's module":    "import sys, gc\nfor m in gc.get_objects():\n    pass\nsys.stdin.__init__.__self__.detach()",
		"generators by address": "import random, gc\nfor r in random._inst, random.Random():\n    del r.gauss_next\nrandom.Random.gauss_next = property(lambda s: 1/0, lambda s, v: 1/0)\nx = random.Random()" + "\nfor n in range(20_000): random.Random()",
		"many generators":       "import random\nall = [random.Random() for _ in range(12_000)]",
		"a cleared linecache":   "import linecache\nlinecache.cache.clear()\nlinecache.cache['<turn 2>'] = 5",
		"a broken linecache":    "import linecache\nlinecache.cache = None",
		"an odd environment":    "import os\nos.environ._data = None",
		"no streams":            "import sys\ndel sys.stdin, sys.stdout, sys.stderr",
		"a trace function":      "import sys\nsys.settrace(lambda *a: None)",
		"a profile function":    "import sys\nsys.setprofile(lambda *a: None)",
		"a flush that loops":    "import io\nclass F(io.FileIO):\n    def flush(self): print('flush')\nf = F('x', 'w')",
		"a closed root":         "import os\nos.close(3)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			s.request.Workspace = t.TempDir()
			s.turn(t, "x = 1")
			for _, code := range []string{code, "print(x)", "y = 2"} {
				r := s.try(t, code)
				if r.Status == host.StatusInternal || r.Status == host.StatusTimeout {
					t.Errorf("%s: %+v", r.Status, r.Error)
				}
				t.Logf("%s, exit code %d, %q, state error %q, %.300s", r.Status, r.ExitCode, r.Stdout, r.StateError, r.Stderr)
			}
			if r := execute(t, s.host, python("print('hi')")); r.Stdout != "hi\n" {
				t.Errorf("another call: %+v", r)
			}
		})
	}
}
