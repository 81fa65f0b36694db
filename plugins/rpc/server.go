// Package rpc serves protobuf's sandboxd.v1.Sandbox, which proto/ describes: it
// translates between that and package service, and decides nothing.
//
// Every message comes from a caller who may be hostile. What bounds them: a message
// has at most [MaxMessage] bytes, is decoded strictly by protobuf, and every size,
// enumeration and token in it is checked before it is used; a stream holds at most
// [maxBuffered] bytes of a program's output in memory, and a caller who does not read
// them holds up the program, up to its deadline, and nobody else; a stream that ends
// ends all that it began. Callers who are not of this machine learn nothing of its
// paths: see [Server.fail].
package rpc

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/sandboxd/sandboxd/plugins/service"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// MaxMessage is the largest message that a server accepts, in bytes.
const MaxMessage = 32 << 20

// Options configure a [Server].
type Options struct {
	// Service does the work. Required.
	Service *service.Service
	// Authenticate says whom a call comes from, by the context that the transport made
	// for it. Its errors are answered with UNAUTHENTICATED, or with their own code if
	// they are of package status. Nil means that all calls come from the user that
	// sandboxd runs as.
	Authenticate func(context.Context) (service.Caller, error)
	// Version is that of the program that serves.
	Version string
	// Log receives what callers are not told. Nil discards it.
	Log *slog.Logger
}

// Server is the service, for [pb.RegisterSandboxServer]. It is safe for concurrent
// use.
type Server struct {
	pb.UnimplementedSandboxServer
	service      *service.Service
	authenticate func(context.Context) (service.Caller, error)
	version      string
	log          *slog.Logger
}

// NewServer returns a server.
func NewServer(o Options) (*Server, error) {
	if o.Service == nil {
		return nil, errors.New("rpc: a service is required")
	}
	s := &Server{service: o.Service, authenticate: o.Authenticate, version: o.Version, log: o.Log}
	if s.authenticate == nil {
		s.authenticate = func(context.Context) (service.Caller, error) { return service.Caller{}, nil }
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// ServerOptions are those that a [grpc.Server] needs to keep what the package says.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxSendMsgSize(math.MaxInt32), // ours are bounded one by one
		grpc.MaxConcurrentStreams(1024),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.ConnectionTimeout(20 * time.Second),
		// A caller whose machine is gone is noticed, and its programs stop.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
}

// caller says whom a call comes from.
func (s *Server) caller(ctx context.Context) (service.Caller, error) {
	c, err := s.authenticate(ctx)
	if err != nil {
		return c, unauthenticated(err)
	}
	return c, nil
}
