package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// benchPolicy bounds what any sensible call would be bounded by, and admits the
// instances that the memory measurement holds at once.
const benchPolicy = `
default_profile = "bench"
[server]
max_concurrent = 64
[profiles.bench]
fuel = 5_000_000_000
memory = "128MiB"
timeout = "60s"
`

// inProcess is sandboxd as a Go program embeds it.
type inProcess struct {
	host     *host.Host
	language string
}

// openInProcess returns what opens the door of a language.
func openInProcess(language string) func(context.Context, *environment) (door, string, error) {
	return func(ctx context.Context, e *environment) (door, string, error) {
		h, err := openHost(ctx, e, language)
		if err != nil {
			return nil, "", err
		}
		return inProcess{h, language}, "", nil
	}
}

func openHost(ctx context.Context, e *environment, language string) (*host.Host, error) {
	policy, err := policies.Parse("bench.toml", []byte(benchPolicy))
	if err != nil {
		return nil, err
	}
	h, err := host.Open(ctx, host.Options{Policy: policy, CacheDir: e.productCache()})
	if err != nil {
		return nil, err
	}
	e.say("preparing %s for sandboxd", language)
	if err := h.Prepare(ctx, language); err != nil {
		_ = h.Close() // the first error says more
		return nil, err
	}
	return h, nil
}

func (d inProcess) call(ctx context.Context, code string, stdin io.Reader) (outcome, error) {
	r, err := d.host.Execute(ctx, host.Request{Language: d.language, Code: []byte(code), Stdin: stdin})
	if err != nil {
		return outcome{}, err
	}
	if !r.Success {
		return outcome{}, fmt.Errorf("status %s: %s", r.Status, lastLines(r.Stderr, 2))
	}
	return outcome{stdout: r.Stdout, fuel: r.FuelConsumed}, nil
}

func (d inProcess) close() error { return d.host.Close() }

// programs is a door that starts a process for every call.
type programs struct {
	dir  string
	name string
	args []string // before the program's text
}

func (d programs) call(ctx context.Context, code string, stdin io.Reader) (outcome, error) {
	if stdin != nil {
		return outcome{}, fmt.Errorf("%s takes no input here", filepath.Base(d.name))
	}
	out, err := command(ctx, d.dir, d.name, append(slices.Clip(d.args), code)...)
	return outcome{stdout: out}, err
}

func (programs) close() error { return nil }

// openCLI builds the sandboxd command from this checkout and prepares its cache.
func openCLI(ctx context.Context, e *environment) (door, string, error) {
	root, err := command(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/sandboxd/sandboxd")
	if err != nil {
		return nil, "", fmt.Errorf("find sandboxd's source: %w", err)
	}
	binary := filepath.Join(e.scratch, "sandboxd")
	e.say("building the sandboxd command")
	if _, err := command(ctx, strings.TrimSpace(root), "go", "build", "-o", binary, "./cmd/sandboxd"); err != nil {
		return nil, "", err
	}
	d := programs{dir: e.scratch, name: binary, args: []string{"run", "--cache-dir", e.productCache(), "-c"}}
	if _, err := d.call(ctx, "pass", nil); err != nil {
		return nil, "", err
	}
	return d, "", nil
}

// openNative finds the machine's own Python.
func openNative(ctx context.Context, e *environment) (door, string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, "", err
	}
	// A launcher on PATH, such as a version manager's, would add its own time.
	target, err := command(ctx, "", python, "-I", "-c", "import os, sys; print(os.path.realpath(sys.executable))")
	if err != nil {
		return nil, "", err
	}
	python = strings.TrimSpace(target)
	if _, err := os.Stat(python); err != nil {
		return nil, "", fmt.Errorf("find python3: %w", err)
	}
	version, err := command(ctx, "", python, "-I", "-c", "import platform; print(platform.python_version())")
	if err != nil {
		return nil, "", err
	}
	return programs{dir: e.scratch, name: python, args: []string{"-I", "-c"}}, strings.TrimSpace(version), nil
}
