// Package wasm reads WebAssembly binaries into a model made for rewriting and
// writes them back. It does not run or fully validate them: it checks the
// shape of a module (sections, counts, encodings, instructions), not its types.
//
// The nouns are those of the specification: a [Module] is a list of sections;
// a function's [Code] is its local declarations and its body, a sequence of
// instructions that a [Reader] walks; an [Expr] is a constant expression.
// Everything large (bodies, segments, custom sections) is a sub-slice of the
// decoded bytes, which must therefore stay unchanged while the module is used.
//
// The dialect is what wazero 1.12 accepts: WebAssembly 2.0 with SIMD, tail
// calls, extended constant expressions, exception handling (try_table) and
// typed function references. Threads, memories beyond the first, 64-bit memory,
// relaxed SIMD and garbage-collected types are refused.
//
// Decoding is safe on hostile bytes: it never panics, takes linear time and
// allocates in proportion to the input. A Module is not safe for concurrent
// use while it is being changed; reading it from many goroutines is fine.
//
// See https://webassembly.github.io/spec/core/binary/index.html
package wasm

import (
	"errors"
	"fmt"
)

// Limits on what [Decode] accepts. Those on counts and sizes are the
// implementation limits of the WebAssembly JavaScript interface, which
// toolchains respect, except where a smaller one still fits every interpreter
// we know.
//
// See https://webassembly.github.io/spec/js-api/index.html#limits
const (
	MaxTypes     = 100_000   // types
	MaxImports   = 10_000    // imports
	MaxFuncs     = 1_000_000 // functions defined by the module
	MaxTables    = 1_000     // tables defined by the module
	MaxTags      = 100_000   // exception tags
	MaxGlobals   = 100_000   // globals defined by the module
	MaxExports   = 100_000   // exports
	MaxSegments  = 100_000   // data segments, and element segments
	MaxElems     = 10_000_000
	MaxCustoms   = 10_000    // custom sections
	MaxParams    = 1_000     // parameters, and results, of one function type
	MaxLocals    = 50_000    // locals of one function, without its parameters
	MaxBodySize  = 7_654_321 // bytes of one function, with its local declarations
	MaxNesting   = 10_000    // blocks open at once in one function
	maxNameBytes = 100_000   // bytes of one import or export name
)

// Error reports bytes that are not a module this package can rewrite.
type Error struct {
	Offset int    // where in the decoded bytes, counted from the start of the module
	Msg    string // what is wrong there
	kind   error
}

// ErrShared is the kind of error of a module whose memory is shared between threads.
var ErrShared = errors.New("shared memory")

// Unwrap returns [ErrShared], or nil.
func (e *Error) Unwrap() error { return e.kind }

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("decode wasm: offset %#x: %s", e.Offset, e.Msg)
}

// Module is a WebAssembly module, section by section. Index spaces begin with
// imports, as in the specification: function 0 is the first imported function,
// or Funcs[0] if there is none.
type Module struct {
	Types    []FuncType
	Imports  []Import
	Funcs    []uint32 // the type index of each function defined here, parallel to Code
	Tables   []Table
	Memories []Limits // in 64 KiB pages; at most one
	Tags     []uint32 // the type index of each exception tag defined here
	Globals  []Global
	Exports  []Export
	Start    *uint32 // the function to run when instantiated, if any
	Elems    []Elem
	// DataCount says whether to write a data count section, which memory.init
	// and data.drop require. Its value is always len(Data).
	DataCount bool
	Code      []Code
	Data      []Data
	Customs   []Custom
}

// FuncType is a function signature.
type FuncType struct {
	Params, Results []ValType
	// Rec keeps recursion groups: 0 is a type of its own, n > 0 the first of
	// a group of n types, -1 another member of the group.
	Rec int32
}

// ValType is a value type: its one-byte code or, for a reference type written
// in two parts, RefNull or Ref in the low byte and the heap type (as a signed
// 24-bit number) above it.
type ValType uint32

// Value types.
const (
	I32       ValType = 0x7f
	I64       ValType = 0x7e
	F32       ValType = 0x7d
	F64       ValType = 0x7c
	V128      ValType = 0x7b
	FuncRef   ValType = 0x70
	ExternRef ValType = 0x6f
	ExnRef    ValType = 0x69
	RefNull   ValType = 0x63 // prefix: (ref null heaptype)
	Ref       ValType = 0x64 // prefix: (ref heaptype)
)

// Kind says what an import or export is.
type Kind byte

// Kinds of imports and exports.
const (
	KindFunc   Kind = 0
	KindTable  Kind = 1
	KindMemory Kind = 2
	KindGlobal Kind = 3
	KindTag    Kind = 4
)

// Import is one import. Which of the last four fields counts depends on Kind.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         uint32 // type index, of a function or a tag
	Table        Table
	Memory       Limits
	Global       GlobalType
}

// Limits bound the size of a table (in elements) or a memory (in pages).
type Limits struct {
	Min, Max uint32
	HasMax   bool // without it, Max means nothing
}

// Table is a table definition. Init, if not nil, gives its first elements.
type Table struct {
	Type ValType
	Limits
	Init Expr
}

// GlobalType is the type of a global.
type GlobalType struct {
	Type    ValType
	Mutable bool
}

// Global is a global definition.
type Global struct {
	GlobalType
	Init Expr
}

// Export makes an item of the module visible under a name.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32 // in the index space of its kind
}

// Mode says what happens to a segment at instantiation.
type Mode byte

// Modes of segments.
const (
	Active      Mode = iota // copied to its table or memory
	Passive                 // kept for table.init or memory.init
	Declarative             // elements only: forward declares ref.func
)

// Elem is an element segment. It holds function indices in Funcs or, if Exprs
// is not nil, Count constant expressions of type Type back to back.
type Elem struct {
	Mode   Mode
	Table  uint32 // if active
	Offset Expr   // if active
	Type   ValType
	Funcs  []uint32
	Exprs  []byte
	Count  uint32
}

// Data is a data segment, active or passive, of memory 0.
type Data struct {
	Mode   Mode
	Offset Expr // if active
	Init   []byte
}

// Code is the locals and the body of a function.
type Code struct {
	// Locals is the encoded vector of local declarations, NumLocals their
	// sum. Parameters come before them in the index space and are not counted.
	Locals    []byte
	NumLocals uint32
	// Body is the instructions, with the final end.
	Body []byte
	// Offset is where Body began in the decoded bytes, to report errors.
	Offset int
}

// Custom is a custom section. After is the rank of the section it follows;
// its zero value puts it first.
type Custom struct {
	Name  string
	Data  []byte
	After Rank
}

// Rank is the place of a section in the order that the format requires, which
// is not quite that of section identifiers: 1 is the type section, 7 the global
// section, which the tag section precedes, and 13 the data section.
type Rank byte

// Expr is a constant expression, with its final end.
type Expr []byte
