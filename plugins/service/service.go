// Package service is what every front end serves: executions, sessions and their
// files, for callers that the front end authenticated. The gRPC plugin, the daemon
// and the MCP server are translations of it, so that a right is checked, a limit
// held and an error worded in one place.
//
// A Service is safe for concurrent use.
package service

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// Options configure a Service.
type Options struct {
	// Engine runs the programs; [host.Host] is one. Required. It is not closed.
	Engine session.Executor
	// Policy holds the profiles, the same as the engine's. Required.
	Policy *policies.Policy
	// Registry holds the runtimes, the same as the engine's. Required.
	Registry *runtimes.Registry
	// Sessions keeps the sessions. Required.
	Sessions *session.Store
	// Observer is told of executions. Nil means nobody is.
	Observer Observer
}

// Service serves callers. Make one with [New].
type Service struct {
	engine session.Executor
	policy atomic.Pointer[policies.Policy]

	replacing sync.RWMutex // held while the policies are not the same

	registry *runtimes.Registry
	sessions *session.Store
	observer Observer
	limiter  limiter

	mu       sync.Mutex
	running  map[runKey]func() // each cancels an execution
	draining bool
	idle     chan struct{} // closed when draining and nothing runs
}

// New returns a Service.
func New(o Options) (*Service, error) {
	if o.Engine == nil || o.Policy == nil || o.Registry == nil || o.Sessions == nil {
		return nil, errors.New("service: an engine, a policy, a registry and sessions are required")
	}
	s := &Service{
		engine: o.Engine, registry: o.Registry, sessions: o.Sessions, observer: o.Observer,
		limiter: limiter{meters: map[meterKey]*meter{}},
		running: map[runKey]func(){}, idle: make(chan struct{}),
	}
	if s.observer == nil {
		s.observer = nobody{}
	}
	s.policy.Store(o.Policy)
	return s, nil
}

// SetPolicy puts another policy in place for requests from now on. The engine has
// one of its own, which must be the same.
func (s *Service) SetPolicy(p *policies.Policy) { s.policy.Store(p) }

// SetPolicyWith is SetPolicy for a service whose engine has a policy of its own, which
// engine replaces: no execution fails because one was replaced before the other.
func (s *Service) SetPolicyWith(p *policies.Policy, engine func()) {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	engine()
	s.policy.Store(p)
}

// Caller is whom a request came from, as the front end authenticated them: never
// what the request itself says. The zero Caller is the user that sandboxd runs as.
type Caller struct {
	// Name says in the audit log who asked.
	Name string
	// Owner is whose sessions the caller sees: at most [session.MaxOwner] bytes. Two
	// callers of one Owner share them.
	Owner string
	// Profiles are those that the caller may use, the first of them by default; nil
	// means all, and the policy's default.
	Profiles []string
	// Remote says that the caller may not learn paths of this machine.
	Remote bool
	// Limits are what the caller may ask for; the zero value sets none. All callers of
	// one Name share them.
	Limits Limits
}

// profile finds a profile that the caller may use; empty is the caller's default.
func (s *Service) profile(c Caller, name string) (*policies.Profile, error) {
	if c.Profiles == nil {
		return s.policy.Load().Profile(name)
	}
	if len(c.Profiles) == 0 || name != "" && !slices.Contains(c.Profiles, name) {
		return nil, fmt.Errorf("%w: profile %.64q is not one of yours, which are %q", ErrDenied, name, c.Profiles)
	}
	if name == "" {
		name = c.Profiles[0]
	}
	return s.policy.Load().Profile(name)
}

// Profiles lists what the caller may run programs under, the default one first.
func (s *Service) Profiles(c Caller) ([]*policies.Profile, error) {
	policy := s.policy.Load()
	names := c.Profiles
	if names == nil {
		others := slices.DeleteFunc(policy.Names(), func(name string) bool { return name == policy.Default() })
		names = append([]string{policy.Default()}, others...)
	}
	list := make([]*policies.Profile, len(names))
	for i, name := range names {
		var err error
		if list[i], err = policy.Profile(name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Runtimes lists the languages.
func (s *Service) Runtimes() []*runtimes.Definition { return s.registry.All() }
