package jsonedit_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/sandboxd/sandboxd/internal/jsonedit"
)

type entry struct {
	Command string `json:"command"`
}

func TestEverythingElseStaysAsItIs(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"nothing":          {"", "{\n  \"servers\": {\n    \"s\": {\n      \"command\": \"c\"\n    }\n  }\n}\n"},
		"an empty object":  {"{ }", "{\n  \"servers\": {\n    \"s\": {\n      \"command\": \"c\"\n    }\n  }\n}"},
		"no such group":    {"{\"a\":1}", "{\n  \"servers\": {\n    \"s\": {\n      \"command\": \"c\"\n    }\n  },\"a\":1}"},
		"an empty group":   {"{\"servers\": {}}", "{\"servers\": {\n    \"s\": {\n      \"command\": \"c\"\n    }\n  }}"},
		"others in it":     {"{\"servers\": { \"b\" : [1] }, \"z\":1.50}", "{\"servers\": {\n    \"s\": {\n      \"command\": \"c\"\n    }, \"b\" : [1] }, \"z\":1.50}"},
		"an older version": {"{\"servers\":{\"s\":{\"x\":1},\"b\":2}}", "{\"servers\":{\"s\":{\n      \"command\": \"c\"\n    },\"b\":2}}"},
	} {
		got, err := jsonedit.Set([]byte(c.before), "servers", "s", entry{"c"})
		if err != nil || string(got) != c.after {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.after)
		}
	}
}

func TestAnEntryGoesWithItsComma(t *testing.T) {
	for before, after := range map[string]string{
		`{"servers":{"a":1,"s":2,"b":3}}`: `{"servers":{"a":1,"b":3}}`,
		`{"servers":{"s":2, "b":3}}`:      `{"servers":{"b":3}}`,
		`{"servers":{ "s":2 },"a":1}`:     `{"servers":{},"a":1}`,
		`{"servers":{"s":1,"s":2,"b":3}}`: `{"servers":{"b":3}}`,
		`{"a":{"s":1}}`:                   `{"a":{"s":1}}`,
		``:                                ``,
	} {
		got, err := jsonedit.Remove([]byte(before), "servers", "s")
		if err != nil || string(got) != after {
			t.Errorf("%s: got %q, %v, want %q", before, got, err, after)
		}
	}
}

func TestWhatIsNoPlainJSONIsRefused(t *testing.T) {
	for _, data := range []string{"{ // comment\n}", "[]", "null", "{} {}", `{"servers":[]}`, `{"servers":{},}`, "{"} {
		if got, err := jsonedit.Set([]byte(data), "servers", "s", 1); !errors.Is(err, jsonedit.ErrSyntax) {
			t.Errorf("%q: got %q, %v", data, got, err)
		}
	}
}

func FuzzSet(f *testing.F) {
	for _, data := range []string{"", "{}", `{"servers":{"a":{"b":"}"}},"c":"{"}`, `{"servers":{"s":1}}`, `{"\u0073ervers":{}}`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := jsonedit.Set(data, "servers", "s", 1)
		if err != nil {
			t.Skip()
		}
		var before, after map[string]any
		_ = json.Unmarshal(data, &before)
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q became %q: %v", data, got, err)
		}
		if before == nil {
			before = map[string]any{}
		}
		group, _ := before["servers"].(map[string]any)
		if group == nil {
			group = map[string]any{}
		}
		group["s"], before["servers"] = 1.0, group
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q", data, got)
		}
		if _, err := jsonedit.Remove(got, "servers", "s"); err != nil {
			t.Errorf("remove from %q: %v", got, err)
		}
	})
}
