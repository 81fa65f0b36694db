package host

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/sandboxd/sandboxd/host/meter"
	"github.com/sandboxd/sandboxd/host/wasm"
)

// What the glue exports: the ways into the module; see image.Entry.
const (
	rubyStart   = "start"
	rubyWarmUp  = "warm_up"
	rubyExecute = "execute"
)

// How the interpreter is started, and what it evaluates first. The value of that is the
// object that runs programs, by its method rubyMethod. Frames of files that are
// "internal" are left out where a program looks at its stack.
var (
	rubyCommand = []string{"ruby", "-EUTF-8", "--disable-gems", "-e_=0"}
	rubyFirst   = "RubyVM::InstructionSequence.compile(File.read('" + rubyWarmUpPath + "'), '<internal:sandboxd>').eval"
	rubyMethod  = "run"
)

// rubyGlue is the code that is added to a module of ruby.wasm. All of it is guest code
// like any other, metered and confined.
//
// The module speaks an early form of the component model's canonical ABI: a text is its
// address and length, a list those of its elements back to back, and what does not fit
// a result is at the address that the result is.
type rubyGlue struct {
	*glue

	functions      map[string]uint32 // exported functions by their names, without their types
	object, method uint32            // globals: what runs programs
}

// addRubyGlue adds the ways into a module of ruby.wasm:
//
//	int warm_up() {
//		ruby_init(list(rubyCommand));
//		struct { VALUE value; int state; } *r = rb_eval_string_protect(rubyFirst);
//		if (r->state) return 1;
//		object = r->value;
//		method = rb_intern(rubyMethod);
//		return 0;
//	}
//	int execute() { return rb_funcallv_protect(object, method, no arguments)->state; }
//	int start() { return warm_up() ? 1 : execute(); }
func addRubyGlue(m *wasm.Module) error {
	g := &rubyGlue{glue: &glue{Module: m}, functions: map[string]uint32{}}
	for _, e := range m.Exports {
		if e.Kind == wasm.KindFunc {
			g.functions[untyped(e.Name)] = e.Index
		}
	}
	for i := range m.Imports {
		if imp := &m.Imports[i]; imp.Module == javascriptAPI {
			imp.Name = untyped(imp.Name)
		}
	}
	g.object = m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))
	g.method = m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))

	const list, text, result = 0, 1, 2
	b := g.body()
	g.allocate(b, 8*len(rubyCommand)).set(list)
	for i, arg := range rubyCommand {
		g.put(b, arg, text)
		at := uint32(8 * i) //nolint:gosec // few
		b.get(list).get(text).store32(at).get(list).i32(length(arg)).store32(at + 4)
	}
	g.js(b.get(list).i32(int32(len(rubyCommand))), "ruby-init") //nolint:gosec // few
	g.put(b, rubyFirst, text)
	g.js(b.get(text).i32(length(rubyFirst)), "rb-eval-string-protect").tee(result)
	b.load32(4).block(wasm.OpIf, wasm.NoResult).i32(1).op(wasm.OpReturn).end()
	b.get(result).load32(0).setGlobal(g.object)
	g.put(b, rubyMethod, text)
	g.js(b.get(text).i32(length(rubyMethod)), "rb-intern").setGlobal(g.method).i32(0)
	warmUp := g.add("", "i", "iii", b)

	b = g.body().global(g.object).global(g.method).i32(0).i32(0)
	execute := g.add("", "i", "", g.js(b, "rb-funcallv-protect").load32(4))

	b = g.body().call(warmUp).block(wasm.OpIf, wasm.NoResult).i32(1).op(wasm.OpReturn).end().call(execute)
	m.AddExport(rubyStart, wasm.KindFunc, g.add("", "i", "", b))
	m.AddExport(rubyWarmUp, wasm.KindFunc, warmUp)
	m.AddExport(rubyExecute, wasm.KindFunc, execute)
	return g.err
}

