package meter

import (
	"fmt"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// bounds limit what runs without a check, in instructions. Loops check each
// time around, and calls that may recur each time they are made. Together they
// bound how long the host waits for its turn, however a module is made;
// well-behaved code seldom comes near them.
type bounds struct {
	// unchecked is about how many may be executed on any path between checks,
	// within a function and those it calls.
	unchecked int
	// unwinding, less than unchecked, is how many may follow the return of a
	// call that may recur. It is multiplied by the depth of the stack when a
	// recursion unwinds.
	unwinding int
	// ahead is how many may be charged before a block for what follows it.
	ahead uint64
}

// usual bounds keep the worst case to milliseconds on one stack frame, and to
// a fraction of a second when the deepest stack unwinds.
func usual() bounds { return bounds{unchecked: 50_000, unwinding: 500, ahead: 4096} }

// chunkSize is the size of the buffers that hold new bodies.
const chunkSize = 1 << 20

// rewriter rewrites the bodies of all functions.
//
// Functions do not check the fuel just because they are called: the little
// functions that compilers emit by the thousand leave that to their callers. To
// know the work of a function before that of its callers, callees come first.
type rewriter struct {
	*instrumenter
	analysis
	graph *graph
	work  []int // of each function that is done: what a call adds to analysis.since
	calls int   // the next call in graph
	out   wasm.Asm
	chunk []byte
}

func (in *instrumenter) bodies() error {
	g, err := newGraph(in.m, in.imported)
	if err != nil {
		return err
	}
	w := &rewriter{instrumenter: in, graph: g, work: make([]int, len(in.m.Code))}
	w.analysis.bounds, w.call = in.bounds, w.nextCall
	return g.walk(w.body)
}

// nextCall implements analysis.call. Imports check for themselves.
func (w *rewriter) nextCall(in *wasm.Instr) (work int, cyclic bool) {
	f, ok := defined(in, w.imported, len(w.work))
	if !ok {
		return 0, false
	}
	w.calls++
	return w.work[f], w.graph.back[w.calls-1]
}

// body rewrites the function at an index of m.Code.
func (w *rewriter) body(index int) error {
	code := &w.m.Code[index]
	w.calls = w.graph.first[index]
	if err := w.run(code); err != nil {
		return w.errorIn(index, err)
	}
	w.work[index] = w.peak
	w.out.Reset()
	w.emit(&w.out, code, w.edits)
	code.Body = w.keep(w.out.Bytes())
	return nil
}

func (in *instrumenter) errorIn(index int, err error) error {
	return fmt.Errorf("meter: function %d: %w", int(in.imported)+index, err)
}

// keep copies a body to memory of its own.
func (w *rewriter) keep(body []byte) []byte {
	if len(body) > cap(w.chunk)-len(w.chunk) {
		w.chunk = make([]byte, 0, max(chunkSize, len(body)))
	}
	start := len(w.chunk)
	w.chunk = append(w.chunk, body...)
	return w.chunk[start:len(w.chunk):len(w.chunk)]
}
