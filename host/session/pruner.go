package session

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pruner prunes a Store again and again.
type Pruner struct {
	Store   *Store
	Options PruneOptions
	// Every is the time from the end of one pruning to the beginning of the next, a
	// tenth more or less, so that processes that were started together do not go on
	// together. It must be more than 0.
	Every time.Duration
	// Done is told how each went; nil tells nobody. It is called from Run.
	Done func(*Pruned, error)
	// After begins a wait; nil means time.After.
	After func(time.Duration) <-chan time.Time
}

// Run prunes until ctx ends, the first time after a wait. What fails is tried again
// the next time. Several processes may do so at once on one storage: a session that
// one of them removes is skipped by the others.
func (p *Pruner) Run(ctx context.Context) {
	after := p.After
	if after == nil {
		after = time.After
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-after(around(p.Every)):
		}
		pruned, err := p.Store.Prune(ctx, p.Options)
		if ctx.Err() != nil {
			return
		}
		if p.Done != nil {
			p.Done(pruned, err)
		}
	}
}

// around is d, a tenth more or less.
func around(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // it need not be secret
}
