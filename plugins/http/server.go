// Package httpd serves package service over HTTP, for the daemon: gRPC, gRPC-Web and
// Connect from one definition, plain JSON and files for curl, and what operators ask
// for: health, metrics and profiles of the process.
//
// Every request may come from somebody hostile. What bounds it: a connection sends its
// header within [headerWait] and its body, and reads its answer, without a pause longer
// than [pause]; a header has at most [maxHeader] bytes, a message and a program at most
// [maxBody], a file what its session's profile grants; a listener has at most
// [maxConnections], a caller at most [maxRequests] requests under way, and all messages
// together take little more than [maxHeld]; compressed ones are not taken, for they grow. Who calls is
// known from the connection or from a token, and never from anything else in a request.
// A browser is nobody we serve: what has an Origin is refused, as is, without TLS, a
// Host that is not this machine, so that no page can reach the daemon by another name.
//
// A [Server] is safe for concurrent use.
package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/sandboxd/sandboxd/plugins/rpc"
	"github.com/sandboxd/sandboxd/plugins/service"
)

// What bounds a request; see the package's comment.
const (
	headerWait     = 10 * time.Second
	pause          = 30 * time.Second
	idleWait       = 2 * time.Minute
	maxHeader      = 64 << 10
	maxBody        = rpc.MaxMessage
	maxConnections = 4096
	maxRequests    = 1024
	maxHeld        = 256 << 20
	maxStreams     = 1024 // of one HTTP/2 connection
)

// Options configure a [Server].
type Options struct {
	// Service does the work. Required.
	Service *service.Service
	// Metrics are what GET /metrics shows. Required.
	Metrics *Metrics
	// Agents, if set, is served at [AgentsPath]; it learns from [CallerOf] who calls.
	Agents http.Handler
	// Version is that of the program that serves.
	Version string
	// Configuration identifies what the daemon serves with, for [About].
	Configuration func() string
	// Log receives what callers are not told. Nil discards it.
	Log *slog.Logger
}

// AgentsPath is where agents are served.
const AgentsPath = "/mcp"

// Server serves over HTTP. Make one with [New].
type Server struct {
	service       *service.Service
	metrics       *Metrics
	agents        http.Handler
	version       string
	configuration func() string
	log           *slog.Logger
	tokens        atomic.Pointer[[]token]
	ready         atomic.Bool
	held          atomic.Int64 // bytes of messages in memory

	headerWait, pause time.Duration

	mu       sync.Mutex
	requests map[string]int // under way, by caller
	servers  []*http.Server
	down     bool // nothing is served any more
	local    http.Handler
	remote   http.Handler
}

// New returns a Server that refuses requests with 503 until [Server.SetReady], but for
// those after its health.
func New(o Options) (*Server, error) {
	if o.Service == nil || o.Metrics == nil {
		return nil, errors.New("httpd: a service and metrics are required")
	}
	s := &Server{
		service: o.Service, metrics: o.Metrics, agents: o.Agents, version: o.Version, configuration: o.Configuration, log: o.Log,
		requests: map[string]int{}, headerWait: headerWait, pause: pause,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.configuration == nil {
		s.configuration = func() string { return "" }
	}
	s.tokens.Store(&[]token{})
	procedures, err := rpc.NewServer(rpc.Options{
		Service: o.Service, Authenticate: CallerOf, Version: o.Version, Log: s.log,
	})
	if err != nil {
		return nil, err
	}
	s.local = s.handler(true, procedures)
	s.remote = s.handler(false, procedures)
	return s, nil
}

// SetReady lets requests in, or keeps them out.
func (s *Server) SetReady(ready bool) { s.ready.Store(ready) }

// ServeLocal serves the connections of a listener that only the user that sandboxd runs
// as, and root, can connect to: they need no token, and are that user. It returns when
// the server is shut down, with nil, or when the listener fails.
func (s *Server) ServeLocal(l net.Listener) error { return s.serve(l, s.local, nil) }

// ServeTLS serves a network, with certificates that config chooses. Callers need a
// token.
func (s *Server) ServeTLS(l net.Listener, config *tls.Config) error {
	return s.serve(l, s.remote, config)
}

// ServePlain is ServeTLS without TLS, for a listener on the loopback interface: other
// users of this machine, and who can listen on its loopback, may read and change what
// is said, tokens included.
func (s *Server) ServePlain(l net.Listener) error {
	return s.serve(l, onlyLoopbackNames(s.remote), nil)
}

func (s *Server) serve(l net.Listener, h http.Handler, config *tls.Config) error {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(config != nil)
	protocols.SetUnencryptedHTTP2(config == nil)
	server := &http.Server{
		Handler:           h,
		Protocols:         protocols,
		TLSConfig:         config,
		ReadHeaderTimeout: s.headerWait,
		IdleTimeout:       idleWait,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(quiet{s.log}, "", 0),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams, SendPingTimeout: pause, PingTimeout: pause, WriteByteTimeout: pause,
			MaxReceiveBufferPerStream: 1 << 20, MaxReceiveBufferPerConnection: 2 << 20,
		},
	}
	s.mu.Lock()
	if s.down {
		s.mu.Unlock()
		return l.Close()
	}
	s.servers = append(s.servers, server)
	s.mu.Unlock()
	l = netutil.LimitListener(l, maxConnections)
	var err error
	if config != nil {
		err = server.ServeTLS(l, "", "")
	} else {
		err = server.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// quiet takes what net/http has to say of connections, which is what clients do wrong.
type quiet struct{ log *slog.Logger }

func (q quiet) Write(p []byte) (int, error) {
	q.log.Debug("connection", "problem", string(p))
	return len(p), nil
}

// Shutdown ends all listeners, those too that are served later, waits for the requests
// under way until ctx ends, and then for none. Executions are drained first, by
// [service.Service.Drain].
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	servers := s.servers
	s.down = true
	s.mu.Unlock()
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() {
			if err := server.Shutdown(ctx); err != nil {
				errs[i] = server.Close()
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
