package service

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sandboxd/sandboxd/host"
)

func newLimiter() *limiter { return &limiter{meters: map[meterKey]*meter{}} }

// busy checks that err refuses a caller, and when it may come again.
func busy(t *testing.T, err error, after time.Duration) {
	t.Helper()
	if !errors.Is(err, host.ErrBusy) || KindOf(err) != Busy {
		t.Fatalf("got %v, want that it is busy", err)
	}
	if got := RetryAfter(err); got < after || got > after+10*time.Millisecond {
		t.Errorf("%v: try again in %v, want %v", err, got, after)
	}
}

func TestACallerBeginsNoMoreThanItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := newLimiter(), Caller{Name: "ada", Limits: Limits{Rate: 2, Burst: 3}}
		begin := func(c Caller) error {
			leave, err := l.enter(t.Context(), c, "")
			if err == nil {
				leave()
			}
			return err
		}
		for range 3 {
			if err := begin(c); err != nil {
				t.Fatal(err)
			}
		}
		busy(t, begin(c), 500*time.Millisecond)
		if err := begin(Caller{Name: "grace", Limits: c.Limits}); err != nil {
			t.Errorf("another caller: %v", err)
		}
		time.Sleep(500 * time.Millisecond)
		if err := begin(c); err != nil {
			t.Errorf("half a second later: %v", err)
		}
		busy(t, begin(c), 500*time.Millisecond)
		c.Limits.Rate = 1000 // the policy was changed
		busy(t, begin(c), 0)
		time.Sleep(10 * time.Millisecond)
		for range 3 {
			if err := begin(c); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestACallerFillsItsOwnQueueOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := newLimiter(), Caller{Name: "ada", Limits: Limits{Concurrent: 2, Queue: 1}}
		enter := func() func() {
			leave, err := l.enter(t.Context(), c, "")
			if err != nil {
				t.Error(err)
				return func() {}
			}
			return leave
		}
		first, second := enter(), enter()
		third := make(chan func())
		go func() { third <- enter() }()
		synctest.Wait()
		_, err := l.enter(t.Context(), c, "")
		busy(t, err, tryAgain)
		select {
		case <-third:
			t.Fatal("a third runs")
		default:
		}
		first()
		(<-third)()

		again := enter()
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error)
		go func() {
			_, err := l.enter(ctx, c, "")
			errs <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("one that stopped waiting: %v", err)
		}
		second()
		again()
		if m := l.meters[meterKey{caller: "ada"}]; m.taken != 0 || len(m.waiting) != 0 {
			t.Errorf("%d are under way and %d wait, and nobody is there", m.taken, len(m.waiting))
		}
	})
}

func TestAWiderLimitLetsInWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := newLimiter(), Caller{Name: "ada", Limits: Limits{Concurrent: 1, Queue: 5}}
		left := make(chan func(), 3)
		for range 3 {
			go func(c Caller) {
				leave, err := l.enter(t.Context(), c, "")
				if err != nil {
					t.Error(err)
				}
				left <- leave
			}(c)
			synctest.Wait()
		}
		if len(left) != 1 {
			t.Fatalf("%d run", len(left))
		}
		c.Limits.Concurrent = 4
		leave, err := l.enter(t.Context(), c, "")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(left) != 3 {
			t.Errorf("%d of three run, and four may", len(left))
		}
		leave()
		for range 3 {
			(<-left)()
		}
	})
}

func TestASessionHasLimitsOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := newLimiter(), Caller{Name: "ada", Limits: Limits{SessionRate: 1, SessionBurst: 2, SessionQueue: 1}}
		leave, err := l.enter(t.Context(), c, "a")
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.enter(t.Context(), c, "a")
		busy(t, err, tryAgain)
		leave()
		for _, session := range []string{"a", "b", ""} {
			leave, err := l.enter(t.Context(), c, session)
			if err != nil {
				t.Fatalf("session %q: %v", session, err)
			}
			leave()
		}
		_, err = l.enter(t.Context(), c, "a")
		busy(t, err, time.Second)
	})
}

func TestMetersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := newLimiter(), Caller{Name: "ada", Limits: Limits{SessionRate: 100}}
		held, err := l.enter(t.Context(), c, "held")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 * maxMeters {
			leave, err := l.enter(t.Context(), c, fmt.Sprint(i))
			if err != nil {
				t.Fatal(err)
			}
			leave()
			time.Sleep(time.Millisecond)
		}
		if n := len(l.meters); n > maxMeters {
			t.Errorf("%d are kept", n)
		}
		held()
	})
}
