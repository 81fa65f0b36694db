package meter

import (
	"fmt"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// wrapImports adds a wrapper for each imported function, renames imports, and
// imports refuel and amend after them.
func (in *instrumenter) wrapImports(cfg Config) error {
	m := in.m
	var index uint32
	for i := range m.Imports {
		imp := &m.Imports[i]
		if imp.Kind != wasm.KindFunc {
			continue
		}
		var cost Cost
		if cfg.Cost != nil {
			cost = cfg.Cost(imp.Module, imp.Name)
		}
		amend := cfg.Amend != nil && cfg.Amend(imp.Module, imp.Name)
		var bounds []Bound
		if cfg.Bounds != nil {
			bounds = cfg.Bounds(imp.Module, imp.Name)
		}
		if err := in.wrap(imp, index, cost, amend, bounds); err != nil {
			return fmt.Errorf("meter: import %q.%q: %w", imp.Module, imp.Name, err)
		}
		if to, ok := cfg.Rename[Import{imp.Module, imp.Name}]; ok {
			imp.Module, imp.Name = to.Module, to.Name
		}
		index++
	}
	typ := m.AddType([]wasm.ValType{wasm.I64}, []wasm.ValType{wasm.I64})
	m.Imports = append(m.Imports, wasm.Import{
		Module: HostModule, Name: RefuelImport, Kind: wasm.KindFunc, Type: typ,
	})
	if cfg.Amend != nil {
		typ := m.AddType([]wasm.ValType{wasm.I32}, []wasm.ValType{wasm.I32})
		m.Imports = append(m.Imports, wasm.Import{
			Module: HostModule, Name: AmendImport, Kind: wasm.KindFunc, Type: typ,
		})
	}
	return nil
}

// wrap adds the function that stands for an import: it charges, checks, calls it
// unless an argument is out of bounds, and has the host amend its result.
func (in *instrumenter) wrap(imp *wasm.Import, index uint32, cost Cost, amend bool, bounds []Bound) error {
	if uint64(imp.Type) >= uint64(len(in.m.Types)) {
		return fmt.Errorf("has no type")
	}
	params, results := in.m.Types[imp.Type].Params, in.m.Types[imp.Type].Results
	if err := cost.validate(params); err != nil {
		return err
	}
	if amend && (len(results) != 1 || results[0] != wasm.I32) {
		return fmt.Errorf("cannot amend its result, which is not one i32")
	}
	for _, b := range bounds {
		if err := b.validate(&in.m.Types[imp.Type]); err != nil {
			return err
		}
	}
	var a wasm.Asm
	in.charge(&a, cost.Base)
	for _, b := range bounds {
		b.answer(&a)
	}
	if cost.Per > 0 {
		a.U32(wasm.OpGlobalGet, in.fuel)
		a.U32(wasm.OpLocalGet, uint32(cost.Param))                             //nolint:gosec // an index of params
		a.I32Const(int32(cost.Shift)).Op(wasm.OpI32ShrU, wasm.OpI64ExtendI32U) //nolint:gosec // at most 31
		a.I64Const(int64(cost.Per)).Op(wasm.OpI64Mul)                          //nolint:gosec // at most MaxPer
		in.subtract(&a)
	}
	in.check(&a)
	for i := range params {
		a.U32(wasm.OpLocalGet, uint32(i)) //nolint:gosec // an index of params
	}
	a.U32(wasm.OpCall, index)
	var locals []wasm.ValType
	if amend {
		result := uint32(len(params)) //nolint:gosec // few
		locals = []wasm.ValType{wasm.I32}
		a.U32(wasm.OpLocalTee, result).Block(wasm.OpIf, wasm.NoResult)
		a.U32(wasm.OpLocalGet, result).U32(wasm.OpCall, in.amend).U32(wasm.OpLocalSet, result)
		a.Op(wasm.OpEnd).U32(wasm.OpLocalGet, result)
	}
	in.m.AddFunc(imp.Type, locals, a.Op(wasm.OpEnd).Bytes())
	return nil
}

func (c Cost) validate(params []wasm.ValType) error {
	switch {
	case c.Base > MaxBase, c.Per > MaxPer, c.Shift > 31:
		return fmt.Errorf("cost %+v is out of range", c)
	case c.Per > 0 && (c.Param < 0 || c.Param >= len(params) || params[c.Param] != wasm.I32):
		return fmt.Errorf("cost depends on parameter %d, which is not an i32", c.Param)
	default:
		return nil
	}
}

// answer returns from a wrapper if the argument is out of bounds: if it is as far
// above Min as Max is not.
func (b Bound) answer(a *wasm.Asm) {
	a.U32(wasm.OpLocalGet, uint32(b.Param))            //nolint:gosec // an index of params
	a.I32Const(int32(b.Min)).Op(wasm.OpI32Sub)         //nolint:gosec // the same bits
	a.I32Const(int32(b.Max - b.Min)).Op(wasm.OpI32GtU) //nolint:gosec // the same bits
	a.Block(wasm.OpIf, wasm.NoResult).I32Const(b.Answer).Op(wasm.OpReturn, wasm.OpEnd)
}

func (b Bound) validate(t *wasm.FuncType) error {
	if b.Param < 0 || b.Param >= len(t.Params) || t.Params[b.Param] != wasm.I32 {
		return fmt.Errorf("bound on parameter %d, which is not an i32", b.Param)
	}
	if b.Min > b.Max {
		return fmt.Errorf("bound of %d to %d on parameter %d", b.Min, b.Max, b.Param)
	}
	if len(t.Results) != 1 || t.Results[0] != wasm.I32 {
		return fmt.Errorf("bound on a function that does not return one i32")
	}
	return nil
}
