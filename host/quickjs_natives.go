package host

import "github.com/sandboxd/sandboxd/host/wasm"

// The functions that the glue adds. What each does stands above it in C; names in
// the code are those of the parameters and locals, which WebAssembly numbers.

// native are the parameters of a JSCFunction, which returns a value.
const (
	native        = "iIii"
	ctx    uint32 = 0
	argc   uint32 = 2
	argv   uint32 = 3
)

// addReply adds the function that fetches what the host has to say:
//
//	JSValue reply(JSContext *ctx, unsigned r) {
//		unsigned n = r & replySize;
//		switch (r >> replyShift) {
//		case replyNumber: return JS_NewInt32(ctx, n);
//		case replyNothing: return JS_UNDEFINED;
//		}
//		char *p = js_malloc(ctx, n + 1);
//		if (!p) return JS_EXCEPTION;
//		host_call(opFetch, p, n, 0, 0);
//		p[n] = 0;
//		JSValue v = JS_ParseJSON(ctx, p, n, p + n); // or what the kind says
//		js_free(ctx, p);
//		return v;
//	}
func (g *glue) addReply() {
	const r, n, p, v = 1, 2, 3, 4
	kind := func(c *code) *code { return c.get(r).i32(replyShift).op(wasm.OpI32ShrU) }
	b := g.body()
	b.get(r).i32(replySize).op(wasm.OpI32And).set(n)
	kind(b).i32(replyNumber).op(wasm.OpI32Eq).block(wasm.OpIf, wasm.NoResult)
	b.get(n).op(wasm.OpI64ExtendI32U, wasm.OpReturn).end()
	kind(b).i32(replyNothing).op(wasm.OpI32Eq).block(wasm.OpIf, wasm.NoResult)
	b.undefined().op(wasm.OpReturn).end()
	b.get(ctx).get(n).i32(1).op(wasm.OpI32Add).js("js_malloc").tee(p).op(wasm.OpI32Eqz).block(wasm.OpIf, wasm.NoResult)
	b.exception().op(wasm.OpReturn).end()
	b.i32(opFetch).get(p).get(n).i32(0).i32(0).call(g.hostCall).op(wasm.OpDrop)
	b.get(p).get(n).op(wasm.OpI32Add).i32(0)
	b.U32(wasm.OpI32Store8, 0, 0)
	kind(b).i32(replyText).op(wasm.OpI32Eq).block(wasm.OpIf, wasm.Result(wasm.I64))
	b.get(ctx).get(p).get(n).js("JS_NewStringLen").op(wasm.OpElse)
	kind(b).i32(replyBytes).op(wasm.OpI32Eq).block(wasm.OpIf, wasm.Result(wasm.I64))
	b.get(ctx).get(p).get(n).js("JS_NewArrayBufferCopy").op(wasm.OpElse)
	b.get(ctx).get(p).get(n).get(p).get(n).op(wasm.OpI32Add).js("JS_ParseJSON").end().end().set(v)
	b.get(ctx).get(p).js("js_free").get(v)
	g.reply = g.add("ii", "I", "iiI", b)
}

// addCall adds the native function call(op, text, view):
//
//	int op; size_t length, size;
//	if (JS_ToInt32(ctx, &op, argv[0])) return JS_EXCEPTION;
//	const char *text = JS_ToCStringLen2(ctx, &length, argv[1], 0);
//	if (!text) return JS_EXCEPTION;
//	uint8_t *view = JS_GetUint8Array(ctx, &size, argv[2]);
//	if (!view && JS_HasException(ctx)) { JS_FreeCString(ctx, text); return JS_EXCEPTION; }
//	unsigned r = host_call(op & opMask, text, length, view, size);
//	JS_FreeCString(ctx, text);
//	return reply(ctx, r);
//
// The first two conversions may run the program's code. From where the address of
// the view is taken nothing does, so that it stays what it was.
func (g *glue) addCall() uint32 {
	const sp, text, view, r, v, size = 4, 5, 6, 7, 8, 16
	b := g.body().frame(size, sp).exception().set(v).block(wasm.OpBlock, wasm.NoResult)
	b.get(ctx).get(sp).get(argv).load64(0).js("JS_ToInt32").brIf(0)
	b.get(ctx).get(sp).i32(4).op(wasm.OpI32Add).get(argv).load64(8).i32(0).js("JS_ToCStringLen2").tee(text)
	b.op(wasm.OpI32Eqz).brIf(0)
	b.get(sp).i32(0).store32(8)
	b.get(ctx).get(sp).i32(8).op(wasm.OpI32Add).get(argv).load64(16).js("JS_GetUint8Array").tee(view)
	b.op(wasm.OpI32Eqz).block(wasm.OpIf, wasm.NoResult)
	b.get(ctx).js("JS_HasException").block(wasm.OpIf, wasm.NoResult)
	b.get(ctx).get(text).js("JS_FreeCString").br(2).end().end()
	b.get(sp).load32(0).i32(opMask).op(wasm.OpI32And).get(text).get(sp).load32(4).get(view).get(sp).load32(8)
	b.call(g.hostCall).set(r)
	b.get(ctx).get(text).js("JS_FreeCString")
	b.get(ctx).get(r).call(g.reply).set(v)
	b.end().leave(size, sp).get(v)
	return g.add(native, "I", "iiiiI", b)
}

