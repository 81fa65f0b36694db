package host

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// The real optimizer, on a module small enough not to take a minute.
func TestOptimizeKeepsWhatAModuleDoes(t *testing.T) {
	if testing.Short() {
		t.Skip("fetches the optimizer")
	}
	h, _ := pythonPlugin(t)
	m := new(wasm.Module)
	body := new(wasm.Asm).I32Const(20).I32Const(22).Op(wasm.OpI32Add, wasm.OpEnd).Bytes()
	m.AddExport("answer", wasm.KindFunc, m.AddFunc(m.AddType(nil, []wasm.ValType{wasm.I32}), nil, body))
	m.Customs = []wasm.Custom{{Name: "producers", Data: []byte{0}}}
	optimized, err := pythonBuilder(t, h).optimize(t.Context(), m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if after, err := wasm.Decode(optimized); err != nil || len(after.Customs) != 0 {
		t.Errorf("custom sections %v, %v", after.Customs, err)
	}
	runtime := wazero.NewRuntime(t.Context())
	defer func() { _ = runtime.Close(t.Context()) }()
	mod, err := runtime.Instantiate(t.Context(), optimized)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := mod.ExportedFunction("answer").Call(t.Context()); err != nil || len(got) != 1 || got[0] != 42 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := pythonBuilder(t, h).optimize(t.Context(), []byte("no module")); err == nil || !strings.Contains(err.Error(), "wasm-opt") {
		t.Errorf("of no module it made one, or said nothing useful: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pythonBuilder(t, h).optimize(ctx, m.Encode()); err == nil {
		t.Error("it went on after being cancelled")
	}
}

// A machine without Node.js gets a plain runtime and is told why.
func TestOptimizeIsLeftOutWithoutNode(t *testing.T) {
	shared, _ := pythonPlugin(t)
	b := pythonBuilder(t, shared)
	if b.definition.Source.Build != "" {
		t.Skip("what was built from source was optimized then")
	}
	dir, _ := cloneCache(t, b)
	t.Setenv("PATH", t.TempDir())
	n := new(notes)
	h, err := Open(t.Context(), Options{CacheDir: dir, Progress: n.progress, Optimize: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	r, err := h.Execute(t.Context(), Request{Language: "python", Code: []byte("print(6 * 7)")})
	if err != nil || r.Stdout != "42\n" {
		t.Errorf("got %+v, %v", r, err)
	}
	if len(n.warnings) != 1 || !strings.Contains(n.warnings[0], "install Node.js") {
		t.Errorf("warnings %q", n.warnings)
	}
	if n.stages[StageCompile] != 0 {
		t.Error("it prepared again what was there")
	}
}

// An optimized runtime is used by whoever finds it, and goes under a key of its own.
func TestOptimizedRuntimeIsPreferred(t *testing.T) {
	shared, _ := pythonPlugin(t)
	b := pythonBuilder(t, shared)
	if b.definition.Source.Build != "" {
		t.Skip("what was built from source was optimized then")
	}
	dir, entry := cloneCache(t, b)
	plain := b.key()
	b.optimized = !b.optimized
	if b.key() == plain {
		t.Fatal("optimized and plain have one key")
	}
	// In the place of an optimized one: what counts here is who finds it.
	if err := os.Rename(entry, filepath.Join(filepath.Dir(entry), b.key())); err != nil {
		t.Fatal(err)
	}
	n := new(notes)
	h, err := Open(t.Context(), Options{CacheDir: dir, Progress: n.progress})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	if err := h.Prepare(t.Context(), "python"); err != nil || n.stages[StageCompile] != 0 {
		t.Errorf("it was prepared again: %v, %+v", err, n.stages)
	}
}
