package host_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

func TestACallSeesItsOwnWorld(t *testing.T) {
	s := newSession(t)
	s.request.Args, s.request.Env = []string{"one"}, map[string]string{"A": "1"}
	s.request.Stdin = strings.NewReader("first\nsecond\nthird\n")
	got := s.turn(t, `
import os, sys, time
read, stdin = sys.stdin.readline, sys.stdin
os.environ["B"] = "2"
mine = sys.argv
before = time.time(), time.monotonic(), time.perf_counter()
print(sys.argv, os.environ.get("A"), input(), __name__, "__file__" in globals())`)
	if want := "['-c', 'one'] 1 first __main__ False\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.request.Args, s.request.Env = []string{"two"}, map[string]string{"C": "3"}
	s.request.Stdin = strings.NewReader("new\ninput\n")
	s.request.Filename = "program.py"
	got = s.turn(t, `
now = time.time(), time.monotonic(), time.perf_counter()
assert all(a < b < a + 60 for a, b in zip(before, now)), (before, now)
print(sys.argv, mine, [os.environ.get(n) for n in "ABC"], input(), read(), repr(read()), stdin is sys.stdin is sys.__stdin__, __file__)`)
	if want := "['program.py', 'two'] ['-c', 'one'] [None, None, '3'] new input\n '' True program.py\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.request.Stdin, s.request.Filename = nil, ""
	if got = s.turn(t, "print(repr(sys.stdin.read()), '__file__' in globals())"); got != "'' False\n" {
		t.Errorf("got %q", got)
	}
}

func TestClosedStandardStreamsAreThereInTheNextCall(t *testing.T) {
	s := newSession(t)
	s.turn(t, "import sys\nsys.stdin.close()\nsys.stdout.close()\nsys.stderr.close()")
	s.request.Stdin = strings.NewReader("text")
	if got := s.turn(t, "print(sys.stdin.read())"); got != "text\n" {
		t.Errorf("got %q", got)
	}
	const describe = "print([(s.name, s.mode, s.encoding, s.errors, s.newlines, s.line_buffering, s.write_through, s.closed) for s in (sys.stdin, sys.stdout, sys.stderr)])"
	if got, want := s.turn(t, describe), newSession(t).turn(t, "import sys\n"+describe); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.turn(t, "stdin = sys.stdin.detach()\nimport os\nos.close(1)")
	s.request.Stdin = strings.NewReader("text")
	if got := s.turn(t, "print(sys.stdin.read())"); got != "text\n" {
		t.Errorf("got %q", got)
	}
}

func TestOutputDoesNotWaitForTheNextCall(t *testing.T) {
	s := newSession(t)
	if got := s.turn(t, "import sys, io\nsys.stdout.write('no line')\nout, sys.stdout = sys.stdout, io.StringIO()"); got != "no line" {
		t.Errorf("got %q", got)
	}
	if got := s.turn(t, "sys.stdout = out"); got != "" {
		t.Errorf("the next call printed %q", got)
	}
}

func TestTracebacksShowEarlierCalls(t *testing.T) {
	s := newSession(t)
	s.turn(t, "def f(n):\n    return 1 / n  # of the first\n")
	s.request.Filename = "second.py"
	s.turn(t, "def g(n):\n    return f(n)  # of the second\n")
	s.turn(t, "def h(n):\n    return g(n)  # of the third, which has the name of the second\n")
	s.request.Filename = "<cell 4>"
	r := s.try(t, "x = 1\nh(0)")
	for _, want := range []string{
		`File "<cell 4>", line 2, in <module>`, "    h(0)\n",
		`File "second.py (turn 3)", line 2, in h`, "# of the third",
		`File "second.py", line 2, in g`, "# of the second",
		`File "<turn 1>", line 2, in f`, "# of the first",
	} {
		if !strings.Contains(r.Stderr, want) {
			t.Errorf("no %q in:\n%s", want, r.Stderr)
		}
	}
	if r.Status != host.StatusError || r.Error.Type != "ZeroDivisionError" || r.Error.Line != 2 || r.State == nil {
		t.Errorf("%s, %+v, %q", r.Status, r.Error, r.StateError)
	}
	s.request.Filename = ""
	r = s.try(t, "import sys\nassert type(sys.last_exc) is ZeroDivisionError\nif x == 1 print(x)")
	if r.Error == nil || r.Error.Type != "SyntaxError" || r.Error.Line != 3 || !strings.Contains(r.Stderr, "if x == 1 print(x)") {
		t.Errorf("got %+v\n%s", r.Error, r.Stderr)
	}
}

