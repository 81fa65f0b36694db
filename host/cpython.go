package host

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
)

// cpython enters CPython built as a WASI command, which exports nothing but
// _start. The program and all that belongs to it travel as one file, which
// runtimes/python/guest.py reads; see there for the guest's half of everything
// in this file.
type cpython struct {
	guest  []byte // runtimes/python/guest.py
	warmUp []byte // runtimes/python/warm_up.py
}

func newCPython(files fs.FS) (driver, error) {
	guest, err := fs.ReadFile(files, "guest.py")
	if err != nil {
		return nil, fmt.Errorf("python runtime: %w", err)
	}
	warmUp, err := fs.ReadFile(files, "warm_up.py")
	if err != nil {
		return nil, fmt.Errorf("python runtime: %w", err)
	}
	return &cpython{guest: guest, warmUp: warmUp}, nil
}

func (d *cpython) export() string { return "_start" }

func (d *cpython) content() [][]byte { return [][]byte{d.guest, d.warmUp} }

// Guest paths of this driver's virtual files.
const (
	guestPath      = guestfs.Reserved + "/guest.py"
	warmUpPath     = guestfs.Reserved + "/warm_up.py"
	requestPath    = guestfs.Reserved + "/request"
	reportPath     = guestfs.Reserved + "/report"
	checkpointPath = guestfs.Reserved + "/checkpoint"
)

// Isolated mode ignores the environment and the user's site directory.
func (d *cpython) args() []string       { return []string{"python", "-I", guestPath} }
func (d *cpython) warmUpArgs() []string { return []string{"python", "-I", warmUpPath} }

func (d *cpython) files(c *call) map[string]guestfs.Virtual {
	r := c.request
	name := r.Filename
	argv0 := name
	if name == "" {
		name, argv0 = "<string>", "-c"
	}
	request := marshalTuple(
		marshalText(name),
		marshalTexts(append([]string{argv0}, r.Args...)),
		marshalEnv(c.profile.Env),
		marshalBytes(r.Code),
	)
	return map[string]guestfs.Virtual{
		requestPath: {Data: request},
		reportPath:  {Sink: &c.in.report},
		guestPath:   {Data: d.guest},
	}
}

func (d *cpython) warmUpFiles(ready *checkpoint) map[string]guestfs.Virtual {
	return map[string]guestfs.Virtual{
		guestPath:      {Data: d.guest},
		reportPath:     {Sink: io.Discard},
		warmUpPath:     {Data: d.warmUp},
		checkpointPath: {Sink: ready},
	}
}

func (d *cpython) selfTest() (program, stdout string) {
	return "import sys\nprint(sys.argv[1], sum(range(10)), sep='\\u00e9')\nsys.exit(7)\n", "argument\u00e945\n"
}

// errNoReturn is a Python exception that left guest.py itself.
var errNoReturn = errors.New("the guest's own start code failed")

// returned judges what ExportResume gave: the pointer that a Python call
// returns, which is null after an exception. A plain start has no result.
func (d *cpython) returned(resumed bool, rc uint32) error {
	if resumed && rc == 0 {
		return errNoReturn
	}
	return nil
}

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
// is a slot of the function table.
func (d *cpython) target(memory []byte, told []byte) (image.Target, error) {
	var addresses struct {
		Function uint32 `json:"function"`
		Empty    uint32 `json:"empty"`
		Random   uint32 `json:"random"`
	}
	if err := json.Unmarshal(told, &addresses); err != nil {
		return image.Target{}, fmt.Errorf("checkpoint: %w", err)
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
		Entropy: []image.Range{{Start: addresses.Random + offsetState, Length: lengthState}},
	}, nil
}

func pointer(memory []byte, at uint32) (uint32, bool) {
	if at >= addressLimit || uint64(at)+4 > uint64(len(memory)) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(memory[at:]), true
}
