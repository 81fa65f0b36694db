package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// TestProgramsWithoutToolsHaveNone covers programs of a request without tools, whose own
// modules of that name are theirs.
func TestProgramsWithoutToolsHaveNone(t *testing.T) {
	tests := []struct{ name, language, code, stdout string }{
		{"a program that imports them is told why it cannot", "python", `
try:
    import tools
except ImportError as e:
    print(type(e).__name__, e.name, e)
`, "ModuleNotFoundError tools No module named 'tools': this program was given no tools: the program that runs it decides which there are\n"},
		{"a file of that name is imported", "python", `
open("tools.py", "w").write("x = 1")
import tools
print(tools.x)
`, "1\n"},
		{"the library's inside calls nothing", "python", `
import sandbox_tools
try:
    sandbox_tools._call("add", None, {})
except sandbox_tools.ToolError as e:
    print(e.kind, sandbox_tools._tools())
`, "unknown {}\n"},
		{"a global is not there", "javascript", "console.log(typeof tools, 'tools' in globalThis);", "undefined false\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if r := runTools(t, test.language, test.code, nil); r.Stdout != test.stdout || r.Tools != nil {
				t.Errorf("got %q %q %+v", r.Stdout, r.Stderr, r.Tools)
			}
		})
	}
}

func TestToolsThatAProgramCannotHaveAreRefused(t *testing.T) {
	add := someTools(0)[:1]
	for _, r := range []host.Request{
		{Language: "starlark", Tools: add},
		{Language: "python", Tools: append(add[:1:1], add...)},
		{Language: "python", Tools: []host.Tool{{Name: "a", Call: add[0].Call, Schema: json.RawMessage(`{"type":"array"}`)}}},
	} {
		if _, err := shared(t).Execute(t.Context(), r); !errors.Is(err, host.ErrInvalid) {
			t.Errorf("%s: got %v", r.Language, err)
		}
	}
}

