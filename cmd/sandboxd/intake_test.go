package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// plugin is a module whose execute has a body of its own.
func plugin(change func(*wasm.Module), body *wasm.Asm) []byte {
	m := &wasm.Module{Memories: []wasm.Limits{{Min: 1}}}
	m.AddExport("execute", wasm.KindFunc, m.AddFunc(m.AddType(nil, nil), nil, body.Op(wasm.OpEnd).Bytes()))
	if change != nil {
		change(m)
	}
	return m.Encode()
}

// nested is instructions inside each other.
func nested(op wasm.Opcode, n int) *wasm.Asm {
	a := new(wasm.Asm)
	for range n {
		a.Block(op, wasm.NoResult)
	}
	for range n {
		a.Op(wasm.OpEnd)
	}
	return a
}

// TestHostileModulesAreRefused adds modules that were made to hurt whoever looks at
// them. Each is refused with the reason, by a process that lives to give it.
func TestHostileModulesAreRefused(t *testing.T) {
	empty := func() *wasm.Asm { return new(wasm.Asm) }
	locals := []byte("\x00asm\x01\x00\x00\x00" +
		"\x01\x04\x01\x60\x00\x00" + // a type
		"\x03\x02\x01\x00" + // a function
		"\x07\x0b\x01\x07execute\x00\x00" +
		"\x0a\x0a\x01\x08\x01\xff\xff\xff\xff\x0f\x7f\x0b") // with 4 294 967 295 locals
	manyLoops := func(m *wasm.Module) {
		for range 4 {
			m.AddFunc(0, nil, nested(wasm.OpLoop, 9_900).Op(wasm.OpEnd).Bytes())
		}
	}
	tests := []struct {
		name   string
		module []byte
		want   string
	}{
		{"text", []byte("hello"), "it is not a WebAssembly module"},
		{"nothing", nil, "it is not a WebAssembly module"},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00\x00"), "it is a WebAssembly component, and sandboxd runs modules: build it for wasm32-wasip1"},
		{"a compressed file", []byte("\x1f\x8b\x08\x00"), "it is a compressed file: unpack it"},
		{"a module cut short", plugin(nil, empty())[:30], "invalid runtime: decode wasm: offset"},
		{"neither a plugin nor a command", plugin(func(m *wasm.Module) { m.Exports[0].Name = "run" }, empty()), "exports neither execute"},
		{"unknown imports", plugin(func(m *wasm.Module) {
			m.Imports = []wasm.Import{{Module: "env", Name: "emscripten_run_script", Type: 0}}
			m.Exports[0].Index = 1
		}, empty()), `the module imports functions that nobody offers here: "env"."emscripten_run_script"; it was built for another host`},
		{"an imported memory", plugin(func(m *wasm.Module) {
			m.Imports = []wasm.Import{{Module: "env", Name: "memory", Kind: wasm.KindMemory}}
			m.Memories = nil
		}, empty()), `imports "memory" of "env", which is not a function`},
		{"threads", bytes.Replace(plugin(nil, empty()), []byte{5, 3, 1, 0, 1}, []byte{5, 4, 1, 3, 1, 2}, 1), "build it without threads"},
		{"4 GiB of memory", plugin(func(m *wasm.Module) { m.Memories[0].Min = 65536 }, empty()), "the module starts with 4GiB of memory, at most 1GiB are allowed"},
		{"a large table", plugin(func(m *wasm.Module) {
			m.Tables = []wasm.Table{{Type: wasm.FuncRef, Limits: wasm.Limits{Min: 1 << 31}}}
		}, empty()), "table of 2147483648 elements, at most 1048576 are allowed"},
		{"four billion locals in 56 bytes", locals, "locals"},
		{"300 KB of nested blocks", plugin(nil, nested(wasm.OpBlock, 100_000)), "nest"},
		{"nested loops", plugin(nil, nested(wasm.OpLoop, 9_900)), "the module is too hard to compile"},
		{"more nested loops", plugin(manyLoops, empty()), "the module is too hard to compile"},
		{"code of wrong types", plugin(nil, new(wasm.Asm).Op(wasm.OpI32Add)), "compile"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("SANDBOXD_DATA_DIR", filepath.Join(dir, "data"))
			if err := os.WriteFile(filepath.Join(dir, "made.wasm"), tt.module, 0o600); err != nil {
				t.Fatal(err)
			}
			_, stderr, code := sandboxd(t, dir, "", "--cache-dir", filepath.Join(dir, "cache"), "runtimes", "add", "made.wasm")
			if code != exitFailed || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, standard error %q", code, stderr)
			}
			t.Logf("%.400s", stderr)
			if strings.Contains(stderr, "goroutine") {
				t.Error("there is a stack trace")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "data", "runtimes", "*")); len(left) > 0 {
				t.Errorf("left %q", left)
			}
		})
	}
}
