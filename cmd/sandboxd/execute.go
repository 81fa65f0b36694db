package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// executed is a finished call.
type executed struct {
	result  *host.Result
	midLine bool // the guest left the terminal in the middle of a line
}

// execute starts an engine, runs req on it, in a session unless that is nil, and
// closes it. Unless quiet, the
// guest's output passes through to ours as it is written. Unless alone is set, a daemon
// that serves with the same configuration does it instead. Unless the policy says
// otherwise, this process can open nothing afterwards but what req was granted.
func (a *app) execute(ctx context.Context, policy *policies.Policy, registry *runtimes.Registry, req host.Request, in *inSession, quiet, alone bool) (out executed, err error) {
	if err := checkHardening(policy.Server(), harden.Available()); err != nil {
		return executed{}, err
	}
	if !alone {
		if out, ran, err := a.byDaemon(ctx, policy, registry, req, in, quiet); ran {
			return out, err
		}
	}
	progress := newQuietProgress(a.stderr)
	if !quiet {
		progress = newProgress(a.stderr, isTerminal(a.stderr), patience)
	}
	defer progress.stop()
	if err := a.withPackages(ctx, policy, registry, &req); err != nil {
		return executed{}, err
	}
	o := host.Options{Policy: policy, Registry: registry, Progress: progress.event, Packages: packagedModules(registry)}
	log, err := a.auditLog(policy.Server().Audit, &req)
	if err != nil {
		return executed{}, err
	}
	if log != nil {
		o.Audit = log
		defer func() { err = errors.Join(err, a.closeAudit(log, policy)) }()
	}
	h, err := a.openWith(ctx, o)
	if err != nil {
		return executed{}, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if err := hardened(ctx, h, policy, req, in.remote()); err != nil {
		return executed{}, err
	}

	midLine := false
	stdout := newGuestWriter(a.stdout, progress.stop, &midLine)
	stderr := newGuestWriter(a.stderr, progress.stop, &midLine)
	if !quiet {
		req.Stdout, req.Stderr = stdout, stderr
	}
	execute := h.Execute
	if in != nil {
		execute = in.executor(h)
	}
	result, err := execute(ctx, req)
	progress.stop()
	if err := errors.Join(err, stdout.close(), stderr.close()); err != nil {
		return executed{}, err
	}
	return executed{result, midLine}, nil
}

// guestWriter passes guest output to one of our streams: unchanged when that is
// a file or a pipe, made inert when it is a terminal. It remembers its first
// failure, as the engine only stops writing then, and lets the guest finish.
type guestWriter struct {
	to      io.Writer
	filter  *inertWriter // nil when to is not a terminal
	started func()       // called before the first byte
	err     error
	midLine *bool // set while to is a terminal whose last line is unfinished
}

// newGuestWriter returns a writer to to. Several may share one midLine, as they
// share the terminal, when one goroutine at a time writes to them.
func newGuestWriter(to io.Writer, started func(), midLine *bool) *guestWriter {
	w := &guestWriter{to: to, started: started, midLine: midLine}
	if isTerminal(to) {
		w.filter = &inertWriter{to: to}
		w.to = w.filter
	}
	return w
}

func (w *guestWriter) Write(p []byte) (int, error) {
	if w.err != nil || len(p) == 0 {
		return 0, w.err
	}
	w.started()
	if _, w.err = w.to.Write(p); w.err != nil {
		return 0, w.err
	}
	if w.filter != nil {
		*w.midLine = p[len(p)-1] != '\n'
	}
	return len(p), nil
}

// close writes what the filter held back and reports the first failure.
func (w *guestWriter) close() error {
	if w.err == nil && w.filter != nil {
		w.err = w.filter.flush()
	}
	if w.err != nil {
		return fmt.Errorf("write the program's output: %w", w.err)
	}
	return nil
}
