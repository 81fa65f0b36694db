package meter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/sandboxd/sandboxd/host/wasm"
)

var errTrap = errors.New("trap")

// interp is the reference interpreter. It walks the tree, counts one for each
// instruction it executes, and charges bulk instructions by length.
type interp struct {
	*program
	state []int32 // globals
	mem   []byte
	count int64
	depth int
}

// Where control goes after an instruction.
const (
	goOn   = -1 // to the next one
	goBack = -2 // out of the function
	// otherwise, to the label of that depth
)

func interpret(p *program, args []int32) (results []int32, count int64, err error) {
	in := &interp{program: p, state: make([]int32, p.globals), mem: make([]byte, p.memory<<16)}
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(error); !ok || !errors.Is(e, errTrap) {
				panic(r)
			}
			results, count, err = nil, in.count, errTrap
		}
	}()
	return in.call(len(p.imports), args), in.count, nil
}

// activation is a running function.
type activation struct {
	locals []int32
	stack  []int32
	// tail is the function to call in place of this one, with the stack.
	tail int
}

func (c *activation) pop() int32 {
	v := c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
	return v
}

func (c *activation) push(v int32) { c.stack = append(c.stack, v) }

// keep drops what lies between height and the top n values.
func (c *activation) keep(height, n int) {
	c.stack = append(c.stack[:height], c.stack[len(c.stack)-n:]...)
}

func (in *interp) call(index int, args []int32) []int32 {
	if in.depth++; in.depth > 500 {
		panic(fmt.Errorf("too deep: %w", errTrap))
	}
	defer func() { in.depth-- }()
	for {
		if index < len(in.imports) {
			return in.host(&in.imports[index], args)
		}
		f := &in.funcs[index-len(in.imports)]
		c := &activation{locals: slices.Concat(args, make([]int32, f.locals)), tail: -1}
		in.body(c, f.body)
		if c.tail < 0 {
			return slices.Clone(c.stack[len(c.stack)-f.results:])
		}
		index = c.tail
		args = slices.Clone(c.stack)
	}
}

func (in *interp) host(imp *imported, args []int32) []int32 {
	var sum int32
	for _, v := range args {
		sum += v
	}
	return slices.Repeat([]int32{sum}, imp.results)
}

func (in *interp) body(c *activation, body []node) int {
	for i := range body {
		if to := in.node(c, &body[i]); to != goOn {
			return to
		}
	}
	return goOn
}

// structure runs a block, and returns where control goes after it.
func (in *interp) structure(c *activation, n *node, body []node) int {
	height := len(c.stack) - n.params
	for {
		to := in.body(c, body)
		switch {
		case to == 0 && n.op == wasm.OpLoop:
			c.keep(height, n.params)
		case to == 0:
			c.keep(height, n.results)
			return goOn
		case to > 0:
			return to - 1
		default:
			return to
		}
	}
}

func (in *interp) node(c *activation, n *node) int {
	switch n.op {
	case wasm.OpBlock, wasm.OpLoop:
		return in.structure(c, n, n.body)
	case wasm.OpNop:
		return goOn
	default:
	}
	in.count++
	switch n.op {
	case wasm.OpIf:
		if c.pop() != 0 {
			return in.structure(c, n, n.body)
		}
		return in.structure(c, n, n.other)
	case wasm.OpBr:
		return int(n.a)
	case wasm.OpBrIf:
		if c.pop() != 0 {
			return int(n.a)
		}
	case wasm.OpBrTable:
		i := uint32(c.pop())
		return n.labels[min(i, uint32(len(n.labels)-1))]
	case wasm.OpReturn:
		return goBack
	case wasm.OpUnreachable:
		panic(errTrap)
	default:
		return in.calls(c, n)
	}
	return goOn
}

func (in *interp) signature(index int) (params, results int) {
	if index < len(in.imports) {
		return in.imports[index].params, in.imports[index].results
	}
	f := &in.funcs[index-len(in.imports)]
	return f.params, f.results
}

