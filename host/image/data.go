package image

import "github.com/sandboxd/sandboxd/host/wasm"

// addFill turns the active data segments into one passive segment and a function
// that copies its parts to where they belong, whose index it returns. One, because
// the engine looks at every segment for every instance, and CPython has 24 000.
func addFill(m *wasm.Module) uint32 {
	body := new(wasm.Asm)
	var pool []byte
	for _, d := range mergeData(m.Data) {
		offset := d.Offset[:len(d.Offset)-1]                                     // without its end
		body.Raw(offset).I32Const(int32(len(pool))).I32Const(int32(len(d.Init))) //nolint:gosec // a section is shorter than 2 GiB
		body.U32(wasm.OpMemoryInit, 0, 0)
		pool = append(pool, d.Init...)
	}
	m.Data, m.DataCount = []wasm.Data{{Mode: wasm.Passive, Init: pool}}, true
	return m.AddFunc(m.AddType(nil, nil), nil, body.Op(wasm.OpEnd).Bytes())
}

// maxGap is the most zero bytes put between two data segments to make them one.
const maxGap = 64

// mergeData returns the active segments of data, those joined that lie close
// together. Their order is kept unless all are at constant ascending offsets and
// none reaches into the next: then the order of copying does not matter.
func mergeData(data []wasm.Data) []wasm.Data {
	var active, merged []wasm.Data
	for _, d := range data {
		if d.Mode == wasm.Active {
			active = append(active, d)
		}
	}
	end := uint64(0)
	for i, d := range active {
		offset, ok := constant(d.Offset)
		if !ok || offset < end {
			return active
		}
		if gap := offset - end; i > 0 && gap <= maxGap {
			last := &merged[len(merged)-1]
			last.Init = append(append(last.Init, make([]byte, gap)...), d.Init...)
		} else {
			d.Init = append([]byte(nil), d.Init...)
			merged = append(merged, d)
		}
		end = offset + uint64(len(d.Init))
	}
	return merged
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
