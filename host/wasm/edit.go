package wasm

import "slices"

// NumImported returns how many items of a kind are imported; the first item
// that the module defines itself has this index.
func (m *Module) NumImported(kind Kind) uint32 {
	var n uint32
	for i := range m.Imports {
		if m.Imports[i].Kind == kind {
			n++
		}
	}
	return n
}

// NumImportedFuncs returns how many functions are imported. Function i is
// defined by Funcs[i-n] and Code[i-n].
func (m *Module) NumImportedFuncs() uint32 { return m.NumImported(KindFunc) }

// NumFuncs returns how many functions there are, imported or not.
func (m *Module) NumFuncs() uint32 { return m.NumImportedFuncs() + length(m.Funcs) }

// AddType returns the index of a function type, which it adds if the module
// has none like it.
func (m *Module) AddType(params, results []ValType) uint32 {
	for i := range m.Types {
		t := &m.Types[i]
		if t.Rec == 0 && slices.Equal(t.Params, params) && slices.Equal(t.Results, results) {
			return uint32(i) //nolint:gosec // an index of the module
		}
	}
	m.Types = append(m.Types, FuncType{Params: params, Results: results})
	return length(m.Types) - 1
}

// AddFunc adds a function and returns its index. Locals are those beyond the
// parameters; body ends with end.
func (m *Module) AddFunc(typ uint32, locals []ValType, body []byte) uint32 {
	enc := AppendU32(nil, length(locals))
	for i := range locals {
		enc = appendValType(append(enc, 1), &locals[i])
	}
	m.Funcs = append(m.Funcs, typ)
	m.Code = append(m.Code, Code{Locals: enc, NumLocals: length(locals), Body: body})
	return m.NumFuncs() - 1
}

// AddGlobal adds a global and returns its index.
func (m *Module) AddGlobal(typ ValType, mutable bool, init Expr) uint32 {
	m.Globals = append(m.Globals, Global{GlobalType{typ, mutable}, init})
	return m.NumImported(KindGlobal) + length(m.Globals) - 1
}

// AddExport exports an item. The caller sees to it that no other export has
// the same name: [Module.Export] tells.
func (m *Module) AddExport(name string, kind Kind, index uint32) {
	m.Exports = append(m.Exports, Export{name, kind, index})
}

// Export finds an export by name.
func (m *Module) Export(name string) (Export, bool) {
	i := slices.IndexFunc(m.Exports, func(e Export) bool { return e.Name == name })
	if i < 0 {
		return Export{}, false
	}
	return m.Exports[i], true
}

// FuncType returns the type of a function by its index, imported or not.
func (m *Module) FuncType(index uint32) (*FuncType, bool) {
	typ, ok := m.funcTypeIndex(index)
	if !ok || typ >= length(m.Types) {
		return nil, false
	}
	return &m.Types[typ], true
}

func (m *Module) funcTypeIndex(index uint32) (uint32, bool) {
	for i := range m.Imports {
		if m.Imports[i].Kind != KindFunc {
			continue
		}
		if index == 0 {
			return m.Imports[i].Type, true
		}
		index--
	}
	if index >= length(m.Funcs) {
		return 0, false
	}
	return m.Funcs[index], true
}

// StripCustom removes all custom sections: names, debugging information and
// whatever tools left behind. None of it affects execution, and most of it is
// wrong once code has moved.
func (m *Module) StripCustom() { m.Customs = nil }

// RemapFuncs renumbers every reference to a function outside of bodies:
// exports, the start function, element segments and constant expressions.
// Bodies refer to functions with [OpCall], [OpReturnCall] and [OpRefFunc].
// It reports a malformed constant expression as an *[Error] whose offset
// counts from the start of that expression.
func (m *Module) RemapFuncs(remap func(uint32) uint32) error {
	for i := range m.Exports {
		if e := &m.Exports[i]; e.Kind == KindFunc {
			e.Index = remap(e.Index)
		}
	}
	if m.Start != nil {
		start := remap(*m.Start)
		m.Start = &start
	}
	for i := range m.Elems {
		for j, f := range m.Elems[i].Funcs {
			m.Elems[i].Funcs[j] = remap(f)
		}
	}
	for expr := range m.exprs {
		renumbered, err := remapExpr(*expr, remap)
		if err != nil {
			return err
		}
		*expr = renumbered
	}
	return nil
}

// exprs yields everything made of constant expressions that may mention a
// function. Offsets of segments are numbers and cannot.
func (m *Module) exprs(yield func(*[]byte) bool) {
	for i := range m.Tables {
		if !yield((*[]byte)(&m.Tables[i].Init)) {
			return
		}
	}
	for i := range m.Globals {
		if !yield((*[]byte)(&m.Globals[i].Init)) {
			return
		}
	}
	for i := range m.Elems {
		if !yield(&m.Elems[i].Exprs) {
			return
		}
	}
}

// remapExpr renumbers one or several constant expressions. It returns its
// argument if there is nothing to do.
func remapExpr(expr []byte, remap func(uint32) uint32) ([]byte, error) {
	var out []byte
	copied := 0
	r := NewReader(expr, 0)
	for r.Next() {
		if r.Op == OpRefFunc {
			out = append(out, expr[copied:r.Start]...)
			out = append(out, byte(OpRefFunc))
			out = AppendU32(out, remap(uint32(r.A))) //nolint:gosec // read as 32 bits
			copied = r.End
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if copied == 0 {
		return expr, nil
	}
	return append(out, expr[copied:]...), nil
}
