package meter

import (
	"errors"
	"slices"
	"testing"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// selfish is a function that keeps calling itself in the way given.
func selfish(how ...node) function { return function{body: how} }

var endless = []struct {
	name string
	p    program
}{
	{"loop with br", program{funcs: []function{selfish(loop(br(0)))}}},
	{"loop with br_if", program{funcs: []function{selfish(loop(c32(1), brIf(0)))}}},
	{"loop with br_table", program{funcs: []function{selfish(loop(c32(9), brTable(1, 0)))}}},
	{"loop with br_table that never takes its default", program{funcs: []function{selfish(loop(c32(0), brTable(0, 1)))}}},
	{"loop around an empty loop", program{funcs: []function{selfish(loop(loop(), br(0)))}}},
	{"inner of two loops", program{funcs: []function{selfish(loop(loop(br(0)), br(0)))}}},
	{"outer of two loops", program{funcs: []function{selfish(loop(loop(br(1))))}}},
	{"loop left only by blocks", program{funcs: []function{selfish(loop(block(0, block(0, c32(0), brTable(0, 1))), br(0)))}}},
	{"loop in an else", program{funcs: []function{selfish(c32(0), choose(0, nil, []node{loop(br(0))}))}}},
	{"loop of calls", program{funcs: []function{selfish(loop(call(1), br(0))), {}}}},
	{"recursion", program{funcs: []function{selfish(call(0))}}},
	{"recursion in a condition", program{funcs: []function{selfish(c32(1), when(call(0)))}}},
	{"recursion after a block", program{funcs: []function{selfish(block(0, c32(0), brIf(0)), call(0))}}},
	{"mutual recursion", program{funcs: []function{selfish(call(1)), selfish(call(2)), selfish(call(0))}}},
	{"recursion through the table", program{table: []int{0}, funcs: []function{selfish(c32(0), callIndirect(0, 0))}}},
	{"recursion through the table and a helper", program{table: []int{1}, funcs: []function{
		selfish(c32(0), callIndirect(0, 0)), selfish(call(0)),
	}}},
	{"tail call of itself", program{funcs: []function{selfish(opa(wasm.OpReturnCall, 0))}}},
	{"tail calls in a ring", program{funcs: []function{selfish(opa(wasm.OpReturnCall, 1)), selfish(opa(wasm.OpReturnCall, 0))}}},
	{"tail call through the table", program{table: []int{0}, funcs: []function{
		selfish(c32(0), node{op: wasm.OpReturnCallIndirect}),
	}}},
	{"import in a loop", program{imports: envImports, funcs: []function{selfish(loop(call(2), br(0)))}}},
	{"import in the table, in a loop", program{imports: envImports, table: []int{2}, funcs: []function{
		selfish(loop(c32(0), callIndirect(0, 0), br(0))),
	}}},
	{"bulk memory in a loop", program{memory: 1, funcs: []function{
		selfish(loop(c32(0), c32(0), c32(60_000), op(wasm.OpMemoryFill), br(0))),
	}}},
	{"memory.grow by nothing in a loop", program{memory: 1, funcs: []function{
		selfish(loop(c32(0), op(wasm.OpMemoryGrow), op(wasm.OpDrop), br(0))),
	}}},
	{"calls that double at each level", doubling(60)},
}

// doubling is a program in which each of n functions calls the next one twice:
// neither loop nor recursion, yet it takes 1<<n calls.
func doubling(n int) program {
	var p program
	for i := range n {
		p.funcs = append(p.funcs, selfish(call(int32(i+1)), call(int32(i+1))))
	}
	p.funcs = append(p.funcs, function{})
	return p
}

func TestEndlessProgramsRunOutOfFuel(t *testing.T) {
	h := newHost(t)
	for _, tt := range endless {
		t.Run(tt.name, func(t *testing.T) {
			runsOut(t, h, metered(t, tt.p.bytes(), Config{}))
		})
	}
}

// runsOut runs a module that must end because refuel does not return.
func runsOut(t *testing.T, h *host, bin []byte) {
	t.Helper()
	h.budget, h.slice = 100_000, 10_000
	first := h.run(t, bin, "run")
	if !errors.Is(first.err, errOutOfFuel) {
		t.Fatalf("ended with %v", first.err)
	}
	if over := first.fuel - first.granted; over < 1 || over > 200_000 {
		t.Errorf("overdrawn by %d", over)
	}
	h.budget, h.slice = 100_000, 100_000
	if second := h.run(t, bin, "run"); second.fuel < 100_000 || second.fuel > 300_000 {
		t.Errorf("in one slice it ended at %d", second.fuel)
	}
}

// withTag is a module with a tag without values and, as function 0, run.
func withTag(body []byte) []byte {
	m := &wasm.Module{}
	empty := m.AddType(nil, nil)
	m.Tags = []uint32{empty}
	m.AddFunc(empty, nil, body)
	m.AddExport("run", wasm.KindFunc, 0)
	return m.Encode()
}

const (
	// tryOnce opens a try_table that branches to the block around it when
	// tag 0 is thrown.
	tryOnce = "\x1f\x40\x01\x00\x00\x00"
	// tryAll is the same for every exception, with a reference to it.
	tryAllRef = "\x1f\x40\x01\x03\x00"
)

func TestExceptionsCannotOutrunTheFuel(t *testing.T) {
	h := newHost(t)
	var throwing, rethrowing, recursing wasm.Asm
	throwing.Block(wasm.OpLoop, wasm.NoResult).Block(wasm.OpBlock, wasm.NoResult)
	throwing.Raw([]byte(tryOnce)).U32(wasm.OpThrow, 0).Op(wasm.OpEnd, wasm.OpEnd).U32(wasm.OpBr, 0).Op(wasm.OpEnd, wasm.OpEnd)

	exn := wasm.Result(wasm.ExnRef)
	rethrowing.Block(wasm.OpLoop, wasm.NoResult).Block(wasm.OpBlock, exn)
	rethrowing.Raw([]byte(tryAllRef)).Block(wasm.OpBlock, exn)
	rethrowing.Raw([]byte(tryAllRef)).U32(wasm.OpThrow, 0).Op(wasm.OpEnd, wasm.OpUnreachable, wasm.OpEnd)
	rethrowing.Op(wasm.OpThrowRef, wasm.OpEnd, wasm.OpUnreachable, wasm.OpEnd)
	rethrowing.Op(wasm.OpDrop).U32(wasm.OpBr, 0).Op(wasm.OpEnd, wasm.OpEnd)

	recursing.Block(wasm.OpBlock, wasm.NoResult).Raw([]byte(tryOnce)).U32(wasm.OpThrow, 0).Op(wasm.OpEnd, wasm.OpEnd)
	recursing.U32(wasm.OpCall, 0).Op(wasm.OpEnd)

	for name, body := range map[string][]byte{
		"throw and catch": throwing.Bytes(), "throw_ref": rethrowing.Bytes(), "catch and recur": recursing.Bytes(),
	} {
		t.Run(name, func(t *testing.T) {
			runsOut(t, h, metered(t, withTag(body), Config{}))
		})
	}
}

// repeated is n times the same harmless instructions.
func repeated(n int) []node { return slices.Repeat([]node{c32(1), op(wasm.OpDrop)}, n) }

func TestStraightCodeChecksToo(t *testing.T) {
	h := newHost(t)
	// Each of these executes two million instructions without a loop, and would
	// only be checked where it is never executed if checks were put wherever
	// enough text has gone by.
	var evading []node
	for range 20 {
		evading = append(evading, repeated(24_990)...)
		evading = append(evading, c32(0), when(repeated(50)...))
	}
	var unwinding []node
	unwinding = append(unwinding, get(0), when(get(0), c32(1), op(wasm.OpI32Sub), call(1)), c32(1), when(repeated(2_000)...))
	for _, tt := range []struct {
		name string
		p    program
		over int64
	}{
		{"one long block", program{funcs: []function{selfish(repeated(1_000_000)...)}}, 110_000},
		{"checks offered only in dead branches", program{funcs: []function{selfish(slices.Concat(evading, evading)...)}}, 110_000},
		{"many calls of a long function", program{funcs: []function{
			selfish(slices.Repeat([]node{call(1)}, 100)...), selfish(repeated(10_000)...),
		}}, 110_000},
		{"a recursion that unwinds", program{funcs: []function{
			selfish(c32(500), call(1)), {params: 1, body: unwinding},
		}}, 10_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.budget, h.slice = 1<<40, 1_000
			r := h.run(t, metered(t, tt.p.bytes(), Config{}), "run")
			if r.err != nil {
				t.Fatal(r.err)
			}
			if r.fuel < 1_900_000 {
				t.Fatalf("fuel %d", r.fuel)
			}
			if -r.deepest > tt.over {
				t.Errorf("overdrawn by %d before refuel was called", -r.deepest)
			}
		})
	}
}
