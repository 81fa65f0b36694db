package mcp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/plugins/service"
)

// Path is where MCP is served over HTTP, by custom.
const Path = "/mcp"

// Bounds of HTTP.
const (
	// DefaultIdle is how long a connection may be silent where [HTTPOptions] do not say.
	DefaultIdle = time.Hour
	// maxConnections is how many connections, in the sense of the protocol, a client may
	// have, or all clients without a token together.
	maxConnections = 1000
	// maxRequests is how many requests of a client's may be under way.
	maxRequests = 512
	// pause is how long a client may take to send a request, or to read a part of an
	// answer.
	pause = 30 * time.Second
)

// HTTPOptions configure [Server.Handler].
type HTTPOptions struct {
	// Authenticate tells who sent a request, or that nobody known did: then the client is
	// asked for a bearer token. Nil lets everybody in: each connection is a client by
	// itself then, and its sessions end with it.
	Authenticate func(*http.Request) (service.Caller, error)
	// Anonymous is what all clients have in common where Authenticate is nil. Its Owner
	// and Name are only what theirs begin with.
	Anonymous service.Caller
	// Origins are the origins of pages that may call, such as "http://localhost:6274". A
	// request that a page of any other origin made is refused.
	Origins []string
	// Hosts are the names, without port, that the server may be addressed by, beside
	// those of the loopback interface; empty means any, but on the loopback interface,
	// where a page could reach the server by a name of its own.
	Hosts []string
	// Idle is how long a connection may be silent before it is ended; 0 means
	// [DefaultIdle].
	Idle time.Duration
}

// handler serves MCP over HTTP. Every request may come from somebody hostile: what it is
// checked for, before anything of it is read, is its host, its origin, who it is from,
// and how much they have under way; its body is bounded in size and time.
type handler struct {
	server   *Server
	options  HTTPOptions
	stateful http.Handler
	// stateless serves the protocol from 2026-07-28 on, which knows no connections.
	// Without a token nobody could own anything there, so clients that have none are told
	// to speak an earlier one.
	stateless http.Handler

	mu        sync.Mutex
	anonymous map[string]*client // by connection
	requests  map[*client]int
}

// statelessSince is the first protocol version without connections.
const statelessSince = "2026-07-28"

// Headers of the protocol.
const (
	connectionHeader = "Mcp-Session-Id"
	versionHeader    = "Mcp-Protocol-Version"
)

// clientKey is how a request's context holds its client.
type clientKey struct{}

// Handler serves the protocol's streamable HTTP transport, at whatever path it is
// mounted.
func (s *Server) Handler(o HTTPOptions) http.Handler {
	if o.Idle == 0 {
		o.Idle = DefaultIdle
	}
	h := &handler{server: s, options: o, anonymous: map[string]*client{}, requests: map[*client]int{}}
	pick := func(r *http.Request) *sdk.Server {
		if c, ok := r.Context().Value(clientKey{}).(*client); ok {
			return c.mcp
		}
		return nil
	}
	common := sdk.StreamableHTTPOptions{
		Logger: slog.New(warnings{s.log.Handler()}), MaxRequestBodyBytes: MaxMessage, PropagateRequestCancellation: true,
		DisableLocalhostProtection: true, // ours is done already
	}
	stateful, stateless := common, common
	stateful.EventStore, stateful.SessionTimeout = newEvents(), o.Idle
	stateless.Stateless = true
	h.stateful = sdk.NewStreamableHTTPHandler(pick, &stateful)
	h.stateless = sdk.NewStreamableHTTPHandler(pick, &stateless)
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.hostAllowed(r) {
		http.Error(w, "this server is not addressed by that name", http.StatusForbidden)
		return
	}
	if !h.originAllowed(r) {
		http.Error(w, "pages of this origin may not call; the operator can allow it with --origin", http.StatusForbidden)
		return
	}
	if h.options.Authenticate == nil {
		h.serveAnonymous(w, r)
		return
	}
	caller, err := h.options.Authenticate(r)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sandboxd"`)
		http.Error(w, "a bearer token is required", http.StatusUnauthorized)
		return
	}
	c, err := h.server.clientOf(caller)
	if err != nil {
		h.server.log.Warn("a client was refused", "caller", caller.Name, "error", err)
		http.Error(w, "this client may not use anything", http.StatusForbidden)
		return
	}
	h.serve(w, r, c)
}

// originAllowed refuses requests that pages of other origins than ours made.
func (h *handler) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(h.options.Origins, origin) {
		return true
	}
	_, host, _ := strings.Cut(origin, "://")
	return host != "" && host == r.Host
}

