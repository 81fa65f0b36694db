package session

import (
	"context"
	"errors"
	"fmt"
)

// locked takes a session for the caller, as [Store.lock] does, and reads it.
func (s *Store) locked(ctx context.Context, k Key, wait bool) (*Session, func(), error) {
	unlock, err := s.lock(ctx, k, wait)
	if err != nil {
		return nil, nil, err
	}
	n, err := s.load(ctx, k)
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return n, unlock, nil
}

// Fork makes a session out of a turn of another one, of the same owner: its files are
// copied, sharing their content where the filesystem can, and its state is shared.
// Both then go their own ways. An empty id makes a random one; a negative turn means
// the current one. It waits for a call that runs.
func (s *Store) Fork(ctx context.Context, k Key, turn int, id string) (*Session, error) {
	n, unlock, err := s.locked(ctx, k, true)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if turn < 0 {
		turn = n.Turn
	}
	t, err := s.past(ctx, n, turn)
	if err != nil {
		return nil, err
	}
	now := s.now().UTC()
	fork := *n
	fork.ID, fork.Parent, fork.Created, fork.Used = id, &Parent{k.ID, turn}, now, now
	fork.Calls, fork.Turn, fork.Oldest = 0, 0, 0
	if turn != n.Turn {
		if fork.Bytes, err = s.measure(ctx, n, t); err != nil {
			return nil, err
		}
	}
	first := Turn{Status: StatusForked, Time: now, State: t.State, StateBytes: t.StateBytes}
	return s.create(ctx, &fork, first, &Place{k, turn, t.State})
}

// measure is the size of a turn's files and state.
func (s *Store) measure(ctx context.Context, n *Session, t *Turn) (int64, error) {
	at := *n
	at.Turn = t.Number
	w, err := s.files(ctx, &at, unlimited)
	if err != nil {
		return 0, err
	}
	used, err := w.Measure(ctx)
	return used.Bytes + t.StateBytes, named(n.Key(), errors.Join(err, w.Close()))
}

// past reads a turn that must still be there.
func (s *Store) past(ctx context.Context, n *Session, turn int) (*Turn, error) {
	if turn < n.Oldest || turn > n.Turn {
		return nil, fmt.Errorf("session %q: turn %d: %w; it has turns %d to %d", n.ID, turn, ErrNotFound, n.Oldest, n.Turn)
	}
	return s.turn(ctx, n.Key(), turn)
}

// Rollback makes an earlier turn the current one, files and state, and forgets those
// after it, at once. What was changed from outside since is lost as well.
func (s *Store) Rollback(ctx context.Context, k Key, turn int) (*Session, error) {
	n, unlock, err := s.locked(ctx, k, true)
	if err != nil {
		return nil, err
	}
	defer unlock()
	t, err := s.past(ctx, n, turn)
	if err != nil {
		return nil, err
	}
	if n.Bytes, err = s.measure(ctx, n, t); err != nil {
		return nil, err
	}
	n.Turn, n.Used = turn, s.now().UTC()
	if err := s.save(ctx, n); err != nil {
		return nil, err
	}
	return n, named(k, s.keep(context.WithoutCancel(ctx), n))
}

// Reset begins a turn without state and, unless keepFiles, without files. As with a
// call, history turns before it stay; here, a turn is begun even if that is 0.
func (s *Store) Reset(ctx context.Context, k Key, keepFiles bool, history int) (*Session, error) {
	n, unlock, err := s.locked(ctx, k, true)
	if err != nil {
		return nil, err
	}
	defer unlock()
	from := -1
	if keepFiles {
		from = n.Turn
	}
	ctx = context.WithoutCancel(ctx)
	t := &Turn{Number: n.Turn + 1, Time: s.now().UTC(), Status: StatusReset}
	if err := s.storage.Begin(ctx, k, t.Number, from); err != nil {
		return nil, errors.Join(named(k, err), s.keep(ctx, n))
	}
	return n, s.commit(ctx, n, t, nil, history)
}

// Turns describes the turns of a session that are still there, the earliest first:
// what each changed, and to where a rollback may go.
func (s *Store) Turns(ctx context.Context, k Key) ([]*Turn, error) {
	if err := s.checkKey(k); err != nil {
		return nil, err
	}
	n, err := s.load(ctx, k)
	if err != nil {
		return nil, err
	}
	var turns []*Turn
	for number := n.Oldest; number <= n.Turn; number++ {
		t, err := s.turn(ctx, k, number)
		if err != nil {
			return nil, err
		}
		turns = append(turns, t)
	}
	return turns, nil
}
