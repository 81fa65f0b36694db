package image

import (
	"context"
	"errors"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// writeImage captures an image of memory without any module behind it.
func writeImage(tb testing.TB, dir string, memory []byte) {
	tb.Helper()
	if err := Capture(dir, noGlobals{}, memory, Target{}); err != nil {
		tb.Fatal(err)
	}
}

type noGlobals struct{ api.Module }

func (noGlobals) ExportedGlobal(string) api.Global { return nil }

const fuelName = "fuel"

// counterModule is a tiny interpreter: it keeps a number in a global and one in
// memory, and asks the host to capture it.
//
//	(import "host" "checkpoint" (func $checkpoint))
//	(memory 1) (data (i32.const 8) "\05") (data (i32.const 16) "\07")
//	(global $g (mut i32) (i32.const 100)) (global $fuel (mut i64) (i64.const 0))
//	(table funcref (elem $checkpoint $step))
//	(func (export "run") $g = 142; checkpoint())
//	(func $step (param i32 i32 i32) (result i32)
//	    mem[8] = mem[8] + $g; return mem[8] + mem[16] + p0 + p1 + p2)
func counterModule() *wasm.Module {
	m := &wasm.Module{}
	none := m.AddType(nil, nil)
	i32 := wasm.I32
	step := m.AddType([]wasm.ValType{i32, i32, i32}, []wasm.ValType{i32})
	m.Imports = []wasm.Import{{Module: "host", Name: "checkpoint", Kind: wasm.KindFunc, Type: none}}
	m.Memories = []wasm.Limits{{Min: 1}}
	m.Data = []wasm.Data{
		{Offset: wasm.ConstI32(8), Init: []byte{5}},
		{Offset: wasm.ConstI32(16), Init: []byte{7}},
	}
	g := m.AddGlobal(wasm.I32, true, wasm.ConstI32(100))
	fuel := m.AddGlobal(wasm.I64, true, wasm.ConstI64(0))
	m.AddExport(fuelName, wasm.KindGlobal, fuel)
	run := m.AddFunc(none, nil, new(wasm.Asm).
		I32Const(142).U32(wasm.OpGlobalSet, g).
		U32(wasm.OpCall, 0).Op(wasm.OpEnd).Bytes())
	m.AddExport("run", wasm.KindFunc, run)
	stepFunc := m.AddFunc(step, nil, new(wasm.Asm).
		I32Const(8).
		I32Const(8).U32(wasm.OpI32Load, 2, 0).U32(wasm.OpGlobalGet, g).Op(wasm.OpI32Add).
		U32(wasm.OpI32Store, 2, 0).
		I32Const(8).U32(wasm.OpI32Load, 2, 0).
		I32Const(16).U32(wasm.OpI32Load, 2, 0).Op(wasm.OpI32Add).
		U32(wasm.OpLocalGet, 0).Op(wasm.OpI32Add).
		U32(wasm.OpLocalGet, 1).Op(wasm.OpI32Add).
		U32(wasm.OpLocalGet, 2).Op(wasm.OpI32Add).
		Op(wasm.OpEnd).Bytes())
	m.Tables = []wasm.Table{{Type: wasm.FuncRef, Limits: wasm.Limits{Min: 2}}}
	m.Elems = []wasm.Elem{{Offset: wasm.ConstI32(0), Type: wasm.FuncRef, Funcs: []uint32{0, stepFunc}}}
	return m
}

func TestCaptureAndRestore(t *testing.T) {
	ctx := t.Context()
	m := counterModule()
	if err := Rewrite(m, Entry{Start: "run"}, fuelName); err != nil {
		t.Fatal(err)
	}
	runtime := wazero.NewRuntime(ctx)
	defer func() { _ = runtime.Close(ctx) }()
	dir := t.TempDir()
	captured := false
	_, err := runtime.NewHostModuleBuilder("host").NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, mod api.Module, _ []uint64) {
			memory, _ := mod.Memory().Read(0, mod.Memory().Size())
			target := Target{Slot: 1, Args: [3]uint32{1, 2, 3}, Entropy: []Range{{Start: 64, Length: 32}}}
			if err := Capture(dir, mod, memory, target); err != nil {
				t.Error(err)
			}
			captured = true
		}), nil, nil).Export("checkpoint").Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := runtime.CompileModule(ctx, m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	config := wazero.NewModuleConfig().WithName("")
	first, err := runtime.InstantiateModule(ctx, compiled, config)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := first.Memory().ReadByte(8); b != 0 {
		t.Fatalf("data was copied before the start: memory[8] is %d", b)
	}
	if _, err := first.ExportedFunction(ExportStart).Call(ctx); err != nil || !captured {
		t.Fatalf("start: captured %t, %v", captured, err)
	}

	im, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = im.Close() }()
	var drawn []string
	for range 3 { // each from the capture, none from the one before
		region, err := im.Acquire(2 * PageSize)
		if err != nil {
			t.Fatal(err)
		}
		allocator := experimental.MemoryAllocatorFunc(func(uint64, uint64) experimental.LinearMemory { return region })
		mod, err := runtime.InstantiateModule(experimental.WithMemoryAllocator(ctx, allocator), compiled, config)
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Restore(mod, nil); err != nil {
			t.Fatal(err)
		}
		state, _ := mod.Memory().Read(64, 32)
		drawn = append(drawn, string(state))
		got, err := mod.ExportedFunction(ExportResume).Call(ctx)
		if want := uint64(5 + 142 + 7 + 1 + 2 + 3); err != nil || got[0] != want {
			t.Fatalf("resume: got %v, %v; want %d", got, err, want)
		}
		if err := mod.Close(ctx); err != nil {
			t.Fatal(err)
		}
		region.Release()
	}
	if drawn[0] == drawn[1] || drawn[1] == drawn[2] {
		t.Error("two instances got the same randomness")
	}
}

