// Package mcp serves package service by the Model Context Protocol, to agents and the
// models behind them: as tools, as resources and as prompts, over standard input and
// output or over HTTP.
//
// A model is the reader of everything here, so descriptions and answers say what to do
// next, and no answer names a path of this machine. Whoever is connected may be hostile:
// what they may reach is package service's to decide, by the [service.Caller] that the
// transport knows them as and nothing that they say. What bounds a client: the size of a
// message ([MaxMessage]), the rate of its calls and how many run at once ([Options]),
// the size of what is read at once, and the quotas of its profiles.
//
// A [Server] is safe for concurrent use.
package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
)

// MaxMessage is the most bytes of one message that a client sends.
const MaxMessage = 32 << 20

// Options configure a [Server].
type Options struct {
	// Service does the work. Required.
	Service *service.Service
	// Version is that of the program that serves.
	Version string
	// Tools are the only tools that clients see, and Without those that they do not
	// see of these; where Tools is empty, it is all of them. See [policies.MCPTools].
	Tools, Without []string
	// External are directories that every program sees, read-only: a grant of the
	// operator's.
	External []policies.Mount
	// Rate is how many tools a client may call in a second, in the long run, and Burst
	// how many at once after a pause; 0 means [DefaultRate] and [DefaultBurst], and
	// less is an error.
	Rate  float64
	Burst int
	// Concurrent is how many programs of one client run at once; others are told to
	// come back. 0 means [DefaultConcurrent], and less is an error.
	Concurrent int
	// Packages names what programs of a language can import beside its library. Nil
	// means that there is nothing.
	Packages func(language string) []string
	// Log receives what clients are not told. Nil discards it.
	Log *slog.Logger
}

// What a client may do where [Options] do not say.
const (
	DefaultRate       = 50
	DefaultBurst      = 200
	DefaultConcurrent = 16
)

// Server serves clients. Make one with [New].
type Server struct {
	service    *service.Service
	version    string
	tools      atomic.Pointer[offer]
	external   []policies.Mount
	rate       float64
	burst      int
	concurrent int
	packages   func(string) []string
	log        *slog.Logger
	schemas    *sdk.SchemaCache

	mu      sync.Mutex
	clients map[string]*client // those that have a name of their own, by that
}

// New returns a Server. A tool that there is not is an error, and so is a limit that is
// none.
func New(o Options) (*Server, error) {
	if o.Service == nil {
		return nil, errors.New("mcp: a service is required")
	}
	if !(o.Rate >= 0) || o.Burst < 0 || o.Concurrent < 0 { // not a number is no limit either
		return nil, fmt.Errorf("mcp: rate %g, burst %d and concurrent %d must not be negative", o.Rate, o.Burst, o.Concurrent)
	}
	s := &Server{
		service: o.Service, version: o.Version, external: slices.Clone(o.External),
		rate: cmp.Or(o.Rate, DefaultRate), burst: cmp.Or(o.Burst, DefaultBurst),
		concurrent: cmp.Or(o.Concurrent, DefaultConcurrent),
		packages:   o.Packages, log: o.Log, schemas: sdk.NewSchemaCache(), clients: map[string]*client{},
	}
	if err := s.SetTools(o.Tools, o.Without); err != nil {
		return nil, err
	}
	if s.packages == nil {
		s.packages = func(string) []string { return nil }
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// offer is a choice of tools, in the order of [policies.MCPTools].
type offer []string

func (o *offer) has(tool string) bool { return slices.Contains(*o, tool) }

// offerOf chooses tools: only those that only names, or all where it is empty, but not
// those of without.
func offerOf(only, without []string) (offer, error) {
	for _, name := range slices.Concat(only, without) {
		if err := policies.CheckMCPTool(name); err != nil {
			return nil, fmt.Errorf("mcp: %w", err)
		}
	}
	return slices.DeleteFunc(policies.MCPTools(), func(name string) bool {
		return len(only) > 0 && !slices.Contains(only, name) || slices.Contains(without, name)
	}), nil
}

// SetTools changes which tools clients see, as [Options] do, from now on: those that are
// connected are told that the list has changed, and calls that run finish. Only clients
// that are known by their stream or connection alone keep what they began with. A tool
// that there is not is an error, and changes nothing.
func (s *Server) SetTools(only, without []string) error {
	next, err := offerOf(only, without)
	if err != nil {
		return err
	}
	s.mu.Lock() // nobody becomes a client meanwhile
	defer s.mu.Unlock()
	if before := s.tools.Swap(&next); before != nil && slices.Equal(*before, next) {
		return nil
	}
	withheld := slices.DeleteFunc(policies.MCPTools(), next.has)
	for _, c := range s.clients {
		c.mcp.RemoveTools(withheld...)
		c.addTools()
	}
	return nil
}

// ServeStdio serves one client over a pair of streams, messages on lines of their own,
// until the input ends or the client is gone, which is no error, or ctx ends. Nothing else may be written to
// out. What the client asked for when it left is canceled.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer, caller service.Caller) error {
	c, err := s.newClient(caller, nil)
	if err != nil {
		return err
	}
	err = c.mcp.Run(ctx, &sdk.IOTransport{Reader: io.NopCloser(in), Writer: keepOpen{out}, MaxLineLength: MaxMessage})
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, syscall.EPIPE) || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// keepOpen is a writer that is somebody else's to close.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
