// Package measure times things and reports what it found.
//
// A [Subject] is something that can be run and timed. [Interleave] gives each
// subject its turn, round after round, so that a machine that slows down slows
// all of them, and returns a [Series] for each: the observations of every turn.
// [Stats] condenses a series; [RatioOf] compares two, turn by turn, and is what
// a reader should believe first. A [Report] collects rows and ratios and prints
// them as a table or as JSON; a [Chart] draws them.
//
// Percentiles are nearest-rank values: every number reported was observed.
//
// Values are plain data; nothing here is safe for concurrent modification.
package measure

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Observation is one timed run.
type Observation struct {
	// Elapsed is the wall time the caller waited.
	Elapsed time.Duration
	// Fuel is what the run burned, in the subject's own unit; 0 when it does
	// not count.
	Fuel uint64
}

// Series is what one subject did in an interleaved run.
type Series struct {
	// Turns holds the observations of each turn, in order.
	Turns [][]Observation
	// Err is why the subject stopped early; nil if it did not. The turns before
	// the failure are kept.
	Err error
}

// Elapsed returns all wall times of the series in ascending order.
func (s Series) Elapsed() []time.Duration {
	var all []time.Duration
	for _, turn := range s.Turns {
		for _, o := range turn {
			all = append(all, o.Elapsed)
		}
	}
	slices.Sort(all)
	return all
}

// Fuel returns the least and the most fuel a run burned; equal for a subject
// that counts the same every time, and both 0 for one that does not count.
func (s Series) Fuel() (least, most uint64) {
	for i, turn := range s.Turns {
		for j, o := range turn {
			if i == 0 && j == 0 {
				least = o.Fuel
			}
			least, most = min(least, o.Fuel), max(most, o.Fuel)
		}
	}
	return least, most
}

// Stats condenses a set of durations.
type Stats struct {
	N                  int
	Min, P50, P99, Max time.Duration
}

// StatsOf condenses durations, which must be in ascending order. Of none it is
// the zero value.
func StatsOf(sorted []time.Duration) Stats {
	if len(sorted) == 0 {
		return Stats{}
	}
	return Stats{
		N:   len(sorted),
		Min: sorted[0],
		P50: Percentile(sorted, 50),
		P99: Percentile(sorted, 99),
		Max: sorted[len(sorted)-1],
	}
}

// Percentile returns the nearest-rank percentile p, from 0 to 100, of values in
// ascending order: the smallest value that at least p percent of them do not
// exceed. Of no values it is zero.
func Percentile[T cmp.Ordered](sorted []T, p float64) T {
	if len(sorted) == 0 {
		var zero T
		return zero
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Ratio says how many times as long as the base a subject took.
type Ratio struct {
	// Median, Low and High are of the quotients of the turns both had.
	Median, Low, High float64
	// Best divides the fastest run of one by the fastest of the other. Noise only
	// ever slows a run down, so it disturbs this number least.
	Best float64
}

// RatioOf compares a subject with a base of the same interleaved run: the
// medians of each turn both have are divided by each other. Without a common
// turn it is the zero value.
func RatioOf(subject, base Series) Ratio {
	var quotients []float64
	for i := range min(len(subject.Turns), len(base.Turns)) {
		a, b := turnMedian(subject.Turns[i]), turnMedian(base.Turns[i])
		if a > 0 && b > 0 {
			quotients = append(quotients, float64(a)/float64(b))
		}
	}
	if len(quotients) == 0 {
		return Ratio{}
	}
	slices.Sort(quotients)
	return Ratio{
		Median: Percentile(quotients, 50),
		Low:    quotients[0],
		High:   quotients[len(quotients)-1],
		Best:   float64(subject.Elapsed()[0]) / float64(base.Elapsed()[0]),
	}
}

func turnMedian(turn []Observation) time.Duration {
	return Percentile(Series{Turns: [][]Observation{turn}}.Elapsed(), 50)
}

// GeometricMean is the average for ratios: of 2 and 1/2 it is 1. Values that
// are not positive are left out; of none it is 0.
func GeometricMean(values []float64) float64 {
	var sum float64
	var n int
	for _, v := range values {
		if v > 0 {
			sum += math.Log(v)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return math.Exp(sum / float64(n))
}
