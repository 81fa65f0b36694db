package wasm

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Section identifiers, in the order the specification numbers them.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunc      = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElem      = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
	secTag       = 13
)

// sections lists the identifiers in the order sections must appear in; the
// place of a section in it is its [Rank]. Constant after initialisation.
var sections = [...]byte{
	secCustom, secType, secImport, secFunc, secTable, secMemory, secTag, secGlobal,
	secExport, secStart, secElem, secDataCount, secCode, secData,
}

// header is the magic number and the version of the binary format.
const header = "\x00asm\x01\x00\x00\x00"

// Decode reads a module. The result refers to bin, which must not be changed
// while it is in use. An error is an *[Error].
//
// Function bodies are delimited but not read: use a [Reader].
func Decode(bin []byte) (*Module, error) {
	d := decoder{cursor: cursor{buf: bin, end: len(bin)}, m: &Module{}}
	d.module()
	if d.err != nil {
		return nil, d.err
	}
	return d.m, nil
}

// cursor reads primitive values from buf up to end. After an error it reads
// zeros, so that callers may check once at the end of a loop.
type cursor struct {
	buf []byte
	pos int
	end int
	err *Error
}

func (c *cursor) fail(pos int, format string, args ...any) {
	if c.err == nil {
		c.err = &Error{Offset: pos, Msg: fmt.Sprintf(format, args...)}
	}
	c.pos = c.end
}

func (c *cursor) byte() byte {
	if c.pos >= c.end {
		c.fail(c.pos, "unexpected end")
		return 0
	}
	c.pos++
	return c.buf[c.pos-1]
}

func (c *cursor) u32() uint32 {
	v, n := uleb(c.buf[c.pos:c.end])
	if n == 0 {
		c.fail(c.pos, "bad unsigned number")
		return 0
	}
	c.pos += n
	return v
}

// bytes returns the next n bytes, without copying them and without room to
// append.
func (c *cursor) bytes(n uint32) []byte {
	if uint64(n) > uint64(c.end-c.pos) { //nolint:gosec // not negative
		c.fail(c.pos, "%d bytes announced, %d left", n, c.end-c.pos)
		return nil
	}
	c.pos += int(n)
	return slices.Clip(c.buf[c.pos-int(n) : c.pos])
}

// count reads the length of a vector whose elements take at least size bytes.
func (c *cursor) count(what string, limit, size int) int {
	at := c.pos
	n := uint64(c.u32())
	if n > uint64(limit) { //nolint:gosec // not negative
		c.fail(at, "%d %s, at most %d are allowed", n, what, limit)
		return 0
	}
	if n > uint64((c.end-c.pos)/size) { //nolint:gosec // not negative
		c.fail(at, "%d %s do not fit in the %d bytes left", n, what, c.end-c.pos)
		return 0
	}
	return int(n) //nolint:gosec // at most limit
}

func (c *cursor) name() string {
	at := c.pos
	n := c.u32()
	if n > maxNameBytes {
		c.fail(at, "name of %d bytes, at most %d are allowed", n, maxNameBytes)
		return ""
	}
	b := c.bytes(n)
	if !utf8.Valid(b) {
		c.fail(at, "name is not UTF-8")
		return ""
	}
	return string(b)
}

func (c *cursor) valType() ValType {
	at := c.pos
	t := ValType(c.byte())
	if c.err != nil || t.plain() {
		return t
	}
	if t != RefNull && t != Ref {
		c.fail(at, "unknown value type %#x", uint32(t))
		return 0
	}
	heap, n := sleb(c.buf[c.pos:c.end], 33)
	if n == 0 || heap < -64 || heap >= MaxTypes {
		c.fail(at, "bad reference type")
		return 0
	}
	c.pos += n
	return t | ValType(heap&0xffffff)<<8 //nolint:gosec // 24 bits
}

func (c *cursor) refType() ValType {
	at := c.pos
	t := c.valType()
	if c.err == nil && !t.IsRef() {
		c.fail(at, "%#x is not a reference type", uint32(t))
	}
	return t
}

func (c *cursor) limits() Limits {
	at := c.pos
	switch flag := c.byte(); flag {
	case 0:
		return Limits{Min: c.u32()}
	case 1:
		return Limits{Min: c.u32(), Max: c.u32(), HasMax: true}
	case 2, 3:
		c.fail(at, "shared memory is not supported")
		if c.err.Offset == at {
			c.err.kind = ErrShared
		}
	default:
		c.fail(at, "unknown limits %#x", flag)
	}
	return Limits{}
}

