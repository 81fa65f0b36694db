package wasm

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everything is a module with something in every section.
func everything() *Module {
	start := uint32(1)
	refNull := RefNull | 1<<8
	m := &Module{
		Types: []FuncType{
			{},
			{Params: []ValType{I32, F64, refNull}, Results: []ValType{V128, Ref | 0xfffff0<<8}},
			{Params: []ValType{ExternRef}, Rec: 2},
			{Results: []ValType{ExnRef}, Rec: -1},
		},
		Imports: []Import{
			{Module: "m", Name: "f", Kind: KindFunc, Type: 0},
			{Module: "m", Name: "t", Kind: KindTable, Table: Table{Type: FuncRef, Limits: Limits{Min: 1, Max: 2, HasMax: true}}},
			{Module: "m", Name: "m", Kind: KindMemory, Memory: Limits{Min: 3}},
			{Module: "m", Name: "g", Kind: KindGlobal, Global: GlobalType{I64, true}},
			{Module: "m", Name: "e", Kind: KindTag, Type: 0},
		},
		Funcs:    []uint32{0, 0},
		Tables:   []Table{{Type: ExternRef}, {Type: FuncRef, Limits: Limits{Min: 300}, Init: Expr("\xd2\x01\x0b")}},
		Memories: []Limits{{Min: 1, Max: 65536, HasMax: true}},
		Tags:     []uint32{0},
		Globals:  []Global{{GlobalType{I32, true}, ConstI32(-70000)}, {GlobalType{FuncRef, false}, Expr("\xd2\x02\x0b")}},
		Exports:  []Export{{"run", KindFunc, 2}, {"mem", KindMemory, 0}, {"import", KindFunc, 0}},
		Start:    &start,
		Elems: []Elem{
			{Offset: ConstI32(0), Type: FuncRef, Funcs: []uint32{0, 1, 2}},
			{Offset: ConstI32(1), Type: FuncRef, Exprs: []byte("\xd2\x01\x0b\xd0\x70\x0b"), Count: 2},
			{Mode: Passive, Type: FuncRef, Funcs: []uint32{1}},
			{Mode: Declarative, Type: FuncRef, Funcs: []uint32{2}},
			{Table: 1, Offset: ConstI32(2), Type: ExternRef, Exprs: []byte("\xd0\x6f\x0b"), Count: 1},
			{Mode: Passive, Type: refNull, Exprs: []byte{}},
		},
		DataCount: true,
		Code: []Code{
			{Locals: []byte{0}, Body: []byte{byte(OpEnd)}},
			{Locals: []byte("\x02\x03\x7f\x02\x7e"), NumLocals: 5, Body: []byte("\x10\x00\x10\x02\x0b")},
		},
		Data: []Data{
			{Offset: ConstI32(16), Init: []byte("active")},
			{Mode: Passive, Init: []byte("passive")},
		},
		Customs: []Custom{{Name: "first", Data: []byte("1")}, {Name: "name", Data: []byte("x"), After: 13}},
	}
	return m
}

