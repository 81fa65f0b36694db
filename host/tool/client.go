package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/sandboxd/sandboxd/policies"
)

// Options say what a guest may call. They are borrowed and must not change.
type Options struct {
	Tools []Tool
	// Schemas compiles the tools' schemas. Required.
	Schemas *Schemas
	// Limits are the profile's, and Profile its name, for messages.
	Limits  policies.Tools
	Profile string
	// Charge takes fuel from the guest for what the host does before and after a
	// call; what the tool itself does costs none. Nil is allowed. It is called by
	// [Client.Start], [Call.Wait] and a conversation's methods, on their goroutine.
	Charge func(fuel uint64)
	// Log is told of tools that panic. Nil discards it.
	Log *slog.Logger
}

// What the host's work costs the guest, in fuel: about a unit for each nanosecond.
const (
	callCost = 20_000 // looking at a call, and a goroutine
	byteCost = 20     // for each byte of arguments, which are parsed twice
	moveCost = 1      // for each byte of an answer
)

// Client calls the tools of one execution.
type Client struct {
	opts    Options
	tools   map[string]*offered
	running chan struct{} // as many as may run at once

	mu      sync.Mutex
	calls   uint64 // made or refused
	moved   uint64 // bytes, both ways
	records []Record
}

// maxRecorded is the most bytes of a record's error.
const maxRecorded = 512

// offered is a tool with its compiled schema.
type offered struct {
	*Tool

	schema *jsonschema.Resolved // nil for any object
}

// maxRunning is how many calls of one execution run at once. More wait for one of them,
// those included that were abandoned and did not return: so many goroutines a guest can
// leave behind.
const maxRunning = 16

// New returns a client. Tools that cannot be offered are [ErrInvalid].
func New(o Options) (*Client, error) {
	if err := Check(o.Tools); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{opts: o, tools: make(map[string]*offered, len(o.Tools)), running: make(chan struct{}, maxRunning)}
	for i := range o.Tools {
		t := &o.Tools[i]
		schema, err := o.Schemas.compile(t.Schema)
		if err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrInvalid, t.Name, err)
		}
		c.tools[t.Name] = &offered{t, schema}
	}
	return c, nil
}

// About is what a guest is told of its tools, as JSON: a list of objects with name,
// description and schema, in the order of the tools.
func (c *Client) About() []byte {
	type about struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Schema      json.RawMessage `json:"schema,omitempty"`
	}
	list := make([]about, len(c.opts.Tools))
	for i := range c.opts.Tools {
		t := &c.opts.Tools[i]
		list[i] = about{t.Name, t.Description, t.Schema}
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // schemas were parsed
	}
	return text
}

// Records returns the calls so far: at most one more than the profile allows, the last
// saying that there were too many.
func (c *Client) Records() []Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Record(nil), c.records...)
}

// Kinds of failure, as a guest is told them.
const (
	KindUnknown = "unknown" // there is no such tool
	KindInvalid = "invalid" // the arguments are not what the tool takes
	KindLimit   = "limit"   // a limit of the profile is reached
	KindTimeout = "timeout" // no answer in time
	KindFailed  = "failed"  // the tool's own error
	// KindCanceled is a call that had not ended when the execution did.
	KindCanceled = "canceled"
)

// OutcomeOK is the outcome of a call that gave an answer.
const OutcomeOK = "ok"

// Failure is why a guest gets no answer.
type Failure struct {
	Kind    string
	Message string
}