func TestRewriteRefusesStateOutsideAnImage(t *testing.T) {
	none := func(m *wasm.Module) uint32 { return m.AddType(nil, nil) }
	for name, change := range map[string]func(*wasm.Module){
		"a table that is written": func(m *wasm.Module) {
			m.AddFunc(none(m), nil, new(wasm.Asm).I32Const(0).U32(wasm.OpRefFunc, 0).U32(wasm.OpTableSet, 0).Op(wasm.OpEnd).Bytes())
		},
		"a data segment that is dropped": func(m *wasm.Module) {
			m.AddFunc(none(m), nil, new(wasm.Asm).U32(wasm.OpDataDrop, 0).Op(wasm.OpEnd).Bytes())
		},
		"a start function":           func(m *wasm.Module) { m.Start = new(uint32) },
		"no memory":                  func(m *wasm.Module) { m.Memories = nil },
		"no table":                   func(m *wasm.Module) { m.Tables = nil },
		"a mutable reference":        func(m *wasm.Module) { m.AddGlobal(wasm.ExternRef, true, nil) },
		"an imported mutable global": func(m *wasm.Module) { m.Imports[0].Kind = wasm.KindGlobal },
	} {
		t.Run(name, func(t *testing.T) {
			m := counterModule()
			change(m)
			exports := len(m.Exports)
			if err := Rewrite(m, Entry{Start: "run"}, fuelName); !errors.Is(err, ErrUnsupported) {
				t.Fatalf("got %v, want %v", err, ErrUnsupported)
			}
			if len(m.Exports) != exports {
				t.Error("the module was changed")
			}
		})
	}
}

func TestMergeDataKeepsMemoryTheSame(t *testing.T) {
	segment := func(offset int32, bytes string) wasm.Data {
		return wasm.Data{Offset: wasm.ConstI32(offset), Init: []byte(bytes)}
	}
	tests := []struct {
		name string
		in   []wasm.Data
		want int // segments left
	}{
		{"neighbours become one", []wasm.Data{segment(10, "ab"), segment(12, "cd"), segment(20, "e")}, 1},
		{"distant ones stay apart", []wasm.Data{segment(10, "ab"), segment(12+maxGap+1, "cd")}, 2},
		{"descending ones are left alone", []wasm.Data{segment(20, "ab"), segment(10, "cd")}, 2},
		{"overlapping ones are left alone", []wasm.Data{segment(10, "abc"), segment(12, "xy")}, 2},
		{"passive ones are left out", []wasm.Data{segment(10, "ab"), {Mode: wasm.Passive, Init: []byte("x")}}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := lay(tt.in)
			merged := mergeData(tt.in)
			if len(merged) != tt.want {
				t.Errorf("%d segments, want %d", len(merged), tt.want)
			}
			if after := lay(merged); after != before {
				t.Errorf("memory is %q, was %q", after, before)
			}
		})
	}
}

// lay copies active segments into memory as an engine does.
func lay(segments []wasm.Data) string {
	memory := make([]byte, 4*maxGap)
	for _, d := range segments {
		if d.Mode == wasm.Active {
			at, _ := constant(d.Offset)
			copy(memory[at:], d.Init)
		}
	}
	return string(memory)
}

// TestPlainStartsWhatCannotBeSnapshotted checks what is made of modules that Rewrite
// refuses: their start function runs when they are entered, and their data stay.
func TestPlainStartsWhatCannotBeSnapshotted(t *testing.T) {
	m := &wasm.Module{}
	m.AddGlobal(wasm.I32, true, wasm.ConstI32(1))
	start := m.AddFunc(m.AddType(nil, nil), nil, new(wasm.Asm).I32Const(20).U32(wasm.OpGlobalSet, 0).Op(wasm.OpEnd).Bytes())
	m.Start = &start
	double := new(wasm.Asm).U32(wasm.OpGlobalGet, 0).I32Const(2).Op(wasm.OpI32Mul).U32(wasm.OpGlobalSet, 0).Op(wasm.OpEnd).Bytes()
	m.AddExport(initialize, wasm.KindFunc, m.AddFunc(m.AddType(nil, nil), nil, double))
	run := m.AddFunc(m.AddType(nil, []wasm.ValType{wasm.I32}), nil, new(wasm.Asm).U32(wasm.OpGlobalGet, 0).Op(wasm.OpEnd).Bytes())
	m.AddExport("run", wasm.KindFunc, run)
	if err := Plain(m, Entry{Start: "none"}); err == nil {
		t.Error("a start that is not there is accepted")
	}
	if err := Plain(m, Entry{Start: "run"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Export(initialize); ok || m.Start != nil || len(m.Memories) != 1 {
		t.Errorf("exports %+v, start %v, memories %+v", m.Exports, m.Start, m.Memories)
	}
	r := wazero.NewRuntime(t.Context())
	defer func() { _ = r.Close(t.Context()) }()
	mod, err := r.Instantiate(t.Context(), m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	got, err := mod.ExportedFunction(ExportStart).Call(t.Context())
	if err != nil || len(got) != 1 || got[0] != 40 {
		t.Errorf("got %v, %v", got, err)
	}
}
