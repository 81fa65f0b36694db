package host

import (
	"bytes"
	"encoding/binary"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// rawDriver enters a module that is no interpreter: it has nothing but a start.
type rawDriver struct{ driver }

func (rawDriver) entry() image.Entry                     { return image.Entry{Start: "_start"} }
func (rawDriver) library() string                        { return "" }
func (rawDriver) adapt(*wasm.Module) error               { return nil }
func (rawDriver) functions() []hostFunction              { return nil }
func (rawDriver) state(*call) any                        { return nil }
func (rawDriver) args() []string                         { return []string{"raw", "argument"} }
func (rawDriver) files(*call) map[string]guestfs.Virtual { return map[string]guestfs.Virtual{} }
func (rawDriver) returned(bool, uint32) error            { return nil }
func (rawDriver) outOfMemory(*GuestError) bool           { return false }
func (rawDriver) outOfDisk(*GuestError) bool             { return false }

// rawPlugin prepares a module of a test's own as any other is prepared, but without
// a warm-up and a cache. driver is what its definition would name.
func rawPlugin(tb testing.TB, module []byte, driver string) (*Host, *plugin) {
	tb.Helper()
	h, err := Open(tb.Context(), Options{CacheDir: filepath.Join(tb.TempDir(), "cache")})
	if err != nil {
		tb.Fatal(err)
	}
	b := &builder{host: h, definition: rawDefinition(driver), driver: rawDriver{}}
	if driver == runtimes.DriverExtism {
		b.driver = newExtismPlugin(b.definition)
	}
	r, err := b.rewrite(module)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := b.compile(tb.Context(), r.module, tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	p.minMemory = r.minMemory
	tb.Cleanup(func() {
		if err := p.close(); err != nil {
			tb.Error(err)
		}
		if err := h.Close(); err != nil {
			tb.Error(err)
		}
	})
	return h, p
}

func rawDefinition(driver string) *runtimes.Definition {
	return &runtimes.Definition{Name: "raw", Driver: driver}
}

// signature is an imported function and its type.
type signature struct {
	module, name    string
	params, results []api.ValueType
}

// wasiFunctions are the functions that the engine has under WASI's name, in the
// order of their names.
func wasiFunctions(tb testing.TB) []signature {
	tb.Helper()
	r := wazero.NewRuntimeWithConfig(tb.Context(), wazero.NewRuntimeConfigInterpreter())
	defer func() { _ = r.Close(tb.Context()) }()
	m, err := wasi_snapshot_preview1.NewBuilder(r).Compile(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	var all []signature
	for _, name := range slices.Sorted(maps.Keys(m.ExportedFunctions())) {
		f := m.ExportedFunctions()[name]
		all = append(all, signature{wasiNamespace, name, f.ParamTypes(), f.ResultTypes()})
	}
	return all
}

// Where a caller finds what it is to do: records at recordsAt, of which the header
// is two numbers (function, repetitions) and recordArgs arguments of 64 bits follow.
// What the calls need besides lies at payloadAt. All of it is its standard input.
const (
	recordsAt  = 64
	recordSize = 8 + 8*recordArgs
	recordArgs = 9
	maxRecords = 512
	payloadAt  = 65536
)

// callerModule returns a module of pages of memory that calls functions as its input
// says, and puts the last result of each record into its first number. A number of a
// function that is none ends it.
func callerModule(functions []signature, pages uint32) []byte {
	m := &wasm.Module{}
	value := func(types []api.ValueType) []wasm.ValType {
		list := make([]wasm.ValType, len(types))
		for i, t := range types {
			list[i] = wasm.ValType(t)
		}
		return list
	}
	read := uint32(0)
	for i, f := range functions {
		m.Imports = append(m.Imports, wasm.Import{Module: f.module, Name: f.name, Kind: wasm.KindFunc, Type: m.AddType(value(f.params), value(f.results))})
		if f.module == wasiNamespace && f.name == "fd_read" {
			read = uint32(i)
		}
	}
	// What it reads its input with: one buffer, which is the rest of its memory.
	vector := binary.LittleEndian.AppendUint32(nil, recordsAt)
	vector = binary.LittleEndian.AppendUint32(vector, pages*65536-recordsAt)
	m.Data = []wasm.Data{{Mode: wasm.Active, Offset: wasm.ConstI32(0), Init: vector}}

	const at, left, void = 0, 1, wasm.NoResult
	var a wasm.Asm
	a.I32Const(0).I32Const(0).I32Const(1).I32Const(16).U32(wasm.OpCall, read).Op(wasm.OpDrop)
	a.I32Const(recordsAt).U32(wasm.OpLocalSet, at)
	a.Block(wasm.OpLoop, void) // for each record
	a.U32(wasm.OpLocalGet, at).U32(wasm.OpI32Load, 2, 4).U32(wasm.OpLocalSet, left)
	a.Block(wasm.OpLoop, void) // for each repetition
	for range len(functions) + 1 {
		a.Block(wasm.OpBlock, void)
	}
	a.U32(wasm.OpLocalGet, at).U32(wasm.OpI32Load, 2, 0).U32(wasm.OpBrTable, uint32(len(functions)))
	for i := range len(functions) + 1 {
		a.Index(uint32(i))
	}
	for i, f := range functions {
		a.Op(wasm.OpEnd)
		for arg, t := range f.params {
			a.U32(wasm.OpLocalGet, at)
			if t == api.ValueTypeI64 {
				a.U32(wasm.OpI64Load, 3, uint32(8+8*arg))
			} else {
				a.U32(wasm.OpI32Load, 2, uint32(8+8*arg))
			}
		}
		a.U32(wasm.OpCall, uint32(i))
		switch {
		case len(f.results) == 0:
			a.I32Const(0)
		case f.results[0] == api.ValueTypeI64:
			a.Op(wasm.OpI32WrapI64)
		}
		a.U32(wasm.OpLocalSet, 2)
		// To the end of the repetition: out of the blocks that are still open.
		a.U32(wasm.OpLocalGet, left).I32Const(1).Op(wasm.OpI32Sub).U32(wasm.OpLocalTee, left)
		a.U32(wasm.OpBrIf, uint32(len(functions)-i))
		a.U32(wasm.OpLocalGet, at).U32(wasm.OpLocalGet, 2).U32(wasm.OpI32Store, 2, 0)
		a.U32(wasm.OpLocalGet, at).I32Const(recordSize).Op(wasm.OpI32Add).U32(wasm.OpLocalSet, at)
		a.U32(wasm.OpBr, uint32(len(functions)-i+1))
	}
	a.Op(wasm.OpEnd) // a function that is none
	a.Op(wasm.OpEnd, wasm.OpEnd, wasm.OpEnd)
	return rawModule(m, pages, []wasm.ValType{wasm.I32, wasm.I32, wasm.I32}, a.Bytes())
}

// tape is the input of a caller.
type tape struct {
	functions []signature
	records   []byte
	payload   []byte
}

// data puts bytes where calls can name them, and returns where that is.
func (s *tape) data(b []byte) uint64 {
	at := payloadAt + len(s.payload)
	s.payload = append(s.payload, b...)
	for len(s.payload)%8 != 0 {
		s.payload = append(s.payload, 0)
	}
	return uint64(at)
}

// call adds calls of a function.
func (s *tape) call(times uint32, name string, args ...uint64) {
	n := slices.IndexFunc(s.functions, func(f signature) bool { return f.name == name })
	b := binary.LittleEndian.AppendUint32(nil, uint32(n)) //nolint:gosec // few
	b = binary.LittleEndian.AppendUint32(b, times)
	for i := range recordArgs {
		arg := uint64(0)
		if i < len(args) {
			arg = args[i]
		}
		b = binary.LittleEndian.AppendUint64(b, arg)
	}
	s.records = append(s.records, b...)
}

func (s *tape) input() []byte {
	b := append(bytes.Clone(s.records), bytes.Repeat([]byte{0xFF}, payloadAt-recordsAt-len(s.records))...)
	return append(b, s.payload...)
}

// rawProfile limits raw modules.
func rawProfile() *policies.Profile {
	p, err := policies.Builtin().Profile("strict")
	if err != nil {
		panic(err)
	}
	q := *p
	q.Memory = 128 << 20
	return &q
}

// runRaw runs a raw module once.
func runRaw(tb testing.TB, h *Host, p *plugin, profile *policies.Profile, r *Request) *Result {
	tb.Helper()
	c, err := h.newCall(p, profile, r)
	if err != nil {
		tb.Fatal(err)
	}
	return c.execute(tb.Context(), func() {}, func() {})
}

// results returns the number that the last call of each record returned.
func (s *tape) results(tb testing.TB, out []byte) []uint32 {
	tb.Helper()
	var all []uint32
	for i := 0; (i+1)*recordSize <= len(out); i++ {
		all = append(all, binary.LittleEndian.Uint32(out[i*recordSize:]))
	}
	return all
}

// run runs the tape and then has the guest write out its records. The numbers are
// what the last call of each returned, and nil if the guest did not come to its end.
func (s *tape) run(tb testing.TB, h *Host, p *plugin, profile *policies.Profile, r *Request) (*Result, []uint32) {
	tb.Helper()
	n := len(s.records)
	s.call(1, "fd_write", 1, s.vectors(1, recordsAt, uint32(n)), 1, recordsAt+uint64(n)) //nolint:gosec // few
	var out bytes.Buffer
	r.Stdin, r.Stdout = bytes.NewReader(s.input()), &out
	got := runRaw(tb, h, p, profile, r)
	if out.Len() < n {
		return got, nil
	}
	return got, s.results(tb, out.Bytes()[out.Len()-n:])
}

// vectors is a list of n buffers that are all the same one.
func (s *tape) vectors(n int, at, length uint32) uint64 {
	one := binary.LittleEndian.AppendUint32(nil, at)
	return s.data(bytes.Repeat(binary.LittleEndian.AppendUint32(one, length), n))
}

// path puts a path into memory and returns where it is and its length.
func (s *tape) path(name string) (at, length uint64) {
	return s.data([]byte(name)), uint64(len(name))
}

// open opens a path: as a directory, or as a file that is created.
func (s *tape) open(name string, dir bool) {
	at, n := s.path(name)
	oflags, rights := uint64(1), uint64(1<<1|1<<6) // create; read and write
	if dir {
		oflags, rights = 2, 0
	}
	s.call(1, "path_open", 3, 0, at, n, oflags, rights, 0, 0, scratchAt)
}

// scratchAt is where results go that nobody looks at.
const scratchAt = 16

// rawModule returns a module that is one function.
func rawModule(m *wasm.Module, pages uint32, locals []wasm.ValType, body []byte) []byte {
	m.Memories = []wasm.Limits{{Min: pages, Max: pages, HasMax: true}}
	start := m.AddFunc(m.AddType(nil, nil), locals, body)
	// Without a table there would be no image, and nothing is prepared without one.
	m.Tables = []wasm.Table{{Type: wasm.FuncRef, Limits: wasm.Limits{Min: 1}}}
	m.Elems = []wasm.Elem{{Offset: wasm.ConstI32(0), Type: wasm.FuncRef, Funcs: []uint32{start}}}
	m.AddExport("_start", wasm.KindFunc, start)
	m.AddExport(extismExecute, wasm.KindFunc, start)
	m.AddExport("memory", wasm.KindMemory, 0)
	return m.Encode()
}

// loopModule counts for ever.
func loopModule() []byte {
	var a wasm.Asm
	a.Block(wasm.OpLoop, wasm.NoResult)
	a.U32(wasm.OpLocalGet, 0).I32Const(1).Op(wasm.OpI32Add).U32(wasm.OpLocalTee, 0).Op(wasm.OpDrop)
	a.U32(wasm.OpBr, 0).Op(wasm.OpEnd, wasm.OpEnd)
	return rawModule(&wasm.Module{}, 1, []wasm.ValType{wasm.I32}, a.Bytes())
}
