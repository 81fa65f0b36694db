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
	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/meter"
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
	return h.once(ctx, d.Name, func(ctx context.Context) (*plugin, error) { return h.ready(ctx, d) })
}

// once returns the plugin of a name, preparing it first if nobody has.
func (h *Host) once(ctx context.Context, name string, prepare func(context.Context) (*plugin, error)) (*plugin, error) {
	for {
		h.mu.Lock()
		p := h.plugins[name]
		first := p == nil
		if first {
			p = &preparation{done: make(chan struct{})}
			h.plugins[name] = p
		}
		h.mu.Unlock()
		if first {
			p.plugin, p.err = prepare(ctx)
			if p.err != nil {
				h.mu.Lock()
				delete(h.plugins, name)
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

// ready prepares a runtime. Advice that does not come with sandboxd is read now, while
// this process can open files, and because it may be wrong.
func (h *Host) ready(ctx context.Context, d *runtimes.Definition) (*plugin, error) {
	if d.BuiltIn {
		return h.prepare(ctx, d)
	}
	rules, err := guidance.Load(d.Files)
	if err != nil {
		return nil, fmt.Errorf("runtime %q: %w", d.Name, err)
	}
	p, err := h.prepare(ctx, d)
	if err == nil {
		p.adviceOnce.Do(func() { p.advice = rules })
	}
	return p, err
}

// Stages of preparing a runtime, as runtimes.Event.Stage names them, after those
// of fetching.
const (
	StageOptimize = "optimize"
	StageMeter    = "meter"
	StageCompile  = "compile"
	StageWarmUp   = "warm up"
	StagePreload  = "import packages"
	StageSelfTest = "self-test"
)

// artefactVersion is part of every prepared module's key. Raise it with every
// change to what preparing produces that the key's other parts do not show: the
// metering pass, the rewriting for snapshots, the host functions' costs. A test
// holds it against the bytes produced.
const artefactVersion = "8"

// Names inside the directory of a prepared runtime.
const (
	moduleFile  = "module.wasm"
	libraryFile = "library" // see runtimes.LibrarySection
	imageDir    = "image"
	compiledDir = "compiled"
)

// prepare loads the prepared runtime from the cache, or prepares it. An optimized
// one is used if it is there, but only made if the host was opened to do that.
func (h *Host) prepare(ctx context.Context, d *runtimes.Definition) (*plugin, error) {
	d, err := h.store.Resolve(ctx, d, h.progress)
	if err != nil {
		return nil, err
	}
	drv, err := newDriver(d)
	if err != nil {
		return nil, err
	}
	b := &builder{host: h, definition: d, driver: drv}
	if b.entries, err = openArtefacts(filepath.Join(h.store.Dir, runtimes.PreparedDir)); err != nil {
		return nil, err
	}
	if u, ok := drv.(unoptimized); ok && u.unoptimized() {
		b.optimized = true
		p, err := b.find(ctx)
		if p != nil || err != nil {
			return p, err
		}
		if h.optimizing && d.BuiltIn { // the optimizer is not for modules of anybody's
			if p, err = b.make(ctx); err == nil || ctx.Err() != nil {
				return p, err
			}
			b.warn(fmt.Sprintf("%s is not optimized (%v)", d.Name, err))
		}
		b.optimized = false
	}
	p, err := b.find(ctx)
	if p != nil || err != nil {
		return p, err
	}
	return b.make(ctx)
}

// builder prepares one runtime, or an image of one with modules preloaded.
type builder struct {
	host       *Host
	entries    artefacts
	definition *runtimes.Definition
	driver     driver
	optimized  bool
	// watched is the module with what its driver adds to it, where the image is to be
	// arranged, and watcher is its driver; see arranger.
	watched []byte
	watcher watcher
	preload *preloading // nil for a runtime
}

// find loads the prepared runtime, if there is one. A damaged one is discarded.
func (b *builder) find(ctx context.Context) (*plugin, error) {
	p, err := b.open(ctx)
	switch {
	case err == nil:
		return p, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	name := b.definition.Name
	b.host.log.Warn("prepared runtime is damaged: preparing it again", "runtime", name, "error", err)
	b.report(runtimes.Event{Stage: runtimes.StageRepair, Warning: fmt.Sprintf("the prepared %s in the cache is damaged (%v); preparing it again", name, err)})
	return nil, b.entries.discard(b.key())
}

// open loads the prepared runtime and holds it while it is loaded; nil if there is none.
// To use it is to use the module that it was made of.
func (b *builder) open(ctx context.Context) (*plugin, error) {
	held := b.entries.hold(b.key())
	if held == nil {
		return nil, nil
	}
	p, err := b.load(ctx, held.dir)
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	p.use = held
	b.host.store.Used(b.definition)
	return p, nil
}

// make prepares the runtime and puts it into the cache.
func (b *builder) make(ctx context.Context) (*plugin, error) {
	dir, err := b.entries.begin()
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if held := useOf(dir); held != nil { // until open holds it by its key
		defer func() { _ = held.Close() }()
	}
	if err := b.build(ctx, dir); err != nil {
		return nil, err
	}
	var p *plugin
	for p == nil { // that of another process, which was faster, may be pruned before open holds it
		if err := b.entries.commit(dir, b.key()); err != nil {
			return nil, err
		}
		if p, err = b.open(ctx); err != nil {
			return nil, err
		}
	}
	b.report(runtimes.Event{Stage: runtimes.StageDone, Finished: true})
	return p, nil
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
	if b.preload != nil {
		return b.preload.key()
	}
	s := sha256.New()
	for _, part := range []string{artefactVersion, b.definition.Source.SHA256, b.definition.Driver, runtime.GOARCH, engineVersion()} {
		_, _ = fmt.Fprintf(s, "%d:%s", len(part), part)
	}
	if b.optimized {
		_, _ = fmt.Fprint(s, optimizer.Source.SHA256, optimizerFlags)
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
	if b.preload != nil {
		return b.buildPreloaded(ctx, dir)
	}
	original, err := b.host.store.Load(ctx, b.definition, b.host.progress)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.optimized {
		if original, err = b.optimize(ctx, original); err != nil {
			return err
		}
	}
	b.report(runtimes.Event{Stage: StageMeter})
	r, err := b.rewrite(original)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{moduleFile: r.module, libraryFile: r.library} {
		if len(content) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fmt.Errorf("prepare %s: %w", b.definition.Name, err)
		}
	}
	b.report(runtimes.Event{Stage: StageCompile})
	if err := b.isolated(ctx, filepath.Join(dir, moduleFile), dir, len(original)); err != nil {
		return fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	p, err := b.compile(ctx, r.module, dir)
	if err != nil {
		return err
	}
	defer func() { _ = p.close() }()
	p.minMemory, p.library = r.minMemory, r.library
	if _, afresh := b.driver.(starter); afresh {
		return seal(dir, r.minMemory)
	}
	if _, answers := b.driver.(exchanger); answers && b.driver.entry().WarmUp == "" {
		return seal(dir, r.minMemory) // nothing in it asks for a snapshot
	}
	if r.noImage != nil {
		b.plainStart(dir, r.noImage)
		return seal(dir, r.minMemory)
	}
	if b.driver.warmUpArgs() == nil && b.driver.entry().WarmUp == "" {
		return seal(dir, r.minMemory) // it always starts from the beginning
	}

	err = b.snapshot(ctx, p, filepath.Join(dir, imageDir))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		b.plainStart(dir, err)
	}
	return seal(dir, r.minMemory)
}

// warn tells the user and the log what did not work and was dealt with.
func (b *builder) warn(what string) {
	b.host.log.Warn(what, "runtime", b.definition.Name)
	b.report(runtimes.Event{Stage: StageOptimize, Warning: what})
}

// plainStart notes that there is no image: slower, never wrong.
func (b *builder) plainStart(dir string, err error) {
	_ = os.RemoveAll(filepath.Join(dir, imageDir))
	b.host.log.Warn("no snapshot: every call starts the runtime afresh", "runtime", b.definition.Name, "error", err)
	b.report(runtimes.Event{Stage: StageWarmUp, Warning: fmt.Sprintf("%s cannot start from a snapshot (%v); every call starts it afresh", b.definition.Name, err)})
}

// rewritten is a module made ready to be compiled.
type rewritten struct {
	module    []byte
	library   []byte // what its runtimes.LibrarySection held
	minMemory uint64 // the memory it starts with, in bytes
	noImage   error  // why its instances cannot be snapshotted; nil if they can
}

// rewrite meters the module and makes it fit for snapshots.
func (b *builder) rewrite(original []byte) (_ *rewritten, err error) {
	defer func() {
		// A mistake of ours about a module that anybody made must not end the process.
		if cause := recover(); cause != nil {
			err = fmt.Errorf("prepare %s: %w: rewriting the module failed: %.200v", b.definition.Name, runtimes.ErrInvalid, cause)
		}
	}()
	m, err := decodeModule(original)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	r := new(rewritten)
	for i := range m.Customs {
		if m.Customs[i].Name == runtimes.LibrarySection {
			r.library = m.Customs[i].Data
		}
	}
	m.StripCustom()
	if err := b.driver.adapt(m); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	if err := refuseImports(m, b.driver); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	if err := meter.Instrument(m, meter.Config{Cost: costs(b.driver.functions()), Bounds: hostBounds, Rename: renames(), Amend: amends, MaxTable: maxTable}); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	err = image.Rewrite(m, b.driver.entry(), meter.FuelExport)
	if errors.Is(err, image.ErrUnsupported) {
		r.noImage = err
		err = image.Plain(m, b.driver.entry())
	}
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", b.definition.Name, err)
	}
	r.module, r.minMemory = m.Encode(), uint64(m.Memories[0].Min)*image.PageSize
	if d, ok := b.driver.(arranger); ok && b.definition.BuiltIn && r.noImage == nil {
		if b.watcher, err = d.watch(m); err != nil {
			b.host.log.Warn("the image is not arranged", "runtime", b.definition.Name, "error", err)
			return r, nil
		}
		b.watched = m.Encode()
	}
	return r, nil
}

// maxTable bounds a table, in elements, which the engine keeps in host memory at
// 8 bytes each. CPython has 5 500.
const maxTable = 1 << 20

func (b *builder) compile(ctx context.Context, module []byte, dir string) (*plugin, error) {
	compiled, cache, err := compile(ctx, module, b.driver.functions(), filepath.Join(dir, compiledDir), runtime.GOMAXPROCS(0))
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
	stage := StageWarmUp
	if b.preload != nil {
		stage = StagePreload
	}
	b.report(runtimes.Event{Stage: stage})
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	err := b.arranged(ctx, dir)
	if err != nil && ctx.Err() == nil { // it may have left a part of an image
		if err = errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err == nil {
			err = b.warmUp(ctx, p, dir, nil)
		}
	}
	if err != nil {
		return err
	}
	b.report(runtimes.Event{Stage: StageSelfTest})
	if _, ok := b.driver.(exchanger); ok {
		return b.compare(ctx, p, dir)
	}
	if err := p.openImage(dir, b.key()); err != nil {
		return err
	}
	return b.selfTest(ctx, p)
}

// testProfile is what a runtime is tried under before it is used.
func testProfile() *policies.Profile {
	return &policies.Profile{
		Name: "self-test", Fuel: warmUpFuel, Memory: warmUpMemory,
		Stdout: warmUpOutput, Stderr: warmUpOutput, Timeout: policies.Duration(time.Minute),
	}
}

// compare is the self-test of a runtime of whose language nothing is known: the empty
// program must come to the same from the image in dir, twice, as from a plain start.
func (b *builder) compare(ctx context.Context, p *plugin, dir string) error {
	var want *Result
	for i := range 3 {
		if i == 1 {
			if err := p.openImage(dir, b.key()); err != nil {
				return err
			}
		}
		c, err := b.host.newCall(p, testProfile(), &Request{})
		if err != nil {
			return err
		}
		got := c.execute(ctx, func() {}, func() {})
		if i == 0 {
			want = got
		}
		if got.Status != want.Status || got.ExitCode != want.ExitCode || got.Stdout != want.Stdout || got.Stderr != want.Stderr {
			return fmt.Errorf("self-test: status %s, exit code %d, stdout %.200q, stderr %.500q; without the snapshot %s, %d, %.200q, %.500q",
				got.Status, got.ExitCode, got.Stdout, got.Stderr, want.Status, want.ExitCode, want.Stdout, want.Stderr)
		}
	}
	return nil
}

// selfTest runs the driver's test program from the image, twice. A wrong way
// into the image shows here, and not in a user's results.
func (b *builder) selfTest(ctx context.Context, p *plugin) error {
	code, want := b.driver.selfTest()
	for range 2 {
		c, err := b.host.newCall(p, testProfile(), &Request{Code: []byte(code), Args: []string{"argument"}})
		if err != nil {
			return err
		}
		r := c.execute(ctx, func() {}, func() {})
		said := r.Stdout
		if b.preload != nil { // a module may have more to say at the end
			said = said[:min(len(said), len(want))]
		}
		if r.Status != StatusError || r.ExitCode != 7 || said != want {
			return fmt.Errorf("self-test: status %s, exit code %d, stdout %q, stderr %q", r.Status, r.ExitCode, r.Stdout, cut(r.Stderr, 500))
		}
	}
	return nil
}

// warmUp runs the module up to its checkpoint and captures it in dir. It shows the memory
// to inspect first, if that is not nil, which may change it.
func (b *builder) warmUp(ctx context.Context, p *plugin, dir string, inspect func(memory []byte) error) error {
	ready := &checkpoint{capture: func(in *instance, told []byte) error {
		target, err := b.driver.target(in.region.Bytes(), told)
		if err == nil && inspect != nil {
			err = inspect(in.region.Bytes())
		}
		if err != nil {
			return err
		}
		return image.Capture(dir, in.mod, in.region.Bytes(), target)
	}}
	w, err := openAppDir("", b.host.scratch.dir)
	if err != nil {
		return err
	}
	defer w.close()
	in, err := p.newInstance(warmUpMemory, ready)
	if err != nil {
		return err
	}
	defer in.discard()
	if b.preload != nil {
		ready.imports.modules = b.preload.Modules
	}
	mounts, closeMounts, err := b.packages()
	if err != nil {
		return err
	}
	defer closeMounts()
	ready.imports.in = in
	in.fuel.budget = warmUpFuel
	in.attach(&Request{}, &policies.Profile{Stdout: warmUpOutput, Stderr: warmUpOutput})
	err = in.files.Bind(guestfs.Options{
		Mounts:  append(mounts, guestfs.Mount{Guest: policies.WorkspacePath, Writable: true, Root: w.open, Times: warmUpDate * int64(time.Second)}),
		Virtual: p.virtual(b.driver.warmUpFiles(ready)),
		Limits:  guestfs.Limits{MaxBytes: warmUpOutput, MaxFiles: 64},
	})
	if err != nil {
		return err
	}
	err = in.enter(ctx)
	if b.driver.entry().WarmUp != "" && err == nil {
		ready.take(in)
	}
	switch {
	case ready.err != nil:
		return ready.err
	case !ready.reached && ready.imports.stopped(ctx, in) != nil:
		return ready.imports.failure
	case !ready.reached:
		said, _ := in.stderr.text()
		if in.ended != nil {
			err = errors.Join(err, in.ended.err)
		}
		return errors.Join(errNoCheckpoint, err, errors.New(cut(said, 2000)))
	}
	return nil
}

// load makes a plugin of the files in dir.
func (b *builder) load(ctx context.Context, dir string) (*plugin, error) {
	if b.preload != nil {
		return b.loadPreloaded(dir)
	}
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
	p.minMemory, p.key = m.MinMemory, b.key()
	p.library, err = os.ReadFile(filepath.Join(dir, libraryFile)) //nolint:gosec // our cache
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(err, p.close())
	}
	err = p.openImage(filepath.Join(dir, imageDir), b.key())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		_ = p.close()
		return nil, err
	}
	return p, nil
}

// openImage lets instances start from the image in dir, of the module with that key.
func (p *plugin) openImage(dir, module string) error {
	im, err := image.Open(dir, module)
	if err != nil {
		return err
	}
	p.image, p.minMemory = im, im.Memory()
	return nil
}
