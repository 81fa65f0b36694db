package meter

import "github.com/sandboxd/sandboxd/host/wasm"

// A program is a module over i32 values as a tree, from which both a binary
// and an execution by the reference interpreter are made. Neither knows how
// the other, or the package under test, reads instructions.
type program struct {
	imports []imported
	funcs   []function
	globals int // mutable, zero at first
	memory  int // pages
	table   []int
}

// imported is a function of the host that returns the sum of its parameters.
type imported struct {
	module, name    string
	params, results int
}

type function struct {
	params, results, locals int
	body                    []node
}

// node is one instruction. A block has its body and, if it is an if, the
// other one; br_table has labels, of which the last is the default.
type node struct {
	op              wasm.Opcode
	a               int32
	params, results int // of a block, or of the callee of call_indirect
	body, other     []node
	labels          []int
	noElse          bool
}

func op(o wasm.Opcode) node           { return node{op: o} }
func opa(o wasm.Opcode, a int32) node { return node{op: o, a: a} }
func c32(v int32) node                { return opa(wasm.OpI32Const, v) }
func get(local int32) node            { return opa(wasm.OpLocalGet, local) }
func set(local int32) node            { return opa(wasm.OpLocalSet, local) }
func block(results int, body ...node) node {
	return node{op: wasm.OpBlock, results: results, body: body}
}
func loop(body ...node) node     { return node{op: wasm.OpLoop, body: body} }
func br(depth int32) node        { return opa(wasm.OpBr, depth) }
func brIf(depth int32) node      { return opa(wasm.OpBrIf, depth) }
func brTable(labels ...int) node { return node{op: wasm.OpBrTable, labels: labels} }
func call(f int32) node          { return opa(wasm.OpCall, f) }
func when(body ...node) node     { return node{op: wasm.OpIf, body: body, noElse: true} }
func choose(results int, a, b []node) node {
	return node{op: wasm.OpIf, results: results, body: a, other: b}
}

func callIndirect(params, results int) node {
	return node{op: wasm.OpCallIndirect, params: params, results: results}
}

// code is a function without parameters that returns one value.
func code(locals int, body ...node) function {
	return function{results: 1, locals: locals, body: body}
}

// module assembles the program. Function 0 after the imports is exported as
// "run", the memory as "memory".
func (p *program) module() *wasm.Module {
	m := &wasm.Module{}
	for _, imp := range p.imports {
		m.Imports = append(m.Imports, wasm.Import{
			Module: imp.module, Name: imp.name, Kind: wasm.KindFunc, Type: funcType(m, imp.params, imp.results),
		})
	}
	for range p.globals {
		m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))
	}
	if p.memory > 0 {
		m.Memories = []wasm.Limits{{Min: uint32(p.memory)}}
		m.AddExport("memory", wasm.KindMemory, 0)
	}
	if p.table != nil {
		m.Tables = []wasm.Table{{Type: wasm.FuncRef, Limits: wasm.Limits{Min: uint32(len(p.table))}}}
		elem := wasm.Elem{Offset: wasm.ConstI32(0), Type: wasm.FuncRef}
		for _, f := range p.table {
			elem.Funcs = append(elem.Funcs, uint32(f))
		}
		m.Elems = []wasm.Elem{elem}
	}
	for _, f := range p.funcs {
		var a wasm.Asm
		assemble(m, &a, f.body)
		m.AddFunc(funcType(m, f.params, f.results), i32s(f.locals), a.Op(wasm.OpEnd).Bytes())
	}
	m.AddExport("run", wasm.KindFunc, uint32(len(p.imports)))
	return m
}

func (p *program) bytes() []byte { return p.module().Encode() }

func i32s(n int) []wasm.ValType {
	types := make([]wasm.ValType, n)
	for i := range types {
		types[i] = wasm.I32
	}
	return types
}

func funcType(m *wasm.Module, params, results int) uint32 {
	return m.AddType(i32s(params), i32s(results))
}

func assemble(m *wasm.Module, a *wasm.Asm, body []node) {
	for i := range body {
		assembleOne(m, a, &body[i])
	}
}

func assembleOne(m *wasm.Module, a *wasm.Asm, n *node) {
	switch n.op {
	case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
		a.Block(n.op, wasm.BlockType(funcType(m, n.params, n.results)))
		assemble(m, a, n.body)
		if n.op == wasm.OpIf && !n.noElse {
			a.Op(wasm.OpElse)
			assemble(m, a, n.other)
		}
		a.Op(wasm.OpEnd)
	case wasm.OpBrTable:
		a.U32(n.op, uint32(len(n.labels)-1))
		for _, l := range n.labels {
			a.Index(uint32(l))
		}
	case wasm.OpI32Const:
		a.I32Const(n.a)
	case wasm.OpI32Load, wasm.OpI32Store:
		a.U32(n.op, 2, uint32(n.a))
	case wasm.OpCallIndirect, wasm.OpReturnCallIndirect:
		a.U32(n.op, funcType(m, n.params, n.results), 0)
	case wasm.OpMemorySize, wasm.OpMemoryGrow, wasm.OpMemoryFill:
		a.U32(n.op, 0)
	case wasm.OpMemoryCopy:
		a.U32(n.op, 0, 0)
	case wasm.OpBr, wasm.OpBrIf, wasm.OpCall, wasm.OpReturnCall, wasm.OpLocalGet, wasm.OpLocalSet, wasm.OpLocalTee,
		wasm.OpGlobalGet, wasm.OpGlobalSet:
		a.U32(n.op, uint32(n.a))
	default:
		a.Op(n.op)
	}
}
