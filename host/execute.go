package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/host/fuelprofile"
	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/tool"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// grace is how long after its end a guest may take to notice it. Slices and host
// functions notice within milliseconds; past the grace something on the host's
// side hangs, and the caller gets its answer without the guest's return.
const grace = time.Second

// Execute runs r in a fresh instance, whose interpreter goes on from r.State if there
// is one, and says how it went. A program that fails or reaches a limit is a Result
// with a Status; an error means that there is no result:
//
//   - runtimes.ErrNotFound, policies.ErrNotFound: no such language or profile
//   - policies.ErrInvalid, ErrInvalid: the request is wrong
//   - policies.ErrDenied: the profile does not allow what was asked
//   - ErrState, ErrStateVersion: the state to go on from is damaged, or of another runtime
//   - ErrBusy: too many calls are running and waiting; try again later
//   - ErrClosed: the host was closed
//   - the errors of runtimes.Store when the runtime had to be fetched first
//   - those of [Audit], when the call must be on record and is not: it may have run
//
// When ctx ends while the guest runs, the result's status is canceled; when it
// ends before, Execute returns ctx's error. Safe for concurrent use.
func (h *Host) Execute(ctx context.Context, r Request) (*Result, error) {
	started := time.Now()
	var d decided
	result, err := h.run(ctx, &r, &d)
	if h.audit == nil {
		return result, err
	}
	if lost := h.audit.Record(d.record(&r, result, err, started)); lost != nil {
		return nil, errors.Join(err, fmt.Errorf("keep the audit log: %w", lost))
	}
	return result, err
}

// decided is what became known of a call on its way, for its record: nil is what
// did not.
type decided struct {
	definition *runtimes.Definition
	profile    *policies.Profile // as the request changes it
}

// run is Execute without the record. It fills in d as it goes.
func (h *Host) run(ctx context.Context, r *Request, d *decided) (*Result, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	definition, err := h.registry.Lookup(r.Language)
	if err != nil {
		return nil, err
	}
	d.definition = definition
	if err := h.checkProfiling(r, definition); err != nil {
		return nil, err
	}
	profile, err := h.narrowed(definition, r)
	if err != nil {
		return nil, err
	}
	d.profile = profile
	ctx, done, err := h.enter(ctx)
	if err != nil {
		return nil, err
	}
	c, err := h.admit(ctx, definition, profile, r)
	if err != nil {
		err = causeOf(ctx, err)
		done()
		return nil, err
	}
	d.definition = c.plugin.definition // with the source that was preferred
	return c.execute(ctx, h.admission.leave, done), nil
}

// narrowed is the profile of a request, as the request and the runtime change it.
func (h *Host) narrowed(d *runtimes.Definition, r *Request) (*policies.Profile, error) {
	profile, err := h.policy.Load().Profile(r.Profile)
	if err == nil {
		profile, err = r.narrow(profile)
	}
	if err != nil {
		return nil, err
	}
	return tighten(profile, d.Limits)
}

// admit waits for a slot, which the caller gives back, and makes a call ready to
// run in it.
func (h *Host) admit(ctx context.Context, d *runtimes.Definition, p *policies.Profile, r *Request) (c *call, err error) {
	if err := h.admission.enter(ctx); err != nil {
		return nil, err
	}
	own, err := h.plugin(ctx, d)
	var helper *plugin
	if err == nil {
		helper, err = h.helper(ctx, own.driver, r)
	}
	if err == nil {
		own, err = h.startsFrom(ctx, own, p, r)
	}
	if err == nil {
		c, err = h.newCall(own, p, r)
	}
	if err != nil {
		h.admission.leave()
		return nil, err
	}
	c.helper = helper
	return c, nil
}

// call is one execution on its way through the host.
type call struct {
	host      *Host
	plugin    *plugin
	helper    *plugin // see helped
	profile   *policies.Profile
	request   *Request
	state     *image.State // what it goes on from, or nil
	in        *instance
	workspace *appDir
	mounts    []*os.Root
}

