// Package tool lets a guest call functions of the program that embeds the host.
//
// A [Tool] is such a function: it has a name, takes one JSON object and gives a JSON
// value. A [Client] serves the tools of one execution. A guest opens a file, writes a
// tool's name and arguments, and reads the answer: a conversation, which
// [Client.Open] is the other end of. A driver whose language waits for several
// things at once starts calls with [Client.Start] instead.
//
// What holds, whatever the guest sends: only a tool of this execution is called, and
// only with arguments that are well-formed, of bounded size and depth, and as the
// tool's schema says; calls, bytes and times are bounded; a tool that fails, panics
// or does not return costs the guest an error, and the host nothing but what the tool
// itself holds on to. What a guest is told of a failure is the text of the tool's own
// error, cut to [MaxError] bytes.
//
// What does not hold: a tool does what it does with the authority of the program that
// registered it. Its arguments are a hostile program's, and the schema is all that
// was checked of them.
//
// A [Client] and its calls may be used concurrently.
package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Tool is a function of the embedding program's that guest code may call.
type Tool struct {
	// Name is what the guest calls it: ASCII letters, digits and underscores, no
	// digit first, at most [MaxName] bytes. Names that begin with two underscores,
	// "then" and "ToolError" mean something else to a guest language and are refused.
	Name string
	// Description is shown to the guest, by help(tools.name) in Python. At most
	// [MaxDescription] bytes.
	Description string
	// Schema is the JSON Schema (draft 2020-12, or 7) of the arguments, which are
	// always one object. Nil accepts any object. It is checked on the host before
	// Call, and must stand alone: it refers to nothing outside of itself. At most
	// [MaxSchema] bytes.
	//
	// encoding/json matches the names of fields in any case, and a schema does not:
	// say "additionalProperties": false, or a guest can set fields by other spellings
	// that the schema never saw.
	Schema json.RawMessage
	// Call runs the tool. args is an object that Schema accepts, without duplicate
	// names, and is Call's to keep. The answer is any JSON value; nil counts as null.
	// An error becomes an exception in the guest, with the error's own text: put
	// nothing into it that the guest may not see. A panic becomes an exception that
	// says nothing, and is logged.
	//
	// ctx ends when the call's time is over, the execution ends or its caller goes. A
	// Call that does not return then is abandoned: the guest gets its exception, and
	// the goroutine stays until Call returns. Call must be safe for concurrent use.
	Call func(ctx context.Context, args json.RawMessage) (json.RawMessage, error)
	// Timeout is the most time one call may take. 0 means the profile's
	// tools.timeout, which bounds it in any case.
	Timeout time.Duration
}

// Bounds of what a request may register.
const (
	MaxTools       = 128
	MaxName        = 64
	MaxDescription = 16 << 10
	MaxSchema      = 256 << 10
	// MaxAbout is the most bytes that all descriptions and schemas have together.
	MaxAbout = 1 << 20
)

// MaxError is the most bytes of a tool's error that a guest is told.
const MaxError = 4 << 10

// ErrInvalid is a tool that cannot be offered. The error says which and why.
var ErrInvalid = errors.New("invalid tool")

// Check says what is wrong with a list of tools, but for their schemas, which
// [Schemas.Compile] checks.
func Check(tools []Tool) error {
	if len(tools) > MaxTools {
		return fmt.Errorf("%w: %d tools, at most %d are accepted", ErrInvalid, len(tools), MaxTools)
	}
	seen := make(map[string]bool, len(tools))
	about := 0
	for i := range tools {
		t := &tools[i]
		if err := t.check(); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if seen[t.Name] {
			return fmt.Errorf("%w: %q is given twice", ErrInvalid, t.Name)
		}
		seen[t.Name] = true
		about += len(t.Description) + len(t.Schema)
	}
	if about > MaxAbout {
		return fmt.Errorf("%w: descriptions and schemas have %d bytes together, at most %d are accepted", ErrInvalid, about, MaxAbout)
	}
	return nil
}

func (t *Tool) check() error {
	switch {
	case !isName(t.Name):
		return fmt.Errorf("name %.80q: want letters, digits and underscores, no digit first, at most %d bytes", t.Name, MaxName)
	case strings.HasPrefix(t.Name, "__"), t.Name == "then", t.Name == "ToolError":
		return fmt.Errorf("name %q means something else to a guest language; choose another", t.Name)
	case t.Call == nil:
		return fmt.Errorf("%q has no function to call", t.Name)
	case t.Timeout < 0:
		return fmt.Errorf("%q: timeout %v is negative", t.Name, t.Timeout)
	case len(t.Description) > MaxDescription || !utf8.ValidString(t.Description):
		return fmt.Errorf("%q: the description has %d bytes; want UTF-8 of at most %d", t.Name, len(t.Description), MaxDescription)
	case len(t.Schema) > MaxSchema:
		return fmt.Errorf("%q: the schema has %d bytes, at most %d are accepted", t.Name, len(t.Schema), MaxSchema)
	}
	return nil
}

func isName(s string) bool {
	ok := s != "" && len(s) <= MaxName && (s[0] < '0' || s[0] > '9')
	for i := range len(s) {
		c := s[i]
		ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_')
	}
	return ok
}

// Record is one call of a tool that the guest made or was refused, for those who look
// after the host.
type Record struct {
	// Name is the tool's; what the guest wrote instead of one is ASCII without control
	// characters, cut to [MaxName] bytes.
	Name string `json:"name"`
	// Outcome is [OutcomeOK] or the kind of the failure, such as [KindTimeout].
	Outcome         string  `json:"outcome"`
	DurationSeconds float64 `json:"duration_seconds"`
	// Sent and Received count the bytes of the arguments and of the answer.
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
	// Error is what the guest was told; empty if it got an answer.
	Error string `json:"error,omitempty"`
}
