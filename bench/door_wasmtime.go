//go:build cgo && (linux || darwin)

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// wasmtimeStack is the native stack a guest may use, in bytes: what CPython's own
// build asks of wasmtime.
const wasmtimeStack = 8 << 20

// wasmtimeDoor runs the module on wasmtime. Compilation is done once; each call
// has a store, an instance and WASI state of its own.
type wasmtimeDoor struct {
	fuel    bool
	python  *python
	scratch string
	engine  *wasmtime.Engine
	linker  *wasmtime.Linker
	module  *wasmtime.Module
}

func openWasmtime(fuel bool, load func(context.Context, *environment) (*python, error)) func(context.Context, *environment) (door, string, error) {
	return func(ctx context.Context, e *environment) (door, string, error) {
		p, err := load(ctx, e)
		if err != nil {
			return nil, "", err
		}
		data := p.code
		config := wasmtime.NewConfig()
		config.SetMaxWasmStack(wasmtimeStack)
		config.SetConsumeFuel(fuel)
		engine := wasmtime.NewEngineWithConfig(config)
		version := moduleVersion("github.com/bytecodealliance/wasmtime-go/v39")
		file := fmt.Sprintf("%x-%s-fuel-%t.cwasm", sha256.Sum256(data), version, fuel)
		module, err := loadWasmtime(engine, filepath.Join(e.cache, file), data, e)
		if err != nil {
			return nil, "", err
		}
		linker := wasmtime.NewLinker(engine)
		if err := linker.DefineWasi(); err != nil {
			return nil, "", fmt.Errorf("define WASI: %w", err)
		}
		scratch, err := os.MkdirTemp(e.scratch, "wasmtime-")
		if err != nil {
			return nil, "", fmt.Errorf("make a scratch directory: %w", err)
		}
		return &wasmtimeDoor{fuel, p, scratch, engine, linker, module}, version, nil
	}
}

// loadWasmtime maps a module compiled before, or compiles it and keeps it. The
// file is machine code: it lives in the user's own cache, like Go's.
func loadWasmtime(engine *wasmtime.Engine, path string, data []byte, e *environment) (*wasmtime.Module, error) {
	if m, err := wasmtime.NewModuleDeserializeFile(engine, path); err == nil {
		return m, nil
	}
	e.say("compiling for wasmtime")
	m, err := wasmtime.NewModule(engine, data)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	code, err := m.Serialize()
	if err != nil {
		return nil, fmt.Errorf("serialize: %w", err)
	}
	m.Close()
	if err := os.WriteFile(path+".part", code, 0o600); err != nil {
		return nil, fmt.Errorf("keep the compiled module: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return nil, fmt.Errorf("keep the compiled module: %w", err)
	}
	// Read back, so that a first run measures what later runs measure.
	return wasmtime.NewModuleDeserializeFile(engine, path)
}

func (d *wasmtimeDoor) call(ctx context.Context, code string, stdin io.Reader) (_ outcome, err error) {
	dir, err := os.MkdirTemp(d.scratch, "")
	if err != nil {
		return outcome{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	stdout, stderr := filepath.Join(dir, "out"), filepath.Join(dir, "err")
	input := os.DevNull
	if stdin != nil {
		if input, err = feed(ctx, dir, stdin, stdout); err != nil {
			return outcome{}, err
		}
	}
	store := wasmtime.NewStore(d.engine)
	defer store.Close()
	wasi := wasmtime.NewWasiConfig()
	wasi.SetArgv([]string{"python", "-I", "-c", code})
	if err := errors.Join(wasi.SetStdinFile(input), wasi.SetStdoutFile(stdout), wasi.SetStderrFile(stderr)); err != nil {
		return outcome{}, fmt.Errorf("configure WASI: %w", err)
	}
	if d.python.files != "" {
		if err := wasi.PreopenDir(d.python.files, "/", wasmtime.DIR_READ, wasmtime.FILE_READ); err != nil {
			return outcome{}, fmt.Errorf("configure WASI: %w", err)
		}
	}
	store.SetWasi(wasi)
	if d.fuel {
		if err := store.SetFuel(fuelLimit); err != nil {
			return outcome{}, fmt.Errorf("set fuel: %w", err)
		}
	}
	if err := d.start(store); err != nil {
		text, _ := os.ReadFile(stderr) //nolint:gosec // G304: a file of our own scratch directory
		return outcome{}, fmt.Errorf("%w: %s", err, lastLines(string(text), 2))
	}
	return d.collect(store, stdout)
}

func (d *wasmtimeDoor) start(store *wasmtime.Store) error {
	instance, err := d.linker.Instantiate(store, d.module)
	if err != nil {
		return fmt.Errorf("instantiate: %w", err)
	}
	for _, name := range d.python.begin {
		if _, err = instance.GetFunc(store, name).Call(store); err != nil {
			break
		}
	}
	if exit, ok := errors.AsType[*wasmtime.Error](err); ok {
		if code, ok := exit.ExitStatus(); ok && code == 0 {
			return nil
		}
	}
	return err
}

func (d *wasmtimeDoor) collect(store *wasmtime.Store, stdout string) (outcome, error) {
	text, err := os.ReadFile(stdout) //nolint:gosec // G304: a file of our own scratch directory
	if err != nil {
		return outcome{}, fmt.Errorf("read output: %w", err)
	}
	out := outcome{stdout: string(text)}
	if d.fuel {
		left, err := store.GetFuel()
		if err != nil {
			return outcome{}, fmt.Errorf("get fuel: %w", err)
		}
		out.fuel = fuelLimit - left
	}
	return out, nil
}

func (d *wasmtimeDoor) close() error {
	d.module.Close()
	d.linker.Close()
	d.engine.Close()
	return nil
}

// feed makes a named pipe that gives a guest the bytes of stdin: wasmtime's C
// interface takes a file. It reads from stdin only once the guest has printed
// something, which is the sign that it has started.
func feed(ctx context.Context, dir string, stdin io.Reader, stdout string) (string, error) {
	path := filepath.Join(dir, "in")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return "", fmt.Errorf("make a pipe: %w", err)
	}
	// Opened for both, so that neither end waits for the other to be opened.
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // G304: a file of our own scratch directory
	if err != nil {
		return "", fmt.Errorf("open a pipe: %w", err)
	}
	go func() {
		defer func() { _ = pipe.Close() }()
		for ctx.Err() == nil {
			if info, err := os.Stat(stdout); err == nil && info.Size() > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		// A guest that ends early needs no more input.
		_, _ = io.Copy(pipe, stdin)
	}()
	return path, nil
}