// untyped cuts the type off a name such as "rb-intern: func(name: string) -> u32".
func untyped(name string) string {
	name, _, _ = strings.Cut(name, ":")
	return name
}

func length(s string) int32 { return int32(len(s)) } //nolint:gosec // texts of this file

// js calls a function that the module exports.
func (g *rubyGlue) js(c *code, name string) *code {
	index, ok := g.functions[name]
	if !ok && g.err == nil {
		g.err = fmt.Errorf("not a module of ruby.wasm: no exported function %q", name)
	}
	return c.call(index)
}

// allocate leaves the address of so many bytes.
func (g *rubyGlue) allocate(c *code, size int) *code {
	return g.js(c.i32(0).i32(0).i32(8).i32(int32(size)), "cabi_realloc") //nolint:gosec // small
}

// put leaves the address of a text in a local. A zero byte follows the text, since the
// module passes most of them to C as they are.
func (g *rubyGlue) put(c *code, s string, local uint32) {
	words := make([]byte, (len(s)+8)&^7)
	copy(words, s)
	g.allocate(c, len(words)).set(local)
	for at := 0; at < len(words); at += 8 {
		word := int64(binary.LittleEndian.Uint64(words[at:])) //nolint:gosec // bits
		c.get(local).i64(word).store64(uint32(at))            //nolint:gosec // small
	}
}

// handles is where an embedder of the module keeps tables of objects that both sides
// know by numbers. javascriptAPI is what the module asks of JavaScript.
const (
	handles       = "canonical_abi"
	javascriptAPI = "rb-js-abi-host"
)

// rubyFunctions are what the module imports beside WASI. The number of an object is the
// object: nobody else is here who could know one. Of JavaScript there is none.
var rubyFunctions = []hostFunction{
	{module: handles, name: "resource_new_rb-abi-value", params: "i", results: "i", call: sameNumber, cost: rubyCost},
	{module: handles, name: "resource_get_rb-abi-value", params: "i", results: "i", call: sameNumber, cost: rubyCost},
	{module: handles, name: "resource_drop_js-abi-value", params: "i", call: noJavaScript, cost: rubyCost},
	noJS("rb_wasm_throw_prohibit_rewind_exception", "ii", ""),
	noJS("eval-js", "iii", ""),
	noJS("is-js", "i", "i"),
	noJS("instance-of", "ii", "i"),
	noJS("global-this", "", "i"),
	noJS("int-to-js-number", "i", "i"),
	noJS("float-to-js-number", "F", "i"),
	noJS("string-to-js-string", "ii", "i"),
	noJS("bool-to-js-bool", "i", "i"),
	noJS("proc-to-js-function", "i", "i"),
	noJS("rb-object-to-js-rb-value", "i", "i"),
	noJS("js-value-to-string", "ii", ""),
	noJS("js-value-to-integer", "ii", ""),
	noJS("export-js-value-to-host", "i", ""),
	noJS("import-js-value-from-host", "", "i"),
	noJS("js-value-typeof", "ii", ""),
	noJS("js-value-equal", "ii", "i"),
	noJS("js-value-strictly-equal", "ii", "i"),
	noJS("reflect-apply", "iiiii", ""),
	noJS("reflect-get", "iiii", ""),
	noJS("reflect-set", "iiiii", ""),
}

// rubyCost is what a call of these functions takes: they do nothing.
var rubyCost = meter.Cost{Base: 1_000}

func noJS(name, params, results string) hostFunction {
	return hostFunction{module: javascriptAPI, name: name, params: params, results: results, call: noJavaScript, cost: rubyCost}
}

// sameNumber returns its argument. A hostile guest learns what it knew.
func sameNumber(context.Context, *instance, []uint64) {}

// noJavaScript ends a program that asks for JavaScript, whatever it passes: the module
// would take any answer for one of JavaScript's.
func noJavaScript(_ context.Context, in *instance, _ []uint64) {
	in.report.set(guestError("NotImplementedError", "there is no JavaScript here"))
	in.end(ending{status: StatusError, exitCode: 1})
}