// newCall makes everything a call needs ready, up to the instance.
func (h *Host) newCall(p *plugin, profile *policies.Profile, r *Request) (_ *call, err error) {
	c := &call{host: h, plugin: p, profile: profile, request: r}
	defer func() {
		if err != nil {
			c.close()
			if c.in != nil {
				c.in.release()
			}
		}
	}()
	if c.workspace, err = openAppDir(r.Workspace, h.scratch.dir); err != nil {
		return nil, err
	}
	mounts, err := c.openMounts()
	if err != nil {
		return nil, err
	}
	limit, err := p.pages(profile.Memory)
	if err != nil {
		return nil, err
	}
	if err = c.loadState(); err != nil {
		return nil, err
	}
	if err := c.instance(limit); err != nil {
		return nil, err
	}
	in := c.in
	if err = in.resume(c.state); err != nil {
		return nil, err
	}
	in.fuel.budget = profile.Fuel
	if err = h.offer(c); err != nil {
		return nil, err
	}
	if r.ProfileFuel {
		in.profile = fuelprofile.New(in.fuel.consumed)
	}
	in.state = p.driver.state(c)
	if d, ok := p.driver.(exchanger); ok {
		if in.input, err = d.input(c); err != nil {
			return nil, err
		}
	}
	files := p.virtual(p.driver.files(c))
	if err = h.connect(c, files); err != nil {
		return nil, err
	}
	return c, in.files.Bind(guestfs.Options{
		Mounts:  mounts,
		Virtual: files,
		Base:    c.base(),
		Limits:  fileLimits(profile),
		Charge:  in.moved,
		Denied:  in.denied,
	})
}

// base is where relative paths lead of a module that knows no working directory.
func (c *call) base() string {
	if _, ok := c.plugin.driver.(starter); ok {
		return policies.WorkspacePath
	}
	return ""
}

// instance makes or takes the call's instance and gives it its streams.
func (c *call) instance(limit uint64) (err error) {
	r := *c.request
	if d, ok := c.plugin.driver.(starter); ok {
		s, err := d.start(&r, c.profile)
		if err != nil {
			return err
		}
		if s.stdin != nil {
			r.Stdin = s.stdin
		}
		c.in, err = c.plugin.startInstance(limit, nil, s)
		if err != nil {
			return err
		}
	} else if c.in, err = c.plugin.standby.take(c.plugin, limit); err != nil {
		return err
	}
	c.in.attach(&r, c.profile)
	return nil
}

// denied records a limit on what the guest may keep. The others, on names, depth
// and open files, are ordinary errors, which programs probe for and cope with.
func (in *instance) denied(l guestfs.Limit) {
	in.denial = l
	switch l {
	case guestfs.LimitBytes, guestfs.LimitFiles, guestfs.LimitFileSize:
		in.refused = l
	case guestfs.LimitDepth, guestfs.LimitPath, guestfs.LimitName, guestfs.LimitOpen:
	}
}

// openMounts opens the profile's mounts and the workspace for the guest.
func (c *call) openMounts() ([]guestfs.Mount, error) {
	mounts := []guestfs.Mount{{
		Guest: policies.WorkspacePath, Writable: true, Shared: c.request.WorkspaceShared, Root: c.workspace.open,
	}}
	for _, m := range c.profile.Mounts {
		root, err := os.OpenRoot(m.Host)
		if err != nil {
			return nil, fmt.Errorf("%w: profile %q, key \"mounts\": the host directory of %q: %w", ErrInvalid, c.profile.Name, m.Guest, err)
		}
		c.mounts = append(c.mounts, root)
		mounts = append(mounts, guestfs.Mount{
			Guest: m.Guest, Writable: m.Writable, File: m.File,
			Root: func() (*os.Root, error) { return root, nil },
		})
	}
	return mounts, nil
}

// attach gives the guest its standard streams.
func (in *instance) attach(r *Request, p *policies.Profile) {
	in.stdout = output{limit: uint64(p.Stdout), stream: r.Stdout, forget: r.StreamOnly, moved: in.moved}
	in.stderr = output{limit: uint64(p.Stderr), stream: r.Stderr, forget: r.StreamOnly, moved: in.moved}
	if p.OutputLimit == policies.OutputStop {
		in.stdout.full = func() { in.halt(StatusOutputLimit) }
		in.stderr.full = in.stdout.full
	}
	in.farewell.in = in
	in.stdin = input{reader: r.Stdin, moved: in.moved}
}

