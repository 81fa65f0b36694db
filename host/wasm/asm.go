package wasm

// Asm builds instruction sequences by hand. The zero value is ready to use;
// methods return the receiver, so that calls can be chained:
//
//	body := new(wasm.Asm).U32(wasm.OpLocalGet, 0).I32Const(1).Op(wasm.OpI32Add, wasm.OpEnd).Bytes()
//
// Nothing is checked.
type Asm struct{ buf []byte }

// Bytes returns what was appended so far.
func (a *Asm) Bytes() []byte { return a.buf }

// Reset forgets what was appended but keeps the memory.
func (a *Asm) Reset() { a.buf = a.buf[:0] }

// Raw appends encoded instructions.
func (a *Asm) Raw(b []byte) *Asm {
	a.buf = append(a.buf, b...)
	return a
}

// Op appends instructions that have no immediates.
func (a *Asm) Op(ops ...Opcode) *Asm {
	for _, op := range ops {
		if op > 0xff {
			a.buf = append(a.buf, byte(op>>8))
		}
		a.buf = append(a.buf, byte(op)) //nolint:gosec // the low byte
		if op>>8 == prefixVector && op&0x80 != 0 {
			a.buf = append(a.buf, 0x01)
		}
	}
	return a
}

// U32 appends an instruction and its unsigned immediates: indices, labels, or
// alignment and offset.
func (a *Asm) U32(op Opcode, imms ...uint32) *Asm {
	a.Op(op)
	for _, v := range imms {
		a.buf = AppendU32(a.buf, v)
	}
	return a
}

// Block appends block, loop or if with its type.
func (a *Asm) Block(op Opcode, t BlockType) *Asm {
	a.Op(op)
	a.buf = AppendS64(a.buf, int64(t))
	return a
}

// I32Const appends i32.const.
func (a *Asm) I32Const(v int32) *Asm {
	a.buf = AppendS32(append(a.buf, byte(OpI32Const)), v)
	return a
}

// I64Const appends i64.const.
func (a *Asm) I64Const(v int64) *Asm {
	a.buf = AppendS64(append(a.buf, byte(OpI64Const)), v)
	return a
}

// Result returns the type of a block that leaves one value of type t, which is
// of one byte.
func Result(t ValType) BlockType { return BlockType(t) - 0x80 }

// ConstI32 returns the constant expression of an i32.
func ConstI32(v int32) Expr { return new(Asm).I32Const(v).Op(OpEnd).Bytes() }

// ConstI64 returns the constant expression of an i64.
func ConstI64(v int64) Expr { return new(Asm).I64Const(v).Op(OpEnd).Bytes() }

// Index appends an unsigned number on its own.
func (a *Asm) Index(v uint32) *Asm {
	a.buf = AppendU32(a.buf, v)
	return a
}
