package image

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// Names of what [Rewrite] exports. A guest cannot import its own exports, and
// metering refuses modules that use the prefix.
const (
	// ExportStart fills linear memory and enters the module for the first time.
	ExportStart = "sandboxd:start"
	// ExportResume enters a restored instance; see [Target].
	ExportResume = "sandboxd:resume"

	globalPrefix = "sandboxd:global:"
	targetPrefix = "sandboxd:target:"
)

// ErrUnsupported means that instances of a module cannot be restored from an
// image, because it keeps state where an image does not reach.
var ErrUnsupported = errors.New("module cannot be snapshotted")

// Rewrite changes m so that one compiled module serves both to warm up an
// instance and to start others from the image of the first:
//
//   - active data segments become passive, and a function copies them: an
//     instance restored from an image gets its memory from there;
//   - every mutable global is exported, so that the host can read and set it;
//   - ExportStart copies the data and calls the function exported as entry;
//   - ExportResume calls a function of the function table with three i32, all of
//     which come from exported globals: the way back into an interpreter that
//     exports nothing but its start.
//
// skip names an exported mutable global that belongs to the host and is no part
// of an image: the fuel counter. A module that writes its tables, drops or
// itself copies data segments, has a start function, or has mutable globals of
// reference or vector type is [ErrUnsupported], and m is unchanged.
func Rewrite(m *wasm.Module, entry, skip string) error {
	start, ok := m.Export(entry)
	if !ok || start.Kind != wasm.KindFunc {
		return fmt.Errorf("rewrite for snapshots: no exported function %q", entry)
	}
	if err := supported(m); err != nil {
		return err
	}
	skipped, ok := m.Export(skip)
	if !ok {
		return fmt.Errorf("rewrite for snapshots: no exported global %q", skip)
	}
	exportGlobals(m, skipped.Index)
	addStart(m, start.Index)
	addResume(m)
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

// addStart moves the active data segments into a function that ends by calling
// the module's own entry.
func addStart(m *wasm.Module, entry uint32) {
	body := new(wasm.Asm)
	for i := range m.Data {
		d := &m.Data[i]
		if d.Mode != wasm.Active {
			continue
		}
		offset := d.Offset[:len(d.Offset)-1]                      // without its end
		body.Raw(offset).I32Const(0).I32Const(int32(len(d.Init))) //nolint:gosec // a section is shorter than 2 GiB
		body.U32(wasm.OpMemoryInit, uint32(i), 0)                 //nolint:gosec // few
		d.Mode, d.Offset = wasm.Passive, nil
	}
	m.DataCount = true
	body.U32(wasm.OpCall, entry).Op(wasm.OpEnd)
	f := m.AddFunc(m.AddType(nil, nil), nil, body.Bytes())
	m.AddExport(ExportStart, wasm.KindFunc, f)
}

// maxGap is the most zero bytes put between two data segments to make them one.
const maxGap = 1 << 10

// mergeData joins data segments that lie close together. The engine looks at
// every segment for every instance, and CPython has 24 000 of them. Segments are
// left alone unless all are active, at constant ascending offsets, and none
// reaches into the next: then the order of copying does not matter.
func mergeData(m *wasm.Module) {
	offsets := make([]uint64, len(m.Data))
	end := uint64(0)
	for i := range m.Data {
		offset, ok := constant(m.Data[i].Offset)
		if m.Data[i].Mode != wasm.Active || !ok || offset < end {
			return
		}
		offsets[i], end = offset, offset+uint64(len(m.Data[i].Init))
	}
	var merged []wasm.Data
	for i := range m.Data {
		if n := len(merged); n > 0 {
			last := &merged[n-1]
			start, _ := constant(last.Offset)
			if gap := offsets[i] - start - uint64(len(last.Init)); gap <= maxGap {
				last.Init = append(last.Init, make([]byte, gap)...)
				last.Init = append(last.Init, m.Data[i].Init...)
				continue
			}
		}
		d := m.Data[i]
		d.Init = append([]byte(nil), d.Init...)
		merged = append(merged, d)
	}
	m.Data = merged
}

// constant is the value of a constant expression that is one i32.const.
func constant(e wasm.Expr) (uint64, bool) {
	r := wasm.NewReader(e, 0)
	if !r.Next() || r.Op != wasm.OpI32Const {
		return 0, false
	}
	value := uint64(uint32(r.A)) //nolint:gosec // an i32, as an address
	return value, r.Next() && r.Op == wasm.OpEnd
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
