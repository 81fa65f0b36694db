package wasm

// Opcode identifies an instruction: its byte or, for the instructions behind a
// prefix, prefix<<8 | number (0xfc0b is memory.fill).
type Opcode uint16

// The instructions that rewriters ask for by name; see the specification for
// the others.
//
// See https://webassembly.github.io/spec/core/appendix/index-instructions.html
const (
	OpUnreachable        Opcode = 0x00
	OpNop                Opcode = 0x01
	OpBlock              Opcode = 0x02
	OpLoop               Opcode = 0x03
	OpIf                 Opcode = 0x04
	OpElse               Opcode = 0x05
	OpThrow              Opcode = 0x08
	OpThrowRef           Opcode = 0x0a
	OpEnd                Opcode = 0x0b
	OpBr                 Opcode = 0x0c
	OpBrIf               Opcode = 0x0d
	OpBrTable            Opcode = 0x0e
	OpReturn             Opcode = 0x0f
	OpCall               Opcode = 0x10
	OpCallIndirect       Opcode = 0x11
	OpReturnCall         Opcode = 0x12
	OpReturnCallIndirect Opcode = 0x13
	OpCallRef            Opcode = 0x14
	OpReturnCallRef      Opcode = 0x15
	OpDrop               Opcode = 0x1a
	OpSelect             Opcode = 0x1b
	OpSelectT            Opcode = 0x1c
	OpTryTable           Opcode = 0x1f
	OpLocalGet           Opcode = 0x20
	OpLocalSet           Opcode = 0x21
	OpLocalTee           Opcode = 0x22
	OpGlobalGet          Opcode = 0x23
	OpGlobalSet          Opcode = 0x24
	OpTableGet           Opcode = 0x25
	OpTableSet           Opcode = 0x26
	OpI32Load            Opcode = 0x28
	OpI64Load            Opcode = 0x29
	OpI32Store           Opcode = 0x36
	OpI64Store           Opcode = 0x37
	OpF32Store           Opcode = 0x38
	OpF64Store           Opcode = 0x39
	OpI32Store8          Opcode = 0x3a
	OpI32Store16         Opcode = 0x3b
	OpI64Store8          Opcode = 0x3c
	OpI64Store16         Opcode = 0x3d
	OpI64Store32         Opcode = 0x3e
	OpMemorySize         Opcode = 0x3f
	OpMemoryGrow         Opcode = 0x40
	OpI32Const           Opcode = 0x41
	OpI64Const           Opcode = 0x42
	OpF32Const           Opcode = 0x43
	OpF64Const           Opcode = 0x44
	OpI32Eqz             Opcode = 0x45
	OpI32Eq              Opcode = 0x46
	OpI32Ne              Opcode = 0x47
	OpI32LtS             Opcode = 0x48
	OpI32LtU             Opcode = 0x49
	OpI32GtU             Opcode = 0x4b
	OpI64Eqz             Opcode = 0x50
	OpI64LtS             Opcode = 0x53
	OpI64GtS             Opcode = 0x55
	OpI64GeS             Opcode = 0x59
	OpI32Add             Opcode = 0x6a
	OpI32Sub             Opcode = 0x6b
	OpI32Mul             Opcode = 0x6c
	OpI32And             Opcode = 0x71
	OpI32Xor             Opcode = 0x73
	OpI32ShrU            Opcode = 0x76
	OpI64Add             Opcode = 0x7c
	OpI64Sub             Opcode = 0x7d
	OpI64Mul             Opcode = 0x7e
	OpI64ShrU            Opcode = 0x88
	OpI32WrapI64         Opcode = 0xa7
	OpI64ExtendI32U      Opcode = 0xad
	OpRefNull            Opcode = 0xd0
	OpRefIsNull          Opcode = 0xd1
	OpRefFunc            Opcode = 0xd2
	OpRefAsNonNull       Opcode = 0xd4
	OpBrOnNull           Opcode = 0xd5
	OpBrOnNonNull        Opcode = 0xd6
	OpMemoryInit         Opcode = 0xfc08
	OpDataDrop           Opcode = 0xfc09
	OpMemoryCopy         Opcode = 0xfc0a
	OpMemoryFill         Opcode = 0xfc0b
	OpTableInit          Opcode = 0xfc0c
	OpElemDrop           Opcode = 0xfc0d
	OpTableCopy          Opcode = 0xfc0e
	OpTableGrow          Opcode = 0xfc0f
	OpTableSize          Opcode = 0xfc10
	OpTableFill          Opcode = 0xfc11
	OpV128Const          Opcode = 0xfd0c
	OpI8x16Shuffle       Opcode = 0xfd0d
)

const (
	prefixMisc   = 0xfc
	prefixVector = 0xfd
	prefixAtomic = 0xfe
)

// imm says how an instruction's immediates are encoded.
type imm byte

