package image

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// Names of what [Rewrite] exports. A guest cannot import its own exports, and
// metering refuses modules that use the prefix.
const (
	// ExportStart fills linear memory and enters the module for the first time.
	ExportStart = "sandboxd:start"
	// ExportWarmUp does the same for an instance that is to be captured, in a
	// module that has an entry of its own for it.
	ExportWarmUp = "sandboxd:warm-up"
	// ExportResume enters a restored instance; see [Entry] and [Target].
	ExportResume = "sandboxd:resume"

	// initialize is where a WASI reactor begins: exactly once.
	initialize = "_initialize"
	// command is where a WASI command begins.
	command = "_start"
	// constructors and haskell are what other reactors begin with.
	constructors = "__wasm_call_ctors"
	haskell      = "hs_init"

	globalPrefix = "sandboxd:global:"
	targetPrefix = "sandboxd:target:"
)

// ErrUnsupported means that instances of a module cannot be restored from an
// image, because it keeps state where an image does not reach.
var ErrUnsupported = errors.New("module cannot be snapshotted")

// Entry names the exported functions that a module is entered through.
type Entry struct {
	// Start runs the module from the beginning. A function called _initialize, if
	// there is one, is called before it, and no longer exported: it is how a WASI
	// reactor begins.
	Start string
	// WarmUp runs the module up to where it is to be captured, after _initialize
	// too. It may be empty: then Start is for that as well.
	WarmUp string
	// Resume, which returns an i32, enters a restored instance. It may be empty:
	// then the image's [Target] says how.
	Resume string
}

// Rewrite changes m so that one compiled module serves both to warm up an
// instance and to start others from the image of the first:
//
//   - active data segments become passive, and a function copies them: an
//     instance restored from an image gets its memory from there;
//   - every mutable global is exported, so that the host can read and set it;
//   - ExportStart and ExportWarmUp copy the data and call what entry names;
//   - ExportResume enters a restored instance: it calls what entry names or,
//     for an interpreter that exports nothing but its start, a function of the
//     function table with three i32, all of which come from exported globals;
//   - the function table fills itself as it is used.
//
// skip names an exported mutable global that belongs to the host and is no part
// of an image: the fuel counter. A module that writes its tables, drops or
// itself copies data segments, has a start function, or has mutable globals of
// reference or vector type is [ErrUnsupported], and m is unchanged.
func Rewrite(m *wasm.Module, entry Entry, skip string) error {
	functions := map[string]uint32{}
	for _, name := range []string{entry.Start, entry.WarmUp, entry.Resume} {
		if name == "" {
			continue
		}
		f, err := function(m, name)
		if err != nil {
			return err
		}
		functions[name] = f
	}
	if err := supported(m); err != nil {
		return err
	}
	skipped, ok := m.Export(skip)
	if !ok {
		return fmt.Errorf("rewrite for snapshots: no exported global %q", skip)
	}
	exportGlobals(m, skipped.Index)
	fill := addFill(m)
	addStart(m, ExportStart, new(wasm.Asm).U32(wasm.OpCall, fill), functions[entry.Start])
	if entry.WarmUp != "" {
		addStart(m, ExportWarmUp, new(wasm.Asm).U32(wasm.OpCall, fill), functions[entry.WarmUp])
	}
	if entry.Resume != "" {
		m.AddExport(ExportResume, wasm.KindFunc, functions[entry.Resume])
	} else {
		addResume(m)
	}
	dropInitializers(m)
	lazyTable(m)
	return nil
}

// function finds an exported function, which must be one that there is.
func function(m *wasm.Module, name string) (uint32, error) {
	e, ok := m.Export(name)
	if ok && e.Kind == wasm.KindFunc {
		if _, ok = m.FuncType(e.Index); ok {
			return e.Index, nil
		}
	}
	return 0, fmt.Errorf("rewrite: no exported function %q", name)
}

// Plain changes m so that it can be started through ExportStart and nothing else:
// what is left where [Rewrite] refuses with [ErrUnsupported]. The module's own start
// function, if it has one, runs there too, and not when an instance is made. A module
// without a memory gets a small one.
func Plain(m *wasm.Module, entry Entry) error {
	f, err := function(m, entry.Start)
	if err != nil {
		return err
	}
	body := new(wasm.Asm)
	if m.Start != nil {
		body.U32(wasm.OpCall, *m.Start)
		m.Start = nil
	}
	if len(m.Memories) == 0 && m.NumImported(wasm.KindMemory) == 0 {
		m.Memories = []wasm.Limits{{Min: 1}} // the host's functions expect one
	}
	addStart(m, ExportStart, body, f)
	dropInitializers(m)
	return nil
}

