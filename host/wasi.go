package host

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"runtime/debug"

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
	{"poll_oneoff", "iiii", "i", pollOneoff},
	{"random_get", "ii", "i", randomGet},
	{"proc_exit", "i", "", procExit},
	{"fd_renumber", "ii", "i", fdRenumber},
}

// renames is what the metering pass must rename for [owned] to take effect.
func renames() map[meter.Import]meter.Import {
	names := make(map[meter.Import]meter.Import, len(owned))
	for _, f := range owned {
		names[meter.Import{Module: wasiNamespace, Name: f.name}] = meter.Import{Module: namespace, Name: f.name}
	}
	return names
}

// hostFunction is a function that guests call. Its parameters and results are
// written as one letter each: i for i32, I for i64.
type hostFunction struct {
	name            string
	params, results string
	call            func(ctx context.Context, in *instance, stack []uint64)
}

// hostFunctions are sandboxd's host functions in Extism's form.
func hostFunctions() []extism.HostFunction {
	refuel := hostFunction{"refuel", "I", "I", func(ctx context.Context, in *instance, stack []uint64) {
		stack[0] = api.EncodeI64(in.refuel(ctx, int64(stack[0]))) //nolint:gosec // the counter is signed
	}}
	all := make([]extism.HostFunction, 0, len(owned)+1)
	for _, f := range append([]hostFunction{refuel}, owned...) {
		hf := extism.NewHostFunctionWithStack(f.name, func(ctx context.Context, _ *extism.CurrentPlugin, stack []uint64) {
			in := instanceOf(ctx)
			defer in.contain(f.name)
			f.call(ctx, in, stack)
		}, valueTypes(f.params), valueTypes(f.results))
		hf.SetNamespace(namespace)
		all = append(all, hf)
	}
	return all
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
		if c == 'I' {
			types[i] = api.ValueTypeI64
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
// comes later, and an instance restored from an image has no such first draw.
func randomGet(ctx context.Context, in *instance, stack []uint64) {
	buf, ok := in.mod.Memory().Read(uint32(stack[0]), uint32(stack[1])) //nolint:gosec // wasm i32
	if !ok {
		stack[0] = errnoFault
		return
	}
	if in.checkpoint != nil || in.image == nil && !in.seeded {
		in.seeded = true
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

// hostCost is what a call of an import costs in fuel, before the call: about one
// unit for each nanosecond the host spends. Figures from measurements of wazero's
// functions; see docs/rationale.md, "What does a host call cost?".
func hostCost(module, name string) meter.Cost {
	const (
		call     = 2_000  // entering and leaving the host
		pathCall = 20_000 // resolving a path through the kernel
	)
	flat := meter.Cost{Base: call}
	if module != wasiNamespace {
		return flat
	}
	switch name {
	case "random_get": // buffer, length
		return meter.Cost{Base: call, Param: 1, Per: 4}
	case "fd_read", "fd_write", "fd_pread", "fd_pwrite": // descriptor, vectors, count
		return meter.Cost{Base: call, Param: 2, Per: 32}
	case "poll_oneoff": // in, out, count
		return meter.Cost{Base: call, Param: 2, Per: 200}
	case "fd_readdir": // descriptor, buffer, length
		return meter.Cost{Base: pathCall, Param: 2, Per: 4}
	case "path_open", "path_filestat_get", "path_create_directory", "path_remove_directory",
		"path_unlink_file", "path_rename", "path_filestat_set_times", "path_link",
		"path_symlink", "path_readlink":
		return meter.Cost{Base: pathCall}
	}
	return flat
}