func (in *interp) calls(c *activation, n *node) int {
	index := int(n.a)
	switch n.op {
	case wasm.OpCall, wasm.OpReturnCall:
	case wasm.OpCallIndirect, wasm.OpReturnCallIndirect:
		i := uint32(c.pop())
		if uint64(i) >= uint64(len(in.table)) {
			panic(errTrap)
		}
		index = in.table[i]
		if p, r := in.signature(index); p != n.params || r != n.results {
			panic(errTrap)
		}
	default:
		in.plain(c, n)
		return goOn
	}
	params, _ := in.signature(index)
	args := slices.Clone(c.stack[len(c.stack)-params:])
	if n.op == wasm.OpReturnCall || n.op == wasm.OpReturnCallIndirect {
		c.tail, c.stack = index, args
		return goBack
	}
	c.stack = append(c.stack[:len(c.stack)-params], in.call(index, args)...)
	return goOn
}

func truth(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

func (in *interp) plain(c *activation, n *node) {
	switch n.op {
	case wasm.OpI32Const:
		c.push(n.a)
	case wasm.OpLocalGet:
		c.push(c.locals[n.a])
	case wasm.OpLocalSet:
		c.locals[n.a] = c.pop()
	case wasm.OpLocalTee:
		c.locals[n.a] = c.stack[len(c.stack)-1]
	case wasm.OpGlobalGet:
		c.push(in.state[n.a])
	case wasm.OpGlobalSet:
		in.state[n.a] = c.pop()
	case wasm.OpDrop:
		c.pop()
	case wasm.OpSelect:
		cond, b, a := c.pop(), c.pop(), c.pop()
		if cond == 0 {
			a = b
		}
		c.push(a)
	case wasm.OpI32Eqz:
		c.push(truth(c.pop() == 0))
	case wasm.OpI32Load:
		at := int(uint32(c.pop())) + int(n.a)
		if at+4 > len(in.mem) {
			panic(errTrap)
		}
		c.push(int32(binary.LittleEndian.Uint32(in.mem[at:])))
	case wasm.OpI32Store:
		v, at := c.pop(), int(uint32(c.pop()))+int(n.a)
		if at+4 > len(in.mem) {
			panic(errTrap)
		}
		binary.LittleEndian.PutUint32(in.mem[at:], uint32(v))
	case wasm.OpMemorySize:
		c.push(int32(len(in.mem) >> 16))
	case wasm.OpMemoryFill, wasm.OpMemoryCopy:
		in.bulk(c, n)
	default:
		in.binary(c, n)
	}
}

func (in *interp) bulk(c *activation, n *node) {
	size, second, to := int(uint32(c.pop())), c.pop(), int(uint32(c.pop()))
	in.count += int64(size+15) / 16
	if to+size > len(in.mem) {
		panic(errTrap)
	}
	if n.op == wasm.OpMemoryCopy {
		from := int(uint32(second))
		if from+size > len(in.mem) {
			panic(errTrap)
		}
		copy(in.mem[to:to+size], in.mem[from:from+size])
		return
	}
	for i := range size {
		in.mem[to+i] = byte(second)
	}
}

func (in *interp) binary(c *activation, n *node) {
	b, a := c.pop(), c.pop()
	switch n.op {
	case wasm.OpI32Add:
		c.push(a + b)
	case wasm.OpI32Sub:
		c.push(a - b)
	case wasm.OpI32Mul:
		c.push(a * b)
	case wasm.OpI32And:
		c.push(a & b)
	case wasm.OpI32Xor:
		c.push(a ^ b)
	case wasm.OpI32Eq:
		c.push(truth(a == b))
	case wasm.OpI32Ne:
		c.push(truth(a != b))
	case wasm.OpI32LtS:
		c.push(truth(a < b))
	case wasm.OpI32LtU:
		c.push(truth(uint32(a) < uint32(b)))
	default:
		panic(fmt.Sprintf("the interpreter lacks %#x", n.op))
	}
}
