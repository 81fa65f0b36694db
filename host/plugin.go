package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/sys"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// driver is how the host enters a runtime's module.
type driver interface {
	// entry names the functions that the module is entered through.
	entry() image.Entry
	// library is where the guest finds the library that a module carries.
	library() string
	// content is everything of the driver that an image depends on.
	content() [][]byte
	// adapt changes a module as it was fetched, before it is metered: for a runtime
	// that needs code of ours inside of it.
	adapt(m *wasm.Module) error
	// functions are host functions that this driver's modules alone may import.
	functions() []hostFunction
	// state is what those functions keep of a call, as instance.state.
	state(c *call) any
	// args and warmUpArgs are the command lines of a plain start and of the
	// warm-up.
	args() []string
	warmUpArgs() []string
	// files are the virtual files of a call, the request among them;
	// warmUpFiles those of the warm-up.
	files(c *call) map[string]guestfs.Virtual
	warmUpFiles(ready *checkpoint) map[string]guestfs.Virtual
	// target turns what the warm-up told at its checkpoint into the way back.
	target(memory []byte, told []byte) (image.Target, error)
	// selfTest is a program that ends with exit code 7, and what it prints when
	// it is given "argument" as its only argument.
	selfTest() (program, stdout string)
	// returned judges the result of the entry function.
	returned(resumed bool, rc uint32) error
	// outOfMemory and outOfDisk say whether the language's own error is what a
	// program fails with when the host refused it memory or disk.
	outOfMemory(*GuestError) bool
	outOfDisk(*GuestError) bool
}

// starter is a driver whose instances are made for one call, from the beginning:
// what such a module is told, it is told when it starts. There is no warm-up and no
// image, and the module reports nothing of its errors but an exit code.
type starter interface {
	driver
	start(r *Request, p *policies.Profile) (start, error)
}

// teller is a driver whose guest reports exit codes that a program chose, too: without a
// report it was the interpreter that gave up.
type teller interface {
	driver
	tellsExits()
}

// start is what an instance begins with.
type start struct {
	args  []string
	env   map[string]string
	stdin io.Reader // nil for the request's
}

// unoptimized is a driver whose module may have been compiled without optimization,
// which the optimizer makes up for in part. Others gain little, for minutes of its work.
type unoptimized interface {
	unoptimized() bool
}

// roomy is a driver whose interpreter takes so much memory by itself, in bytes, that a
// limit which suits programs would not hold it: a library among its data, a stack, tables.
// Instances have it beside what their profile allows, and it is not counted. It bounds
// what more a hostile guest can make the host hold, for a guest can write there too.
type roomy interface {
	own() uint64
}

func newDriver(d *runtimes.Definition) (driver, error) {
	switch d.Driver {
	case runtimes.DriverCPython:
		return newCPython(d.Files, d.Source.Build != "")
	case runtimes.DriverCommand:
		return newCommand(d), nil
	case runtimes.DriverExtism:
		return newExtismPlugin(d), nil
	case runtimes.DriverQuickJS:
		return newQuickJS(d.Files)
	case runtimes.DriverRuby:
		return newRuby(d.Files)
	case driverESBuild:
		if d.Name == bundlerName {
			return bundler{}, nil
		}
		return esbuild{}, nil
	}
	return nil, fmt.Errorf("%w: runtime %q: driver %q is not supported by this version", ErrInvalid, d.Name, d.Driver)
}

// plugin is a runtime's module, metered and compiled: what instances are made
// of. It is safe for concurrent use.
type plugin struct {
	definition *runtimes.Definition
	driver     driver
	compiled   *extism.CompiledPlugin
	cache      wazero.CompilationCache
	// blank is where memory comes from that starts empty.
	blank *image.Image
	// image is what instances start from, or nil for a plain start.
	image *image.Image
	// minMemory is the least linear memory an instance can start with, in bytes.
	minMemory uint64
	// library is what the module's runtimes.LibrarySection held.
	library []byte
	// key names it in the cache, by everything that it is made of.
	key string
	// base is the plugin that this one shares everything with but the image; nil if
	// it shares nothing.
	base *plugin
	// use keeps what is on disk of it from being pruned; nil before it is loaded.
	use     *use
	standby standby
	// live and instances count the instances whose memory was not given back.
	live      sync.WaitGroup
	instances atomic.Int64
	log       *slog.Logger

	adviceOnce sync.Once
	advice     *guidance.Rules // see plugin.rules
}