// TestToolsOfASessionAreThoseOfItsTurn covers names that outlive the turn they were
// bound in.
func TestToolsOfASessionAreThoseOfItsTurn(t *testing.T) {
	all := someTools(0)
	turns := []struct {
		code, stdout string
		tools        []host.Tool
	}{
		{"import tools, sys\nadd = tools.add\nprint(add(a=1, b=1))", "2\n", all[:1]},
		{`
print(tools.echo(a=1))
for call in (lambda: tools.add, lambda: add(a=1, b=1)):
    try:
        print(call())
    except (AttributeError, tools.ToolError) as e:
        print(type(e).__name__, e)
`, "{'a': 1}\nAttributeError module 'tools' has no tool 'add'; there are echo\nToolError this program has no tool \"add\"\n", all[1:2]},
		{`
print("tools" in sys.modules)
for call in (lambda: tools.echo, lambda: add(a=1, b=1), lambda: __import__("tools")):
    try:
        print(call())
    except (AttributeError, ImportError, tools.ToolError) as e:
        print(type(e).__name__, "was given no tools" in str(e))
open("tools.py", "w").write("x = 1")
import tools as mine
print(mine.x)
`, "False\nAttributeError True\nToolError True\nModuleNotFoundError True\n1\n", nil},
		{"import tools\nprint(tools.add(a=2, b=2), add(a=3, b=3), mine.x)", "4 6 1\n", all[:1]},
	}
	var state []byte
	workspace := t.TempDir()
	for i, turn := range turns {
		r, err := shared(t).Execute(t.Context(), host.Request{
			Language: "python", Code: []byte(turn.code), Tools: turn.tools, State: state, KeepState: true, Workspace: workspace,
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Stdout != turn.stdout {
			t.Errorf("turn %d: got %q (%s), want %q", i+1, r.Stdout, r.Stderr, turn.stdout)
		}
		if state = r.State; state == nil {
			t.Fatalf("turn %d: %s", i+1, r.StateError)
		}
	}
}

// TestHostileProgramsAndTools are programs that go around the library, or call at
// moments when nobody expects it.
func TestHostileProgramsAndTools(t *testing.T) {
	tests := []struct {
		name, language, code, stdout string
		status                       host.Status
	}{
		{"forged calls", "python", `
import os
def talk(*pieces):
    f = os.open("/.sandboxd/tools", os.O_RDWR)
    for p in pieces:
        os.write(f, p)
    data = os.read(f, 1 << 16)
    os.close(f)
    print(data)
talk()
talk(b"echo")
talk(b"echo\n", b"{", b"}")
talk(b"add\n[]")
for flags in os.O_RDONLY, os.O_WRONLY:
    try:
        os.open("/.sandboxd/tools", flags)
    except OSError as e:
        print(type(e).__name__)
try:
    open("/.sandboxd/tools.json", "w")
except OSError as e:
    print("read only")
`, `b'unknown\nthis program has no tool ""'
b'invalid\nthe arguments of echo are not well-formed JSON'
b'ok\n{}'
b'invalid\nthe arguments of add are not a JSON object'
PermissionError
PermissionError
read only
`, host.StatusOK},
		{"giant arguments and deep ones", "python", `
import tools
def attempt(**args):
    try:
        tools.echo(**args)
    except tools.ToolError as e:
        print(type(e).__name__, e.kind)
attempt(a="x" * (1 << 20))
deep = []
for _ in range(200):
    deep = [deep]
attempt(a=deep)
`, "ToolError limit\nToolError invalid\n", host.StatusOK},
		{"calls from everywhere", "python", `
import atexit, tools
class A:
    def __del__(self):
        print("del", tools.echo(n=1))
def numbers():
    try:
        while True:
            yield tools.add(a=1, b=1)
    finally:
        print("finally", tools.echo(n=2))
g = numbers()
next(g)
g.close()
a = A()
del a
atexit.register(lambda: print("atexit", tools.echo(n=3)))
kept = A()
`, "finally {'n': 2}\ndel {'n': 1}\natexit {'n': 3}\ndel {'n': 1}\n", host.StatusOK},
		{"a storm of calls", "python", `
import tools
n = 0
try:
    while True:
        tools.nothing()
        n += 1
except tools.ToolError as e:
    print(n, e)
for _ in range(1000):
    try:
        tools.nothing()
    except tools.ToolError:
        pass
`, "100 this execution made 100 calls already (profile \"strict\", key \"tools.calls\")\n", host.StatusOK},
		{"a storm at once", "javascript", `
const all = await Promise.allSettled(Array.from({ length: 1000 }, () => tools.nothing()));
console.log(all.filter((r) => r.status === 'fulfilled').length, all.at(-1).reason.kind);
`, "100 limit\n", host.StatusOK},
		{"what nobody waits for is waited for", "javascript", `
tools.echo({ n: 1 }).then((v) => console.log(v));
console.log('first');
`, "first\n{ n: 1 }\n", host.StatusOK},
		{"what nobody handles is told", "javascript", "tools.fail();", "", host.StatusError},
		{"the language's own objects changed", "javascript", `
Object.prototype.kind = 'evil';
JSON.stringify = () => 'x';
Array.prototype.push = null;
console.log((await tools.echo({ n: 1 })).n, Object.isFrozen(tools));
`, "1 true\n", host.StatusOK},
		{"names on every object", "javascript", `
Object.prototype.kind = 'evil';
Object.prototype.id = 7;
console.log((await tools.echo({ n: 1 })).n);
`, "1\n", host.StatusOK},
		{"promises changed", "javascript", "Promise.prototype.then = () => { throw 1; }; tools.echo({ n: 1 });", "", host.StatusOK},
		{"an argument that calls", "javascript", `
console.log(await tools.echo({ toJSON() { tools.nothing().then(() => console.log('inner')); return { n: 1 }; } }));
await new Promise((r) => setTimeout(r, 20));
try { await tools.echo({ get a() { throw new RangeError('mine'); } }); } catch (e) { console.log(e.name); }
`, "", host.StatusOK},
		{"an exit while calls run", "javascript", "tools.meet(); process.exit(3);", "", host.StatusError},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := runTools(t, test.language, test.code, someTools(-1))
			if test.stdout != "" && r.Stdout != test.stdout || test.status != "" && r.Status != test.status || r.Status == host.StatusInternal {
				t.Errorf("got %s %q %q, want %q", r.Status, r.Stdout, r.Stderr, test.stdout)
			}
			if len(r.Tools) > 101 {
				t.Errorf("%d records", len(r.Tools))
			}
		})
	}
}

