package wasm

// Encode returns the module in binary form. Numbers are written in as few
// bytes as possible and empty sections left out, so that decoding and encoding
// again changes nothing.
func (m *Module) Encode() []byte {
	return m.AppendTo(make([]byte, 0, m.sizeHint()))
}

// sizeHint is a little more than the length of the binary form.
func (m *Module) sizeHint() int {
	const perItem, perName = 16, 32
	n := 1024 + perItem*(len(m.Types)+len(m.Funcs)+len(m.Globals)+len(m.Elems)+len(m.Tags)) +
		perName*(len(m.Imports)+len(m.Exports))
	for i := range m.Code {
		n += len(m.Code[i].Locals) + len(m.Code[i].Body) + 5
	}
	for i := range m.Data {
		n += len(m.Data[i].Init) + perItem
	}
	for i := range m.Elems {
		n += 3*len(m.Elems[i].Funcs) + len(m.Elems[i].Exprs)
	}
	for i := range m.Customs {
		n += len(m.Customs[i].Data) + perName
	}
	return n
}

// AppendTo appends the binary form of the module to b.
func (m *Module) AppendTo(b []byte) []byte {
	b = append(b, header...)
	for rank, id := range sections {
		if rank > 0 {
			b = m.appendSection(b, id)
		}
		for i := range m.Customs {
			if int(m.Customs[i].After) == rank {
				b = m.Customs[i].append(b)
			}
		}
	}
	return b
}

func (c *Custom) append(b []byte) []byte {
	return section(b, secCustom, func(b []byte) []byte {
		return append(AppendName(b, c.Name), c.Data...)
	})
}

func (m *Module) appendSection(b []byte, id byte) []byte {
	switch id {
	case secType:
		if len(m.Types) == 0 {
			return b
		}
		return section(b, id, m.appendTypes)
	case secImport:
		return list(b, id, m.Imports, appendImport)
	case secFunc:
		return list(b, id, m.Funcs, appendIndex)
	case secTable:
		return list(b, id, m.Tables, appendTable)
	case secMemory:
		return list(b, id, m.Memories, appendLimits)
	case secTag:
		return list(b, id, m.Tags, appendTag)
	case secGlobal:
		return list(b, id, m.Globals, appendGlobal)
	case secExport:
		return list(b, id, m.Exports, appendExport)
	case secStart:
		if m.Start == nil {
			return b
		}
		return section(b, id, func(b []byte) []byte { return AppendU32(b, *m.Start) })
	case secElem:
		return list(b, id, m.Elems, appendElem)
	case secDataCount:
		if !m.DataCount {
			return b
		}
		return section(b, id, func(b []byte) []byte { return AppendU32(b, length(m.Data)) })
	case secCode:
		return list(b, id, m.Code, appendCode)
	default: // secData
		return list(b, id, m.Data, appendData)
	}
}

// length returns the length of s as the format counts: no vector that could
// be decoded, or fits in memory, has 1<<32 elements.
func length[T any](s []T) uint32 {
	return uint32(len(s)) //nolint:gosec // see above
}

// section appends a section. Its size is written after its content, in the
// five bytes kept for it, and the content is then moved down: sections are
// large, and this way nothing is built twice.
func section(b []byte, id byte, content func([]byte) []byte) []byte {
	const room = 5
	start := len(b)
	b = append(b, id, 0, 0, 0, 0, 0)
	b = content(b)
	body := b[start+1+room:]
	size := AppendU32(make([]byte, 0, room), length(body))
	copy(b[start+1:], size)
	copy(b[start+1+len(size):], body)
	return b[:len(b)-(room-len(size))]
}

// list appends a section that is a vector of items, unless it is empty.
func list[T any](b []byte, id byte, items []T, item func([]byte, *T) []byte) []byte {
	if len(items) == 0 {
		return b
	}
	return section(b, id, func(b []byte) []byte {
		return appendVector(b, items, item)
	})
}

func appendVector[T any](b []byte, items []T, item func([]byte, *T) []byte) []byte {
	b = AppendU32(b, length(items))
	for i := range items {
		b = item(b, &items[i])
	}
	return b
}

