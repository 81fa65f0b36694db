package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
)

// someTools are tools that tests call. met is what meet waits for: that so many calls of
// it run at once. hold waits for a call of free.
func someTools(met int) []host.Tool {
	var mu sync.Mutex
	come := 0
	all, freed := make(chan struct{}), make(chan struct{})
	return []host.Tool{
		{
			Name: "add", Description: "Adds two numbers.",
			Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"],"additionalProperties":false}`),
			Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
				var a struct{ A, B float64 }
				if err := json.Unmarshal(args, &a); err != nil {
					return nil, err
				}
				return json.Marshal(a.A + a.B)
			},
		},
		{Name: "echo", Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) { return args, nil }},
		{Name: "nothing", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, nil }},
		{Name: "fail", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			return nil, errors.New("the backend is süß " + strings.Repeat("x", 100_000))
		}},
		{Name: "crash", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) { panic("password 1234") }},
		{Name: "garbage", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) { return []byte("{nope"), nil }},
		{Name: "large", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			return []byte(`"` + strings.Repeat("x", 5<<20) + `"`), nil
		}},
		{Name: "slow", Timeout: 20 * time.Millisecond, Call: func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		{Name: "meet", Call: func(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
			mu.Lock()
			if come++; come == met {
				close(all)
			}
			mu.Unlock()
			select {
			case <-all:
				return args, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}},
		{Name: "hold", Call: func(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
			select {
			case <-freed:
				return args, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}},
		{Name: "free", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			close(freed)
			return nil, nil
		}},
	}
}

