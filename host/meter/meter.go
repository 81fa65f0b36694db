// Package meter makes a WebAssembly module count what it executes, so that a
// host can bound it. wazero has no such counter, and its only interruption more
// than doubles the run time of an interpreter.
//
// The unit is fuel. One fuel is one instruction; block, loop, else, end and
// nop, which only give structure, are free. Bulk instructions cost one more for
// each 16 bytes or each table element they name, memory.grow 4096 for each page
// it adds, and calls of the host what [Config].Cost says. The instructions that
// wazero does not execute in machine code cost as much as their time would buy:
// 100 for memory.grow, table.grow and ref.func, 4000 for try_table, throw and
// throw_ref.
//
// Fuel is counted down in a mutable i64 global of the module's own, exported as
// [FuelExport]. The guest cannot reach it: it has no index in the original code
// and lies outside of linear memory. A module hands out its budget in slices:
// when the counter falls below zero, metered code calls [RefuelImport], which
// adds the next slice or ends the run by panicking.
//
// What a host may rely on:
//
//   - Instructions are paid for before they are executed, in groups of those
//     that are executed together (see analysis). A run that ends normally has
//     paid for exactly what it executed, however it was sliced; one that traps,
//     exits or throws may have paid for the rest of the groups it was in.
//   - The counter is always up to date, also after a trap.
//   - Every loop checks the counter each time around, as does every call that
//     could be part of a recursion, every call of the host, and every bulk
//     instruction after it was charged. Straight-line code checks often enough
//     that between checks at most some millions of instructions are executed,
//     and in code made by compilers some hundreds.
//   - Instrument is a pure function of its arguments, as far as Config.Cost is.
//
// Stack depth, memory and tables are bounded by other means. So are exceptions:
// wazero copies the whole stack at each try_table, however deep it is and for as
// long as the block is open, so that a few hundred nested ones may take all the
// memory of the host. Do not enable them for untrusted modules. Functions of this
// package may be called concurrently, on different modules.
package meter

