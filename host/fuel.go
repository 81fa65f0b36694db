package host

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero/api"
)

// slice is how much fuel a guest gets at a time, in instructions. Deadlines and
// cancellation are looked at between slices, so it bounds how long a busy guest
// can ignore them: a few milliseconds.
const slice = 4 << 20

// errTimeout is the cause of a context that ended because of the profile's
// wall-clock limit, as opposed to the caller giving up.
var errTimeout = errors.New("timeout")

// gauge accounts the fuel of one call. The guest's own counter is a wasm global
// holding what is left of the slice; the gauge knows what was handed out.
type gauge struct {
	budget  uint64
	granted uint64
	// counter is the guest's global, known once the entry function runs.
	counter api.MutableGlobal
	spent   bool
	// served is what of it the host took for its own work, beside the fixed price of
	// each call.
	served uint64
}

// refill returns the new value of the guest's counter, or false when the budget
// is used up. remaining is negative by what the guest ran ahead of its slice.
func (g *gauge) refill(remaining int64) (int64, bool) {
	for remaining < 0 {
		next := min(slice, g.budget-g.granted)
		if next == 0 {
			g.spent = true
			return remaining, false
		}
		g.granted += next
		remaining += int64(next) //nolint:gosec // at most one slice
	}
	return remaining, true
}

// charge takes n fuel for work the host did. The guest pays at its next check.
func (g *gauge) charge(n uint64) {
	if g.counter == nil {
		return
	}
	g.served += n
	left := int64(g.counter.Get()) //nolint:gosec // the counter is signed
	// What is owed never exceeds what one host call can move, so this cannot wrap.
	g.counter.Set(uint64(left - int64(n))) //nolint:gosec // two's complement both ways
}

// owes reports whether the guest has used more than it was given so far.
func (g *gauge) owes() bool {
	return g.counter != nil && int64(g.counter.Get()) < 0 //nolint:gosec // the counter is signed
}

// settle pays what the guest owes, or reports that the budget is used up.
func (g *gauge) settle() bool {
	left, ok := g.refill(int64(g.counter.Get())) //nolint:gosec // the counter is signed
	g.counter.Set(uint64(left))                  //nolint:gosec // the counter is signed
	return ok
}

// consumed is the fuel used so far. Exhaustion is exactly the budget, however far
// the last block ran ahead of it, so that equal runs report equal figures.
func (g *gauge) consumed() uint64 {
	if g.spent {
		return g.budget
	}
	if g.counter == nil {
		return 0
	}
	left := int64(g.counter.Get())                      //nolint:gosec // the counter is signed
	return min(uint64(int64(g.granted)-left), g.budget) //nolint:gosec // granted fits
}

// refuel is the host function a metered module calls when its slice is used up.
// A guest reaches it only through the metering code, with a counter it cannot
// touch. It returns the next slice or does not return.
func (in *instance) refuel(ctx context.Context, remaining int64) int64 {
	in.checkDeadline(ctx)
	next, ok := in.fuel.refill(remaining)
	if !ok {
		in.halt(StatusOutOfFuel)
	}
	return next
}

// checkDeadline ends the guest when its time is up or its caller has gone.
func (in *instance) checkDeadline(ctx context.Context) {
	if ctx.Err() == nil {
		return
	}
	in.halt(endOf(ctx))
}

// endOf says why ctx ended.
func endOf(ctx context.Context) Status {
	if errors.Is(context.Cause(ctx), errTimeout) {
		return StatusTimeout
	}
	return StatusCanceled
}
