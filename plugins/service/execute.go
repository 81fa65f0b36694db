package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/policies"
)

// Execution is one program to run.
type Execution struct {
	// ID is how [Service.Cancel] finds it while it runs, unique among those of the
	// caller's owner; empty makes one that nobody knows.
	ID string
	// Request says what to run. Its Caller, Workspace, Session, State and KeepState
	// are the service's to set, and its Profile is one of the caller's. Its Mounts are
	// a grant of the operator's: a front end fills them from its configuration and
	// never from a request.
	Request host.Request
	// Files are put into the workspace first, by path. Those of an execution without a
	// session vanish with it.
	Files map[string][]byte
	// Session is the id of the session to run in. Empty runs in none: the program finds
	// an empty workspace and leaves nothing behind.
	Session string
	// Create makes the session, if it is not there, with Persist.
	Create  bool
	Persist session.Persist
	// ResetState and NoWait are those of [session.Call].
	ResetState, NoWait bool
}

// runKey names an execution under way.
type runKey struct{ owner, id string }

// Execute runs a program for a caller and returns how it went; a failure of the
// program's is no error. The outcome's turn is 0 without a session. It returns the
// errors of [host.Host.Execute] and [session.Store.Run], [ErrDenied], [ErrDraining] and
// [BusyError].
func (s *Service) Execute(ctx context.Context, c Caller, e Execution) (_ *session.Outcome, err error) {
	if e.ID == "" {
		e.ID = rand.Text()
	}
	started := false
	defer func() {
		if err != nil {
			s.observer.Failed(c, err, started)
		}
	}()
	ctx, done, err := s.begin(ctx, runKey{c.Owner, e.ID})
	if err != nil {
		return nil, err
	}
	defer done()
	leave, err := s.limiter.enter(ctx, c, e.Session)
	if err != nil {
		return nil, err
	}
	defer leave()
	started = true
	s.observer.Started(c)
	policy := s.policy.Load()
	out, err := s.execute(ctx, c, e)
	if errors.Is(err, policies.ErrNotFound) && s.replaced(policy) { // nothing has run
		out, err = s.execute(ctx, c, e)
	}
	if err != nil {
		return nil, err
	}
	s.observer.Finished(c, out.Result)
	return out, nil
}

// replaced reports whether another policy is in place than p, when both have one.
func (s *Service) replaced(p *policies.Policy) bool {
	s.replacing.RLock()
	defer s.replacing.RUnlock()
	return s.policy.Load() != p
}

func (s *Service) execute(ctx context.Context, c Caller, e Execution) (*session.Outcome, error) {
	e.Request.Caller = c.Name
	e.Request.Workspace, e.Request.Session, e.Request.State, e.Request.KeepState = "", "", nil, false
	if e.Session == "" {
		return s.alone(ctx, c, e)
	}
	return s.turn(ctx, c, e)
}

// begin registers an execution until done is called.
func (s *Service) begin(ctx context.Context, k runKey) (_ context.Context, done func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		cancel()
		return nil, nil, ErrDraining
	}
	if s.running[k] != nil {
		cancel()
		return nil, nil, fmt.Errorf("%w: an execution %.64q runs already", ErrInvalid, k.id)
	}
	s.running[k] = cancel
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, k)
		s.rest()
	}, nil
}

// rest notices that a service that is to end has nothing to do any more.
func (s *Service) rest() {
	if !s.draining || len(s.running) > 0 {
		return
	}
	select {
	case <-s.idle:
	default:
		close(s.idle)
	}
}

// Drain refuses executions from now on with [ErrDraining], and waits for those that
// are under way. When ctx ends first it cancels them, and waits for what their callers
// get: a result with status canceled.
func (s *Service) Drain(ctx context.Context) {
	s.mu.Lock()
	s.draining = true
	s.rest()
	s.mu.Unlock()
	select {
	case <-s.idle:
		return
	case <-ctx.Done():
	}
	s.mu.Lock()
	for _, cancel := range s.running {
		cancel()
	}
	s.mu.Unlock()
	<-s.idle
}

// Cancel stops an execution of the caller's owner: its program ends within a slice
// of fuel, with status canceled.
func (s *Service) Cancel(c Caller, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cancel := s.running[runKey{c.Owner, id}]
	if cancel == nil {
		return fmt.Errorf("execution %.64q: %w", id, ErrNotFound)
	}
	cancel()
	return nil
}

// alone runs a program in no session.
func (s *Service) alone(ctx context.Context, c Caller, e Execution) (*session.Outcome, error) {
	profile, err := s.profile(c, e.Request.Profile)
	if err != nil {
		return nil, err
	}
	e.Request.Profile = profile.Name
	if len(e.Files) > 0 {
		return s.passing(ctx, c, e)
	}
	result, err := s.engine.Execute(ctx, e.Request)
	if err != nil {
		return nil, err
	}
	return &session.Outcome{Result: result}, nil
}

// passing runs a program that is given files in a session that ends with it.
func (s *Service) passing(ctx context.Context, c Caller, e Execution) (_ *session.Outcome, err error) {
	n, err := s.sessions.Create(ctx, session.Spec{Owner: c.Owner, Language: e.Request.Language, Profile: e.Request.Profile})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.sessions.Remove(context.WithoutCancel(ctx), n.Key(), true)) }()
	if err := s.putAll(ctx, c, n, e.Files); err != nil {
		return nil, err
	}
	out, err := s.sessions.Run(ctx, s.engine, n.Key(), session.Call{Request: e.Request})
	if err != nil {
		return nil, err
	}
	out.Turn, out.Result.SessionID = 0, ""
	return out, nil
}

// turn runs a program in a session.
func (s *Service) turn(ctx context.Context, c Caller, e Execution) (*session.Outcome, error) {
	key := session.Key{Owner: c.Owner, ID: e.Session}
	n, err := s.sessions.Get(ctx, key)
	if e.Create && errors.Is(err, session.ErrNotFound) {
		n, err = s.CreateSession(ctx, c, session.Spec{
			ID: e.Session, Language: e.Request.Language, Profile: e.Request.Profile, Persist: e.Persist,
		})
		if errors.Is(err, session.ErrExists) { // somebody else was faster
			n, err = s.sessions.Get(ctx, key)
		}
	}
	if err != nil {
		return nil, err
	}
	if e.Request.Profile == "" {
		e.Request.Profile = n.Profile
	}
	profile, err := s.profile(c, e.Request.Profile)
	if err != nil {
		return nil, err
	}
	e.Request.Profile = profile.Name
	if err := s.putAll(ctx, c, n, e.Files); err != nil {
		return nil, err
	}
	return s.sessions.Run(ctx, s.engine, key, session.Call{
		Request: e.Request, History: profile.Sessions.History, ResetState: e.ResetState, NoWait: e.NoWait,
	})
}
