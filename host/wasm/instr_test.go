package wasm

import (
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

func TestInstructionsAndTheirImmediates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		in     string
		op     Opcode
		a, b   uint64
		labels []uint32
	}{
		{"nop", "\x01", OpNop, 0, 0, nil},
		{"block without result", "\x02\x40", OpBlock, uint64(0xffffffffffffffc0), 0, nil},
		{"loop of a type", "\x03\x81\x01", OpLoop, 129, 0, nil},
		{"if with a two-part reference type", "\x04\x63\x05", OpIf, uint64(0xffffffffffffffe3), 0, nil},
		{"br", "\x0c\x07", OpBr, 7, 0, []uint32{7}},
		{"br_if with a long label", "\x0d\x87\x80\x00", OpBrIf, 7, 0, []uint32{7}},
		{"br_table", "\x0e\x02\x05\x04\x03", OpBrTable, 0, 0, []uint32{5, 4, 3}},
		{"br_table with a default only", "\x0e\x00\x03", OpBrTable, 0, 0, []uint32{3}},
		{"call", "\x10\x80\x02", OpCall, 256, 0, nil},
		{"call_indirect", "\x11\x03\x01", OpCallIndirect, 3, 1, nil},
		{"select with its type", "\x1c\x01\x7f", OpSelectT, 0, 0, nil},
		{"select with a two-part type", "\x1c\x01\x64\x70", OpSelectT, 0, 0, nil},
		{
			"try_table with all kinds of clauses", "\x1f\x40\x04\x00\x09\x01\x01\x09\x02\x02\x03\x03\x04", OpTryTable,
			uint64(0xffffffffffffffc0), 0,
			[]uint32{1, 2, 3, 4},
		},
		{"i32.load", "\x28\x02\x80\x01", OpI32Load, 2, 128, nil},
		{"memory.grow", "\x40\x00", OpMemoryGrow, 0, 0, nil},
		{"i32.const", "\x41\x7f", OpI32Const, uint64(0xffffffffffffffff), 0, nil},
		{"i64.const", "\x42\xc0\x00", OpI64Const, 64, 0, nil},
		{"f32.const", "\x43abcd", OpF32Const, 0, 0, nil},
		{"f64.const", "\x44abcdefgh", OpF64Const, 0, 0, nil},
		{"ref.null", "\xd0\x70", OpRefNull, 0x70, 0, nil},
		{"ref.func", "\xd2\x09", OpRefFunc, 9, 0, nil},
		{"br_on_null", "\xd5\x02", OpBrOnNull, 2, 0, []uint32{2}},
		{"memory.init", "\xfc\x08\x03\x00", OpMemoryInit, 3, 0, nil},
		{"memory.copy", "\xfc\x0a\x00\x00", OpMemoryCopy, 0, 0, nil},
		{"table.copy", "\xfc\x0e\x01\x02", OpTableCopy, 1, 2, nil},
		{"v128.const", "\xfd\x0c0123456789abcdef", OpV128Const, 0, 0, nil},
		{"v128.load", "\xfd\x00\x04\x10", 0xfd00, 4, 16, nil},
		{"v128.load8_lane", "\xfd\x54\x00\x10\x0f", 0xfd54, 0, 16, nil},
		{"i8x16.extract_lane_s", "\xfd\x15\x0f", 0xfd15, 0, 0, nil},
		{"i16x8.abs, a number of two bytes", "\xfd\x80\x01", 0xfd80, 0, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader([]byte(tt.in+"\x0b"), 0)
			if !r.Next() {
				t.Fatal(r.Err())
			}
			if r.Op != tt.op || r.A != tt.a || r.B != tt.b || r.Start != 0 || r.End != len(tt.in) {
				t.Errorf("%#x %#x %#x, %d to %d", r.Op, r.A, r.B, r.Start, r.End)
			}
			if labels := slices.Collect(r.Labels()); !slices.Equal(labels, tt.labels) {
				t.Errorf("labels %v; want %v", labels, tt.labels)
			}
			if !r.Next() || r.Op != OpEnd || r.Next() || r.Err() != nil {
				t.Errorf("then %#x, %v", r.Op, r.Err())
			}
		})
	}
}

