package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero/api"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// A call writes to about two hundred small blocks of the image: those whose references
// it counts, and the free ones that it takes. QuickJS's allocator strews them over ninety
// pages, of which each instance then has a copy of its own. They fit on four.
//
// So an image is made in two warm-ups of a module that tells of its allocations and, in
// between, of its writes. The first is only tried with [quickjs.programs]; in the second
// the blocks that those wrote to lie side by side. The allocations of a warm-up are the
// same each time, so that their numbers name them. Where that fails, an image is as good
// as ever, and larger.
//
// The modules that calls run in know nothing of this: what it leaves are arenas such as
// the allocator makes itself. The names are those of js_malloc_rt in quickjs.c.

// layoutVersion is part of every image. Raise it with every change to where blocks go.
const layoutVersion = "layout 1"

// Operations of a watched module, which its added code alone can ask for.
const (
	opReserve  = 0x110 // gives how many bytes the layout takes, or 0; told the JSRuntime
	opReserved = 0x111 // told where they are
	opPlace    = 0x112 // gives where a block of so many bytes goes, or 0
	opPlaced   = 0x113 // told where the allocator put it
	opWrote    = 0x114 // told of a write: address and length
)

// programs implements arranger: the smallest one, one that waits for input, and one that
// does a little of what most do.
func (d *quickjs) programs() []string {
	return []string{
		"console.log('hi');\n",
		"console.log('hi');\nrequire('fs').readFileSync(0);\n",
		`const fs = require('fs');
const path = require('path');
class Item {
  constructor(name, price) { Object.assign(this, { name, price }); }
  get label() { return this.name.toUpperCase() + ': ' + this.price.toFixed(2); }
}
const items = ['b 2.5', 'a 1', 'c 10'].map((line) => new Item(...line.split(' ').map((w, i) => (i ? parseFloat(w) : w))));
items.sort((a, b) => a.price - b.price);
const { length, [0]: first } = items;
console.log(items, length, first.label, new Map([['n', [1, 2]]]), new Set('abc'), /(\d+)-(\d+)/.exec('10-20'));
const file = path.join('/app', 'items.json');
fs.writeFileSync(file, JSON.stringify(items, null, 2));
console.log(JSON.parse(fs.readFileSync(file, 'utf8')).reduce((sum, i) => sum + i.price, 0));
try { null.x; } catch (e) { console.error(e.message, e instanceof TypeError); }
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
(async () => {
  await wait(1);
  for await (const n of (async function* () { yield* [1, 2]; })()) console.log(n, new Date(0).toISOString());
})();
`,
	}
}

// watch implements arranger.
func (d *quickjs) watch(m *wasm.Module) (watcher, error) {
	g := &glue{Module: m}
	g.hostCall = g.imported("env", "host_call")
	allocate, err := g.allocator()
	if err != nil || g.err != nil {
		return nil, errors.Join(err, g.err)
	}
	watching := m.AddGlobal(wasm.I32, true, wasm.ConstI32(1))
	m.AddExport(watchingExport, wasm.KindGlobal, watching)
	g.watchWrites(watching)
	g.watchBlocks(allocate)
	return &watchedQuickJS{quickjs: d}, g.err
}

// watchingExport is the global that says whether writes are told of.
const watchingExport = "sandboxd_watching"

// allocator finds the function that gives blocks, which js_malloc_rt calls first:
//
//	void *allocate(JSRuntime *rt, size_t size)
func (g *glue) allocator() (uint32, error) {
	e, ok := g.Export("js_malloc_rt")
	imported := g.NumImportedFuncs()
	if !ok || e.Kind != wasm.KindFunc || e.Index < imported {
		return 0, fmt.Errorf("%w: no function js_malloc_rt", errLayout)
	}
	r := wasm.NewReader(g.Code[e.Index-imported].Body, 0)
	for r.Next() {
		if r.Op != wasm.OpCall {
			continue
		}
		f := uint32(r.A) //nolint:gosec // an index
		t, ok := g.FuncType(f)
		if ok && f >= imported && slices.Equal(t.Params, wasmTypes("ii")) && slices.Equal(t.Results, wasmTypes("i")) {
			return f, nil
		}
	}
	return 0, fmt.Errorf("%w: js_malloc_rt calls no function that allocates", errLayout)
}

