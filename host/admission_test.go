package host

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestAdmissionServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(1, 10)
		if err := a.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		var served []int
		for i := range 10 {
			go func() {
				if err := a.enter(t.Context()); err != nil {
					t.Error(err)
				}
				served = append(served, i) // by one at a time: there is one slot
				a.leave()
			}()
			synctest.Wait()
		}
		if err := a.enter(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("the queue is full, got %v", err)
		}
		a.leave()
		synctest.Wait()
		if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(served, want) {
			t.Errorf("served %v", served)
		}
		if a.taken != 0 || a.waiting.Len() != 0 {
			t.Errorf("%d slots are taken and %d wait, nobody is there", a.taken, a.waiting.Len())
		}
	})
}

func TestACallThatStopsWaitingMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(1, 2)
		if err := a.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		go func() { errs <- a.enter(ctx) }()
		synctest.Wait()
		go func() { errs <- a.enter(t.Context()) }()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("the call that stopped waiting: %v", err)
		}
		if a.waiting.Len() != 1 {
			t.Errorf("%d wait", a.waiting.Len())
		}
		a.leave()
		if err := <-errs; err != nil {
			t.Errorf("the call behind it: %v", err)
		}
	})
}

// TestASlotIsNeverLost gives a call its slot and ends its context at the same
// moment, many times.
func TestASlotIsNeverLost(t *testing.T) {
	a := newAdmission(1, 1)
	for range 2000 {
		if err := a.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if a.enter(ctx) == nil {
				a.leave()
			}
		}()
		go cancel()
		a.leave()
		<-done
		if a.taken != 0 || a.waiting.Len() != 0 {
			t.Fatalf("%d slots are taken and %d wait, nobody is there", a.taken, a.waiting.Len())
		}
	}
}

func TestSlotsAreResizedUnderThoseWhoRunAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(3, 10)
		for range 3 {
			if err := a.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var served atomic.Int32
		for range 4 {
			go func() {
				if err := a.enter(t.Context()); err != nil {
					t.Error(err)
				}
				served.Add(1)
			}()
			synctest.Wait()
		}
		a.resize(1, 2) // fewer than run, and fewer than wait
		if err := a.enter(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("the queue is too long already, got %v", err)
		}
		for left, want := range []int32{0, 0, 1} {
			a.leave()
			synctest.Wait()
			if got := served.Load(); got != want {
				t.Errorf("%d ended: %d were served, want %d", left+1, got, want)
			}
		}
		a.resize(3, 2)
		synctest.Wait()
		if running, slots, waiting, _ := a.load(); served.Load() != 3 || running != 3 || slots != 3 || waiting != 1 {
			t.Errorf("with three slots: %d were served, %d of %d run, %d wait", served.Load(), running, slots, waiting)
		}
		for range 4 {
			a.leave()
			synctest.Wait()
		}
		if a.taken != 0 || a.waiting.Len() != 0 {
			t.Errorf("%d slots are taken and %d wait, nobody is there", a.taken, a.waiting.Len())
		}
	})
}
