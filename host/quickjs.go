package host

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/meter"
	"github.com/sandboxd/sandboxd/host/wasm"
)

// quickjs enters QuickJS as quickjs-wasi builds it: a reactor that exports pieces of
// QuickJS and imports what JavaScript calls of the host. Code of ours, the glue, is
// added to the module, so that an entry is one call and no call of the host has to
// call back. runtimes/javascript/host.js is the guest's half of this file.
type quickjs struct {
	host   []byte            // host.js
	order  []string          // the names of the library's files, as they are evaluated
	source map[string][]byte // their contents
}

func newQuickJS(files fs.FS) (driver, error) {
	d := &quickjs{source: map[string][]byte{}}
	var err error
	if d.host, err = fs.ReadFile(files, "host.js"); err != nil {
		return nil, fmt.Errorf("javascript runtime: %w", err)
	}
	order, err := fs.ReadFile(files, "lib/order.txt")
	if err != nil {
		return nil, fmt.Errorf("javascript runtime: %w", err)
	}
	d.order = strings.Fields(string(order))
	for _, name := range d.order {
		if d.source[name], err = fs.ReadFile(files, path.Join("lib", name)); err != nil {
			return nil, fmt.Errorf("javascript runtime: %w", err)
		}
	}
	return d, nil
}

func (d *quickjs) entry() image.Entry {
	return image.Entry{Start: quickjsStart, WarmUp: quickjsWarmUp, Resume: quickjsExecute}
}

func (d *quickjs) library() string { return "" } // the module carries none

func (d *quickjs) content() [][]byte {
	all := [][]byte{d.host, []byte(layoutVersion)}
	for _, code := range d.programs() {
		all = append(all, []byte(code))
	}
	for _, name := range d.order {
		all = append(all, []byte(name), d.source[name])
	}
	// An image knows operations by their numbers.
	for i := range jsOperations {
		all = append(all, []byte(jsOperations[i].name))
	}
	return all
}

func (d *quickjs) adapt(m *wasm.Module) error { return addGlue(m) }

// A reactor looks at no arguments, and the request travels by a host function.
func (d *quickjs) args() []string                         { return nil }
func (d *quickjs) warmUpArgs() []string                   { return nil }
func (d *quickjs) files(*call) map[string]guestfs.Virtual { return map[string]guestfs.Virtual{} }

func (d *quickjs) warmUpFiles(*checkpoint) map[string]guestfs.Virtual {
	return map[string]guestfs.Virtual{}
}

func (d *quickjs) state(c *call) any {
	return &script{driver: d, call: c, open: openAfter(c.gone())}
}

// kept implements keeper. QuickJS has one generator, that of Math.random.
func (d *quickjs) kept(farewell []byte) (kept, error) {
	var told struct {
		Exit *int `json:"exit"`
	}
	if err := json.Unmarshal(farewell, &told); err != nil || told.Exit == nil {
		return kept{}, fmt.Errorf("farewell: %q", farewell)
	}
	return kept{exitCode: *told.Exit & 0xFF, ofImage: true}, nil
}

func (d *quickjs) selfTest() (program, stdout string) {
	return "console.log(process.argv.at(-1), Math.max(1, 45));\nprocess.exit(7);\n", "argument 45\n"
}

// returned judges what the glue gave: 1 when an exception left the library, most
// likely for want of memory.
func (d *quickjs) returned(_ bool, rc uint32) error {
	if rc != 0 {
		return errNoReturn
	}
	return nil
}

func (d *quickjs) outOfMemory(e *GuestError) bool {
	return strings.Contains(e.Message, "out of memory") || strings.Contains(e.Message, "allocation failed")
}

func (d *quickjs) outOfDisk(e *GuestError) bool { return strings.HasPrefix(e.Message, codeNoSpace) }

// target finds the state of Math.random, which every instance needs of its own. The
// warm-up told the last number that it gave, whose 52 bits of fraction are the
// upper ones of the state times a constant; no other place in memory will match.
//
// See js_math_random in QuickJS's quickjs.c, and Vigna, "An experimental exploration
// of Marsaglia's xorshift generators, scrambled".
func (d *quickjs) target(memory []byte, told []byte) (image.Target, error) {
	const multiplier = 0x2545F4914F6CDD1D
	var last struct {
		Random *float64 `json:"random"`
	}
	if err := json.Unmarshal(told, &last); err != nil || last.Random == nil {
		return image.Target{}, fmt.Errorf("checkpoint: it told %q", told)
	}
	fraction := math.Float64bits(*last.Random+1) & (1<<52 - 1)
	var found []image.Range
	for at := 0; at+8 <= len(memory); at += 8 {
		state := binary.LittleEndian.Uint64(memory[at:])
		if state != 0 && state*multiplier>>12 == fraction {
			found = append(found, image.Range{Start: uint32(at), Length: 8}) //nolint:gosec // a 32-bit memory
		}
	}
	if len(found) != 1 {
		return image.Target{}, fmt.Errorf("checkpoint: the state of Math.random may be at %d places", len(found))
	}
	return image.Target{Entropy: found}, nil
}

