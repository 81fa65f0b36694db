package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/sandboxd/sandboxd/host/meter"
	"github.com/sandboxd/sandboxd/host/wasm"
)

// mode is how a wazero door bounds CPU time.
type mode int

const (
	plain       mode = iota // not at all
	metered                 // sandboxd's fuel
	closeOnDone             // wazero's checks for the context
)

const (
	// callLimit ends a guest whose door has a wall-clock limit to set.
	callLimit = time.Minute
	// fuelLimit is the budget of doors that meter, and fuelSlice what a metered
	// guest gets at a time, as in package host.
	fuelLimit = 5_000_000_000
	fuelSlice = 4 << 20
)

// wazeroDoor runs the module on wazero with nothing around it.
type wazeroDoor struct {
	mode     mode
	python   *python
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

func openWazero(m mode, load func(context.Context, *environment) (*python, error)) func(context.Context, *environment) (door, string, error) {
	return func(ctx context.Context, e *environment) (_ door, _ string, err error) {
		p, err := load(ctx, e)
		if err != nil {
			return nil, "", err
		}
		module := p.code
		if m == metered {
			if module, err = meterModule(module); err != nil {
				return nil, "", err
			}
		}
		config, err := wazeroConfig(e)
		if err != nil {
			return nil, "", err
		}
		config = config.WithCloseOnContextDone(m == closeOnDone) //nolint:forbidigo // its price is what this door shows
		d := &wazeroDoor{mode: m, python: p, runtime: wazero.NewRuntimeWithConfig(ctx, config)}
		defer func() {
			if err != nil {
				_ = d.close() // the first error says more
			}
		}()
		if _, err = wasi_snapshot_preview1.Instantiate(ctx, d.runtime); err != nil {
			return nil, "", fmt.Errorf("instantiate WASI: %w", err)
		}
		if m == metered {
			if err = exportRefuel(ctx, d.runtime); err != nil {
				return nil, "", err
			}
		}
		e.say("compiling for wazero")
		if d.compiled, err = d.runtime.CompileModule(ctx, module); err != nil {
			return nil, "", fmt.Errorf("compile: %w", err)
		}
		return d, moduleVersion("github.com/tetratelabs/wazero"), nil
	}
}

// wazeroConfig is the compiler's with a cache between runs of the harness.
func wazeroConfig(e *environment) (wazero.RuntimeConfig, error) {
	cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(e.cache, "wazero"))
	if err != nil {
		return nil, fmt.Errorf("open the cache of wazero: %w", err)
	}
	return wazero.NewRuntimeConfigCompiler().WithCompilationCache(cache), nil
}

func meterModule(module []byte) ([]byte, error) {
	m, err := wasm.Decode(module)
	if err != nil {
		return nil, err
	}
	if err := meter.Instrument(m, meter.Config{}); err != nil {
		return nil, err
	}
	return m.Encode(), nil
}

// tank is the fuel of one metered call.
type tank struct{ granted int64 }

type tankKey struct{}

var errOutOfFuel = errors.New("out of fuel")

// exportRefuel gives metered modules the function that hands out slices.
func exportRefuel(ctx context.Context, r wazero.Runtime) error {
	_, err := r.NewHostModuleBuilder("sandboxd").NewFunctionBuilder().
		WithFunc(func(ctx context.Context, remaining int64) int64 {
			t, ok := ctx.Value(tankKey{}).(*tank)
			if !ok || t.granted >= fuelLimit {
				panic(errOutOfFuel)
			}
			t.granted += fuelSlice
			return remaining + fuelSlice
		}).Export("refuel").Instantiate(ctx)
	if err != nil {
		return fmt.Errorf("export refuel: %w", err)
	}
	return nil
}

// guestConfig is the same for every wazero and Extism call: real clocks and
// randomness, no files, the program as an argument.
func guestConfig(code string, stdin io.Reader, stdout, stderr io.Writer) wazero.ModuleConfig {
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	return wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithArgs("python", "-I", "-c", code).
		WithStdin(stdin).WithStdout(stdout).WithStderr(stderr).
		WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader)
}

func (d *wazeroDoor) call(ctx context.Context, code string, stdin io.Reader) (_ outcome, err error) {
	var fuel tank
	ctx = context.WithValue(ctx, tankKey{}, &fuel)
	if d.mode == closeOnDone {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callLimit)
		defer cancel()
	}
	var stdout, stderr bytes.Buffer
	config := guestConfig(code, stdin, &stdout, &stderr)
	if d.python.files != "" {
		files := wazero.NewFSConfig().WithReadOnlyDirMount(d.python.files, "/") //nolint:forbidigo // our own programs
		config = config.WithFSConfig(files)
	}
	mod, err := d.runtime.InstantiateModule(ctx, d.compiled, config)
	if err != nil {
		return outcome{}, fmt.Errorf("instantiate: %w", err)
	}
	defer func() { err = errors.Join(err, mod.Close(ctx)) }()
	for _, name := range d.python.begin {
		if _, err = mod.ExportedFunction(name).Call(ctx); err != nil {
			break
		}
	}
	if err := exitOf(err, stderr.String()); err != nil {
		return outcome{}, err
	}
	out := outcome{stdout: stdout.String()}
	if left := mod.ExportedGlobal(meter.FuelExport); left != nil {
		out.fuel = uint64(fuel.granted - int64(left.Get())) //nolint:gosec // never more left than was granted
	}
	return out, nil
}

func (d *wazeroDoor) close() error { return d.runtime.Close(context.Background()) }

// exitOf turns a WASI exit with code 0 into success and quotes the end of stderr
// otherwise.
func exitOf(err error, stderr string) error {
	var exit *sys.ExitError
	if err == nil || errors.As(err, &exit) && exit.ExitCode() == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", err, lastLines(stderr, 2))
}

// moduleVersion is the version of a Go module in this binary.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, dep := range info.Deps {
		if dep.Path == path {
			return dep.Version
		}
	}
	return ""
}
