package measure

import (
	"math"
	"slices"
	"testing"
	"time"
)

// series makes turns of durations in milliseconds.
func series(turns ...[]int) Series {
	var s Series
	for _, turn := range turns {
		var obs []Observation
		for _, v := range turn {
			obs = append(obs, Observation{Elapsed: time.Duration(v) * time.Millisecond})
		}
		s.Turns = append(s.Turns, obs)
	}
	return s
}

func TestPercentileIsANearestRank(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	tests := []struct {
		name   string
		values []int
		p      float64
		want   int
	}{
		{"of nothing", nil, 50, 0},
		{"of one value", []int{7}, 99, 7},
		{"0 is the least", []int{1, 2, 3}, 0, 1},
		{"100 is the most", []int{1, 2, 3}, 100, 3},
		{"the middle of three", []int{1, 2, 3}, 50, 2},
		{"the lower middle of four", []int{1, 2, 3, 4}, 50, 2},
		{"99 of a hundred", hundred, 99, 99},
		{"99.5 of a hundred", hundred, 99.5, 100},
		{"beyond 100", hundred, 101, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Percentile(tt.values, tt.p); got != tt.want {
				t.Errorf("Percentile(%v) = %d, want %d", tt.p, got, tt.want)
			}
		})
	}
}

func TestStatsCoverEveryTurn(t *testing.T) {
	got := StatsOf(series([]int{9, 1}, []int{5}).Elapsed())
	want := Stats{N: 3, Min: time.Millisecond, P50: 5 * time.Millisecond, P99: 9 * time.Millisecond, Max: 9 * time.Millisecond}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := StatsOf(nil); got != (Stats{}) {
		t.Errorf("stats of nothing: %+v", got)
	}
}

func TestRatioComparesTurnByTurn(t *testing.T) {
	tests := []struct {
		name          string
		subject, base Series
		want          Ratio
	}{
		{"the machine slows down for both", series([]int{20}, []int{200}, []int{2000}), series([]int{10}, []int{100}, []int{1000}), Ratio{2, 2, 2, 2}},
		{"one turn is disturbed", series([]int{20}, []int{90}, []int{22}), series([]int{10}, []int{10}, []int{10}), Ratio{2.2, 2, 9, 2}},
		{"medians of turns", series([]int{1, 30, 900}), series([]int{10, 10, 10}), Ratio{3, 3, 3, 0.1}},
		{"turns that only one has", series([]int{30}, []int{40}), series([]int{10}), Ratio{3, 3, 3, 3}},
		{"no turn", Series{}, series([]int{10}), Ratio{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := RatioOf(tt.subject, tt.base); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFuelIsReportedWithItsSpread(t *testing.T) {
	tests := []struct {
		name        string
		turns       [][]Observation
		least, most uint64
	}{
		{"none", nil, 0, 0},
		{"the same each time", [][]Observation{{{Fuel: 5}}, {{Fuel: 5}}}, 5, 5},
		{"not the same", [][]Observation{{{Fuel: 7}, {Fuel: 5}}, {{Fuel: 6}}}, 5, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if least, most := (Series{Turns: tt.turns}).Fuel(); least != tt.least || most != tt.most {
				t.Errorf("got %d to %d, want %d to %d", least, most, tt.least, tt.most)
			}
		})
	}
}

func TestTargetsHaveTwoDirections(t *testing.T) {
	tests := []struct {
		target Target
		want   bool
	}{
		{Target{Limit: 0.6, Measured: 0.6}, true},
		{Target{Limit: 0.6, Measured: 0.61}, false},
		{Target{Limit: 0.6}, false}, // not measured
		{Target{Limit: 2500, Measured: 2500, AtLeast: true}, true},
		{Target{Limit: 2500, Measured: 2499, AtLeast: true}, false},
		{Target{Limit: 2500, AtLeast: true}, false},
	}
	for _, tt := range tests {
		if got := tt.target.Met(); got != tt.want {
			t.Errorf("%+v: met is %t", tt.target, got)
		}
	}
}

func TestGeometricMeanOfInversesIsOne(t *testing.T) {
	if got := GeometricMean([]float64{4, 0.25, 2, 0.5}); math.Abs(got-1) > 1e-12 {
		t.Errorf("got %v", got)
	}
	if got := GeometricMean([]float64{0, -1, math.NaN()}); got != 0 {
		t.Errorf("mean of no ratio: %v", got)
	}
}

func TestElapsedIsSorted(t *testing.T) {
	if got := series([]int{3, 1}, []int{2}).Elapsed(); !slices.IsSorted(got) || len(got) != 3 {
		t.Errorf("got %v", got)
	}
}
