package host

import (
	"container/list"
	"context"
	"fmt"
	"sync"
)

// admission bounds how many instances run at once and how many calls wait for
// their turn. It is safe for concurrent use; waiting calls are served in order.
type admission struct {
	mu           sync.Mutex
	slots, queue int
	taken        int
	waiting      list.List // of chan struct{}, closed when its call has a slot
}

func newAdmission(slots, queue int) *admission {
	return &admission{slots: slots, queue: queue}
}

// enter waits for a slot, which leave gives back. It answers ErrBusy at once when
// the queue is full, and ctx's error when the caller stops waiting.
func (a *admission) enter(ctx context.Context) error {
	a.mu.Lock()
	if a.taken < a.slots {
		a.taken++
		a.mu.Unlock()
		return nil
	}
	if a.waiting.Len() >= a.queue {
		defer a.mu.Unlock()
		return fmt.Errorf("%w: %d are running and %d are waiting; try again later", ErrBusy, a.slots, a.queue)
	}
	turn := make(chan struct{})
	place := a.waiting.PushBack(turn)
	a.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-turn: // it came at the same moment
		a.next()
	default:
		a.waiting.Remove(place)
	}
	return ctx.Err()
}

// leave gives a slot back.
func (a *admission) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next()
}

// next hands a slot that is free again to who waits longest. A slot that is handed
// over was never free, so that nobody can be faster, and the queue is shorter at
// once.
func (a *admission) next() {
	first := a.waiting.Front()
	if first == nil || a.taken > a.slots {
		a.taken--
		return
	}
	a.serve(first)
}

func (a *admission) serve(first *list.Element) {
	turn, _ := a.waiting.Remove(first).(chan struct{}) // nothing else is in it
	close(turn)
}

// resize changes how many calls may run and wait. Those that do either go on.
func (a *admission) resize(slots, queue int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.slots, a.queue = slots, queue
	for a.taken < a.slots && a.waiting.Len() > 0 {
		a.taken++
		a.serve(a.waiting.Front())
	}
}

// load returns what is taken of what there is.
func (a *admission) load() (running, slots, waiting, queue int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.taken, a.slots, a.waiting.Len(), a.queue
}
