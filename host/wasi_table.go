package host

import (
	"math"

	"github.com/sandboxd/sandboxd/host/meter"
	"github.com/sandboxd/sandboxd/host/wasm"
)

// offer is a function that modules may import. What is not offered cannot be
// imported: not what another instance exports, and not what the engine's libraries
// come to provide some day.
type offer struct {
	name string
	cost meter.Cost
	// bounds refuse what the engine should not see.
	bounds []meter.Bound
	// does is the most that a call can be asked to do, and bound what bounds it.
	does, bound string
}

// maxPath is the longest path that a guest may name, in bytes, as in guestfs.
const maxPath = 4096

// paths bounds parameters that are lengths of paths. The engine copies and cleans a
// path of any length before it looks at it, up to all of the guest's memory, which
// would take it a second.
func paths(params ...int) []meter.Bound {
	var bounds []meter.Bound
	for _, p := range params {
		bounds = append(bounds, meter.Bound{Param: p, Max: maxPath, Answer: errnoTooLong})
	}
	return bounds
}

// files keeps the standard streams, which have no times, out of a call that makes the
// engine panic on them.
var files = []meter.Bound{{Min: 3, Max: math.MaxUint32, Answer: errnoNotsup}}

// What calls of the host cost in fuel, before the call. Figures from measurements of
// the dearest that a call can be made to do; TestFuelIsHonest prints what a unit buys.
// What depends on the disk, guestfs charges for when it is done.
var (
	callCost = meter.Cost{Base: 2_000}                     // entering and leaving the host
	fileCost = meter.Cost{Base: 4_000}                     // and looking at an open file
	timeCost = meter.Cost{Base: 20_000}                    // and changing it
	pollCost = meter.Cost{Base: 2_000, Param: 2, Per: 300} // in, out, count
	drawCost = meter.Cost{Base: 2_000, Param: 1, Per: 5}   // buffer, length
	listCost = meter.Cost{Base: 20_000, Param: 2, Per: 4}  // descriptor, buffer, length
	// Descriptor, vectors, count. One buffer is what a read or a write usually has,
	// and each is a system call of its own.
	iovsCost = meter.Cost{Base: 32, Param: 2, Per: 2_000}
)

// pathCost is what resolving a path through the kernel costs. Where its length is the
// parameter length, cleaning a long one is paid for in pieces.
func pathCost(length int) meter.Cost {
	return meter.Cost{Base: 20_000, Param: length, Per: 3_000, Shift: 8}
}

// wasiOffers is WASI preview 1, all of it: programs are linked with functions that
// they never call. Those that owned does not name are the engine's. Every address
// and length is checked against the guest's memory by whoever answers the call.
var wasiOffers = []offer{
	{"args_get", callCost, nil, "copy the command line", "a plain start's is the driver's and short"},
	{"args_sizes_get", callCost, nil, "write two numbers", "constant"},
	{"clock_res_get", callCost, nil, "write a number", "two clocks, others are an error"},
	{"clock_time_get", callCost, nil, "read a clock", "two clocks, others are an error"},
	{"environ_get", callCost, nil, "copy the environment", "the engine's is empty: a request's comes in a file"},
	{"environ_sizes_get", callCost, nil, "write two numbers", "constant"},
	{"fd_advise", callCost, nil, "nothing", "the engine ignores advice"},
	{"fd_allocate", timeCost, nil, "make a file long", "guestfs: the quota counts apparent size"},
	{"fd_close", callCost, nil, "close a descriptor", "guestfs: the guest's own"},
	{"fd_datasync", callCost, nil, "nothing", "guestfs: workspaces are not synced at a guest's wish"},
	{"fd_fdstat_get", fileCost, nil, "describe a descriptor", "constant"},
	{"fd_fdstat_set_flags", fileCost, nil, "turn appending on", "guestfs: a flag, in files that are writable"},
	{"fd_fdstat_set_rights", callCost, nil, "nothing", "the engine refuses"},
	{"fd_filestat_get", fileCost, nil, "describe a file", "one fstat"},
	{"fd_filestat_set_size", timeCost, nil, "make a file long or short", "guestfs: the quota counts apparent size"},
	{"fd_filestat_set_times", timeCost, files, "change a file's times", "guestfs: in writable mounts; never of a standard stream"},
	{"fd_pread", iovsCost, nil, "read a file into many buffers, which may be one", "paid by vector, and by byte as it goes"},
	{"fd_prestat_dir_name", callCost, nil, "copy the name of the one root", "constant"},
	{"fd_prestat_get", callCost, nil, "write a number", "constant"},
	{"fd_pwrite", iovsCost, nil, "write many buffers, which may be one, to a file", "guestfs: quota; paid by vector, and by byte as it goes"},
	{"fd_read", iovsCost, nil, "read a file or standard input into many buffers", "paid by vector, and by byte as it goes; a wait ends with the call"},
	{"fd_readdir", listCost, nil, "list a directory, from its start", "guestfs: 8192 entries at once; paid by buffer, and by entry read"},
	{"fd_renumber", callCost, nil, "nothing", "ours: refused, since the engine allocates up to any number"},
	{"fd_seek", fileCost, nil, "move a position", "guestfs: within 63 bits; moving changes no file"},
	{"fd_sync", callCost, nil, "nothing", "guestfs: as fd_datasync"},
	{"fd_tell", fileCost, nil, "write a number", "constant"},
	{"fd_write", iovsCost, nil, "write many buffers, which may be one, to a file or the output", "guestfs: quota; output beyond its cap is dropped; paid by vector, and by byte as it goes"},
	{"path_create_directory", pathCost(2), paths(2), "make a directory", "guestfs: quota, depth, writable mounts"},
	{"path_filestat_get", pathCost(3), paths(3), "describe what a path names", "guestfs: inside of its mounts"},
	{"path_filestat_set_times", pathCost(3), paths(3), "change times by path", "guestfs: in writable mounts"},
	{"path_link", pathCost(3), paths(3, 6), "make a hard link", "guestfs: refused"},
	{"path_open", pathCost(3), paths(3), "open or create a file or directory", "guestfs: inside of its mounts, 64 open at once, quota"},
	{"path_readlink", pathCost(2), paths(2), "read a link", "guestfs: refused"},
	{"path_remove_directory", pathCost(2), paths(2), "remove an empty directory", "guestfs: in writable mounts"},
	{"path_rename", pathCost(2), paths(2, 5), "move a file or a tree", "guestfs: within one writable mount; paid by entry looked at"},
	{"path_symlink", pathCost(1), paths(1, 4), "make a link", "guestfs: refused"},
	{"path_unlink_file", pathCost(2), paths(2), "remove a file", "guestfs: in writable mounts"},
	{"poll_oneoff", pollCost, nil, "wait for up to 4096 things, for ever", "ours: a wait ends with the call; paid by subscription"},
	{"proc_exit", callCost, nil, "end the guest with any number", "ours: 8 bits of it are recorded"},
	{"proc_raise", callCost, nil, "nothing", "the engine refuses"},
	{"random_get", drawCost, nil, "fill the guest's memory", "ours: paid by byte, observes the deadline"},
	{"sched_yield", callCost, nil, "nothing", "the engine is given nothing to yield to"},
	{"sock_accept", callCost, nil, "nothing", "no descriptor is a socket"},
	{"sock_recv", callCost, nil, "nothing", "no descriptor is a socket"},
	{"sock_send", callCost, nil, "nothing", "no descriptor is a socket"},
	{"sock_shutdown", callCost, nil, "nothing", "no descriptor is a socket"},
}