// appendTypes appends the type section, in which a recursion group counts as
// one entry.
func (m *Module) appendTypes(b []byte) []byte {
	var n uint32
	for i := range m.Types {
		if m.Types[i].Rec >= 0 {
			n++
		}
	}
	b = AppendU32(b, n)
	for i := range m.Types {
		t := &m.Types[i]
		if t.Rec > 0 {
			b = append(b, typeRec)
			b = AppendU32(b, uint32(t.Rec)) //nolint:gosec // positive
		}
		b = append(b, typeFunc)
		b = appendVector(b, t.Params, appendValType)
		b = appendVector(b, t.Results, appendValType)
	}
	return b
}

func appendIndex(b []byte, v *uint32) []byte { return AppendU32(b, *v) }

func appendTag(b []byte, v *uint32) []byte { return AppendU32(append(b, 0), *v) }

func appendValType(b []byte, t *ValType) []byte {
	b = append(b, byte(*t)) //nolint:gosec // the low byte is the code
	if k := *t & 0xff; k == RefNull || k == Ref {
		b = AppendS32(b, int32(*t)>>8) //nolint:gosec // a signed 24-bit number
	}
	return b
}

func appendImport(b []byte, imp *Import) []byte {
	b = AppendName(b, imp.Module)
	b = AppendName(b, imp.Name)
	b = append(b, byte(imp.Kind))
	switch imp.Kind {
	case KindFunc:
		return AppendU32(b, imp.Type)
	case KindTable:
		return appendTable(b, &imp.Table)
	case KindMemory:
		return appendLimits(b, &imp.Memory)
	case KindGlobal:
		return appendGlobalType(b, imp.Global)
	default: // KindTag
		return appendTag(b, &imp.Type)
	}
}

func appendLimits(b []byte, l *Limits) []byte {
	if !l.HasMax {
		return AppendU32(append(b, 0), l.Min)
	}
	return AppendU32(AppendU32(append(b, 1), l.Min), l.Max)
}

func appendTable(b []byte, t *Table) []byte {
	if t.Init != nil {
		b = append(b, tableInit, 0)
	}
	b = appendValType(b, &t.Type)
	b = appendLimits(b, &t.Limits)
	return append(b, t.Init...)
}

func appendGlobalType(b []byte, g GlobalType) []byte {
	b = appendValType(b, &g.Type)
	if g.Mutable {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendGlobal(b []byte, g *Global) []byte {
	return append(appendGlobalType(b, g.GlobalType), g.Init...)
}

func appendExport(b []byte, e *Export) []byte {
	return AppendU32(append(AppendName(b, e.Name), byte(e.Kind)), e.Index)
}

func appendElem(b []byte, e *Elem) []byte {
	var flags byte
	switch {
	case e.Mode == Passive:
		flags = elemNotActive
	case e.Mode == Declarative:
		flags = elemNotActive | elemExplicit
	case e.Table != 0 || e.Type != FuncRef:
		flags = elemExplicit
	}
	if e.Exprs != nil {
		flags |= elemExprs
	}
	b = append(b, flags)
	if e.Mode == Active {
		if flags&elemExplicit != 0 {
			b = AppendU32(b, e.Table)
		}
		b = append(b, e.Offset...)
	}
	if e.Exprs != nil {
		if flags != elemExprs {
			b = appendValType(b, &e.Type)
		}
		return append(AppendU32(b, e.Count), e.Exprs...)
	}
	if flags != 0 {
		b = append(b, 0)
	}
	return appendVector(b, e.Funcs, appendIndex)
}

func appendCode(b []byte, c *Code) []byte {
	b = AppendU32(b, length(c.Locals)+length(c.Body))
	return append(append(b, c.Locals...), c.Body...)
}

func appendData(b []byte, d *Data) []byte {
	if d.Mode == Active {
		b = append(append(b, 0), d.Offset...)
	} else {
		b = append(b, 1)
	}
	return append(AppendU32(b, length(d.Init)), d.Init...)
}
