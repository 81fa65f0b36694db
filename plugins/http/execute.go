package httpd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
)

// ExecuteRequest is the body of POST /v1/execute: one program to run.
type ExecuteRequest struct {
	// ID names it for CancelExecution, among the caller's executions.
	ID       string            `json:"id,omitempty"`
	Language string            `json:"language,omitempty"`
	Code     string            `json:"code,omitempty"`
	Filename string            `json:"filename,omitempty"`
	Args     []string          `json:"args,omitempty"`
	Env      map[string]string `json:"env,omitempty"`
	Stdin    string            `json:"stdin,omitempty"`
	Profile  string            `json:"profile,omitempty"`
	Limits   Limits            `json:"limits,omitzero"`
	// Files are put into the workspace first, by path. They are text: others are
	// uploaded to a session.
	Files         map[string]string `json:"files,omitempty"`
	SessionID     string            `json:"session_id,omitempty"`
	CreateSession bool              `json:"create_session,omitempty"`
	Persist       session.Persist   `json:"persist,omitempty"`
	ResetState    bool              `json:"reset_state,omitempty"`
	NoWait        bool              `json:"no_wait,omitempty"`
	// WantValue asks for the result's "value", and ProfileFuel for its "fuel_profile", of
	// runtimes that can tell. Both cost the program fuel, the second most.
	WantValue   bool `json:"want_value,omitempty"`
	ProfileFuel bool `json:"profile_fuel,omitempty"`
	// Interface words the advice in a result for who reads it: empty means for HTTP, and
	// "cli" for the command line.
	Interface guidance.Interface `json:"interface,omitempty"`
}

// Limits are those that a request may change. Sizes and durations are written as in
// sandbox.toml, such as "32MiB" and "1.5s"; sizes may be numbers of bytes too.
type Limits struct {
	Fuel         *uint64   `json:"fuel,omitempty"`
	Memory       *size     `json:"memory,omitempty"`
	Stdout       *size     `json:"stdout,omitempty"`
	Stderr       *size     `json:"stderr,omitempty"`
	Timeout      *duration `json:"timeout,omitempty"`
	DiskQuota    *size     `json:"disk_quota,omitempty"`
	DiskFiles    *uint64   `json:"disk_files,omitempty"`
	DiskFileSize *size     `json:"disk_file_size,omitempty"`
}

// size and duration are those of policies, as JSON has them.
type (
	size     policies.Bytes
	duration policies.Duration
)

func (s *size) UnmarshalJSON(data []byte) error {
	var n uint64
	if json.Unmarshal(data, &n) == nil {
		*s = size(n)
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New(`a size is a number of bytes, or text such as "32MiB"`)
	}
	b, err := policies.ParseBytes(text)
	*s = size(b)
	return err
}

func (d duration) MarshalJSON() ([]byte, error) { return json.Marshal(policies.Duration(d).String()) }

func (d *duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New(`a duration is text with a unit, such as "1.5s"`)
	}
	parsed, err := policies.ParseDuration(text)
	*d = duration(parsed)
	return err
}

// LimitsOf are the limits of a request that changes them so, and whether a request can.
func LimitsOf(o policies.Overrides) (l Limits, ok bool) {
	l = Limits{
		Fuel: o.Fuel, Memory: (*size)(o.Memory), Stdout: (*size)(o.Stdout), Stderr: (*size)(o.Stderr),
		Timeout: (*duration)(o.Timeout), DiskQuota: (*size)(o.DiskQuota), DiskFiles: o.DiskFiles, DiskFileSize: (*size)(o.DiskFileSize),
	}
	return l, o.DiskDepth == nil && o.DiskOpenFiles == nil
}

func (l Limits) overrides() policies.Overrides {
	return policies.Overrides{
		Fuel: l.Fuel, Memory: (*policies.Bytes)(l.Memory), Stdout: (*policies.Bytes)(l.Stdout), Stderr: (*policies.Bytes)(l.Stderr),
		Timeout: (*policies.Duration)(l.Timeout), DiskQuota: (*policies.Bytes)(l.DiskQuota), DiskFiles: l.DiskFiles,
		DiskFileSize: (*policies.Bytes)(l.DiskFileSize),
	}
}

// Execution is what is asked of the service. Nothing in a request can name a path of
// this machine.
func (q *ExecuteRequest) Execution() (service.Execution, error) {
	switch q.Persist {
	case "", session.PersistNone, session.PersistState:
	default:
		return service.Execution{}, fmt.Errorf("%w: persist: %.64q is not \"none\" or \"state\"", service.ErrInvalid, q.Persist)
	}
	if q.Interface == "" {
		q.Interface = guidance.HTTP
	} else if q.Interface != guidance.CLI {
		return service.Execution{}, fmt.Errorf("%w: interface: %.64q is not \"cli\"", service.ErrInvalid, q.Interface)
	}
	e := service.Execution{
		ID: q.ID, Session: q.SessionID, Create: q.CreateSession, Persist: q.Persist, ResetState: q.ResetState, NoWait: q.NoWait,
		Request: host.Request{
			Language: q.Language, Code: []byte(q.Code), Filename: q.Filename, Args: q.Args, Env: q.Env,
			Profile: q.Profile, Overrides: q.Limits.overrides(),
			WantValue: q.WantValue, ProfileFuel: q.ProfileFuel, Interface: q.Interface,
		},
	}
	if q.Stdin != "" {
		e.Request.Stdin = strings.NewReader(q.Stdin)
	}
	if len(q.Files) > 0 {
		e.Files = make(map[string][]byte, len(q.Files))
		for name, text := range q.Files {
			e.Files[name] = []byte(text)
		}
	}
	return e, nil
}

