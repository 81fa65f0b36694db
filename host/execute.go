package host

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// grace is how long after its end a guest may take to notice it. Slices and host
// functions notice within milliseconds; past the grace something on the host's
// side hangs, and the caller gets its answer without the guest's return.
const grace = time.Second

// Execute runs r in a fresh instance and says how it went. A program that fails
// or reaches a limit is a Result with a Status; an error means that there is no
// result:
//
//   - runtimes.ErrNotFound, policies.ErrNotFound: no such language or profile
//   - policies.ErrInvalid, ErrInvalid: the request is wrong
//   - policies.ErrDenied: the profile does not allow what was asked
//   - ErrBusy: too many calls are running and waiting; try again later
//   - ErrClosed: the host was closed
//   - the errors of runtimes.Store when the runtime had to be fetched first
//
// When ctx ends while the guest runs, the result's status is canceled; when it
// ends before, Execute returns ctx's error. Safe for concurrent use.
func (h *Host) Execute(ctx context.Context, r Request) (*Result, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	definition, err := h.registry.Lookup(r.Language)
	if err != nil {
		return nil, err
	}
	profile, err := h.policy.Profile(r.Profile)
	if err != nil {
		return nil, err
	}
	if profile, err = r.narrow(profile); err != nil {
		return nil, err
	}
	ctx, done, err := h.enter(ctx)
	if err != nil {
		return nil, err
	}
	c, err := h.admit(ctx, definition, profile, &r)
	if err != nil {
		err = causeOf(ctx, err)
		done()
		return nil, err
	}
	return c.execute(ctx, func() { h.admission.leave(); done() }), nil
}

// admit waits for a slot, which the caller gives back, and makes a call ready to
// run in it.
func (h *Host) admit(ctx context.Context, d *runtimes.Definition, p *policies.Profile, r *Request) (c *call, err error) {
	if err := h.admission.enter(ctx); err != nil {
		return nil, err
	}
	plugin, err := h.plugin(ctx, d)
	if err == nil {
		c, err = h.newCall(plugin, p, r)
	}
	if err != nil {
		h.admission.leave()
		return nil, err
	}
	return c, nil
}

// call is one execution on its way through the host.
type call struct {
	plugin    *plugin
	profile   *policies.Profile
	request   *Request
	in        *instance
	workspace *workspace
	mounts    []*os.Root
}

// newCall makes everything a call needs ready, up to the instance.
func (h *Host) newCall(p *plugin, profile *policies.Profile, r *Request) (_ *call, err error) {
	c := &call{plugin: p, profile: profile, request: r}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.workspace, err = openWorkspace(r.Workspace, h.scratch); err != nil {
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
	if c.in, err = p.standby.take(p, limit); err != nil {
		return nil, err
	}
	in := c.in
	in.fuel.budget = profile.Fuel
	in.attach(r, profile)
	return c, in.files.Bind(guestfs.Options{
		Mounts:  mounts,
		Virtual: p.driver.files(c),
		Limits:  fileLimits(profile),
		Charge:  in.moved,
		Denied:  in.denied,
	})
}

// denied records a limit on what the guest may keep. The others, on names, depth
// and open files, are ordinary errors, which programs probe for and cope with.
func (in *instance) denied(l guestfs.Limit) {
	switch l {
	case guestfs.LimitBytes, guestfs.LimitFiles, guestfs.LimitFileSize:
		in.refused = l
	case guestfs.LimitDepth, guestfs.LimitPath, guestfs.LimitName, guestfs.LimitOpen:
	}
}

// openMounts opens the profile's mounts and the workspace for the guest.
func (c *call) openMounts() ([]guestfs.Mount, error) {
	mounts := []guestfs.Mount{{Guest: policies.WorkspacePath, Writable: true, Root: c.workspace.open}}
	for _, m := range c.profile.Mounts {
		root, err := os.OpenRoot(m.Host)
		if err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.Guest, err)
		}
		c.mounts = append(c.mounts, root)
		mounts = append(mounts, guestfs.Mount{
			Guest: m.Guest, Writable: m.Writable,
			Root: func() (*os.Root, error) { return root, nil },
		})
	}
	return mounts, nil
}

// attach gives the guest its standard streams.
func (in *instance) attach(r *Request, p *policies.Profile) {
	in.stdout = output{limit: uint64(p.Stdout), stream: r.Stdout, moved: in.moved}
	in.stderr = output{limit: uint64(p.Stderr), stream: r.Stderr, moved: in.moved}
	if p.OutputLimit == policies.OutputStop {
		in.stdout.full = func() { in.halt(StatusOutputLimit) }
		in.stderr.full = in.stdout.full
	}
	in.stdin = input{reader: r.Stdin, moved: in.moved}
}

func fileLimits(p *policies.Profile) guestfs.Limits {
	return guestfs.Limits{
		MaxBytes: int64(min(p.Disk.Quota, policies.MaxDiskQuota)),       //nolint:gosec // bounded
		MaxFiles: int(min(p.Disk.Files, uint64(policies.MaxDiskFiles))), //nolint:gosec // bounded
	}
}

// close releases what the call holds. The guest must have returned.
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
// in the host. done is called when the guest has returned, however late, and
// everything it held was given back; an answer in time comes after that.
func (c *call) execute(ctx context.Context, done func()) *Result {
	started := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(c.profile.Timeout), errTimeout)
	results := make(chan *Result, 1)
	go func() {
		r := c.result(c.in.enter(ctx))
		r.DurationSeconds = time.Since(started).Seconds()
		c.close()
		cancel()
		done()
		results <- r
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
// unit for each 16 bytes as for the guest's own bulk copies.
func (in *instance) moved(n int) {
	in.fuel.charge(uint64(n) / 16) //nolint:gosec // a length
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
	return nil
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
