package mcp

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
)

// executeInput is what execute_code is asked. A hostile client can say anything here:
// package service checks ids, names and rights, the profile bounds the rest, and the
// size of the message bounds what is decoded.
type executeInput struct {
	Code        string      `json:"code" jsonschema:"the program's source text, as it would be in a file"`
	Language    string      `json:"language,omitempty" jsonschema:"the program's language; left out, that of the session, or python"`
	SessionID   string      `json:"session_id,omitempty" jsonschema:"run in this session, and find its files (and variables, if it keeps state); left out, run in a fresh sandbox that leaves nothing behind"`
	Profile     string      `json:"profile,omitempty" jsonschema:"the limits to run under; list_profiles shows them"`
	Timeout     float64     `json:"timeout,omitempty" jsonschema:"seconds after which to stop the program, fewer than the profile allows"`
	Stdin       string      `json:"stdin,omitempty" jsonschema:"what the program reads as standard input"`
	Args        []string    `json:"args,omitempty" jsonschema:"the program's arguments"`
	Files       []fileInput `json:"files,omitempty" jsonschema:"files to put below /app before the program runs"`
	ExecutionID string      `json:"execution_id,omitempty" jsonschema:"a name of your own for this run, for cancel_execution"`
	ResetState  bool        `json:"reset_state,omitempty" jsonschema:"begin with a fresh interpreter in a session that keeps state; its files stay"`
}

// fileInput is a file that a client sends.
type fileInput struct {
	Path     string `json:"path" jsonschema:"where it goes, such as data.csv or /app/data.csv"`
	Content  string `json:"content" jsonschema:"what it holds"`
	Encoding string `json:"encoding,omitempty" jsonschema:"utf-8 (the default) for text, base64 for anything else"`
}