func supported(m *wasm.Module) error {
	if len(m.Memories) != 1 {
		return fmt.Errorf("%w: it does not define a memory", ErrUnsupported)
	}
	if m.Start != nil {
		return fmt.Errorf("%w: it has a start function", ErrUnsupported)
	}
	if len(m.Tables) == 0 {
		return fmt.Errorf("%w: it has no function table", ErrUnsupported)
	}
	for _, i := range m.Imports {
		if i.Kind != wasm.KindFunc {
			return fmt.Errorf("%w: it imports %q, which is no function", ErrUnsupported, i.Name)
		}
	}
	for i, g := range m.Globals {
		if g.Mutable && !numeric(g.Type) {
			return fmt.Errorf("%w: global %d is mutable and not a number", ErrUnsupported, i)
		}
	}
	for i := range m.Code {
		r := wasm.NewReader(m.Code[i].Body, m.Code[i].Offset)
		for r.Next() {
			switch r.Op {
			case wasm.OpTableSet, wasm.OpTableInit, wasm.OpTableCopy, wasm.OpTableGrow, wasm.OpTableFill,
				wasm.OpElemDrop, wasm.OpMemoryInit, wasm.OpDataDrop:
				return fmt.Errorf("%w: instruction %#x changes its tables or segments", ErrUnsupported, uint16(r.Op))
			}
		}
		if err := r.Err(); err != nil {
			return err
		}
	}
	return nil
}

func numeric(t wasm.ValType) bool {
	return t == wasm.I32 || t == wasm.I64 || t == wasm.F32 || t == wasm.F64
}

// exportGlobals exports the module's mutable globals, all but one, under names
// numbered from 0.
func exportGlobals(m *wasm.Module, except uint32) {
	n := 0
	for i := range m.Globals {
		index := uint32(i) //nolint:gosec // few
		if m.Globals[i].Mutable && index != except {
			m.AddExport(globalName(n), wasm.KindGlobal, index)
			n++
		}
	}
}

func globalName(n int) string { return globalPrefix + strconv.Itoa(n) }

// addStart adds a function that begins with body and calls a function of the
// module, after what must come before it, and exports it.
func addStart(m *wasm.Module, name string, body *wasm.Asm, entry uint32) {
	addInitializers(m, body, entry)
	t, _ := m.FuncType(entry)
	f := m.AddFunc(m.AddType(nil, t.Results), nil, body.U32(wasm.OpCall, entry).Op(wasm.OpEnd).Bytes())
	m.AddExport(name, wasm.KindFunc, f)
}

// addInitializers adds the calls by which a reactor begins: those of WASI, of
// programs in C without WASI's start, and of Haskell's runtime. A command begins by
// itself.
func addInitializers(m *wasm.Module, body *wasm.Asm, entry uint32) {
	if start, ok := m.Export(command); ok && start.Index == entry {
		return
	}
	for _, name := range []string{initialize, constructors} {
		if e, ok := m.Export(name); ok && e.Kind == wasm.KindFunc && hasType(m, e.Index, 0) {
			body.U32(wasm.OpCall, e.Index)
			break
		}
	}
	if e, ok := m.Export(haskell); ok && e.Kind == wasm.KindFunc && hasType(m, e.Index, 2) {
		body.I32Const(0).I32Const(0).U32(wasm.OpCall, e.Index)
	}
}

// hasType reports whether a function takes so many i32 and returns nothing.
func hasType(m *wasm.Module, f uint32, params int) bool {
	t, ok := m.FuncType(f)
	return ok && len(t.Results) == 0 && len(t.Params) == params &&
		!slices.ContainsFunc(t.Params, func(v wasm.ValType) bool { return v != wasm.I32 })
}

// dropInitializers hides what addInitializers called. Whoever calls it again, as
// Extism does before the first call, ends in a trap or starts the module twice.
func dropInitializers(m *wasm.Module) {
	m.Exports = slices.DeleteFunc(m.Exports, func(e wasm.Export) bool {
		return e.Name == initialize || e.Name == constructors || e.Name == haskell
	})
}

// addResume adds: func() i32 { return table[slot](a, b, c) }.
func addResume(m *wasm.Module) {
	body := new(wasm.Asm)
	for _, name := range []string{"a", "b", "c", "slot"} {
		g := m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))
		m.AddExport(targetPrefix+name, wasm.KindGlobal, g)
		body.U32(wasm.OpGlobalGet, g)
	}
	i32 := wasm.I32
	body.U32(wasm.OpCallIndirect, m.AddType([]wasm.ValType{i32, i32, i32}, []wasm.ValType{i32}), 0).Op(wasm.OpEnd)
	f := m.AddFunc(m.AddType(nil, []wasm.ValType{i32}), nil, body.Bytes())
	m.AddExport(ExportResume, wasm.KindFunc, f)
}
