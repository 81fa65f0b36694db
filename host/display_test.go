package host_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
)

func TestWhatAProgramShowsIsInTheResult(t *testing.T) {
	h := shared(t)
	r := execute(t, h, host.Request{Language: "python", Code: []byte(`
class Table:
    def _repr_html_(self): return "<table></table>"
    def __repr__(self): return "Table()"
display(Table(), {"a": [1, None]}, "te\nxt\ud800")
display(b"\x89PNG\r\n\x1a\n", mime="image/png")
`)})
	want := []host.Bundle{
		{"text/html": "<table></table>", "text/plain": "Table()"},
		{"application/json": `{"a": [1, null]}`, "text/plain": "{'a': [1, None]}"},
		{"text/plain": "te\nxt?", "application/json": `"te\nxt?"`},
		{"image/png": "iVBORw0KGgo="},
	}
	if !slices.EqualFunc(r.Displays, want, func(a, b host.Bundle) bool { return maps.Equal(a, b) }) || r.Value != nil || r.Stdout != "" {
		t.Errorf("got %q, value %q, stdout %q, %s", r.Displays, r.Value, r.Stdout, r.Stderr)
	}
}

func TestWhatJavaScriptShows(t *testing.T) {
	h := shared(t)
	r := execute(t, h, host.Request{Language: "javascript", Profile: "free", Code: []byte(`
display({ a: [1, null] });
display(Buffer.from('89504e470d0a1a0a', 'hex'), { mime: 'image/png' });
display({ 'text/plain': 'a', 'text/html': '<i>a</i>' }, { bundle: true });
try {
	for (let i = 0; i < 9; i++) display('x'.repeat(1 << 20), { mime: 'text/plain' });
} catch (e) {
	console.log(e.code, e.message);
}`)})
	want := []host.Bundle{
		{"text/plain": "{ a: [ 1, null ] }", "application/json": `{"a":[1,null]}`},
		{"image/png": "iVBORw0KGgo="},
		{"text/plain": "a", "text/html": "<i>a</i>"},
	}
	if len(r.Displays) != 10 || !slices.EqualFunc(r.Displays[:3], want, func(a, b host.Bundle) bool { return maps.Equal(a, b) }) {
		t.Errorf("got %.300q, %s", r.Displays, r.Stderr)
	}
	if !strings.HasPrefix(r.Stdout, "ENOSPC display: ") {
		t.Errorf("got %q", r.Stdout)
	}
}

func TestArtifactsAreDeclared(t *testing.T) {
	h := shared(t)
	for language, code := range map[string]string{
		"python":     "open('r.txt', 'w').close()\nartifact('r.txt', title='Report')",
		"javascript": "writeText('r.txt', ''); artifact('r.txt', { title: 'Report' })",
	} {
		r := execute(t, h, host.Request{Language: language, Code: []byte(code)})
		if !slices.Equal(r.Artifacts, []host.Artifact{{Path: "/app/r.txt", Title: "Report"}}) {
			t.Errorf("%s: %+v, %s", language, r.Artifacts, r.Stderr)
		}
	}
}

func TestTheValueOfTheLastExpression(t *testing.T) {
	h := shared(t)
	tests := map[string]struct {
		code, text, json string
	}{
		"a number":                  {"x = 6\nx * 7", "42", "42"},
		"text, as it would be read": {"'a\\'b'", `"a'b"`, `"a'b"`},
		"what JSON has not":         {"{1, 2}", "{1, 2}", ""},
		"not a number":              {"float('nan')", "nan", ""},
		"None":                      {"print('x')", "", ""},
		"a statement":               {"x = 1", "", ""},
		"nothing":                   {"", "", ""},
		"a call of its own":         {"def f():\n    return [1]\nf()", "[1]", "[1]"},
		"from the future":           {"from __future__ import annotations\ndef f(x: y): pass\nf.__annotations__", "{'x': 'y'}", `{"x": "y"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := execute(t, h, host.Request{Language: "python", Code: []byte(tt.code), WantValue: true})
			if !r.Success || r.Value["text/plain"] != tt.text || r.Value["application/json"] != tt.json {
				t.Errorf("got %q, %+v", r.Value, r.Error)
			}
		})
	}
	for name, tt := range map[string]struct {
		code, kind string
		line       int
	}{
		"a syntax error":        {"x = 1\nx =", "SyntaxError", 2},
		"in the last statement": {"x = 1\n1 / 0", "ZeroDivisionError", 2},
		"before it":             {"x = 1 / 0\n1", "ZeroDivisionError", 1},
	} {
		t.Run(name, func(t *testing.T) {
			plain := execute(t, h, host.Request{Language: "python", Code: []byte(tt.code)})
			r := execute(t, h, host.Request{Language: "python", Code: []byte(tt.code), WantValue: true})
			if r.Error == nil || r.Error.Type != tt.kind || r.Error.Line != tt.line || r.Stderr != plain.Stderr {
				t.Errorf("got %+v, and\n%s\nnot\n%s", r.Error, r.Stderr, plain.Stderr)
			}
		})
	}
}

func TestAHostileProgramShowsNoMoreThanItMay(t *testing.T) {
	h := shared(t)
	r := execute(t, h, host.Request{Language: "python", Profile: "free", Code: []byte(`
import os
def tell(data):
    file = os.open("/.sandboxd/display", os.O_WRONLY)
    try:
        os.write(file, data)
    finally:
        os.close(file)
for bundle in b'{"text/x": "a"}', b'{"image/png": "iVBO"}', b'{"image/png": "!"}', b'{"application/json": "{"}', b'{}':
    tell(b'{"display": ' + bundle + b'}')
for _ in range(200):
    display("x")
try:
    for _ in range(9):
        display("x" * (1 << 20))
except OSError as error:
    print(error.strerror)
tell(b'{"display": {"text/plain": "more"}} [')
tell(b'{"value": {"text/plain": "forged"}}')
`)})
	if !r.Success || len(r.Displays) != host.MaxDisplays || !strings.Contains(r.Stdout, "8 MiB") {
		t.Errorf("%s: %d bundles, %s%s", r.Status, len(r.Displays), r.Stdout, r.Stderr)
	}
	for _, bundle := range r.Displays {
		if len(bundle) != 2 || bundle["text/plain"] == "" {
			t.Fatalf("got %.100q", bundle)
		}
	}
	if r.Value != nil {
		t.Errorf("behind what is no JSON: %q", r.Value)
	}
}

func FuzzShown(f *testing.F) {
	f.Add([]byte(`{"display":{"text/plain":"a","image/png":"iVBORw0KGgo="}}{"value":{"application/json":"1"}}`))
	f.Add([]byte(`{"display":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := host.Shown(data)
		if len(r.Displays) > host.MaxDisplays {
			t.Errorf("%d bundles", len(r.Displays))
		}
		for _, bundle := range append(r.Displays, r.Value) {
			for kind, content := range bundle {
				if kind == "image/png" && !strings.HasPrefix(content, "iVBORw0KGg") {
					t.Errorf("%q is no picture", content)
				}
			}
		}
	})
}
