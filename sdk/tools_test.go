package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/sdk"
)

// addTool adds two numbers.
func addTool(calls *atomic.Int64) sdk.Tool {
	return sdk.Tool{
		Name: "add", Description: "adds two numbers",
		Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"],"additionalProperties":false}`),
		Call: func(_ context.Context, args json.RawMessage) (any, error) {
			calls.Add(1)
			var in struct{ A, B float64 }
			err := json.Unmarshal(args, &in)
			return in.A + in.B, err
		},
	}
}

func TestProgramsCallTools(t *testing.T) {
	var calls atomic.Int64
	fails := sdk.Tool{Name: "fails", Call: func(context.Context, json.RawMessage) (any, error) {
		return nil, errors.New("out of stock")
	}}
	c := launch(t, plainPolicy, sdk.WithLanguages("python", "javascript"))
	for language, code := range map[string]string{
		"python": `
import tools
print(sum(tools.add(a=i, b=1) for i in range(50)))
try:
    tools.fails()
except Exception as e:
    print(e)
try:
    tools.add(a="x")
except Exception as e:
    print("refused")
`,
		"javascript": `
let sum = 0;
for (let i = 0; i < 50; i++) sum += await tools.add({a: i, b: 1});
console.log(sum);
try { await tools.fails({}) } catch (e) { console.log(e.message) }
try { await tools.add({a: "x"}) } catch (e) { console.log("refused") }
`,
	} {
		calls.Store(0)
		r, err := c.Run(t.Context(), sdk.Request{Language: language, Code: code, Tools: []sdk.Tool{addTool(&calls), fails}})
		if err != nil || !strings.HasPrefix(r.Stdout, "1275") || !strings.Contains(r.Stdout, "out of stock") || !strings.HasSuffix(r.Stdout, "refused\n") {
			t.Errorf("%s: %+v, %v", language, r, err)
			continue
		}
		if calls.Load() != 50 || len(r.Tools) != 52 || r.Tools[0].Name != "add" || r.Tools[0].Outcome != "ok" || r.Tools[50].Error == "" {
			t.Errorf("%s: %d calls, records %+v", language, calls.Load(), r.Tools)
		}
	}
}

func TestAToolIsToldWhenNobodyWaits(t *testing.T) {
	c := launch(t, plainPolicy)
	ended := make(chan error, 1)
	tool := sdk.Tool{Name: "slow", Timeout: 50 * time.Millisecond, Call: func(ctx context.Context, _ json.RawMessage) (any, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}}
	r, err := c.Run(t.Context(), sdk.Request{
		Language: "python", Tools: []sdk.Tool{tool},
		Code: "import tools\ntry: tools.slow()\nexcept Exception: print('gave up')",
	})
	if err != nil || r.Stdout != "gave up\n" {
		t.Errorf("%+v, %v", r, err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tool.Timeout = 0
	tool.Call = func(ctx context.Context, _ json.RawMessage) (any, error) {
		cancel()
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}
	if _, err := c.Run(ctx, sdk.Request{Language: "python", Tools: []sdk.Tool{tool}, Code: "import tools\ntools.slow()"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("it goes on")
	}
}

func TestAToolThatCannotBeOfferedIsRefused(t *testing.T) {
	c := launch(t, plainPolicy)
	fine := func(context.Context, json.RawMessage) (any, error) { return nil, nil }
	for name, tools := range map[string][]sdk.Tool{
		"a bad name":  {{Name: "a b", Call: fine}},
		"no function": {{Name: "a"}},
		"twice":       {{Name: "a", Call: fine}, {Name: "a", Call: fine}},
		"no schema":   {{Name: "a", Call: fine, Schema: json.RawMessage(`{"type": 7}`)}},
	} {
		if _, err := c.Run(t.Context(), sdk.Request{Language: "python", Code: "pass", Tools: tools}); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := sdk.Tool{Name: "bad", Call: func(context.Context, json.RawMessage) (any, error) { panic("oh no") }}
	_, err := c.Run(t.Context(), sdk.Request{Language: "python", Code: "import tools\ntools.bad()", Tools: []sdk.Tool{bad}})
	if err == nil || !strings.Contains(err.Error(), `tool "bad": panic: oh no`) {
		t.Errorf("a panic: %v", err)
	}
}
