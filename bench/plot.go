package main

import (
	"fmt"
	"slices"

	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/internal/workloads"
)

// charts draws what a report says: starting, computing, and memory.
func charts(r *measure.Report, programs []workloads.Workload) []measure.Chart {
	rows := map[string]measure.Row{}
	for _, row := range r.Rows {
		rows[row.Name] = row
	}
	start := measure.Chart{
		Title: `A fresh Python that prints one line`,
		Note:  "median time of a call, less is better; each grid line is ten times the one before",
		Unit:  "ms", Log: true,
	}
	cpu := measure.Chart{
		Title: "CPU-bound Python",
		Note:  fmt.Sprintf("geometric mean of the times of %d programs, start included; less is better", len(programs)),
		Unit:  "ms",
	}
	memory := measure.Chart{
		Title: "Memory of one more waiting instance",
		Note:  "private pages; less is better",
		Unit:  "MiB",
	}
	for _, p := range r.Peers {
		if languageOf(p.Door) != langPython {
			continue
		}
		hello := rows[rowName("hello", p.Door)]
		start.Bars = append(start.Bars, bar(p, hello.P50))
		if mean, ok := meanOf(rows, programs, p.Door); ok {
			cpu.Bars = append(cpu.Bars, bar(p, mean))
		}
		if hello.PrivateKB > 0 {
			memory.Bars = append(memory.Bars, bar(p, float64(hello.PrivateKB)/1024))
		}
	}
	cpu.Log = spread(cpu.Bars) > linearSpread
	var all []measure.Chart
	for _, c := range []measure.Chart{start, cpu, memory} {
		if len(c.Bars) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// linearSpread is how far values may differ before short bars cannot be told
// apart on a linear scale.
const linearSpread = 30

func spread(bars []measure.Bar) float64 {
	var values []float64
	for _, b := range bars {
		values = append(values, b.Value)
	}
	if len(values) == 0 {
		return 1
	}
	return slices.Max(values) / slices.Min(values)
}

func bar(p measure.Peer, value float64) measure.Bar {
	b := measure.Bar{Label: p.Door, Value: value, Accent: p.Door == product}
	switch {
	case p.Unavailable != "":
		b.Text = "not available"
	case value == 0:
		b.Text = "failed"
	}
	return b
}

// meanOf is the geometric mean of a door's medians, if it ran every program.
func meanOf(rows map[string]measure.Row, programs []workloads.Workload, door string) (float64, bool) {
	var each []float64
	for _, w := range programs {
		row := rows[rowName(w.Name, door)]
		if row.P50 == 0 {
			return 0, false
		}
		each = append(each, row.P50)
	}
	return measure.GeometricMean(each), len(each) > 0
}
