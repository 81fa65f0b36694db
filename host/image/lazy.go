package image

import (
	"bytes"
	"slices"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// lazyTable makes the function table fill itself as it is used. The engine
// evaluates an expression and allocates an object for every element of a table
// each time it makes an instance: 5 900 of them for CPython, which took most of
// the time that making an instance took, while a small program calls some 200.
//
// The table starts with one stub for every signature in place of all functions
// that have it, and every indirect call first leaves the slot that it calls in a
// global. A stub that is called puts the function that belongs there into that
// slot and calls it. Since a stub has the signature of what it stands for, calls
// with a wrong signature trap as before, and so do empty slots, which stay empty.
//
// Fuel and the results of every call stay the same: this comes after metering,
// and a guest cannot see its table other than by calling. A module that could,
// or whose elements are not plain functions at constant places, is left alone.
func lazyTable(m *wasm.Module) {
	slots := lazySlots(m)
	if slots == nil {
		return
	}
	l := &lazy{m: m, slots: slots, slot: m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))}
	l.noteCalls()
	l.addFill()
	l.addStubs()
	l.addSetup()
	l.declare()
}

// lazy is a function table being rewritten.
type lazy struct {
	m     *wasm.Module
	slots []int64  // the function in each slot, or empty
	slot  uint32   // the global that holds the slot last called
	fill  uint32   // the function that puts the real one into a slot
	kinds []uint32 // the signatures in the table, as types
	stubs []uint32 // the stub of each
}

// empty marks a slot without a function.
const empty = -1

// lazySlots returns what the function table holds, or nil if the module is to be
// left alone.
func lazySlots(m *wasm.Module) []int64 {
	if m.Tables[0].Type != wasm.FuncRef || m.Tables[0].Init != nil || readsTable(m) {
		return nil
	}
	var slots []int64
	for i := range m.Elems {
		e := &m.Elems[i]
		offset, ok := constant(e.Offset)
		if e.Mode != wasm.Active || e.Table != 0 || e.Exprs != nil || !ok ||
			offset+uint64(len(e.Funcs)) > uint64(m.Tables[0].Min) {
			return nil
		}
		for len(slots) < int(offset)+len(e.Funcs) { //nolint:gosec // within the table
			slots = append(slots, empty)
		}
		for j, f := range e.Funcs {
			slots[int(offset)+j] = int64(f) //nolint:gosec // within the table
		}
	}
	return slots
}

// readsTable says whether the module's code takes references out of a table,
// where it could tell a stub from a function.
func readsTable(m *wasm.Module) bool {
	for i := range m.Code {
		r := wasm.NewReader(m.Code[i].Body, m.Code[i].Offset)
		for r.Next() {
			if r.Op == wasm.OpTableGet {
				return true
			}
		}
	}
	return false
}

// noteCalls makes every indirect call through the table leave its slot in the
// global. To the engine, setting a global and getting it is one store.
func (l *lazy) noteCalls() {
	out := new(wasm.Asm)
	for i := range l.m.Code {
		body := l.m.Code[i].Body
		out.Reset()
		copied := 0
		r := wasm.NewReader(body, 0)
		for r.Next() {
			if (r.Op == wasm.OpCallIndirect || r.Op == wasm.OpReturnCallIndirect) && r.B == 0 {
				out.Raw(body[copied:r.Start]).U32(wasm.OpGlobalSet, l.slot).U32(wasm.OpGlobalGet, l.slot)
				copied = r.Start
			}
		}
		if copied > 0 {
			l.m.Code[i].Body = bytes.Clone(out.Raw(body[copied:]).Bytes())
		}
	}
}

// groupSize is how many slots one function fills. The engine's compiler takes more
// than linear time over one function with thousands of branches.
const (
	groupShift = 6
	groupSize  = 1 << groupShift
)

