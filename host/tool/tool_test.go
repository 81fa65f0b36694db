package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sandboxd/sandboxd/policies"
)

var wide = policies.Tools{Calls: 1000, MaxRequest: 1 << 20, MaxResponse: 4 << 20, Total: 64 << 20, Timeout: policies.Duration(time.Minute)}

func echo(_ context.Context, args json.RawMessage) (json.RawMessage, error) { return args, nil }

func open(tb testing.TB, limits policies.Tools, tools ...Tool) *Client {
	tb.Helper()
	c, err := New(Options{Tools: tools, Schemas: &Schemas{}, Limits: limits, Profile: "x"})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// ask has a conversation, in pieces of n bytes.
func ask(tb testing.TB, c *Client, text string, n int) string {
	tb.Helper()
	t := c.Open(tb.Context())
	defer t.Close() //nolint:errcheck // it has none
	for len(text) > 0 {
		piece := text[:min(n, len(text))]
		text = text[len(piece):]
		if _, err := t.Write([]byte(piece)); err != nil {
			tb.Fatal(err)
		}
	}
	got, err := io.ReadAll(t)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := t.Write([]byte("x")); !errors.Is(err, errAnswered) {
		tb.Errorf("writing after the answer: %v", err)
	}
	return string(got)
}

func TestToolsThatCannotBeOfferedAreRefused(t *testing.T) {
	tests := []struct {
		name, want string
		tools      []Tool
	}{
		{"no name", `name "": want letters`, []Tool{{Call: echo}}},
		{"a name with a dot", `name "a.b": want letters`, []Tool{{Name: "a.b", Call: echo}}},
		{"a digit first", `name "1a": want letters`, []Tool{{Name: "1a", Call: echo}}},
		{"letters of another alphabet", `want letters`, []Tool{{Name: "süß", Call: echo}}},
		{"a long name", `at most 64 bytes`, []Tool{{Name: strings.Repeat("a", 65), Call: echo}}},
		{"a language's own name", `means something else`, []Tool{{Name: "__proto__", Call: echo}}},
		{"what makes an object a promise", `means something else`, []Tool{{Name: "then", Call: echo}}},
		{"the exception's name", `means something else`, []Tool{{Name: "ToolError", Call: echo}}},
		{"no function", `"a" has no function`, []Tool{{Name: "a"}}},
		{"a negative time", `"a": timeout -1ns`, []Tool{{Name: "a", Call: echo, Timeout: -1}}},
		{"a name twice", `"a" is given twice`, []Tool{{Name: "a", Call: echo}, {Name: "a", Call: echo}}},
		{"a description of no encoding", `want UTF-8`, []Tool{{Name: "a", Call: echo, Description: "\xff"}}},
		{"too many", `129 tools, at most 128`, make([]Tool, 129)},
		{"too much to say", `together, at most 1048576`, manyTools(70)},
		{"a schema that is no JSON", `the schema's bytes are not well-formed`, schemaTool(`{`)},
		{"a schema of no object", `must be of "type": "object"`, schemaTool(`{"type":"array"}`)},
		{"a schema that goes elsewhere", `refers to "http://example.com/x"; a schema stands alone`, schemaTool(`{"properties":{"a":{"$ref":"http://example.com/x"}}}`)},
		{"a schema that leads nowhere", `where there is nothing`, schemaTool(`{"properties":{"a":{"$ref":"#/$defs/b"}}}`)},
		{"a schema that is in itself", `refers to itself ("#")`, schemaTool(`{"anyOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}]}`)},
		{"a schema that is in itself by a detour", `refers to itself`, schemaTool(`{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/b"}},"b":{"not":{"$ref":"#/$defs/a"}}}}`)},
		{"a property of the name of a keyword that is in itself", `refers to itself`, schemaTool(`{"properties":{"enum":{"$ref":"#/properties"}}}`)},
		{"a schema that unfolds without end", `more than 100000 values`, schemaTool(laughs(20))},
		{"anchors", `has a "$anchor"`, schemaTool(`{"$defs":{"a":{"$anchor":"b"}}}`)},
		{"a pattern that is none", `the schema cannot be used`, schemaTool(`{"properties":{"a":{"pattern":"("}}}`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(Options{Tools: test.tools, Schemas: &Schemas{}, Limits: wide})
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := New(Options{Tools: schemaTool(`{"$id":"https://example.com/s","type":"object","$defs":{"n":{"type":"number"}},"properties":{"a":{"$ref":"#/$defs/n"},"b":{"$ref":"#/$defs/n"}}}`), Schemas: &Schemas{}}); err != nil {
		t.Errorf("a good schema: %v", err)
	}
}

func schemaTool(schema string) []Tool {
	return []Tool{{Name: "a", Call: echo, Schema: json.RawMessage(schema)}}
}

func manyTools(n int) []Tool {
	tools := make([]Tool, n)
	for i := range tools {
		tools[i] = Tool{Name: fmt.Sprint("t", i), Call: echo, Description: strings.Repeat("x", MaxDescription)}
	}
	return tools
}

// laughs is a schema in which each definition refers to the next one ten times.
func laughs(n int) string {
	defs := []string{`"d0":{}`}
	for i := 1; i < n; i++ {
		defs = append(defs, fmt.Sprintf(`"d%d":{"allOf":[%s]}`, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf(`{"$ref":"#/$defs/d%d"},`, i-1), 10), ",")))
	}
	return fmt.Sprintf(`{"$ref":"#/$defs/d%d","$defs":{%s}}`, n-1, strings.Join(defs, ","))
}

func TestArgumentsAreLookedAtBeforeATool(t *testing.T) {
	c := open(t, wide, Tool{Name: "any", Call: echo}, Tool{Name: "strict", Call: echo, Schema: json.RawMessage(
		`{"type":"object","properties":{"n":{"type":"integer","minimum":0},"s":{"pattern":"^(a+)+$"},"l":{"type":"array","uniqueItems":true}},"additionalProperties":false}`)})
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	tests := []struct{ name, ask, want string }{
		{"an object", "any\n{\"a\": [1, 2.5, true, null, {\"b\": \"c\"}]}", "ok\n{\"a\": [1, 2.5, true, null, {\"b\": \"c\"}]}"},
		{"nothing written", "", "unknown\nthis program has no tool \"\""},
		{"no arguments", "any", "invalid\nthe arguments of any are not well-formed JSON"},
		{"a name that is none", "\x1b[2J\xff\n{}", `unknown` + "\n" + `this program has no tool "?[2J?"`},
		{"a long name", strings.Repeat("n", 1000) + "\n{}", "unknown\nthis program has no tool \"" + strings.Repeat("n", 64) + "\""},
		{"no object", "any\n[1]", "invalid\nthe arguments of any are not a JSON object"},
		{"two values", "any\n{} {}", "invalid\nthe arguments of any are more than one JSON value"},
		{"half a value", "any\n{\"a\":", "invalid\nthe arguments of any are not well-formed JSON"},
		{"a wrong bracket", "any\n{\"a\":[1}", "invalid\nthe arguments of any are not well-formed JSON"},
		{"a number as a name", "any\n{1:2}", "invalid\nthe arguments of any are not well-formed JSON"},
		{"no UTF-8", "any\n{\"a\":\"\xff\"}", "invalid\nthe arguments of any are not UTF-8"},
		{"a name twice", "any\n{\"a\":1,\"\\u0061\":2}", "invalid\nthe arguments of any have \"a\" twice in one object"},
		{"a number that would take the memory of a machine", "any\n{\"a\":1e1000000000}", "invalid\nthe arguments of any have a number out of range: 1e1000000000"},
		{"depth that is allowed", "any\n" + deep(63), "ok\n" + deep(63)},
		{"depth that is not", "any\n" + deep(64), "invalid\nthe arguments of any nest more than 64 deep"},
		{"depth without an end", "any\n" + strings.Repeat("[", 100_000), "invalid\nthe arguments of any nest more than 64 deep"},
		{"what the schema allows", `strict` + "\n" + `{"n":3,"s":"aaa","l":[1,"1",{}]}`, "ok\n" + `{"n":3,"s":"aaa","l":[1,"1",{}]}`},
		{"a fraction for an integer", `strict` + "\n" + `{"n":3.5}`, "invalid\nthe arguments of strict do not match its schema: "},
		{"a name in another case", `strict` + "\n" + `{"N":3}`, "invalid\nthe arguments of strict do not match its schema: "},
		{"a text that takes other matchers years", `strict` + "\n" + `{"s":"` + strings.Repeat("a", 50_000) + `!"}`, "invalid\nthe arguments of strict do not match its schema: "},
		{"a long list that is to have nothing twice", `strict` + "\n" + `{"l":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 50_000), ",") + `]}`, "invalid\nthe arguments of strict do not match its schema: "},
	}
	for _, test := range tests {
		for _, pieces := range []int{1 << 20, 7} {
			got := ask(t, c, test.ask, pieces)
			same := got == test.want || strings.HasSuffix(test.want, ": ") && strings.HasPrefix(got, test.want)
			if !same || len(got) > len(test.want)+MaxError+100 {
				t.Errorf("%s: got %.300q, want %.300q", test.name, got, test.want)
			}
		}
	}
}

func TestLimitsOfCalls(t *testing.T) {
	limits := policies.Tools{Calls: 3, MaxRequest: 100, MaxResponse: 50, Total: 250, Timeout: policies.Duration(time.Minute)}
	tools := []Tool{{Name: "echo", Call: echo}, {Name: "x", Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
		return json.RawMessage(`"` + strings.Repeat("x", len(args)) + `"`), nil
	}}}
	object := func(n int) string { return `{"":"` + strings.Repeat("x", n-7) + `"}` }
	t.Run("arguments", func(t *testing.T) {
		c := open(t, limits, tools...)
		if got := ask(t, c, "echo\n"+object(101), 20); got != "limit\nthe arguments of echo are larger than 100B (profile \"x\", key \"tools.max_request\")" {
			t.Errorf("got %q", got)
		}
		if _, f := c.Start(t.Context(), "echo", []byte(object(101)), nil).Wait(); f == nil || f.Kind != KindLimit {
			t.Errorf("got %+v", f)
		}
	})
	t.Run("answers", func(t *testing.T) {
		c := open(t, limits, tools...)
		if got := ask(t, c, "x\n"+object(49), 200); got != "limit\nthe answer of x is larger than 50B (profile \"x\", key \"tools.max_response\")" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("the sum", func(t *testing.T) {
		c := open(t, limits, tools...)
		ask(t, c, "echo\n"+object(48), 200)
		ask(t, c, "echo\n"+object(48), 200)
		if got := ask(t, c, "echo\n"+object(100), 200); !strings.Contains(got, `sent and received more than 250B (profile "x", key "tools.total")`) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("what is written and never sent counts, and is not kept", func(t *testing.T) {
		c := open(t, limits, tools...)
		held := 0
		for range 100 {
			e := c.Open(t.Context()).(*talk)
			_, _ = e.Write([]byte("echo\n" + object(100)))
			held += len(e.args) + len(e.name)
		}
		if held > 250+100*(MaxName+1) {
			t.Errorf("%d bytes are held", held)
		}
	})
	t.Run("20 000 calls", func(t *testing.T) {
		fuel := uint64(0)
		c := open(t, limits, tools...)
		c.opts.Charge = func(n uint64) { fuel += n }
		for i := range 20_000 {
			_, f := c.Start(t.Context(), "echo", []byte(`{}`), nil).Wait()
			if (f == nil) != (i < 3) || f != nil && f.Message != `this execution made 3 calls already (profile "x", key "tools.calls")` {
				t.Fatalf("call %d: %+v", i, f)
			}
		}
		records := c.Records()
		if len(records) != 4 || records[2].Outcome != OutcomeOK || records[3].Outcome != KindLimit || fuel < 20_000*callCost {
			t.Errorf("%d fuel, records %+v", fuel, records)
		}
	})
}

func TestToolsThatMisbehave(t *testing.T) {
	release := make(chan struct{})
	c := open(t, wide,
		Tool{Name: "panics", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) { panic("secret") }},
		Tool{Name: "leaves", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) { runtime.Goexit(); return nil, nil }},
		Tool{Name: "fails", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			return nil, errors.New(strings.Repeat("ü", MaxError) + "\xff")
		}},
		Tool{Name: "garbage", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) { return json.RawMessage("}"), nil }},
		Tool{Name: "deaf", Timeout: time.Millisecond, Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			<-release
			return json.RawMessage("1"), nil
		}},
		Tool{Name: "keeps", Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) { return append(args, ' '), nil }},
	)
	defer close(release)
	for name, want := range map[string]string{
		"panics": "failed\npanics failed", "leaves": "failed\nleaves failed", "garbage": "failed\ngarbage gave an answer that is not JSON",
		"deaf": "timeout\ndeaf gave no answer within 1ms", "keeps": "ok\n{} ",
	} {
		if got := ask(t, c, name+"\n{}", 100); got != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	got := strings.TrimPrefix(ask(t, c, "fails\n{}", 100), "failed\n")
	if len(got) > MaxError || !strings.HasSuffix(got, "ü...") {
		t.Errorf("an error of %d bytes: %.20q...%q", len(got), got, got[len(got)-10:])
	}
}

func TestAbandonedToolsAreBounded(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var mu sync.Mutex
	running := 0
	c := open(t, wide, Tool{Name: "deaf", Timeout: time.Millisecond, Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
		mu.Lock()
		running++
		mu.Unlock()
		<-release
		return nil, nil
	}})
	for range 2 * maxRunning {
		if _, f := c.Start(t.Context(), "deaf", []byte("{}"), nil).Wait(); f == nil || f.Kind != KindTimeout {
			t.Fatalf("got %+v", f)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if running > maxRunning {
		t.Errorf("%d run at once", running)
	}
}

func TestTheEndOfAnExecutionEndsItsCalls(t *testing.T) {
	started := make(chan struct{}, 2)
	c := open(t, wide, Tool{Name: "waits", Call: func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		started <- struct{}{}
		<-ctx.Done()
		return json.RawMessage("1"), nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan struct{})
	call := c.Start(ctx, "waits", []byte("{}"), func() { close(told) })
	<-started
	if r := c.Records()[0]; r.Outcome != KindCanceled {
		t.Errorf("meanwhile: %+v", r)
	}
	cancel()
	if _, f := call.Wait(); f == nil || f.Kind != KindCanceled {
		t.Errorf("got %+v", f)
	}
	<-told
	// A guest that closes the file gives its call up.
	e := c.Open(t.Context())
	_, _ = e.Write([]byte("waits\n{}"))
	go func() { <-started; _ = e.Close() }()
	if got, err := io.ReadAll(e); err != nil || !strings.HasPrefix(string(got), KindCanceled) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSchemasAreCompiledOnce(t *testing.T) {
	s := &Schemas{}
	text := json.RawMessage(`{"type":"object"}`)
	first, err := s.compile(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.compile(append(json.RawMessage(nil), text...)); again != first {
		t.Error("compiled again")
	}
	for i := range 45 {
		if _, err := s.compile(json.RawMessage(fmt.Sprintf(`{"type":"object","description":"%d%s"}`, i, strings.Repeat("x", 100_000)))); err != nil {
			t.Fatal(err)
		}
	}
	if s.size > maxKept || len(s.kept) > 50 {
		t.Errorf("%d schemas of %d bytes are kept", len(s.kept), s.size)
	}
}

// FuzzTalk claims that whatever a guest writes, a tool sees only one object in UTF-8
// that encoding/json reads, and the guest gets an answer of a known kind.
func FuzzTalk(f *testing.F) {
	for _, s := range []string{"a\n{}", "a\n{\"n\":1}", "b\n{\"n\":1e400}", "a\n[[", "\n", "a\n{\"\":{\"a\":[1,null,true,\"\\ud800\"]}} ", "a\n{\"a\":1,\"a\":2}"} {
		f.Add([]byte(s), 3)
	}
	limits := policies.Tools{Calls: 10, MaxRequest: 4096, MaxResponse: 4096, Total: 8192, Timeout: policies.Duration(time.Minute)}
	f.Fuzz(func(t *testing.T, text []byte, pieces int) {
		look := func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			var v map[string]any
			if err := json.Unmarshal(args, &v); err != nil || v == nil {
				t.Errorf("a tool is given %q: %v", args, err)
			}
			return args, nil
		}
		c := open(t, limits, Tool{Name: "a", Call: look}, Tool{Name: "b", Call: look, Schema: json.RawMessage(`{"properties":{"n":{"type":"number","maximum":5}}}`)})
		got := ask(t, c, string(text), max(1, pieces&0xFFFF))
		kind, rest, _ := strings.Cut(got, "\n")
		switch kind {
		case OutcomeOK:
			if !json.Valid([]byte(rest)) {
				t.Errorf("the answer to %q is %q", text, rest)
			}
		case KindUnknown, KindInvalid, KindLimit, KindFailed:
		default:
			t.Errorf("the answer to %q is %q", text, got)
		}
		if r := c.Records(); len(r) != 1 || r[0].Outcome != kind {
			t.Errorf("records %+v after %q", r, got)
		}
	})
}

func BenchmarkTalk(b *testing.B) {
	limits := wide
	limits.Calls, limits.Total = 1<<40, 1<<50
	c := open(b, limits, Tool{Name: "echo", Call: echo, Schema: json.RawMessage(`{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}`)})
	for b.Loop() {
		_, _ = c.Start(b.Context(), "echo", []byte(`{"query":"blue"}`), nil).Wait()
	}
}

// TestCallsLeaveNothing ends with the goroutines of all calls, or fails: so does a bubble.
func TestCallsLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, wide, Tool{Name: "echo", Call: echo}, Tool{Name: "waits", Call: func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan struct{}, 100)
		for i := range 3 * maxRunning {
			c.Start(ctx, "waits", []byte("{}"), func() { ended <- struct{}{} })
			c.Start(ctx, "echo", []byte("{}"), func() { ended <- struct{}{} })
			if i == maxRunning {
				time.Sleep(2 * time.Minute) // of the bubble's: their time is over
			}
		}
		cancel()
		for range 6 * maxRunning {
			<-ended
		}
		synctest.Wait()
		for i, r := range c.Records() {
			if r.Outcome != KindTimeout && r.Outcome != KindCanceled && r.Outcome != OutcomeOK {
				t.Errorf("call %d: %+v", i, r)
			}
		}
	})
}
