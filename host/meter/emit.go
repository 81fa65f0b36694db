package meter

import (
	"github.com/sandboxd/sandboxd/host/wasm"
)

// emit writes the new body of a function that was analysed.
func (in *instrumenter) emit(out *wasm.Asm, code *wasm.Code, edits []edit) {
	copied := 0
	for i := range edits {
		e := &edits[i]
		out.Raw(code.Body[copied:e.start])
		copied = e.end
		switch e.kind {
		case editCharge:
			in.charge(out, e.arg)
		case editCheck:
			in.charge(out, e.arg)
			in.check(out)
		case editCall:
			out.Op(wasm.Opcode(code.Body[e.start]))
			out.Index(in.remap(uint32(e.arg))) //nolint:gosec // read as 32 bits
		case editBytes:
			out.U32(wasm.OpCall, in.bytes)
		case editElements:
			out.U32(wasm.OpCall, in.elements)
		case editGrow:
			out.U32(wasm.OpCall, in.grow)
		}
	}
	out.Raw(code.Body[copied:])
}

// charge takes n from the fuel.
func (in *instrumenter) charge(out *wasm.Asm, n uint64) {
	if n == 0 {
		return
	}
	out.U32(wasm.OpGlobalGet, in.fuel)
	out.I64Const(int64(n)) //nolint:gosec // at most the length of a body or MaxBase
	in.subtract(out)
}

// subtract takes the i64 on the stack from the fuel, which lies below it.
func (in *instrumenter) subtract(out *wasm.Asm) {
	out.Op(wasm.OpI64Sub).U32(wasm.OpGlobalSet, in.fuel)
}

// check calls for more fuel if there is less than none left.
//
// The call stands in an else, after an empty then: wazero's register allocator
// takes what follows an if to begin with the registers of the first way there,
// and after a call they are all gone. The other way around, the slow path costs
// the fast one a quarter of the overhead of metering.
func (in *instrumenter) check(out *wasm.Asm) {
	out.U32(wasm.OpGlobalGet, in.fuel).I64Const(0).Op(wasm.OpI64GeS)
	out.Block(wasm.OpIf, wasm.NoResult).Op(wasm.OpElse).U32(wasm.OpCall, in.refill).Op(wasm.OpEnd)
}

// addHelpers adds the import and the functions that charges call, in the order
// that newInstrumenter numbered them.
func (in *instrumenter) addHelpers() {
	m := in.m
	unary := m.AddType([]wasm.ValType{wasm.I32}, []wasm.ValType{wasm.I32})

	m.AddFunc(m.AddType(nil, nil), nil, in.refillBody())
	m.AddFunc(unary, nil, in.lengthCharge(4))
	m.AddFunc(unary, nil, in.lengthCharge(0))
	if in.hasMem {
		m.AddFunc(unary, []wasm.ValType{wasm.I32}, in.growBody())
	}
}

// refillBody returns a function that calls refuel until no debt is left: a
// single charge may be larger than a slice.
func (in *instrumenter) refillBody() []byte {
	var a wasm.Asm
	a.Block(wasm.OpLoop, wasm.NoResult)
	a.U32(wasm.OpGlobalGet, in.fuel).U32(wasm.OpCall, in.imported).U32(wasm.OpGlobalSet, in.fuel)
	a.U32(wasm.OpGlobalGet, in.fuel).I64Const(0).Op(wasm.OpI64LtS).U32(wasm.OpBrIf, 0)
	return a.Op(wasm.OpEnd, wasm.OpEnd).Bytes()
}

// lengthCharge returns a function that charges one for each 1<<shift of its
// argument, or part of it, and returns the argument: placed before a bulk
// instruction it sees the length on the stack and leaves it there.
func (in *instrumenter) lengthCharge(shift int64) []byte {
	var a wasm.Asm
	a.U32(wasm.OpGlobalGet, in.fuel)
	a.U32(wasm.OpLocalGet, 0).Op(wasm.OpI64ExtendI32U)
	if shift > 0 {
		a.I64Const(1<<shift - 1).Op(wasm.OpI64Add).I64Const(shift).Op(wasm.OpI64ShrU)
	}
	in.subtract(&a)
	in.check(&a)
	return a.U32(wasm.OpLocalGet, 0).Op(wasm.OpEnd).Bytes()
}

// growPage is the fuel for each page that memory.grow adds: 64 KiB at 16 bytes
// apiece, as for memory.fill.
const growPage = 4096

// growBody returns a function that does what memory.grow does and charges for
// it if it succeeded.
func (in *instrumenter) growBody() []byte {
	var a wasm.Asm
	a.U32(wasm.OpLocalGet, 0).U32(wasm.OpMemoryGrow, 0).U32(wasm.OpLocalTee, 1)
	a.I32Const(-1).Op(wasm.OpI32Ne).Block(wasm.OpIf, wasm.NoResult)
	a.U32(wasm.OpGlobalGet, in.fuel)
	a.U32(wasm.OpLocalGet, 0).Op(wasm.OpI64ExtendI32U).I64Const(growPage).Op(wasm.OpI64Mul)
	in.subtract(&a)
	in.check(&a)
	return a.Op(wasm.OpEnd).U32(wasm.OpLocalGet, 1).Op(wasm.OpEnd).Bytes()
}
