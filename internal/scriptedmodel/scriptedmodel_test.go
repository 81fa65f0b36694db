package scriptedmodel

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// post sends a request and returns the status and the answer.
func post(t *testing.T, m *Model, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body)))
	answer, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(answer)
}

const script = `{"steps": [
	{"when": "add", "call": "run", "arguments": {"code": "1 + 1", "retries": 2}},
	{"when": "prints (?P<sum>\\d+)", "call": "run", "arguments": {"code": "${sum} * 2"}},
	{"call": "patch", "input": "+${sum}"},
	{"say": "the sum is ${sum}"}
]}`

func TestAModelRepeatsWhatItHeard(t *testing.T) {
	m, err := Parse([]byte(script))
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct{ input, want string }{
		{`"please add"`, `{"code":"1 + 1","retries":2}`},
		{`[{"role": "user", "content": "add"}, {"type": "function_call_output", "output": "prints 2"}]`, `{"code":"2 * 2"}`},
		{`[{"type": "function_call_output", "output": [{"type": "input_text", "text": "prints 4"}]}]`, "+2"},
		{`[{"type": "custom_tool_call_output", "output": "Done!"}]`, "the sum is 2"},
	} {
		code, answer := post(t, m, "/v1/responses", `{"model": "m", "input": `+tt.input+`, "tools": [{"name": "run"}, {"type": "custom", "name": "patch"}]}`)
		var got struct {
			Output []struct {
				Arguments string
				Input     string
				Content   []struct{ Text string }
			}
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil || code != http.StatusOK || len(got.Output) != 1 {
			t.Fatalf("request %d: status %d, %s", i+1, code, answer)
		}
		text := got.Output[0].Arguments + got.Output[0].Input
		for _, part := range got.Output[0].Content {
			text += part.Text
		}
		if text != tt.want {
			t.Errorf("request %d: %q, want %q", i+1, text, tt.want)
		}
	}
	if m.Left() != 0 {
		t.Errorf("%d steps are left", m.Left())
	}
}

func TestAPatchGoesToTheToolThatThereIs(t *testing.T) {
	const script = `{"steps": [{"call": "apply_patch", "input": "*** Begin Patch\n*** Update File: a b.py\n@@\n-x\n+y\n*** End Patch"}]}`
	for tools, want := range map[string]string{
		`[{"type": "apply_patch"}]`:                      `"operation":{"diff":"@@\n-x\n+y","path":"a b.py","type":"update_file"}`,
		`[{"type": "custom", "name": "apply_patch"}]`:    `"type":"custom_tool_call"`,
		`[{"type": "function", "name": "exec_command"}]`: `does not offer`,
	} {
		m, err := Parse([]byte(script))
		if err != nil {
			t.Fatal(err)
		}
		if _, answer := post(t, m, "/v1/responses", `{"model": "m", "input": "go", "tools": `+tools+`}`); !strings.Contains(answer, want) {
			t.Errorf("%s: %s", tools, answer)
		}
	}
}

func TestAModelRefusesWhatItsScriptDoesNotExpect(t *testing.T) {
	for _, tt := range []struct{ name, path, body, want string }{
		{"another text", "/v1/responses", `{"input": "subtract", "tools": [{"name": "run"}]}`, `waits for`},
		{"no such tool", "/v1/responses", `{"input": "add", "tools": [{"name": "walk"}]}`, `does not offer`},
		{"a stream", "/v1/responses", `{"input": "add", "stream": true}`, `streams`},
		{"nothing said", "/v1/responses", `{"input": []}`, `nothing was said`},
		{"no JSON", "/v1/responses", `add`, `read request`},
		{"another API", "/v1/chat/completions", `{}`, `only POST /v1/responses`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Parse([]byte(script))
			if err != nil {
				t.Fatal(err)
			}
			code, answer := post(t, m, tt.path, tt.body)
			if code < 400 || code >= 500 || !strings.Contains(answer, tt.want) {
				t.Errorf("status %d, %s", code, answer)
			}
			if m.Left() != 4 {
				t.Errorf("%d steps are left: a refused request took one", m.Left())
			}
		})
	}
}

func TestAScriptSaysWhatIsWrongWithIt(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"no steps", `{"steps": []}`, "nothing to answer"},
		{"a step that does nothing", `{"steps": [{"when": "x"}]}`, "step 1"},
		{"a step that does both", `{"steps": [{"say": "x"}, {"say": "x", "call": "y"}]}`, "step 2"},
		{"an input of nothing", `{"steps": [{"say": "x", "input": "y"}]}`, `"input"`},
		{"an input and arguments", `{"steps": [{"call": "x", "input": "y", "arguments": {}}]}`, `"input"`},
		{"a misspelt key", `{"steps": [{"says": "x"}]}`, `"says"`},
		{"no regular expression", `{"steps": [{"when": "(", "say": "x"}]}`, `"when"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse([]byte(tt.script)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
