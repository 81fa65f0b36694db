package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/meter"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// preparation is a plugin being made, or made: whoever comes second waits.
type preparation struct {
	done   chan struct{}
	plugin *plugin
	err    error
}

// plugin returns the prepared plugin of d, preparing it first if nobody has. A
// failure is not remembered: the next call tries again.
func (h *Host) plugin(ctx context.Context, d *runtimes.Definition) (*plugin, error) {
	for {
		h.mu.Lock()
		p := h.plugins[d.Name]
		first := p == nil
		if first {
			p = &preparation{done: make(chan struct{})}
			h.plugins[d.Name] = p
		}
		h.mu.Unlock()
		if first {
			p.plugin, p.err = h.prepare(ctx, d)
			if p.err != nil {
				h.mu.Lock()
				delete(h.plugins, d.Name)
				h.mu.Unlock()
			}
			close(p.done)
			return p.plugin, p.err
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if p.err == nil {
			return p.plugin, nil
		}
		if !errors.Is(p.err, context.Canceled) && !errors.Is(p.err, context.DeadlineExceeded) {
			return nil, p.err
		}
		// The one who prepared gave up; that is no reason for us to.
	}
}

// Stages of preparing a runtime, as runtimes.Event.Stage names them, after those
// of fetching.
const (
	StageMeter    = "meter"
	StageCompile  = "compile"
	StageWarmUp   = "warm up"
	StageSelfTest = "self-test"
)

// artefactVersion is part of every prepared module's key. Raise it with every
// change to what preparing produces that the key's other parts do not show: the
// metering pass, the rewriting for snapshots, the host functions' costs. A test
// holds it against the bytes produced.
const artefactVersion = "3"

// Names inside the directory of a prepared runtime.
const (
	moduleFile  = "module.wasm"
	imageDir    = "image"
	compiledDir = "compiled"
)

// prepare loads the prepared runtime from the cache, or prepares it.
func (h *Host) prepare(ctx context.Context, d *runtimes.Definition) (*plugin, error) {
	drv, err := newDriver(d)
	if err != nil {
		return nil, err
	}
	b := &builder{host: h, definition: d, driver: drv}
	entries, err := openArtefacts(filepath.Join(h.store.Dir, "prepared"))
	if err != nil {
		return nil, err
	}
	key := b.key()
	if dir, ok := entries.find(key); ok {
		p, err := b.load(ctx, dir)
		if err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		h.log.Warn("prepared runtime is damaged: preparing it again", "runtime", d.Name, "error", err)
		b.report(runtimes.Event{Stage: runtimes.StageRepair, Warning: fmt.Sprintf("the prepared %s in the cache is damaged (%v); preparing it again", d.Name, err)})
		if err := entries.discard(key); err != nil {
			return nil, err
		}
	}
	dir, err := entries.begin()
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := b.build(ctx, dir); err != nil {
		return nil, err
	}
	final, err := entries.commit(dir, key)
	if err != nil {
		return nil, err
	}
	p, err := b.load(ctx, final)
	if err != nil {
		return nil, err
	}
	b.report(runtimes.Event{Stage: runtimes.StageDone, Finished: true})
	return p, nil
}

// builder prepares one runtime.
type builder struct {
	host       *Host
	definition *runtimes.Definition
	driver     driver
}

func (b *builder) report(e runtimes.Event) {
	if b.host.progress != nil {
		e.Runtime = b.definition.Name
		b.host.progress(e)
	}
}

// key names the prepared runtime by everything that went into it. The engine
// keys its own compiled code by module and processor.
func (b *builder) key() string {
	s := sha256.New()
	for _, part := range []string{artefactVersion, b.definition.Source.SHA256, b.definition.Driver, runtime.GOARCH, engineVersion()} {
		_, _ = fmt.Fprintf(s, "%d:%s", len(part), part)
	}
	for _, part := range b.driver.content() {
		_, _ = fmt.Fprintf(s, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(s.Sum(nil))[:32]
}

// engineVersion is the version of wazero that this program was built with. Another
// one would not use the compiled code of a prepared runtime: it would add its own,
// which no manifest guards. Programs that do not know their modules, as those of
// go test, are one version of their own.
func engineVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/tetratelabs/wazero" {
				return m.Version
			}
		}
	}
	return "unknown"
}

// build makes the runtime's files in dir.
func (b *builder) build(ctx context.Context, dir string) error {
	original, err := b.host.store.Load(ctx, b.definition, b.host.progress)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.report(runtimes.Event{Stage: StageMeter})
	module, minMemory, err := b.rewrite(original)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, moduleFile), module, 0o600); err != nil {
		return fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	b.report(runtimes.Event{Stage: StageCompile})
	p, err := b.compile(ctx, module, dir)
	if err != nil {
		return err
	}
	defer func() { _ = p.close() }()
	p.minMemory = minMemory

	err = b.snapshot(ctx, p, filepath.Join(dir, imageDir))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		b.plainStart(dir, err)
	}
	return seal(dir, minMemory)
}

// plainStart notes that there is no image: slower, never wrong.
func (b *builder) plainStart(dir string, err error) {
	_ = os.RemoveAll(filepath.Join(dir, imageDir))
	b.host.log.Warn("no snapshot: every call starts the runtime afresh", "runtime", b.definition.Name, "error", err)
	b.report(runtimes.Event{Stage: StageWarmUp, Warning: fmt.Sprintf("%s cannot start from a snapshot (%v); every call starts it afresh", b.definition.Name, err)})
}

