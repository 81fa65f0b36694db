package meter

import (
	"math/rand/v2"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// maker makes a random program that validates and ends.
type maker struct {
	*rand.Rand
	p     *program
	f     *function
	size  int // instructions still wanted
	frame []label
}

// label is what a branch to an enclosing block must leave on the stack.
type label struct {
	values int
	loop   bool
}

// Global 0 is the patience of a random program: whatever may repeat takes from
// it, and returns from the function when none is left.
const patience = 400

func randomProgram(r *rand.Rand) *program {
	g := &maker{Rand: r, p: &program{globals: 2, memory: 1, imports: envImports}}
	for i := range 1 + g.IntN(5) {
		f := function{params: g.IntN(4), results: g.IntN(4), locals: g.IntN(3)}
		if i == 0 {
			f.params = 2
		}
		g.p.funcs = append(g.p.funcs, f)
	}
	for range 1 + g.IntN(6) {
		g.p.table = append(g.p.table, g.IntN(len(envImports)+len(g.p.funcs)))
	}
	for i := range g.p.funcs {
		g.f = &g.p.funcs[i]
		g.size = 10 + g.IntN(120)
		g.frame = []label{{values: g.f.results}}
		if i == 0 {
			// "run" is not called again: it sets the patience.
			g.f.body = append(g.f.body, c32(patience), opa(wasm.OpGlobalSet, 0))
		}
		g.f.body = append(g.f.body, g.body(0, g.f.results)...)
	}
	return g.p
}

// guard takes patience.
func (g *maker) guard() []node {
	out := []node{op(wasm.OpReturn)}
	for range g.f.results {
		out = append([]node{c32(0)}, out...)
	}
	return []node{
		opa(wasm.OpGlobalGet, 0), c32(1), op(wasm.OpI32Sub), opa(wasm.OpGlobalSet, 0),
		opa(wasm.OpGlobalGet, 0), c32(0), op(wasm.OpI32LtS), when(out...),
	}
}

// body makes a sequence that finds have values on the stack and leaves want.
func (g *maker) body(have, want int) []node {
	var out []node
	for g.size > 0 && g.IntN(12) > 0 {
		g.size--
		var step []node
		var dead bool
		step, have, dead = g.step(have)
		out = append(out, step...)
		if dead {
			return out
		}
	}
	for ; have > want; have-- {
		out = append(out, op(wasm.OpDrop))
	}
	for ; have < want; have++ {
		out = append(out, g.value())
	}
	return out
}

func (g *maker) value() node {
	locals := g.f.params + g.f.locals
	switch {
	case locals > 0 && g.IntN(2) == 0:
		return get(int32(g.IntN(locals)))
	case g.IntN(3) == 0:
		return opa(wasm.OpGlobalGet, 1)
	default:
		return c32(int32(g.IntN(7)) - 2)
	}
}

func (g *maker) values(n int) []node {
	out := make([]node, n)
	for i := range out {
		out[i] = g.value()
	}
	return out
}

// step makes some instructions and tells how many values are on the stack
// after them, or that they are not reached.
func (g *maker) step(have int) (step []node, left int, dead bool) {
	switch kind := g.IntN(16); {
	case kind < 4:
		return g.simple(have)
	case kind < 8:
		return g.structure(have)
	case kind < 11:
		return g.branch(have)
	case kind < 13:
		return g.call(have)
	case kind == 13 && g.IntN(3) == 0:
		return append(g.values(g.f.results), op(wasm.OpReturn)), 0, true
	case kind == 14 && g.IntN(3) == 0:
		return g.tailCall(), 0, true
	case kind == 15 && g.IntN(20) == 0:
		return []node{op(wasm.OpUnreachable)}, 0, true
	default:
		return []node{g.value()}, have + 1, false
	}
}

func (g *maker) simple(have int) ([]node, int, bool) {
	locals := g.f.params + g.f.locals
	binary := []wasm.Opcode{wasm.OpI32Add, wasm.OpI32Sub, wasm.OpI32Mul, wasm.OpI32Xor, wasm.OpI32LtS, wasm.OpI32Eq}
	switch kind := g.IntN(8); {
	case kind == 0 && have > 0 && locals > 0:
		return []node{set(int32(g.IntN(locals)))}, have - 1, false
	case kind == 1 && have > 0:
		return []node{opa(wasm.OpGlobalSet, 1)}, have - 1, false
	case kind == 2 && have > 2:
		return []node{op(wasm.OpSelect)}, have - 2, false
	case kind == 3:
		return []node{op(wasm.OpNop)}, have, false
	case kind == 4:
		fill := append(g.values(2), c32(int32(g.IntN(40))), op(wasm.OpMemoryFill))
		fill[0] = c32(int32(g.IntN(1000)))
		return fill, have, false
	case kind == 5 && have > 0:
		return []node{c32(0xff), op(wasm.OpI32And), opa(wasm.OpI32Load, 3)}, have, false
	case have > 1:
		return []node{op(binary[g.IntN(len(binary))])}, have - 1, false
	default:
		return []node{g.value()}, have + 1, false
	}
}

func (g *maker) structure(have int) ([]node, int, bool) {
	n := node{params: g.IntN(min(have, 2) + 1), results: g.IntN(3)}
	switch g.IntN(4) {
	case 0:
		n.op = wasm.OpBlock
		n.body = g.inside(n.params, n.results, label{values: n.results})
	case 1:
		n.op = wasm.OpLoop
		n.body = g.inside(n.params, n.results, label{values: n.params, loop: true})
	case 2:
		n.op, n.noElse, n.results = wasm.OpIf, true, n.params
		n.body = g.inside(n.params, n.results, label{values: n.results})
	default:
		n.op = wasm.OpIf
		n.body = g.inside(n.params, n.results, label{values: n.results})
		n.other = g.inside(n.params, n.results, label{values: n.results})
	}
	left := have - n.params + n.results
	if n.op == wasm.OpIf {
		return []node{g.value(), n}, left, false
	}
	return []node{n}, left, false
}

func (g *maker) inside(have, want int, l label) []node {
	g.frame = append(g.frame, l)
	body := g.body(have, want)
	g.frame = g.frame[:len(g.frame)-1]
	return body
}

func (g *maker) label() (depth int, l label) {
	depth = g.IntN(len(g.frame))
	return depth, g.frame[len(g.frame)-1-depth]
}

func (g *maker) branch(have int) ([]node, int, bool) {
	depth, l := g.label()
	out := append(g.guard(), g.values(l.values)...)
	switch g.IntN(3) {
	case 0:
		if g.IntN(2) > 0 {
			return g.branch(have)
		}
		return append(out, br(int32(depth))), 0, true
	case 1:
		labels := []int{depth}
		for range g.IntN(4) {
			if other, ol := g.label(); ol.values == l.values {
				labels = append(labels, other)
			}
		}
		return append(out, g.value(), brTable(labels...)), 0, true
	default:
		return append(out, g.value(), brIf(int32(depth))), have + l.values, false
	}
}

// callee picks a function other than "run".
func (g *maker) callee() (f, params, results int) {
	f = g.IntN(len(envImports) + len(g.p.funcs))
	if f < len(envImports) {
		return f, envImports[f].params, envImports[f].results
	}
	if f == len(envImports) {
		return 0, envImports[0].params, envImports[0].results
	}
	callee := g.p.funcs[f-len(envImports)]
	return f, callee.params, callee.results
}

func (g *maker) call(have int) ([]node, int, bool) {
	f, params, results := g.callee()
	out := append(g.guard(), g.values(params)...)
	if g.IntN(3) > 0 {
		return append(out, call(int32(f))), have + results, false
	}
	for i, in := range g.p.table {
		if in == f {
			return append(out, c32(int32(i)), callIndirect(params, results)), have + results, false
		}
	}
	return []node{g.value()}, have + 1, false
}

func (g *maker) tailCall() []node {
	for range 8 {
		f, params, results := g.callee()
		if results != g.f.results {
			continue
		}
		return append(append(g.guard(), g.values(params)...), opa(wasm.OpReturnCall, int32(f)))
	}
	return append(g.values(g.f.results), op(wasm.OpReturn))
}
