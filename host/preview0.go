package host

import (
	"context"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// Modules from before 2020 import WASI from wasi_unstable. Most of its functions are
// those of preview 1 under another name; the rest get code of the module's own that
// translates. What a guest can do with them is what it can do with preview 1.
//
// See https://github.com/WebAssembly/WASI/tree/main/legacy/preview0

const preview0Namespace = "wasi_unstable"

// preview0 are the functions that no code of the module's can translate.
var preview0 = []hostFunction{
	{
		module: preview0Namespace, name: "poll_oneoff", params: "iiii", results: "i", call: pollPreview0,
		cost: pollCost,
	},
}

// preview0Calls make, of a function's arguments, a call of the function of preview 1.
var preview0Calls = map[string]func(call uint32) ([]wasm.ValType, []byte){
	"fd_seek":           translateSeek,
	"fd_filestat_get":   func(call uint32) ([]wasm.ValType, []byte) { return translateStat(call, 2) },
	"path_filestat_get": func(call uint32) ([]wasm.ValType, []byte) { return translateStat(call, 5) },
}

// fromPreview0 makes a module that imports WASI's preview 0 one that imports
// preview 1. Other modules stay as they are.
func fromPreview0(m *wasm.Module) error {
	translated := map[uint32]uint32{}
	bodies := len(m.Code)
	for i := range m.Imports {
		imp := &m.Imports[i]
		if imp.Module != preview0Namespace || imp.Kind != wasm.KindFunc || imp.Name == "poll_oneoff" {
			continue
		}
		imp.Module = wasiNamespace
		f := functionIndex(m, i)
		if translate := preview0Calls[imp.Name]; translate != nil {
			locals, body := translate(f)
			translated[f] = m.AddFunc(imp.Type, locals, body)
		}
	}
	if len(translated) == 0 {
		return nil
	}
	redirect := func(f uint32) uint32 {
		if to, ok := translated[f]; ok {
			return to
		}
		return f
	}
	for i := range m.Code[:bodies] {
		body, err := redirectCalls(&m.Code[i], redirect)
		if err != nil {
			return err
		}
		m.Code[i].Body = body
	}
	return m.RemapFuncs(redirect)
}

// functionIndex is the index of a function by that of its import.
func functionIndex(m *wasm.Module, imported int) uint32 {
	var n uint32
	for i := range imported {
		if m.Imports[i].Kind == wasm.KindFunc {
			n++
		}
	}
	return n
}

// redirectCalls changes which functions a body calls.
func redirectCalls(c *wasm.Code, redirect func(uint32) uint32) ([]byte, error) {
	var out wasm.Asm
	copied := 0
	r := wasm.NewReader(c.Body, c.Offset)
	for r.Next() {
		if r.Op != wasm.OpCall && r.Op != wasm.OpReturnCall && r.Op != wasm.OpRefFunc {
			continue
		}
		f := uint32(r.A) //nolint:gosec // read as 32 bits
		if to := redirect(f); to != f {
			out.Raw(c.Body[copied:r.Start]).U32(r.Op, to)
			copied = r.End
		}
	}
	if err := r.Err(); err != nil || copied == 0 {
		return c.Body, err
	}
	return out.Raw(c.Body[copied:]).Bytes(), nil
}

// translateSeek turns whence, which counts from the present place, the end and the
// beginning in this order, into that of preview 1, where the beginning is first.
func translateSeek(call uint32) ([]wasm.ValType, []byte) {
	a := new(wasm.Asm).U32(wasm.OpLocalGet, 0).U32(wasm.OpLocalGet, 1)
	a.I32Const(0).U32(wasm.OpLocalGet, 2).I32Const(1).Op(wasm.OpI32Add)
	a.U32(wasm.OpLocalGet, 2).I32Const(2).Op(wasm.OpI32Eq, wasm.OpSelect)
	return nil, a.U32(wasm.OpLocalGet, 3).U32(wasm.OpCall, call).Op(wasm.OpEnd).Bytes()
}

// translateStat moves the fields of a file's status to where preview 0 has them: its
// link count has 32 bits. What lies behind the shorter record is put back. params
// is how many parameters the function has, the last of which says where the record
// goes.
func translateStat(call uint32, params uint32) ([]wasm.ValType, []byte) {
	record, errno, behind := params-1, params, params+1
	a := new(wasm.Asm)
	a.U32(wasm.OpLocalGet, record).U32(wasm.OpI64Load, 0, 56).U32(wasm.OpLocalSet, behind)
	for p := range params {
		a.U32(wasm.OpLocalGet, p)
	}
	a.U32(wasm.OpCall, call).U32(wasm.OpLocalTee, errno)
	a.Op(wasm.OpI32Eqz).Block(wasm.OpIf, wasm.NoResult)
	a.U32(wasm.OpLocalGet, record).U32(wasm.OpLocalGet, record).U32(wasm.OpI32Load, 0, 24).U32(wasm.OpI32Store, 0, 20)
	for to := uint32(24); to < 56; to += 8 {
		a.U32(wasm.OpLocalGet, record).U32(wasm.OpLocalGet, record).U32(wasm.OpI64Load, 0, to+8).U32(wasm.OpI64Store, 0, to)
	}
	a.U32(wasm.OpLocalGet, record).U32(wasm.OpLocalGet, behind).U32(wasm.OpI64Store, 0, 56)
	a.Op(wasm.OpEnd).U32(wasm.OpLocalGet, errno).Op(wasm.OpEnd)
	return []wasm.ValType{wasm.I32, wasm.I64}, a.Bytes()
}

// preview0Subscription is the size of preview 0's record: a clock has an identifier
// more, in front.
const preview0Subscription = 56

// pollPreview0 is pollOneoff for the older record. It is bounded as that is.
func pollPreview0(ctx context.Context, in *instance, stack []uint64) {
	newer := func(b []byte) []byte {
		record := make([]byte, subscriptionSize)
		copy(record, b[:16])
		copy(record[16:], b[24:preview0Subscription])
		return record
	}
	stack[0] = pollRecords(ctx, in, preview0Subscription, newer,
		uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3])) //nolint:gosec // wasm i32
}
