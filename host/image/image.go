package image

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero/api"
)

// ErrDamaged means that an image's files are not what Capture wrote.
var ErrDamaged = errors.New("damaged image")

// Target is what a restored instance needs besides its memory and globals.
type Target struct {
	// Slot of the function table, called with three i32, is the way in, unless
	// the module was rewritten with an [Entry] to resume through.
	Slot uint32    `json:"slot"`
	Args [3]uint32 `json:"args"`
	// Entropy is where the module keeps the state of random generators: every
	// restored instance gets its own, from the operating system.
	Entropy []Range `json:"entropy"`
}

// Range is a part of linear memory.
type Range struct {
	Start  uint32 `json:"start"`
	Length uint32 `json:"length"`
}

// Image is a captured instance: its linear memory, its mutable globals and the
// way back in. Regions acquired from it start with its memory.
//
// An Image is safe for concurrent use. Close it after the last region was
// released.
type Image struct {
	description
	identity [sha256.Size]byte // names it in the states of its instances
	memory   backing

	mu     sync.Mutex
	idle   []*Region // of all limits, the one released last at the end
	closed bool
}

// description is the image's own file; the memory lies beside it.
type description struct {
	Size     uint64   `json:"size"`   // of the memory, in bytes
	CRC32C   uint32   `json:"crc32c"` // of the memory, to find damage
	SHA256   string   `json:"sha256"` // of the memory, to tell images apart
	Globals  []uint64 `json:"globals"`
	Target   Target   `json:"target"`
	Captured string   `json:"captured"` // by which format of this package
}

// format is part of every image: images of another format are not read.
const format = "sandboxd image 2"

// Names of an image's files in its directory.
const (
	descriptionFile = "image.json"
	memoryFile      = "memory"
)

// Capture writes an image of mod, whose linear memory is memory, into dir, which
// must exist. The guest must stand still: call it from within a host function.
// mod must come from a module that [Rewrite] changed.
func Capture(dir string, mod api.Module, memory []byte, target Target) error {
	sum := sha256.Sum256(memory)
	d := description{
		Size:     uint64(len(memory)),
		CRC32C:   checksum(memory),
		SHA256:   hex.EncodeToString(sum[:]),
		Target:   target,
		Captured: format,
	}
	for {
		g := mod.ExportedGlobal(globalName(len(d.Globals)))
		if g == nil {
			break
		}
		d.Globals = append(d.Globals, g.Get())
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("capture image: %w", err)
	}
	if err := writeFile(filepath.Join(dir, memoryFile), memory); err != nil {
		return fmt.Errorf("capture image: %w", err)
	}
	if err := writeFile(filepath.Join(dir, descriptionFile), text); err != nil {
		return fmt.Errorf("capture image: %w", err)
	}
	return nil
}

// Open opens the image in dir, of the module that its caller knows by that name, and
// checks every byte of it. Files that are not a whole image are [ErrDamaged].
func Open(dir, module string) (*Image, error) {
	text, err := os.ReadFile(filepath.Join(dir, descriptionFile)) //nolint:gosec // the caller's cache
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	im := &Image{identity: identify(module, text)}
	if err := json.Unmarshal(text, &im.description); err != nil {
		return nil, fmt.Errorf("open image: %w: %s: %w", ErrDamaged, descriptionFile, err)
	}
	if im.Captured != format || im.Size == 0 || im.Size%PageSize != 0 {
		return nil, fmt.Errorf("open image: %w: %s", ErrDamaged, descriptionFile)
	}
	if im.memory, err = openBacking(filepath.Join(dir, memoryFile), im.Size); err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	if checksum(im.memory.bytes()) != im.CRC32C {
		err := fmt.Errorf("open image: %w: %s has another checksum", ErrDamaged, memoryFile)
		return nil, errors.Join(err, im.memory.close())
	}
	return im, nil
}

// Blank returns an image of nothing: its regions start empty. It keeps no files.
func Blank() (*Image, error) {
	memory, err := blankBacking()
	if err != nil {
		return nil, fmt.Errorf("reserve memory: %w", err)
	}
	return &Image{memory: memory}, nil
}

// Memory is the size of the image's linear memory in bytes: the least that a
// region of it can be limited to.
func (im *Image) Memory() uint64 { return im.Size }

