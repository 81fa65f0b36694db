package meter

import (
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// TestTheHostAmendsResultsThatAreNotZero calls the host's sum, by every way there is.
func TestTheHostAmendsResultsThatAreNotZero(t *testing.T) {
	h := newHost(t).plenty()
	only := func(name string) func(string, string) bool {
		return func(module, function string) bool { return module == "env" && function == name }
	}
	sum := func(a, b int32) program {
		return program{imports: envImports, funcs: []function{code(0, c32(a), c32(b), call(0))}}
	}
	inTable := program{imports: envImports, table: []int{0}, funcs: []function{
		code(0, c32(5), c32(2), c32(0), callIndirect(2, 1)),
	}}
	last := program{imports: envImports, funcs: []function{code(0, c32(5), c32(2), opa(wasm.OpReturnCall, 0))}}
	some, none := sum(5, 2), sum(5, -5)
	another := program{imports: envImports, funcs: []function{code(0, c32(7), call(1))}}
	for _, tt := range []struct {
		name  string
		p     *program
		amend func(module, name string) bool
		want  int32
	}{
		{"a result", &some, only("add"), 1007},
		{"a result of a function in a table", &inTable, only("add"), 1007},
		{"a result of a tail call", &last, only("add"), 1007},
		{"zero is left alone", &none, only("add"), 0},
		{"another function is left alone", &another, only("add"), 7},
		{"nothing is amended unless it is asked for", &some, nil, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plain := fuelOf(t, h, tt.p, Config{})
			r := h.plenty().run(t, metered(t, tt.p.bytes(), Config{Amend: tt.amend}), "run")
			if r.err != nil || !slices.Equal(r.results, []int32{tt.want}) {
				t.Errorf("gives %v, %v; want %d", r.results, r.err, tt.want)
			}
			if r.fuel != plain {
				t.Errorf("fuel %d, %d when nothing is amended", r.fuel, plain)
			}
		})
	}
}

func TestOnlyNumbersCanBeAmended(t *testing.T) {
	p := program{imports: envImports, funcs: []function{{body: []node{call(2)}}}}
	m := p.module()
	err := Instrument(m, Config{Amend: func(string, string) bool { return true }})
	if err == nil || !strings.Contains(err.Error(), `import "env"."none": cannot amend`) {
		t.Errorf("gives %v", err)
	}
}