var offers = func() map[meter.Import]offer {
	all := make(map[meter.Import]offer, len(wasiOffers)+len(extismOffers))
	for _, o := range wasiOffers {
		all[meter.Import{Module: wasiNamespace, Name: o.name}] = o
	}
	for _, o := range extismOffers {
		all[meter.Import{Module: extismNamespace, Name: o.name}] = o
	}
	return all
}()

// offered reports whether there is a function of that name.
func offered(imp *wasm.Import) bool {
	_, ok := offers[meter.Import{Module: imp.Module, Name: imp.Name}]
	return ok
}

// hostCost is what a call of an import costs in fuel, before the call.
func hostCost(module, name string) meter.Cost {
	return offers[meter.Import{Module: module, Name: name}].cost
}

// hostBounds is which calls of an import are answered without making them.
func hostBounds(module, name string) []meter.Bound {
	return offers[meter.Import{Module: module, Name: name}].bounds
}

// kernelCost is what a call of Extism's kernel costs, which is not metered itself and
// is entered anew by each; wordCost, what a look into its memory does.
var (
	kernelCost = meter.Cost{Base: 40_000}
	wordCost   = meter.Cost{Base: 6_000}
)

// extismOffers is what Extism's library provides, to plugins of [runtimes.DriverExtism]
// alone: they import some of it whether they use it or not.
var extismOffers = []offer{
	{"alloc", meter.Cost{Base: 80_000}, nil, "take kernel memory", "kernelLimit"},
	{"config_get", kernelCost, nil, "read the configuration", "there is none"},
	{"error_get", kernelCost, nil, "read the error", "its own"},
	{"error_set", kernelCost, nil, "say that it failed", "informs people; decides nothing but a failure"},
	{"free", kernelCost, nil, "give kernel memory back", "its own"},
	{"get_log_level", wordCost, nil, "read a number", "constant"},
	{"http_headers", kernelCost, nil, "read headers", "there are none"},
	{"http_request", kernelCost, nil, "reach for the network", "refused: no host is allowed"},
	{"http_status_code", wordCost, nil, "read a number", "constant"},
	{"input_length", kernelCost, nil, "read a number", "constant"},
	{"input_load_u64", wordCost, nil, "read its input", "kernel memory"},
	{"input_load_u8", kernelCost, nil, "read its input", "kernel memory"},
	{"input_offset", kernelCost, nil, "read a number", "constant"},
	{"input_set", kernelCost, nil, "change its input", "its own"},
	{"length", kernelCost, nil, "read a number", "kernel memory"},
	{"length_unsafe", kernelCost, nil, "read a number", "kernel memory"},
	{"load_u64", wordCost, nil, "read kernel memory", "its own; kernelLimit"},
	{"load_u8", kernelCost, nil, "read kernel memory", "its own; kernelLimit"},
	{"log_debug", wordCost, nil, "nothing", "ours: there is no log"},
	{"log_error", wordCost, nil, "nothing", "ours: there is no log"},
	{"log_info", wordCost, nil, "nothing", "ours: there is no log"},
	{"log_trace", wordCost, nil, "nothing", "ours: there is no log"},
	{"log_warn", wordCost, nil, "nothing", "ours: there is no log"},
	{"memory_bytes", kernelCost, nil, "read a number", "constant"},
	{"output_length", kernelCost, nil, "read a number", "constant"},
	{"output_offset", kernelCost, nil, "read a number", "constant"},
	{"output_set", kernelCost, nil, "answer", "kernel memory"},
	{"reset", kernelCost, nil, "clear kernel memory", "its own"},
	{"store_u64", wordCost, nil, "write kernel memory", "its own; kernelLimit"},
	{"store_u8", kernelCost, nil, "write kernel memory", "its own; kernelLimit"},
	{"var_get", kernelCost, nil, "read a variable", "1 MiB of variables in all"},
	{"var_set", kernelCost, nil, "keep a variable", "1 MiB of variables in all, for one call"},
}
