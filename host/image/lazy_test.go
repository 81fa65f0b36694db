package image

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// tableModule has a table of n slots: those in the middle call add(x, slot) or
// double(x), alternately; the first and the last are empty. Exports:
//
//	binary(slot, x) calls the slot as a function of two numbers
//	unary(slot, x)  calls it as a function of one
//	tail(slot, x)   is binary by a tail call
func tableModule(n uint32) *wasm.Module {
	m := &wasm.Module{Memories: []wasm.Limits{{Min: 1}}}
	i32 := wasm.I32
	one := m.AddType([]wasm.ValType{i32}, []wasm.ValType{i32})
	two := m.AddType([]wasm.ValType{i32, i32}, []wasm.ValType{i32})
	add := m.AddFunc(two, nil, new(wasm.Asm).U32(wasm.OpLocalGet, 0).U32(wasm.OpLocalGet, 1).Op(wasm.OpI32Add, wasm.OpEnd).Bytes())
	double := m.AddFunc(one, nil, new(wasm.Asm).U32(wasm.OpLocalGet, 0).I32Const(2).Op(wasm.OpI32Mul, wasm.OpEnd).Bytes())
	call := func(name string, op wasm.Opcode, typ uint32, args ...uint32) {
		body := new(wasm.Asm)
		for _, a := range args {
			body.U32(wasm.OpLocalGet, a)
		}
		m.AddExport(name, wasm.KindFunc, m.AddFunc(two, nil, body.U32(wasm.OpLocalGet, 0).U32(op, typ, 0).Op(wasm.OpEnd).Bytes()))
	}
	call("binary", wasm.OpCallIndirect, two, 1, 0)
	call("unary", wasm.OpCallIndirect, one, 1)
	call("tail", wasm.OpReturnCallIndirect, two, 1, 0)
	m.AddExport("entry", wasm.KindFunc, m.AddFunc(m.AddType(nil, nil), nil, new(wasm.Asm).Op(wasm.OpEnd).Bytes()))
	m.AddExport(fuelName, wasm.KindGlobal, m.AddGlobal(wasm.I64, true, wasm.ConstI64(0)))
	m.Tables = []wasm.Table{{Type: wasm.FuncRef, Limits: wasm.Limits{Min: n}}}
	var functions []uint32
	for i := range n - 2 {
		functions = append(functions, []uint32{add, double}[i%2])
	}
	m.Elems = []wasm.Elem{{Offset: wasm.ConstI32(1), Type: wasm.FuncRef, Funcs: functions}}
	return m
}

// outcome calls an export and returns its result or the trap, in one word.
func outcome(t *testing.T, mod api.Module, name string, args ...uint64) string {
	t.Helper()
	got, err := mod.ExportedFunction(name).Call(t.Context(), args...)
	if err != nil {
		message, _, _ := strings.Cut(err.Error(), "\n")
		return message
	}
	return fmt.Sprint(got)
}

func instantiate(t *testing.T, m *wasm.Module) api.Module {
	t.Helper()
	runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesTailCall))
	t.Cleanup(func() { _ = runtime.Close(t.Context()) })
	mod, err := runtime.InstantiateWithConfig(t.Context(), m.Encode(), wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// Every call of every slot with every signature must end as it does without the
// rewriting, the first time and the second, traps included.
func TestLazyTableCallsWhatTheTableHeld(t *testing.T) {
	const n = 3*groupSize + 5
	plain, rewritten := tableModule(n), tableModule(n)
	if err := Rewrite(rewritten, Entry{Start: "entry"}, fuelName); err != nil {
		t.Fatal(err)
	}
	for _, e := range rewritten.Elems {
		if e.Mode != wasm.Declarative {
			t.Fatal("the table was left alone")
		}
	}
	before, after := instantiate(t, plain), instantiate(t, rewritten)
	seen := map[string]int{}
	for slot := range uint64(n + 1) { // one beyond the end
		for _, name := range []string{"binary", "unary", "tail"} {
			want := outcome(t, before, name, slot, 1000)
			for range 2 {
				if got := outcome(t, after, name, slot, 1000); got != want {
					t.Fatalf("%s(%d): got %s, want %s", name, slot, got, want)
				}
			}
			seen[want]++
		}
	}
	for _, trap := range []string{"wasm error: invalid table access", "wasm error: indirect call type mismatch", "[2000]"} {
		if seen[trap] == 0 {
			t.Errorf("no call ended with %q: %v", trap, seen)
		}
	}
}

// What a module could see of its table other than by calling must not change.
func TestLazyTableLeavesAlone(t *testing.T) {
	for name, change := range map[string]func(*wasm.Module){
		"a table that is read": func(m *wasm.Module) {
			m.AddFunc(m.AddType(nil, nil), nil, new(wasm.Asm).I32Const(1).U32(wasm.OpTableGet, 0).Op(wasm.OpDrop, wasm.OpEnd).Bytes())
		},
		"elements at a place that is computed": func(m *wasm.Module) {
			m.Elems[0].Offset = new(wasm.Asm).I32Const(1).I32Const(0).Op(wasm.OpI32Add, wasm.OpEnd).Bytes()
		},
		"elements beyond the end":       func(m *wasm.Module) { m.Elems[0].Offset = wasm.ConstI32(3) },
		"elements that are expressions": func(m *wasm.Module) { m.Elems[0].Exprs = []byte{} },
		"a passive segment":             func(m *wasm.Module) { m.Elems[0].Mode = wasm.Passive },
		"another table's segment":       func(m *wasm.Module) { m.Elems[0].Table = 1 },
		"a table of host references":    func(m *wasm.Module) { m.Tables[0].Type = wasm.ExternRef },
	} {
		t.Run(name, func(t *testing.T) {
			m := tableModule(10)
			change(m)
			if err := Rewrite(m, Entry{Start: "entry"}, fuelName); err != nil {
				t.Fatal(err)
			}
			if m.Start != nil || m.Elems[0].Mode == wasm.Declarative {
				t.Error("the table was changed")
			}
		})
	}
}
