package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sandboxd/sandboxd/runtimes"
)

// optimizer is wasm-opt of the Binaryen project, as its npm package has it: one
// JavaScript file with the program inside.
var optimizer = runtimes.Definition{
	Name: "wasm-opt",
	Source: runtimes.Source{
		NPM:    "binaryen@132.0.0",
		Path:   "bin/wasm-opt",
		SHA256: "608c021fa3f2c68cdc26f06a1454341089a0e689abb71cbe5a23ef7300e7f3e3",
	},
}

// optimizerFlags are the level, the features that the engine has switched on, and
// what to leave out. -O4 takes half as long again and was no faster.
var optimizerFlags = []string{
	"-O3",
	"--enable-bulk-memory", "--enable-bulk-memory-opt", "--enable-sign-ext",
	"--enable-nontrapping-float-to-int", "--enable-mutable-globals", "--enable-multivalue",
	"--enable-reference-types", "--enable-call-indirect-overlong", "--enable-extended-const",
	"--strip-debug", "--strip-producers", "--strip-target-features",
}

// optimizerStack is the stack of Node.js in kilobytes: the optimizer recurses
// into nested expressions, and CPython has deep ones.
const optimizerStack = "--stack-size=100000"

// optimizerGrace is how long a killed optimizer may hold its pipes open.
const optimizerGrace = 2 * time.Second

// errNoOptimizer means that this machine cannot optimize modules.
var errNoOptimizer = errors.New("node was not found on PATH: install Node.js to have runtimes optimized")

// optimize returns a faster module that does the same. The program that does it is
// fetched, pinned and checked like a module, and sees no more of the environment
// than where programs are; the module it reads is one whose digest is pinned.
func (b *builder) optimize(ctx context.Context, module []byte) (_ []byte, err error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoOptimizer, err)
	}
	program, err := b.host.store.Load(ctx, &optimizer, b.host.progress)
	if err != nil {
		return nil, err
	}
	b.report(runtimes.Event{Stage: StageOptimize})
	dir, err := os.MkdirTemp(b.host.scratch.dir, "optimize-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// Named so, Node.js takes it for what it is whatever a folder above says.
	for name, content := range map[string][]byte{"wasm-opt.cjs": program, "in.wasm": module} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	args := append([]string{optimizerStack, "wasm-opt.cjs", "in.wasm", "-o", "out.wasm"}, optimizerFlags...)
	cmd := exec.CommandContext(ctx, node, args...) //nolint:gosec // constant arguments
	cmd.Dir, cmd.WaitDelay = dir, optimizerGrace
	cmd.Env = []string{"PATH=" + filepath.Dir(node), "HOME=" + dir}
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("wasm-opt: %w: %s", err, cut(string(said), 2000))
	}
	optimized, err := fs.ReadFile(os.DirFS(dir), "out.wasm")
	if err != nil {
		return nil, fmt.Errorf("wasm-opt: %w", err)
	}
	return optimized, nil
}
