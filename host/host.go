// Package host runs programs that nobody has read yet.
//
// A [Host] turns a [Request] into a [Result]: it prepares the runtime's module
// once, and then runs every request in a fresh instance of it, under the limits
// of a profile. An instance is used for one call and thrown away. The guest sees
// its mounts, its declared environment, a clock and randomness, and nothing else.
//
// A Host is safe for concurrent use. What it does not protect against: bugs in
// wazero's compiler, and hardware side channels.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/sandboxd/sandboxd/host/tool"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// Classes of error, for errors.Is.
var (
	// ErrBusy means that the host runs and queues as much as it may: come back.
	ErrBusy = errors.New("busy")
	// ErrClosed means that Close was called.
	ErrClosed = errors.New("host is closed")
	// ErrInvalid means that the request cannot be run by any profile.
	ErrInvalid = errors.New("invalid request")
	// ErrState means that a request's State is damaged: its session has to go on
	// from an earlier one, or from none.
	ErrState = errors.New("damaged state")
	// ErrStateVersion means that a request's State is whole, and of another runtime,
	// or of this one as it was before it was prepared again.
	ErrStateVersion = errors.New("the runtime was upgraded; reset the state")
)

// Options configure a Host. The zero value of a field is described with it.
type Options struct {
	// Policy holds the profiles; nil means the built-in ones.
	Policy *policies.Policy
	// Registry holds the runtimes; nil means the built-in ones.
	Registry *runtimes.Registry
	// CacheDir keeps downloaded and prepared modules. Required. It is made with
	// mode 0700 and must belong to this user alone, since it holds native code.
	CacheDir string
	// Optimize makes runtimes faster when they are prepared, with wasm-opt, which
	// takes a minute and needs Node.js and npm; without them a warning is given and
	// a plain runtime is prepared. Runtimes that were optimized before, by any Host
	// with the same CacheDir, are used in any case.
	Optimize bool
	// Compiler compiles modules that do not come with sandboxd. Nil means that they are
	// compiled in this process, which a module can be made to occupy or to end.
	Compiler *Compiler
	// Progress is told of work that takes long: fetching and preparing a
	// runtime. Nil means silence.
	Progress runtimes.Progress
	// Audit is given a record of every call, of those that are refused too; nil
	// keeps none. The host does not close it.
	Audit Audit
	// Getenv reads the variables of sandboxd's own environment that hold secrets
	// which profiles name in network.headers. Nil means that there are none.
	Getenv func(name string) string
	// Packages names the modules of a language that programs can import beside its
	// library, for advice to those that try others. Nil means that there are none. It
	// is called from several goroutines.
	Packages func(language string) []string
	// Log receives the host's own failures; nil discards them.
	Log *slog.Logger
}

// Host runs requests. Make one with [Open].
type Host struct {
	policy     atomic.Pointer[policies.Policy]
	registry   *runtimes.Registry
	store      *runtimes.Store
	scratch    *scratch
	optimizing bool
	compiler   *Compiler
	progress   runtimes.Progress
	audit      Audit
	log        *slog.Logger
	getenv     func(string) string
	schemas    tool.Schemas // of the tools that requests bring
	packages   func(string) []string
	admission  *admission

	sealed  atomic.Bool     // see PrepareFor
	closing context.Context // ends when Close begins
	cancel  context.CancelFunc

	mu       sync.Mutex
	closed   bool
	plugins  map[string]*preparation
	reserved []*use
	calls    sync.WaitGroup
}

// defaultConcurrency is how many instances run at once for each processor where
// the policy does not say. Above one, because sleeping guests hold a slot.
const defaultConcurrency = 4

// defaultQueue is how many calls may wait for each that runs.
const defaultQueue = 16

// wasiOutput is a variable by which the Extism library, whatever its value, ignores
// the output streams it is given.
const wasiOutput = "EXTISM_ENABLE_WASI_OUTPUT"

