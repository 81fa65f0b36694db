package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/policies"
)

// CreateSession makes a session of the caller's; the spec's owner is set here, and
// its profile is one of the caller's.
func (s *Service) CreateSession(ctx context.Context, c Caller, spec session.Spec) (*session.Session, error) {
	definition, err := s.registry.Lookup(spec.Language)
	if err != nil {
		return nil, err
	}
	profile, err := s.profile(c, spec.Profile)
	if err != nil {
		return nil, err
	}
	spec.Owner, spec.Language, spec.Profile = c.Owner, definition.Name, profile.Name
	return s.sessions.Create(ctx, spec)
}

// Session describes a session of the caller's.
func (s *Service) Session(ctx context.Context, c Caller, id string) (*session.Session, error) {
	return s.sessions.Get(ctx, session.Key{Owner: c.Owner, ID: id})
}

// Sessions lists the caller's sessions, the one used last first.
func (s *Service) Sessions(ctx context.Context, c Caller) ([]*session.Session, error) {
	return s.sessions.List(ctx, c.Owner)
}

// Turns lists the turns of a session that are kept, the oldest first.
func (s *Service) Turns(ctx context.Context, c Caller, id string) ([]*session.Turn, error) {
	return s.sessions.Turns(ctx, session.Key{Owner: c.Owner, ID: id})
}

// Fork makes a session out of a turn of another one; see [session.Store.Fork].
func (s *Service) Fork(ctx context.Context, c Caller, id string, turn int, as string) (*session.Session, error) {
	return s.sessions.Fork(ctx, session.Key{Owner: c.Owner, ID: id}, turn, as)
}

// Rollback undoes the last turns of a session, so many of them.
func (s *Service) Rollback(ctx context.Context, c Caller, id string, back int) (*session.Session, error) {
	n, err := s.Session(ctx, c, id)
	if err != nil {
		return nil, err
	}
	if kept := n.Turn - n.Oldest; back < 1 || back > kept {
		return nil, fmt.Errorf("%w: roll back session %q by %d turns: %d are kept before this one (a profile's sessions.history keeps more)", ErrInvalid, id, back, kept)
	}
	return s.sessions.Rollback(ctx, n.Key(), n.Turn-back)
}

// Reset begins a turn without state and, unless keepFiles, without files.
func (s *Service) Reset(ctx context.Context, c Caller, id string, keepFiles bool) (*session.Session, error) {
	n, err := s.Session(ctx, c, id)
	if err != nil {
		return nil, err
	}
	profile, err := s.profile(c, n.Profile)
	if err != nil {
		return nil, err
	}
	return s.sessions.Reset(ctx, n.Key(), keepFiles, profile.Sessions.History)
}

// Destroy deletes a session with all it has, after the call that runs in it.
func (s *Service) Destroy(ctx context.Context, c Caller, id string) error {
	return s.sessions.Remove(ctx, session.Key{Owner: c.Owner, ID: id}, true)
}

// Files opens the files of a session for reading; the caller closes it. See
// [session.Store.View].
func (s *Service) Files(ctx context.Context, c Caller, id string) (*workspace.Workspace, error) {
	return s.sessions.View(ctx, session.Key{Owner: c.Owner, ID: id})
}

// Edit changes the files of a session within its profile's quotas, between two calls;
// see [session.Store.Edit].
func (s *Service) Edit(ctx context.Context, c Caller, id string, change func(*workspace.Workspace) error) error {
	n, err := s.Session(ctx, c, id)
	if err != nil {
		return err
	}
	return s.edit(ctx, c, n, change)
}

func (s *Service) edit(ctx context.Context, c Caller, n *session.Session, change func(*workspace.Workspace) error) error {
	profile, err := s.profile(c, n.Profile)
	if err != nil {
		return err
	}
	return s.sessions.Edit(ctx, n.Key(), FileLimits(profile), change)
}

// FileLimits are what the files of a session may come to when they are written from
// outside: the quotas of its profile.
func FileLimits(p *policies.Profile) workspace.Limits {
	return workspace.Limits{
		Bytes:   int64(min(p.Disk.Quota, policies.MaxDiskQuota)),       //nolint:gosec // bounded
		Entries: int(min(p.Disk.Files, uint64(policies.MaxDiskFiles))), //nolint:gosec // bounded
	}
}

// putAll writes files into a session, over those of the same names.
func (s *Service) putAll(ctx context.Context, c Caller, n *session.Session, files map[string][]byte) error {
	if len(files) == 0 {
		return nil
	}
	return s.edit(ctx, c, n, func(w *workspace.Workspace) error {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if _, err := w.Write(ctx, name, workspace.Replace, bytes.NewReader(files[name])); err != nil {
				return errors.Join(err, ctx.Err())
			}
		}
		return nil
	})
}
