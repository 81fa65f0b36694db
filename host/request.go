package host

import (
	"io"

	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/policies"
)

// Request is one program to run. The zero value of every optional field is the
// safe one: no arguments, no input, no mounts, a fresh workspace that is
// deleted afterwards.
type Request struct {
	// Caller says in the audit log who asked: whom the interface authenticated,
	// never what a guest or the request itself says. Empty means the user of the
	// command line. It decides nothing.
	Caller string
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
	// Interface is the one that the request came in by: advice about a failure names
	// what its caller has. It decides nothing.
	Interface guidance.Interface
	// Stdin is what the guest reads as standard input; nil is an empty input.
	// A read that blocks does not outlive the deadline, but the Reader itself
	// is only released when that read returns.
	Stdin io.Reader

	// Stdout and Stderr, when set, receive the guest's output as it is written,
	// up to the profile's caps. A write that blocks holds the guest up, not the
	// deadline. They are called from one goroutine at a time.
	Stdout, Stderr io.Writer
	// StreamOnly leaves the output out of the result, so that memory does not grow
	// with it: Stdout and Stderr are enough.
	StreamOnly bool

	// Profile names the profile to run under; empty means the policy's default.
	Profile string
	// Overrides tightens the profile; see [policies.Profile.With].
	Overrides policies.Overrides

	// Workspace is a host directory to show as /app, writable. Empty means a
	// fresh one that is deleted when the call ends. It grants the guest access
	// to host files: never fill it from a remote caller's request.
	Workspace string
	// WorkspaceShared says that files of the workspace may have other names, hard
	// links, which keep their content: a guest that changes such a file changes a copy
	// that takes its place. Otherwise a guest cannot change files that have any.
	WorkspaceShared bool
	// Mounts are added to the profile's mounts. As with Workspace, they are a
	// grant that only the operator may make.
	Mounts []policies.Mount

	// Preload is what the interpreter has imported already; see [Preload]. As a grant
	// that only the operator may make, it never comes from a remote caller's request.
	// What cannot be preloaded is [ErrInvalid].
	Preload Preload

	// WantValue asks for [Result.Value], of runtimes that can tell; it may cost the
	// program a little fuel.
	WantValue bool

	// Tools are functions of this program's that the guest may call, as docs/tools.md
	// shows for each language. None means that the guest has none. They are a grant, as mounts are; the
	// profile's tools.* limits hold, which Overrides may tighten. A tool that cannot
	// be offered, and any tool for a runtime that has no way to call it, is
	// [ErrInvalid]. The slice is not changed, and its functions may be called until
	// Execute has returned, those that ignore their contexts still running then.
	Tools []Tool

	// ProfileFuel asks for [Result.FuelProfile]. To be profiled takes the program fuel of
	// its own, most where it calls many small functions: several times what it takes
	// otherwise. Runtimes that cannot tell are [ErrInvalid].
	ProfileFuel bool

	// Session is the id of the session that the call is a turn of; empty means none.
	// It is for the result and the audit log and decides nothing.
	Session string

	// State is what an earlier call returned as [Result.State]: the program goes on
	// in the interpreter that call left, with everything it had defined and imported.
	// Nil means a fresh interpreter. The bytes are not trusted: damaged ones are
	// [ErrState], those of another version of the runtime [ErrStateVersion]. The same
	// bytes may be used again, and at the same time: each call goes its own way from
	// them. They are read until Execute returns, and not changed.
	State []byte
	// KeepState asks for [Result.State].
	KeepState bool
}

// MaxCode is the largest program accepted, in bytes.
const MaxCode = 16 << 20
