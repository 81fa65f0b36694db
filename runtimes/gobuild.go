package runtimes

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// StageBuild is the stage of building a module from source.
const StageBuild = "build"

// The files of a Go program that are no Go source. Inside sandboxd's own folders they
// have the second name, since Go embeds no folder that holds a go.mod.
var goModuleFiles = map[string]string{
	"go.mod": "go.mod", "go.sum": "go.sum",
	"module.mod": "go.mod", "module.sum": "go.sum",
}

// maxGoSource bounds the files of a Go program together, in bytes.
const maxGoSource = 8 << 20

// goFiles are what a Go program is built from, by the names that Go knows.
func goFiles(d *Definition) (map[string][]byte, error) {
	found, err := fs.ReadDir(d.Files, d.Source.Go)
	if err != nil {
		return nil, fmt.Errorf("%w: source.go: %w", ErrInvalid, err)
	}
	files, total := map[string][]byte{}, 0
	for _, entry := range found {
		name := entry.Name()
		as, special := goModuleFiles[name]
		switch {
		case special:
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			as = name
		default:
			continue
		}
		content, err := readCapped(d.Files, path.Join(d.Source.Go, name), maxGoSource)
		if err != nil {
			return nil, err
		}
		if total += len(content); total >= maxGoSource {
			return nil, fmt.Errorf("%w: source.go: more than %d MiB of source", ErrInvalid, maxGoSource>>20)
		}
		files[as] = content
	}
	if files["go.mod"] == nil {
		return nil, fmt.Errorf("%w: source.go: there is no go.mod in %s", ErrInvalid, quote(d.Source.Go))
	}
	return files, nil
}

// Resolve returns the definition whose module is to be used for d: what
// [Store.Prefer] says or, for a runtime that is made of a Go program, that of its
// build, which is made if it is not there. Building needs the Go toolchain and the
// modules that the program requires; a machine without them is [ErrUnavailable].
func (s *Store) Resolve(ctx context.Context, d *Definition, p Progress) (*Definition, error) {
	chosen := s.Prefer(d)
	if chosen.Source.Go == "" {
		return chosen, nil
	}
	to := reporter{to: p, runtime: d.Name}
	recipe, err := Recipe(d)
	if err != nil {
		return nil, err
	}
	unlock, err := s.lock(ctx, &Definition{Source: Source{SHA256: recipe}}, to)
	if err != nil {
		return nil, fmt.Errorf("build runtime %s: %w", d.Name, err)
	}
	defer unlock()
	if chosen = s.Prefer(d); chosen.Source.Go == "" {
		return chosen, nil
	}
	if _, err := s.Build(ctx, d, "", p); err != nil {
		return nil, err
	}
	if chosen = s.Prefer(d); chosen.Source.Go != "" {
		return nil, unavailable("build runtime %s: its module is gone from the cache", d.Name)
	}
	return chosen, nil
}

// buildGo builds a Go program in work and returns the packed module. The Go command
// runs no code of the program's; what it fetches, it checks against go.sum.
func buildGo(ctx context.Context, d *Definition, files map[string][]byte, work string, to reporter) (module []byte, version string, err error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return nil, "", unavailable("it is built from Go source when it is first used, and go was not found on PATH: "+
			"install Go, or export it where Go is and import it here (sandboxd runtimes import %s.wasm): %w", d.Name, err)
	}
	source := filepath.Join(work, "source")
	if err := os.MkdirAll(source, 0o700); err != nil {
		return nil, "", unavailable("%w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(source, name), content, 0o600); err != nil {
			return nil, "", unavailable("%w", err)
		}
	}
	to.send(Event{Stage: StageBuild})
	environment := []string{
		"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=",
		"GOTOOLCHAIN=local", "GO111MODULE=on", "GOEXPERIMENT=", "GOWASM=",
	}
	var said tail
	cmd := exec.CommandContext(ctx, tool, "build", "-trimpath", "-buildvcs=false", "-mod=readonly", //nolint:gosec // constant arguments
		"-buildmode=c-shared", "-ldflags=-s -w -buildid=", "-o", filepath.Join(work, "module.wasm"), ".")
	cmd.Dir, cmd.WaitDelay = source, recipeGrace
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = append(cmd.Environ(), environment...)
	endTogether(cmd)
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, "", cause
		}
		return nil, "", unavailable("go build: %w: %s", err, strings.Join(said.lines(), "\n\t"))
	}
	if module, err = os.ReadFile(filepath.Join(work, "module.wasm")); err != nil {
		return nil, "", unavailable("go build: %w", err)
	}
	cmd = exec.CommandContext(ctx, tool, "env", "GOVERSION") //nolint:gosec // constant arguments
	cmd.Dir, cmd.Env = source, append(cmd.Environ(), environment...)
	text, err := cmd.Output()
	if err != nil {
		return nil, "", unavailable("go env: %w", err)
	}
	return module, strings.TrimSpace(string(text)), nil
}

// packGo makes an installable module of a built Go program.
func packGo(d *Definition, module []byte, version, recipe string) ([]byte, error) {
	if len(module) > maxModule {
		return nil, tooLarge()
	}
	b := &Build{
		Runtime: d.Name, Version: d.Version, Contract: BuildContract, Recipe: recipe,
		Inputs: map[string]string{"go": version},
	}
	return b.Pack(module, nil)
}
