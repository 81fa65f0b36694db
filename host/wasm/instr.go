package wasm

import (
	"fmt"
	"iter"
)

// Instr is one instruction.
type Instr struct {
	Op Opcode
	// Start and End delimit it in the bytes being read.
	Start, End int
	// A and B are its immediates in order: indices, labels, alignment and
	// offset, or the bits of a constant. A block, loop, if or try_table has its
	// block type in A, as [BlockType].
	A, B uint64
	// list is the encoded labels of br_table (default last) or the catch
	// clauses of try_table; count is their number.
	list  []byte
	count uint32
}

// BlockType is the type of a block as it is encoded: NoResult, the negated
// code of one value type, or the index of a function type.
type BlockType int64

// NoResult is the type of a block that takes and leaves nothing.
const NoResult BlockType = -64

// Kinds of the clauses of try_table.
const (
	catchTag    = 0x00
	catchTagRef = 0x01
	catchAll    = 0x02
	catchAllRef = 0x03
)

// Labels yields every label the instruction may branch to, as relative depths;
// those of try_table count from outside it. It yields nothing for other
// instructions, return among them.
func (in *Instr) Labels() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		switch in.Op {
		case OpBr, OpBrIf, OpBrOnNull, OpBrOnNonNull:
			yield(uint32(in.A)) //nolint:gosec // read as 32 bits
		case OpBrTable, OpTryTable:
			list := in.list
			for range in.count {
				kind := byte(catchAll)
				if in.Op == OpTryTable {
					kind, list = list[0], list[1:]
				}
				if kind == catchTag || kind == catchTagRef {
					_, n := uleb(list)
					list = list[n:]
				}
				label, n := uleb(list)
				list = list[n:]
				if !yield(label) {
					return
				}
			}
		default:
		}
	}
}

// Reader walks a sequence of instructions. Use it like a bufio.Scanner:
//
//	r := wasm.NewReader(code.Body, code.Offset)
//	for r.Next() {
//		... r.Instr ...
//	}
//	err := r.Err()
//
// It checks encodings, not nesting or types.
type Reader struct {
	Instr // the current instruction

	buf  []byte
	base int
	err  *Error
}

// NewReader returns a Reader of buf; base is added to the offsets in errors.
func NewReader(buf []byte, base int) Reader {
	return Reader{buf: buf, base: base}
}

// Err returns what stopped the Reader, an *[Error], or nil at the end.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Next reads the next instruction. It returns false at the end or at an error.
func (r *Reader) Next() bool {
	pos := r.End
	if pos >= len(r.buf) || r.err != nil {
		return false
	}
	op := r.buf[pos]
	r.Op, r.Start, r.End, r.A, r.B = Opcode(op), pos, pos+1, 0, 0
	kind := plainImms[op]
	if kind == immPrefix {
		kind = r.prefixed(op)
	}
	return r.immediates(kind)
}

// prefixed reads the number after a prefix.
//
// The specification encodes it in LEB128; wazero reads one byte of a vector
// opcode, and what follows as instructions. To be sure that both of us see the
// same instructions, only the shortest encodings are accepted: then the second
// byte of a large vector opcode is 0x01, which wazero takes for a nop.
func (r *Reader) prefixed(prefix byte) imm {
	if r.End >= len(r.buf) {
		return immBad
	}
	sub := r.buf[r.End]
	r.End++
	r.Op = Opcode(prefix)<<8 | Opcode(sub)
	switch prefix {
	case prefixMisc:
		return miscImms[sub]
	case prefixVector:
		if sub >= 0x80 {
			if r.End >= len(r.buf) || r.buf[r.End] != 0x01 {
				return immBad
			}
			r.End++
		}
		return vectorImms[sub]
	default:
		return immBad
	}
}

func (r *Reader) immediates(kind imm) bool {
	switch kind {
	case immNone:
		return true
	case immU32:
		return r.u32(&r.A)
	case immU32U32:
		return r.u32(&r.A) && r.u32(&r.B)
	case immMem:
		return r.memArg()
	case immI32:
		return r.signed(32)
	case immI64:
		return r.signed(64)
	case immBlock:
		return r.blockType()
	default:
		return r.rareImmediates(kind)
	}
}

func (r *Reader) rareImmediates(kind imm) bool {
	switch kind {
	case immMemLane:
		return r.memArg() && r.skip(1)
	case immLane:
		return r.skip(1)
	case imm16:
		return r.skip(16)
	case immF32:
		return r.skip(4)
	case immF64:
		return r.skip(8)
	case immZero:
		return r.zeros(1)
	case immZero2:
		return r.zeros(2)
	case immU32Zero:
		return r.u32(&r.A) && r.zeros(1)
	case immSelect:
		return r.selectType()
	case immTable:
		return r.labels()
	case immTry:
		return r.blockType() && r.catches()
	default:
		return r.fail(r.Start, "unknown instruction %s", r.opText())
	}
}

