// Package runtimes knows the guest languages: what each is called, which
// WebAssembly module implements it, and how that module gets onto this machine.
//
// A runtime is a guest language. A [Definition] is what its runtime.toml says; a
// [Source] is where its module comes from, always pinned by SHA-256. A
// [Registry] finds definitions by name, alias, file extension or "#!" line. A
// [Store] is the download cache: it fetches a module once, verifies it on every
// load and serves it offline afterwards. A driver names the way the host enters
// the module; this package only checks the word.
//
// Definitions and registries never change once made and are safe for concurrent
// use. So is a Store, also by several processes sharing one directory.
package runtimes

import "errors"

// The classes of error this package returns; test with [errors.Is].
// Cancellation of the caller's context is passed through unchanged.
var (
	// ErrNotFound means that no runtime goes by the name asked for.
	ErrNotFound = errors.New("not found")

	// ErrInvalid means that a definition is wrong: its file does not follow the
	// rules, or it describes a source that does not hold what it promises. The
	// author of runtime.toml has to act.
	ErrInvalid = errors.New("invalid runtime")

	// ErrUnavailable means that the module or the cache cannot be had at the
	// moment: no npm, no network, no disk space, no permission. The message says
	// what the user can do.
	ErrUnavailable = errors.New("unavailable")

	// ErrDigest means that a source delivered bytes other than the pinned ones.
	// They were thrown away.
	ErrDigest = errors.New("wrong SHA-256")
)
