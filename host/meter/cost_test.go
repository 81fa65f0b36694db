package meter

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// fuelOf runs a program to its end and returns what it burnt.
func fuelOf(t *testing.T, h *host, p *program, cfg Config) int64 {
	t.Helper()
	r := h.plenty().run(t, metered(t, p.bytes(), cfg), "run")
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.fuel
}

func TestBulkInstructionsCostTheirLength(t *testing.T) {
	h := newHost(t)
	fill := func(n int32) []node { return []node{c32(0), c32(1), c32(n), op(wasm.OpMemoryFill)} }
	copying := func(n int32) []node { return []node{c32(0), c32(100), c32(n), op(wasm.OpMemoryCopy)} }
	for _, tt := range []struct {
		name string
		body []node
		want int64
	}{
		{"no bytes", fill(0), 4},
		{"a byte", fill(1), 5},
		{"16 bytes", fill(16), 5},
		{"17 bytes", fill(17), 6},
		{"a page", fill(1 << 16), 4 + 4096},
		{"copy 33 bytes", copying(33), 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := program{memory: 2, funcs: []function{{body: tt.body}}}
			if got := fuelOf(t, h, &p, Config{}); got != tt.want {
				t.Errorf("fuel %d; want %d", got, tt.want)
			}
		})
	}
}

func TestMemoryGrowCostsThePagesItAdds(t *testing.T) {
	h := newHost(t)
	grow := func(n int32) *program {
		return &program{memory: 1, funcs: []function{code(0, c32(n), op(wasm.OpMemoryGrow))}}
	}
	for _, tt := range []struct {
		name  string
		pages int32
		want  int64
	}{
		{"none", 0, 101},
		{"three", 3, 101 + 3*4096},
		{"more than there are", 1 << 17, 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fuelOf(t, h, grow(tt.pages), Config{}); got != tt.want {
				t.Errorf("fuel %d; want %d", got, tt.want)
			}
		})
	}
}

func TestBulkInstructionsThatTrapHaveBeenPaidFor(t *testing.T) {
	h := newHost(t).plenty()
	p := program{memory: 1, funcs: []function{{body: []node{c32(0), c32(0), c32(-1), op(wasm.OpMemoryFill)}}}}
	r := h.run(t, metered(t, p.bytes(), Config{}), "run")
	if want := int64(4 + 1<<28); r.err == nil || r.fuel != want {
		t.Errorf("fuel %d, error %v; want %d and a trap", r.fuel, r.err, want)
	}
}

// tables is a module whose run executes one instruction on tables of 100
// elements, with a passive segment of 3.
func tables(a *wasm.Asm) []byte {
	m := &wasm.Module{}
	empty := m.AddType(nil, nil)
	table := wasm.Table{Type: wasm.FuncRef, Limits: wasm.Limits{Min: 100}}
	m.Tables = []wasm.Table{table, table}
	m.Elems = []wasm.Elem{{Mode: wasm.Passive, Type: wasm.FuncRef, Funcs: []uint32{0, 0, 0}}}
	m.AddFunc(empty, nil, a.Op(wasm.OpEnd).Bytes())
	m.AddExport("run", wasm.KindFunc, 0)
	return m.Encode()
}

func TestTableInstructionsCostTheirElements(t *testing.T) {
	h := newHost(t).plenty()
	null := []byte{0xd0, 0x70} // ref.null func
	three := func() *wasm.Asm { return new(wasm.Asm).I32Const(0).I32Const(0).I32Const(3) }
	for _, tt := range []struct {
		name string
		a    *wasm.Asm
		want int64
	}{
		{"table.init", three().U32(wasm.OpTableInit, 0, 1), 4 + 3},
		{"table.copy", three().U32(wasm.OpTableCopy, 0, 1), 4 + 3},
		{"table.fill", new(wasm.Asm).I32Const(0).Raw(null).I32Const(50).U32(wasm.OpTableFill, 0), 4 + 50},
		{"table.grow", new(wasm.Asm).Raw(null).I32Const(7).U32(wasm.OpTableGrow, 1).Op(wasm.OpDrop), 103 + 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := h.run(t, metered(t, tables(tt.a), Config{}), "run")
			if r.err != nil || r.fuel != tt.want {
				t.Errorf("fuel %d, error %v; want %d", r.fuel, r.err, tt.want)
			}
		})
	}
}

func TestBulkInstructionsCheck(t *testing.T) {
	h := newHost(t)
	p := program{memory: 1024, funcs: []function{code(0,
		c32(0), c32(0), c32(1<<26), op(wasm.OpMemoryFill), c32(0), c32(0), c32(1<<26), op(wasm.OpMemoryFill), c32(0))}}
	h.budget, h.slice = 1_000_000, 1_000
	r := h.run(t, metered(t, p.bytes(), Config{}), "run")
	// The first one is charged, found to be too much, and not executed.
	if want := int64(10 + 1<<22); !errors.Is(r.err, errOutOfFuel) || r.fuel > want {
		t.Errorf("fuel %d, error %v; want at most %d and no fuel left", r.fuel, r.err, want)
	}
}

