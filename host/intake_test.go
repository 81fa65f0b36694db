package host

import (
	"testing"

	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/runtimes"
)

// FuzzCheckModule looks at modules from anybody: whatever the bytes are, the answer is
// an error or nothing, soon, and what is accepted can be looked at again.
func FuzzCheckModule(f *testing.F) {
	f.Add(answering(`{"exit_code": 1}`, 0), true)
	f.Add(goldenModule(), false)
	f.Add([]byte(componentHeader), true)
	old := newHandmade()
	for _, name := range []string{"fd_seek", "fd_filestat_get", "poll_oneoff"} {
		i32, i64 := wasm.I32, wasm.I64
		params := map[string][]wasm.ValType{
			"fd_seek": {i32, i64, i32, i32}, "fd_filestat_get": {i32, i32}, "poll_oneoff": {i32, i32, i32, i32},
		}[name]
		old.m.Imports = append(old.m.Imports, wasm.Import{Module: preview0Namespace, Name: name, Type: old.m.AddType(params, []wasm.ValType{i32})})
	}
	old.m.AddExport("_start", wasm.KindFunc, old.m.AddFunc(old.m.AddType(nil, nil), nil, new(wasm.Asm).
		I32Const(1).I64Const(0).I32Const(2).I32Const(8).U32(wasm.OpCall, 0).Op(wasm.OpDrop).
		I32Const(1).I32Const(8).U32(wasm.OpCall, 1).Op(wasm.OpDrop, wasm.OpEnd).Bytes()))
	f.Add(old.module(), false)
	f.Fuzz(func(t *testing.T, module []byte, plugin bool) {
		driver := runtimes.DriverCommand
		if plugin {
			driver = runtimes.DriverExtism
		}
		first := CheckModule(module, driver)
		if again := CheckModule(module, driver); (first == nil) != (again == nil) {
			t.Errorf("first %v, then %v", first, again)
		}
	})
}

// TestModulesOfPreview0AreTranslated calls what the translations are of: a seek to the
// end, whose number another function has in preview 1, and a file's status, whose
// fields lie elsewhere.
func TestModulesOfPreview0AreTranslated(t *testing.T) {
	i32, i64 := wasm.I32, wasm.I64
	h := newHandmade()
	add := func(name string, params ...wasm.ValType) uint32 {
		h.m.Imports = append(h.m.Imports, wasm.Import{Module: preview0Namespace, Name: name, Type: h.m.AddType(params, []wasm.ValType{i32})})
		return uint32(len(h.m.Imports) - 1)
	}
	open := add("path_open", i32, i32, i32, i32, i32, i64, i64, i32, i32)
	seek := add("fd_seek", i32, i64, i32, i32)
	stat := add("fd_filestat_get", i32, i32)
	poll := add("poll_oneoff", i32, i32, i32, i32)
	exit := uint32(len(h.m.Imports))
	h.m.Imports = append(h.m.Imports, wasm.Import{Module: preview0Namespace, Name: "proc_exit", Type: h.m.AddType([]wasm.ValType{i32}, nil)})
	const path = ".sandboxd/program"
	h.m.Data = []wasm.Data{
		{Offset: wasm.ConstI32(0), Init: []byte(path)},
		// A subscription to the monotonic clock, for one nanosecond, after an identifier.
		{Offset: wasm.ConstI32(512), Init: append(append(make([]byte, 24), 1), append(make([]byte, 7), 1)...)},
		{Offset: wasm.ConstI32(256 + 56), Init: []byte{7}}, // behind the shorter record
	}
	a := new(wasm.Asm)
	fail := func(code int32) { // if the top of the stack is not 0
		a.Block(wasm.OpIf, wasm.NoResult).I32Const(code).U32(wasm.OpCall, exit).Op(wasm.OpEnd)
	}
	a.I32Const(3).I32Const(0).I32Const(0).I32Const(int32(len(path))).I32Const(0).I64Const(2|4|1<<21).I64Const(0).I32Const(0).I32Const(100).U32(wasm.OpCall, open)
	fail(1)
	a.I32Const(100).U32(wasm.OpI32Load, 2, 0).I64Const(-2).I32Const(1).I32Const(200).U32(wasm.OpCall, seek) // from the end
	fail(2)
	a.I32Const(200).U32(wasm.OpI32Load, 2, 0).I32Const(3).Op(wasm.OpI32Ne)
	fail(3)
	a.I32Const(100).U32(wasm.OpI32Load, 2, 0).I64Const(1).I32Const(0).I32Const(200).U32(wasm.OpCall, seek) // from here
	fail(4)
	a.I32Const(200).U32(wasm.OpI32Load, 2, 0).I32Const(4).Op(wasm.OpI32Ne)
	fail(5)
	a.I32Const(100).U32(wasm.OpI32Load, 2, 0).I32Const(256).U32(wasm.OpCall, stat)
	fail(6)
	a.I32Const(256).U32(wasm.OpI32Load, 2, 24).I32Const(5).Op(wasm.OpI32Ne) // the size
	fail(7)
	a.I32Const(256).U32(wasm.OpI32Load, 2, 20).I32Const(1).Op(wasm.OpI32Ne) // the links
	fail(8)
	a.I32Const(256).U32(wasm.OpI32Load, 2, 56).I32Const(7).Op(wasm.OpI32Ne)
	fail(9)
	a.I32Const(512).I32Const(1024).I32Const(1).I32Const(1200).U32(wasm.OpCall, poll)
	fail(10)
	a.I32Const(1200).U32(wasm.OpI32Load, 2, 0).I32Const(1).Op(wasm.OpI32Ne)
	fail(11)
	a.I32Const(42).U32(wasm.OpCall, exit).Op(wasm.OpEnd)
	h.m.AddExport("_start", wasm.KindFunc, h.m.AddFunc(h.m.AddType(nil, nil), nil, a.Bytes()))
	r, err := only(t, definition(t, runtimes.DriverCommand, h.module())).Execute(t.Context(), Request{Language: "made", Code: []byte("12345")})
	if err != nil || r.ExitCode != 42 {
		t.Errorf("got %+v, %v", r, err)
	}
}