// TestToolsDoNotHoldAnExecutionUp covers tools that do not return when they should.
func TestToolsDoNotHoldAnExecutionUp(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	deaf := func(started func()) []host.Tool {
		return []host.Tool{{Name: "deaf", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			started()
			<-release
			return nil, nil
		}}}
	}
	programs := map[string]string{
		"python":     "import tools\ntry:\n    tools.deaf()\nexcept BaseException as e:\n    print('went on', e)\n",
		"javascript": "try { await tools.deaf(); } catch (e) { console.log('went on', e.message); }",
	}
	for language, code := range programs {
		request := host.Request{Language: language, Code: []byte(code), Tools: deaf(func() {}), Profile: "free"}
		t.Run(language+": time runs out", func(t *testing.T) {
			untilItComes(t, func(limit time.Duration) bool {
				r := request
				r.Overrides = timeout(limit)
				result, err := shared(t).Execute(t.Context(), r)
				if err != nil || result.Status != host.StatusTimeout || result.Stdout != "" {
					t.Errorf("got %+v, %v", result, err)
					return true
				}
				if len(result.Tools) == 0 {
					return false
				}
				if len(result.Tools) != 1 || result.Tools[0].Outcome != "canceled" {
					t.Errorf("got %+v", result)
				}
				return true
			})
		})
		t.Run(language+": a call's time runs out", func(t *testing.T) {
			r := request
			timeout := policies.Duration(5 * time.Millisecond)
			r.Overrides.ToolTimeout = &timeout
			result, err := shared(t).Execute(t.Context(), r)
			if err != nil || result.Stdout != "went on deaf gave no answer within 5ms\n" {
				t.Errorf("got %+v, %v", result, err)
			}
		})
		t.Run(language+": the caller goes", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := request
			r.Tools = deaf(cancel)
			result, err := shared(t).Execute(ctx, r)
			if err != nil || result.Status != host.StatusCanceled || result.Stdout != "" {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	}
}

// TestToolsTakeNoFuel covers what a tool does: a program pays for its calls only, and
// the same for the same.
func TestToolsTakeNoFuel(t *testing.T) {
	fuel := map[uint64]int{}
	for i := range 3 {
		slow := []host.Tool{{Name: "echo", Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			for end := time.Now().Add(time.Duration(i) * 3 * time.Millisecond); time.Now().Before(end); { //nolint:revive // it is busy
			}
			return args, nil
		}}}
		r := runTools(t, "python", "import tools\nfor i in range(5): tools.echo(text='abc')\n", slow)
		if r.Status != host.StatusOK {
			t.Fatalf("%s %s", r.Status, r.Stderr)
		}
		fuel[r.FuelConsumed]++
	}
	if len(fuel) != 1 {
		t.Errorf("fuel %v", fuel)
	}
}

func BenchmarkTools(b *testing.B) {
	h := open(b, host.Options{Policy: policy(b, "[profiles.x]\nextends = \"relaxed\"\ntools = { calls = 10_000 }\n")})
	for language, code := range map[string]string{
		"python":     "import tools\nadd = tools.add\nfor i in range(%d): add(a=i, b=1)\n",
		"javascript": "for (let i = 0; i < %d; i++) await tools.add({ a: i, b: 1 });",
	} {
		b.Run(language, func(b *testing.B) {
			const calls = 1000
			for b.Loop() {
				r, err := h.Execute(b.Context(), host.Request{Language: language, Profile: "x", Code: fmt.Appendf(nil, code, calls), Tools: someTools(0)[:1]})
				if err != nil || r.Status != host.StatusOK || len(r.Tools) != calls {
					b.Fatal(r, err)
				}
				b.ReportMetric(float64(r.FuelConsumed)/calls, "fuel/call")
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/calls, "µs/call")
		})
	}
}
