package host

import (
	"fmt"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// What the glue exports: the ways into the module; see image.Entry.
const (
	quickjsStart   = "start"
	quickjsWarmUp  = "warm_up"
	quickjsExecute = "execute"
)

// How quickjs represents values: 64 bits, of which the upper half is a tag, or
// part of a double. See JS_NAN_BOXING in QuickJS's quickjs.h.
const (
	jsBool      = 1
	jsUndefined = 3
	jsException = 6
	jsTagShift  = 32
)

// Flags of JS_Eval.
const (
	jsModule      = 1
	jsAsync       = 1 << 7
	jsCompileOnly = 1 << 5
)

const (
	// jsStack is how deep QuickJS may recurse, in bytes of its stack. The module has
	// 1 MiB; what is left is for C code that does not look.
	jsStack = 832 << 10
	// jsCollect is how much a program may allocate before the first search for
	// cycles, which touches every object of the library.
	jsCollect = 4 << 20
)

// glue adds to QuickJS what it needs to be a runtime: C functions for host.js and
// for the engine's own hooks, and the ways in. All of it is guest code like any
// other, metered and confined; what a program could get it to do wrong, it could
// do to itself only.
//
// Functions of QuickJS are called by the names that the module exports them under;
// a missing one is an error. The functions that QuickJS calls get slots of the
// function table, since that is what a C function pointer is.
type glue struct {
	*wasm.Module
	err error

	stack    uint32    // global: the C stack pointer
	hostCall uint32    // the imported function env.host_call
	hooks    [5]uint32 // globals that hold what install was given
	stopped  uint32    // global: the program of the call is over
	reply    uint32    // function, see addReply
	slots    []uint32  // functions to go into the table
}

// The hooks, in the order of install's arguments.
const (
	hookResolve = iota
	hookLoad
	hookRejection
	hookRun
	hookEnd
)

// addGlue adds the glue to a module of quickjs-wasi.
func addGlue(m *wasm.Module) error {
	g := &glue{Module: m}
	if e, ok := m.Export("__stack_pointer"); ok && e.Kind == wasm.KindGlobal {
		g.stack = e.Index
	} else {
		g.fail("no global %q", "__stack_pointer")
	}
	if len(m.Tables) == 0 {
		g.fail("no function table")
		return g.err
	}
	g.hostCall = g.imported("env", "host_call")
	for i := range g.hooks {
		g.hooks[i] = m.AddGlobal(wasm.I64, true, wasm.ConstI64(0))
	}
	g.stopped = m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))
	g.addReply()
	natives := []uint32{
		g.addCall(), g.addEvaluate(), g.addJobs(), g.addPromiseState(),
		g.addUnary("JS_PromiseResult"), g.addProxy("JS_GetProxyTarget"), g.addProxy("JS_GetProxyHandler"),
		g.addForget(), g.addStop(), g.addInstall(),
	}
	warmUp := g.addWarmUp(natives, g.slot(g.addNormalize()), g.slot(g.addLoad()), g.slot(g.addTrack()))
	execute := g.addExecute()
	start := g.body().call(warmUp).block(wasm.OpIf, wasm.NoResult).i32(1).op(wasm.OpReturn).end().call(execute)
	m.AddExport(quickjsStart, wasm.KindFunc, g.add("", "i", "", start))
	m.AddExport(quickjsWarmUp, wasm.KindFunc, warmUp)
	m.AddExport(quickjsExecute, wasm.KindFunc, execute)
	g.fillSlots()
	return g.err
}

func (g *glue) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf("not a module of quickjs-wasi: "+format, args...)
	}
}

func (g *glue) imported(module, name string) uint32 {
	var index uint32
	for i := range g.Imports {
		imp := &g.Imports[i]
		if imp.Kind != wasm.KindFunc {
			continue
		}
		if imp.Module == module && imp.Name == name {
			return index
		}
		index++
	}
	g.fail("no import %q.%q", module, name)
	return 0
}

// slot gives a function a place in the table, which is its address in C.
func (g *glue) slot(function uint32) int32 {
	g.slots = append(g.slots, function)
	return int32(g.Tables[0].Min) + int32(len(g.slots)) - 1 //nolint:gosec // some hundreds
}