func (r *Reader) opText() string {
	switch {
	case r.Op == prefixAtomic, r.Op>>8 == prefixAtomic:
		return fmt.Sprintf("%#x (threads are not supported)", uint16(r.Op))
	case r.Op == 0x06, r.Op == 0x07, r.Op == 0x09, r.Op == 0x18, r.Op == 0x19:
		return fmt.Sprintf("%#x (legacy exception handling is not supported)", uint16(r.Op))
	default:
		return fmt.Sprintf("%#x", uint16(r.Op))
	}
}

func (r *Reader) fail(pos int, format string, args ...any) bool {
	r.err = &Error{Offset: r.base + pos, Msg: fmt.Sprintf(format, args...)}
	return false
}

func (r *Reader) u32(v *uint64) bool {
	if r.End < len(r.buf) && r.buf[r.End] < 0x80 { // nearly always
		*v = uint64(r.buf[r.End])
		r.End++
		return true
	}
	x, n := uleb(r.buf[r.End:])
	if n == 0 {
		return r.fail(r.End, "bad unsigned number after instruction %#x", uint16(r.Op))
	}
	*v = uint64(x)
	r.End += n
	return true
}

func (r *Reader) signed(width uint) bool {
	v, n := sleb(r.buf[r.End:], width)
	if n == 0 {
		return r.fail(r.End, "bad signed number after instruction %#x", uint16(r.Op))
	}
	r.A = uint64(v) //nolint:gosec // the bits of the constant
	r.End += n
	return true
}

func (r *Reader) skip(n int) bool {
	if len(r.buf)-r.End < n {
		return r.fail(r.Start, "instruction %#x is cut short", uint16(r.Op))
	}
	r.End += n
	return true
}

func (r *Reader) zeros(n int) bool {
	at := r.End
	if !r.skip(n) {
		return false
	}
	for _, c := range r.buf[at:r.End] {
		if c != 0 {
			return r.fail(at, "reserved byte after instruction %#x is not zero", uint16(r.Op))
		}
	}
	return true
}

func (r *Reader) memArg() bool {
	if !r.u32(&r.A) || !r.u32(&r.B) {
		return false
	}
	if r.A >= 32 { // more is the multi-memory or 64-bit encoding
		return r.fail(r.Start, "bad alignment of instruction %#x", uint16(r.Op))
	}
	return true
}

// heapType reads what follows RefNull or Ref.
func (r *Reader) heapType() bool {
	_, n := sleb(r.buf[r.End:], 33)
	if n == 0 {
		return r.fail(r.End, "bad heap type")
	}
	r.End += n
	return true
}

func (r *Reader) blockType() bool {
	at := r.End
	if !r.signed(33) {
		return false
	}
	bt := BlockType(r.A) //nolint:gosec // sign-extended from 33 bits
	switch {
	case bt >= 0, bt == NoResult:
		return true
	case r.End-at != 1:
		return r.fail(at, "bad block type")
	}
	code := ValType(bt & 0x7f) //nolint:gosec // seven bits
	if code == RefNull || code == Ref {
		return r.heapType()
	}
	if !code.plain() {
		return r.fail(at, "unknown block type %#x", uint32(code))
	}
	return true
}

func (r *Reader) selectType() bool {
	at := r.End
	if !r.skip(2) {
		return false
	}
	if r.buf[at] != 1 {
		return r.fail(at, "select with %d types", r.buf[at])
	}
	t := ValType(r.buf[at+1])
	if t == RefNull || t == Ref {
		return r.heapType()
	}
	if !t.plain() {
		return r.fail(at+1, "unknown value type %#x", uint32(t))
	}
	return true
}

func (r *Reader) labels() bool {
	var n, label uint64
	if !r.u32(&n) {
		return false
	}
	if n >= uint64(len(r.buf)-r.End) { //nolint:gosec // not negative
		return r.fail(r.Start, "br_table of %d labels is longer than the code", n)
	}
	r.count = uint32(n) + 1 //nolint:gosec // below the length of the code
	at := r.End
	for range r.count {
		if !r.u32(&label) {
			return false
		}
	}
	r.list = r.buf[at:r.End]
	return true
}

func (r *Reader) catches() bool {
	var n, index uint64
	if !r.u32(&n) {
		return false
	}
	if n > uint64(len(r.buf)-r.End)/2 { //nolint:gosec // not negative
		return r.fail(r.Start, "try_table of %d clauses is longer than the code", n)
	}
	r.count = uint32(n) //nolint:gosec // below the length of the code
	at := r.End
	for range r.count {
		if !r.skip(1) {
			return false
		}
		switch kind := r.buf[r.End-1]; kind {
		case catchTag, catchTagRef:
			if !r.u32(&index) {
				return false
			}
		case catchAll, catchAllRef:
		default:
			return r.fail(r.End-1, "unknown catch clause %#x", kind)
		}
		if !r.u32(&index) {
			return false
		}
	}
	r.list = r.buf[at:r.End]
	return true
}

// plain reports whether t is a value type of one byte.
func (t ValType) plain() bool {
	switch t {
	case I32, I64, F32, F64, V128, FuncRef, ExternRef, ExnRef:
		return true
	default:
		return false
	}
}

// IsRef reports whether t is a reference type.
func (t ValType) IsRef() bool {
	switch t & 0xff {
	case FuncRef, ExternRef, ExnRef, RefNull, Ref:
		return true
	default:
		return false
	}
}