func TestBadInstructionsNameTheirOffset(t *testing.T) {
	for _, tt := range []struct {
		name, in, err string
	}{
		{"unknown", "\xff", "0x1001: unknown instruction 0xff"},
		{"unknown with a prefix", "\xfc\x12", "0x1001: unknown instruction 0xfc12"},
		{"a hole between vector instructions", "\xfd\x9a\x01", "0x1001: unknown instruction 0xfd9a"},
		{"relaxed vector instruction", "\xfd\x80\x02", "0x1001: unknown instruction 0xfd80"},
		{"a number longer than it need be", "\xfc\x8b\x00\x00", "0x1001: unknown instruction 0xfc8b"},
		{"a prefix alone", "\xfd", "0x1001: unknown instruction 0xfd"},
		{"threads", "\xfe\x00\x02\x00", "0x1001: unknown instruction 0xfe00 (threads are not supported)"},
		{"legacy exceptions", "\x06\x40", "0x1001: unknown instruction 0x6 (legacy exception handling is not supported)"},
		{"br without a label", "\x0c", "0x1002: bad unsigned number after instruction 0xc"},
		{"br to a label of 33 bits", "\x0c\xff\xff\xff\xff\x7f", "0x1002: bad unsigned number"},
		{"i32.const of 33 bits", "\x41\xff\xff\xff\xff\x0f", "0x1002: bad signed number after instruction 0x41"},
		{"block of a negative type", "\x02\x50", "0x1002: unknown block type 0x50"},
		{"block of a long negative type", "\x02\xff\x7f", "0x1002: bad block type"},
		{"block of a reference to nothing", "\x02\x63", "0x1003: bad heap type"},
		{"select of two types", "\x1c\x02\x7f\x7f", "0x1002: select with 2 types"},
		{"select of no type", "\x1c\x01\x40", "0x1003: unknown value type 0x40"},
		{"memory of another number", "\x3f\x01", "0x1002: reserved byte after instruction 0x3f is not zero"},
		{"alignment of 2**32", "\x28\x20\x00", "0x1001: bad alignment of instruction 0x28"},
		{"f64.const cut short", "\x44\x00\x00", "0x1001: instruction 0x44 is cut short"},
		{"br_table longer than the code", "\x0e\xff\xff\xff\xff\x0f\x00", "0x1001: br_table of 4294967295 labels is longer than the code"},
		{"try_table longer than the code", "\x1f\x40\xff\xff\xff\xff\x0f\x00", "0x1001: try_table of 4294967295 clauses"},
		{"unknown catch clause", "\x1f\x40\x01\x04\x00", "0x1004: unknown catch clause 0x4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader([]byte("\x01"+tt.in), 0x1000)
			for r.Next() {
				continue
			}
			if err := r.Err(); err == nil || !strings.HasPrefix(err.Error(), "decode wasm: offset "+tt.err) {
				t.Errorf("error %v; want one of %s", err, tt.err)
			}
			if r.Next() {
				t.Error("reading goes on after the error")
			}
		})
	}
}

// unknownToWazero are the ways in which wazero says that it has no such
// instruction; if it has, it complains of missing operands or says nothing.
var unknownToWazero = []string{
	"invalid instruction", "invalid numeric instruction", "invalid misc opcode", "unknown misc opcode",
	"unknown SIMD instruction", "legacy exception handling",
}

func TestTheReaderKnowsTheInstructionsOfWazero(t *testing.T) {
	ctx := t.Context()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(
		api.CoreFeaturesV2|experimental.CoreFeaturesTailCall|experimental.CoreFeaturesExceptionHandling|
			experimental.CoreFeaturesTypedFunctionReferences))
	defer func() { _ = rt.Close(ctx) }()
	known := 0
	try := func(op []byte) {
		body := append(op, make([]byte, 20)...)
		m := &Module{
			Memories: []Limits{{Min: 1}}, Tables: []Table{{Type: FuncRef}}, Tags: []uint32{0},
			Elems: []Elem{{Mode: Passive, Type: FuncRef, Funcs: []uint32{0}}},
		}
		m.AddFunc(m.AddType(nil, nil), nil, append(body, byte(OpEnd)))
		_, err := rt.CompileModule(ctx, m.Encode())
		wazeroKnows := err == nil || !slices.ContainsFunc(unknownToWazero, func(s string) bool {
			return strings.Contains(err.Error(), s)
		})
		r := NewReader(body, 0)
		weKnow := r.Next() || !strings.Contains(r.Err().Error(), "unknown instruction")
		if wazeroKnows != weKnow {
			t.Errorf("% x: known to wazero %t, to us %t (%v, %v)", op, wazeroKnows, weKnow, err, r.Err())
		}
		if weKnow {
			known++
		}
	}
	for op := range byte(0xfc) {
		try([]byte{op})
	}
	for op := range byte(0x80) {
		try([]byte{prefixMisc, op})
		try([]byte{prefixVector, op})
		try([]byte{prefixVector, op | 0x80, 0x01})
	}
	if want := 193 + 18 + 236; known != want {
		t.Errorf("%d instructions; want %d", known, want)
	}
}