// Open returns a Host. It fetches and compiles nothing yet: a runtime is
// prepared when it is first used, or by [Host.Prepare]. The caller closes it.
func Open(_ context.Context, o Options) (_ *Host, err error) {
	if _, set := os.LookupEnv(wasiOutput); set { //nolint:forbidigo // the engine's library reads it, at every call
		return nil, fmt.Errorf("open host: the environment holds %s, which sends what guests write to this process's own output, past every limit; remove it", wasiOutput)
	}
	if o.CacheDir == "" {
		return nil, errors.New("open host: no cache directory")
	}
	h := &Host{registry: o.Registry, progress: o.Progress, audit: o.Audit, log: o.Log, optimizing: o.Optimize, compiler: o.Compiler, getenv: o.Getenv, packages: o.Packages}
	if o.Policy == nil {
		o.Policy = policies.Builtin()
	}
	h.policy.Store(o.Policy)
	if h.registry == nil {
		if h.registry, err = runtimes.Builtin(); err != nil {
			return nil, err
		}
	}
	if h.getenv == nil {
		h.getenv = func(string) string { return "" }
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.store, err = runtimes.OpenStore(o.CacheDir); err != nil {
		return nil, err
	}
	if h.scratch, err = openScratch(); err != nil {
		return nil, err
	}
	h.admission = newAdmission(capacity(o.Policy.Server()))
	h.plugins = map[string]*preparation{}
	h.closing, h.cancel = context.WithCancel(context.Background())
	return h, nil
}

// capacity is how many calls may run at once, and how many may wait.
func capacity(server policies.Server) (running, queue int) {
	running = server.MaxConcurrent
	if running == 0 {
		running = defaultConcurrency * runtime.GOMAXPROCS(0)
	}
	queue = server.Queue
	if queue == 0 {
		queue = defaultQueue * running
	}
	return running, queue
}

// SetPolicy puts another policy in place for calls from now on. Those that run keep
// the profile they began with, and those that wait do too. How many may run and wait
// changes with it: where fewer may run than do, the next ones wait until enough have
// ended, and nobody who waits already is sent away.
func (h *Host) SetPolicy(p *policies.Policy) {
	h.policy.Store(p)
	h.admission.resize(capacity(p.Server()))
}

// Load says how busy a Host is.
type Load struct {
	Running, Slots int // calls that run, and how many may
	Waiting, Queue int // calls that wait for their turn, and how many may
	// Instances are the copies of runtimes that have memory: those of the calls that
	// run, of those that were abandoned, and Standby.
	Instances int
	// Standby are instances that were made ahead.
	Standby int
}

// Load returns how busy the host is at this moment. Safe for concurrent use.
func (h *Host) Load() Load {
	var l Load
	l.Running, l.Slots, l.Waiting, l.Queue = h.admission.load()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.plugins {
		select {
		case <-p.done:
		default:
			continue // still prepared
		}
		if p.plugin != nil {
			l.Instances += int(p.plugin.instances.Load())
			l.Standby += p.plugin.standby.count()
		}
	}
	return l
}

// enter counts a call in, or refuses it once the host is closing or its ctx has
// ended. The context it returns ends when ctx does and when the host closes; the
// caller calls done when nothing uses it any more.
func (h *Host) enter(ctx context.Context) (_ context.Context, done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil, ErrClosed
	}
	h.calls.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.closing, func() { cancel(ErrClosed) })
	return ctx, func() { stop(); cancel(nil); h.calls.Done() }, nil
}

// causeOf says why a call that entered ended without a result: the host closed,
// its caller gave up, or, if neither, err.
func causeOf(ctx context.Context, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), ErrClosed):
		return ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

// Prepare makes a runtime ready, so that the first call does not pay for it:
// fetches the module if it is not cached, meters and compiles it. It returns the
// errors of [Host.Execute] that concern the runtime. Safe for concurrent use;
// work that is under way already is waited for, not repeated.
func (h *Host) Prepare(ctx context.Context, language string) error {
	return h.prepareFor(ctx, &Request{Language: language})
}

// PrepareFor is Prepare for a process that gives up its rights next, to run one
// request: it also makes ready what only some programs of a language need, such as a
// compiler. Afterwards [Host.Execute] reads nothing but what the request grants, and
// calls load nothing in their middle. What a program may come to need is a guess, from
// its text and from the names of the files in its workspace and mounts.
func (h *Host) PrepareFor(ctx context.Context, r *Request) error {
	defer h.sealed.Store(true)
	return h.prepareFor(ctx, r)
}

func (h *Host) prepareFor(ctx context.Context, r *Request) error {
	definition, err := h.registry.Lookup(r.Language)
	if err != nil {
		return err
	}
	ctx, done, err := h.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := h.plugin(ctx, definition)
	if err == nil {
		err = h.prepareImage(ctx, p, definition, r)
	}
	if err == nil {
		_, err = h.helper(ctx, p.driver, r)
	}
	if err == nil {
		err = h.foresee(ctx, p.driver, r)
	}
	if err != nil {
		return causeOf(ctx, err)
	}
	return nil
}

// Scratch is the directory, empty between calls, in which temporary workspaces are
// made. Close deletes it.
func (h *Host) Scratch() string { return h.scratch.dir }

// Close cancels the calls that run, refuses those that wait, waits for guests to
// return, and releases everything. It may be called twice.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()

	h.cancel()
	h.calls.Wait()
	var errs []error
	for _, shares := range []bool{true, false} { // before what they share
		for _, p := range h.plugins {
			if p.plugin != nil && shares == (p.plugin.base != nil) {
				errs = append(errs, p.plugin.close())
			}
		}
	}
	for _, held := range h.reserved {
		errs = append(errs, held.Close())
	}
	errs = append(errs, h.scratch.close())
	return errors.Join(errs...)
}