func TestImportsCostWhatTheConfigSays(t *testing.T) {
	h := newHost(t)
	cfg := Config{Cost: func(module, name string) Cost {
		switch module + "." + name {
		case "env.add":
			return Cost{Base: 2000, Param: 1, Per: 4}
		case "env.one":
			return Cost{Param: 0, Per: 3, Shift: 4}
		default:
			return Cost{Base: 7}
		}
	}}
	direct := program{imports: envImports, funcs: []function{code(0, c32(5), c32(256), call(0))}}
	inTable := program{imports: envImports, table: []int{0}, funcs: []function{
		code(0, c32(5), c32(256), c32(0), callIndirect(2, 1)),
	}}
	tail := program{imports: envImports, funcs: []function{code(0, c32(5), c32(256), opa(wasm.OpReturnCall, 0))}}
	negative := program{imports: envImports, funcs: []function{code(0, c32(5), c32(-1), call(0))}}
	shifted := program{imports: envImports, funcs: []function{code(0, c32(100), call(1))}}
	plain := program{imports: envImports, funcs: []function{{body: []node{call(2), call(2)}}}}
	for _, tt := range []struct {
		name string
		p    *program
		want int64
	}{
		{"called", &direct, 3 + 2000 + 4*256},
		{"called through the table", &inTable, 4 + 2000 + 4*256},
		{"called last", &tail, 3 + 2000 + 4*256},
		{"a length with the top bit set", &negative, 3 + 2000 + 4*(1<<32-1)},
		{"a length in units of 16", &shifted, 2 + 3*6},
		{"a flat price", &plain, 2 + 2*7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fuelOf(t, h, tt.p, cfg); got != tt.want {
				t.Errorf("fuel %d; want %d", got, tt.want)
			}
		})
	}
}

func TestImportsAreNotCalledWithoutFuel(t *testing.T) {
	h := newHost(t)
	p := program{imports: envImports, funcs: []function{code(0, c32(5), c32(6), call(0))}}
	cfg := Config{Cost: func(string, string) Cost { return Cost{Base: 1_000_000} }}
	h.budget, h.slice = 10, 10
	if r := h.run(t, metered(t, p.bytes(), cfg), "run"); !errors.Is(r.err, errOutOfFuel) {
		t.Errorf("ended with %v", r.err)
	}
}

func TestExportedAndStartImportsAreWrapped(t *testing.T) {
	h := newHost(t).plenty()
	m := (&program{imports: envImports, funcs: []function{{}}}).module()
	m.AddExport("direct", wasm.KindFunc, 2)
	start := uint32(2)
	m.Start = &start
	cfg := Config{Cost: func(string, string) Cost { return Cost{Base: 40} }}
	if r := h.run(t, metered(t, m.Encode(), cfg), "direct"); r.err != nil || r.fuel != 80 {
		t.Errorf("fuel %d, error %v; want 40 for the start function and 40 for the call", r.fuel, r.err)
	}
}

func TestRenamedImports(t *testing.T) {
	p := program{imports: []imported{{"lib", "sleep", 2, 1}, {"lib", "wake", 2, 1}}, funcs: []function{
		code(0, c32(1), c32(2), call(0)),
	}}
	m := p.module()
	cfg := Config{
		Rename: map[Import]Import{{"lib", "sleep"}: {"env", "add"}, {"other", "wake"}: {"no", "no"}},
		Cost: func(module, name string) Cost {
			if module == "lib" && name == "sleep" {
				return Cost{Base: 5}
			}
			return Cost{}
		},
	}
	if err := Instrument(m, cfg); err != nil {
		t.Fatal(err)
	}
	got := []Import{}
	for _, imp := range m.Imports {
		got = append(got, Import{imp.Module, imp.Name})
	}
	want := []Import{{"env", "add"}, {"lib", "wake"}, {HostModule, RefuelImport}}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("imports %v; want %v", got, want)
		}
	}
}

func TestTablesAreLimited(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits wasm.Limits
		want   uint32
		err    string
	}{
		{"no maximum", wasm.Limits{Min: 3}, 1000, ""},
		{"a larger one", wasm.Limits{Min: 3, Max: 1 << 27, HasMax: true}, 1000, ""},
		{"a smaller one", wasm.Limits{Min: 3, Max: 5, HasMax: true}, 5, ""},
		{"exactly full", wasm.Limits{Min: 1000}, 1000, ""},
		{"larger from the start", wasm.Limits{Min: 1001}, 0, "meter: table of 1001 elements, at most 1000 are allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := wasm.Table{Type: wasm.FuncRef, Limits: tt.limits}
			m := &wasm.Module{
				Tables:  []wasm.Table{table},
				Imports: []wasm.Import{{Module: "m", Name: "t", Kind: wasm.KindTable, Table: table}},
			}
			err := Instrument(m, Config{MaxTable: 1000})
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Fatalf("error %v; want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range []wasm.Limits{m.Tables[0].Limits, m.Imports[0].Table.Limits} {
				if !got.HasMax || got.Max != tt.want {
					t.Errorf("maximum %d, %t; want %d", got.Max, got.HasMax, tt.want)
				}
			}
		})
	}
}

