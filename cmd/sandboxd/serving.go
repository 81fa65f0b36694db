package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/audit"
	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// serving is a process that runs programs for others: what "plugin", "mcp" and "serve"
// have in common.
type serving struct {
	app      *app
	log      *slog.Logger
	began    *policies.Policy // what it began with, whose settings of the process apply
	registry *runtimes.Registry
	sessions *storage
	store    *session.Store
	audit    *audit.Writer // nil where nothing is recorded
	host     *host.Host
	packaged *packaged // the engine that serves
	hardened bool      // it has given up what it does not need

	// onDemand loads languages that are not ready when somebody calls for them, and not
	// all that there are before.
	onDemand bool
}

// open opens everything that programs need, under the policy that s began with. shown
// is what they see beside what profiles grant. The caller closes s; where open fails
// there is nothing to close.
func (s *serving) open(ctx context.Context, o host.Options, shown []policies.Mount) (err error) {
	server := s.began.Server()
	if err := checkHardening(server, harden.Available()); err != nil {
		return err
	}
	if s.registry, err = s.app.registry(); err != nil {
		return err
	}
	if err := s.app.checkPreloaded(s.began, s.registry); err != nil {
		return err // before anybody is answered
	}
	if s.sessions, err = s.app.openStorage(ctx, server.Sessions); err != nil {
		return err
	}
	if err := checkSessions(server.Audit, s.sessions.root); err != nil {
		return err
	}
	for _, m := range shown {
		if place := filepath.Join(m.Host, m.File); policies.Overlap(place, s.sessions.root) {
			return fmt.Errorf("external files: %q and the sessions in %q overlap, which programs must not see; show something else, or use another --data-dir", place, s.sessions.root)
		}
	}
	s.store = session.New(session.Options{Storage: s.sessions})
	if s.audit, err = s.app.auditLog(server.Audit, &host.Request{Mounts: shown}); err != nil {
		return err
	}
	o.Policy, o.Registry, o.Packages = s.began, s.registry, packagedModules(s.registry)
	if s.audit != nil {
		o.Audit = s.audit
	}
	if s.host, err = s.app.openWith(ctx, o); err != nil {
		return errors.Join(err, s.closeAudit())
	}
	s.packaged = s.app.packaged(s.host, s.registry)
	return nil
}

// close ends all that runs and reports every failure.
func (s *serving) close() error { return errors.Join(s.host.Close(), s.closeAudit()) }

func (s *serving) closeAudit() error {
	if s.audit == nil {
		return nil
	}
	return s.app.closeAudit(s.audit, s.began)
}

// prepare makes languages ready, and the packages of all profiles: those of names, or
// all. One that cannot be had ends it. Where nobody asked for it, or it may still come on
// demand, it is left out, unless there would be none at all.
func (s *serving) prepare(ctx context.Context, names []string) error {
	asked, prepare := len(names) > 0, s.host.PrepareFor
	if s.onDemand {
		prepare = func(ctx context.Context, r *host.Request) error { return s.host.Prepare(ctx, r.Language) }
	}
	if !asked {
		for _, def := range s.registry.All() {
			names = append(names, def.Name)
		}
	}
	var also []string
	for _, name := range names {
		if def, err := s.registry.Lookup(name); err == nil && def.Name == name {
			also = append(also, def.Aliases...) // an alias may need more than the name
		}
	}
	var ready []string
	var problems []error
	for i, name := range slices.Concat(names, also) {
		err := prepare(ctx, &host.Request{Language: name})
		switch {
		case err == nil:
			ready = append(ready, name)
		case ctx.Err() != nil || asked && i < len(names) && !s.onDemand:
			return err
		default:
			problems = append(problems, err)
			s.log.Warn("a runtime is left out", "runtime", name, "error", err)
		}
	}
	if len(ready) == 0 && !s.onDemand {
		return fmt.Errorf("no runtime can be had: %w", errors.Join(problems...))
	}
	s.log.Info("prepared", "runtimes", ready)
	if err := s.packaged.load(ctx, s.began); err != nil {
		return err
	}
	s.app.collectLess()
	return nil
}

