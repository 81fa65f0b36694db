package host

import (
	"context"
	"fmt"
	"sync/atomic"
)

// admission bounds how many instances run at once and how many calls wait for
// their turn. It is safe for concurrent use; waiting calls are served in order.
type admission struct {
	slots   chan struct{}
	waiting atomic.Int64
	queue   int64
}

func newAdmission(running, queue int) *admission {
	return &admission{slots: make(chan struct{}, running), queue: int64(queue)}
}

// enter waits for a slot, and returns what gives it back. It answers ErrBusy at
// once when the queue is full, and ctx's error when the caller stops waiting.
func (a *admission) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-a.slots }
	select {
	case a.slots <- struct{}{}:
		return leave, nil
	default:
	}
	if a.waiting.Add(1) > a.queue {
		a.waiting.Add(-1)
		return nil, fmt.Errorf("%w: %d are running and %d are waiting; try again later",
			ErrBusy, cap(a.slots), a.queue)
	}
	defer a.waiting.Add(-1)
	select {
	case a.slots <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
