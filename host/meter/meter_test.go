package meter

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// factorial multiplies 1 to 5 in a loop.
var factorial = code(2,
	c32(5), set(0), c32(1), set(1),
	loop(
		get(1), get(0), op(wasm.OpI32Mul), set(1),
		get(0), c32(1), op(wasm.OpI32Sub), opa(wasm.OpLocalTee, 0), brIf(0),
	),
	get(1))

// programs cover each control construct by hand.
var programs = []struct {
	name string
	p    program
}{
	{"straight line", program{funcs: []function{code(0, c32(2), c32(3), op(wasm.OpI32Add))}}},
	{"nothing at all", program{funcs: []function{{}}}},
	{"free instructions", program{funcs: []function{code(0, op(wasm.OpNop), block(1, op(wasm.OpNop), c32(1)))}}},
	{"loop with br_if", program{funcs: []function{factorial}}},
	{"loop that never repeats", program{funcs: []function{code(0, loop(c32(1), op(wasm.OpDrop)), c32(2))}}},
	{"loop in a loop", program{funcs: []function{code(3,
		loop(
			c32(0), set(1),
			loop(
				get(2), c32(1), op(wasm.OpI32Add), set(2),
				get(1), c32(1), op(wasm.OpI32Add), opa(wasm.OpLocalTee, 1), c32(4), op(wasm.OpI32LtS), brIf(0),
			),
			get(0), c32(1), op(wasm.OpI32Add), opa(wasm.OpLocalTee, 0), c32(3), op(wasm.OpI32LtS), brIf(0),
		), get(2))}}},
	{"if taken", program{funcs: []function{code(1, c32(1), when(c32(7), set(0)), get(0))}}},
	{"if not taken", program{funcs: []function{code(1, c32(0), when(c32(7), set(0)), get(0))}}},
	{"else", program{funcs: []function{code(0, c32(0), choose(1, []node{c32(1)}, []node{c32(2), c32(3), op(wasm.OpI32Add)}))}}},
	{"then that returns", program{funcs: []function{code(0, c32(1), when(c32(9), op(wasm.OpReturn)), c32(3))}}},
	{"else that leaves two blocks", program{funcs: []function{code(0,
		block(0, block(0, c32(0), choose(0, []node{op(wasm.OpNop)}, []node{br(2)}), op(wasm.OpNop)), c32(1), op(wasm.OpDrop)),
		c32(4))}}},
	{"br over code", program{funcs: []function{code(0, block(1, c32(5), br(0)), c32(1), op(wasm.OpI32Add))}}},
	{"br_if both ways", program{funcs: []function{code(1,
		block(0, get(0), brIf(0), c32(1), set(0)),
		block(0, get(0), brIf(0), c32(2), set(0)), get(0))}}},
	{"br_if out of the function", program{funcs: []function{code(0, c32(8), c32(1), brIf(0), c32(1), op(wasm.OpI32Add))}}},
	{"br_if past an outer block, then more", program{funcs: []function{code(0,
		block(0, block(0, c32(0), brIf(1), c32(0), brIf(0), c32(1), op(wasm.OpDrop)), c32(1), op(wasm.OpDrop)), c32(3))}}},
	{"br_table to each label", program{funcs: []function{
		code(2,
			loop(
				block(0, block(0, block(0,
					get(0), brTable(0, 1, 2)),
					get(1), c32(10), op(wasm.OpI32Add), set(1)),
					get(1), c32(100), op(wasm.OpI32Add), set(1)),
				get(0), c32(1), op(wasm.OpI32Add), opa(wasm.OpLocalTee, 0), c32(5), op(wasm.OpI32LtS), brIf(0),
			), get(1)),
	}}},
	{"br_table back to a loop and out of the function", program{funcs: []function{
		{locals: 1, body: []node{
			loop(get(0), c32(1), op(wasm.OpI32Add), opa(wasm.OpLocalTee, 0), c32(4), op(wasm.OpI32Eq), brTable(0, 1)),
			op(wasm.OpUnreachable),
		}},
	}}},
	{"return in a loop", program{funcs: []function{code(1,
		loop(get(0), c32(1), op(wasm.OpI32Add), opa(wasm.OpLocalTee, 0), c32(6), op(wasm.OpI32Eq),
			when(get(0), op(wasm.OpReturn)), br(0)), op(wasm.OpUnreachable))}}},
	{"unreachable code after br", program{funcs: []function{code(0,
		block(1, c32(5), br(0), op(wasm.OpDrop), loop(c32(1), brIf(0)), c32(1)))}}},
	{"unreachable if and else", program{funcs: []function{code(0,
		c32(1), op(wasm.OpReturn), c32(1), choose(1, []node{c32(1), br(0)}, []node{c32(2)}))}}},
	{"calls", program{funcs: []function{code(0, call(1), call(1), op(wasm.OpI32Add)), factorial}}},
	{"recursion", program{funcs: []function{
		code(0, c32(9), call(1)),
		{params: 1, results: 1, body: []node{ // Fibonacci numbers
			get(0), c32(2), op(wasm.OpI32LtS), choose(1, []node{get(0)}, []node{
				get(0), c32(1), op(wasm.OpI32Sub), call(1), get(0), c32(2), op(wasm.OpI32Sub), call(1), op(wasm.OpI32Add),
			}),
		}},
	}}},
	{"call_indirect", program{table: []int{1, 2}, funcs: []function{
		code(0, c32(3), c32(0), callIndirect(1, 1), c32(1), callIndirect(1, 1)),
		{params: 1, results: 1, body: []node{get(0), get(0), op(wasm.OpI32Mul)}},
		{params: 1, results: 1, body: []node{get(0), c32(1), op(wasm.OpI32Add)}},
	}}},
	{"tail calls", program{table: []int{1}, funcs: []function{
		code(0, c32(20), c32(0), call(1)),
		{params: 2, results: 1, body: []node{
			get(0), op(wasm.OpI32Eqz), when(get(1), op(wasm.OpReturn)),
			get(0), c32(1), op(wasm.OpI32Sub), get(1), get(0), op(wasm.OpI32Add),
			get(0), c32(1), op(wasm.OpI32And),
			choose(0,
				[]node{c32(0), c32(0), opa(wasm.OpReturnCall, 1)},
				[]node{op(wasm.OpNop)}),
			c32(0),
			{op: wasm.OpReturnCallIndirect, params: 2, results: 1},
		}},
	}}},
	{"several values through a block", program{funcs: []function{
		{results: 3, body: []node{
			c32(1), {op: wasm.OpBlock, params: 1, results: 3, body: []node{c32(2), c32(3), c32(1), brIf(0), op(wasm.OpNop)}},
		}},
	}}},
	{"several values around a loop", program{funcs: []function{
		{results: 2, body: []node{
			c32(5), c32(0),
			{op: wasm.OpLoop, params: 2, results: 2, body: []node{
				c32(3), op(wasm.OpI32Add), opa(wasm.OpGlobalSet, 1),
				c32(1), op(wasm.OpI32Sub), opa(wasm.OpGlobalSet, 0),
				opa(wasm.OpGlobalGet, 0), opa(wasm.OpGlobalGet, 1), opa(wasm.OpGlobalGet, 0), brIf(0),
			}},
		}},
	}, globals: 2}},
	{"several values out of the function", program{funcs: []function{
		{results: 2, body: []node{c32(1), c32(2), c32(1), brTable(0, 0), op(wasm.OpUnreachable)}},
	}}},
	{"imports called and in the table", program{imports: envImports, table: []int{0}, funcs: []function{
		code(0, c32(1), c32(2), call(0), call(1), call(2), c32(4), c32(0), callIndirect(2, 1)),
	}}},
	{"bulk memory", program{memory: 2, funcs: []function{code(0,
		c32(8), c32(7), c32(100), op(wasm.OpMemoryFill), c32(200), c32(8), c32(17), op(wasm.OpMemoryCopy),
		c32(0), c32(0), c32(0), op(wasm.OpMemoryFill),
		c32(200), opa(wasm.OpI32Load, 0))}}},
}

