package main

import (
	"slices"

	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/internal/workloads"
)

// product is the door every other one is compared with, and products that of each
// language.
const product = "in-process"

var products = map[string]string{langPython: product, langJavaScript: "in-process-javascript"}

// costs are pairs of doors that differ in one thing only, whose price they show.
var costs = []struct{ door, base string }{
	{"wazero-metered", "wazero"},
	{"wazero-close-on-done", "wazero"},
	{"extism-timeout", "wazero"},
	{"wasmtime-fuel", "wasmtime"},
	{"wazero-metered-built", "wazero-built"},
}

// ratios compares the series of one run: every door with sandboxd, and then the
// pairs that show a price. Over programs it takes the geometric mean, with the
// programs that gave the lowest and the highest ratio as its extremes.
func ratios(series map[string]measure.Series, doors []openDoor, programs []workloads.Workload) []measure.Comparison {
	var all []measure.Comparison
	for _, d := range doors {
		base := products[languageOf(d.name)]
		if d.name == base {
			continue
		}
		all = appendRatio(all, series, "hello", d.name, base)
	}
	for _, d := range doors {
		if d.name != product {
			all = appendMean(all, series, programs, d.name, product)
		}
	}
	for _, c := range costs {
		all = appendMean(all, series, programs, c.door, c.base)
	}
	for _, w := range programs {
		all = appendRatio(all, series, w.Name, costs[0].door, costs[0].base)
	}
	return all
}

func appendRatio(all []measure.Comparison, series map[string]measure.Series, workload, door, base string) []measure.Comparison {
	r := measure.RatioOf(series[rowName(workload, door)], series[rowName(workload, base)])
	if r == (measure.Ratio{}) {
		return all
	}
	return append(all, measure.Comparison{
		Name: rowName(workload, door), Base: rowName(workload, base), Ratio: r.Median, Best: r.Best, Low: r.Low, High: r.High,
	})
}

func appendMean(all []measure.Comparison, series map[string]measure.Series, programs []workloads.Workload, door, base string) []measure.Comparison {
	var each, best []float64
	for _, w := range programs {
		r := measure.RatioOf(series[rowName(w.Name, door)], series[rowName(w.Name, base)])
		if r.Median > 0 {
			each, best = append(each, r.Median), append(best, r.Best)
		}
	}
	if len(each) == 0 {
		return all
	}
	return append(all, measure.Comparison{
		Name: rowName("cpu", door), Base: rowName("cpu", base),
		Ratio: measure.GeometricMean(each), Best: measure.GeometricMean(best), Low: slices.Min(each), High: slices.Max(each),
	})
}
