package measure

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Subject is something that can be run and timed.
type Subject struct {
	Name string
	// Run runs once and says how long that took. It returns when nothing of the
	// run is left that could slow down the next.
	Run func(context.Context) (Observation, error)
	// PerTurn is how often Run is called in one turn; 0 means once.
	PerTurn int
	// MaxTurns ends the subject's turns early, for one that takes very long; 0
	// means as many as there are rounds.
	MaxTurns int
}

// Interleave gives every subject a turn, in order, in each of the given number
// of rounds: A B C A B C. Garbage is collected before each turn, outside its
// time. The result has one series for each subject, in the same order. A subject
// that fails gets no further turn and the others go on; when ctx is done, all
// stop with its error.
func Interleave(ctx context.Context, rounds int, subjects []Subject) []Series {
	series := make([]Series, len(subjects))
	for round := range rounds {
		for i, s := range subjects {
			if series[i].Err != nil || s.MaxTurns > 0 && round >= s.MaxTurns {
				continue
			}
			turn, err := takeTurn(ctx, s)
			if err != nil {
				series[i].Err = fmt.Errorf("round %d: %w", round+1, err)
				continue
			}
			series[i].Turns = append(series[i].Turns, turn)
		}
	}
	return series
}

func takeTurn(ctx context.Context, s Subject) ([]Observation, error) {
	runtime.GC()
	turn := make([]Observation, max(1, s.PerTurn))
	for i := range turn {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		o, err := s.Run(ctx)
		if err != nil {
			return nil, err
		}
		turn[i] = o
	}
	return turn, nil
}

// Throughput calls run from several goroutines at once for about the given time
// and returns how many calls ended in a second of it. The first error stops
// every goroutine and is returned.
func Throughput(ctx context.Context, workers int, d time.Duration, run func(context.Context) error) (float64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var calls atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for time.Since(start) < d && ctx.Err() == nil {
				if err := run(ctx); err != nil {
					cancel(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	if err := context.Cause(ctx); err != nil {
		return 0, fmt.Errorf("measure throughput: %w", err)
	}
	return float64(calls.Load()) / elapsed.Seconds(), nil
}
