package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

func newScriptSession(tb testing.TB) *session {
	s := newSession(tb)
	s.request.Language = "javascript"
	return s
}

// TestJavaScriptValuesSurviveACall runs the sessions of testdata/state/values_js.txt,
// which are as those of Python.
func TestJavaScriptValuesSurviveACall(t *testing.T) {
	valuesSurvive(t, "testdata/state/values_js.txt", 30, newScriptSession,
		"var check = (ok) => { if (!ok) throw new Error('it is not so'); };\n")
}

func TestHowAJavaScriptCallEndsDecidesWhatIsKept(t *testing.T) {
	small, fuel := policies.Bytes(64<<20), uint64(50_000_000)
	timeout := policies.Duration(300 * time.Millisecond)
	tests := []turnEnd{
		{"an end", "x = 2", host.StatusOK, 0, true, "free"},
		{"an exception", "x = 2;\nnull.a", host.StatusError, 1, true, "free"},
		{"a rejection", "x = 2;\nPromise.reject(new TypeError('no'))", host.StatusError, 1, true, "free"},
		{"an exception after await", "x = 2;\nawait 1;\nnull.a", host.StatusError, 1, true, "free"},
		{"an exception in a timer", "x = 2;\nsetTimeout(() => null.a)", host.StatusError, 1, true, "free"},
		{"a syntax error", "x = ;", host.StatusError, 1, true, "free"},
		{"process.exit", "x = 2;\ntry { process.exit(3) } catch { x = 3 } finally { x = 4 }\nx = 5", host.StatusError, 3, true, "free"},
		{"process.exit in an async function", "x = 2;\n(async () => { await 1; try { process.exit(3) } catch { x = 3 } })().catch(() => { x = 4 })", host.StatusError, 3, true, "free"},
		{"process.exit in a timer", "x = 2;\nsetTimeout(() => process.exit(3))\nsetTimeout(() => { x = 3 })", host.StatusError, 3, true, "free"},
		{"process.exit(0)", "x = 2;\nprocess.exit(0)", host.StatusOK, 0, true, "free"},
		{"process.exitCode", "x = 2;\nprocess.exitCode = 4", host.StatusError, 4, true, "free"},
		{"too deep a recursion", "x = 2;\nfunction f() { return f() + 1 }\nf()", host.StatusError, 1, true, "free"},
		{"memory used up", "x = 2;\nconst a = [];\nfor (;;) a.push(new Uint8Array(1000000).fill(1))", host.StatusOutOfMemory, 137, true, "free"},
		{"too much output", "x = 2;\nfor (;;) console.log('x'.repeat(10000))", host.StatusOutputLimit, 137, false, "stop"},
		{"no fuel", "x = 2;\nfor (;;);", host.StatusOutOfFuel, 137, false, "free"},
		{"no time", "x = 2;\nsetTimeout(() => {}, 100000)", host.StatusTimeout, 124, false, "free"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			limits := policies.Overrides{Memory: &small, Fuel: &fuel}
			if tt.status == host.StatusTimeout {
				limits.Timeout = &timeout
			}
			tt.check(t, newScriptSession(t), "let x = 1", "console.log(x)", limits)
		})
	}
}

func TestAJavaScriptCallSeesItsOwnWorld(t *testing.T) {
	s := newScriptSession(t)
	s.request.Args, s.request.Env = []string{"one"}, map[string]string{"A": "1"}
	s.request.Stdin = strings.NewReader("first")
	s.turn(t, `
process.env.B = '2';
let before = [Date.now(), process.hrtime.bigint(), performance.now()];
let mine = process.argv;
setInterval(() => {}, 1000).unref();
process.on('exit', () => console.log('exit'));
for await (const part of process.stdin) check = String(part);
let drawn = Math.random();
const file = require('fs').openSync('left', 'w');`)
	s.request.Args, s.request.Env = []string{"two"}, map[string]string{"C": "3"}
	s.request.Stdin = strings.NewReader("second")
	fork := *s
	fork.request.Stdin = strings.NewReader("second")
	const code = `
const now = [Date.now(), process.hrtime.bigint()];
for await (const part of process.stdin) check += String(part);
console.log(process.argv.at(-1), mine.at(-1), process.env.A, process.env.B, process.env.C, check, now[0] >= before[0], now[1] > before[1]);
try { require('fs').writeSync(require('fs').openSync('other', 'w') && file, 'x') } catch (e) { console.log(e.code) }`
	if got, want := s.turn(t, code), "two one undefined undefined 3 firstsecond true true\nEBADF\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if a, b := s.turn(t, "console.log(Math.random())"), fork.turn(t, "console.log(Math.random())"); a == b {
		t.Errorf("two forks drew %s", a)
	}
	s.request.KeepState = false
	if r := s.try(t, "process.exit(5)"); r.Stdout != "exit\n" || r.ExitCode != 5 {
		t.Errorf("the last call: %q, exit code %d", r.Stdout, r.ExitCode)
	}
}

func TestJavaScriptErrorsNameLines(t *testing.T) {
	s := newScriptSession(t)
	s.turn(t, "let x = 1;\nfunction f() { return null.a; }")
	for code, line := range map[string]int{
		"\nlet x = 2;\nnull.b;": 3, "await 1;\n\nnull.b": 3, "\nx = 1\nx = ;": 3, "\n\nf()": 2, // where the function stands
	} {
		r := s.try(t, code)
		if r.Error == nil || r.Error.Line != line {
			t.Errorf("%q: %+v\n%s", code, r.Error, r.Stderr)
		}
	}
}
