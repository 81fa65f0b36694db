package image

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero/api"
)

// ErrDamaged means that an image's files are not what Capture wrote.
var ErrDamaged = errors.New("damaged image")

// Target is the function that a restored instance is entered through: a slot of
// the function table, called with three i32.
type Target struct {
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
	memory backing

	mu     sync.Mutex
	idle   map[uint64][]*Region // by limit
	closed bool
}

// description is the image's own file; the memory lies beside it.
type description struct {
	Size     uint64   `json:"size"`   // of the memory, in bytes
	CRC32C   uint32   `json:"crc32c"` // of the memory
	Globals  []uint64 `json:"globals"`
	Target   Target   `json:"target"`
	Captured string   `json:"captured"` // by which format of this package
}

// format is part of every image: images of another format are not read.
const format = "sandboxd image 1"

// Names of an image's files in its directory.
const (
	descriptionFile = "image.json"
	memoryFile      = "memory"
)

// Capture writes an image of mod, whose linear memory is memory, into dir, which
// must exist. The guest must stand still: call it from within a host function.
// mod must come from a module that [Rewrite] changed.
func Capture(dir string, mod api.Module, memory []byte, target Target) error {
	d := description{
		Size:     uint64(len(memory)),
		CRC32C:   checksum(memory),
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

// Open opens the image in dir and checks every byte of it. Files that are not a
// whole image are [ErrDamaged].
func Open(dir string) (*Image, error) {
	text, err := os.ReadFile(filepath.Join(dir, descriptionFile)) //nolint:gosec // the caller's cache
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	im := &Image{idle: map[uint64][]*Region{}}
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
	return &Image{memory: memory, idle: map[uint64][]*Region{}}, nil
}

// Memory is the size of the image's linear memory in bytes: the least that a
// region of it can be limited to.
func (im *Image) Memory() uint64 { return im.Size }

// Restore sets the globals of an instance whose memory is a region of im, so
// that calling ExportResume continues from the capture, with randomness of its
// own.
func (im *Image) Restore(mod api.Module) error {
	for _, r := range im.Target.Entropy {
		state, ok := mod.Memory().Read(r.Start, r.Length)
		if !ok {
			return fmt.Errorf("restore image: no memory at %#x", r.Start)
		}
		_, _ = rand.Read(state) // never fails: it ends the process instead
	}
	for n, value := range im.Globals {
		if err := setGlobal(mod, globalName(n), value); err != nil {
			return err
		}
	}
	for i, name := range []string{"a", "b", "c"} {
		if err := setGlobal(mod, targetPrefix+name, uint64(im.Target.Args[i])); err != nil {
			return err
		}
	}
	return setGlobal(mod, targetPrefix+"slot", uint64(im.Target.Slot))
}

func setGlobal(mod api.Module, name string, value uint64) error {
	g, ok := mod.ExportedGlobal(name).(api.MutableGlobal)
	if !ok {
		return fmt.Errorf("restore image: the module exports no mutable global %q", name)
	}
	g.Set(value)
	return nil
}

// maxIdle is how many released regions of one limit stay mapped for reuse: more
// than run at once on any machine we expect would only hold memory.
var maxIdle = 8 * runtime.GOMAXPROCS(0)

// Acquire returns a region that holds the image's memory and can grow to limit
// bytes, at least [Image.Memory]. Release gives it back.
func (im *Image) Acquire(limit uint64) (*Region, error) {
	if limit < im.Size {
		return nil, fmt.Errorf("map image: it takes %d bytes, the limit is %d", im.Size, limit)
	}
	im.mu.Lock()
	if idle := im.idle[limit]; len(idle) > 0 {
		r := idle[len(idle)-1]
		im.idle[limit] = idle[:len(idle)-1]
		im.mu.Unlock()
		return r, nil
	}
	im.mu.Unlock()
	space, err := im.memory.mapped(limit)
	if err != nil {
		return nil, fmt.Errorf("map image: %w", err)
	}
	return &Region{space: space, size: im.Size, image: im}, nil
}

// release takes a region back: reset for the next instance where that is
// possible, unmapped otherwise.
func (im *Image) release(r *Region) {
	limit := uint64(len(r.space))
	if im.memory.reset(r) {
		r.size, r.refused = im.Size, false
		im.mu.Lock()
		if !im.closed && len(im.idle[limit]) < maxIdle {
			im.idle[limit] = append(im.idle[limit], r)
			im.mu.Unlock()
			return
		}
		im.mu.Unlock()
	}
	unreserve(r.space)
	r.space = nil
}

// Close unmaps the image and its idle regions. Calling it again does nothing.
func (im *Image) Close() error {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.closed {
		return nil
	}
	im.closed = true
	for _, regions := range im.idle {
		for _, r := range regions {
			unreserve(r.space)
		}
	}
	im.idle = nil
	return im.memory.close()
}
