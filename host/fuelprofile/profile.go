package fuelprofile

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	pprof "github.com/google/pprof/profile"
)

// MaxListed is the most functions that [Profile.Functions] holds.
const MaxListed = 100

// Profile is where a call's fuel went. It is immutable.
type Profile struct {
	// Functions are those of the program and of the library it used, by what they used
	// themselves, the most first. Omitted is how many more there were.
	Functions []Function `json:"functions"`
	Omitted   int        `json:"omitted"`
	// Total is the fuel that the program used, in instructions, and Overhead what the
	// call used beside it to be profiled: the two are about the call's consumption.
	Total    uint64 `json:"total"`
	Overhead uint64 `json:"overhead"`

	functions []function
	root      *node
}

// Function is one function's part of a profile.
type Function struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"` // where it begins; 0 for what is no function of the program's
	// Calls is how many times it began or went on.
	Calls uint64 `json:"calls"`
	// Self is the fuel it used itself, what the interpreter does for it included; Total
	// also has what it called.
	Self  uint64 `json:"self"`
	Total uint64 `json:"total"`
}

// Interpreter is the name of what is the interpreter's own work: to begin and end a
// call, and to compile the program.
const Interpreter = "(interpreter)"

// Finish returns the profile of a guest that has returned. The recorder is of no use
// afterwards.
func (r *Recorder) Finish() *Profile {
	if r.ended {
		r.root.self += r.clock() - r.last
	} else {
		r.pass(r.clock(), leave)
	}
	p := &Profile{Overhead: r.overhead, Functions: []Function{}, functions: r.functions, root: &r.root}
	sums := make([]Function, len(r.functions)+1)
	var walk func(n *node) uint64
	on := make([]int, len(sums)) // how many times each is on the way to the root
	walk = func(n *node) uint64 {
		at := 0
		if n.parent != nil {
			at = int(n.function) + 1
		}
		on[at]++
		total := n.self
		for _, id := range slices.Sorted(maps.Keys(n.children)) {
			total += walk(n.children[id])
		}
		on[at]--
		sums[at].Self += n.self
		sums[at].Calls += n.calls
		if on[at] == 0 {
			sums[at].Total += total
		}
		return total
	}
	p.Total = walk(&r.root)
	sums[0].Name = Interpreter
	for i, f := range r.functions {
		sums[i+1].Name, sums[i+1].File, sums[i+1].Line = f.name, f.file, f.line
	}
	for _, f := range sums {
		if f.Total > 0 || f.Calls > 0 {
			p.Functions = append(p.Functions, f)
		}
	}
	slices.SortStableFunc(p.Functions, func(a, b Function) int { return cmp.Compare(b.Self, a.Self) })
	if more := len(p.Functions) - MaxListed; more > 0 {
		p.Functions, p.Omitted = p.Functions[:MaxListed], more
	}
	return p
}

// Write writes the profile in pprof's format, compressed, for "go tool pprof" and
// whatever else draws flame graphs. Equal profiles are equal bytes.
//
// See https://github.com/google/pprof/blob/main/proto/profile.proto
func (p *Profile) Write(w io.Writer) error {
	out := &pprof.Profile{
		SampleType: []*pprof.ValueType{
			{Type: "calls", Unit: "count"},
			{Type: "fuel", Unit: "instructions"},
		},
		DefaultSampleType: "fuel",
		PeriodType:        &pprof.ValueType{Type: "fuel", Unit: "instructions"},
		Period:            1,
	}
	location := func(name, file string, line int) *pprof.Location {
		id := uint64(len(out.Location) + 1)
		f := &pprof.Function{ID: id, Name: name, SystemName: name, Filename: file, StartLine: int64(line)}
		l := &pprof.Location{ID: id, Line: []pprof.Line{{Function: f, Line: int64(line)}}}
		out.Function, out.Location = append(out.Function, f), append(out.Location, l)
		return l
	}
	interpreter := location(Interpreter, "", 0)
	locations := make([]*pprof.Location, len(p.functions))
	for i, f := range p.functions {
		locations[i] = location(f.name, f.file, f.line)
	}
	var walk func(n *node)
	walk = func(n *node) {
		if n.self > 0 || n.calls > 0 {
			s := &pprof.Sample{Value: []int64{int64(n.calls), int64(n.self)}} //nolint:gosec // fuel is below 1<<60
			for at := n; at.parent != nil; at = at.parent {
				s.Location = append(s.Location, locations[at.function])
			}
			s.Location = append(s.Location, interpreter)
			out.Sample = append(out.Sample, s)
		}
		for _, id := range slices.Sorted(maps.Keys(n.children)) {
			walk(n.children[id])
		}
	}
	walk(p.root)
	if err := out.CheckValid(); err != nil {
		return fmt.Errorf("write the fuel profile: %w", err)
	}
	if err := out.Write(w); err != nil {
		return fmt.Errorf("write the fuel profile: %w", err)
	}
	return nil
}
