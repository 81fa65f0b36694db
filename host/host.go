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
	// Progress is told of work that takes long: fetching and preparing a
	// runtime. Nil means silence.
	Progress runtimes.Progress
	// Log receives the host's own failures; nil discards them.
	Log *slog.Logger
}

// Host runs requests. Make one with [Open].
type Host struct {
	policy    *policies.Policy
	registry  *runtimes.Registry
	store     *runtimes.Store
	scratch   string
	progress  runtimes.Progress
	log       *slog.Logger
	admission *admission

	closing context.Context // ends when Close begins
	cancel  context.CancelFunc

	mu      sync.Mutex
	closed  bool
	plugins map[string]*preparation
	calls   sync.WaitGroup
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
	h := &Host{policy: o.Policy, registry: o.Registry, progress: o.Progress, log: o.Log}
	if h.policy == nil {
		h.policy = policies.Builtin()
	}
	if h.registry == nil {
		if h.registry, err = runtimes.Builtin(); err != nil {
			return nil, err
		}
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.store, err = runtimes.OpenStore(o.CacheDir); err != nil {
		return nil, err
	}
	if h.scratch, err = os.MkdirTemp("", "sandboxd-"); err != nil {
		return nil, fmt.Errorf("make a directory for workspaces: %w", err)
	}
	server := h.policy.Server()
	running := server.MaxConcurrent
	if running == 0 {
		running = defaultConcurrency * runtime.GOMAXPROCS(0)
	}
	queue := server.Queue
	if queue == 0 {
		queue = defaultQueue * running
	}
	h.admission = newAdmission(running, queue)
	h.plugins = map[string]*preparation{}
	h.closing, h.cancel = context.WithCancel(context.Background())
	return h, nil
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
	definition, err := h.registry.Lookup(language)
	if err != nil {
		return err
	}
	ctx, done, err := h.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, err = h.plugin(ctx, definition); err != nil {
		return causeOf(ctx, err)
	}
	return nil
}

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
	for _, p := range h.plugins {
		if p.plugin != nil {
			errs = append(errs, p.plugin.close())
		}
	}
	errs = append(errs, os.RemoveAll(h.scratch))
	return errors.Join(errs...)
}
