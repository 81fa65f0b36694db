package session

import (
	"context"
	"testing"
	"time"
)

// TestThePrunerPrunesUntilItIsStopped tells the time itself: nothing waits.
func TestThePrunerPrunesUntilItIsStopped(t *testing.T) {
	s, _ := openStore(t)
	now := time.Now()
	s.now = func() time.Time { return now }
	k := created(t, s, "old")
	now = now.Add(48 * time.Hour)
	created(t, s, "new")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ticks, waits := make(chan time.Time), make(chan time.Duration, 1)
	done, ended := make(chan *Pruned), make(chan struct{})
	p := Pruner{
		Store: s, Options: PruneOptions{Idle: 24 * time.Hour}, Every: time.Hour,
		After: func(d time.Duration) <-chan time.Time {
			waits <- d
			return ticks
		},
		Done: func(p *Pruned, err error) {
			if err != nil {
				t.Error(err)
			}
			done <- p
		},
	}
	go func() {
		p.Run(ctx)
		close(ended)
	}()
	for round, want := range []int{1, 0, 0} {
		if wait := <-waits; wait < 54*time.Minute || wait > 66*time.Minute {
			t.Errorf("it waits for %v", wait)
		}
		ticks <- now
		if got := <-done; len(got.Removed) != want || want == 1 && got.Removed[0].ID != k.ID {
			t.Errorf("round %d: %+v", round, got)
		}
	}
	<-waits
	cancel()
	<-ended
	if list, err := s.List(t.Context(), ""); err != nil || len(list) != 1 || list[0].ID != "new" {
		t.Errorf("%v, %v", list, err)
	}
}
