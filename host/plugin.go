package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/sys"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// driver is how the host enters a runtime's module.
type driver interface {
	// export is the function that starts the module afresh.
	export() string
	// content is everything of the driver that an image depends on.
	content() [][]byte
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

func newDriver(d *runtimes.Definition) (driver, error) {
	if d.Driver == runtimes.DriverCPython {
		return newCPython(d.Files)
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
	standby   standby
	log       *slog.Logger
}

// coreFeatures are the WebAssembly features a runtime's module may use. Exceptions
// are not among them, although the metering pass understands them: the engine
// copies the whole stack at every try_table, which no limit of ours counts.
const coreFeatures = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall |
	experimental.CoreFeaturesExtendedConst

// compile makes a plugin of a metered module. compiledDir keeps native code.
func compile(ctx context.Context, module []byte, compiledDir string, workers int) (*extism.CompiledPlugin, wazero.CompilationCache, error) {
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
	}, hostFunctions())
	if err != nil {
		_ = cache.Close(ctx)
		return nil, nil, fmt.Errorf("compile: %w", err)
	}
	return compiled, cache, nil
}

func (p *plugin) close() error {
	p.standby.close()
	ctx := context.Background()
	errs := []error{p.compiled.Close(ctx), p.cache.Close(ctx), p.blank.Close()}
	if p.image != nil {
		errs = append(errs, p.image.Close())
	}
	return errors.Join(errs...)
}

// pages is a memory limit in bytes, rounded down to whole pages. A limit that no
// instance can start with is policies.ErrInvalid.
func (p *plugin) pages(limit policies.Bytes) (uint64, error) {
	bytes := uint64(limit) / image.PageSize * image.PageSize
	if bytes < p.minMemory {
		return 0, fmt.Errorf("%w: runtime %q needs at least %v of memory, the limit is %v",
			policies.ErrInvalid, p.definition.Name, policies.Bytes(p.minMemory), limit)
	}
	return bytes, nil
}

// newInstance makes an instance whose memory can grow to limit bytes, which
// pages returned. It starts from the image if there is one, unless it is to be
// warmed up up to a checkpoint. The caller fills in what the guest is to see
// before it enters the instance, and closes it.
func (p *plugin) newInstance(limit uint64, ready *checkpoint) (_ *instance, err error) {
	in := &instance{plugin: p, checkpoint: ready, entry: image.ExportStart}
	args, memory := p.driver.args(), p.blank
	switch {
	case ready != nil:
		args = p.driver.warmUpArgs()
	case p.image != nil:
		in.image, in.entry, memory = p.image, image.ExportResume, p.image
	}
	defer func() {
		if err != nil {
			in.close()
		}
	}()
	if in.region, err = memory.Acquire(limit); err != nil {
		return nil, err
	}
	if in.kernel, err = p.blank.Acquire(kernelLimit); err != nil {
		return nil, err
	}
	ctx := experimental.WithMemoryAllocator(context.Background(), &allocator{kernel: in.kernel, main: in.region})
	in.guest, err = p.compiled.Instance(ctx, extism.PluginInstanceConfig{ModuleConfig: in.moduleConfig(args)})
	if err != nil {
		return nil, fmt.Errorf("start an instance: %w", err)
	}
	return in, nil
}

// enter runs the guest. It returns the engine's account of how the guest ended,
// which means little where in.ended is set.
func (in *instance) enter(ctx context.Context) error {
	ctx = context.WithValue(ctx, instanceKey{}, in)
	in.stdin.ctx, in.stdin.over = ctx, func() { in.checkDeadline(ctx) }
	in.stdin.broken = func(err error) { in.end(ending{status: StatusInternal, err: err}) }
	rc, _, err := in.guest.CallWithContext(ctx, in.entry, nil)
	if err != nil {
		return err
	}
	return in.plugin.driver.returned(in.image != nil, rc)
}

// close throws the instance away. The guest must have returned, if it ever ran.
func (in *instance) close() {
	_ = in.files.Close()
	if in.guest != nil {
		// Nothing is left that could fail: modules are only unregistered.
		_ = in.guest.CloseWithContext(context.Background())
	}
	for _, r := range []*image.Region{in.kernel, in.region} {
		if r != nil {
			r.Release()
		}
	}
}

// moduleConfig gives an instance its view of the world, all of which is filled in
// later. Nothing of the host's environment is in it.
func (in *instance) moduleConfig(args []string) wazero.ModuleConfig {
	files := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(&in.files, "/")
	return wazero.NewModuleConfig().
		WithName("").
		WithArgs(args...).
		WithStdin(&in.stdin).
		WithStdout(&in.stdout).
		WithStderr(&in.stderr).
		WithFSConfig(files).
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