import (
	"fmt"
	"strings"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// Names by which the host and a metered module know each other.
const (
	// HostModule is the module name of everything the host provides to
	// metered code; a module that imports from it itself is refused.
	HostModule = "sandboxd"
	// RefuelImport is the function sandboxd.refuel (i64) -> (i64). It is called
	// with the fuel left, which is negative, and returns the fuel left after
	// the next slice was added; or it ends the run by not returning. It is
	// called again at once if the slice was too small to pay the debt.
	RefuelImport = "refuel"
	// AmendImport is the function sandboxd.amend (i32) -> (i32). It is imported
	// only where [Config].Amend is set, called with the result, other than zero,
	// of a call that Amend names, and returns what the guest gets instead.
	AmendImport = "amend"
	// FuelExport names the mutable i64 global that holds the fuel left in the
	// current slice. It starts at zero and is negative while refuel runs.
	FuelExport = "sandboxd:fuel"
	// exportPrefix starts the names of exports that are the host's.
	exportPrefix = "sandboxd:"
)

// Import names an imported item.
type Import struct{ Module, Name string }

// Cost is the fuel that one call of an imported function takes, besides the
// one for the call instruction: Base plus, if Per is not zero,
//
//	(uint32(argument Param) >> Shift) * Per
//
// where argument Param, counted from 0, must be an i32. For random_get(buf,
// len) at 2000 a call and 4 a byte that is {Base: 2000, Param: 1, Per: 4}.
type Cost struct {
	Base  uint64 // at most MaxBase
	Param int
	Per   uint64 // at most MaxPer
	Shift uint   // at most 31
}

// Bound refuses calls of an imported function that returns one i32: where argument
// Param, an i32 counted from 0, is less than Min or more than Max as an unsigned
// number, the function is not called, Answer is its result, and the call costs no more
// than the Base of its [Cost].
type Bound struct {
	Param    int
	Min, Max uint32
	Answer   int32
}

// Bounds of a [Cost]: no single charge may come near the range of the counter.
const (
	MaxBase = 1 << 50
	MaxPer  = 1 << 28
)

// Config says how to instrument a module. The zero value meters instructions
// and leaves the rest alone.
type Config struct {
	// Cost returns what a call of an imported function costs, by its original
	// name. Nil means nothing beyond the call instruction.
	Cost func(module, name string) Cost
	// Bounds returns which calls of an imported function, by its original name, are
	// answered without calling it. Nil refuses none.
	Bounds func(module, name string) []Bound
	// Rename gives imported functions other names, so that the host can
	// provide its own in place of a library's.
	Rename map[Import]Import
	// Amend says of which imported functions, by their original names, the host
	// sees each result that is not zero before the guest does: functions that
	// return an error number, where a library that provides them knows fewer of
	// those than the host. Nil means of none.
	Amend func(module, name string) bool
	// MaxTable is the most elements any table may have: the maximum of every
	// table becomes at most that. A table that starts larger is an error.
	// Zero leaves tables alone.
	MaxTable uint32
}

// Instrument makes m count fuel. It changes m in place, and only says so if it
// returns nil: after an error m must not be used.
//
// All custom sections are removed, since the names and the positions they hold
// would be wrong. An error about the code is a *[wasm.Error] with the offset in
// the bytes that m was decoded from.
func Instrument(m *wasm.Module, cfg Config) error {
	return instrument(m, cfg, usual())
}

func instrument(m *wasm.Module, cfg Config, b bounds) error {
	if err := refuseNames(m); err != nil {
		return err
	}
	if err := limitTables(m, cfg.MaxTable); err != nil {
		return err
	}
	m.StripCustom()
	in := newInstrumenter(m, b, cfg.Amend != nil)
	if err := m.RemapFuncs(in.remap); err != nil {
		return fmt.Errorf("meter: renumber functions: %w", err)
	}
	if err := in.bodies(); err != nil {
		return err
	}
	if err := in.wrapImports(cfg); err != nil {
		return err
	}
	in.addHelpers()
	m.AddExport(FuelExport, wasm.KindGlobal, in.fuel)
	return nil
}

// refuseNames refuses a module that uses the host's names: it could otherwise
// call refuel itself, or pass another global off as the counter.
func refuseNames(m *wasm.Module) error {
	for i := range m.Imports {
		if imp := &m.Imports[i]; imp.Module == HostModule {
			return fmt.Errorf("meter: module imports %q.%q, which is the host's", imp.Module, imp.Name)
		}
	}
	for i := range m.Exports {
		if name := m.Exports[i].Name; strings.HasPrefix(name, exportPrefix) {
			return fmt.Errorf("meter: module exports %q, which is the host's", name)
		}
	}
	return nil
}

func limitTables(m *wasm.Module, limit uint32) error {
	if limit == 0 {
		return nil
	}
	force := func(t *wasm.Table) error {
		if t.Min > limit {
			return fmt.Errorf("meter: table of %d elements, at most %d are allowed", t.Min, limit)
		}
		if !t.HasMax || t.Max > limit {
			t.Max, t.HasMax = limit, true
		}
		return nil
	}
	for i := range m.Imports {
		if m.Imports[i].Kind == wasm.KindTable {
			if err := force(&m.Imports[i].Table); err != nil {
				return err
			}
		}
	}
	for i := range m.Tables {
		if err := force(&m.Tables[i]); err != nil {
			return err
		}
	}
	return nil
}

// instrumenter holds what stays the same while one module is instrumented.
//
// Functions are renumbered as follows. Imports keep their places, refuel comes
// after them, and amend if it is wanted, so the functions the module defines move
// up by one or two. Then come a wrapper for each import, and the helpers.
// References to an import become references to its wrapper.
type instrumenter struct {
	m        *wasm.Module
	bounds   bounds
	imported uint32 // function imports of the original module; the index of refuel
	amend    uint32 // index of amend, or 0
	defined  uint32 // index of the first function that the module defines
	wrappers uint32 // index of the first wrapper
	refill   uint32 // helpers; see addHelpers
	bytes    uint32
	elements uint32
	grow     uint32
	fuel     uint32 // the global
	hasMem   bool
}

func newInstrumenter(m *wasm.Module, b bounds, amend bool) *instrumenter {
	in := &instrumenter{
		m:        m,
		bounds:   b,
		imported: m.NumImportedFuncs(),
		hasMem:   len(m.Memories) > 0 || m.NumImported(wasm.KindMemory) > 0,
	}
	in.defined = in.imported + 1
	if amend {
		in.amend = in.defined
		in.defined++
	}
	in.wrappers = m.NumFuncs() + in.defined - in.imported
	in.refill = in.wrappers + in.imported
	in.bytes = in.refill + 1
	in.elements = in.bytes + 1
	in.grow = in.elements + 1
	in.fuel = m.AddGlobal(wasm.I64, true, wasm.ConstI64(0))
	return in
}

// remap gives a function's new index for the one it had.
func (in *instrumenter) remap(f uint32) uint32 {
	if f < in.imported {
		return in.wrappers + f
	}
	return f + in.defined - in.imported
}