func failuref(kind, format string, args ...any) *Failure {
	return &Failure{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func (c *Client) limitf(key, format string, args ...any) *Failure {
	return failuref(KindLimit, "%s (profile %q, key \"tools.%s\")", fmt.Sprintf(format, args...), c.opts.Profile, key)
}

func (c *Client) charge(fuel uint64) {
	if c.opts.Charge != nil {
		c.opts.Charge(fuel)
	}
}

// spend counts n bytes, or fails when they are too many. They count in any case.
func (c *Client) spend(n int) *Failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved += uint64(n) //nolint:gosec // a length
	if total := c.opts.Limits.Total; c.moved > uint64(total) {
		return c.limitf("total", "the calls of this execution sent and received more than %v", total)
	}
	return nil
}

// begin counts a call and records it. The failure says that there were too many; only
// the first of those is recorded.
func (c *Client) begin(r Record) (index int, f *Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if most := c.opts.Limits.Calls; c.calls > most {
		f = c.limitf("calls", "this execution made %d calls already", most)
		if c.calls > most+1 {
			return -1, f
		}
		r.Outcome, r.Error = f.Kind, f.Message
	}
	c.records = append(c.records, r)
	return len(c.records) - 1, f
}

// Call is one call of a tool.
type Call struct {
	client *Client
	index  int // of its record, or -1
	began  time.Time
	ended  chan struct{} // closed after what follows was set
	once   sync.Once
	notify func() // or nil

	execution context.Context // the call's own ends with it, or earlier
	late      *Failure        // what the guest is told of that

	answer  []byte
	failure *Failure
}

// Start begins to call a tool with arguments, which it copies. It does not wait for the
// tool; ended, if not nil, is called once when the call has ended, on any goroutine. A
// call that is refused has ended when Start returns. The call ends with ctx.
//
// A hostile guest chooses name and args, of any size: they are looked at only as far as
// the limits allow, and a call that is one too many costs it fuel and the host nothing.
func (c *Client) Start(ctx context.Context, name string, args []byte, ended func()) *Call {
	f := c.checkSize(name, len(args))
	if f == nil {
		f = c.spend(len(args))
		args = append([]byte(nil), args...)
	}
	return c.start(ctx, name, args, f, ended)
}

func (c *Client) checkSize(name string, n int) *Failure {
	if most := c.opts.Limits.MaxRequest; uint64(n) > uint64(most) { //nolint:gosec // a length
		return c.limitf("max_request", "the arguments of %s are larger than %v", visible(name), most)
	}
	return nil
}

// start is Start for arguments that were counted, and may be kept; or for a call of
// which a failure is known already.
func (c *Client) start(ctx context.Context, name string, args []byte, known *Failure, ended func()) *Call {
	call := &Call{client: c, began: time.Now(), ended: make(chan struct{}), notify: ended}
	c.charge(callCost)
	t := c.tools[name]
	var f *Failure
	call.index, f = c.begin(Record{Name: visible(name), Outcome: KindCanceled, Sent: int64(len(args))})
	switch {
	case f != nil:
	case t == nil:
		f = failuref(KindUnknown, "this program has no tool %q", visible(name))
	default:
		f = known
	}
	if f != nil {
		call.end(nil, f)
		return call
	}
	c.charge(byteCost * uint64(len(args)))
	timeout := time.Duration(c.opts.Limits.Timeout)
	if t.Timeout > 0 {
		timeout = min(timeout, t.Timeout)
	}
	call.execution, call.late = ctx, failuref(KindTimeout, "%s gave no answer within %v", name, timeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	stop := context.AfterFunc(ctx, call.expire)
	go func() {
		defer cancel()
		defer stop()
		call.run(ctx, t, args)
	}()
	return call
}

// expire ends a call whose context has ended.
func (c *Call) expire() {
	f := c.late
	if c.execution.Err() != nil {
		f = failuref(KindCanceled, "the execution ended before the call did")
	}
	c.end(nil, f)
}

// run runs a tool, on a goroutine that nobody waits for longer than ctx lasts.
func (c *Call) run(ctx context.Context, t *offered, args []byte) {
	select {
	case c.client.running <- struct{}{}:
		defer func() { <-c.client.running }()
	case <-ctx.Done():
		c.expire()
		return
	}
	// What holds if the tool panics, or ends its goroutine.
	var answer []byte
	f := failuref(KindFailed, "%s failed", t.Name)
	defer func() {
		if cause := recover(); cause != nil {
			c.client.opts.Log.Error("a tool panicked", "tool", t.Name, "cause", fmt.Sprintf("%.1000v", cause), "stack", string(debug.Stack()))
		}
		if ctx.Err() != nil {
			c.expire() // whatever the tool says of that
		}
		c.end(answer, f)
	}()
	if err := t.accepts(args); err != nil {
		f = failuref(KindInvalid, "the arguments of %s %s", t.Name, cut(err.Error(), MaxError))
		return
	}
	got, err := t.Call(ctx, args)
	if err != nil {
		f.Message = cut(err.Error(), MaxError)
		return
	}
	answer, f = c.client.take(t, got)
}

// accepts says what is wrong with arguments.
func (t *offered) accepts(args []byte) error {
	object, err := parseObject(args)
	if err != nil || t.schema == nil {
		return err
	}
	if err := t.schema.Validate(object); err != nil {
		return fmt.Errorf("do not match its schema: %w", err)
	}
	return nil
}

// take looks at a tool's answer.
func (c *Client) take(t *offered, answer json.RawMessage) ([]byte, *Failure) {
	if answer == nil {
		answer = json.RawMessage("null")
	}
	switch most := c.opts.Limits.MaxResponse; {
	case uint64(len(answer)) > uint64(most): //nolint:gosec // a length
		return nil, c.limitf("max_response", "the answer of %s is larger than %v", t.Name, most)
	case !json.Valid(answer):
		c.opts.Log.Error("a tool's answer is not JSON", "tool", t.Name)
		return nil, failuref(KindFailed, "%s gave an answer that is not JSON", t.Name)
	}
	if f := c.spend(len(answer)); f != nil {
		return nil, f
	}
	return answer, nil
}

// end ends the call, once.
func (c *Call) end(answer []byte, f *Failure) {
	c.once.Do(func() {
		c.answer, c.failure = answer, f
		c.client.mu.Lock()
		if c.index >= 0 {
			r := &c.client.records[c.index]
			r.DurationSeconds = time.Since(c.began).Seconds()
			r.Received, r.Outcome = int64(len(answer)), OutcomeOK
			if f != nil {
				r.Outcome, r.Error = f.Kind, cut(f.Message, maxRecorded)
			}
		}
		c.client.mu.Unlock()
		close(c.ended)
		if c.notify != nil {
			c.notify()
		}
	})
}

// Wait returns the answer, or why there is none, when the call has ended, which it
// does no later than its context. It is to be called once.
func (c *Call) Wait() ([]byte, *Failure) {
	<-c.ended
	c.client.charge(moveCost * uint64(len(c.answer)))
	return c.answer, c.failure
}
