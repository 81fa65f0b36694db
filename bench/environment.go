package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/runtimes"
)

// environment is what doors share: where to keep things, and the Python module.
type environment struct {
	// cache keeps peers and compiled modules between runs. It is outside the
	// repository and may be deleted at any time.
	cache string
	// scratch is deleted at the end of the run.
	scratch string
	// say tells the user of work that takes long.
	say func(format string, args ...any)

	loadOnce sync.Once
	stripped []byte
	loadErr  error
}

// python is a Python module without custom sections, and how it is entered.
type python struct {
	code  []byte
	begin []string // the exports to call, in order
	// files is a directory that the module expects to be /, or empty.
	files string
}

// prebuilt is the module that sandboxd pins, a WASI command.
func prebuilt(ctx context.Context, e *environment) (*python, error) {
	code, err := e.module(ctx)
	return &python{code: code, begin: []string{"_start"}}, err
}

// built is the module that sandboxd builds from source, a WASI reactor with its
// library in a file.
func built(ctx context.Context, e *environment) (*python, error) {
	store, definition, err := e.userBuild()
	if err != nil {
		return nil, err
	}
	packed, err := store.Load(ctx, definition, nil)
	if err != nil {
		return nil, err
	}
	library, err := runtimes.Library(packed)
	if err != nil {
		return nil, err
	}
	m, err := wasm.Decode(packed)
	if err != nil {
		return nil, err
	}
	m.StripCustom()
	root, err := os.MkdirTemp(e.scratch, "python-")
	if err != nil {
		return nil, fmt.Errorf("make a scratch directory: %w", err)
	}
	if err := os.Mkdir(filepath.Join(root, ".sandboxd"), 0o700); err != nil {
		return nil, fmt.Errorf("make a scratch directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(root, ".sandboxd", "python313.zip"), library, 0o600); err != nil {
		return nil, fmt.Errorf("write the library: %w", err)
	}
	return &python{code: m.Encode(), begin: []string{"_initialize", "run"}, files: root}, nil
}

// userBuild finds the Python that the user built with sandboxd.
func (e *environment) userBuild() (*runtimes.Store, *runtimes.Definition, error) {
	cache := os.Getenv("SANDBOXD_CACHE_DIR")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, nil, fmt.Errorf("find the cache: %w", err)
		}
		cache = filepath.Join(user, "sandboxd")
	}
	store, err := runtimes.OpenStore(cache)
	if err != nil {
		return nil, nil, err
	}
	registry, err := runtimes.Builtin()
	if err != nil {
		return nil, nil, err
	}
	definition, err := registry.Lookup("python")
	if err != nil {
		return nil, nil, err
	}
	if definition = store.Prefer(definition); definition.Source.Build == "" {
		return nil, nil, errors.New("no Python was built from source: run sandboxd runtimes build python")
	}
	return store, definition, nil
}

// installBuild gives the sandboxd that is measured the Python that the user built,
// if there is one.
func (e *environment) installBuild(ctx context.Context) error {
	store, definition, err := e.userBuild()
	if err != nil {
		e.say("measuring the prebuilt Python: %v", err)
		return nil
	}
	packed, err := store.Load(ctx, definition, nil)
	if err != nil {
		return err
	}
	own, err := runtimes.OpenStore(e.productCache())
	if err != nil {
		return err
	}
	_, err = own.Install(packed)
	return err
}

// openEnvironment makes the directories. The caller removes scratch.
func openEnvironment(cache string, say func(string, ...any)) (*environment, error) {
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find the cache: %w", err)
		}
		cache = filepath.Join(user, "sandboxd-bench")
	}
	cache, err := filepath.Abs(cache)
	if err != nil {
		return nil, fmt.Errorf("find the cache: %w", err)
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, fmt.Errorf("make the cache: %w", err)
	}
	scratch, err := os.MkdirTemp("", "sandboxd-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a scratch directory: %w", err)
	}
	return &environment{cache: cache, scratch: scratch, say: say}, nil
}

// productCache is where sandboxd keeps its own downloads and prepared modules.
func (e *environment) productCache() string { return filepath.Join(e.cache, "sandboxd") }

// module returns the Python module that sandboxd pins, without custom sections.
// All engines get these bytes, so that none pays for debug information.
func (e *environment) module(ctx context.Context) ([]byte, error) {
	e.loadOnce.Do(func() {
		e.stripped, e.loadErr = e.load(ctx)
	})
	return e.stripped, e.loadErr
}

func (e *environment) load(ctx context.Context) ([]byte, error) {
	registry, err := runtimes.Builtin()
	if err != nil {
		return nil, err
	}
	definition, err := registry.Lookup("python")
	if err != nil {
		return nil, err
	}
	store, err := runtimes.OpenStore(e.productCache())
	if err != nil {
		return nil, err
	}
	if _, ok := store.Cached(definition); !ok {
		e.say("fetching the Python module")
	}
	data, err := store.Load(ctx, definition, nil)
	if err != nil {
		return nil, err
	}
	m, err := wasm.Decode(data)
	if err != nil {
		return nil, err
	}
	m.StripCustom()
	return m.Encode(), nil
}

// command runs a program to its end and returns what it printed on standard
// output. A failure quotes the last lines of its standard error.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	//nolint:gosec // G204: the harness runs the peers the operator asked for.
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(name), err, lastLines(string(exit.Stderr), 3))
	}
	if err != nil {
		return "", fmt.Errorf("run %s: %w", filepath.Base(name), err)
	}
	return string(out), nil
}

// lastLines returns the last n lines of text that are not blank, on one line.
func lastLines(text string, n int) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}

// installed runs install unless it succeeded before for the same version in dir,
// which is emptied first: a half-finished installation is never used.
func (e *environment) installed(dir, version string, install func() error) error {
	mark := filepath.Join(dir, "installed")
	//nolint:gosec // G304: a file of our own cache
	if data, err := os.ReadFile(mark); err == nil && string(data) == version {
		return nil
	}
	e.say("installing %s", version)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("install %s: %w", version, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("install %s: %w", version, err)
	}
	if err := install(); err != nil {
		return fmt.Errorf("install %s: %w", version, err)
	}
	if err := os.WriteFile(mark, []byte(version), 0o600); err != nil {
		return fmt.Errorf("install %s: %w", version, err)
	}
	return nil
}