// Result is how a program went: the result of every interface, and what is to be said
// of its session.
type Result struct {
	*host.Result

	// Turn is the session's turn now; 0 without a session.
	Turn int `json:"turn,omitempty"`
	// Warnings are sentences about the session that its user should read.
	Warnings []string `json:"warnings,omitempty"`
}

// ndjson is the media type of one JSON value a line.
const ndjson = "application/x-ndjson"

// execute runs a program and answers with its result: as one JSON document or, for
// those who accept ndjson, as events, of which the last is the result.
func (s *Server) execute(w http.ResponseWriter, r *http.Request) {
	var q ExecuteRequest
	if err := decode(w, r, &q); err != nil {
		s.fail(w, r, err)
		return
	}
	e, err := q.Execution()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), ndjson) {
		s.stream(w, r, e)
		return
	}
	out, err := s.service.Execute(r.Context(), identityOf(r.Context()).caller, e)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, Result{out.Result, out.Turn, out.Warnings})
}

// Event is a line of a streamed execution: a piece of output or, last, the result or
// why there is none.
type Event struct {
	// Stream is "stdout" or "stderr", and Data what was written to it, or Base64 where
	// that is not UTF-8.
	Stream string  `json:"stream,omitempty"`
	Data   string  `json:"data,omitempty"`
	Base64 []byte  `json:"base64,omitempty"`
	Result *Result `json:"result,omitempty"`
	Error  *Fault  `json:"error,omitempty"`
}

// stream runs a program and writes its output as it comes. Nothing but the piece on its
// way is in memory: a caller who reads slowly holds its own program up, until its
// deadline, and one who is gone ends it.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, e service.Execution) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	events, gone := make(chan Event), make(chan struct{})
	stdout := &pieces{stream: "stdout", to: events, gone: gone}
	stderr := &pieces{stream: "stderr", to: events, gone: gone}
	e.Request.Stdout, e.Request.Stderr = stdout, stderr

	type outcome struct {
		out *session.Outcome
		err error
	}
	outcomes := make(chan outcome, 1)
	go func() {
		out, err := s.service.Execute(ctx, identityOf(ctx).caller, e)
		outcomes <- outcome{out, err}
	}()
	lines := &lines{w: w}
	var o outcome
	for ended := false; !ended; {
		select {
		case event := <-events:
			if lines.write(event) != nil {
				cancel()
			}
		case o = <-outcomes:
			ended = true
		}
	}
	close(gone) // a program that had to be abandoned may still write
	if o.err != nil && !lines.begun {
		s.fail(w, r, o.err)
		return
	}
	if o.err != nil {
		_, p := s.problemOf(r, o.err)
		_ = lines.write(Event{Error: &p.Error})
		return
	}
	for _, p := range []*pieces{stdout, stderr} {
		if rest := p.rest(); len(rest) > 0 {
			_ = lines.write(p.event(rest))
		}
	}
	result := *o.out.Result
	result.Stdout, result.Stderr = "", "" // they were streamed
	_ = lines.write(Event{Result: &Result{&result, o.out.Turn, o.out.Warnings}})
}

// lines writes events.
type lines struct {
	w     http.ResponseWriter
	begun bool
	err   error
}

func (l *lines) write(e Event) error {
	if l.err != nil {
		return l.err
	}
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", ndjson)
		l.w.Header().Set("X-Content-Type-Options", "nosniff")
	}
	enc := json.NewEncoder(l.w)
	enc.SetEscapeHTML(false)
	if l.err = enc.Encode(e); l.err == nil {
		l.err = http.NewResponseController(l.w).Flush()
	}
	return l.err
}

// maxPiece is the most output in one event.
const maxPiece = 64 << 10

var errGone = errors.New("nobody reads the output any more")

// pieces makes events of what a program writes, until gone is closed.
type pieces struct {
	stream string
	to     chan<- Event
	gone   <-chan struct{}

	mu   sync.Mutex
	held []byte // the beginning of a character
}

// rest is what was written of a character that never ended. gone is closed.
func (p *pieces) rest() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

func (p *pieces) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for rest := data; len(rest) > 0; {
		n := min(len(rest), maxPiece)
		piece := append(bytes.Clone(p.held), rest[:n]...)
		rest = rest[n:]
		whole := wholeRunes(piece)
		p.held = bytes.Clone(piece[whole:])
		if whole == 0 {
			continue
		}
		select {
		case p.to <- p.event(piece[:whole]):
		case <-p.gone:
			return 0, errGone
		}
	}
	return len(data), nil
}

func (p *pieces) event(piece []byte) Event {
	if utf8.Valid(piece) {
		return Event{Stream: p.stream, Data: string(piece)}
	}
	return Event{Stream: p.stream, Base64: piece}
}

// wholeRunes is the length of p without a character that only begins at its end.
func wholeRunes(p []byte) int {
	for i := len(p) - 1; i >= 0 && i > len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}
