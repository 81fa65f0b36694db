package meter

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// seeds are modules that together hold every kind of edit and block.
func seeds() [][]byte {
	var out [][]byte
	for i := range programs {
		out = append(out, programs[i].p.bytes())
	}
	for i := range endless {
		out = append(out, endless[i].p.bytes())
	}
	for seed := range uint64(10) {
		out = append(out, randomProgram(rand.New(rand.NewPCG(seed, 4))).bytes())
	}
	var throwing, vector wasm.Asm
	throwing.Block(wasm.OpBlock, wasm.NoResult).Raw([]byte(tryOnce)).U32(wasm.OpThrow, 0)
	out = append(out, withTag(throwing.Op(wasm.OpEnd, wasm.OpEnd, wasm.OpEnd).Bytes()))
	vector.Op(wasm.OpV128Const).Raw(make([]byte, 16)).Op(0xfd80, 0xfd4d, wasm.OpDrop)
	out = append(out, withTag(vector.Op(wasm.OpEnd).Bytes()))
	var init wasm.Asm
	init.I32Const(0).I32Const(0).I32Const(3).U32(wasm.OpTableInit, 0, 1).U32(wasm.OpElemDrop, 0)
	init.U32(wasm.OpRefFunc, 0).Op(wasm.OpDrop)
	return append(out, tables(&init))
}

// FuzzInstrument holds that wazero accepts what Instrument makes of a module
// that it accepts, and that the same comes of it twice.
func FuzzInstrument(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bin []byte) {
		if len(bin) > 1<<16 {
			return
		}
		m, err := wasm.Decode(bin)
		if err != nil {
			return
		}
		// The interpreter validates as the compiler does, and faster.
		ctx := context.Background()
		rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
		defer func() { _ = rt.Close(ctx) }()
		if err := compile(ctx, rt, bin); err != nil {
			_ = Instrument(m, Config{}) // must not panic
			return
		}
		if err := Instrument(m, Config{}); err != nil {
			return // a limit of ours, or an encoding that only wazero accepts
		}
		out := m.Encode()
		if err := compile(ctx, rt, out); err != nil {
			t.Fatalf("wazero accepts the module, but not metered: %v", err)
		}
		if !bytes.Equal(out, metered(t, bin, Config{})) {
			t.Fatal("two results for the same module")
		}
	})
}

// compile has wazero validate a module. Its validator panics on some modules.
func compile(ctx context.Context, rt wazero.Runtime, bin []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	_, err = rt.CompileModule(ctx, bin)
	return err
}

// FuzzFuel holds that a random program burns what the interpreter counts.
func FuzzFuel(f *testing.F) {
	f.Add(uint64(1), uint64(2), 50_000, uint64(4096))
	f.Add(uint64(3), uint64(4), 10, uint64(5))
	f.Fuzz(func(t *testing.T, a, b uint64, unchecked int, ahead uint64) {
		p := randomProgram(rand.New(rand.NewPCG(a, b)))
		limits := bounds{unchecked: max(0, unchecked), unwinding: max(0, unchecked) / 2, ahead: ahead}
		same(t, newHostWith(t, wazero.NewRuntimeConfigInterpreter()).plenty(), p, limits, 3, -1)
	})
}
