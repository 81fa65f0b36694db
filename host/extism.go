package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/runtimes"
)

// exchanger is a driver of modules that read the request as Extism's input and answer
// with Extism's output.
type exchanger interface {
	driver
	// input is what a call's entry function reads.
	input(c *call) ([]byte, error)
	// answered judges how the entry function ended, from what Extism says of it.
	answered(in *instance, rc uint32, output []byte, err error) error
}

// extismPlugin enters any Extism plugin that keeps to the contract in
// docs/runtimes.md: it exports execute and, if it is to be started from a snapshot,
// warm_up. The plugin may come from anybody; what it says of its program's failure
// informs people and decides nothing but the exit code.
//
// Of Extism's own host functions a plugin has those of the kernel, whose memory is
// kernelLimit. It has no configuration, no hosts it may reach and no log.
type extismPlugin struct {
	name string
	warm bool // the module exports warm_up; known once adapt has seen it
}

// Names in a plugin.
const (
	extismExecute = "execute"
	extismWarmUp  = "warm_up"
)

func newExtismPlugin(d *runtimes.Definition) exchanger { return &extismPlugin{name: d.Name} }

func (d *extismPlugin) entry() image.Entry {
	e := image.Entry{Start: extismExecute, Resume: extismExecute}
	if d.warm {
		e.WarmUp = extismWarmUp
	}
	return e
}

// adapt checks the contract.
func (d *extismPlugin) adapt(m *wasm.Module) error {
	if err := entryFunction(m, extismExecute); err != nil {
		return err
	}
	if _, d.warm = m.Export(extismWarmUp); d.warm {
		return entryFunction(m, extismWarmUp)
	}
	return nil
}

// entryFunction checks that a module exports a function as Extism calls it.
func entryFunction(m *wasm.Module, name string) error {
	e, ok := m.Export(name)
	if !ok || e.Kind != wasm.KindFunc {
		return fmt.Errorf("%w: the module exports no function %q, as driver %q demands", runtimes.ErrInvalid, name, runtimes.DriverExtism)
	}
	t, ok := m.FuncType(e.Index)
	if !ok || len(t.Params) > 0 || len(t.Results) > 1 || len(t.Results) == 1 && t.Results[0] != wasm.I32 {
		return fmt.Errorf("%w: the exported function %q must take nothing and return an i32", runtimes.ErrInvalid, name)
	}
	return nil
}

// extismInput is the most that a request may take as JSON, in bytes: the kernel holds
// it, and the plugin's answer beside it.
const extismInput = kernelLimit / 2

func (d *extismPlugin) input(c *call) ([]byte, error) {
	r := c.request
	env := c.profile.Env
	if env == nil {
		env = map[string]string{}
	}
	text, err := json.Marshal(struct {
		Code     string            `json:"code"`
		Filename string            `json:"filename"`
		Args     []string          `json:"args"`
		Env      map[string]string `json:"env"`
		Memory   uint64            `json:"memory"`
	}{string(r.Code), r.Filename, append([]string{}, r.Args...), env, uint64(c.profile.Memory)})
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if len(text) > extismInput {
		return nil, fmt.Errorf("%w: the program takes %d bytes as JSON, and runtime %q accepts %d", ErrInvalid, len(text), d.name, extismInput)
	}
	return text, nil
}

// guestExit is the exit code of a program whose runtime returned.
type guestExit int

func (e guestExit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// answered reads the plugin's answer. A plugin can say anything: numbers count modulo
// 256, texts are cut, and what is no answer is none.
func (d *extismPlugin) answered(in *instance, rc uint32, output []byte, err error) error {
	if in.ended != nil || err != nil && !in.left() {
		return err
	}
	if in.checkpoint != nil {
		if err != nil || rc != 0 {
			return errors.Join(fmt.Errorf("%s returned %d", extismWarmUp, rc), err)
		}
		_, err := in.checkpoint.Write(append(slices.Clip(output), '\n'))
		return err
	}
	var answer struct {
		ExitCode *int            `json:"exit_code"`
		Error    json.RawMessage `json:"error"`
	}
	if len(output) <= reportLimit {
		_ = json.Unmarshal(output, &answer)
	}
	code := int(rc & 0xFF)
	if answer.ExitCode != nil {
		code = *answer.ExitCode & 0xFF
	}
	switch failed := len(answer.Error) > 0 && string(answer.Error) != "null"; {
	case err != nil: // by Extism's error_set
		text, _ := json.Marshal(map[string]string{"type": "Error", "message": err.Error()})
		_, _ = in.report.Write(text)
		code = max(code, 1)
	case failed:
		_, _ = in.report.Write(answer.Error)
		code = max(code, 1)
	}
	if code == 0 {
		return nil
	}
	return guestExit(code)
}

// target reads the output of warm_up, which may name the places in memory where the
// plugin keeps the state of random generators.
func (d *extismPlugin) target(_, told []byte) (image.Target, error) {
	var t struct {
		Entropy []image.Range `json:"entropy"`
	}
	if text := strings.TrimSpace(string(told)); text != "" {
		if err := json.Unmarshal([]byte(text), &t); err != nil {
			return image.Target{}, fmt.Errorf("the output of %s: %w", extismWarmUp, err)
		}
	}
	return image.Target{Entropy: t.Entropy}, nil
}

// Errors of a language have names that the host does not know, but for these.
func (d *extismPlugin) outOfMemory(e *GuestError) bool { return e.Type == "MemoryError" }
func (d *extismPlugin) outOfDisk(e *GuestError) bool   { return true }

// A plugin needs nothing else.
func (d *extismPlugin) files(*call) map[string]guestfs.Virtual { return map[string]guestfs.Virtual{} }

func (d *extismPlugin) warmUpFiles(*checkpoint) map[string]guestfs.Virtual {
	return map[string]guestfs.Virtual{}
}
func (d *extismPlugin) functions() []hostFunction          { return nil }
func (d *extismPlugin) state(*call) any                    { return nil }
func (d *extismPlugin) content() [][]byte                  { return nil }
func (d *extismPlugin) library() string                    { return guestfs.Reserved + "/library" }
func (d *extismPlugin) args() []string                     { return []string{d.name} }
func (d *extismPlugin) warmUpArgs() []string               { return []string{d.name} }
func (d *extismPlugin) selfTest() (program, stdout string) { return "", "" }
func (d *extismPlugin) returned(bool, uint32) error        { return nil }