// coreFeatures are the WebAssembly features a runtime's module may use. Exceptions
// are not among them, although the metering pass understands them: the engine
// copies the whole stack at every try_table, which no limit of ours counts.
const coreFeatures = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall |
	experimental.CoreFeaturesExtendedConst

// compile makes a plugin of a metered module, which may import the functions and no
// others. compiledDir keeps native code.
func compile(ctx context.Context, module []byte, functions []hostFunction, compiledDir string, workers int) (_ *extism.CompiledPlugin, _ wazero.CompilationCache, err error) {
	defer func() {
		// The engine's validator is known to panic on some malformed modules.
		if cause := recover(); cause != nil {
			err = fmt.Errorf("compile: %w: the engine failed on it: %.200v", runtimes.ErrInvalid, cause)
		}
	}()
	cache, err := wazero.NewCompilationCacheWithDir(compiledDir)
	if err != nil {
		return nil, nil, fmt.Errorf("open compilation cache: %w", err)
	}
	ctx = experimental.WithCompilationWorkers(ctx, workers)
	ctx = experimental.WithFunctionListenerFactory(ctx, listener{})
	compiled, err := extism.NewCompiledPlugin(ctx, extism.Manifest{
		Wasm: []extism.Wasm{extism.WasmData{Data: module, Name: "main"}},
	}, extism.PluginConfig{
		EnableWasi: true,
		RuntimeConfig: wazero.NewRuntimeConfig().
			WithCoreFeatures(coreFeatures).
			WithCompilationCache(cache).
			WithDebugInfoEnabled(false),
	}, extismFunctions(functions))
	if err != nil {
		_ = cache.Close(ctx)
		return nil, nil, fmt.Errorf("compile: %w", err)
	}
	return compiled, cache, nil
}

// close waits for all instances and releases everything.
func (p *plugin) close() error {
	p.standby.close()
	p.live.Wait()
	var errs []error
	if p.base == nil {
		ctx := context.Background()
		errs = append(errs, p.compiled.Close(ctx), p.cache.Close(ctx), p.blank.Close())
	}
	if p.image != nil {
		errs = append(errs, p.image.Close())
	}
	if p.use != nil {
		errs = append(errs, p.use.Close())
	}
	return errors.Join(errs...)
}

// virtual adds the library to the virtual files of a call.
func (p *plugin) virtual(files map[string]guestfs.Virtual) map[string]guestfs.Virtual {
	if len(p.library) > 0 {
		files[p.driver.library()] = guestfs.Virtual{Data: p.library}
	}
	return files
}

// own is what of an instance's memory no limit counts; see roomy.
func (p *plugin) own() uint64 {
	if d, ok := p.driver.(roomy); ok {
		return d.own()
	}
	return 0
}

// addressable is the most linear memory that an instance can have.
const addressable = 1 << 32

// pages is a memory limit in bytes, rounded down to whole pages, with what no limit
// counts. A limit that no instance can start with is policies.ErrInvalid.
func (p *plugin) pages(limit policies.Bytes) (uint64, error) {
	own := p.own()
	bytes := min(uint64(limit)/image.PageSize*image.PageSize+own, addressable)
	if bytes < p.minMemory {
		return 0, fmt.Errorf("%w: runtime %q needs at least %v of memory, the limit is %v",
			policies.ErrInvalid, p.definition.Name, policies.Bytes(p.minMemory-own), limit)
	}
	return bytes, nil
}

// newInstance makes an instance whose memory can grow to limit bytes, which
// pages returned. It starts from the image if there is one, unless it is to be
// warmed up up to a checkpoint. The caller fills in what the guest is to see
// before it enters the instance, and closes it.
func (p *plugin) newInstance(limit uint64, ready *checkpoint) (*instance, error) {
	s := start{args: p.driver.args()}
	if ready != nil {
		s.args = p.driver.warmUpArgs()
	}
	return p.startInstance(limit, ready, s)
}