// addEvaluate adds the native function evaluate(code, name, module), which is
// JS_Eval with a flag.
func (g *glue) addEvaluate() uint32 {
	const sp, text, name, v, size = 4, 5, 6, 7, 16
	b := g.body().frame(size, sp).exception().set(v).block(wasm.OpBlock, wasm.NoResult)
	b.get(ctx).get(sp).get(argv).load64(16).js("JS_ToInt32").brIf(0)
	b.get(ctx).get(sp).i32(4).op(wasm.OpI32Add).get(argv).load64(0).i32(0).js("JS_ToCStringLen2").tee(text)
	b.op(wasm.OpI32Eqz).brIf(0)
	b.get(ctx).i32(0).get(argv).load64(8).i32(0).js("JS_ToCStringLen2").tee(name)
	b.block(wasm.OpIf, wasm.NoResult)
	b.get(ctx).get(text).get(sp).load32(4).get(name).get(sp).load32(0).i32(jsModule | jsAsync).op(wasm.OpI32And).js("JS_Eval").set(v)
	b.get(ctx).get(name).js("JS_FreeCString").end()
	b.get(ctx).get(text).js("JS_FreeCString")
	b.end().leave(size, sp).get(v)
	return g.add(native, "I", "iiiI", b)
}

// addJobs adds the native function jobs(), which runs pending jobs until none is
// left, or the program is over. What a job throws is lost: promises catch what their
// callbacks throw.
//
//	JSContext *c; int r;
//	while ((r = JS_ExecutePendingJob(rt, &c))) {
//		if (r < 0) JS_FreeValue(ctx, JS_GetException(ctx));
//		if (stopped) break;
//	}
func (g *glue) addJobs() uint32 {
	const sp, r, size = 4, 5, 16
	b := g.body().frame(size, sp).block(wasm.OpLoop, wasm.NoResult)
	b.js("qjs_get_runtime_ptr").get(sp).js("JS_ExecutePendingJob").tee(r).block(wasm.OpIf, wasm.NoResult)
	b.get(r).i32(0).op(wasm.OpI32LtS).block(wasm.OpIf, wasm.NoResult)
	b.get(ctx).get(ctx).js("JS_GetException").js("JS_FreeValue").end()
	b.global(g.stopped).op(wasm.OpI32Eqz).brIf(1).end().end().leave(size, sp).undefined()
	return g.add(native, "I", "ii", b)
}

// addForget adds the native function forget(name), which deletes what a script declared
// with let, const or class, and gives 1. Those are properties of an object that no
// program sees, which in a JSContext stands behind the global object:
//
//	JSAtom atom = JS_ValueToAtom(ctx, argv[0]);
//	JSValue *p = (JSValue *)ctx, global = JS_GetGlobalObject(ctx);
//	JS_FreeValue(ctx, global);
//	while (*p != global) p++;
//	int r = JS_DeleteProperty(ctx, p[1], atom, 0);
//	JS_FreeAtom(ctx, atom);
//	return JS_NewInt32(ctx, r);
func (g *glue) addForget() uint32 {
	const atom, p, r, global = 4, 5, 6, 7
	b := g.body().get(ctx).get(argv).load64(0).js("JS_ValueToAtom").set(atom)
	b.get(ctx).get(ctx).js("JS_GetGlobalObject").tee(global).js("JS_FreeValue").get(ctx).set(p)
	b.block(wasm.OpBlock, wasm.NoResult).block(wasm.OpLoop, wasm.NoResult)
	b.get(p).load64(0).get(global).op(wasm.OpI64Sub, wasm.OpI64Eqz).brIf(1)
	b.get(p).i32(8).op(wasm.OpI32Add).set(p).br(0).end().end()
	b.get(ctx).get(p).load64(8).get(atom).i32(0).js("JS_DeleteProperty").set(r)
	b.get(ctx).get(atom).js("JS_FreeAtom").get(r).op(wasm.OpI64ExtendI32U)
	return g.add(native, "I", "iiiI", b)
}

// addStop adds the native function stop(error), after which the program is over: no
// code catches the error, and no more jobs run in this call.
func (g *glue) addStop() uint32 {
	b := g.body().i32(1).setGlobal(g.stopped).get(ctx).get(argv).load64(0).js("JS_SetUncatchableError").undefined()
	return g.add(native, "I", "", b)
}

