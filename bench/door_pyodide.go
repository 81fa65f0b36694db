package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed drivers
var drivers embed.FS

// pyodideVersion is the npm package that is installed.
const pyodideVersion = "314.0.7"

// pyodide is an installed Pyodide.
type pyodide struct{ dir, node string }

func installPyodide(ctx context.Context, e *environment) (pyodide, error) {
	dir, node, err := installNode(ctx, e, "pyodide", pyodideVersion)
	return pyodide{dir, node}, err
}

// installNode installs a package from npm, with the driver of its name, and returns
// where they are and where node is.
func installNode(ctx context.Context, e *environment, name, version string) (dir, node string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", err
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", "", err
	}
	dir = filepath.Join(e.cache, name)
	spec := name + "@" + version
	err = e.installed(dir, spec, func() error {
		_, err := command(ctx, dir, npm, "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", spec)
		return err
	})
	if err != nil {
		return "", "", err
	}
	return dir, node, writeDriver(dir, name+".mjs")
}

// writeDriver puts a driver of this package into dir, next to what it imports.
func writeDriver(dir, name string) error {
	text, err := drivers.ReadFile("drivers/" + name)
	if err != nil {
		return fmt.Errorf("write driver: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		return fmt.Errorf("write driver: %w", err)
	}
	return nil
}

func (p pyodide) start(ctx context.Context) (*worker, error) {
	return startWorker(ctx, p.dir, p.node, "pyodide.mjs")
}

func openPyodideWarm(ctx context.Context, e *environment) (door, string, error) {
	p, err := installPyodide(ctx, e)
	if err != nil {
		return nil, "", err
	}
	w, err := p.start(ctx)
	if err != nil {
		return nil, "", err
	}
	return w, pyodideVersion + " (" + w.version + ")", nil
}

// pyodideStart is the isolated way to use Pyodide: a process for every call.
type pyodideStart struct{ pyodide }

func openPyodideStart(ctx context.Context, e *environment) (door, string, error) {
	p, err := installPyodide(ctx, e)
	if err != nil {
		return nil, "", err
	}
	return pyodideStart{p}, pyodideVersion, nil
}

func (p pyodideStart) call(ctx context.Context, code string, stdin io.Reader) (_ outcome, err error) {
	w, err := p.start(ctx)
	if err != nil {
		return outcome{}, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	out, err := w.call(ctx, code, stdin)
	out.elapsed = 0 // the caller waits for the start as well
	return out, err
}

func (pyodideStart) close() error { return nil }