func TestDecodeUndoesEncode(t *testing.T) {
	want := everything()
	bin := want.Encode()
	got, err := Decode(bin)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Code { // known only once there are bytes
		if body := got.Code[i].Body; !bytes.Equal(bin[got.Code[i].Offset:][:len(body)], body) {
			t.Errorf("function %d is not at offset %#x", i, got.Code[i].Offset)
		}
		got.Code[i].Offset = 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := got.Encode(); !bytes.Equal(again, bin) {
		t.Errorf("encoded again:\n% x; want\n% x", again, bin)
	}
}

// What other encoders write differently means the same.
func TestOtherEncodings(t *testing.T) {
	active := &Module{
		Types: []FuncType{{}}, Funcs: []uint32{0}, Code: []Code{{Locals: []byte{0}, Body: []byte{byte(OpEnd)}}},
		Elems: []Elem{{Offset: ConstI32(0), Type: FuncRef, Funcs: []uint32{0}}},
		Data:  []Data{{Offset: ConstI32(0), Init: []byte("x")}},
	}
	want := active.Encode()
	explicit := bytes.Replace(want, []byte("\x09\x07\x01\x00\x41\x00\x0b\x01\x00"), []byte("\x09\x09\x01\x02\x00\x41\x00\x0b\x00\x01\x00"), 1)
	explicit = bytes.Replace(explicit, []byte("\x0b\x07\x01\x00\x41"), []byte("\x0b\x08\x01\x02\x00\x41"), 1)
	if len(explicit) != len(want)+3 {
		t.Fatal("nothing was replaced")
	}
	padded := bytes.Replace(want, []byte("\x03\x02\x01\x00"), []byte("\x03\x86\x80\x80\x80\x00\x81\x80\x80\x80\x80\x00"), 1)
	padded = bytes.Replace(padded, []byte("\x81\x80\x80\x80\x80\x00"), []byte("\x81\x80\x80\x80\x00\x00"), 1)
	for name, bin := range map[string][]byte{"explicit tables and memories": explicit, "padded numbers": padded} {
		t.Run(name, func(t *testing.T) {
			m, err := Decode(bin)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Encode(); !bytes.Equal(got, want) {
				t.Errorf("% x; want % x", got, want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	const head = "\x00asm\x01\x00\x00\x00"
	for _, tt := range []struct {
		name, in, err string
	}{
		{"nothing", "", "0x0: not a WebAssembly 1.0 binary"},
		{"a component", "\x00asm\x0d\x00\x01\x00", "0x0: not a WebAssembly 1.0 binary"},
		{"a section longer than the module", head + "\x01\x05\x00", "0x8: section 1 of 5 bytes is longer than the module"},
		{"an unknown section", head + "\x0e\x00", "0x8: unknown section 14"},
		{"sections out of order", head + "\x03\x01\x00\x01\x01\x00", "0xb: section 1 is out of order"},
		{"a section twice", head + "\x01\x01\x00\x01\x01\x00", "0xb: section 1 is out of order"},
		{"a section with more than it says", head + "\x01\x02\x00\x00", "0xb: section 1 has 1 bytes too many"},
		{"more types than bytes", head + "\x01\x03\xe8\x07\x60", "0xa: 1000 types do not fit in the 1 bytes left"},
		{"more types than we like", head + "\x01\x03\xff\xff\x7f", "0xa: 2097151 types, at most 100000 are allowed"},
		{"a type that is not a function", head + "\x01\x03\x01\x5f\x00", "0xb: unknown type 0x5f"},
		{"an unknown value type", head + "\x01\x04\x01\x60\x01\x40", "0xd: unknown value type 0x40"},
		{"a name that is not UTF-8", head + "\x07\x05\x01\x01\xff\x00\x00", "0xb: name is not UTF-8"},
		{"a name longer than the section", head + "\x07\x04\x01\x09ab", "0xc: 9 bytes announced, 2 left"},
		{"an export of an unknown kind", head + "\x07\x05\x01\x01a\x05\x00", "0xd: unknown kind of export 0x5"},
		{"a second memory", head + "\x05\x05\x02\x00\x01\x00\x01", "0xa: 2 memories, at most 1 are allowed"},
		{"a shared memory", head + "\x05\x04\x01\x03\x01\x01", "0xb: shared memory is not supported"},
		{"a 64-bit memory", head + "\x05\x03\x01\x04\x01", "0xb: unknown limits 0x4"},
		{"a table of numbers", head + "\x04\x04\x01\x7f\x00\x01", "0xb: 0x7f is not a reference type"},
		{"a global that is neither mutable nor not", head + "\x06\x06\x01\x7f\x02\x41\x00\x0b", "0xc: unknown mutability 0x2"},
		{"a call in a constant expression", head + "\x06\x06\x01\x7f\x00\x10\x00\x0b", "0xd: instruction 0x10 in a constant expression"},
		{"a constant expression without end", head + "\x06\x05\x01\x7f\x00\x41\x00", "0xd: constant expression without end"},
		{"an unknown element segment", head + "\x09\x03\x01\x08\x00", "0xb: unknown element segment 0x8"},
		{"an unknown data segment", head + "\x0b\x03\x01\x03\x00", "0xb: unknown data segment 0x3"},
		{"data of a second memory", head + "\x0b\x07\x01\x02\x01\x41\x00\x0b\x00", "0xb: data segment of another memory"},
		{"data announced but missing", head + "\x0c\x01\x02", "0xa: 2 data segments announced, 0 defined"},
		{"a declared function without a body", head + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00", "0x12: 1 functions declared, 0 defined"},
		{"a function of no type", head + "\x03\x02\x01\x00\x0a\x04\x01\x02\x00\x0b", "0x12: function 0 is of type 0 of 0"},
		{"an imported function of no type", head + "\x02\x07\x01\x01a\x01b\x00\x05", "0x11: imported function or tag 0 is of type 5 of 0"},
		{"a function longer than its section", head + "\x0a\x04\x01\x09\x00\x0b", "0xb: function is longer than its section"},
		{"a function without end", head + "\x0a\x04\x01\x02\x00\x01", "0xe: function does not end with end"},
		{"four billion locals", head + "\x0a\x0a\x01\x08\x01\xff\xff\xff\xff\x0f\x7f\x0b", "0xc: 4294967295 locals, at most 50000 are allowed"},
		{"locals that overflow together", head + "\x0a\x10\x01\x0e\x02\xff\xff\xff\xff\x0f\x7f\xff\xff\xff\xff\x0f\x7f\x0b", "0xc: 8589934590 locals"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode([]byte(tt.in))
			var e *Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "decode wasm: offset "+tt.err) {
				t.Errorf("error %v; want %s", err, tt.err)
			}
		})
	}
}

func TestEveryPrefixOfAModuleIsRefused(t *testing.T) {
	bin := everything().Encode()
	for n := range len(bin) {
		m, err := Decode(bin[:n])
		if err == nil && len(m.Code) == 2 && len(m.Data) == 2 && len(m.Customs) == 2 {
			t.Errorf("%d of %d bytes make the same module", n, len(bin))
		}
	}
}

func TestHugeFunctionsAreRefused(t *testing.T) {
	m := &Module{Types: []FuncType{{}}, Funcs: []uint32{0}}
	body := bytes.Repeat([]byte{byte(OpNop)}, MaxBodySize)
	m.Code = []Code{{Locals: []byte{0}, Body: append(body, byte(OpEnd))}}
	if _, err := Decode(m.Encode()); err == nil {
		t.Error("no error")
	}
}

func TestEditing(t *testing.T) {
	m := everything()
	if n := m.NumImportedFuncs(); n != 1 {
		t.Errorf("%d imported functions; want 1", n)
	}
	if i := m.AddType(nil, nil); i != 0 {
		t.Errorf("type %d was added, though 0 is like it", i)
	}
	if i := m.AddType([]ValType{ExternRef}, nil); i != 4 {
		t.Errorf("type %d; want a new one, not one of a recursion group", i)
	}
	f := m.AddFunc(4, []ValType{I32, I64}, new(Asm).I32Const(1).Op(OpDrop, OpEnd).Bytes())
	if f != 3 {
		t.Errorf("function %d; want 3", f)
	}
	if typ, ok := m.FuncType(f); !ok || len(typ.Params) != 1 {
		t.Errorf("its type is %v, %t", typ, ok)
	}
	if _, ok := m.FuncType(4); ok {
		t.Error("function 4 has a type")
	}
	if g := m.AddGlobal(I64, true, ConstI64(1<<40)); g != 3 {
		t.Errorf("global %d; want 3", g)
	}
	m.AddExport("added", KindFunc, f)
	if e, ok := m.Export("added"); !ok || e.Index != f {
		t.Errorf("export %v, %t", e, ok)
	}
	if _, ok := m.Export("missing"); ok {
		t.Error("found an export that is not there")
	}
	m.StripCustom()
	got, err := Decode(m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if c := got.Code[2]; c.NumLocals != 2 || len(got.Customs) != 0 {
		t.Errorf("%d locals, %d custom sections; want 2 and 0", c.NumLocals, len(got.Customs))
	}
}

func TestRemapFuncs(t *testing.T) {
	m := everything()
	if err := m.RemapFuncs(func(f uint32) uint32 { return f + 1000 }); err != nil {
		t.Fatal(err)
	}
	want := everything()
	*want.Start = 1001
	want.Exports[0].Index, want.Exports[2].Index = 1002, 1000
	want.Elems[0].Funcs = []uint32{1000, 1001, 1002}
	want.Elems[1].Exprs = []byte("\xd2\xe9\x07\x0b\xd0\x70\x0b")
	want.Elems[2].Funcs = []uint32{1001}
	want.Elems[3].Funcs = []uint32{1002}
	want.Tables[1].Init = Expr("\xd2\xe9\x07\x0b")
	want.Globals[1].Init = Expr("\xd2\xea\x07\x0b")
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

// FuzzDecode holds that what was decoded and encoded decodes to the same, and
// that no bytes make the decoder or the reader panic.
func FuzzDecode(f *testing.F) {
	f.Add(everything().Encode())
	f.Add((&Module{}).Encode())
	var a Asm
	a.Block(OpLoop, NoResult).U32(OpBrTable, 1, 0, 1).Op(OpEnd).Op(OpV128Const).Raw(make([]byte, 16)).Op(0xfd80, OpDrop)
	a.Raw([]byte("\x1f\x40\x02\x00\x00\x00\x03\x01\x0b")).U32(OpMemoryCopy, 0, 0).Op(OpEnd)
	m := &Module{Types: []FuncType{{}}}
	m.AddFunc(0, []ValType{I32}, a.Bytes())
	f.Add(m.Encode())
	f.Fuzz(func(t *testing.T, bin []byte) {
		m, err := Decode(bin)
		if err != nil {
			return
		}
		for i := range m.Code {
			r := NewReader(m.Code[i].Body, m.Code[i].Offset)
			for end := 0; r.Next(); end = r.End {
				if r.Start != end || r.End <= r.Start {
					t.Fatalf("instruction %#x from %d to %d after one to %d", r.Op, r.Start, r.End, end)
				}
				for range r.Labels() {
					continue
				}
			}
		}
		out := m.Encode()
		again, err := Decode(out)
		if err != nil {
			t.Fatalf("encoded: %v", err)
		}
		if !bytes.Equal(again.Encode(), out) {
			t.Fatal("encoded again, it differs")
		}
	})
}
