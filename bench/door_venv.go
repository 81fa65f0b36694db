package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The PyPI packages that are installed.
const (
	referenceVersion = "0.4.4"
	eryxVersion      = "0.11.0"
)

// openReference opens llm-wasm-sandbox through create_sandbox and execute.
func openReference(ctx context.Context, e *environment) (door, string, error) {
	return openVenv(ctx, e, "llm-wasm-sandbox", referenceVersion, "llm_wasm_sandbox.py")
}

// openEryx opens pyeryx through Sandbox and execute.
func openEryx(ctx context.Context, e *environment) (door, string, error) {
	return openVenv(ctx, e, "pyeryx", eryxVersion, "pyeryx.py")
}

// openVenv installs a package in a virtual environment of its own, with the
// first Python that has a wheel for it, and starts its driver.
func openVenv(ctx context.Context, e *environment, name, version, driver string) (door, string, error) {
	dir := filepath.Join(e.cache, name)
	spec := name + "==" + version
	err := e.installed(dir, spec, func() error {
		var errs []error
		for _, python := range pythons() {
			err := installVenv(ctx, python, dir, spec)
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(append(errs, errors.New("no Python on this machine can install it"))...)
	})
	if err != nil {
		return nil, "", err
	}
	if err := writeDriver(dir, driver); err != nil {
		return nil, "", err
	}
	w, err := startWorker(ctx, dir, filepath.Join(dir, "venv", "bin", "python"), driver)
	if err != nil {
		return nil, "", err
	}
	return w, version + " (" + w.version + ")", nil
}

func installVenv(ctx context.Context, python, dir, spec string) error {
	venv := filepath.Join(dir, "venv")
	if _, err := command(ctx, dir, python, "-m", "venv", "--clear", venv); err != nil {
		return err
	}
	// Wheels only: building a peer from source would measure another peer.
	_, err := command(ctx, dir, filepath.Join(venv, "bin", "python"), "-m", "pip", "install",
		"--quiet", "--only-binary", ":all:", spec)
	if err != nil {
		return fmt.Errorf("with %s: %w", python, err)
	}
	return nil
}

// pythons lists interpreters to try: python3, then newer ones by name, then those
// a version manager keeps outside PATH.
func pythons() []string {
	var found []string
	for _, name := range []string{"python3", "python3.14", "python3.13", "python3.12"} {
		if path, err := exec.LookPath(name); err == nil {
			found = append(found, path)
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		managed, err := filepath.Glob(filepath.Join(home, ".pyenv", "versions", "3.1?.*", "bin", "python3"))
		if err == nil { // the pattern is constant
			slices.SortFunc(managed, func(a, b string) int { return strings.Compare(b, a) })
			found = append(found, managed...)
		}
	}
	return found
}