func TestTextsOfEarlierCallsAreBounded(t *testing.T) {
	s := newSession(t)
	for n := range 12 {
		s.turn(t, fmt.Sprintf("def f%d(): 1 / 0\n# %s", n, strings.Repeat("x", 200_000)))
	}
	got := s.turn(t, `
import linecache
print(sum(len(e.program) for e in linecache.cache.values() if type(e) is not tuple) // 100_000)
print(repr(linecache.getline("<turn 1>", 1)), repr(linecache.getline("<turn 12>", 1)))`)
	if want := "10\n'' 'def f11(): 1 / 0\\n'\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// turnEnd is how a call ends in which x became 2, and whether that is kept.
type turnEnd struct {
	name    string
	code    string
	status  host.Status
	exit    int
	kept    bool
	profile string
}

// check runs a session in which first makes x 1, the call of e follows under the limits
// of o, and show prints x.
func (e turnEnd) check(t *testing.T, s *session, first, show string, o policies.Overrides) {
	t.Helper()
	s.request.Profile = e.profile
	s.turn(t, first)
	if e.profile == "free" {
		s.request.Overrides = o
	}
	before := s.state
	r := s.try(t, e.code)
	if r.Status != e.status || r.ExitCode != e.exit {
		t.Errorf("%s, exit code %d; want %s, %d\n%s", r.Status, r.ExitCode, e.status, e.exit, r.Stderr)
	}
	if kept := r.State != nil; kept != e.kept || kept != (r.StateError == "") {
		t.Fatalf("%d bytes of state, error %q", len(r.State), r.StateError)
	}
	if e.kept == bytes.Equal(before, s.state) {
		t.Error("which state is the session's is wrong")
	}
	want := "1\n"
	if e.kept && strings.Contains(e.code, "x = 2") {
		want = "2\n"
	}
	s.request.Overrides = policies.Overrides{}
	if got := s.turn(t, show); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHowACallEndsDecidesWhatIsKept(t *testing.T) {
	small, fuel := policies.Bytes(24<<20), uint64(50_000_000)
	timeout := policies.Duration(300 * time.Millisecond)
	tests := []turnEnd{
		{"an end", "x = 2", host.StatusOK, 0, true, "free"},
		{"an exception", "x = 2\n1/0", host.StatusError, 1, true, "free"},
		{"a syntax error", "x = ", host.StatusError, 1, true, "free"},
		{"sys.exit", "import sys\nx = 2\nsys.exit(3)", host.StatusError, 3, true, "free"},
		{"sys.exit(0)", "import sys\nx = 2\nsys.exit()", host.StatusOK, 0, true, "free"},
		{"sys.exit with text", "import sys\nx = 2\nsys.exit('no')", host.StatusError, 1, true, "free"},
		{"KeyboardInterrupt", "x = 2\nraise KeyboardInterrupt", host.StatusError, 130, true, "free"},
		{"too deep a recursion", "x = 2\ndef f(): f()\nf()", host.StatusError, 1, true, "free"},
		{"MemoryError", "x = 2\ny = bytearray(1 << 30)", host.StatusOutOfMemory, 137, true, "free"},
		{"memory used up", "x = 2\na = []\nwhile True: a.append(bytearray(100_000))", host.StatusOutOfMemory, 137, true, "free"},
		{"too much output", "x = 2\nwhile True: print('x' * 10_000)", host.StatusOutputLimit, 137, false, "stop"},
		{"output that is lost", "x = 2\nimport sys\nclass S:\n    def flush(self): 1/0\n    def write(self, t): pass\nsys.stdout = S()", host.StatusError, 120, true, "free"},
		{"os._exit", "import os\nx = 2\nos._exit(0)", host.StatusOK, 0, false, "free"},
		{"os._exit with a code", "import os\nx = 2\nos._exit(4)", host.StatusError, 4, false, "free"},
		{"a trap", "import os\nx = 2\nos.abort()", host.StatusError, 134, false, "free"},
		{"no fuel", "x = 2\nwhile True: pass", host.StatusOutOfFuel, 137, false, "free"},
		{"no time", "import time\nx = 2\ntime.sleep(100)", host.StatusTimeout, 124, false, "free"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			limits := policies.Overrides{Memory: &small, Fuel: &fuel}
			if tt.status == host.StatusTimeout {
				limits.Timeout = &timeout
			}
			tt.check(t, newSession(t), "x = 1", "import sys\nsys.stdout = sys.__stdout__\nprint(x)", limits)
		})
	}
}

func TestACancelledCallKeepsNothing(t *testing.T) {
	s := newSession(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := s.request
	r.Code = []byte("print('on my way', flush=True)\nwhile True: pass")
	r.Stdout = output(func(p []byte) (int, error) { cancel(); return len(p), nil })
	result, err := s.host.Execute(ctx, r)
	if err != nil || result.Status != host.StatusCanceled || result.State != nil || result.StateError == "" {
		t.Fatalf("%+v, %v", result, err)
	}
}

type output func([]byte) (int, error)

func (f output) Write(p []byte) (int, error) { return f(p) }

// TestTheLastCallEndsLikeAProgram: what waits for the interpreter's end happens in the
// call that does not keep it, and in none before.
func TestTheLastCallEndsLikeAProgram(t *testing.T) {
	s := newSession(t)
	got := s.turn(t, `
import atexit, weakref, logging
class A:
    def __del__(self): print("gone")
a = A()
f = weakref.finalize(a, print, "finalized")
atexit.register(print, "at exit")`)
	got += s.turn(t, "x = 1")
	if got != "" {
		t.Errorf("before the end: %q", got)
	}
	s.request.KeepState = false
	r := s.try(t, "print(x)\nimport sys\nsys.exit(5)")
	if want := "1\nat exit\nfinalized\ngone\n"; r.Stdout != want || r.ExitCode != 5 || r.State != nil || r.StateError != "" {
		t.Errorf("got %q, exit code %d, %d bytes of state, %q", r.Stdout, r.ExitCode, len(r.State), r.StateError)
	}
}

func TestAForkGoesItsOwnWay(t *testing.T) {
	s := newSession(t)
	s.turn(t, `
import random, tempfile, uuid
random.random(), random.gauss(0, 1)
mine, seeded = random.Random(), random.Random(5)
mine.gauss(0, 1)
class Sub(random.Random): pass
sub = Sub()
x = []`)
	const draw = "print([random.random(), random.gauss(0, 1), random.randbytes(8).hex(), mine.random(), mine.gauss(0, 1), sub.random(), str(uuid.uuid4())])"
	const drawSeeded = "x.append(seeded.random())\nprint(len(x), x)"
	var wg sync.WaitGroup
	drawn, repeated := make([]string, 6), make([]string, 6)
	for n := range drawn {
		wg.Go(func() {
			fork := *s
			drawn[n] = fork.turn(t, draw)
			repeated[n] = fork.turn(t, drawSeeded)
		})
	}
	wg.Wait()
	for n := range drawn {
		if repeated[n] != repeated[0] || !strings.HasPrefix(repeated[n], "1 ") {
			t.Errorf("a generator with a seed drew %q and %q", repeated[0], repeated[n])
		}
		for m := range n {
			a, b := strings.Fields(drawn[n]), strings.Fields(drawn[m])
			for i := range a {
				if a[i] == b[i] {
					t.Errorf("two forks drew %s\n%s%s", a[i], drawn[n], drawn[m])
				}
			}
		}
	}
	// A program that seeds the library's own generator means it from then on.
	s.turn(t, "random.seed(9)\nrandom.random()")
	a, b := *s, *s
	if x, y := a.turn(t, "print(random.random())"), b.turn(t, "print(random.random())"); x != y {
		t.Errorf("random has a seed, and drew %q and %q", x, y)
	}
	s.turn(t, "random.seed()")
	a, b = *s, *s
	if x, y := a.turn(t, "print(random.random())"), b.turn(t, "print(random.random())"); x == y {
		t.Errorf("random has no seed any more, and drew %q twice", x)
	}
}

func TestTheSameStateTakesTheSameFuel(t *testing.T) {
	s := newSession(t)
	s.turn(t, "import random\nd = {f'k{n}': n for n in range(1000)}\ndef f(n): return sorted(d)[n]")
	other := open(t, host.Options{Policy: policy(t, testPolicy)})
	const code = "print(f(5), len(d), {f'x{n}' for n in range(50)})\nd = [bytes(n) for n in range(2000)]"
	var want *host.Result
	for n := range 6 {
		fork := *s
		if n >= 3 { // another process's would do as well
			fork.host = other
		}
		r := fork.try(t, code)
		if want == nil {
			want = r
		}
		if r.Status != host.StatusOK || r.FuelConsumed != want.FuelConsumed || r.Stdout != want.Stdout || r.MemoryBytes != want.MemoryBytes {
			t.Errorf("%d fuel, %d bytes, then %d and %d\n%s%s", want.FuelConsumed, want.MemoryBytes, r.FuelConsumed, r.MemoryBytes, want.Stdout, r.Stdout)
		}
		if again := fork.try(t, "print(len(d))"); again.Stdout != "2000\n" {
			t.Errorf("got %q", again.Stdout)
		}
	}
}

// TestSessionsDoNotMeet interleaves sessions, and calls of none, in the same regions
// of memory.
func TestSessionsDoNotMeet(t *testing.T) {
	plain := python("print(sorted(globals()))")
	want := execute(t, shared(t), plain)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			s := newSession(t)
			secret := fmt.Sprintf("secret %d of this session", n)
			s.turn(t, fmt.Sprintf("s%d = [%q] * 3\nbig = bytearray(%d)\nbig[-1] = %d", n, secret, n*3_000_000+100_000, n+1))
			for range 15 {
				got := s.turn(t, fmt.Sprintf("print(s%d, big[-1], [n for n in globals() if n[0] == 's'])", n))
				if want := fmt.Sprintf("['%[1]s', '%[1]s', '%[1]s'] %[2]d ['s%[3]d']\n", secret, n+1, n); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				r, err := s.host.Execute(t.Context(), plain)
				if err != nil || r.Stdout != want.Stdout || r.FuelConsumed != want.FuelConsumed || r.MemoryBytes != want.MemoryBytes {
					t.Errorf("a call of no session: %+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestWhatIsNoStateIsRefused(t *testing.T) {
	languages := []struct {
		name       string
		open       func(testing.TB) *session
		set, print string
	}{
		{"python", newSession, "x = 1", "print(x)"},
		{"javascript", newScriptSession, "let x = 1", "console.log(x)"},
	}
	var whole []byte // of the language before
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			s := l.open(t)
			s.turn(t, l.set)
			refusesWhatIsNoState(t, s, whole)
			whole = s.state
			if got := s.turn(t, l.print); got != "1\n" {
				t.Errorf("the state itself: %q", got)
			}
		})
	}
}

// refusesWhatIsNoState gives a session what is like its state, and that of another
// runtime if there is one.
func refusesWhatIsNoState(t *testing.T, s *session, foreign []byte) {
	t.Helper()
	state := s.state
	refused := func(name string, state []byte, want error) {
		t.Helper()
		r := s.request
		r.State = state
		if result, err := s.host.Execute(t.Context(), r); !errors.Is(err, want) || result != nil {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	const version = len("sandboxd state ")
	rng := rand.New(rand.NewPCG(9, 10)) //nolint:gosec // a repeatable test
	for range 60 {
		damaged := bytes.Clone(state)
		at := rng.IntN(len(damaged))
		if at == version {
			continue // of another format, then
		}
		damaged[at] ^= byte(1 + rng.IntN(255))
		refused("a changed byte", damaged, host.ErrState)
		refused("a part", state[:rng.IntN(len(state))], host.ErrState)
	}
	refused("nothing", []byte{}, host.ErrState)
	other := bytes.Clone(state[:len(state)-crc32.Size])
	other[20] ^= 1 // of the base's identity
	sum := crc32.Checksum(other, crc32.MakeTable(crc32.Castagnoli))
	refused("another base", binary.LittleEndian.AppendUint32(other, sum), host.ErrStateVersion)
	older := bytes.Clone(state)
	older[version] = '1'
	refused("an older format", older, host.ErrStateVersion)
	if foreign != nil {
		refused("another runtime", foreign, host.ErrStateVersion)
	}
}

func TestAStateIsHeldAgainstTheMemoryLimit(t *testing.T) {
	s := newSession(t)
	s.turn(t, "big = bytearray(20_000_000)")
	less := policies.Bytes(30 << 20)
	r := s.request
	r.State, r.Overrides.Memory = s.state, &less
	_, err := s.host.Execute(t.Context(), r)
	if !errors.Is(err, policies.ErrInvalid) || !strings.Contains(err.Error(), "of memory, the limit is") {
		t.Errorf("got %v", err)
	}
	// The memory it has counts: there is no more beyond the limit.
	result := s.try(t, "more = bytearray(40_000_000)")
	if result.Status != host.StatusOutOfMemory || result.State == nil {
		t.Errorf("%s, %q", result.Status, result.StateError)
	}
	s.turn(t, "del big\nbig = bytearray(19_000_000)")
}

// TestManyCallsDoNotSwellAState does what an assistant does, again and again.
func TestManyCallsDoNotSwellAState(t *testing.T) {
	s := newSession(t)
	const code = `
import json, re
def area(w, h):
    """Return the area."""
    return w * h
rows = [{"n": n, "area": area(n, n + 1), "name": f"row {n}"} for n in range(200)]
text = json.dumps(rows)
print(len(re.findall("area", text)))
try:
    rows[999]
except IndexError as error:
    message = str(error)
`
	turns := host.Amount(80, 200, 1000)
	var early int
	for n := range turns {
		s.turn(t, code)
		if n == turns/4 {
			early = len(s.state)
		}
	}
	t.Logf("%d bytes after %d calls, %d after %d", early, turns/4+1, len(s.state), turns)
	if len(s.state) > 2*early {
		t.Errorf("the state has grown from %d to %d bytes", early, len(s.state))
	}
}

func TestASmallStateIsSmall(t *testing.T) {
	s := newSession(t)
	s.turn(t, "import json\nx = [1, 2, 3]\ndef f(n): return n\nprint('hi')")
	if len(s.state) > 50_000 {
		t.Errorf("it has %d bytes", len(s.state))
	}
}
