package host

import (
	"fmt"
	"io"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/tool"
)

// Tool is a function of the embedding program's that guest code may call. See
// [tool.Tool] for the contract of its fields.
type Tool = tool.Tool

// ToolCall is a call of a tool that the guest made or was refused.
type ToolCall = tool.Record

// Guest paths of what only a call with tools has: the file that calls go through, of
// which [tool.Client.Open] says what a hostile guest could try with it, and what
// [tool.Client.About] says of the tools.
const (
	toolsPath      = guestfs.Reserved + "/tools"
	toolsAboutPath = guestfs.Reserved + "/tools.json"
)

// tooled is a driver whose guest's half can call tools.
type tooled interface {
	driver
	callsTools()
}

// offer gives a call the tools of its request, if there are any.
func (h *Host) offer(c *call) error {
	if len(c.request.Tools) == 0 {
		return nil
	}
	if _, ok := c.plugin.driver.(tooled); !ok {
		return fmt.Errorf("%w: programs in %s cannot call tools; leave Tools empty, or choose a language that can", ErrInvalid, c.plugin.definition.Name)
	}
	client, err := tool.New(tool.Options{
		Tools: c.request.Tools, Schemas: &h.schemas, Limits: c.profile.Tools, Profile: c.profile.Name,
		Charge: c.in.fuel.charge, Log: h.log,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	c.in.tools = client
	return nil
}

// toolFiles adds the files of a call's tools to those of a guest that reads files.
func (c *call) toolFiles(files map[string]guestfs.Virtual) {
	in := c.in
	if in.tools == nil {
		return
	}
	files[toolsAboutPath] = guestfs.Virtual{Data: in.tools.About()}
	files[toolsPath] = guestfs.Virtual{Talk: func() io.ReadWriteCloser {
		return &conversation{ReadWriteCloser: in.tools.Open(in.ctx), in: in, name: "tools"}
	}}
}
