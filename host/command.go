package host

import (
	"bytes"
	"fmt"
	"maps"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// command enters any WASI command: from the beginning, on every call, with a
// command line that the runtime's definition tells and the program in a file or on
// standard input. The module comes from whoever wrote the definition, and is no more
// trusted than the program: what it sees is what the program may see.
type command struct {
	runtimes.Command

	name    string
	program string // guest path of the program's file
}

func newCommand(d *runtimes.Definition) starter {
	c := &command{Command: d.Command, name: d.Name, program: guestfs.Reserved + "/program"}
	if len(d.Extensions) > 0 {
		c.program += d.Extensions[0]
	}
	return c
}

// start makes the command line of a call.
func (d *command) start(r *Request, p *policies.Profile) (start, error) {
	s := start{env: maps.Clone(p.Env)}
	taken := false
	for _, arg := range d.Args {
		switch arg {
		case runtimes.ArgProgram:
			s.args = append(s.args, d.program)
		case runtimes.ArgArgs:
			s.args = append(s.args, r.Args...)
			taken = true
		default:
			s.args = append(s.args, arg)
		}
	}
	if len(r.Args) > 0 && !taken {
		return start{}, fmt.Errorf("%w: programs of runtime %q take no arguments", ErrInvalid, d.name)
	}
	if s.env == nil {
		s.env = map[string]string{}
	}
	if s.env["PWD"] == "" {
		s.env["PWD"] = policies.WorkspacePath // where some libraries begin
	}
	if d.Program == runtimes.ProgramStdin {
		s.stdin = bytes.NewReader(r.Code)
	}
	return s, nil
}

func (d *command) files(c *call) map[string]guestfs.Virtual {
	if d.Program == runtimes.ProgramStdin {
		return map[string]guestfs.Virtual{}
	}
	return map[string]guestfs.Virtual{d.program: {Data: c.request.Code}}
}

func (d *command) entry() image.Entry { return image.Entry{Start: "_start"} }

func (d *command) adapt(m *wasm.Module) error { return fromPreview0(m) }

func (d *command) functions() []hostFunction { return preview0 }

// A command has no state that outlives its host functions, and nothing to be warmed up.
func (d *command) state(*call) any                                            { return nil }
func (d *command) content() [][]byte                                          { return nil }
func (d *command) library() string                                            { return guestfs.Reserved + "/library" }
func (d *command) args() []string                                             { return nil }
func (d *command) warmUpArgs() []string                                       { return nil }
func (d *command) warmUpFiles(*checkpoint) map[string]guestfs.Virtual         { return nil }
func (d *command) target(_ []byte, _ []byte) (target image.Target, err error) { return target, nil }
func (d *command) selfTest() (program, stdout string)                         { return "", "" }
func (d *command) returned(bool, uint32) error                                { return nil }
func (d *command) outOfMemory(*GuestError) bool                               { return true }
func (d *command) outOfDisk(*GuestError) bool                                 { return true }
