package host

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	shared "github.com/sandboxd/sandboxd/internal/owned"
	"github.com/sandboxd/sandboxd/runtimes"
)

// pruned is a cache with one small runtime.
type pruned struct {
	t   *testing.T
	dir string
	d   *runtimes.Definition
	n   notes
}

func newPruned(t *testing.T, dir string) *pruned {
	t.Helper()
	return &pruned{t: t, dir: dir, d: definition(t, "extism", answering("", 0))}
}

// open opens a host that has the runtime.
func (p *pruned) open() *Host {
	p.t.Helper()
	registry, err := runtimes.NewRegistry(p.d)
	if err != nil {
		p.t.Fatal(err)
	}
	h, err := Open(p.t.Context(), Options{CacheDir: p.dir, Registry: registry, Progress: p.n.progress})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { p.close(h) })
	return h
}

func (p *pruned) close(h *Host) {
	p.t.Helper()
	if err := h.Close(); err != nil {
		p.t.Error(err)
	}
}

// run runs a program.
func (p *pruned) run(h *Host) {
	p.t.Helper()
	if r, err := h.Execute(p.t.Context(), Request{Language: "made"}); err != nil || r.Status != StatusOK {
		p.t.Errorf("got %+v, %v", r, err)
	}
}

// entries are the folders in the cache whose names match.
func (p *pruned) entries(pattern string) []string {
	p.t.Helper()
	names, err := filepath.Glob(filepath.Join(p.dir, runtimes.PreparedDir, pattern))
	if err != nil {
		p.t.Fatal(err)
	}
	return names
}

// age has everything been used long ago.
func (p *pruned) age() {
	p.t.Helper()
	then := time.Now().AddDate(-1, 0, 0)
	for _, name := range append(p.entries("*"), filepath.Join(p.dir, p.d.Source.SHA256+".wasm")) {
		if err := os.Chtimes(name, then, then); err != nil {
			p.t.Fatal(err)
		}
	}
}

// prune prunes what was not used for a month, and must remove and skip so much.
func (p *pruned) prune(removed, skipped int, known ...*runtimes.Definition) {
	p.t.Helper()
	got, err := Prune(p.t.Context(), p.dir, runtimes.PruneOptions{Idle: 30 * 24 * time.Hour, Known: known})
	if err != nil || len(got.Removed) != removed || len(got.Skipped) != skipped {
		p.t.Errorf("got %+v, %v; want %d removed, %d skipped", got, err, removed, skipped)
		return
	}
	for _, s := range got.Skipped {
		if s.Reason != "in use" {
			p.t.Errorf("got %+v", got)
		}
	}
}

func TestPruningWhatWasPrepared(t *testing.T) {
	p := newPruned(t, t.TempDir())
	h := p.open()
	p.run(h)
	p.close(h)
	p.prune(0, 0)
	p.age()
	p.prune(1, 0, p.d) // the module is known
	p.prune(1, 0)      // and not known
	p.run(p.open())
	if p.n.stages[StageMeter] != 2 || len(p.n.warnings) != 0 {
		t.Errorf("it was not made again: %+v", p.n.stages)
	}
}

func TestWhatIsUsedIsNotPruned(t *testing.T) {
	p := newPruned(t, t.TempDir())
	p.close(func() *Host { h := p.open(); p.run(h); return h }())
	p.age()
	p.close(func() *Host { h := p.open(); p.run(h); return h }())
	p.prune(0, 0)
	if p.n.stages[StageMeter] != 1 {
		t.Errorf("it was prepared again: %+v", p.n.stages)
	}

	// One that runs for long has used it until it ends.
	h := p.open()
	p.run(h)
	p.age()
	p.close(h)
	p.prune(1, 0) // the module, which it did not need
	if len(p.entries("*")) != 1 {
		t.Error("it is gone")
	}
}

func TestPruningWhatAHostHasLoaded(t *testing.T) {
	if !shared.Locks {
		t.Skip("no locks here: age decides")
	}
	p := newPruned(t, t.TempDir())
	first, second := p.open(), p.open()
	p.run(first)
	p.run(second)
	p.age()
	p.prune(0, 1, p.d)
	p.close(first)
	p.age()
	p.prune(0, 1, p.d)
	p.run(second)
	p.close(second)
	p.age()
	p.prune(1, 0, p.d)
}

// otherProcess tells a process of TestPruningWhatAnotherProcessHasLoaded where the cache is.
const otherProcess = "SANDBOXD_TEST_PRUNED_CACHE"

