package measure

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// recorder makes subjects that write their name when they run.
type recorder struct{ order strings.Builder }

func (r *recorder) subject(name string, failAt int) Subject {
	runs := 0
	return Subject{Name: name, Run: func(context.Context) (Observation, error) {
		runs++
		r.order.WriteString(name)
		if runs == failAt {
			return Observation{}, errors.New("out of order")
		}
		return Observation{Elapsed: time.Duration(runs)}, nil
	}}
}

func TestSubjectsTakeTurns(t *testing.T) {
	var r recorder
	long, twice := r.subject("B", 0), r.subject("C", 0)
	long.MaxTurns = 1
	twice.PerTurn = 2
	got := Interleave(t.Context(), 3, []Subject{r.subject("A", 0), long, twice})
	if order := r.order.String(); order != "ABCCACCACC" {
		t.Errorf("ran in the order %s", order)
	}
	if len(got) != 3 || len(got[0].Turns) != 3 || len(got[1].Turns) != 1 || len(got[2].Turns[2]) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestASubjectThatFailsDoesNotStopTheOthers(t *testing.T) {
	var r recorder
	got := Interleave(t.Context(), 3, []Subject{r.subject("A", 2), r.subject("B", 0)})
	if order := r.order.String(); order != "ABABB" {
		t.Errorf("ran in the order %s", order)
	}
	if got[0].Err == nil || got[0].Err.Error() != "round 2: out of order" || len(got[0].Turns) != 1 {
		t.Errorf("the failed one: %+v", got[0])
	}
	if got[1].Err != nil || len(got[1].Turns) != 3 {
		t.Errorf("the other one: %+v", got[1])
	}
}

func TestACanceledRunStopsEverySubject(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var r recorder
	stop := Subject{Name: "stop", Run: func(context.Context) (Observation, error) {
		cancel()
		return Observation{}, nil
	}}
	got := Interleave(ctx, 5, []Subject{stop, r.subject("A", 0)})
	if r.order.Len() != 0 || !errors.Is(got[1].Err, context.Canceled) {
		t.Errorf("ran %q, error %v", r.order.String(), got[1].Err)
	}
}

func TestThroughputReportsTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	_, err := Throughput(t.Context(), 2, time.Hour, func(context.Context) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := Throughput(t.Context(), 2, time.Nanosecond, func(context.Context) error { return nil }); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestPrivateMemoryIsReadFromSmaps(t *testing.T) {
	tests := []struct {
		name, smaps string
		want        uint64
		bad         bool
	}{
		{"dirty and huge pages", "Rss: 90 kB\nPrivate_Clean: 7 kB\nPrivate_Dirty:     12 kB\nPrivate_Hugetlb: 4 kB\n", 16 << 10, false},
		{"no such line", "Rss: 90 kB\n", 0, true},
		{"another unit", "Private_Dirty: 12 MB\n", 0, true},
		{"no number", "Private_Dirty: many kB\n", 0, true},
		{"a number that overflows bytes", "Private_Dirty: 18446744073709551615 kB\n", 0, true},
		{"nothing", "", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseSmaps([]byte(tt.smaps))
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}

func TestAProgramThatReadsNothingIsNotMeasured(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"it ends well", nil, "measure memory: the program ended without reading its input"},
		{"it fails", broken, "measure memory: broken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := PerInstance(t.Context(), func(context.Context, io.Reader) error { return tt.err })
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
