package host

import (
	"context"
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
	files(c *call) (map[string]guestfs.Virtual, error)
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
	log       *slog.Logger
}

// coreFeatures are the WebAssembly features a runtime's module may use: all that
// the metering pass understands.
const coreFeatures = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall |
	experimental.CoreFeaturesExtendedConst | experimental.CoreFeaturesExceptionHandling

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
	ctx := context.Background()
	err := p.compiled.Close(ctx)
	if cerr := p.cache.Close(ctx); err == nil {
		err = cerr
	}
	if ierr := p.blank.Close(); err == nil {
		err = ierr
	}
	if p.image != nil {
		if ierr := p.image.Close(); err == nil {
			err = ierr
		}
	}
	return err
}

// acquire returns the linear memory of a new instance, limited to limit bytes
// rounded down to whole pages.
func (p *plugin) acquire(limit policies.Bytes) (*image.Region, error) {
	bytes := uint64(limit) / image.PageSize * image.PageSize
	if bytes < p.minMemory {
		return nil, fmt.Errorf("%w: runtime %q needs at least %v of memory, the limit is %v",
			policies.ErrInvalid, p.definition.Name, policies.Bytes(p.minMemory), limit)
	}
	if p.image != nil {
		return p.image.Acquire(bytes)
	}
	return p.blank.Acquire(bytes)
}

// run makes an instance for in and enters it. It returns the engine's account of
// how the guest ended, which means little where in.ended is set.
func (p *plugin) run(ctx context.Context, in *instance) error {
	ctx = context.WithValue(ctx, instanceKey{}, in)
	in.stdin.ctx, in.stdin.over = ctx, func() { in.checkDeadline(ctx) }
	in.image = p.image
	args, entry := p.driver.args(), image.ExportStart
	switch {
	case in.checkpoint != nil:
		args = p.driver.warmUpArgs()
	case p.image != nil:
		entry = image.ExportResume
	}
	kernel, err := p.blank.Acquire(kernelLimit)
	if err != nil {
		return err
	}
	defer kernel.Release()
	memory := &allocator{kernel: kernel, main: in.region}
	instance, err := p.compiled.Instance(experimental.WithMemoryAllocator(ctx, memory), extism.PluginInstanceConfig{
		ModuleConfig: in.moduleConfig(args),
	})
	if err != nil {
		return fmt.Errorf("start an instance: %w", err)
	}
	// Closing must happen whatever the context says.
	defer func() { _ = instance.CloseWithContext(context.WithoutCancel(ctx)) }()
	rc, _, err := instance.CallWithContext(ctx, entry, nil)
	if err != nil {
		return err
	}
	return p.driver.returned(entry == image.ExportResume, rc)
}

// moduleConfig gives an instance its view of the world. Nothing of the host's
// environment is in it.
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