func TestInstrumentRefuses(t *testing.T) {
	importing := func(module, name string, params int) *wasm.Module {
		return (&program{imports: []imported{{module, name, params, 1}}}).module()
	}
	exporting := &wasm.Module{}
	exporting.AddExport("sandboxd:anything", wasm.KindMemory, 0)
	broken := func(body ...byte) *wasm.Module {
		return &wasm.Module{Funcs: []uint32{0}, Code: []wasm.Code{{Body: body, Offset: 0x100}}}
	}
	for _, tt := range []struct {
		name string
		m    *wasm.Module
		cost Cost
		err  string
	}{
		{"an import of the host's", importing("sandboxd", "refuel", 1), Cost{}, `"sandboxd"."refuel", which is the host's`},
		{"an export of the host's", exporting, Cost{}, `"sandboxd:anything", which is the host's`},
		{"a cost by a parameter that is not there", importing("m", "f", 1), Cost{Param: 1, Per: 1}, "parameter 1, which is not an i32"},
		{"a cost by a negative parameter", importing("m", "f", 1), Cost{Param: -1, Per: 1}, "parameter -1, which is not an i32"},
		{"a cost that could overflow", importing("m", "f", 1), Cost{Base: 1 << 60}, "out of range"},
		{"an unknown instruction", broken(0x41, 0, 0xff, 0x0b), Cost{}, "meter: function 0: decode wasm: offset 0x102: unknown instruction 0xff"},
		{"threads", broken(0xfe, 0x03, 0x00, 0x0b), Cost{}, "offset 0x100: unknown instruction 0xfe03 (threads are not supported)"},
		{"a branch to nowhere", broken(0x0c, 0x01, 0x0b), Cost{}, "offset 0x100: branch to label 1 of 1"},
		{"an else without an if", broken(0x05, 0x0b), Cost{}, "offset 0x100: else without if"},
		{"a second else", broken(0x41, 0, 0x04, 0x40, 0x05, 0x05, 0x0b, 0x0b), Cost{}, "offset 0x105: else without if"},
		{"a block without end", broken(0x02, 0x40, 0x0b), Cost{}, "offset 0x103: function ends inside a block"},
		{"code after the end", broken(0x0b, 0x0b), Cost{}, "offset 0x101: code after the end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Instrument(tt.m, Config{Cost: func(string, string) Cost { return tt.cost }})
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v; want %s", err, tt.err)
			}
		})
	}
	t.Run("too many blocks", func(t *testing.T) {
		deep := []byte(strings.Repeat("\x02\x40", wasm.MaxNesting+1) + strings.Repeat("\x0b", wasm.MaxNesting+2))
		var e *wasm.Error
		if err := Instrument(broken(deep...), Config{}); !errors.As(err, &e) || e.Offset != 0x100+2*wasm.MaxNesting {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a module that is metered", func(t *testing.T) {
		m := (&program{}).module()
		if err := Instrument(m, Config{}); err != nil {
			t.Fatal(err)
		}
		if err := Instrument(m, Config{}); err == nil {
			t.Error("it was instrumented again")
		}
	})
}

// TestCallsOutOfBoundsAreNotMade calls the host's sum with the arguments that a bound
// refuses, and with those next to them.
func TestCallsOutOfBoundsAreNotMade(t *testing.T) {
	h := newHost(t)
	cfg := Config{
		Cost: func(_, name string) Cost {
			if name != "add" {
				return Cost{}
			}
			return Cost{Base: 7, Param: 1, Per: 10}
		},
		Bounds: func(_, name string) []Bound {
			if name != "add" {
				return nil
			}
			return []Bound{{Param: 0, Min: 3, Max: math.MaxUint32, Answer: -58}, {Param: 1, Max: 100, Answer: -37}}
		},
	}
	for _, tt := range []struct {
		name       string
		a, b, want int32
		fuel       int64
	}{
		{"within", 3, 100, 103, 3 + 7 + 1000},
		{"less than the least", 2, 0, -58, 3 + 7},
		{"none", 0, 0, -58, 3 + 7},
		{"the most there is", -1, 1, 0, 3 + 7 + 10},
		{"more than the most", 3, 101, -37, 3 + 7},
		{"far more than the most", 3, -1, -37, 3 + 7},
		{"both", 0, 101, -58, 3 + 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := program{imports: envImports, funcs: []function{code(0, c32(tt.a), c32(tt.b), call(0))}}
			r := h.plenty().run(t, metered(t, p.bytes(), cfg), "run")
			if r.err != nil || !slices.Equal(r.results, []int32{tt.want}) || r.fuel != tt.fuel {
				t.Errorf("got %d for %d fuel, %v; want %d for %d", r.results, r.fuel, r.err, tt.want, tt.fuel)
			}
		})
	}
	for name, bad := range map[string]Bound{
		"a parameter that is none": {Param: 2}, "a parameter before the first": {Param: -1}, "nothing within": {Min: 2, Max: 1},
	} {
		m := (&program{imports: envImports, funcs: []function{code(0, c32(1), c32(2), call(0))}}).module()
		if err := Instrument(m, Config{Bounds: func(string, string) []Bound { return []Bound{bad} }}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