// hostAllowed refuses to be addressed by names that are not ours.
func (h *handler) hostAllowed(r *http.Request) bool {
	name := r.Host
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	name = strings.Trim(name, "[]")
	if address, err := netip.ParseAddr(name); strings.EqualFold(name, "localhost") || err == nil && address.Unmap().IsLoopback() {
		return true
	}
	if slices.ContainsFunc(h.options.Hosts, func(own string) bool { return strings.EqualFold(own, name) }) {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	address, err := netip.ParseAddrPort(local.String())
	return len(h.options.Hosts) == 0 && err == nil && !address.Addr().Unmap().IsLoopback()
}

// serveAnonymous serves a client that is known by its connection alone.
func (h *handler) serveAnonymous(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get(connectionHeader); id != "" {
		h.mu.Lock()
		c := h.anonymous[id]
		h.mu.Unlock()
		if c == nil {
			http.Error(w, "session not found", http.StatusNotFound)
			return
		}
		h.serve(w, r, c)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "a request without "+connectionHeader+" must be a POST", http.StatusBadRequest)
		return
	}
	id, name := rand.Text(), h.options.Anonymous.Owner+"-"+strings.ToLower(rand.Text()[:16])
	caller := h.options.Anonymous
	caller.Owner, caller.Name = name, name
	c, err := h.server.newClient(caller, func() string { return id })
	if err != nil {
		h.server.log.Warn("a client was refused", "error", err)
		http.Error(w, "nobody may use anything", http.StatusForbidden)
		return
	}
	h.mu.Lock()
	full := len(h.anonymous) >= maxConnections
	if !full {
		h.anonymous[id] = c
	}
	h.mu.Unlock()
	if full {
		tooMany(w, fmt.Sprintf("%d connections are open, and more may not be", maxConnections))
		return
	}
	h.serve(w, r, c)
	go h.forget(id, c) // when all of its connections have ended, if any began
}

// forget drops a client that was known by its connection, when that has ended.
func (h *handler) forget(id string, c *client) {
	for s := range c.mcp.Sessions() {
		_ = s.Wait() // however it ended
	}
	h.mu.Lock()
	delete(h.anonymous, id)
	h.mu.Unlock()
	if _, err := c.destroyAll(context.Background()); err != nil {
		h.server.log.Warn("remove the sessions of a client that has gone", "error", err)
	}
}

// clientOf finds a client that has a name of its own.
func (s *Server) clientOf(caller service.Caller) (*client, error) {
	key := strings.Join(append([]string{caller.Owner, caller.Name}, caller.Profiles...), "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[key]; c != nil {
		return c, nil
	}
	c, err := s.newClient(caller, nil)
	if err != nil {
		return nil, err
	}
	s.clients[key] = c
	return c, nil
}

// serve serves a request of a client's.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, c *client) {
	if !h.enter(c) {
		tooMany(w, fmt.Sprintf("%d requests of yours are under way, and more may not be", maxRequests))
		return
	}
	defer h.leave(c)
	if r.Method == http.MethodPost {
		if r.Header.Get(connectionHeader) == "" && open(c) >= maxConnections {
			tooMany(w, fmt.Sprintf("%d connections of yours are open, and more may not be", maxConnections))
			return
		}
		if !receive(w, r) {
			return
		}
	}
	next := h.stateful
	if h.options.Authenticate != nil && r.Header.Get(versionHeader) >= statelessSince {
		next = h.stateless
	}
	r = r.WithContext(context.WithValue(r.Context(), clientKey{}, c))
	if h.options.Authenticate != nil {
		next = owned(c, next)
		// What the SDK and its handlers see of a secret is nothing.
		r.Header = r.Header.Clone()
		r.Header.Set("Authorization", "Bearer checked")
	}
	next.ServeHTTP(&patient{ResponseWriter: w, control: http.NewResponseController(w)}, r)
}

// owned tells the SDK whose a request is, so that it lets nobody else into a connection.
func owned(c *client, next http.Handler) http.Handler {
	return auth.RequireBearerToken(func(context.Context, string, *http.Request) (*auth.TokenInfo, error) {
		return &auth.TokenInfo{UserID: c.caller.Owner + "\x00" + c.caller.Name}, nil
	}, &auth.RequireBearerTokenOptions{AllowMissingExpiration: true})(next)
}

// open counts a client's connections.
func open(c *client) int {
	n := 0
	for range c.mcp.Sessions() {
		n++
	}
	return n
}

func (h *handler) enter(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.requests[c] >= maxRequests {
		return false
	}
	h.requests[c]++
	return true
}

func (h *handler) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.requests[c]--; h.requests[c] == 0 {
		delete(h.requests, c)
	}
}

func tooMany(w http.ResponseWriter, text string) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, text, http.StatusTooManyRequests)
}

// receive reads a request's body, which must come in time and in bounds.
func receive(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength > MaxMessage {
		http.Error(w, fmt.Sprintf("a message has at most %d bytes", MaxMessage), http.StatusRequestEntityTooLarge)
		return false
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(pause)) // servers that cannot have a limit of their own
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxMessage))
	_ = control.SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		r.Body = io.NopCloser(bytes.NewReader(body))
		return true
	case errors.As(err, &tooLarge):
		http.Error(w, fmt.Sprintf("a message has at most %d bytes", MaxMessage), http.StatusRequestEntityTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(w, "the request did not come in time", http.StatusRequestTimeout)
	default:
		http.Error(w, "the request could not be read", http.StatusBadRequest)
	}
	return false
}

// patient writes an answer to a client that must go on reading.
type patient struct {
	http.ResponseWriter

	control *http.ResponseController
	last    atomic.Int64 // the deadline, in seconds
}

// Unwrap is for [http.ResponseController].
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *patient) Write(data []byte) (int, error) {
	if at := time.Now().Add(pause); p.last.Swap(at.Unix()) != at.Unix() {
		_ = p.control.SetWriteDeadline(at) // servers that cannot have a limit of their own
	}
	return p.ResponseWriter.Write(data)
}

// Flush implements [http.Flusher], which the SDK asks for.
func (p *patient) Flush() { _ = p.control.Flush() }