const (
	immBad     imm = iota // not an instruction
	immNone               // none
	immBlock              // a block type
	immU32                // an index or a label
	immU32U32             // two indices
	immTable              // br_table: a vector of labels and a default
	immTry                // try_table: a block type and a vector of catch clauses
	immMem                // alignment and offset
	immMemLane            // the same and a lane
	immLane               // a lane
	imm16                 // sixteen bytes
	immZero               // a reserved zero byte
	immZero2              // two of them
	immU32Zero            // an index and a reserved zero byte
	immI32                // a signed 32-bit number
	immI64                // a signed 64-bit number
	immF32                // four bytes
	immF64                // eight bytes
	immSelect             // select with its type
	immPrefix             // the number of the instruction follows
)

// span gives opcodes first to last, inclusive, the same immediates.
type span struct {
	first, last byte
	imm         imm
}

func table(spans ...span) (t [256]imm) {
	for _, s := range spans {
		for op := int(s.first); op <= int(s.last); op++ {
			t[op] = s.imm
		}
	}
	return t
}

// The immediates of every instruction; constant after initialisation.
var (
	plainImms = table(
		span{0x00, 0x01, immNone},   // unreachable, nop
		span{0x02, 0x04, immBlock},  // block, loop, if
		span{0x05, 0x05, immNone},   // else
		span{0x08, 0x08, immU32},    // throw
		span{0x0a, 0x0b, immNone},   // throw_ref, end
		span{0x0c, 0x0d, immU32},    // br, br_if
		span{0x0e, 0x0e, immTable},  // br_table
		span{0x0f, 0x0f, immNone},   // return
		span{0x10, 0x10, immU32},    // call
		span{0x11, 0x11, immU32U32}, // call_indirect
		span{0x12, 0x12, immU32},    // return_call
		span{0x13, 0x13, immU32U32}, // return_call_indirect
		span{0x14, 0x15, immU32},    // call_ref, return_call_ref
		span{0x1a, 0x1b, immNone},   // drop, select
		span{0x1c, 0x1c, immSelect}, // select t
		span{0x1f, 0x1f, immTry},    // try_table
		span{0x20, 0x26, immU32},    // locals, globals, table.get, table.set
		span{0x28, 0x3e, immMem},    // loads and stores
		span{0x3f, 0x40, immZero},   // memory.size, memory.grow
		span{0x41, 0x41, immI32},    // i32.const
		span{0x42, 0x42, immI64},    // i64.const
		span{0x43, 0x43, immF32},    // f32.const
		span{0x44, 0x44, immF64},    // f64.const
		span{0x45, 0xc4, immNone},   // numeric
		span{0xd0, 0xd0, immU32},    // ref.null
		span{0xd1, 0xd1, immNone},   // ref.is_null
		span{0xd2, 0xd2, immU32},    // ref.func
		span{0xd4, 0xd4, immNone},   // ref.as_non_null
		span{0xd5, 0xd6, immU32},    // br_on_null, br_on_non_null
		span{0xfc, 0xfe, immPrefix}, // the three prefixes
	)
	miscImms = table(
		span{0x00, 0x07, immNone},    // saturating truncation
		span{0x08, 0x08, immU32Zero}, // memory.init
		span{0x09, 0x09, immU32},     // data.drop
		span{0x0a, 0x0a, immZero2},   // memory.copy
		span{0x0b, 0x0b, immZero},    // memory.fill
		span{0x0c, 0x0c, immU32U32},  // table.init
		span{0x0d, 0x0d, immU32},     // elem.drop
		span{0x0e, 0x0e, immU32U32},  // table.copy
		span{0x0f, 0x11, immU32},     // table.grow, table.size, table.fill
	)
	vectorImms = table(
		span{0x00, 0x0b, immMem},     // loads, splatting loads, store
		span{0x0c, 0x0d, imm16},      // v128.const, i8x16.shuffle
		span{0x0e, 0x14, immNone},    // swizzle, splats
		span{0x15, 0x22, immLane},    // extract_lane, replace_lane
		span{0x23, 0x53, immNone},    // comparisons, bitwise
		span{0x54, 0x5b, immMemLane}, // load and store of one lane
		span{0x5c, 0x5d, immMem},     // load32_zero, load64_zero
		span{0x5e, 0x99, immNone},    // arithmetic, with these holes:
		span{0x9a, 0x9a, immBad},
		span{0x9b, 0xa1, immNone},
		span{0xa2, 0xa2, immBad},
		span{0xa3, 0xa4, immNone},
		span{0xa5, 0xa6, immBad},
		span{0xa7, 0xae, immNone},
		span{0xaf, 0xb0, immBad},
		span{0xb1, 0xb1, immNone},
		span{0xb2, 0xb4, immBad},
		span{0xb5, 0xba, immNone},
		span{0xbb, 0xbb, immBad},
		span{0xbc, 0xc1, immNone},
		span{0xc2, 0xc2, immBad},
		span{0xc3, 0xc4, immNone},
		span{0xc5, 0xc6, immBad},
		span{0xc7, 0xce, immNone},
		span{0xcf, 0xd0, immBad},
		span{0xd1, 0xd1, immNone},
		span{0xd2, 0xd4, immBad},
		span{0xd5, 0xe1, immNone},
		span{0xe2, 0xe2, immBad},
		span{0xe3, 0xed, immNone},
		span{0xee, 0xee, immBad},
		span{0xef, 0xff, immNone},
	)
)