// addPromiseState adds the native function state(value).
func (g *glue) addPromiseState() uint32 {
	return g.add(native, "I", "", g.body().get(ctx).get(argv).load64(0).js("JS_PromiseState").op(wasm.OpI64ExtendI32U))
}

// addUnary adds a native function that is one of QuickJS's own of one value.
func (g *glue) addUnary(name string) uint32 {
	return g.add(native, "I", "", g.body().get(ctx).get(argv).load64(0).js(name))
}

// addProxy adds a native function that asks a proxy for one of its halves, and
// gives undefined for what is none.
func (g *glue) addProxy(name string) uint32 {
	b := g.body().get(argv).load64(0).js("JS_IsProxy").block(wasm.OpIf, wasm.Result(wasm.I64))
	b.get(ctx).get(argv).load64(0).js(name).op(wasm.OpElse).undefined().end()
	return g.add(native, "I", "", b)
}

// addInstall adds the native function install(resolve, load, rejection, run, end).
func (g *glue) addInstall() uint32 {
	b := g.body()
	for i, hook := range g.hooks {
		b.get(ctx).get(argv).load64(uint32(8 * i)).js("JS_DupValue").setGlobal(hook) //nolint:gosec // few
	}
	return g.add(native, "I", "", b.undefined())
}

// callHook calls a hook with the values that lie at the frame in sp, and leaves
// what it returns on the stack.
func (c *code) callHook(hook, args int, sp uint32) *code {
	return c.get(ctx).global(c.g.hooks[hook]).undefined().i32(int32(args)).get(sp).js("JS_Call") //nolint:gosec // few
}

// addNormalize adds the JSModuleNormalizeFunc, which asks the hook:
//
//	char *normalize(JSContext *ctx, const char *base, const char *name, void *)
func (g *glue) addNormalize() uint32 {
	const base, name, sp, text, out, v, size = 1, 2, 4, 5, 6, 7, 16
	b := g.body().frame(size, sp)
	for i, s := range []uint32{name, base} {
		b.get(sp).get(ctx).get(s).get(s).js("strlen").js("JS_NewStringLen").store64(uint32(8 * i)) //nolint:gosec // few
	}
	b.callHook(hookResolve, 2, sp).set(v)
	b.get(ctx).get(sp).load64(0).js("JS_FreeValue").get(ctx).get(sp).load64(8).js("JS_FreeValue")
	b.get(ctx).i32(0).get(v).i32(0)
	b.get(v).failed().block(wasm.OpIf, wasm.NoResult).leave(size, sp).i32(0).op(wasm.OpReturn).end()
	b.js("JS_ToCStringLen2").set(text)
	b.get(ctx).get(v).js("JS_FreeValue")
	b.get(text).block(wasm.OpIf, wasm.NoResult)
	b.get(ctx).get(text).js("js_strdup").set(out)
	b.get(ctx).get(text).js("JS_FreeCString").end()
	b.leave(size, sp).get(out)
	return g.add("iiii", "i", "iiiI", b)
}

// addLoad adds the JSModuleLoaderFunc, which asks the hook for the source text and
// compiles it. As QuickJS has it, the module it returns is not counted as a
// reference.
//
//	JSModuleDef *load(JSContext *ctx, const char *name, void *)
func (g *glue) addLoad() uint32 {
	const name, sp, text, v, size = 1, 3, 4, 5, 16
	b := g.body().frame(size, sp).block(wasm.OpBlock, wasm.NoResult)
	b.get(sp).get(ctx).get(name).get(name).js("strlen").js("JS_NewStringLen").store64(0)
	b.callHook(hookLoad, 1, sp).set(v)
	b.get(ctx).get(sp).load64(0).js("JS_FreeValue")
	b.get(v).failed().brIf(0)
	b.get(ctx).get(sp).i32(8).op(wasm.OpI32Add).get(v).i32(0).js("JS_ToCStringLen2").set(text)
	b.get(ctx).get(v).js("JS_FreeValue")
	b.get(text).op(wasm.OpI32Eqz).brIf(0)
	b.get(ctx).get(text).get(sp).load32(8).get(name).i32(jsModule | jsCompileOnly).js("JS_Eval").set(v)
	b.get(ctx).get(text).js("JS_FreeCString")
	b.get(v).failed().brIf(0)
	b.get(ctx).get(v).js("JS_FreeValue")
	b.leave(size, sp).get(v).op(wasm.OpI32WrapI64, wasm.OpReturn)
	b.end().leave(size, sp).i32(0)
	return g.add("iii", "i", "iiI", b)
}