func (g *glue) fillSlots() {
	t := &g.Tables[0]
	first := t.Min
	t.Min += uint32(len(g.slots)) //nolint:gosec // a dozen
	if t.HasMax {
		t.Max = max(t.Max, t.Min)
	}
	g.Elems = append(g.Elems, wasm.Elem{
		Mode: wasm.Active, Offset: wasm.ConstI32(int32(first)), Type: wasm.FuncRef, Funcs: g.slots, //nolint:gosec // some hundreds
	})
}

// add adds a function. Types are written as one letter each, i for i32 and I for
// i64; locals follow the parameters in the numbering.
func (g *glue) add(params, results, locals string, b *code) uint32 {
	typ := g.AddType(wasmTypes(params), wasmTypes(results))
	return g.AddFunc(typ, wasmTypes(locals), b.op(wasm.OpEnd).Bytes())
}

func wasmTypes(letters string) []wasm.ValType {
	types := make([]wasm.ValType, len(letters))
	for i, c := range letters {
		types[i] = wasm.I32
		if c == 'I' {
			types[i] = wasm.I64
		}
	}
	return types
}

// code is a function body under construction.
type code struct {
	wasm.Asm

	g *glue
}

func (g *glue) body() *code { return &code{g: g} }

func (c *code) op(ops ...wasm.Opcode) *code { c.Op(ops...); return c }
func (c *code) end() *code                  { return c.op(wasm.OpEnd) }
func (c *code) get(local uint32) *code      { c.U32(wasm.OpLocalGet, local); return c }
func (c *code) set(local uint32) *code      { c.U32(wasm.OpLocalSet, local); return c }
func (c *code) tee(local uint32) *code      { c.U32(wasm.OpLocalTee, local); return c }
func (c *code) i32(n int32) *code           { c.I32Const(n); return c }
func (c *code) i64(n int64) *code           { c.I64Const(n); return c }
func (c *code) call(f uint32) *code         { c.U32(wasm.OpCall, f); return c }
func (c *code) global(n uint32) *code       { c.U32(wasm.OpGlobalGet, n); return c }
func (c *code) setGlobal(n uint32) *code    { c.U32(wasm.OpGlobalSet, n); return c }
func (c *code) br(label uint32) *code       { c.U32(wasm.OpBr, label); return c }
func (c *code) brIf(label uint32) *code     { c.U32(wasm.OpBrIf, label); return c }

func (c *code) block(op wasm.Opcode, t wasm.BlockType) *code { c.Block(op, t); return c }

// Loads and stores at an address on the stack, plus an offset.
func (c *code) load32(offset uint32) *code  { c.U32(wasm.OpI32Load, 2, offset); return c }
func (c *code) load64(offset uint32) *code  { c.U32(wasm.OpI64Load, 3, offset); return c }
func (c *code) store32(offset uint32) *code { c.U32(wasm.OpI32Store, 2, offset); return c }
func (c *code) store64(offset uint32) *code { c.U32(wasm.OpI64Store, 3, offset); return c }

// undefined and exception are the values that C calls JS_UNDEFINED and JS_EXCEPTION.
func (c *code) undefined() *code { return c.i64(jsUndefined << jsTagShift) }
func (c *code) exception() *code { return c.i64(jsException << jsTagShift) }

// failed turns a value on the stack into whether it is an exception.
func (c *code) failed() *code {
	return c.i64(jsTagShift).op(wasm.OpI64ShrU, wasm.OpI32WrapI64).i32(jsException).op(wasm.OpI32Eq)
}

// js calls a function of QuickJS.
func (c *code) js(name string) *code {
	e, ok := c.g.Export(name)
	if !ok || e.Kind != wasm.KindFunc {
		c.g.fail("no exported function %q", name)
	}
	return c.call(e.Index)
}

// frame takes size bytes of the C stack and leaves their address in a local.
func (c *code) frame(size int32, local uint32) *code {
	return c.global(c.g.stack).i32(size).op(wasm.OpI32Sub).tee(local).setGlobal(c.g.stack)
}

// leave gives a frame back.
func (c *code) leave(size int32, local uint32) *code {
	return c.get(local).i32(size).op(wasm.OpI32Add).setGlobal(c.g.stack)
}