func fileLimits(p *policies.Profile) guestfs.Limits {
	return guestfs.Limits{
		MaxBytes: int64(min(p.Disk.Quota, policies.MaxDiskQuota)),       //nolint:gosec // bounded
		MaxFiles: int(min(p.Disk.Files, uint64(policies.MaxDiskFiles))), //nolint:gosec // bounded

		MaxFileSize: int64(min(p.Disk.Largest(), policies.MaxDiskQuota)),       //nolint:gosec // bounded
		MaxDepth:    int(min(p.Disk.Depth, uint64(policies.MaxDiskDepth))),     //nolint:gosec // bounded
		MaxOpen:     int(min(p.Disk.OpenFiles, uint64(policies.MaxOpenFiles))), //nolint:gosec // bounded
	}
}

// close ends what the call holds but its memory. The guest must have returned.
func (c *call) close() {
	if c.in != nil {
		c.in.close()
	}
	for _, root := range c.mounts {
		_ = root.Close()
	}
	if c.workspace != nil {
		c.workspace.close()
	}
}

// execute runs the guest in a goroutine of its own, so that the caller always
// gets an answer: after the deadline and the grace even when the guest is stuck
// in the host. leave is called when the guest has returned, however late, and its
// files are closed; an answer in time comes after that. done is called last, when
// the memory was made fit for another instance, which no caller need wait for.
func (c *call) execute(ctx context.Context, leave, done func()) *Result {
	started := time.Now()
	caller := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(c.profile.Timeout), errTimeout)
	results := make(chan *Result, 1)
	go func() {
		err := c.in.enter(ctx)
		// What the guest wrote may be hashed while time is left, and for half of the
		// grace, so that the caller still waits for the answer.
		r := c.result(caller, started.Add(time.Duration(c.profile.Timeout)+grace/2), err)
		r.DurationSeconds = time.Since(started).Seconds()
		c.close()
		cancel()
		leave()
		results <- r
		c.in.release()
		done()
	}()
	select {
	case r := <-results:
		return r
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case r := <-results:
		return r
	case <-timer.C:
	}
	r := c.abandoned(endOf(ctx))
	r.DurationSeconds = time.Since(started).Seconds()
	return r
}

// moved charges the guest for n bytes that the host copied on its behalf, one
// unit for each 16 bytes as for the guest's own bulk copies. A guest that cannot
// pay, or whose time is up, ends here: one call of the host may move a buffer any
// number of times. What the host looks at when the guest has returned is not charged.
func (in *instance) moved(n int) {
	if in.returned {
		return
	}
	in.fuel.charge(uint64(n) / 16) //nolint:gosec // a length
	if in.fuel.owes() {
		in.stdin.over()
		if !in.fuel.settle() {
			in.halt(StatusOutOfFuel)
		}
	}
}

// check refuses what no profile could allow.
func (r *Request) check() error {
	if len(r.Code) > MaxCode {
		return fmt.Errorf("%w: the program has %d bytes, at most %d are accepted", ErrInvalid, len(r.Code), MaxCode)
	}
	for _, a := range append([]string{r.Filename}, r.Args...) {
		if strings.ContainsRune(a, 0) {
			return fmt.Errorf("%w: argument %q contains a NUL byte", ErrInvalid, a)
		}
	}
	if err := tool.Check(r.Tools); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return r.Preload.check()
}

// tighten returns the profile with those of a runtime's own limits that are lower.
func tighten(p *policies.Profile, own runtimes.Limits) (*policies.Profile, error) {
	var o policies.Overrides
	lower(&o.Fuel, p.Fuel, own.Fuel)
	lower(&o.Memory, p.Memory, policies.Bytes(own.Memory))
	lower(&o.Stdout, p.Stdout, policies.Bytes(own.Stdout))
	lower(&o.Stderr, p.Stderr, policies.Bytes(own.Stderr))
	lower(&o.Timeout, p.Timeout, policies.Duration(own.Timeout))
	return p.With(o)
}

// lower asks for a limit where it is one and below what there is.
func lower[T ~uint64 | ~int64](ask **T, have, own T) {
	if own > 0 && own < have {
		*ask = &own
	}
}

// narrow returns the profile as the request changes it.
func (r *Request) narrow(p *policies.Profile) (_ *policies.Profile, err error) {
	if p, err = p.With(r.Overrides); err != nil {
		return nil, err
	}
	if p, err = p.WithEnv(r.Env); err != nil {
		return nil, err
	}
	return p.WithMounts(r.Mounts...)
}
