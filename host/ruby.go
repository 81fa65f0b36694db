package host

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/wasm"
)

// ruby enters CRuby as ruby.wasm builds it: a reactor that exports what a page's
// JavaScript needs of an interpreter, such as evaluating a text and calling a method,
// and imports what Ruby needs of JavaScript. Code of ours is added to the module, so
// that an entry is one call; see addRubyGlue. runtimes/ruby/guest.rb is the guest's half
// of this file.
//
// The module has no way to jump out of C functions but Asyncify: it unwinds the whole
// stack into memory, and the functions that it exports wind it up again, elsewhere or
// as it was. When one of them returns, nothing is unwound: that is where the module is
// captured.
type ruby struct {
	guest  []byte // guest.rb
	warmUp []byte // warm_up.rb
}

func newRuby(files fs.FS) (driver, error) {
	guest, err := fs.ReadFile(files, "guest.rb")
	if err != nil {
		return nil, fmt.Errorf("ruby runtime: %w", err)
	}
	warmUp, err := fs.ReadFile(files, "warm_up.rb")
	if err != nil {
		return nil, fmt.Errorf("ruby runtime: %w", err)
	}
	return &ruby{guest: guest, warmUp: warmUp}, nil
}

func (d *ruby) entry() image.Entry {
	return image.Entry{Start: rubyStart, WarmUp: rubyWarmUp, Resume: rubyExecute}
}

func (d *ruby) content() [][]byte {
	return [][]byte{d.guest, d.warmUp, []byte(strings.Join(rubyCommand, " ")), []byte(rubyFirst), []byte(rubyMethod)}
}

// The library is among the module's data.
func (d *ruby) library() string { return "" }

func (d *ruby) adapt(m *wasm.Module) error { return addRubyGlue(m) }

func (d *ruby) functions() []hostFunction { return rubyFunctions }

// A reactor looks at no arguments: the glue has those of the interpreter.
func (d *ruby) args() []string       { return nil }
func (d *ruby) warmUpArgs() []string { return nil }

func (d *ruby) state(*call) any { return nil }

// Guest paths of this driver's virtual files, beside those that others have too.
const (
	rubyGuestPath  = guestfs.Reserved + "/guest.rb"
	rubyWarmUpPath = guestfs.Reserved + "/warm_up.rb"
)

// own is most of what the interpreter has taken when it is ready: 16 MiB of stack, 20 of
// library and other data, 12 for a table of the shapes of objects, which is made for as
// many as there can be, and 12 of the objects of a library that was loaded.
func (d *ruby) own() uint64 { return 60 << 20 }

// Where Ruby has no memory left to raise an error with, it exits with code 1.
func (d *ruby) tellsExits() {}

// files has all that the warm-up reads as well, for a plain start.
func (d *ruby) files(c *call) map[string]guestfs.Virtual {
	return map[string]guestfs.Virtual{
		requestPath:    {Data: rubyRequest(c.request, c.profile.Env)},
		reportPath:     {Sink: &c.in.report},
		rubyGuestPath:  {Data: d.guest},
		rubyWarmUpPath: {Data: d.warmUp},
		checkpointPath: {Sink: io.Discard},
	}
}

func (d *ruby) warmUpFiles(ready *checkpoint) map[string]guestfs.Virtual {
	return map[string]guestfs.Virtual{
		reportPath:     {Sink: io.Discard},
		rubyGuestPath:  {Data: d.guest},
		rubyWarmUpPath: {Data: d.warmUp},
		checkpointPath: {Sink: ready},
	}
}

// rubyRequest is what guest.rb reads: the length of a head in four bytes, the head, and
// the program. The head is texts with a zero byte after each, which no text has inside:
// the program's file name, how many arguments there are, the arguments, and by turns the
// names and values of the environment.
func rubyRequest(r *Request, env map[string]string) []byte {
	texts := append([]string{r.Filename, strconv.Itoa(len(r.Args))}, r.Args...)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		texts = append(texts, name, env[name])
	}
	head := strings.Join(texts, "\x00") + "\x00"
	b := binary.BigEndian.AppendUint32(nil, uint32(len(head))) //nolint:gosec // bounded by what front doors accept
	return append(append(b, head...), r.Code...)
}

func (d *ruby) selfTest() (program, stdout string) {
	return "puts [ARGV[0], 10.times.sum].join(\"\\u00e9\")\nexit 7\n", "argument\u00e945\n"
}

// The glue keeps the way back in globals of its own, which are part of the image. Ruby
// seeds its generators when a program first draws, which is after the restore.
func (d *ruby) target([]byte, []byte) (target image.Target, err error) { return target, nil }

// returned judges what the glue gave: 0, or how an exception left guest.rb.
func (d *ruby) returned(_ bool, rc uint32) error {
	if rc != 0 {
		return errNoReturn
	}
	return nil
}

func (d *ruby) outOfMemory(e *GuestError) bool { return e.Type == "NoMemoryError" }

func (d *ruby) outOfDisk(e *GuestError) bool {
	return strings.HasPrefix(e.Type, "Errno::") || e.Type == "IOError"
}
