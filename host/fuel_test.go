package host

import (
	"math"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// counter is a guest's fuel counter.
type counter struct {
	api.MutableGlobal // for the methods that are not called

	value uint64
}

func (c *counter) Get() uint64  { return c.value }
func (c *counter) Set(v uint64) { c.value = v }

func TestGaugeHandsOutTheBudgetInSlices(t *testing.T) {
	for _, budget := range []uint64{1, slice - 1, slice, slice + 1, 3*slice + 17} {
		c := &counter{}
		g := gauge{budget: budget, counter: c}
		if g.consumed() != 0 {
			t.Errorf("budget %d: %d consumed at the start", budget, g.consumed())
		}
		// A guest that executes one instruction at a time executes all of them.
		var executed uint64
		for {
			left := int64(c.value) - 1
			if left < 0 {
				next, ok := g.refill(left)
				if !ok {
					break
				}
				left = next
			}
			c.value = uint64(left)
			step := uint64(left) // jump to the end of the slice
			executed += 1 + step
			c.value = 0
		}
		if executed != budget || g.consumed() != budget || !g.spent {
			t.Errorf("budget %d: %d executed, %d consumed, spent %t", budget, executed, g.consumed(), g.spent)
		}
	}
}

func TestGaugeRefill(t *testing.T) {
	tests := []struct {
		name            string
		budget, granted uint64
		remaining, left int64
		ok              bool
		grants          uint64
	}{
		{"a slice of much", 100 * slice, 0, -5, slice - 5, true, slice},
		{"what is left of the budget", 10, 4, -1, 5, true, 10},
		{"exactly enough", 10, 4, -6, 0, true, 10},
		{"one too few", 10, 4, -7, -1, false, 10},
		{"several slices at once", 100 * slice, 0, -3 * slice, 0, true, 3 * slice},
		{"a bulk operation beyond the budget", 2 * slice, 0, -1 << 40, -1<<40 + 2*slice, false, 2 * slice},
		{"nothing was missing", 10, 4, 3, 3, true, 4},
		{"the largest budget", math.MaxInt64, math.MaxInt64 - 1, -1, 0, true, math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := gauge{budget: tt.budget, granted: tt.granted}
			left, ok := g.refill(tt.remaining)
			if left != tt.left || ok != tt.ok || g.granted != tt.grants || g.spent == tt.ok {
				t.Errorf("got %d, %t, granted %d, spent %t; want %d, %t, %d", left, ok, g.granted, g.spent, tt.left, tt.ok, tt.grants)
			}
		})
	}
}

func TestGaugeConsumed(t *testing.T) {
	value := func(n int64) *counter { return &counter{value: uint64(n)} }
	tests := []struct {
		name string
		g    gauge
		want uint64
	}{
		{"before the guest runs", gauge{budget: 100}, 0},
		{"in the middle of a slice", gauge{budget: 100, granted: 50, counter: value(20)}, 30},
		{"a little ahead of the slice", gauge{budget: 100, granted: 50, counter: value(-20)}, 70},
		{"far ahead of the budget", gauge{budget: 100, granted: 50, counter: value(-2000)}, 100},
		{"exhausted", gauge{budget: 100, granted: 100, counter: value(-1), spent: true}, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.g.consumed(); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestGaugeCharge(t *testing.T) {
	c := &counter{value: 100}
	g := gauge{budget: 1000, granted: 100, counter: c}
	g.charge(30)
	if g.consumed() != 30 {
		t.Errorf("%d consumed after a charge of 30", g.consumed())
	}
	g.charge(90)
	if int64(c.value) != -20 || g.consumed() != 120 {
		t.Errorf("counter %d, %d consumed", int64(c.value), g.consumed())
	}
	(&gauge{budget: 10}).charge(5) // a host function before the guest runs
}
