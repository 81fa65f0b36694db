package meter

import (
	"fmt"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// editKind says what happens at a place in a body.
type editKind byte

const (
	editCharge   editKind = iota // charge a group
	editCheck                    // charge a group and check
	editCall                     // renumber the function of call, return_call or ref.func
	editBytes                    // charge for the bytes a bulk instruction will touch
	editElements                 // charge for the elements
	editGrow                     // charge for memory.grow
)

// edit is one change to a body: the bytes from start to end give way to
// something new. arg is the fuel to charge or the function.
type edit struct {
	start, end int
	kind       editKind
	arg        uint64
}

// frame is an open block.
type frame struct {
	op    wasm.Opcode
	group int // the group the block began in
	// out is the index of the outermost frame that a branch inside the block
	// leads to; below the frame's own, the block can be left other than by its
	// end.
	out int
	// joined says that a branch leads to the end of the block.
	joined bool
	dead   bool // the block as a whole cannot be reached
	// since is analysis.since where branches reach the end, at most;
	// otherwise is the same where the block begins.
	since, otherwise int
}

// analysis finds the groups of a function and everything to rewrite.
//
// A group is a set of instructions that are executed equally often each time
// control reaches the first of them: a basic block, and those after it that
// must follow. Consider "A if B end C": whenever A runs, C does, however the
// condition turns out, unless B branches somewhere else. A and C are one group
// and charged together, before A; B is another.
//
// The analysis reuses its memory from function to function.
type analysis struct {
	bounds bounds
	edits  []edit
	frames []frame
	group  int // index of the edit that charges the current group
	dead   bool
	// since is the most instructions executed since a check, on any path to
	// the current place, counting those of the functions called.
	since int
	// peak is the greatest value that since had.
	peak int
	// call returns what the next direct call of the function does.
	call func(*wasm.Instr) (work int, cyclic bool)
}

// Prices of instructions that make wazero leave machine code for Go, as many
// instructions as their time would buy (measured with wazero 1.12).
const (
	priceOfGo = 100
	// priceOfTry is for a stack that is not deep: wazero copies all of it.
	priceOfTry = 4000
)

// price returns the fuel for one instruction, without what depends on operands.
func price(op wasm.Opcode) int {
	switch op {
	case wasm.OpNop, wasm.OpBlock, wasm.OpLoop, wasm.OpElse, wasm.OpEnd:
		return 0 // these structure the code and leave nothing in machine code
	case wasm.OpMemoryGrow, wasm.OpTableGrow, wasm.OpRefFunc:
		return priceOfGo
	case wasm.OpTryTable, wasm.OpThrow, wasm.OpThrowRef:
		return priceOfTry
	default:
		return 1
	}
}

func (a *analysis) run(code *wasm.Code) error {
	*a = analysis{bounds: a.bounds, edits: a.edits[:0], frames: a.frames[:0], call: a.call}
	a.begin(0)
	a.push(frame{op: wasm.OpBlock})
	r := wasm.NewReader(code.Body, code.Offset)
	for r.Next() {
		if len(a.frames) == 0 {
			return &wasm.Error{Offset: code.Offset + r.Start, Msg: "code after the end of the function"}
		}
		if err := a.instr(&r.Instr); err != nil {
			return &wasm.Error{Offset: code.Offset + r.Start, Msg: err.Error()}
		}
		if a.since > a.bounds.unchecked && !a.dead && len(a.frames) > 0 {
			a.checkHere(r.End)
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if len(a.frames) > 0 {
		return &wasm.Error{Offset: code.Offset + len(code.Body), Msg: "function ends inside a block"}
	}
	return nil
}

// begin starts a new group at a place in the body.
func (a *analysis) begin(pos int) {
	a.group = len(a.edits)
	a.edits = append(a.edits, edit{start: pos, end: pos, kind: editCharge})
}

// checkHere has the current group charged with a check, in a new group unless
// it begins here.
func (a *analysis) checkHere(pos int) {
	if e := &a.edits[a.group]; e.start != pos || a.group != len(a.edits)-1 {
		a.begin(pos)
	}
	a.edits[a.group].kind = editCheck
	a.since = 0
}

// spend counts work at the current place, in instructions.
func (a *analysis) spend(n int) {
	a.since += n
	a.peak = max(a.peak, a.since)
}

func (a *analysis) instr(in *wasm.Instr) error {
	if n := price(in.Op); !a.dead && n > 0 {
		a.edits[a.group].arg += uint64(n) //nolint:gosec // not negative
		a.spend(n)
	}
	switch in.Op {
	case wasm.OpBlock, wasm.OpTryTable, wasm.OpLoop, wasm.OpIf:
		return a.open(in)
	case wasm.OpElse:
		return a.alternative(in)
	case wasm.OpEnd:
		a.close(in)
	case wasm.OpBr, wasm.OpBrTable:
		if err := a.branch(in); err != nil {
			return err
		}
		a.dead = true
	case wasm.OpBrIf, wasm.OpBrOnNull, wasm.OpBrOnNonNull:
		if err := a.branch(in); err != nil {
			return err
		}
		if !a.dead {
			a.begin(in.End)
		}
	case wasm.OpUnreachable:
		a.dead = true
	case wasm.OpReturn, wasm.OpThrow, wasm.OpThrowRef:
		a.leave()
	case wasm.OpReturnCallIndirect, wasm.OpReturnCallRef:
		a.cyclic()
		a.leave()
	case wasm.OpReturnCall:
		a.direct(in)
		a.leave()
	default:
		a.straight(in)
	}
	return nil
}

// straight handles the instructions that do not branch but must change.
func (a *analysis) straight(in *wasm.Instr) {
	switch in.Op {
	case wasm.OpCall:
		a.direct(in)
	case wasm.OpCallIndirect, wasm.OpCallRef:
		a.cyclic()
	case wasm.OpRefFunc:
		a.rewrite(in, editCall)
	case wasm.OpMemoryGrow:
		a.rewrite(in, editGrow)
	case wasm.OpMemoryFill, wasm.OpMemoryCopy, wasm.OpMemoryInit:
		a.rewrite(in, editBytes)
	case wasm.OpTableFill, wasm.OpTableCopy, wasm.OpTableInit, wasm.OpTableGrow:
		a.rewrite(in, editElements)
	default:
	}
}

// direct handles call and return_call.
func (a *analysis) direct(in *wasm.Instr) {
	a.rewrite(in, editCall)
	work, cyclic := a.call(in)
	switch {
	case a.dead:
	case cyclic:
		a.cyclic()
	default:
		a.spend(work)
	}
}

// cyclic handles a call that may lead back here: it must not happen without a
// check. Returning from a deep recursion does not check, so that what follows
// may not take long until it does.
func (a *analysis) cyclic() {
	if a.dead {
		return
	}
	a.edits[a.group].kind = editCheck
	if rest := a.bounds.unchecked - a.bounds.unwinding; a.since < rest {
		a.spend(rest - a.since)
	}
}

// rewrite records a change of an instruction. Unreachable code changes too: it
// must stay valid.
func (a *analysis) rewrite(in *wasm.Instr, kind editKind) {
	e := edit{start: in.Start, end: in.End, kind: kind, arg: in.A}
	if kind == editBytes || kind == editElements {
		e.end = e.start // something is put before it
	}
	a.edits = append(a.edits, e)
}

func (a *analysis) open(in *wasm.Instr) error {
	if len(a.frames) > wasm.MaxNesting {
		return fmt.Errorf("blocks nested deeper than %d", wasm.MaxNesting)
	}
	f := frame{op: in.Op, group: a.group, dead: a.dead, otherwise: a.since}
	if !a.dead && (in.Op == wasm.OpLoop || in.Op == wasm.OpIf) {
		a.begin(in.End)
	}
	if !a.dead && in.Op == wasm.OpLoop {
		a.checkHere(in.End)
	}
	if in.Op == wasm.OpTryTable {
		return a.try(in, f)
	}
	a.push(f)
	return nil
}

// try opens a try_table, whose clauses branch from wherever its body throws,
// whatever was executed until then.
func (a *analysis) try(in *wasm.Instr, f frame) error {
	if !a.dead {
		a.spend(max(0, a.bounds.unchecked-a.since))
	}
	if err := a.branch(in); err != nil {
		return err
	}
	a.since = f.otherwise
	a.push(f)
	a.leaveTo(len(a.frames) - 2)
	return nil
}

// join records that a branch leads to the end of the block.
func (f *frame) join(since int) {
	f.joined = true
	f.since = max(f.since, since)
}

func (a *analysis) push(f frame) {
	f.out = len(a.frames)
	a.frames = append(a.frames, f)
}

func (a *analysis) alternative(in *wasm.Instr) error {
	f := &a.frames[len(a.frames)-1]
	if f.op != wasm.OpIf {
		return fmt.Errorf("else without if")
	}
	f.op = wasm.OpElse
	if !a.dead {
		f.join(a.since)
	}
	a.dead, a.since = f.dead, f.otherwise
	if !a.dead {
		a.begin(in.End)
	}
	return nil
}

func (a *analysis) close(in *wasm.Instr) {
	depth := len(a.frames) - 1
	f := a.frames[depth]
	a.frames = a.frames[:depth]
	if depth > 0 {
		parent := &a.frames[depth-1]
		parent.out = min(parent.out, f.out)
	}
	if f.dead {
		a.dead = true
		return
	}
	if f.op == wasm.OpIf { // what the missing else would do
		f.join(f.otherwise)
	}
	fallsIn := !a.dead
	a.dead = a.dead && !f.joined
	switch {
	case f.joined && fallsIn:
		a.since = max(a.since, f.since)
	case f.joined:
		a.since = f.since
	}
	switch {
	case a.dead, depth == 0:
	case f.out == depth && a.edits[f.group].arg < a.bounds.ahead:
		a.group = f.group
	case fallsIn && !f.joined:
		// Reached only from the instruction before it.
	default:
		a.begin(in.End)
	}
}

// branch records where a branch may go.
func (a *analysis) branch(in *wasm.Instr) error {
	for label := range in.Labels() {
		if int(label) >= len(a.frames) {
			return fmt.Errorf("branch to label %d of %d", label, len(a.frames))
		}
		if a.dead {
			continue
		}
		target := len(a.frames) - 1 - int(label)
		a.leaveTo(target)
		if f := &a.frames[target]; f.op != wasm.OpLoop {
			f.join(a.since)
		}
	}
	return nil
}

// leave ends the current path by leaving the function.
func (a *analysis) leave() {
	if !a.dead {
		a.leaveTo(0)
	}
	a.dead = true
}

// leaveTo records that control may leave the current block for the one at a
// depth. Enclosing blocks learn of it when the current one closes.
func (a *analysis) leaveTo(depth int) {
	f := &a.frames[len(a.frames)-1]
	f.out = min(f.out, depth)
}