// addTrack adds the JSHostPromiseRejectionTracker, which tells the hook:
//
//	void track(JSContext *ctx, JSValue promise, JSValue reason, bool handled, void *)
func (g *glue) addTrack() uint32 {
	const promise, reason, handled, sp, v, size = 1, 2, 3, 5, 6, 32
	b := g.body().frame(size, sp)
	b.get(sp).get(promise).store64(0)
	b.get(sp).get(reason).store64(8)
	b.get(sp).get(handled).op(wasm.OpI64ExtendI32U).i64(jsBool << jsTagShift).op(wasm.OpI64Add).store64(16)
	b.callHook(hookRejection, 3, sp).set(v)
	b.get(v).failed().block(wasm.OpIf, wasm.NoResult).get(ctx).js("JS_GetException").set(v).end()
	b.get(ctx).get(v).js("JS_FreeValue").leave(size, sp)
	return g.add("iIIii", "", "iI", b)
}

// addWarmUp adds the function that starts QuickJS and evaluates host.js, which
// does the rest. It returns 0 if all went well. The text that the host sends is
// host.js's file name, a zero byte, and its contents.
func (g *glue) addWarmUp(natives []uint32, normalize, load, track int32) uint32 {
	const local, rt, r, p, n, sp, v, f = 0, 1, 2, 3, 4, 5, 6, 7
	size := int32(8*len(natives)+15) &^ 15 //nolint:gosec // few
	b := g.body()
	b.js("qjs_init").op(wasm.OpDrop).js("qjs_get_context_ptr").set(local).js("qjs_get_runtime_ptr").set(rt)
	b.get(rt).i32(jsStack).js("JS_SetMaxStackSize")
	b.get(rt).i32(normalize).i32(load).i32(0).js("JS_SetModuleLoaderFunc")
	b.get(rt).i32(track).i32(0).js("JS_SetHostPromiseRejectionTracker")

	b.i32(opBoot).i32(0).i32(0).i32(0).i32(0).call(g.hostCall).i32(replySize).op(wasm.OpI32And).set(n)
	b.get(local).get(n).i32(1).op(wasm.OpI32Add).js("js_malloc").set(p)
	b.i32(opFetch).get(p).get(n).i32(0).i32(0).call(g.hostCall).op(wasm.OpDrop)
	b.get(p).get(n).op(wasm.OpI32Add).i32(0)
	b.U32(wasm.OpI32Store8, 0, 0)
	b.get(p).js("strlen").i32(1).op(wasm.OpI32Add).set(r) // where the contents begin
	b.get(local).get(p).get(r).op(wasm.OpI32Add).get(n).get(r).op(wasm.OpI32Sub).get(p).i32(0).js("JS_Eval").tee(f)
	b.failed().block(wasm.OpIf, wasm.NoResult).i32(1).op(wasm.OpReturn).end()
	b.get(local).get(p).js("js_free")

	b.frame(size, sp)
	for i, function := range natives {
		// Three arguments at least, so that argv has them, undefined if need be.
		b.get(sp).get(local).i32(g.slot(function)).i32(0).i32(4).i32(0).i32(0).js("JS_NewCFunction2").store64(uint32(8 * i)) //nolint:gosec // few
	}
	b.get(local).get(f).undefined().i32(int32(len(natives))).get(sp).js("JS_Call").set(v) //nolint:gosec // few
	for i := range natives {
		b.get(local).get(sp).load64(uint32(8 * i)).js("JS_FreeValue") //nolint:gosec // few
	}
	b.get(local).get(f).js("JS_FreeValue").leave(size, sp)
	b.get(v).failed().block(wasm.OpIf, wasm.NoResult).i32(1).op(wasm.OpReturn).end()
	b.get(rt).js("JS_RunGC").get(rt).i32(jsCollect).js("JS_SetGCThreshold").i32(0)
	return g.add("", "i", "iiiiiiII", b)
}

// addExecute adds the function that runs the program of a call. It returns 0
// unless an exception left the library, other than one that ended the program.
func (g *glue) addExecute() uint32 {
	const local, v = 0, 1
	b := g.body().i32(0).setGlobal(g.stopped).js("qjs_get_context_ptr").tee(local)
	b.global(g.hooks[hookRun]).undefined().i32(0).i32(0).js("JS_Call").tee(v)
	b.failed().block(wasm.OpIf, wasm.NoResult)
	b.get(local).get(local).js("JS_GetException").js("JS_FreeValue")
	b.get(local).global(g.hooks[hookEnd]).undefined().i32(0).i32(0).js("JS_Call").tee(v)
	b.failed().block(wasm.OpIf, wasm.NoResult).i32(1).op(wasm.OpReturn).end().end()
	b.get(local).get(v).js("JS_FreeValue").i32(0)
	return g.add("", "i", "iI", b)
}
