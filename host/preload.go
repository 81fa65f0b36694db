package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// PackagesPath is where programs find packages: a mount there is the last place that
// imports look in.
const PackagesPath = "/packages"

// Preload names modules that the interpreter has imported already when a program
// starts, so that importing them costs next to nothing. They come from the call's
// mount at [PackagesPath], which must be read-only.
//
// The modules are imported once, when an image is made for them, and calls with the
// same Preload start from that image. Packages are strangers' code: it runs then as
// programs do, with fuel, memory and time of its own, and sees that mount and nothing
// else, no network and nothing that it can write to and that lasts. But what it does to
// the interpreter, such as replacing a function of the library, is done to all programs
// that start from the image, also to those that do not use it, and what it computes as
// it is imported, such as a date, they all share. So list packages that you would let
// every program import. Calls without a Preload, or with another, do not share it.
//
// Whoever draws random bytes, draws from the generator that the module random has for all,
// or keeps a file open while being imported is refused: programs would share what was
// drawn, and lack the file. Generators of the module random are looked after, and give
// each program numbers of its own from then on.
type Preload struct {
	// Modules are the modules' full names, such as "jinja2" or "openpyxl.chart", at most
	// [MaxPreload]. Empty means that nothing is preloaded.
	Modules []string
	// Digest names what is in the mount: with other packages, or other versions of
	// them, it must be another one. Required with Modules; at most 256 bytes. It is
	// trusted: an image that was made for it is used for what it names.
	Digest string
}

// MaxPreload is how many modules can be preloaded.
const MaxPreload = 200

// Limits of a preload beside those of every warm-up.
const (
	preloadTime    = 5 * time.Minute
	preloadSpoken  = 8192 // bytes of a message from the guest
	preloadDigest  = 256
	preloadMention = 500 // bytes of what the guest says, in errors
)

// seedSize is how many bytes CPython draws to seed a generator of the module random.
const seedSize = 624 * 4

