// Package scriptedmodel plays a model: it speaks as much of the OpenAI Responses API as
// the Agents SDKs use, and answers from a script instead of a neural network.
package scriptedmodel

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
)

// maxRequest bounds a request, in bytes. It holds a whole conversation.
const maxRequest = 8 << 20

// Step is one answer of the model: a tool call, or a text that ends the turn.
type Step struct {
	// When is a regular expression that the newest thing said to the model, a tool's
	// output or the user's text, must match; anything does if it is empty. Its named
	// groups may be used in this step and in those after it, as ${name}, so that the
	// model can do only what it was told it could.
	When string `json:"when,omitempty"`

	// Call is the tool to call, with Arguments, or with Input if the tool takes free text
	// and not JSON. To an agent that offers the API's own tool for patches, a patch of one
	// file goes as that tool's call.
	Call      string         `json:"call,omitempty"`
	Arguments map[string]any `json:"arguments,omitempty"`
	Input     string         `json:"input,omitempty"`

	// Say is the text to say if there is no Call.
	Say string `json:"say,omitempty"`

	when *regexp.Regexp
}

// Model is an http.Handler that answers each request with the next step of a script.
// It refuses a request that the step is not meant for, with a status that the SDKs do
// not try again. It may be used by several goroutines; requests are answered in turn.
type Model struct {
	mu    sync.Mutex
	steps []Step
	next  int
	known map[string]string // what groups of earlier steps matched
}

// Load reads a script: a JSON object whose "steps" are a list of [Step].
func Load(path string) (*Model, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the user names the script
	if err != nil {
		return nil, fmt.Errorf("load script: %w", err)
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("load script %q: %w", path, err)
	}
	return m, nil
}

// Parse reads a script from its text.
func Parse(data []byte) (*Model, error) {
	var script struct {
		Steps []Step `json:"steps"`
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&script); err != nil {
		return nil, err
	}
	if len(script.Steps) == 0 {
		return nil, errors.New(`"steps" is empty: there is nothing to answer`)
	}
	for i := range script.Steps {
		step := &script.Steps[i]
		if (step.Call == "") == (step.Say == "") {
			return nil, fmt.Errorf(`step %d: give either "call" or "say"`, i+1)
		}
		if step.Input != "" && (step.Call == "" || step.Arguments != nil) {
			return nil, fmt.Errorf(`step %d: "input" is what a "call" without "arguments" has`, i+1)
		}
		var err error
		if step.when, err = regexp.Compile(step.When); err != nil {
			return nil, fmt.Errorf(`step %d: "when": %w`, i+1, err)
		}
	}
	return &Model{steps: script.Steps, known: map[string]string{}}, nil
}

// Left is the number of steps that nobody has asked for yet.
func (m *Model) Left() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.steps) - m.next
}

// request is what is read of a request.
type request struct {
	Model  string          `json:"model"`
	Stream bool            `json:"stream"`
	Input  json.RawMessage `json:"input"`
	Tools  []struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tools"`
}

// ServeHTTP answers POST /v1/responses.
func (m *Model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/responses" {
		refuse(w, http.StatusNotFound, fmt.Sprintf("%s %s: only POST /v1/responses is played", r.Method, r.URL.Path))
		return
	}
	var req request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&req); err != nil {
		refuse(w, http.StatusBadRequest, "read request: "+err.Error())
		return
	}
	if req.Stream {
		refuse(w, http.StatusBadRequest, "streams are not played: run the agent without them")
		return
	}
	heard, err := newest(req.Input)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	number, output, err := m.answer(req, heard)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"id": fmt.Sprintf("resp_%d", number), "object": "response", "created_at": 0, "status": "completed",
		"model": req.Model, "output": []any{output}, "error": nil, "incomplete_details": nil,
		"instructions": nil, "metadata": map[string]any{}, "parallel_tool_calls": false,
		"temperature": 1, "top_p": 1, "tool_choice": "auto", "tools": []any{},
		"usage": map[string]any{
			"input_tokens": 0, "output_tokens": 0, "total_tokens": 0,
			"input_tokens_details":  map[string]any{"cached_tokens": 0, "cache_write_tokens": 0},
			"output_tokens_details": map[string]any{"reasoning_tokens": 0},
		},
	})
}