// addFill adds: func(slot i32), which puts the right function into a slot.
func (l *lazy) addFill() {
	typ := l.m.AddType([]wasm.ValType{wasm.I32}, nil)
	var groups []uint32
	for first := 0; first < len(l.slots); first += groupSize {
		group := l.slots[first:min(first+groupSize, len(l.slots))]
		body := new(wasm.Asm)
		dispatch(body, len(group), func() {
			body.U32(wasm.OpLocalGet, 0).I32Const(int32(first)).Op(wasm.OpI32Sub) //nolint:gosec // a slot
		}, func(i int) {
			if group[i] != empty {
				body.I32Const(int32(first+i)).U32(wasm.OpRefFunc, uint32(group[i])).U32(wasm.OpTableSet, 0) //nolint:gosec // a slot and a function
			}
		})
		groups = append(groups, l.m.AddFunc(typ, nil, body.Bytes()))
	}
	body := new(wasm.Asm)
	dispatch(body, len(groups), func() {
		body.U32(wasm.OpLocalGet, 0).I32Const(groupShift).Op(wasm.OpI32ShrU)
	}, func(i int) {
		body.U32(wasm.OpLocalGet, 0).U32(wasm.OpCall, groups[i])
	})
	l.fill = l.m.AddFunc(typ, nil, body.Bytes())
}

// dispatch appends a whole body: the arm that index selects, or nothing.
func dispatch(a *wasm.Asm, n int, index func(), arm func(i int)) {
	for range n + 1 {
		a.Block(wasm.OpBlock, wasm.NoResult)
	}
	index()
	labels := []uint32{uint32(n)} //nolint:gosec // few
	for i := range n + 1 {
		labels = append(labels, uint32(i)) //nolint:gosec // few
	}
	a.U32(wasm.OpBrTable, labels...)
	for i := range n {
		a.Op(wasm.OpEnd)
		arm(i)
		a.Op(wasm.OpReturn)
	}
	a.Op(wasm.OpEnd, wasm.OpEnd)
}

// addStubs adds a function for each signature in the table that fills in the
// slot just called and calls it again.
func (l *lazy) addStubs() {
	for _, f := range l.slots {
		if f == empty {
			continue
		}
		t := l.typeOf(f)
		if slices.Contains(l.kinds, t) {
			continue
		}
		l.kinds = append(l.kinds, t)
		params := uint32(len(l.m.Types[t].Params)) //nolint:gosec // few
		body := new(wasm.Asm).
			U32(wasm.OpGlobalGet, l.slot).U32(wasm.OpLocalTee, params).U32(wasm.OpCall, l.fill)
		for p := range params {
			body.U32(wasm.OpLocalGet, p)
		}
		body.U32(wasm.OpLocalGet, params).U32(wasm.OpCallIndirect, t, 0).Op(wasm.OpEnd)
		l.stubs = append(l.stubs, l.m.AddFunc(t, []wasm.ValType{wasm.I32}, body.Bytes()))
	}
}

// typeOf returns the first type with a function's signature.
func (l *lazy) typeOf(f int64) uint32 {
	t, _ := l.m.FuncType(uint32(f)) //nolint:gosec // an index
	return l.m.AddType(t.Params, t.Results)
}

// addSetup adds the start function, which puts the stubs into their slots.
func (l *lazy) addSetup() {
	body := new(wasm.Asm)
	locals := make([]wasm.ValType, len(l.stubs))
	for i, stub := range l.stubs {
		locals[i] = wasm.FuncRef
		body.U32(wasm.OpRefFunc, stub).U32(wasm.OpLocalSet, uint32(i)) //nolint:gosec // few
	}
	for slot, f := range l.slots {
		if f != empty {
			kind := slices.Index(l.kinds, l.typeOf(f))
			body.I32Const(int32(slot)).U32(wasm.OpLocalGet, uint32(kind)).U32(wasm.OpTableSet, 0) //nolint:gosec // few
		}
	}
	setup := l.m.AddFunc(l.m.AddType(nil, nil), locals, body.Op(wasm.OpEnd).Bytes())
	l.m.Start = &setup
}

// declare replaces the element segments by one that only declares what ref.func
// may name.
func (l *lazy) declare() {
	named := slices.Clone(l.stubs)
	for _, f := range l.slots {
		if f != empty {
			named = append(named, uint32(f)) //nolint:gosec // an index
		}
	}
	slices.Sort(named)
	l.m.Elems = []wasm.Elem{{Mode: wasm.Declarative, Type: wasm.FuncRef, Funcs: slices.Compact(named)}}
}