// same runs a program three ways: as it is, metered, and in the reference
// interpreter.
func same(t *testing.T, h *host, p *program, b bounds, args ...int32) {
	t.Helper()
	bin := p.bytes()
	words := make([]uint64, len(args))
	for i, v := range args {
		words[i] = uint64(uint32(v))
	}
	want, count, wantErr := interpret(p, args)
	plain := h.run(t, bin, "run", words...)
	got := h.run(t, meteredWithin(t, bin, Config{}, b), "run", words...)
	if (plain.err != nil) != (wantErr != nil) || (got.err != nil) != (wantErr != nil) {
		t.Fatalf("unmetered: %v; metered: %v; want %v", plain.err, got.err, wantErr)
	}
	if wantErr != nil {
		if got.fuel < count {
			t.Errorf("fuel %d is less than the %d instructions before the trap", got.fuel, count)
		}
		return
	}
	if !slices.Equal(plain.results, want) || !slices.Equal(got.results, want) {
		t.Errorf("unmetered %v, metered %v; want %v", plain.results, got.results, want)
	}
	if got.fuel != count {
		t.Errorf("fuel %d; want %d", got.fuel, count)
	}
}

func TestFuelIsTheInstructionsExecuted(t *testing.T) {
	h := newHost(t).plenty()
	for _, tt := range programs {
		t.Run(tt.name, func(t *testing.T) { same(t, h, &tt.p, usual()) })
	}
}