func TestPruningWhatAnotherProcessHasLoaded(t *testing.T) {
	if dir := os.Getenv(otherProcess); dir != "" {
		p := newPruned(t, dir)
		h := p.open()
		p.run(h)
		_, _ = os.Stdout.WriteString("loaded\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		p.run(h)
		return
	}
	if !shared.Locks {
		t.Skip("no locks here: age decides")
	}
	p := newPruned(t, t.TempDir())
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestPruningWhatAnotherProcessHasLoaded$")
	cmd.Env, cmd.Stderr = append(os.Environ(), otherProcess+"="+p.dir), os.Stderr
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stdout)
	if line, err := said.ReadString('\n'); err != nil || line != "loaded\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	p.age()
	p.prune(0, 1, p.d)
	_ = stdin.Close()
	rest, err := io.ReadAll(said)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		t.Fatalf("the other process: %v\n%s", err, rest)
	}
	p.age()
	p.prune(1, 0, p.d)
}

// TestPruningWhatIsReserved has a host that has loaded nothing, and will.
func TestPruningWhatIsReserved(t *testing.T) {
	if !shared.Locks {
		t.Skip("no locks here: age decides")
	}
	p := newPruned(t, t.TempDir())
	p.open().Reserve() // there is nothing yet
	p.close(func() *Host { h := p.open(); p.run(h); return h }())
	p.age()
	h := p.open()
	h.Reserve()
	p.prune(0, 0, p.d) // it counts as used
	p.age()
	p.prune(0, 1, p.d)
	p.run(h)
	p.close(h)
	h.Reserve() // too late
	p.age()
	p.prune(1, 0, p.d)
	if p.n.stages[StageMeter] != 1 {
		t.Errorf("it was prepared again: %+v", p.n.stages)
	}
}

// TestPruningWhileSomethingIsPrepared prunes when a process has spent two days on it.
func TestPruningWhileSomethingIsPrepared(t *testing.T) {
	if !shared.Locks {
		t.Skip("no locks here: age decides")
	}
	p := newPruned(t, t.TempDir())
	registry, err := runtimes.NewRegistry(p.d)
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	h, err := Open(t.Context(), Options{CacheDir: p.dir, Registry: registry, Progress: func(e runtimes.Event) {
		if e.Stage == StageMeter {
			looked++
			p.age()
			p.prune(0, 1, p.d)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close(h)
	p.run(h)
	if looked != 1 {
		t.Errorf("it was prepared %d times", looked)
	}
}

// TestPruningAllTheTime prunes everything while hosts come and go, which must run right
// whatever they find, and never find damage.
func TestPruningAllTheTime(t *testing.T) {
	if !shared.Locks {
		t.Skip("no locks here: age decides")
	}
	p := newPruned(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	var hosts, pruner sync.WaitGroup
	for range 4 {
		hosts.Go(func() {
			for range 8 {
				h := p.open()
				p.run(h)
				p.close(h)
			}
		})
	}
	pruner.Go(func() {
		for ctx.Err() == nil {
			if _, err := Prune(ctx, p.dir, runtimes.PruneOptions{Known: []*runtimes.Definition{p.d}}); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	hosts.Wait()
	cancel()
	pruner.Wait()
	if len(p.n.warnings) != 0 {
		t.Errorf("warnings %q", p.n.warnings)
	}
	if len(p.entries(runtimes.PreparedTemp+"*")) != 0 {
		t.Errorf("left: %q", p.entries("*"))
	}
}

// TestPruningWhatAKilledPreparationLeft has the folder of one, whose lock ended with it.
func TestPruningWhatAKilledPreparationLeft(t *testing.T) {
	p := newPruned(t, t.TempDir())
	p.run(p.open())
	entries, err := openArtefacts(filepath.Join(p.dir, runtimes.PreparedDir))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := entries.begin()
	if err != nil {
		t.Fatal(err)
	}
	p.prune(0, 0)
	then := time.Now().AddDate(0, 0, -2)
	if err := os.Chtimes(dir, then, then); err != nil {
		t.Fatal(err)
	}
	p.prune(1, 0)
	for _, name := range p.entries("*") {
		if strings.HasPrefix(filepath.Base(name), runtimes.PreparedTemp) {
			t.Errorf("%s is left", name)
		}
	}
}

// TestTheHostsOwnModulesAreKnown has the modules in the cache that no registry names.
func TestTheHostsOwnModulesAreKnown(t *testing.T) {
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, d := range []*runtimes.Definition{&optimizer, typescriptCompiler} {
		if err := os.WriteFile(filepath.Join(dir, d.Source.SHA256+".wasm"), goldenModule(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Prune(t.Context(), dir, runtimes.PruneOptions{Known: registry.All()}); err != nil || len(got.Removed)+len(got.Skipped) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	// Nothing else makes them known.
	if got, err := Prune(t.Context(), dir, runtimes.PruneOptions{}); err != nil || len(got.Removed) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}