var modulePath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}(\.[A-Za-z_][A-Za-z0-9_]{0,99}){0,9}$`)

// check refuses what no image could be made of.
func (p *Preload) check() error {
	if len(p.Modules) > MaxPreload {
		return fmt.Errorf("%w: preload: %d modules are above the maximum of %d", ErrInvalid, len(p.Modules), MaxPreload)
	}
	for _, name := range p.Modules {
		if !modulePath.MatchString(name) {
			return fmt.Errorf("%w: preload: %.200q is not the name of a module", ErrInvalid, name)
		}
	}
	if len(p.Modules) > 0 && (p.Digest == "" || len(p.Digest) > preloadDigest) {
		return fmt.Errorf("%w: preload: want a digest of the packages, of at most %d bytes", ErrInvalid, preloadDigest)
	}
	return nil
}

// preloader is a driver whose warm-up can import modules.
type preloader interface {
	driver
	preloads()
}

// preloading is a Preload with the host directory of its packages, as a builder needs it.
type preloading struct {
	Preload

	dir  string
	base *plugin // which it adds to
}

// key names the image: everything that the base is made of, the packages and the modules.
func (p *preloading) key() string {
	s := sha256.New()
	for _, part := range append([]string{"preload", p.base.key, p.Digest}, p.Modules...) {
		_, _ = fmt.Fprintf(s, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(s.Sum(nil))[:32]
}

// startsFrom returns what the call starts from: the image with the modules that it is to
// find, or base.
//
// It is base, too, where the image does not fit into the profile's memory, and where the
// call goes on from a state that was made of base: preloading saves work, and no program
// that ran without it is to fail for it.
func (h *Host) startsFrom(ctx context.Context, base *plugin, profile *policies.Profile, r *Request) (*plugin, error) {
	if len(r.Preload.Modules) == 0 {
		return base, nil
	}
	p, err := h.preloaded(ctx, base, profile.Mounts, &r.Preload)
	if err != nil {
		return nil, err
	}
	if p == base || p.minMemory > uint64(profile.Memory)+p.own() || base.image.Made(r.State) {
		return base, nil
	}
	return p, nil
}

// preloaded returns the plugin of an image with modules, making it if it is not there.
// It is base where that has no image, whose calls start plainly.
func (h *Host) preloaded(ctx context.Context, base *plugin, mounts []policies.Mount, wanted *Preload) (*plugin, error) {
	if _, ok := base.driver.(preloader); !ok {
		return nil, fmt.Errorf("%w: preload: %s cannot import modules beforehand", ErrInvalid, base.definition.Name)
	}
	with := &preloading{Preload: *wanted, base: base}
	for _, m := range mounts {
		if m.Guest == PackagesPath && !m.Writable && m.File == "" {
			with.dir = m.Host
		}
	}
	if with.dir == "" {
		return nil, fmt.Errorf("%w: preload: there is no read-only mount at %s, which modules are to come from", ErrInvalid, PackagesPath)
	}
	if base.image == nil {
		return base, nil
	}
	key := with.key()
	return h.once(ctx, base.definition.Name+"\x00"+key, func(ctx context.Context) (*plugin, error) {
		entries, err := openArtefacts(filepath.Join(h.store.Dir, runtimes.PreparedDir))
		if err != nil {
			return nil, err
		}
		b := &builder{host: h, definition: base.definition, driver: base.driver, entries: entries, preload: with}
		if p, err := b.find(ctx); p != nil || err != nil {
			return p, err
		}
		return b.make(ctx)
	})
}

// with returns a plugin of the same module as p, that has no image yet. It is closed
// before p is.
func (p *plugin) with(key string) *plugin {
	return &plugin{
		definition: p.definition, driver: p.driver, compiled: p.compiled, cache: p.cache, blank: p.blank,
		minMemory: p.minMemory, library: p.library, log: p.log, key: key, base: p,
	}
}

// buildPreloaded makes the image of a preload in dir.
func (b *builder) buildPreloaded(ctx context.Context, dir string) (err error) {
	limited, cancel := context.WithTimeoutCause(ctx, preloadTime, errTimeout)
	defer cancel()
	p := b.preload.base.with(b.key())
	defer func() { err = errors.Join(err, p.close()) }()
	if err := b.snapshot(limited, p, filepath.Join(dir, imageDir)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: preload (key \"runtimes.%s.preload\"): %w", ErrInvalid, b.definition.Name, err)
	}
	return seal(dir, p.minMemory)
}

// loadPreloaded makes a plugin of the image in dir.
func (b *builder) loadPreloaded(dir string) (*plugin, error) {
	if _, err := unseal(dir); err != nil {
		return nil, err
	}
	p := b.preload.base.with(b.key())
	if err := p.openImage(filepath.Join(dir, imageDir), b.key()); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// packages is what a warm-up sees beside its own files.
func (b *builder) packages() ([]guestfs.Mount, func(), error) {
	if b.preload == nil {
		return nil, func() {}, nil
	}
	root, err := os.OpenRoot(b.preload.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("open packages: %w", err)
	}
	mount := guestfs.Mount{Guest: PackagesPath, Root: func() (*os.Root, error) { return root, nil }}
	return []guestfs.Mount{mount}, func() { _ = root.Close() }, nil
}

// preloads follows the imports of a warm-up, which the guest tells of in messages: when one
// begins, when it has ended, and when it failed. It refuses a write to make the warm-up
// fail. The modules run in the same interpreter and may write here too: all they can
// bring about is that the image is not made, or that they are in it as they wish to be,
// which is up to them in any case.
type preloads struct {
	in      *instance
	modules []string
	drawn   int    // bytes of randomness, so far
	current string // the module that is being imported
	before  struct{ drawn, open int }
	failure error
}

// errRefused tells the guest that it need not go on.
var errRefused = errors.New("refused")

// Write takes one message.
func (i *preloads) Write(message []byte) (int, error) {
	var m struct {
		Module  string  `json:"module"`
		Error   *string `json:"error"`
		Message string  `json:"message"`
		Seeds   *int    `json:"seeds"`
		Rolled  bool    `json:"rolled"` // the generator of the module random is not as it was
	}
	if i.in == nil || len(message) > preloadSpoken || json.Unmarshal(message, &m) != nil {
		return 0, errRefused
	}
	open, _ := i.in.files.Open()
	switch {
	case m.Error != nil:
		i.fail("%s", strings.TrimSuffix(cut(*m.Error, preloadMention)+": "+cut(m.Message, preloadMention), ": "))
	case m.Seeds == nil:
		i.current = cut(m.Module, preloadMention)
		i.before.drawn, i.before.open = i.drawn, open
	case open > i.before.open:
		i.fail("it leaves a file open, which programs would not find open")
	case i.drawn-i.before.drawn != *m.Seeds*seedSize:
		i.fail("it draws random bytes when it is imported, which all programs would share")
	case m.Rolled:
		i.fail("it draws random numbers when it is imported, or seeds the generator of all, which all programs would share")
	default:
		i.current = ""
	}
	if i.failure != nil {
		return 0, errRefused
	}
	return len(message), nil
}

// fail records why a module cannot be preloaded, unless a reason is known already.
func (i *preloads) fail(format string, args ...any) {
	if i.failure == nil {
		i.failure = fmt.Errorf("importing %q: %s; take it off the list", i.current, fmt.Sprintf(format, args...))
	}
}

// stopped says why a warm-up ended, if it ended within an import.
func (i *preloads) stopped(ctx context.Context, in *instance) error {
	switch {
	case i.failure != nil || i.current == "":
	case ctx.Err() != nil:
		i.fail("it takes more than %v", preloadTime)
	case in.ended != nil && in.ended.status == StatusOutOfFuel:
		i.fail("it takes more than %s", rough(warmUpFuel))
	case in.region.Refused():
		i.fail("it takes more than %v of memory", policies.Bytes(warmUpMemory))
	default:
		i.fail("the interpreter ended")
	}
	return i.failure
}

// PrepareRequest is Prepare for requests with the same language, profile, mounts and
// preload as r: it makes ready what they start from. Safe for concurrent use.
func (h *Host) PrepareRequest(ctx context.Context, r *Request) error {
	return h.prepareFor(ctx, r)
}

// prepareImage makes ready what a request starts from.
func (h *Host) prepareImage(ctx context.Context, base *plugin, d *runtimes.Definition, r *Request) error {
	if len(r.Preload.Modules) == 0 {
		return nil
	}
	if err := r.Preload.check(); err != nil {
		return err
	}
	mounts := r.Mounts // the profile may be one that is not in force yet
	if profile, err := h.narrowed(d, r); err == nil {
		mounts = profile.Mounts
	}
	_, err := h.preloaded(ctx, base, mounts, &r.Preload)
	return err
}
