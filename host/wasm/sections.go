package wasm

// The contents of each section but the custom ones.
// See https://webassembly.github.io/spec/core/binary/modules.html

const (
	typeFunc  = 0x60 // starts a function type
	typeRec   = 0x4e // starts a recursion group
	tableInit = 0x40 // starts a table with an initial value
)

func (d *decoder) custom(after Rank) {
	if len(d.m.Customs) == MaxCustoms {
		d.fail(d.pos, "more than %d custom sections", MaxCustoms)
		return
	}
	name := d.name()
	data := d.bytes(uint32(d.end - d.pos)) //nolint:gosec // sections are shorter than 4 GiB
	d.m.Customs = append(d.m.Customs, Custom{Name: name, Data: data, After: after})
}

func (d *decoder) types() {
	n := d.count("types", MaxTypes, 2)
	d.m.Types = make([]FuncType, 0, n)
	for range n {
		if d.pos < d.end && d.buf[d.pos] == typeRec {
			d.pos++
			d.recGroup()
		} else {
			d.m.Types = append(d.m.Types, d.funcType())
		}
		if d.err != nil {
			return
		}
	}
}

func (d *decoder) recGroup() {
	at := d.pos
	n := d.count("types", MaxTypes, 3)
	if len(d.m.Types)+n > MaxTypes {
		d.fail(at, "more than %d types", MaxTypes)
		return
	}
	for i := range n {
		t := d.funcType()
		t.Rec = -1
		if i == 0 {
			t.Rec = int32(n) //nolint:gosec // at most MaxTypes
		}
		d.m.Types = append(d.m.Types, t)
	}
}

func (d *decoder) funcType() FuncType {
	at := d.pos
	if form := d.byte(); form != typeFunc {
		d.fail(at, "unknown type %#x", form)
		return FuncType{}
	}
	return FuncType{
		Params:  vector(d, "parameters", MaxParams, 1, d.valType),
		Results: vector(d, "results", MaxParams, 1, d.valType),
	}
}

func (d *decoder) importDesc() Import {
	imp := Import{Module: d.name(), Name: d.name()}
	at := d.pos
	imp.Kind = Kind(d.byte())
	switch imp.Kind {
	case KindFunc:
		imp.Type = d.u32()
	case KindTable:
		imp.Table = d.table()
		if imp.Table.Init != nil {
			d.fail(at, "imported table with an initial value")
		}
	case KindMemory:
		imp.Memory = d.limits()
	case KindGlobal:
		imp.Global = d.globalType()
	case KindTag:
		imp.Type = d.tag()
	default:
		d.fail(at, "unknown kind of import %#x", byte(imp.Kind))
	}
	return imp
}

func (d *decoder) table() Table {
	hasInit := d.pos < d.end && d.buf[d.pos] == tableInit
	if hasInit {
		d.pos++
		at := d.pos
		if d.byte() != 0 {
			d.fail(at, "reserved byte of a table is not zero")
			return Table{}
		}
	}
	t := Table{Type: d.refType(), Limits: d.limits()}
	if hasInit {
		t.Init = d.expr()
	}
	return t
}

func (d *decoder) tag() uint32 {
	at := d.pos
	if attr := d.byte(); attr != 0 {
		d.fail(at, "unknown tag attribute %#x", attr)
		return 0
	}
	return d.u32()
}

func (d *decoder) globalType() GlobalType {
	t := d.valType()
	at := d.pos
	mut := d.byte()
	if mut > 1 {
		d.fail(at, "unknown mutability %#x", mut)
	}
	return GlobalType{Type: t, Mutable: mut == 1}
}

func (d *decoder) global() Global {
	return Global{GlobalType: d.globalType(), Init: d.expr()}
}

func (d *decoder) export() Export {
	e := Export{Name: d.name()}
	at := d.pos
	e.Kind = Kind(d.byte())
	if e.Kind > KindTag {
		d.fail(at, "unknown kind of export %#x", byte(e.Kind))
	}
	e.Index = d.u32()
	return e
}

// Bits of the flags of an element segment.
const (
	elemNotActive = 1 // passive or, with elemExplicit, declarative
	elemExplicit  = 2 // names its table, if active
	elemExprs     = 4 // holds expressions, not function indices
)

func (d *decoder) elem() Elem {
	at := d.pos
	flags := d.u32()
	if flags > 7 {
		d.fail(at, "unknown element segment %#x", flags)
		return Elem{}
	}
	e := Elem{Type: FuncRef}
	switch {
	case flags&elemNotActive == 0:
		if flags&elemExplicit != 0 {
			e.Table = d.u32()
		}
		e.Offset = d.expr()
	case flags&elemExplicit != 0:
		e.Mode = Declarative
	default:
		e.Mode = Passive
	}
	if flags&(elemNotActive|elemExplicit) != 0 {
		d.elemType(&e, flags)
	}
	if flags&elemExprs == 0 {
		e.Funcs = vector(d, "elements", MaxElems, 1, d.u32)
		return e
	}
	e.Count = uint32(d.count("elements", MaxElems, 2)) //nolint:gosec // at most MaxElems
	start := d.pos
	for range e.Count {
		if d.err != nil {
			return Elem{}
		}
		d.expr()
	}
	e.Exprs = d.buf[start:d.pos:d.pos]
	return e
}

func (d *decoder) elemType(e *Elem, flags uint32) {
	if flags&elemExprs != 0 {
		e.Type = d.refType()
		return
	}
	at := d.pos
	if kind := d.byte(); kind != 0 {
		d.fail(at, "unknown element kind %#x", kind)
	}
}

func (d *decoder) dataCount() {
	d.m.DataCount = true
	d.dataCountAt = d.pos
	d.announced = d.u32()
}

func (d *decoder) data() Data {
	at := d.pos
	flags := d.u32()
	var seg Data
	switch flags {
	case 0:
		seg.Offset = d.expr()
	case 1:
		seg.Mode = Passive
	case 2:
		if d.u32() != 0 {
			d.fail(at, "data segment of another memory than the first")
		}
		seg.Offset = d.expr()
	default:
		d.fail(at, "unknown data segment %#x", flags)
	}
	seg.Init = d.bytes(d.u32())
	return seg
}

func (d *decoder) code() Code {
	at := d.pos
	size := d.u32()
	if size > MaxBodySize {
		d.fail(at, "function of %d bytes, at most %d are allowed", size, MaxBodySize)
		return Code{}
	}
	if uint64(size) > uint64(d.end-d.pos) { //nolint:gosec // not negative
		d.fail(at, "function is longer than its section")
		return Code{}
	}
	outer := d.end
	d.end = d.pos + int(size)
	start := d.pos
	locals := d.locals()
	code := Code{Locals: d.buf[start:d.pos:d.pos], NumLocals: locals, Offset: d.pos}
	code.Body = d.bytes(uint32(d.end - d.pos)) //nolint:gosec // at most MaxBodySize
	if n := len(code.Body); d.err == nil && (n == 0 || code.Body[n-1] != byte(OpEnd)) {
		d.fail(d.pos, "function does not end with end")
	}
	d.end = outer
	return code
}

// locals reads local declarations and returns how many locals they make.
func (d *decoder) locals() uint32 {
	at := d.pos
	var sum uint64
	for range d.count("local declarations", MaxLocals, 2) {
		sum += uint64(d.u32())
		d.valType()
		if d.err != nil {
			return 0
		}
	}
	if sum > MaxLocals {
		d.fail(at, "%d locals, at most %d are allowed", sum, MaxLocals)
		return 0
	}
	return uint32(sum) //nolint:gosec // at most MaxLocals
}
