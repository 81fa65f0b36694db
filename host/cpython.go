package host

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/wasm"
)

// cpython enters CPython. The program and all that belongs to it travel as one
// file, which runtimes/python/guest.py reads; see there for the guest's half of
// everything in this file.
//
// The module is either our own, a reactor whose source is in
// runtimes/python/plugin, or a WASI command, which exports nothing but _start and
// is entered again through the function table.
type cpython struct {
	guest   []byte // runtimes/python/guest.py
	warmUp  []byte // runtimes/python/warm_up.py
	modules []byte // those below runtimes/python/lib, as guest.py reads them
	profile []byte // runtimes/python/fuel_profile.py
	reactor bool
}

func newCPython(files fs.FS, reactor bool) (driver, error) {
	guest, err := fs.ReadFile(files, "guest.py")
	if err != nil {
		return nil, fmt.Errorf("python runtime: %w", err)
	}
	warmUp, err := fs.ReadFile(files, "warm_up.py")
	if err != nil {
		return nil, fmt.Errorf("python runtime: %w", err)
	}
	modules, err := marshalModules(files, "lib")
	if err != nil {
		return nil, fmt.Errorf("python runtime: %w", err)
	}
	profile, err := fs.ReadFile(files, "fuel_profile.py")
	if err != nil {
		return nil, fmt.Errorf("python runtime: %w", err)
	}
	return &cpython{guest: guest, warmUp: warmUp, modules: modules, profile: profile, reactor: reactor}, nil
}

// marshalModules encodes the modules below a folder, packages among them, as a list
// of their files' paths and one of their texts.
func marshalModules(files fs.FS, dir string) ([]byte, error) {
	var paths, texts []string
	err := fs.WalkDir(files, dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".py" {
			return err
		}
		text, err := fs.ReadFile(files, name)
		paths = append(paths, strings.TrimPrefix(name, dir+"/"))
		texts = append(texts, string(text))
		return err
	})
	return marshalTuple(marshalTexts(paths), marshalTexts(texts)), err
}

func (d *cpython) entry() image.Entry {
	if d.reactor {
		return image.Entry{Start: "run", WarmUp: "warm_up", Resume: "execute"}
	}
	return image.Entry{Start: "_start"}
}

func (d *cpython) content() [][]byte { return [][]byte{d.guest, d.warmUp, d.modules} }

// CPython needs nothing but WASI, and files.
func (d *cpython) adapt(*wasm.Module) error  { return nil }
func (d *cpython) functions() []hostFunction { return nil }
func (d *cpython) state(*call) any           { return nil }

// Guest paths of this driver's virtual files.
const (
	guestPath      = guestfs.Reserved + "/guest.py"
	modulesPath    = guestfs.Reserved + "/modules"
	profilePath    = guestfs.Reserved + "/fuel_profile.py"
	fuelPath       = guestfs.Reserved + "/fuel"
	warmUpPath     = guestfs.Reserved + "/warm_up.py"
	requestPath    = guestfs.Reserved + "/request"
	reportPath     = guestfs.Reserved + "/report"
	displayPath    = guestfs.Reserved + "/display"
	farewellPath   = guestfs.Reserved + "/farewell"
	gonePath       = guestfs.Reserved + "/gone"
	checkpointPath = guestfs.Reserved + "/checkpoint"
	preloadPath    = guestfs.Reserved + "/preload"
	preloadingPath = guestfs.Reserved + "/preloading"
	libraryPath    = guestfs.Reserved + "/python313.zip"
)

// Isolated mode ignores the environment and the user's site directory. A reactor
// looks at no arguments.
func (d *cpython) args() []string       { return []string{"python", "-I", guestPath} }
func (d *cpython) warmUpArgs() []string { return []string{"python", "-I", warmUpPath} }

func (d *cpython) library() string { return libraryPath }

func (d *cpython) files(c *call) map[string]guestfs.Virtual {
	r := c.request
	name := r.Filename
	argv0 := name
	if name == "" {
		name, argv0 = "<string>", "-c"
	}
	request := [][]byte{
		marshalText(name),
		marshalTexts(append([]string{argv0}, r.Args...)),
		marshalEnv(c.profile.Env),
		marshalBytes(r.Code),
	}
	files := map[string]guestfs.Virtual{
		reportPath:  {Sink: &c.in.report},
		displayPath: {Sink: &c.in.shown},
		guestPath:   {Data: d.guest},
		modulesPath: {Data: d.modules},
	}
	c.toolFiles(files)
	kept := c.in.image != nil && (r.State != nil || r.KeepState)
	if kept {
		request = append(request, marshalInt(c.keeping()), marshalInt(c.gone()))
		files[farewellPath] = guestfs.Virtual{Sink: &c.in.farewell}
		files[gonePath] = guestfs.Virtual{Sink: gone{}}
	}
	wants := uint32(0)
	if r.WantValue {
		wants |= 1
	}
	if c.in.profile != nil {
		wants |= 2
		files[profilePath] = guestfs.Virtual{Data: d.profile}
		files[fuelPath] = guestfs.Virtual{Sink: c.in.profile}
	}
	if wants != 0 {
		if !kept {
			request = append(request, marshalNone(), marshalInt(0))
		}
		request = append(request, marshalInt(wants))
	}
	files[requestPath] = guestfs.Virtual{Data: marshalTuple(request...)}
	return files
}

