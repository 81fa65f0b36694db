package host

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/sandboxd/sandboxd/host/meter"
)

// namespace is the module name of sandboxd's own host functions. A guest cannot
// import it: metering refuses modules that try.
const namespace = "sandboxd"

const wasiNamespace = "wasi_snapshot_preview1"

// owned are the WASI functions that sandboxd answers itself, because wazero's
// are wrong for a hostile guest. Modules keep importing the WASI names: the
// metering pass renames them.
var owned = []hostFunction{
	{name: "poll_oneoff", params: "iiii", results: "i", call: pollOneoff},
	{name: "random_get", params: "ii", results: "i", call: randomGet},
	{name: "proc_exit", params: "i", call: procExit},
	{name: "fd_renumber", params: "ii", results: "i", call: fdRenumber},
}

// ownedLogs are the functions by which plugins write to Extism's log. There is none,
// and Extism would copy what they want to say, however long.
var ownedLogs = []hostFunction{
	{name: "log_debug", params: "I", call: logNothing},
	{name: "log_error", params: "I", call: logNothing},
	{name: "log_info", params: "I", call: logNothing},
	{name: "log_trace", params: "I", call: logNothing},
	{name: "log_warn", params: "I", call: logNothing},
}

func logNothing(context.Context, *instance, []uint64) {}

// renames is what the metering pass must rename for [owned] and [ownedLogs] to take
// effect.
func renames() map[meter.Import]meter.Import {
	names := make(map[meter.Import]meter.Import, len(owned)+len(ownedLogs))
	for _, f := range owned {
		names[meter.Import{Module: wasiNamespace, Name: f.name}] = meter.Import{Module: namespace, Name: f.name}
	}
	for _, f := range ownedLogs {
		names[meter.Import{Module: extismNamespace, Name: f.name}] = meter.Import{Module: namespace, Name: f.name}
	}
	return names
}

// amends says which functions' error numbers the host looks at before the guest
// does: those that the engine answers from guestfs, whose reasons it has no numbers
// for. A guest reaches [guestfs.FS.Amend] by failing calls only, and pays for those.
func amends(module, name string) bool {
	return module == wasiNamespace && (strings.HasPrefix(name, "fd_") || strings.HasPrefix(name, "path_"))
}

// hostFunction is a function that guests call. Its parameters and results are
// written as one letter each: i for i32, I for i64,
// F for f64.
type hostFunction struct {
	module          string // that the guest imports it from; empty for [namespace]
	name            string
	params, results string
	call            func(ctx context.Context, in *instance, stack []uint64)
	// cost is what a call takes in fuel, for a driver's own; see [hostCost] for the
	// others.
	cost meter.Cost
}

// extismFunctions are sandboxd's host functions and a driver's own in Extism's form.
func extismFunctions(own []hostFunction) []extism.HostFunction {
	refuel := hostFunction{name: meter.RefuelImport, params: "I", results: "I", call: func(ctx context.Context, in *instance, stack []uint64) {
		stack[0] = api.EncodeI64(in.refuel(ctx, int64(stack[0]))) //nolint:gosec // the counter is signed
	}}
	amend := hostFunction{name: meter.AmendImport, params: "i", results: "i", call: func(_ context.Context, in *instance, stack []uint64) {
		stack[0] = uint64(in.files.Amend(uint32(stack[0]))) //nolint:gosec // wasm i32
	}}
	functions := slices.Concat([]hostFunction{refuel, amend}, owned, ownedLogs, own)
	all := make([]extism.HostFunction, 0, len(functions))
	for _, f := range functions {
		hf := extism.NewHostFunctionWithStack(f.name, func(ctx context.Context, _ *extism.CurrentPlugin, stack []uint64) {
			in := instanceOf(ctx)
			defer in.contain(f.name)
			f.call(ctx, in, stack)
		}, valueTypes(f.params), valueTypes(f.results))
		hf.SetNamespace(cmp.Or(f.module, namespace))
		all = append(all, hf)
	}
	return all
}

// costs is [hostCost], and beside it what a driver's own functions cost.
func costs(own []hostFunction) func(module, name string) meter.Cost {
	return func(module, name string) meter.Cost {
		for _, f := range own {
			if f.module == module && f.name == name {
				return f.cost
			}
		}
		return hostCost(module, name)
	}
}

// contain records a bug of ours as ours. Without it the engine would report any
// panic of a host function as the guest's failure, with a Go stack trace.
func (in *instance) contain(function string) {
	switch r := recover().(type) {
	case nil:
	case *sys.ExitError:
		panic(r)
	default:
		in.end(ending{status: StatusInternal, err: fmt.Errorf("%s: %v\n%s", function, r, debug.Stack())})
	}
}

func valueTypes(letters string) []api.ValueType {
	types := make([]api.ValueType, len(letters))
	for i, c := range letters {
		types[i] = api.ValueTypeI32
		switch c {
		case 'I':
			types[i] = api.ValueTypeI64
		case 'F':
			types[i] = api.ValueTypeF64
		}
	}
	return types
}

// WASI error numbers that the functions here answer with.
// See https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#errno
const (
	errnoSuccess = 0
	errnoFault   = 21
	errnoInval   = 28
	errnoNotsup  = 58
	errnoTooLong = 37
)

// procExit ends the guest with an exit code of its choice. Any number may come,
// also one that the engine gives a meaning of its own, so the code is recorded
// here and the engine's report of it is ignored. As in POSIX, 8 bits count.
func procExit(_ context.Context, in *instance, stack []uint64) {
	in.end(ending{status: StatusOK, exitCode: int(stack[0] & 0xFF)})
}

// fdRenumber refuses. The engine's own lets a guest name any descriptor number
// and allocates a table up to it, 16 GiB from a module of 231 bytes; nothing
// that is written for WASI preview 1 needs it, since it has no dup2.
func fdRenumber(_ context.Context, _ *instance, stack []uint64) {
	stack[0] = errnoNotsup
}

// randomGet fills guest memory with randomness from the operating system. The
// guest chooses address and length: both are checked against its memory, the
// metering pass has charged for each byte before the call, and a long draw
// observes the deadline.
//
// The first draw of an interpreter that starts afresh, and all draws of a
// warm-up, are the same every time: they seed its string hash, which decides the
// layout of its tables and so how much fuel a program takes. What a program draws
// comes later, and an instance restored from an image has no such first draw. Of a
// command nobody knows what it draws first, and it may be what its programs get.
func randomGet(ctx context.Context, in *instance, stack []uint64) {
	buf, ok := in.mod.Memory().Read(uint32(stack[0]), uint32(stack[1])) //nolint:gosec // wasm i32
	if !ok {
		stack[0] = errnoFault
		return
	}
	_, command := in.plugin.driver.(starter)
	if in.checkpoint != nil || in.image == nil && !in.seeded && !command {
		in.seeded = true
		if in.checkpoint != nil {
			in.checkpoint.imports.drawn += len(buf)
		}
		_, _ = mathrand.NewChaCha8([32]byte{}).Read(buf)
		buf = nil
	}
	for len(buf) > 0 {
		n, _ := rand.Read(buf[:min(len(buf), 1<<20)]) // never fails: crypto/rand ends the process instead
		buf = buf[n:]
		in.checkDeadline(ctx)
	}
	stack[0] = errnoSuccess
}
