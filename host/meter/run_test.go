package meter

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sandboxd/sandboxd/host/wasm"
)

const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst |
	experimental.CoreFeaturesExceptionHandling | experimental.CoreFeaturesTypedFunctionReferences

var errOutOfFuel = errors.New("out of fuel")

// host runs modules and plays the part of sandboxd in metered ones.
type host struct {
	rt      wazero.Runtime
	budget  int64 // fuel it may still grant
	slice   int64 // how much at a time
	granted int64
	refuels int
	deepest int64 // the least fuel that refuel was called with
}

func newHost(tb testing.TB) *host {
	tb.Helper()
	return newHostWith(tb, wazero.NewRuntimeConfig())
}

func newHostWith(tb testing.TB, cfg wazero.RuntimeConfig) *host {
	tb.Helper()
	ctx := context.Background()
	h := &host{rt: wazero.NewRuntimeWithConfig(ctx, cfg.WithCoreFeatures(features).WithMemoryLimitPages(4096))}
	tb.Cleanup(func() { _ = h.rt.Close(ctx) })
	_, err := h.rt.NewHostModuleBuilder(HostModule).NewFunctionBuilder().WithFunc(h.refuel).Export(RefuelImport).
		NewFunctionBuilder().WithFunc(amend).Export(AmendImport).
		Instantiate(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	b := h.rt.NewHostModuleBuilder("env")
	for _, imp := range envImports {
		sum := api.GoFunc(func(_ context.Context, stack []uint64) {
			var sum uint32
			for _, v := range stack[:imp.params] {
				sum += uint32(v)
			}
			for i := range imp.results {
				stack[i] = uint64(sum)
			}
		})
		types := func(n int) []api.ValueType { return []api.ValueType(strings.Repeat("\x7f", n)) }
		b = b.NewFunctionBuilder().WithGoFunction(sum, types(imp.params), types(imp.results)).Export(imp.name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		tb.Fatal(err)
	}
	return h
}

// envImports is what the host has for guests.
var envImports = []imported{
	{"env", "add", 2, 1},
	{"env", "one", 1, 1},
	{"env", "none", 0, 0},
}

// amend makes a result of a host function show that it was amended.
func amend(_ context.Context, result int32) int32 { return result + 1000 }

func (h *host) refuel(_ context.Context, left int64) int64 {
	h.refuels++
	h.deepest = min(h.deepest, left)
	n := min(h.slice, h.budget)
	if n <= 0 {
		panic(errOutOfFuel)
	}
	h.budget -= n
	h.granted += n
	return left + n
}

// run is what became of a module.
type run struct {
	results []int32
	err     error
	fuel    int64 // burnt; 0 if not metered
	granted int64
	refuels int
	deepest int64
}

// run instantiates a module and calls an exported function.
func (h *host) run(tb testing.TB, bin []byte, name string, args ...uint64) run {
	tb.Helper()
	ctx := context.Background()
	h.granted, h.refuels, h.deepest = 0, 0, 0
	mod, err := h.rt.InstantiateWithConfig(ctx, bin, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		tb.Fatalf("instantiate: %v", err)
	}
	defer func() { _ = mod.Close(ctx) }()
	values, err := mod.ExportedFunction(name).Call(ctx, args...)
	r := run{err: err, granted: h.granted, refuels: h.refuels, deepest: h.deepest}
	for _, v := range values {
		r.results = append(r.results, int32(uint32(v)))
	}
	if fuel := mod.ExportedGlobal(FuelExport); fuel != nil {
		r.fuel = h.granted - int64(fuel.Get())
	}
	return r
}

// plenty lets programs run to their end.
func (h *host) plenty() *host {
	h.budget, h.slice = math.MaxInt64/2, 1_000_000
	return h
}

func metered(tb testing.TB, bin []byte, cfg Config) []byte {
	tb.Helper()
	return meteredWithin(tb, bin, cfg, usual())
}

func meteredWithin(tb testing.TB, bin []byte, cfg Config, b bounds) []byte {
	tb.Helper()
	m, err := wasm.Decode(bin)
	if err != nil {
		tb.Fatal(err)
	}
	if err := instrument(m, cfg, b); err != nil {
		tb.Fatal(err)
	}
	return m.Encode()
}