// bytes is the content of a file that was sent.
func (f fileInput) bytes() ([]byte, error) {
	switch f.Encoding {
	case "", encodingText:
		return []byte(f.Content), nil
	case encodingBase64:
		data, err := base64.StdEncoding.DecodeString(f.Content)
		if err != nil {
			return nil, fmt.Errorf("%w: content of %.256q is no base64: %w", service.ErrInvalid, f.Path, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("%w: encoding %.32q of %.256q: use %s or %s", service.ErrInvalid, f.Encoding, f.Path, encodingText, encodingBase64)
}

// execution is what execute_code answers: the result that sandboxd gives everywhere,
// and what is known of the session.
type execution struct {
	host.Result

	ExecutionID string   `json:"execution_id"`
	Turn        int      `json:"turn,omitempty" jsonschema:"the session's turn that this run made"`
	Warnings    []string `json:"warnings,omitempty" jsonschema:"what its user should know of the session"`
}

func (c *client) addExecution() {
	add(c, tool{
		name: "execute_code", title: "Run a program in the sandbox", text: c.describeExecution(), effect: destroys,
		open: c.reachesOut(),
		tailor: func(s *jsonschema.Schema) {
			c.tailored(s)
			s.Properties["timeout"].ExclusiveMinimum = new(float64)
			s.Properties["files"].Items.Properties["encoding"].Enum = []any{encodingText, encodingBase64}
		},
	}, c.execute)
	add(c, tool{
		name: "cancel_execution", title: "Stop running programs", effect: destroysTo,
		text: lines("Stop programs of yours that run: the one of execution_id, those of session_id, or with neither all of them.",
			"The calls that wait for them return at once with status \"canceled\", and what the programs printed so far.",
			"Examples: {\"execution_id\": \"train\"}; {\"session_id\": \"report\"}; {}"),
		tailor: c.tailored,
	}, c.cancel)
}

// execute runs a program.
func (c *client) execute(ctx context.Context, req *sdk.CallToolRequest, in executeInput) (reply[execution], error) {
	none := reply[execution]{}
	e, err := c.asked(ctx, in)
	if err != nil {
		return none, err
	}
	id, done, err := c.begin(in.ExecutionID, in.SessionID)
	if err != nil {
		return none, err
	}
	defer done()
	e.ID = id
	live := c.relay(ctx, req)
	defer live.close()
	e.Request.Stdout, e.Request.Stderr = live.stream("stdout"), live.stream("stderr")

	var out *session.Outcome
	var images []sdk.Content
	if in.SessionID == "" && mayDraw(in.Code) {
		out, images, err = c.drawn(ctx, e)
	} else if out, err = c.service.Execute(ctx, c.caller, e); err == nil && in.SessionID != "" {
		images = c.imagesOf(ctx, in.SessionID, out.Result)
	}
	if err != nil {
		return none, err
	}
	live.close()
	r := out.Result
	c.metrics.executed(r)
	if in.SessionID != "" {
		c.changed(ctx, in.SessionID, r)
	}
	said := execution{Result: *r, ExecutionID: id, Turn: out.Turn, Warnings: out.Warnings}
	return reply[execution]{
		out: said, text: readable(&said), failed: !r.Success,
		more: append(shownImages(r), images...),
	}, nil
}

// asked translates what a client asks for.
func (c *client) asked(ctx context.Context, in executeInput) (service.Execution, error) {
	none := service.Execution{}
	e := service.Execution{Session: in.SessionID, ResetState: in.ResetState, Request: host.Request{
		Interface: guidance.MCP, Language: in.Language, Code: []byte(in.Code), Profile: in.Profile, Args: in.Args,
		Mounts: c.external, WantValue: true,
	}}
	if in.Language == "" {
		e.Request.Language = c.defaultLanguage()
		if in.SessionID != "" {
			n, err := c.service.Session(ctx, c.caller, in.SessionID)
			if err != nil {
				return none, missing(err)
			}
			e.Request.Language = n.Language
		}
	}
	if in.Stdin != "" {
		e.Request.Stdin = strings.NewReader(in.Stdin)
	}
	if in.Timeout != 0 {
		if !(in.Timeout > 0 && in.Timeout <= math.MaxInt64/float64(2*time.Second)) {
			return none, fmt.Errorf("%w: timeout %v is not a number of seconds", service.ErrInvalid, in.Timeout)
		}
		timeout := policies.Duration(in.Timeout * float64(time.Second))
		e.Request.Overrides.Timeout = &timeout
	}
	if len(in.Files) > 0 {
		e.Files = make(map[string][]byte, len(in.Files))
	}
	for _, f := range in.Files {
		name, err := relative(f.Path)
		if err != nil {
			return none, err
		}
		if e.Files[name], err = f.bytes(); err != nil {
			return none, err
		}
	}
	return e, nil
}

// missing adds how to make a session to an error that says that there is none.
func missing(err error) error {
	if errors.Is(err, session.ErrNotFound) {
		return fmt.Errorf("%w; make it with create_session, or leave session_id out", err)
	}
	return err
}

// drawn runs a program that may make images in a session that ends with it, so that
// they can be read.
func (c *client) drawn(ctx context.Context, e service.Execution) (_ *session.Outcome, _ []sdk.Content, err error) {
	id := "passing-" + strings.ToLower(rand.Text())
	_, err = c.service.CreateSession(ctx, c.caller, session.Spec{ID: id, Language: e.Request.Language, Profile: e.Request.Profile})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, c.service.Destroy(context.WithoutCancel(ctx), c.caller, id)) }()
	e.Session = id
	out, err := c.service.Execute(ctx, c.caller, e)
	if err != nil {
		return nil, nil, err
	}
	images := c.imagesOf(ctx, id, out.Result)
	out.Turn, out.Result.SessionID = 0, ""
	return out, images, nil
}

// readable is what a model reads of a result that reads no structure: what the program
// printed, and how it went where that is worth knowing.
func readable(e *execution) string {
	var b strings.Builder
	b.WriteString(e.Stdout)
	newline := func() {
		if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
			b.WriteString("\n")
		}
	}
	if e.StdoutTruncated {
		newline()
		b.WriteString("[stdout was cut: the profile keeps no more of it]\n")
	}
	if e.Stderr != "" {
		newline()
		b.WriteString("[stderr]\n" + e.Stderr)
	}
	if text := e.Value["text/plain"]; text != "" {
		newline()
		b.WriteString("[value] " + text)
	}
	newline()
	if !e.Success {
		fmt.Fprintf(&b, "[%s, exit code %d]", e.Status, e.ExitCode)
		if g := e.Error; g != nil {
			fmt.Fprintf(&b, " %s: %s", g.Type, g.Message)
			if g.Line > 0 {
				fmt.Fprintf(&b, " (line %d)", g.Line)
			}
			for _, sentence := range g.Guidance {
				b.WriteString("\n- " + sentence)
			}
		}
		newline()
	}
	for _, change := range []struct {
		verb  string
		files []host.File
	}{{"created", e.FilesCreated}, {"modified", e.FilesModified}} {
		for i, f := range change.files {
			if i == 20 {
				fmt.Fprintf(&b, "[and %d more]\n", len(change.files)-i)
				break
			}
			fmt.Fprintf(&b, "[%s %q, %d bytes]\n", change.verb, f.Path, f.Size)
		}
	}
	if advice := e.FuelAnalysis.Recommendation; advice != "" {
		b.WriteString("[fuel] " + advice + "\n")
	}
	for _, w := range e.Warnings {
		b.WriteString("[note] " + w + "\n")
	}
	if e.StateError != "" {
		b.WriteString("[note] the interpreter's state was not kept: " + e.StateError + "\n")
	}
	if b.Len() == 0 {
		return "[ok, no output]"
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

type cancelInput struct {
	ExecutionID string `json:"execution_id,omitempty" jsonschema:"the execution to stop"`
	SessionID   string `json:"session_id,omitempty" jsonschema:"stop what runs in this session"`
}

type canceled struct {
	Canceled []string `json:"canceled" jsonschema:"the executions that were told to stop"`
}

func (c *client) cancel(_ context.Context, _ *sdk.CallToolRequest, in cancelInput) (reply[canceled], error) {
	ids := []string{in.ExecutionID}
	if in.ExecutionID == "" {
		ids = c.underWay(in.SessionID)
	}
	stopped := []string{}
	for _, id := range ids {
		switch err := c.service.Cancel(c.caller, id); {
		case err == nil:
			stopped = append(stopped, id)
		case in.ExecutionID != "":
			return reply[canceled]{}, err
		}
	}
	text := "Nothing of yours runs there."
	if len(stopped) > 0 {
		text = "Stopped " + strings.Join(stopped, ", ") + "."
	}
	return reply[canceled]{out: canceled{stopped}, text: text}, nil
}