// rewrite meters the module and makes it fit for snapshots.
// It returns the module and the size of the memory it starts with, in bytes.
func (b *builder) rewrite(original []byte) ([]byte, uint64, error) {
	m, err := wasm.Decode(original)
	if err != nil {
		return nil, 0, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	m.StripCustom()
	if err := meter.Instrument(m, meter.Config{Cost: hostCost, Rename: renames(), MaxTable: maxTable}); err != nil {
		return nil, 0, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	if err := image.Rewrite(m, b.driver.export(), meter.FuelExport); err != nil {
		return nil, 0, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	return m.Encode(), uint64(m.Memories[0].Min) * image.PageSize, nil
}

// maxTable bounds a table, in elements, which the engine keeps in host memory at
// 8 bytes each. CPython has 5 500.
const maxTable = 1 << 20

func (b *builder) compile(ctx context.Context, module []byte, dir string) (*plugin, error) {
	compiled, cache, err := compile(ctx, module, filepath.Join(dir, compiledDir), runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	blank, err := image.Blank()
	if err != nil {
		_ = compiled.Close(ctx)
		_ = cache.Close(ctx)
		return nil, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	return &plugin{
		definition: b.definition, driver: b.driver, compiled: compiled, cache: cache, blank: blank, log: b.host.log,
	}, nil
}

// Limits of a warm-up. It runs our own code in a pinned module: they only keep a
// broken one from hanging.
const (
	warmUpFuel   = 100_000_000_000
	warmUpMemory = 256 << 20
	warmUpOutput = 64 << 10
)

// snapshot warms the runtime up, captures it in dir, and tries the result.
func (b *builder) snapshot(ctx context.Context, p *plugin, dir string) error {
	b.report(runtimes.Event{Stage: StageWarmUp})
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := b.warmUp(ctx, p, dir); err != nil {
		return err
	}
	b.report(runtimes.Event{Stage: StageSelfTest})
	if err := p.openImage(dir); err != nil {
		return err
	}
	return b.selfTest(ctx, p)
}

// selfTest runs the driver's test program from the image, twice. A wrong way
// into the image shows here, and not in a user's results.
func (b *builder) selfTest(ctx context.Context, p *plugin) error {
	profile := policies.Profile{
		Name: "self-test", Fuel: warmUpFuel, Memory: warmUpMemory,
		Stdout: warmUpOutput, Stderr: warmUpOutput, Timeout: policies.Duration(time.Minute),
	}
	code, want := b.driver.selfTest()
	for range 2 {
		c, err := b.host.newCall(p, &profile, &Request{Code: []byte(code), Args: []string{"argument"}})
		if err != nil {
			return err
		}
		r := c.execute(ctx, func() {})
		if r.Status != StatusError || r.ExitCode != 7 || r.Stdout != want {
			return fmt.Errorf("self-test: status %s, exit code %d, stdout %q, stderr %q", r.Status, r.ExitCode, r.Stdout, cut(r.Stderr, 500))
		}
	}
	return nil
}

// warmUp runs the module up to its checkpoint and captures it in dir.
func (b *builder) warmUp(ctx context.Context, p *plugin, dir string) error {
	ready := &checkpoint{capture: func(in *instance, told []byte) error {
		target, err := b.driver.target(in.region.Bytes(), told)
		if err != nil {
			return err
		}
		return image.Capture(dir, in.mod, in.region.Bytes(), target)
	}}
	w, err := openWorkspace("", b.host.scratch)
	if err != nil {
		return err
	}
	defer w.close()
	in, err := p.newInstance(warmUpMemory, ready)
	if err != nil {
		return err
	}
	defer in.close()
	in.fuel.budget = warmUpFuel
	in.attach(&Request{}, &policies.Profile{Stdout: warmUpOutput, Stderr: warmUpOutput})
	err = in.files.Bind(guestfs.Options{
		Mounts:  []guestfs.Mount{{Guest: policies.WorkspacePath, Writable: true, Root: w.open}},
		Virtual: b.driver.warmUpFiles(ready),
		Limits:  guestfs.Limits{MaxBytes: warmUpOutput, MaxFiles: 64},
	})
	if err != nil {
		return err
	}
	err = in.enter(ctx)
	switch {
	case ready.err != nil:
		return ready.err
	case !ready.reached:
		said, _ := in.stderr.text()
		return errors.Join(errNoCheckpoint, err, errors.New(cut(said, 2000)))
	}
	return nil
}

// load makes a plugin of the files in dir.
func (b *builder) load(ctx context.Context, dir string) (*plugin, error) {
	m, err := unseal(dir)
	if err != nil {
		return nil, err
	}
	module, err := os.ReadFile(filepath.Join(dir, moduleFile)) //nolint:gosec // our cache
	if err != nil {
		return nil, err
	}
	p, err := b.compile(ctx, module, dir)
	if err != nil {
		return nil, err
	}
	p.minMemory = m.MinMemory
	err = p.openImage(filepath.Join(dir, imageDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		_ = p.close()
		return nil, err
	}
	return p, nil
}

// openImage lets instances start from the image in dir.
func (p *plugin) openImage(dir string) error {
	im, err := image.Open(dir)
	if err != nil {
		return err
	}
	p.image, p.minMemory = im, im.Memory()
	return nil
}
