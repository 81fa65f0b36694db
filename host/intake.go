package host

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// A module that a user adds may come from anybody, and be made to hurt the host before
// a guest runs: by what it declares, by being hard to compile, by making the compiler
// fail. What it declares is bounded here and in package wasm, whose decoder is safe on
// any bytes; what is hard to compile, [Compiler] bounds.

// maxStart is the most linear memory that a module may start with, in bytes. What it
// may grow to is the profile's.
const maxStart = 1 << 30

// componentHeader begins a WebAssembly component, which is not a module.
const componentHeader = "\x00asm\x0d\x00\x01\x00"

// decodeModule reads a module, and says of one that cannot be read what to do.
func decodeModule(module []byte) (*wasm.Module, error) {
	m, err := wasm.Decode(module)
	if err != nil {
		return nil, ExplainModule(module, err)
	}
	for _, memory := range m.Memories {
		if size := uint64(memory.Min) * image.PageSize; size > maxStart {
			return nil, fmt.Errorf("%w: the module starts with %v of memory, at most %v are allowed",
				runtimes.ErrInvalid, policies.Bytes(size), policies.Bytes(maxStart))
		}
	}
	return m, nil
}

// ExplainModule adds to the error of decoding a module what it probably is and what
// to do about it. The result is of class runtimes.ErrInvalid.
func ExplainModule(module []byte, err error) error {
	switch {
	case bytes.HasPrefix(module, []byte(componentHeader)):
		return fmt.Errorf("%w: it is a WebAssembly component, and sandboxd runs modules: build it for wasm32-wasip1", runtimes.ErrInvalid)
	case bytes.HasPrefix(module, []byte("\x1f\x8b")), bytes.HasPrefix(module, []byte("PK")), bytes.HasPrefix(module, []byte("BZh")),
		bytes.HasPrefix(module, []byte("\xfd7zXZ")), bytes.HasPrefix(module, []byte("\x28\xb5\x2f\xfd")):
		return fmt.Errorf("%w: it is a compressed file: unpack it, and name the module inside", runtimes.ErrInvalid)
	case !bytes.HasPrefix(module, []byte("\x00asm")):
		return fmt.Errorf("%w: it is not a WebAssembly module", runtimes.ErrInvalid)
	case errors.Is(err, wasm.ErrShared):
		return fmt.Errorf("%w: the module shares its memory between threads, which there are none of: build it without threads: %w", runtimes.ErrInvalid, err)
	}
	return fmt.Errorf("%w: %w", runtimes.ErrInvalid, err)
}

// CheckModule says what speaks against using a module with a driver for modules that
// anybody made, without compiling it: nil if nothing does that can be seen so. Modules
// of other drivers are not looked at.
func CheckModule(module []byte, with string) error {
	if with != runtimes.DriverCommand && with != runtimes.DriverExtism {
		return nil
	}
	drv, err := newDriver(&runtimes.Definition{Name: "module", Driver: with})
	if err != nil {
		return err
	}
	b := &builder{definition: &runtimes.Definition{Name: "module"}, driver: drv}
	_, err = b.rewrite(module)
	return err
}
