package meter

import (
	"fmt"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// wrapImports adds a wrapper for each imported function, renames imports, and
// imports refuel after them.
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
		if err := in.wrap(imp, index, cost); err != nil {
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
	return nil
}

// wrap adds the function that stands for an import: it charges, checks, and
// calls it.
func (in *instrumenter) wrap(imp *wasm.Import, index uint32, cost Cost) error {
	if uint64(imp.Type) >= uint64(len(in.m.Types)) {
		return fmt.Errorf("has no type")
	}
	params := in.m.Types[imp.Type].Params
	if err := cost.validate(params); err != nil {
		return err
	}
	var a wasm.Asm
	in.charge(&a, cost.Base)
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
	a.U32(wasm.OpCall, index).Op(wasm.OpEnd)
	in.m.AddFunc(imp.Type, nil, a.Bytes())
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