// heapGrowth is by how many percent the heap of a server may grow between two garbage
// collections. Each looks at all that is known of the runtimes' compiled code, which is
// most of the heap and stays; by Go's own setting, a busy server does so dozens of times a
// second, for a fifth of its throughput. Guests' memory is not on the heap.
const heapGrowth = 300

// collectLess has garbage collected less often than Go would by itself, unless GOGC says
// how often. To be called when runtimes are ready: compiling one makes much garbage.
func (a *app) collectLess() {
	if a.getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}

// harden gives up what the process does not need while it runs programs under any
// profile that it began with, unless the policy wants nothing given up. own is what it
// needs beside what all do. The cache can be read, as it holds what is loaded on demand,
// and not be changed: whoever could write to it would have code executed by the next
// sandboxd.
func (s *serving) harden(own harden.Options) error {
	if s.began.Server().Harden == policies.HardenNever {
		return nil
	}
	cache, err := s.app.cache()
	if err != nil {
		return err
	}
	packages, err := s.app.packagesDir()
	if err != nil {
		return err
	}
	if s.onDemand {
		added, err := s.app.userRuntimes()
		if err != nil {
			return err
		}
		own.Read = append(own.Read, added)
		s.host.Reserve() // it could not prepare again what others prune
	}
	own.Temporary = append(own.Temporary, s.host.Scratch())
	own.Write = append(own.Write, s.sessions.root)
	own.Read = append(own.Read, cache, packages)
	own.Network = own.Network || s.sessions.remote
	allow(&own, grantsOf(s.began))
	report, err := giveUp(own, s.began.Server())
	if err != nil {
		return err
	}
	s.hardened = true
	s.log.Info("hardened", "layers", report.String())
	return nil
}

// giveUp keeps what o says, and where the audit log is.
func giveUp(o harden.Options, server policies.Server) (harden.Report, error) {
	if server.Audit.File != "" {
		o.Write = append(o.Write, filepath.Dir(server.Audit.File))
	}
	report, err := harden.Apply(o)
	if err != nil {
		return nil, fmt.Errorf(`%w (set "harden = false" below [server] to run without)`, err)
	}
	return report, nil
}

// grant is something of this machine that profiles let programs use.
type grant struct {
	path     string
	writable bool
	network  bool
}

// grantsOf lists what a policy's profiles grant.
func grantsOf(policy *policies.Policy) []grant {
	var all []grant
	for _, name := range policy.Names() {
		profile, err := policy.Profile(name)
		if err != nil {
			continue // it is one of its names
		}
		all = append(all, grantsOfProfile(profile)...)
	}
	return all
}

func grantsOfProfile(profile *policies.Profile) []grant {
	all := grantsOfMounts(profile.Mounts)
	if len(profile.Network.Allow) > 0 {
		all = append(all, grant{network: true})
	}
	for _, header := range profile.Network.Headers {
		if header.File != "" {
			all = append(all, grant{path: header.File})
		}
	}
	return all
}

func grantsOfMounts(mounts []policies.Mount) []grant {
	var all []grant
	for _, m := range mounts {
		all = append(all, grant{path: m.Host, writable: m.Writable})
	}
	return all
}

// allow keeps what grants are about.
func allow(o *harden.Options, grants []grant) {
	for _, g := range grants {
		switch {
		case g.network:
			o.Network = true
		case g.writable:
			o.Write = append(o.Write, g.path)
		default:
			o.Read = append(o.Read, g.path)
		}
	}
}

// gate is an engine that programs wait for until it is open.
type gate struct {
	session.Executor

	done chan struct{}
	err  error // why it cannot be used; read after done is closed
}

func newGate(e session.Executor) *gate { return &gate{Executor: e, done: make(chan struct{})} }

// open lets programs pass, or fail with err if that is not nil.
func (g *gate) open(err error) {
	g.err = err
	close(g.done)
}

// Execute implements [session.Executor].
func (g *gate) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	select {
	case <-g.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if g.err != nil {
		return nil, g.err
	}
	return g.Executor.Execute(ctx, r)
}