// keeping is 1 if the interpreter is to be kept, and 0 if not.
func (c *call) keeping() uint32 {
	if c.request.KeepState {
		return 1
	}
	return 0
}

// gone is behind the descriptors of files that earlier calls left open: each fails
// whatever it is used for, and keeps its number from being given to another file.
type gone struct{}

// Write fails.
func (gone) Write([]byte) (int, error) { return 0, fs.ErrClosed }

// kept implements keeper. The guest tells the addresses of the generators that the
// program gave no seed to.
func (d *cpython) kept(farewell []byte) (kept, error) {
	var told struct {
		Exit   *int     `json:"exit"`
		Random []uint32 `json:"random"`
	}
	if err := json.Unmarshal(farewell, &told); err != nil {
		return kept{}, fmt.Errorf("farewell: %w", err)
	}
	if told.Exit == nil {
		return kept{}, errors.New("farewell: no exit code")
	}
	k := kept{exitCode: *told.Exit & 0xFF}
	k.entropy = generators(told.Random)
	return k, nil
}

// generators are where random generators at these addresses keep their states.
func generators(addresses []uint32) []image.Range {
	var ranges []image.Range
	for _, address := range addresses {
		if address < addressLimit {
			ranges = append(ranges, image.Range{Start: address + offsetState, Length: lengthState})
		}
	}
	return ranges
}

func (d *cpython) warmUpFiles(ready *checkpoint) map[string]guestfs.Virtual {
	return map[string]guestfs.Virtual{
		guestPath:      {Data: d.guest},
		modulesPath:    {Data: d.modules},
		reportPath:     {Sink: io.Discard},
		displayPath:    {Sink: io.Discard},
		warmUpPath:     {Data: d.warmUp},
		checkpointPath: {Sink: ready},
		preloadPath:    {Data: marshalTexts(ready.imports.modules)},
		preloadingPath: {Sink: &ready.imports},
	}
}

func (d *cpython) selfTest() (program, stdout string) {
	return "import sys\nprint(sys.argv[1], sum(range(10)), sep='\\u00e9')\nsys.exit(7)\n", "argument\u00e945\n"
}

// errNoReturn is a Python exception that left guest.py itself.
var errNoReturn = errors.New("the guest's own start code failed")

// returned judges what the entry gave. A command's plain start has no result.
// Entered through the function table it gives the pointer that a Python call
// returns, which is null after an exception. A reactor's functions return 0 if
// no exception left them.
func (d *cpython) returned(resumed bool, rc uint32) error {
	if d.reactor && rc != 0 || !d.reactor && resumed && rc == 0 {
		return errNoReturn
	}
	return nil
}

// preloads says that the warm-up can import modules, in runtimes/python/warm_up.py.
func (d *cpython) preloads() {}

// callsTools says that programs can, through runtimes/python/lib/sandbox_tools.py.
func (d *cpython) callsTools() {}

// unoptimized is what the prebuilt module is: a build from source is optimized already.
func (d *cpython) unoptimized() bool { return !d.reactor }

func (d *cpython) outOfMemory(e *GuestError) bool { return e.Type == "MemoryError" }

func (d *cpython) outOfDisk(e *GuestError) bool { return e.Type == "OSError" }

// Offsets in CPython's object layout on a 32-bit target without the debug
// build's extra fields. They have been the same from 3.8 to 3.13.
// See Include/object.h and Include/cpython/object.h in CPython's source.
const (
	offsetType   = 4  // PyObject.ob_type, after a 32-bit reference count
	offsetCall   = 64 // PyTypeObject.tp_call
	addressLimit = 1 << 31

	// The state of random's hidden generator, a Mersenne Twister of 624 words of
	// which any contents will do; see RandomObject in Modules/_randommodule.c.
	offsetState = 12
	lengthState = 624 * 4
)

// target finds the way back into the interpreter. The warm-up told the addresses
// of a function and of the empty tuple; calling the function without arguments
// from C is tp_call(function, (), NULL), and tp_call, being a function pointer,
// is a slot of the function table. A reactor knows the way itself.
func (d *cpython) target(memory []byte, told []byte) (image.Target, error) {
	var addresses struct {
		Function uint32   `json:"function"`
		Empty    uint32   `json:"empty"`
		Random   []uint32 `json:"random"`
	}
	if err := json.Unmarshal(told, &addresses); err != nil {
		return image.Target{}, fmt.Errorf("checkpoint: %w", err)
	}
	entropy := generators(addresses.Random)
	if d.reactor {
		return image.Target{Entropy: entropy}, nil
	}
	class, ok := pointer(memory, addresses.Function+offsetType)
	if !ok {
		return image.Target{}, fmt.Errorf("checkpoint: no object at %#x", addresses.Function)
	}
	slot, ok := pointer(memory, class+offsetCall)
	if !ok || slot == 0 {
		return image.Target{}, fmt.Errorf("checkpoint: the object at %#x cannot be called", addresses.Function)
	}
	return image.Target{
		Slot:    slot,
		Args:    [3]uint32{addresses.Function, addresses.Empty, 0},
		Entropy: entropy,
	}, nil
}

func pointer(memory []byte, at uint32) (uint32, bool) {
	if at >= addressLimit || uint64(at)+4 > uint64(len(memory)) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(memory[at:]), true
}
