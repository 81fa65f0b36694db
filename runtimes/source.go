package runtimes

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A runtime that can be built from source has a folder with a script in it, which
// is called with two directories: one for what it makes, one to work in. It writes
// the three files below into the first, and tells its stages on standard output.
const (
	recipeDir    = "plugin"
	recipeScript = "build.sh"

	builtModule   = "python.wasm"
	builtLibrary  = "library.zip"
	builtManifest = "manifest.json"

	stageMark    = "stage: "
	recipeFailed = 3 // its exit code where this machine cannot build
)

// recipeGrace is how long a cancelled build's compilers may take to end.
const recipeGrace = 5 * time.Second

// Recipe returns the SHA-256 of what a runtime is built from, beside the packages
// it fetches. A runtime that cannot be built from source is [ErrInvalid].
func Recipe(d *Definition) (string, error) {
	files, err := recipeFiles(d)
	if err != nil {
		return "", err
	}
	return recipeDigest(files), nil
}

func recipeDigest(files map[string][]byte) string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(hash, "%s %d\n%s", name, len(files[name]), files[name])
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// recipeFiles are the files of a recipe that a build depends on.
func recipeFiles(d *Definition) (map[string][]byte, error) {
	if d.Files == nil {
		return nil, fmt.Errorf("build runtime %s: %w: it has no folder", d.Name, ErrInvalid)
	}
	if d.Source.Go != "" {
		files, err := goFiles(d)
		if err != nil {
			return nil, fmt.Errorf("build runtime %s: %w", d.Name, err)
		}
		return files, nil
	}
	found, err := fs.Glob(d.Files, recipeDir+"/*")
	if err != nil {
		return nil, fmt.Errorf("build runtime %s: %w", d.Name, err)
	}
	files := map[string][]byte{}
	for _, name := range found {
		base := strings.TrimPrefix(name, recipeDir+"/")
		if base != recipeScript && filepath.Ext(base) != ".c" {
			continue
		}
		if files[base], err = fs.ReadFile(d.Files, name); err != nil {
			return nil, fmt.Errorf("build runtime %s: %w", d.Name, err)
		}
	}
	if files[recipeScript] == nil {
		return nil, fmt.Errorf("build runtime %s: %w: it cannot be built from source", d.Name, ErrInvalid)
	}
	return files, nil
}

// Build builds d from source, which takes minutes, and installs the result; see
// [Store.Install]. work is a directory for the build, which stays; empty means one
// that is removed afterwards. The script is part of sandboxd, or of a runtime that
// the user added: it runs with all that the user may do.
//
// A machine that cannot build is [ErrUnavailable], and the error says what is
// missing; a build that fails is as well, with the end of its log.
func (s *Store) Build(ctx context.Context, d *Definition, work string, p Progress) (*Build, error) {
	files, err := recipeFiles(d)
	if err != nil {
		return nil, err
	}
	if work == "" {
		if work, err = os.MkdirTemp("", "sandboxd-build-"); err != nil {
			return nil, unavailable("build runtime %s: %w", d.Name, err)
		}
		defer func() { _ = os.RemoveAll(work) }()
	}
	to := reporter{to: p, runtime: d.Name}
	if d.Source.Go != "" {
		module, version, err := buildGo(ctx, d, files, work, to)
		if err == nil {
			module, err = packGo(d, module, version, recipeDigest(files))
		}
		if err != nil {
			return nil, fmt.Errorf("build runtime %s: %w", d.Name, err)
		}
		return s.Install(module)
	}
	recipe, out := filepath.Join(work, "recipe"), filepath.Join(work, "out")
	if err := os.MkdirAll(recipe, 0o700); err != nil {
		return nil, unavailable("build runtime %s: %w", d.Name, err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(recipe, name), content, 0o600); err != nil {
			return nil, unavailable("build runtime %s: %w", d.Name, err)
		}
	}
	if err := runRecipe(ctx, filepath.Join(recipe, recipeScript), out, filepath.Join(work, "work"), to); err != nil {
		return nil, fmt.Errorf("build runtime %s: %w", d.Name, err)
	}
	module, err := packBuilt(out, recipeDigest(files))
	if err != nil {
		return nil, fmt.Errorf("build runtime %s: %w", d.Name, err)
	}
	return s.Install(module)
}

// runRecipe runs a recipe's script and reports its stages.
func runRecipe(ctx context.Context, script, out, work string, to reporter) error {
	cmd := exec.CommandContext(ctx, "bash", script, out, work) //nolint:gosec // the recipe
	cmd.WaitDelay = recipeGrace
	endTogether(cmd)
	var said tail
	cmd.Stderr = &said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return unavailable("%w", err)
	}
	if err := cmd.Start(); err != nil {
		return unavailable("start the build: %w", err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		line := lines.Text()
		if stage, ok := strings.CutPrefix(line, stageMark); ok {
			to.send(Event{Stage: stage})
		} else {
			to.send(Event{Stage: "build", Warning: line})
		}
	}
	_, _ = io.Copy(io.Discard, stdout) // whatever is too long for a line
	err = cmd.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == recipeFailed {
			return unavailable("%s", strings.TrimSpace(string(said.kept)))
		}
		return unavailable("%w: %s", err, strings.TrimSpace(string(said.kept)))
	}
	to.send(Event{Stage: StageDone, Finished: true})
	return nil
}

// packBuilt makes one module of what a recipe wrote.
func packBuilt(out, recipe string) ([]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{builtModule, builtLibrary, builtManifest} {
		content, err := os.ReadFile(filepath.Join(out, name)) //nolint:gosec // the recipe's own directory
		if err != nil {
			return nil, unavailable("the recipe made no %s: %w", name, err)
		}
		files[name] = content
	}
	b := new(Build)
	if err := json.Unmarshal(files[builtManifest], b); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, builtManifest, err)
	}
	b.Recipe = recipe
	return b.Pack(files[builtModule], files[builtLibrary])
}