// startInstance is newInstance with a beginning of its own.
func (p *plugin) startInstance(limit uint64, ready *checkpoint, s start) (_ *instance, err error) {
	p.live.Add(1)
	p.instances.Add(1)
	in := &instance{plugin: p, checkpoint: ready, entry: image.ExportStart}
	memory := p.blank
	switch {
	case ready != nil:
		if p.driver.entry().WarmUp != "" {
			in.entry = image.ExportWarmUp
		}
	case p.image != nil:
		in.image, in.entry, memory = p.image, image.ExportResume, p.image
	}
	defer func() {
		if err != nil {
			in.discard()
		}
	}()
	if in.region, err = memory.Acquire(limit); err != nil {
		return nil, err
	}
	if in.kernel, err = p.blank.Acquire(kernelLimit); err != nil {
		return nil, err
	}
	ctx := experimental.WithMemoryAllocator(context.Background(), &allocator{kernel: in.kernel, main: in.region})
	in.guest, err = p.compiled.Instance(ctx, extism.PluginInstanceConfig{ModuleConfig: in.moduleConfig(s)})
	if err != nil {
		return nil, fmt.Errorf("start an instance: %w", err)
	}
	return in, nil
}

// enter runs the guest. It returns the engine's account of how the guest ended,
// which means little where in.ended is set.
func (in *instance) enter(ctx context.Context) error {
	ctx = context.WithValue(ctx, instanceKey{}, in)
	in.ctx = ctx
	in.stdin.ctx, in.stdin.over = ctx, func() { in.checkDeadline(ctx) }
	in.stdin.broken = func(err error) { in.end(ending{status: StatusInternal, err: err}) }
	rc, output, err := in.guest.CallWithContext(ctx, in.entry, in.input)
	in.returned = true
	if d, ok := in.plugin.driver.(exchanger); ok {
		return d.answered(in, rc, output, err)
	}
	if err != nil {
		return err
	}
	return in.plugin.driver.returned(in.image != nil, rc)
}

// close throws the instance away but for its memory, which release gives back.
// The guest must have returned, if it ever ran.
func (in *instance) close() {
	_ = in.files.Close()
	if in.guest != nil {
		// Nothing is left that could fail: modules are only unregistered.
		_ = in.guest.CloseWithContext(context.Background())
	}
}

// discard closes an instance that no caller waits for, and releases its memory.
func (in *instance) discard() {
	in.close()
	in.release()
}

// release gives a closed instance's memory back, after clearing what it wrote.
func (in *instance) release() {
	for _, r := range []*image.Region{in.kernel, in.region} {
		if r != nil {
			r.Release()
		}
	}
	in.plugin.instances.Add(-1)
	in.plugin.live.Done()
}

// moduleConfig gives an instance its view of the world, all of which is filled in
// later. Nothing of the host's environment is in it.
func (in *instance) moduleConfig(s start) wazero.ModuleConfig {
	files := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(&in.files, "/")
	config := wazero.NewModuleConfig()
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		config = config.WithEnv(name, s.env[name])
	}
	return config.
		WithName("").
		WithArgs(s.args...).
		WithStdin(&in.stdin).
		WithStdout(&in.stdout).
		WithStderr(&in.stderr).
		WithFSConfig(files).
		WithRandSource(rand.Reader). // unused; making the default takes 20 µs
		WithWalltime(in.walltime, sys.ClockResolution(1)).
		WithNanotime(in.nanotime, sys.ClockResolution(1))
}

// allocator gives the two modules of an instance their memory: first Extism's
// kernel, which is trusted and holds the plugin's input and output, then the
// runtime's module.
type allocator struct {
	kernel, main *image.Region
	asked        bool
}

// Allocate implements experimental.MemoryAllocator.
func (a *allocator) Allocate(uint64, uint64) experimental.LinearMemory {
	if !a.asked {
		a.asked = true
		return a.kernel
	}
	return a.main
}

// kernelLimit bounds Extism's kernel memory, which grows with a plugin's input,
// output and variables: all things a guest decides.
const kernelLimit = 64 << 20
