package service

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sandboxd/sandboxd/host"
)

// Limits bound what one caller may ask for, so that no caller's haste is another
// one's wait. Callers are told apart by [Caller.Name]. A field that is 0 sets no
// limit.
type Limits struct {
	// Rate is how many executions may begin in a second, in the long run, and Burst
	// how many at once after a pause; a Burst of 0 is one second's worth.
	Rate  float64
	Burst int
	// Concurrent is how many executions may be under way, of which the engine runs or
	// queues as many as there are. Queue is how many more may wait for one of those to
	// end: where there is a limit to the former, 0 means none.
	Concurrent, Queue int
	// SessionRate and SessionBurst are Rate and Burst for each session by itself, and
	// SessionQueue is how many executions may be under way in one session, of which
	// one runs.
	SessionRate  float64
	SessionBurst int
	SessionQueue int
}

// BusyError says that a caller asks for more than its [Limits] grant. It is of kind
// [Busy].
type BusyError struct {
	// Reason says which limit it is.
	Reason string
	// After is when it makes sense to ask again.
	After time.Duration
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("busy: %s; try again in %v", e.Reason, e.After)
}

// Is makes the error one of [host.ErrBusy].
func (e *BusyError) Is(target error) bool { return target == host.ErrBusy }

// tryAgain is when one who found everything taken may ask again.
const tryAgain = time.Second

// RetryAfter is when a caller should try again after an error of kind [Busy].
func RetryAfter(err error) time.Duration {
	if busy, ok := errors.AsType[*BusyError](err); ok {
		return busy.After
	}
	return tryAgain
}

// maxMeters is how many callers and sessions are remembered before those are
// forgotten that nothing is known of.
const maxMeters = 4096

// limiter holds callers to their limits. It is safe for concurrent use.
type limiter struct {
	mu     sync.Mutex
	meters map[meterKey]*meter
}

// meterKey names a caller or, where session is set, one of its sessions. All callers
// of an owner share its sessions, and each one's limits are its own.
type meterKey struct{ caller, session string }

// meter is what a caller has under way.
type meter struct {
	bucket  *rate.Limiter
	taken   int             // executions under way
	most    int             // how many may be, when it was asked last; 0 is no limit
	waiting []chan struct{} // the first in line first
}

// enter lets an execution begin, when it is its turn, and returns what ends it.
func (l *limiter) enter(ctx context.Context, c Caller, session string) (leave func(), err error) {
	limits := c.Limits
	if limits == (Limits{}) {
		return func() {}, nil
	}
	caller, within := meterKey{caller: c.Name}, meterKey{c.Name, session}
	l.mu.Lock()
	if session != "" {
		if err := l.enterSession(within, limits); err != nil {
			l.mu.Unlock()
			return nil, err
		}
	}
	turn, err := l.enterCaller(caller, limits)
	l.mu.Unlock()
	leave = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.leave(caller)
		if session != "" {
			l.leave(within)
		}
	}
	if err == nil && turn != nil {
		err = l.wait(ctx, caller, turn)
	}
	if err != nil {
		if session != "" {
			l.mu.Lock()
			l.leave(within)
			l.mu.Unlock()
		}
		return nil, err
	}
	return leave, nil
}

// enterSession counts an execution into its session.
func (l *limiter) enterSession(k meterKey, limits Limits) error {
	m := l.meter(k, limits.SessionRate, limits.SessionBurst)
	if most := limits.SessionQueue; most > 0 && m.taken >= most {
		return &BusyError{fmt.Sprintf("%d executions are under way in session %.64q, and you may have %d", m.taken, k.session, most), tryAgain}
	}
	if err := m.spend("in this session", limits.SessionRate); err != nil {
		return err
	}
	m.taken++
	return nil
}

// enterCaller counts an execution in, or returns its turn to wait for.
func (l *limiter) enterCaller(k meterKey, limits Limits) (turn chan struct{}, err error) {
	m := l.meter(k, limits.Rate, limits.Burst)
	m.most = limits.Concurrent
	m.promote()
	full := limits.Concurrent > 0 && m.taken >= limits.Concurrent
	if full && len(m.waiting) >= limits.Queue {
		return nil, &BusyError{fmt.Sprintf("%d of your executions are under way and %d wait, and you may have %d and %d",
			m.taken, len(m.waiting), limits.Concurrent, limits.Queue), tryAgain}
	}
	if err := m.spend("", limits.Rate); err != nil {
		return nil, err
	}
	if full {
		turn = make(chan struct{})
		m.waiting = append(m.waiting, turn)
		return turn, nil
	}
	m.taken++
	return nil, nil
}

// wait waits for a turn, which is given back when ctx ends first.
func (l *limiter) wait(ctx context.Context, k meterKey, turn chan struct{}) error {
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.meters[k]
	for i, other := range m.waiting {
		if other == turn {
			m.waiting = append(m.waiting[:i], m.waiting[i+1:]...)
			return ctx.Err()
		}
	}
	l.leave(k) // it came at the same moment
	return ctx.Err()
}

// leave counts an execution out. Its place goes to who waits longest.
func (l *limiter) leave(k meterKey) {
	m := l.meters[k]
	m.taken--
	m.promote()
}

// promote lets in who waits, as far as there is room.
func (m *meter) promote() {
	for len(m.waiting) > 0 && (m.most <= 0 || m.taken < m.most) {
		m.taken++
		close(m.waiting[0])
		m.waiting = m.waiting[1:]
	}
}

// spend takes what one execution costs out of the bucket.
func (m *meter) spend(where string, perSecond float64) error {
	if m.bucket == nil {
		return nil
	}
	r := m.bucket.Reserve()
	if wait := r.Delay(); wait > 0 {
		r.Cancel()
		reason := fmt.Sprintf("you may begin %g executions a second", perSecond)
		if where != "" {
			reason += " " + where
		}
		return &BusyError{reason, wait.Round(time.Millisecond) + time.Millisecond}
	}
	return nil
}

// meter finds a meter, or makes it, and sets its bucket to what applies now.
func (l *limiter) meter(k meterKey, perSecond float64, burst int) *meter {
	m := l.meters[k]
	if m == nil {
		if len(l.meters) >= maxMeters {
			l.forget()
		}
		m = &meter{}
		l.meters[k] = m
	}
	if perSecond <= 0 {
		m.bucket = nil
		return m
	}
	if burst <= 0 {
		burst = int(math.Ceil(min(perSecond, math.MaxInt32)))
	}
	if m.bucket == nil {
		m.bucket = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	if m.bucket.Limit() != rate.Limit(perSecond) || m.bucket.Burst() != burst {
		m.bucket.SetLimit(rate.Limit(perSecond))
		m.bucket.SetBurst(burst)
	}
	return m
}

// forget drops the meters that a new one would not differ from.
func (l *limiter) forget() {
	for k, m := range l.meters {
		full := m.bucket == nil || m.bucket.Tokens() >= float64(m.bucket.Burst())
		if m.taken == 0 && len(m.waiting) == 0 && full {
			delete(l.meters, k)
		}
	}
}