func TestFuelOfRandomProgramsIsTheInstructionsExecuted(t *testing.T) {
	h := newHost(t).plenty()
	n := uint64(700)
	if testing.Short() {
		n = 200
	}
	for seed := range n {
		p := randomProgram(rand.New(rand.NewPCG(seed, 1)))
		b := usual()
		if seed%2 == 1 { // so tight that all of them matter
			b = bounds{unchecked: int(seed % 40), unwinding: int(seed % 7), ahead: seed % 30}
		}
		same(t, h, p, b, 3, -1)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestSlicesDoNotChangeTheFuel(t *testing.T) {
	h := newHost(t)
	for seed := range uint64(60) {
		bin := metered(t, randomProgram(rand.New(rand.NewPCG(seed, 2))).bytes(), Config{})
		first := h.plenty().run(t, bin, "run", 3, 9)
		for _, slice := range []int64{1, 7, 100, 5000, 1 << 40} {
			h.budget, h.slice = 1<<50, slice
			r := h.run(t, bin, "run", 3, 9)
			if r.fuel != first.fuel || !slices.Equal(r.results, first.results) {
				t.Fatalf("seed %d, slices of %d: fuel %d, results %v; want %d, %v",
					seed, slice, r.fuel, r.results, first.fuel, first.results)
			}
		}
	}
}

func TestInstrumentIsDeterministic(t *testing.T) {
	bin := randomProgram(rand.New(rand.NewPCG(5, 3))).bytes()
	if !bytes.Equal(metered(t, bin, Config{}), metered(t, bin, Config{})) {
		t.Error("two results for the same module")
	}
}

func TestRefuelIsCalledOnceForEachSlice(t *testing.T) {
	h := newHost(t)
	p := program{funcs: []function{code(1,
		loop(get(0), c32(1), op(wasm.OpI32Add), opa(wasm.OpLocalTee, 0), c32(100_000), op(wasm.OpI32LtS), brIf(0)),
		get(0))}}
	h.budget, h.slice = 1<<40, 10_000
	r := h.run(t, metered(t, p.bytes(), Config{}), "run")
	if r.err != nil {
		t.Fatal(r.err)
	}
	// Seven instructions each time around, and one more at the end.
	if want := int64(7*100_000 + 1); r.fuel != want {
		t.Fatalf("fuel %d; want %d", r.fuel, want)
	}
	if want := int(r.fuel/h.slice) + 1; r.refuels != want {
		t.Errorf("refuelled %d times; want %d", r.refuels, want)
	}
	if r.deepest < -8 {
		t.Errorf("overdrawn by %d before refuel was called", -r.deepest)
	}
}

func TestTrapsKeepTheFuel(t *testing.T) {
	h := newHost(t).plenty()
	p := program{funcs: []function{code(0, call(1), op(wasm.OpUnreachable)), factorial}}
	r := h.run(t, metered(t, p.bytes(), Config{}), "run")
	_, count, err := interpret(&p, nil)
	if r.err == nil || !errors.Is(err, errTrap) {
		t.Fatal("no trap")
	}
	if r.fuel != count {
		t.Errorf("fuel %d; want %d", r.fuel, count)
	}
}
