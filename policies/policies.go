// Package policies says what untrusted programs may use: it reads sandbox.toml
// and answers with the limits and grants of one profile.
//
// A profile is a named set of limits (fuel, memory, time, output, disk) and
// grants (environment, mounts, network). A policy is all profiles of one file together
// with the built-in ones, and the file's server settings. A limit is a ceiling:
// a request may tighten it, and raise it only where the profile lists its key
// as overridable. No value of any limit means "unlimited".
//
// A [Policy] never changes after it was loaded and is safe for concurrent use.
// A [Profile] handed out is the caller's own copy. The package reads no
// environment variables; only [Load], [Parse], [Find] and [ParseMount] look at
// the disk.
package policies

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Classes of error, for errors.Is. Every error of this package that concerns
// the caller's input is of one of them.
var (
	// ErrInvalid says that a file, a value or a request must be corrected.
	ErrInvalid = errors.New("invalid")
	// ErrDenied says that the profile does not allow what was asked; asking
	// for less, or another profile, helps.
	ErrDenied = errors.New("denied by the profile")
	// ErrNotFound says that a profile or a file does not exist.
	ErrNotFound = errors.New("not found")
)

// classError carries a complete message and, for errors.Is, its class.
type classError struct {
	class error
	text  string
}

func (e *classError) Error() string { return e.text }
func (e *classError) Unwrap() error { return e.class }

func invalidf(format string, args ...any) error {
	return &classError{ErrInvalid, fmt.Sprintf(format, args...)}
}

func deniedf(format string, args ...any) error {
	return &classError{ErrDenied, fmt.Sprintf(format, args...)}
}

func notFoundf(format string, args ...any) error {
	return &classError{ErrNotFound, fmt.Sprintf(format, args...)}
}

// Server holds the [server] table: settings of the process, not of a profile.
type Server struct {
	// MaxConcurrent is how many programs run at once, at most
	// [MaxConcurrentLimit]; 0, when the file does not say, leaves it to the
	// host.
	MaxConcurrent int
	// Queue is how many requests may wait for their turn, at most
	// [MaxQueueLimit]; 0, when the file does not say, leaves it to the host.
	Queue int
	// Audit is where calls are recorded.
	Audit Audit
	// Sessions is where sessions are kept.
	Sessions ServerSessions
	// Harden is what the process gives up before it runs a program.
	Harden Hardening
	// Listen is where the daemon listens.
	Listen Listen
}

// Audit holds the [server.audit] table.
type Audit struct {
	// File is the absolute path of the file that records go to; empty, when there
	// is no such table, means that none are kept. It lies in no directory that a
	// profile mounts.
	File string
	// MaxSize is the size at which the file is rotated, from [MinAuditSize] to
	// [MaxAuditSize]; 0, when the file does not say, leaves it to the host.
	MaxSize Bytes
	// Keep is how many older files are kept, at most [MaxAuditKeep]; 0, when the
	// file does not say, leaves it to the host.
	Keep int
	// Required lets a call fail whose record cannot be written.
	Required bool
}

// ServerSessions holds the [server.sessions] table. At most one of Dir and Bucket is
// set; with neither, sessions are in the data directory.
type ServerSessions struct {
	// Dir is the absolute path of the directory that sessions are in.
	Dir string
	// Bucket is the URL of the bucket that they are in: its scheme is s3, azblob or
	// gs, it names a bucket and holds no credentials.
	Bucket string
	// Prefix is what the names of all objects in the bucket begin with; empty, or
	// ending with a slash.
	Prefix string
	// Cache is the absolute path of the directory in which sessions of a bucket are
	// worked on; empty leaves it to the host.
	Cache string
	// Prune is which sessions are removed without being asked.
	Prune Prune
}

// Prune holds the prune table of [server.sessions]. Zero fields say nothing.
type Prune struct {
	// Age and Idle remove sessions that were created, or used, longer ago.
	Age, Idle Duration
	// Count and Bytes are how many sessions remain, of how many bytes together.
	Count int
	Bytes Bytes
	// Every is how often it happens; 0 means that it does not, and that no other
	// field is set.
	Every Duration
}

// Hardening says whether a process asks the kernel to refuse it what it does not need.
type Hardening int

const (
	// HardenIfPossible, when the file does not say, asks for what the kernel offers.
	HardenIfPossible Hardening = iota
	// HardenAlways, for true, means that nothing runs where a layer is missing.
	HardenAlways
	// HardenNever is for false.
	HardenNever
)

// Policy is every profile of one configuration. It is immutable and safe for
// concurrent use.
type Policy struct {
	path     string
	fallback string // the default profile's name
	server   Server
	tokens   []Token
	mcp      MCP
	runtimes map[string]Runtime
	profiles map[string]*resolved
}

// Path is the file the policy was read from as it was given, or "" for the
// built-in policy.
func (p *Policy) Path() string { return p.path }

// Default is the name of the profile that applies when a request names none.
func (p *Policy) Default() string { return p.fallback }

// Server returns the process settings.
func (p *Policy) Server() Server { return p.server }

// Tokens returns whom the daemon serves over the network.
func (p *Policy) Tokens() []Token {
	tokens := slices.Clone(p.tokens)
	for i := range tokens {
		tokens[i].Profiles = slices.Clone(tokens[i].Profiles)
	}
	return tokens
}

// Runtimes returns the names of the runtimes that have settings, in alphabetical order.
func (p *Policy) Runtimes() []string { return slices.Sorted(maps.Keys(p.runtimes)) }

// Runtime returns the settings of a runtime: none if the file has none.
func (p *Policy) Runtime(name string) Runtime {
	r := p.runtimes[name]
	r.Preload = slices.Clone(r.Preload)
	return r
}

// Names returns the names of all profiles, the built-in ones among them, in
// alphabetical order.
func (p *Policy) Names() []string { return slices.Sorted(maps.Keys(p.profiles)) }

// Profile returns a copy of the named profile; "" names the default one. An
// unknown name is [ErrNotFound], with the nearest known name where one is close.
func (p *Policy) Profile(name string) (*Profile, error) {
	r, err := p.find(name)
	if err != nil {
		return nil, err
	}
	return r.profile.clone(), nil
}

func (p *Policy) find(name string) (*resolved, error) {
	if name == "" {
		name = p.fallback
	}
	r, ok := p.profiles[name]
	if !ok {
		names := p.Names()
		return nil, notFoundf("profile %q not found%s; known profiles: %s",
			name, didYouMean(name, names), strings.Join(names, ", "))
	}
	return r, nil
}
