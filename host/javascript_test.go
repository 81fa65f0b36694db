package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
)

// javascript is a program under the strict profile.
func javascript(code string) host.Request {
	return host.Request{Language: "javascript", Code: []byte(code)}
}

func TestJavaScriptEndsAsItShould(t *testing.T) {
	h := shared(t)
	tests := []struct {
		name, filename, code string
		status               host.Status
		exitCode             int
		kind, message        string // of the error
		line                 int
	}{
		{"a program that ends", "a.js", "console.log(1)", host.StatusOK, 0, "", "", 0},
		{"an empty program", "a.js", "", host.StatusOK, 0, "", "", 0},
		{"an exit code", "a.js", "process.exit(3)", host.StatusError, 3, "exit", "the program ended with exit code 3", 0},
		{"an exit inside try", "a.js", "try { process.exit(4) } catch {} finally { for (;;); }", host.StatusError, 4, "exit", "the program ended with exit code 4", 0},
		{"an exit code that wazero has a meaning for", "a.js", "process.exit(0xffffffef | 0)", host.StatusError, 0xEF, "exit", "the program ended with exit code 239", 0},
		{"an error nobody catches", "a.js", "\nthrow new RangeError('far')", host.StatusError, 1, "RangeError", "far", 2},
		{"an error in a function", "a.js", "function f() {\n  throw new Error('deep')\n}\n\nf()", host.StatusError, 1, "Error", "deep", 2},
		{"a promise nobody catches", "a.js", "Promise.reject(new TypeError('later'))", host.StatusError, 1, "TypeError", "later", 1},
		{"an error after a while", "a.js", "setTimeout(() => {\n  throw new Error('tick')\n}, 5)", host.StatusError, 1, "Error", "tick", 2},
		{"a module that fails", "a.mjs", "await null\nthrow new EvalError('m')", host.StatusError, 1, "EvalError", "m", 2},
		{"recursion without end", "a.js", "function f() { return f() + 1 }\ntry { f() } catch (e) { console.log(e instanceof RangeError) }", host.StatusOK, 0, "", "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := execute(t, h, host.Request{Language: "javascript", Filename: test.filename, Code: []byte(test.code)})
			checkStatus(t, r, test.status, test.exitCode)
			if test.kind == "" {
				return
			}
			if r.Error == nil || r.Error.Type != test.kind || r.Error.Message != test.message || r.Error.Line != test.line {
				t.Errorf("error %+v, want %s, %q, line %d", r.Error, test.kind, test.message, test.line)
			}
			if test.kind != "exit" && !strings.Contains(r.Stderr, test.message) {
				t.Errorf("stderr %q does not tell", r.Stderr)
			}
		})
	}
}

func TestJavaScriptTakesTheSameFuelEveryTime(t *testing.T) {
	h := shared(t)
	for _, code := range []string{"console.log('hi')", "Promise.resolve().then(() => console.log(Math.random() < 2))", "export {}; await null; console.log(new Map([[{}, []]]))"} {
		want := execute(t, h, javascript(code))
		checkStatus(t, want, host.StatusOK, 0)
		for range 20 {
			if got := execute(t, h, javascript(code)); got.FuelConsumed != want.FuelConsumed {
				t.Errorf("%s: %d, before %d", code, got.FuelConsumed, want.FuelConsumed)
				break
			}
		}
	}
}

func TestJavaScriptWaitsNoLongerThanItsTimeout(t *testing.T) {
	h := shared(t)
	for name, code := range map[string]string{
		"in a timer":                 "setTimeout(() => {}, 1e9)",
		"in a module":                "export {}; await new Promise((done) => setTimeout(done, 1e9))",
		"in promises that never end": "(function f() { Promise.resolve().then(f) })()",
		"in one regular expression":  "/(a|a)*(a|a)*(a|a)*b/.test('a'.repeat(300)); for (;;);",
	} {
		t.Run(name, func(t *testing.T) {
			r := free(code, timeout(50*time.Millisecond))
			r.Language, r.Profile = "javascript", "endless"
			checkStatus(t, execute(t, h, r), host.StatusTimeout, 124)
		})
	}
}

// hostileTypeScript is made to keep a compiler busy, or to overflow its stack.
func hostileTypeScript() map[string]string {
	deep := strings.Repeat
	return map[string]string{
		"negations":            deep("!", 200_000) + "1",
		"parentheses":          deep("(", 200_000),
		"array types":          "let a: " + deep("[", 200_000),
		"type arguments":       "let a: " + deep("A<", 100_000),
		"arrow functions":      deep("(a = ", 3000),
		"generic arrows":       deep("<T>(a = ", 3000),
		"calls that are casts": deep("async(", 3000),
		"conditional types":    "let a: " + deep("a extends infer b extends c ? ", 3000),
		"bytes of no meaning":  deep("\x00\xff", 1000),
		"too much of it":       deep("let a: number\n", 100_000),
	}
}

// Programs of which nothing is left run, and do nothing.
func TestTypeScriptMayBeTypesAlone(t *testing.T) {
	h := shared(t)
	for _, code := range []string{"", "\n", "// a comment\n", "type A = number;\n", "export type { B } from './b';\ninterface B { n: number }\n"} {
		r := execute(t, h, host.Request{Language: "typescript", Filename: "program.ts", Code: []byte(code)})
		if !r.Success || r.Stdout+r.Stderr != "" {
			t.Errorf("%q: %s, %+v, %s", code, r.Status, r.Error, r.Stderr)
		}
	}
}

func TestHostileTypeScriptFailsLikeAnyProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second for each program")
	}
	h := shared(t)
	for name, code := range hostileTypeScript() {
		t.Run(name, func(t *testing.T) {
			r := free(code, timeout(time.Second))
			r.Language = "typescript"
			got := execute(t, h, r)
			refused := got.Status == host.StatusError && got.Error.Type == "SyntaxError"
			if !refused && got.Status != host.StatusTimeout || strings.Contains(got.Stderr, "internal") {
				t.Errorf("status %s, %+v, stderr %.300q", got.Status, got.Error, got.Stderr)
			}
		})
	}
}
