package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// PruneOptions say which sessions are to go. Zero fields say nothing; with all of
// them zero nothing goes.
type PruneOptions struct {
	// Owner, if not nil, leaves alone what does not belong to that owner.
	Owner *string
	// Age removes sessions that were created longer ago, Idle those that were used
	// longer ago.
	Age, Idle time.Duration
	// Count and Bytes are how many sessions may remain, of how many bytes together.
	// Those used longest ago go first.
	Count int
	Bytes int64
	// DryRun removes nothing, and tells what would be.
	DryRun bool
}

// Pruned is what a [Store.Prune] did, or would do.
type Pruned struct {
	DryRun  bool      `json:"dry_run"`
	Removed []Removed `json:"removed"`
	Skipped []Skipped `json:"skipped"`
	// Bytes is what the removed sessions took together, exactly: the apparent size
	// of all their files, earlier turns and records among them.
	Bytes int64 `json:"bytes"`
}

// Removed is a session that went.
type Removed struct {
	Owner  string `json:"owner"`
	ID     string `json:"id"`
	Bytes  int64  `json:"bytes"`
	Reason string `json:"reason"`
}

// Skipped is a session that was left alone although it may be one that should go.
type Skipped struct {
	Owner  string `json:"owner"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Prune removes sessions. One in which a call runs is never removed, nor is one that
// is damaged; they are listed as skipped, with the reason. Sessions that could not be
// removed are too. An error means that the sessions could not be listed, or that ctx
// ended, or that a [Sweeper] failed; what was done by then is done.
func (s *Store) Prune(ctx context.Context, o PruneOptions) (*Pruned, error) {
	p := &Pruned{DryRun: o.DryRun, Removed: []Removed{}, Skipped: []Skipped{}}
	all, err := s.candidates(ctx, o, p)
	if err != nil {
		return nil, err
	}
	now := s.now()
	count, bytes := len(all), int64(0)
	for _, c := range all {
		bytes += c.size
	}
	for _, c := range all { // those used longest ago first
		reason := ""
		switch {
		case o.Age > 0 && now.Sub(c.session.Created) > o.Age:
			reason = "created " + c.session.Created.Format(time.RFC3339)
		case o.Idle > 0 && now.Sub(c.session.Used) > o.Idle:
			reason = "last used " + c.session.Used.Format(time.RFC3339)
		case o.Count > 0 && count > o.Count:
			reason = fmt.Sprintf("more than %d sessions", o.Count)
		case o.Bytes > 0 && bytes > o.Bytes:
			reason = fmt.Sprintf("more than %d bytes", o.Bytes)
		default:
			continue
		}
		size, err := s.pruneOne(ctx, c.session, o.DryRun)
		if ctx.Err() != nil {
			return p, ctx.Err()
		}
		if err != nil {
			p.Skipped = append(p.Skipped, Skipped{c.session.Owner, c.session.ID, skipReason(err)})
			continue
		}
		p.Removed = append(p.Removed, Removed{c.session.Owner, c.session.ID, size, reason})
		p.Bytes += size
		count--
		bytes -= c.size
	}
	if sweeper, ok := s.storage.(Sweeper); ok && !o.DryRun {
		if err := sweeper.Sweep(ctx); err != nil {
			return p, fmt.Errorf("prune sessions: sweep what was left behind: %w", err)
		}
	}
	return p, nil
}

// candidate is a session and what it takes.
type candidate struct {
	session *Session
	size    int64
}

// candidates are the sessions that o is about, the one used longest ago first.
func (s *Store) candidates(ctx context.Context, o PruneOptions, p *Pruned) ([]candidate, error) {
	owners := []string{}
	if o.Owner != nil {
		owners = append(owners, *o.Owner)
	} else {
		var err error
		if owners, err = s.storage.Owners(ctx); err != nil {
			return nil, fmt.Errorf("prune sessions: %w", err)
		}
	}
	var all []candidate
	for _, owner := range owners {
		list, err := s.List(ctx, owner)
		if err != nil {
			return nil, err
		}
		for _, n := range list {
			if n.Damaged != "" {
				p.Skipped = append(p.Skipped, Skipped{n.Owner, n.ID, n.Damaged})
				continue
			}
			c := candidate{session: n}
			if o.Bytes > 0 {
				if c.size, err = s.storage.Size(ctx, n.Key()); err != nil && !errors.Is(err, ErrNotFound) {
					return nil, named(n.Key(), err)
				}
			}
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.session.Used.Compare(b.session.Used) })
	return all, nil
}

var errUsedMeanwhile = errors.New("used meanwhile")

// pruneOne removes a session that nobody uses and nobody used since it was listed.
func (s *Store) pruneOne(ctx context.Context, listed *Session, dryRun bool) (int64, error) {
	k := listed.Key()
	unlock, err := s.lock(ctx, k, false)
	if err != nil {
		return 0, err
	}
	defer unlock()
	n, err := s.load(ctx, k)
	if err != nil {
		return 0, err
	}
	if !n.Used.Equal(listed.Used) {
		return 0, errUsedMeanwhile
	}
	size, err := s.storage.Size(ctx, k)
	if err != nil || dryRun {
		return size, err
	}
	return size, s.storage.Delete(ctx, k)
}

func skipReason(err error) string {
	switch {
	case errors.Is(err, ErrBusy):
		return "in use"
	case errors.Is(err, ErrNotFound):
		return "removed meanwhile"
	}
	return err.Error()
}
