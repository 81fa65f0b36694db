package host

import (
	"io"

	"github.com/sandboxd/sandboxd/policies"
)

// Request is one program to run. The zero value of every optional field is the
// safe one: no arguments, no input, no mounts, a fresh workspace that is
// deleted afterwards.
type Request struct {
	// Language is a runtime's name or alias. Required.
	Language string
	// Code is the program's source text. At most [MaxCode] bytes.
	Code []byte
	// Filename is the name the guest's tracebacks show. It is only a label: the
	// host never opens it. Empty means "<string>".
	Filename string
	// Args are the program's arguments, without the program's own name.
	Args []string
	// Env is added to the profile's environment and wins over it.
	Env map[string]string
	// Stdin is what the guest reads as standard input; nil is an empty input.
	// A read that blocks does not outlive the deadline, but the Reader itself
	// is only released when that read returns.
	Stdin io.Reader

	// Stdout and Stderr, when set, receive the guest's output as it is written,
	// up to the profile's caps. A write that blocks holds the guest up, not the
	// deadline. They are called from one goroutine at a time.
	Stdout, Stderr io.Writer

	// Profile names the profile to run under; empty means the policy's default.
	Profile string
	// Overrides tightens the profile; see [policies.Profile.With].
	Overrides policies.Overrides

	// Workspace is a host directory to show as /app, writable. Empty means a
	// fresh one that is deleted when the call ends. It grants the guest access
	// to host files: never fill it from a remote caller's request.
	Workspace string
	// Mounts are added to the profile's mounts. As with Workspace, they are a
	// grant that only the operator may make.
	Mounts []policies.Mount
}

// MaxCode is the largest program accepted, in bytes.
const MaxCode = 16 << 20