// answer plays the next step and returns its number and its output item.
func (m *Model) answer(req request, heard string) (int, any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next == len(m.steps) {
		return 0, nil, fmt.Errorf("the script ended after %d steps; heard: %q", m.next, heard)
	}
	step, number := m.steps[m.next], m.next+1
	groups := step.when.FindStringSubmatch(heard)
	if groups == nil {
		return 0, nil, fmt.Errorf("step %d waits for %q, and heard: %q", number, step.When, heard)
	}
	for i, name := range step.when.SubexpNames() {
		if name != "" {
			m.known[name] = groups[i]
		}
	}
	if step.Call == "" {
		text, err := m.fill(step.Say)
		if err != nil {
			return 0, nil, fmt.Errorf("step %d: %w", number, err)
		}
		m.next++
		return number, map[string]any{
			"id": fmt.Sprintf("msg_%d", number), "type": "message", "role": "assistant", "status": "completed",
			"content": []any{map[string]any{"type": "output_text", "text": text, "annotations": []any{}}},
		}, nil
	}
	offered, patches := false, false
	for _, tool := range req.Tools {
		patch := tool.Type == patchTool && tool.Name == ""
		offered = offered || tool.Name == step.Call || patch && step.Call == patchTool
		patches = patches || patch
	}
	if !offered {
		return 0, nil, fmt.Errorf("step %d calls %q, which the agent does not offer", number, step.Call)
	}
	if step.Input != "" {
		text, err := m.fill(step.Input)
		if err != nil {
			return 0, nil, fmt.Errorf("step %d: %w", number, err)
		}
		m.next++
		if patches && step.Call == patchTool {
			return number, map[string]any{
				"id": fmt.Sprintf("apc_%d", number), "type": "apply_patch_call", "status": "completed",
				"call_id": fmt.Sprintf("call_%d", number), "operation": operation(text),
			}, nil
		}
		return number, map[string]any{
			"id": fmt.Sprintf("ctc_%d", number), "type": "custom_tool_call", "status": "completed",
			"call_id": fmt.Sprintf("call_%d", number), "name": step.Call, "input": text,
		}, nil
	}
	arguments := make(map[string]any, len(step.Arguments))
	for key, value := range step.Arguments {
		if text, ok := value.(string); ok {
			filled, err := m.fill(text)
			if err != nil {
				return 0, nil, fmt.Errorf("step %d: %w", number, err)
			}
			value = filled
		}
		arguments[key] = value
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		return 0, nil, fmt.Errorf("step %d: %w", number, err)
	}
	m.next++
	return number, map[string]any{
		"id": fmt.Sprintf("fc_%d", number), "type": "function_call", "status": "completed",
		"call_id": fmt.Sprintf("call_%d", number), "name": step.Call, "arguments": string(text),
	}, nil
}

// patchTool is the API's own tool for patches, and what agents call theirs.
const patchTool = "apply_patch"

// operation is a patch of one file as the API's own tool takes it.
func operation(patch string) map[string]any {
	patch = strings.TrimSuffix(strings.TrimPrefix(patch, "*** Begin Patch\n"), "*** End Patch")
	header, diff, _ := strings.Cut(patch, "\n")
	what, path, _ := strings.Cut(strings.TrimPrefix(header, "*** "), " File: ")
	operation := map[string]any{"type": map[string]string{"Add": "create_file", "Update": "update_file", "Delete": "delete_file"}[what], "path": path}
	if what != "Delete" {
		operation["diff"] = strings.TrimSuffix(diff, "\n")
	}
	return operation
}

var reference = regexp.MustCompile(`\$\{(\w+)\}`)

// fill puts what was heard in the place of ${name}.
func (m *Model) fill(text string) (string, error) {
	var unknown error
	filled := reference.ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, ok := m.known[name]
		if !ok {
			unknown = fmt.Errorf("%s: no step up to here has a group of that name", ref)
		}
		return value
	})
	return filled, unknown
}

// newest is the text of the last item of a conversation.
func newest(input json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(input, &text) == nil {
		return text, nil
	}
	var items []struct {
		Output  json.RawMessage `json:"output"`
		Content json.RawMessage `json:"content"`
	}
	if err := json.Unmarshal(input, &items); err != nil {
		return "", fmt.Errorf("read input: %w", err)
	}
	if len(items) == 0 {
		return "", errors.New("read input: nothing was said")
	}
	last := items[len(items)-1]
	if last.Output != nil {
		return flat(last.Output), nil
	}
	return flat(last.Content), nil
}

// flat is the text of a content, which is a string or a list of parts.
func flat(content json.RawMessage) string {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return text
	}
	var parts []struct {
		Text string `json:"text"`
	}
	var part struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(content, &parts) == nil {
		var all []string
		for _, p := range parts {
			all = append(all, p.Text)
		}
		return strings.Join(all, "\n")
	}
	if json.Unmarshal(content, &part) == nil && part.Text != "" {
		return part.Text
	}
	return string(content)
}

func refuse(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]any{"error": map[string]any{"type": "invalid_request_error", "message": "scripted model: " + message}})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the SDK went away: there is nobody to tell
}
