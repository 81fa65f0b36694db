package meter

import (
	"fmt"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// graph is the direct calls between the functions a module defines, numbered
// as in m.Code.
type graph struct {
	callees []uint32 // of all functions, one after the other, in the order of their calls
	first   []int    // where those of each begin, and the end of all
	// back marks the calls that may close a cycle: each cycle has one.
	back []bool
}

// newGraph finds the direct calls. Those of imports, the first functions in
// number, are left out.
func newGraph(m *wasm.Module, imported uint32) (*graph, error) {
	g := &graph{first: make([]int, 1, len(m.Code)+1)}
	for i := range m.Code {
		code := &m.Code[i]
		r := wasm.NewReader(code.Body, code.Offset)
		for r.Next() {
			if r.Op != wasm.OpCall && r.Op != wasm.OpReturnCall {
				continue
			}
			if f, ok := defined(&r.Instr, imported, len(m.Code)); ok {
				g.callees = append(g.callees, f)
			}
		}
		if err := r.Err(); err != nil {
			return nil, fmt.Errorf("meter: function %d: %w", int(imported)+i, err)
		}
		g.first = append(g.first, len(g.callees))
	}
	g.back = make([]bool, len(g.callees))
	return g, nil
}

// defined returns the place in m.Code of the function that a direct call calls,
// if it is there.
func defined(in *wasm.Instr, imported uint32, count int) (uint32, bool) {
	f := in.A - uint64(imported)        // wraps around for imports
	return uint32(f), f < uint64(count) //nolint:gosec // below count, or unused
}

// States of a function in walk.
const (
	unseen = iota
	active // some of its callees are not done
	done
)

// walk calls do for each function, after all its callees but those of marked
// calls, which it marks on the way. It is a depth-first search, with a stack of
// its own because the depth is the module's to choose: a call of a function
// that is still active closes a cycle.
func (g *graph) walk(do func(index int) error) error {
	n := len(g.first) - 1
	state := make([]byte, n)
	next := make([]int, n) // the next callee to look at
	var path []int
	for root := range n {
		if state[root] != unseen {
			continue
		}
		for path = append(path, root); len(path) > 0; {
			f := path[len(path)-1]
			if state[f] == unseen {
				state[f], next[f] = active, g.first[f]
			}
			if next[f] == g.first[f+1] {
				state[f] = done
				path = path[:len(path)-1]
				if err := do(f); err != nil {
					return err
				}
				continue
			}
			callee := int(g.callees[next[f]])
			switch state[callee] {
			case unseen:
				path = append(path, callee)
			case active:
				g.back[next[f]] = true
			}
			next[f]++
		}
	}
	return nil
}