// watchWrites has all code so far tell of what it writes while the global is set: what
// writes becomes a call of a function that does the same.
func (g *glue) watchWrites(watching uint32) {
	type kind struct {
		op   wasm.Opcode
		val  wasm.ValType // of what is written
		size int32        // in bytes, or 0 where the code says
	}
	kinds := []kind{
		{wasm.OpI32Store, wasm.I32, 4},
		{wasm.OpI64Store, wasm.I64, 8},
		{wasm.OpF32Store, wasm.F32, 4},
		{wasm.OpF64Store, wasm.F64, 8},
		{wasm.OpI32Store8, wasm.I32, 1},
		{wasm.OpI32Store16, wasm.I32, 2},
		{wasm.OpI64Store8, wasm.I64, 1},
		{wasm.OpI64Store16, wasm.I64, 2},
		{wasm.OpI64Store32, wasm.I64, 4},
		{wasm.OpMemoryCopy, wasm.I32, 0},
		{wasm.OpMemoryFill, wasm.I32, 0},
	}
	first := g.NumFuncs()
	out := new(wasm.Asm)
	for i := range g.Code {
		body := g.Code[i].Body
		out.Reset()
		copied := 0
		for r := wasm.NewReader(body, 0); r.Next(); {
			k := slices.IndexFunc(kinds, func(k kind) bool { return k.op == r.Op })
			if k < 0 {
				continue
			}
			out.Raw(body[copied:r.Start])
			if kinds[k].size > 0 {
				out.I32Const(int32(r.B)) //nolint:gosec // an offset, as it is encoded
			}
			out.U32(wasm.OpCall, first+uint32(k)) //nolint:gosec // a few
			copied = r.End
		}
		if copied > 0 {
			g.Code[i].Body = bytes.Clone(out.Raw(body[copied:]).Bytes())
		}
	}
	for _, k := range kinds {
		const at, val, more = 0, 1, 2 // more is an offset, or a length
		b := g.body()
		if k.size > 0 {
			b.get(at).get(more).op(wasm.OpI32Add).set(at)
		}
		b.global(watching).block(wasm.OpIf, wasm.NoResult).i32(opWrote).get(at)
		if k.size > 0 {
			b.i32(k.size)
		} else {
			b.get(more)
		}
		b.i32(0).i32(0).call(g.hostCall).op(wasm.OpDrop).end().get(at).get(val)
		switch k.op {
		case wasm.OpMemoryCopy:
			b.get(more).U32(k.op, 0, 0)
		case wasm.OpMemoryFill:
			b.get(more).U32(k.op, 0)
		default:
			b.U32(k.op, 0, 0)
		}
		g.AddFunc(g.AddType([]wasm.ValType{wasm.I32, k.val, wasm.I32}, nil), nil, b.op(wasm.OpEnd).Bytes())
	}
}

// watchBlocks puts a function in the place of the one that allocates:
//
//	void *allocate(JSRuntime *rt, size_t size) {
//		unsigned r = host_call(opReserve, rt, 0, 0, 0);
//		if (r) host_call(opReserved, original(rt, r), 0, 0, 0);
//		r = host_call(opPlace, size, 0, 0, 0);
//		if (!r) {
//			r = original(rt, size);
//			host_call(opPlaced, r, 0, 0, 0);
//		}
//		return r;
//	}
func (g *glue) watchBlocks(allocate uint32) {
	const rt, size, r = 0, 1, 2
	original := g.NumFuncs()
	tell := func(b *code) *code { return b.i32(0).i32(0).i32(0).call(g.hostCall) }
	b := g.body()
	tell(b.i32(opReserve).get(rt)).tee(r).block(wasm.OpIf, wasm.NoResult)
	tell(b.i32(opReserved).get(rt).get(r).call(original)).op(wasm.OpDrop).end()
	tell(b.i32(opPlace).get(size)).tee(r).op(wasm.OpI32Eqz).block(wasm.OpIf, wasm.NoResult)
	b.get(rt).get(size).call(original).set(r)
	tell(b.i32(opPlaced).get(r)).op(wasm.OpDrop).end().get(r)
	g.add("ii", "i", "i", b)
	mine, its := &g.Code[original-g.NumImportedFuncs()], &g.Code[allocate-g.NumImportedFuncs()]
	*mine, *its = *its, *mine
}

// watchedQuickJS is the driver of a watched module.
type watchedQuickJS struct {
	*quickjs

	blocks blockWatch
}

func (d *watchedQuickJS) functions() []hostFunction {
	all := d.quickjs.functions()
	for i := range all {
		if all[i].name == "host_call" {
			all[i].call = d.hostCall
		}
	}
	return all
}

// hostCall answers the added code, and leaves the rest to the driver.
func (d *watchedQuickJS) hostCall(ctx context.Context, in *instance, stack []uint64) {
	op, a, b := uint32(stack[0]), uint32(stack[1]), uint32(stack[2]) //nolint:gosec // wasm i32
	if op < opReserve {
		d.quickjs.hostCall(ctx, in, stack)
		return
	}
	w, m := &d.blocks, heap(in.region.Bytes())
	warmUp := in.checkpoint != nil
	stack[0] = 0
	switch {
	case op == opWrote:
		w.wrote(a, b)
	case !warmUp:
	case op == opReserve:
		if w.count == 0 { // a warm-up's writes are of no interest
			in.mod.ExportedGlobal(watchingExport).(api.MutableGlobal).Set(0)
		}
		stack[0] = uint64(w.reserve(a))
	case op == opReserved:
		w.lay(m, a)
	case op == opPlace:
		stack[0] = uint64(w.place(m, a))
	case op == opPlaced:
		w.placed(a)
	}
}

// next implements watcher.
func (d *watchedQuickJS) next() { d.blocks.next() }

// learn implements watcher.
func (d *watchedQuickJS) learn(memory []byte) error { return d.blocks.learn(memory) }

// finish implements watcher.
func (d *watchedQuickJS) finish(memory []byte) error { return d.blocks.open(memory) }