// functions are what the module imports beside WASI. Only host_call is in use: the
// rest serve C functions that the glue replaces, and answer as if nothing was there.
func (d *quickjs) functions() []hostFunction {
	nothing := func(_ context.Context, _ *instance, stack []uint64) {
		if len(stack) > 0 {
			stack[0] = 0
		}
	}
	all := []hostFunction{{
		name: "host_call", params: "iiiii", results: "i",
		call: func(ctx context.Context, in *instance, stack []uint64) { d.hostCall(ctx, in, stack) },
	}}
	for _, f := range []hostFunction{
		{name: "host_get_timezone_offset", params: "ii", results: "i"}, // 0: the guest lives in UTC
		{name: "host_interrupt", results: "i"},
		{name: "host_promise_rejection", params: "iii"},
		{name: "host_module_normalize", params: "ii", results: "i"},
		{name: "host_module_load", params: "ii", results: "i"},
	} {
		f.call = nothing
		all = append(all, f)
	}
	for i := range all {
		all[i].module, all[i].cost = "env", meter.Cost{Base: 2_000}
	}
	return all
}

// script is what the driver's functions keep of one call.
type script struct {
	driver   *quickjs
	call     *call  // nil during the warm-up
	prepared []byte // the request as the guest reads it, once it was prepared
	open     openFiles
	tools    toolCalls
	asked    bool   // for the compiler of TypeScript
	answer   []byte // what the guest fetches next
}

// What a host call's result says: a number, or that there is so much to fetch, to be
// taken for this or that.
const (
	replyNumber  = iota
	replyNothing // undefined
	replyJSON
	replyBytes // an ArrayBuffer
	replyText  // a string

	replyShift = 28
	replySize  = 1<<replyShift - 1
)

// Operations that only the glue can ask for, which cuts what programs ask for down
// to opMask.
const (
	opMask  = 0xFF
	opFetch = 0x100 // copies the answer to text
	opBoot  = 0x101 // prepares host.js as the answer, with its name before it
)

// hostName is what host.js is called in stack traces.
const hostName = "node:internal/host"

// reply is what an operation gives.
type reply struct {
	kind   int
	number int
	data   []byte
}

func (r reply) encode() uint64 {
	n := len(r.data)
	if r.kind == replyNumber {
		n = r.number
	}
	return uint64(r.kind)<<replyShift | uint64(n)&replySize //nolint:gosec // bounded by the operations
}

// failure is a refusal as JavaScript sees it: an error with a code.
type failure struct{ code, text string }

func (f *failure) Error() string { return f.code + ": " + f.text }

// hostCall is the one function that JavaScript calls: an operation, a text and
// some bytes go in, and what it gives is fetched by another call, because only the
// guest can make room for it.
//
// A hostile guest chooses all five numbers. The operation is looked up, addresses and
// lengths are checked against its memory; an operation keeps nothing of what it is
// given, and bounds what it reads, allocates and waits for, as each of them says. A
// call cannot come back while another one runs: none calls the guest.
func (d *quickjs) hostCall(ctx context.Context, in *instance, stack []uint64) {
	s, ok := in.state.(*script)
	if !ok { // the warm-up has no call
		s = &script{driver: d}
		in.state = s
	}
	op := uint32(stack[0]) //nolint:gosec // wasm i32
	memory := in.mod.Memory()
	text, ok1 := memory.Read(uint32(stack[1]), uint32(stack[2])) //nolint:gosec // wasm i32
	view, ok2 := memory.Read(uint32(stack[3]), uint32(stack[4])) //nolint:gosec // wasm i32
	switch {
	case !ok1 || !ok2:
		stack[0] = s.refuse(&failure{"EFAULT", "bad address"})
	case op == opFetch:
		in.moved(copy(text, s.answer))
		s.answer = nil
		stack[0] = 0
	case op == opBoot:
		s.answer = bytes.Join([][]byte{[]byte(hostName), d.host}, []byte{0})
		stack[0] = reply{kind: replyText, data: s.answer}.encode()
	default:
		stack[0] = s.ask(ctx, in, op, text, view)
	}
}

// ask runs an operation.
func (s *script) ask(ctx context.Context, in *instance, op uint32, text, view []byte) uint64 {
	if int(op) >= len(jsOperations) {
		return s.refuse(&failure{"ENOSYS", "function not implemented"})
	}
	o := &jsOperations[op]
	in.denial = 0
	in.pay(ctx, o.cost+o.perByte*uint64(len(text)+len(view))+uint64(len(text))/16)
	r, err := o.run(ctx, in, s, text, view)
	if err != nil {
		return s.refuse(err)
	}
	if len(r.data) > maxReply {
		return s.refuse(&failure{"ENOMEM", "the answer is too large"})
	}
	s.answer = r.data
	return r.encode()
}

// maxReply is the most an operation gives at once, in bytes: a request with the
// largest program, all of it escaped.
const maxReply = 6*MaxCode + 4<<20

// refuse answers with a list, which host.js throws as an error.
func (s *script) refuse(err error) uint64 {
	f := &failure{"EIO", "input/output error"}
	errors.As(err, &f)
	r := replyWith([]string{f.code, f.text})
	s.answer = r.data
	return r.encode()
}

// replyWith encodes a value that JSON can hold.
func replyWith(value any) reply {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err) // the types are ours; floats are finite
	}
	return reply{kind: replyJSON, data: b.Bytes()}
}

// pay takes n fuel for work that is about to be done, and ends the guest if it has
// not that much left or its time is up.
func (in *instance) pay(ctx context.Context, n uint64) {
	in.fuel.charge(n)
	if left := int64(in.fuel.counter.Get()); left < 0 { //nolint:gosec // the counter is signed
		in.fuel.counter.Set(uint64(in.refuel(ctx, left))) //nolint:gosec // two's complement both ways
	}
}
