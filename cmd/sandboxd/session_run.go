package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// sessionFlags are the flags of "run" about sessions.
type sessionFlags struct {
	id      string
	persist string
	reset   bool
	noWait  bool
}

func (f *sessionFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.id, "session", "", "run in session `id`, which is made if need be: /app is what its last call left")
	flags.StringVar(&f.persist, "persist", "", "what a new session keeps: `level` none, for files only, or state, for the interpreter as well")
	flags.BoolVar(&f.reset, "reset-state", false, "begin with a fresh interpreter; the session's files stay")
	flags.BoolVar(&f.noWait, "no-wait", false, "fail while another call runs in the session, instead of waiting")
}

// inSession is the session that a program is to run in.
type inSession struct {
	store   *session.Store
	storage *storage
	key     session.Key
	flags   sessionFlags
	call    session.Call
	out     *session.Outcome // once it ran
}

// openSession finds the session that f names, which may not be there yet; nil if it
// names none. What the session says applies where f says nothing.
func (a *app) openSession(ctx context.Context, f *runFlags, src *source) (*inSession, error) {
	if f.session.id == "" {
		if f.session != (sessionFlags{}) {
			return nil, errors.New("--persist, --reset-state and --no-wait are about a session; name it with --session")
		}
		return nil, nil //nolint:nilnil // no session is an answer
	}
	storage, err := a.storage(ctx)
	if err != nil {
		return nil, err
	}
	store := session.New(session.Options{Storage: storage})
	in := &inSession{store: store, storage: storage, key: session.Key{ID: f.session.id}, flags: f.session}
	n, err := store.Get(ctx, in.key)
	if errors.Is(err, session.ErrNotFound) {
		return in, nil
	}
	if err != nil {
		return nil, err
	}
	if level := session.Persist(f.session.persist); level != "" && level != n.Persist {
		return nil, fmt.Errorf("--persist %s: session %q was made with %q; make another one, or leave the flag out", level, n.ID, n.Persist)
	}
	if f.profile == "" {
		f.profile = n.Profile
	}
	src.otherwise = n.Language
	return in, nil
}

// enter makes the session if it is not there, and points req at it. It is nil where
// req will be refused, which is left to the host and its audit log.
func (in *inSession) enter(ctx context.Context, policy *policies.Policy, registry *runtimes.Registry, req *host.Request) (*inSession, error) {
	req.Session = in.key.ID
	profile, err := policy.Profile(req.Profile)
	if err == nil {
		_, err = profile.With(req.Overrides)
	}
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // the host says so
	}
	def, err := registry.Lookup(req.Language)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // as above
	}
	in.call = session.Call{Language: def.Name, History: profile.Sessions.History, ResetState: in.flags.reset, NoWait: in.flags.noWait}
	_, err = in.store.Get(ctx, in.key)
	if errors.Is(err, session.ErrNotFound) {
		_, err = in.store.Create(ctx, session.Spec{
			ID: in.key.ID, Language: def.Name, Profile: req.Profile, Persist: session.Persist(in.flags.persist),
		})
	}
	if err != nil && !errors.Is(err, session.ErrExists) { // which somebody else just made
		return nil, err
	}
	// All of the session's directory must be in reach, and out of the guest's: the
	// session shows it one turn's files.
	if req.Workspace, err = in.storage.dir(in.key); err != nil {
		return nil, err
	}
	return in, nil
}

// executor runs requests on h as turns of the session.
func (in *inSession) executor(h *host.Host) func(context.Context, host.Request) (*host.Result, error) {
	return func(ctx context.Context, req host.Request) (_ *host.Result, err error) {
		in.call.Request = req
		if in.out, err = in.store.Run(ctx, h, in.key, in.call); err != nil {
			return nil, err
		}
		return in.out.Result, nil
	}
}

// explain adds a cure to an error where there is one.
func (in *inSession) explain(err error) error {
	if in != nil && errors.Is(err, host.ErrStateVersion) {
		return fmt.Errorf("%w (go on with --reset-state)", err)
	}
	return err
}

// remote reports whether the session is on another machine, and the process needs the
// network for it.
func (in *inSession) remote() bool { return in != nil && in.storage.remote }

// notes tells what the user should know of the session.
func (in *inSession) notes(a *app, r *host.Result) {
	if in == nil {
		return
	}
	for _, warning := range in.out.Warnings {
		a.note("%s", inert(warning))
	}
	if r.StateError != "" {
		a.note("the interpreter's state was not kept, and is as before: %s", inert(r.StateError))
	}
}