// expr reads a constant expression, up to its end.
func (c *cursor) expr() Expr {
	r := NewReader(c.buf[c.pos:c.end], c.pos)
	for r.Next() {
		switch r.Op {
		case OpEnd:
			e := c.buf[c.pos : c.pos+r.End : c.pos+r.End]
			c.pos += r.End
			return e
		case OpI32Const, OpI64Const, OpF32Const, OpF64Const, OpV128Const,
			OpGlobalGet, OpRefNull, OpRefFunc,
			OpI32Add, OpI32Sub, OpI32Mul, OpI64Add, OpI64Sub, OpI64Mul:
		default:
			c.fail(c.pos+r.Start, "instruction %#x in a constant expression", uint16(r.Op))
			return nil
		}
	}
	if c.err == nil && r.err != nil {
		c.err = r.err
	}
	c.fail(c.pos, "constant expression without end")
	return nil
}

type decoder struct {
	cursor
	m *Module
	// announced is the value of the data count section, at dataCountAt.
	announced   uint32
	dataCountAt int
}

func (d *decoder) module() {
	if string(d.bytes(uint32(len(header)))) != header {
		d.err = nil
		d.fail(0, "not a WebAssembly 1.0 binary")
		return
	}
	var last Rank
	for d.pos < len(d.buf) && d.err == nil {
		last = d.section(last)
	}
	if d.err != nil {
		return
	}
	if len(d.m.Funcs) != len(d.m.Code) {
		d.fail(d.pos, "%d functions declared, %d defined", len(d.m.Funcs), len(d.m.Code))
	}
	d.checkTypes()
	if d.m.DataCount && uint64(d.announced) != uint64(len(d.m.Data)) {
		d.fail(d.dataCountAt, "%d data segments announced, %d defined", d.announced, len(d.m.Data))
	}
}

// checkTypes checks that functions and tags have types. wazero 1.12 panics
// where one that has none is called.
func (d *decoder) checkTypes() {
	m := d.m
	for i := range m.Imports {
		if k := m.Imports[i].Kind; k == KindFunc || k == KindTag {
			d.checkType("imported function or tag", i, m.Imports[i].Type)
		}
	}
	for i, typ := range m.Funcs {
		d.checkType("function", i, typ)
	}
	for i, typ := range m.Tags {
		d.checkType("tag", i, typ)
	}
}

func (d *decoder) checkType(what string, i int, typ uint32) {
	if typ >= length(d.m.Types) {
		d.fail(d.pos, "%s %d is of type %d of %d", what, i, typ, len(d.m.Types))
	}
}

// section reads one section, which must rank after last, and returns its rank.
func (d *decoder) section(last Rank) Rank {
	at := d.pos
	id := d.byte()
	size := d.u32()
	if uint64(size) > uint64(d.end-d.pos) { //nolint:gosec // not negative
		d.fail(at, "section %d of %d bytes is longer than the module", id, size)
		return last
	}
	rank := Rank(max(0, slices.Index(sections[:], id))) //nolint:gosec // an index of sections
	switch {
	case id == secCustom:
	case rank == 0:
		d.fail(at, "unknown section %d", id)
		return last
	case rank <= last:
		d.fail(at, "section %d is out of order", id)
		return last
	default:
		last = rank
	}
	outer := d.end
	d.end = d.pos + int(size)
	d.content(id, last)
	if d.err == nil && d.pos != d.end {
		d.fail(d.pos, "section %d has %d bytes too many", id, d.end-d.pos)
	}
	d.end = outer
	return last
}

func (d *decoder) content(id byte, after Rank) {
	m := d.m
	switch id {
	case secCustom:
		d.custom(after)
	case secType:
		d.types()
	case secImport:
		m.Imports = vector(d, "imports", MaxImports, 4, d.importDesc)
	case secFunc:
		m.Funcs = vector(d, "functions", MaxFuncs, 1, d.u32)
	case secTable:
		m.Tables = vector(d, "tables", MaxTables, 3, d.table)
	case secMemory:
		m.Memories = vector(d, "memories", 1, 2, d.limits)
	case secTag:
		m.Tags = vector(d, "tags", MaxTags, 2, d.tag)
	case secGlobal:
		m.Globals = vector(d, "globals", MaxGlobals, 3, d.global)
	case secExport:
		m.Exports = vector(d, "exports", MaxExports, 3, d.export)
	case secStart:
		start := d.u32()
		m.Start = &start
	case secElem:
		m.Elems = vector(d, "element segments", MaxSegments, 2, d.elem)
	case secDataCount:
		d.dataCount()
	case secCode:
		m.Code = vector(d, "function bodies", MaxFuncs, 3, d.code)
	case secData:
		m.Data = vector(d, "data segments", MaxSegments, 2, d.data)
	}
}

// vector reads a vector of elements that take at least size bytes each.
func vector[T any](d *decoder, what string, limit, size int, elem func() T) []T {
	n := d.count(what, limit, size)
	if n == 0 {
		return nil
	}
	v := make([]T, 0, n)
	for range n {
		v = append(v, elem())
		if d.err != nil {
			return nil
		}
	}
	return v
}