func runTools(t *testing.T, language, code string, tools []host.Tool) *host.Result {
	t.Helper()
	r, err := shared(t).Execute(t.Context(), host.Request{Language: language, Code: []byte(code), Tools: tools})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestProgramsCallTools(t *testing.T) {
	tests := []struct{ name, language, code, stdout string }{
		{"python", "python", `
import tools
print(tools.add(a=1, b=2.5), tools.add({"a": 1, "b": 2}), tools.nothing())
print(tools.echo(text="süß \U0001f600 \ud800", list=[1, None, {"": []}], big=10**15))
print(sum(tools.add(a=i, b=i) for i in range(20)), dir(tools)[:3])
from tools import add, ToolError
print(add.__name__, add.__doc__.split("\n")[0], '"required"' in add.__doc__)
def attempt(call):
    try:
        print(call())
    except Exception as e:
        print(type(e).__name__, getattr(e, "kind", ""), getattr(e, "tool", ""), str(e)[:60].removesuffix(": nan"), len(str(e)) <= 4096)
attempt(lambda: add(a=1))
attempt(lambda: add(a=1, b="x"))
attempt(lambda: add(a=1, b=2, A=3))
attempt(lambda: add(1))
attempt(lambda: add({}, a=1))
attempt(lambda: add(a=float("nan")))
attempt(lambda: tools.echo(n=10**400))
attempt(tools.fail)
attempt(tools.crash)
attempt(tools.garbage)
attempt(tools.large)
attempt(tools.slow)
attempt(lambda: tools.search(q=1))
`, `3.5 3 None
{'text': 'süß 😀 \ud800', 'list': [1, None, {'': []}], 'big': 1000000000000000}
380 ['ToolError', 'add', 'crash']
add Adds two numbers. True
ToolError invalid add the arguments of add do not match its schema: validating roo True
ToolError invalid add the arguments of add do not match its schema: validating roo True
ToolError invalid add the arguments of add do not match its schema: validating roo True
TypeError   tools.add() takes keyword arguments, or one dict True
TypeError   tools.add() takes keyword arguments, or one dict True
ValueError   Out of range float values are not JSON compliant True
ToolError invalid echo the arguments of echo have a number out of range: 1000000000 True
ToolError failed fail the backend is süß xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx True
ToolError failed crash crash failed True
ToolError failed garbage garbage gave an answer that is not JSON True
ToolError limit large the answer of large is larger than 4MiB (profile "strict", k True
ToolError timeout slow slow gave no answer within 20ms True
AttributeError   module 'tools' has no tool 'search'; there are add, echo, no True
`},
		{"javascript", "javascript", `
const show = (...v) => console.log(...v);
show(await tools.add({ a: 1, b: 2.5 }), await tools.nothing());
show(JSON.stringify(await tools.echo({ text: 'süß \u{1f600}', list: [1, null, { '': [] }], big: 1e15, no: undefined })));
show(Object.keys(tools).slice(0, 3), tools.add.name, tools.add.description, tools.add.schema.required);
for (const call of [
  () => tools.add({ a: 1 }), () => tools.add({ a: 1, b: 'x' }), () => tools.add({ a: 1, b: 2, A: 3 }), () => tools.add(1), () => tools.add([]),
  () => tools.echo({ n: 10n }), () => tools.fail(), () => tools.crash(), () => tools.garbage(), () => tools.large(), () => tools.slow(),
]) {
  try {
    show(await call());
  } catch (e) {
    show(e.name, e instanceof tools.ToolError, e.kind, e.tool, e.message.slice(0, 60), e.message.length <= 4096);
  }
}
const later = tools.add({ a: 1, b: 2 }).then((v) => show('then', v), () => {});
show('first');
await later;
show((await Promise.all([tools.meet({ n: 1 }), tools.meet({ n: 2 }), tools.meet({ n: 3 })])).map((v) => v.n));
const held = tools.hold({ n: 4 });
setTimeout(() => tools.free(), 1);
show((await held).n);
`, `3.5 null
{"text":"süß 😀","list":[1,null,{"":[]}],"big":1000000000000000}
[ 'add', 'echo', 'nothing' ] add Adds two numbers. [ 'a', 'b' ]
ToolError true invalid add the arguments of add do not match its schema: validating roo true
ToolError true invalid add the arguments of add do not match its schema: validating roo true
ToolError true invalid add the arguments of add do not match its schema: validating roo true
TypeError false undefined undefined tools.add() takes one object with the arguments true
TypeError false undefined undefined tools.add() takes one object with the arguments true
TypeError false undefined undefined Do not know how to serialize a BigInt true
ToolError true failed fail the backend is süß xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx true
ToolError true failed crash crash failed true
ToolError true failed garbage garbage gave an answer that is not JSON true
ToolError true limit large the answer of large is larger than 4MiB (profile "strict", k true
ToolError true timeout slow slow gave no answer within 20ms true
first
then 3
[ 1, 2, 3 ]
4
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := runTools(t, test.language, test.code, someTools(3))
			if r.Stdout != test.stdout || r.Status != host.StatusOK {
				t.Errorf("got %s %q (%+v)\n%s\nwant\n%s", r.Status, r.Stderr, r.Error, r.Stdout, test.stdout)
			}
			if len(r.Tools) == 0 || r.Tools[0] != (host.ToolCall{Name: "add", Outcome: "ok", DurationSeconds: r.Tools[0].DurationSeconds, Sent: r.Tools[0].Sent, Received: 3}) {
				t.Errorf("calls: %+v", r.Tools)
			}
		})
	}
}

// TestPythonsCallsOfToolsAreJSON covers what Python's library passes by: json.dumps and
// json.loads, whose answers and errors a program is to get all the same.
func TestPythonsCallsOfToolsAreJSON(t *testing.T) {
	sized := host.Tool{Name: "sized", Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
		var of struct{ N int }
		if err := json.Unmarshal(args, &of); err != nil {
			return nil, err
		}
		return []byte("\r\n\t \"" + strings.Repeat("x", of.N-len("ok\n\r\n\t \"\" ")) + "\" "), nil
	}}
	r := runTools(t, "python", `
import enum, json, tools
class Level(enum.IntEnum):
    HIGH = 3
class Text(str):
    pass
class Mine(dict):
    pass
given = {"a": Level.HIGH, "b": Text("\x00\u2028'\""), "c": (1, -0.0, 1e300, True), "d": Mine(e=[]), "f": {1: 2, None: 3, 1.5: 4}}
print(tools.echo(given) == json.loads(json.dumps(given)), tools.echo(Mine(a=1)))
circle = {}
circle["it"] = [circle]
deep = []
for _ in range(5_000):
    deep = [deep]
for wrong in circle, {"a": deep}, {"a": {1}}, {(1, 2): 3}, {"a": float("inf")}, {"a": tools}:
    said = []
    for call in tools.echo, lambda a: json.dumps(a, allow_nan=False):
        try:
            said.append(call(wrong))
        except Exception as e:
            said.append((type(e), str(e), e.__context__))
    print(said[0] == said[1], said[0][0].__name__)
print(tools.echo(after="that"))
for n in 65535, 65536, 65537, 131072:
    print(len(tools.sized(n=n)), end=" ")
`, append(someTools(0), sized))
	want := `True {'a': 1}
True ValueError
True RecursionError
True TypeError
True TypeError
True ValueError
True TypeError
{'after': 'that'}
65525 65526 65527 131062 `
	if r.Stdout != want {
		t.Errorf("got %s %q %q", r.Status, r.Stdout, r.Stderr)
	}
}

// TestACallOfAToolTakesLittleOfPythonsFuel notices a library that makes anew for each
// call what it could keep, as json.dumps and json.loads do: a call took 255 000 then.
func TestACallOfAToolTakesLittleOfPythonsFuel(t *testing.T) {
	fuel := func(calls int) uint64 {
		code := fmt.Sprintf("import tools\nfor i in range(%d): tools.echo(n=1)\n", calls)
		r := runTools(t, "python", code, someTools(0))
		if r.Status != host.StatusOK || len(r.Tools) != calls {
			t.Fatalf("%s %s", r.Status, r.Stderr)
		}
		return r.FuelConsumed
	}
	const few, many = 10, 60
	if each := (fuel(many) - fuel(few)) / (many - few); each > 180_000 {
		t.Errorf("a call takes %d", each)
	}
}