// Restore makes an instance ready whose memory is a region of im, so that calling
// ExportResume continues from the capture or, where s is not nil, from the state,
// which was applied to the region. Its random generators get randomness of its own.
func (im *Image) Restore(mod api.Module, s *State) error {
	entropy, globals := im.Target.Entropy, im.Globals
	if s != nil {
		entropy, globals = s.Entropy, s.globals
		if err := grow(mod.Memory(), s.memory); err != nil {
			return err
		}
	}
	for _, r := range entropy {
		state, ok := mod.Memory().Read(r.Start, r.Length)
		if !ok {
			return fmt.Errorf("restore image: no memory at %#x", r.Start)
		}
		_, _ = rand.Read(state) // never fails: it ends the process instead
	}
	for n, value := range globals {
		if err := setGlobal(mod, globalName(n), value); err != nil {
			return err
		}
	}
	if im.Target.Slot == 0 {
		return nil
	}
	for i, name := range []string{"a", "b", "c"} {
		if err := setGlobal(mod, targetPrefix+name, uint64(im.Target.Args[i])); err != nil {
			return err
		}
	}
	return setGlobal(mod, targetPrefix+"slot", uint64(im.Target.Slot))
}

// grow tells the engine of memory that a state has beyond the image.
func grow(memory api.Memory, size uint64) error {
	more := (size - uint64(memory.Size())) / PageSize
	if _, ok := memory.Grow(uint32(more)); !ok { //nolint:gosec // at most maxPages
		return fmt.Errorf("restore image: the memory does not grow to %d bytes", size)
	}
	return nil
}

func setGlobal(mod api.Module, name string, value uint64) error {
	g, ok := mod.ExportedGlobal(name).(api.MutableGlobal)
	if !ok {
		return fmt.Errorf("restore image: the module exports no mutable global %q", name)
	}
	g.Set(value)
	return nil
}

// maxIdle is how many released regions stay mapped for reuse: more than run at once
// on any machine we expect would only hold memory. It counts regions of all limits,
// since callers choose limits: as many as they like.
var maxIdle = 8 * runtime.GOMAXPROCS(0)

// Acquire returns a region that holds the image's memory and can grow to limit
// bytes, at least [Image.Memory]. Release gives it back.
func (im *Image) Acquire(limit uint64) (*Region, error) {
	if limit < im.Size {
		return nil, fmt.Errorf("map image: it takes %d bytes, the limit is %d", im.Size, limit)
	}
	if r := im.reuse(limit); r != nil {
		return r, nil
	}
	space, err := im.memory.mapped(limit)
	if err != nil {
		return nil, fmt.Errorf("map image: %w", err)
	}
	return &Region{space: space, size: im.Size, image: im}, nil
}

// reuse takes the region of a limit that was released last out of the idle ones.
func (im *Image) reuse(limit uint64) *Region {
	im.mu.Lock()
	defer im.mu.Unlock()
	for i, r := range slices.Backward(im.idle) {
		if uint64(len(r.space)) == limit {
			im.idle = slices.Delete(im.idle, i, i+1)
			return r
		}
	}
	return nil
}

// release takes a region back: reset for the next instance where that is
// possible, unmapped otherwise.
func (im *Image) release(r *Region) {
	if im.memory.reset(r) {
		r.size, r.refused = im.Size, false
		if r = im.keep(r); r == nil {
			return
		}
	}
	unreserve(r.space)
	r.space = nil
}

// keep adds a region to the idle ones and returns the one that is too many, if any:
// that which was idle for longest, most likely one of a limit that nobody asks for.
func (im *Image) keep(r *Region) *Region {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.closed {
		return r
	}
	im.idle = append(im.idle, r)
	if len(im.idle) <= maxIdle {
		return nil
	}
	oldest := im.idle[0]
	im.idle = slices.Delete(im.idle, 0, 1)
	return oldest
}

// Close unmaps the image and its idle regions. Calling it again does nothing.
func (im *Image) Close() error {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.closed {
		return nil
	}
	im.closed = true
	for _, r := range im.idle {
		unreserve(r.space)
	}
	im.idle = nil
	return im.memory.close()
}
