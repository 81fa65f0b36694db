package rpc

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/sdk/handshake"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// PluginOptions configure [ServePlugin].
type PluginOptions struct {
	// Server answers the calls. Required.
	Server *Server
	// Logger is go-plugin's. Required.
	Logger hclog.Logger
	// Drain is how long calls that run may go on once ctx has ended.
	Drain time.Duration
	// Orphaned is closed when the program that started this one has gone, which ends
	// everything at once. Nil never is.
	Orphaned <-chan struct{}
	// Listening, if not nil, is called once the listener is open.
	Listening func()
}

const (
	// stopped is how long calls that were cut off may take to notice.
	stopped = 1500 * time.Millisecond
	// flushing is how long the last answers may take to leave, where the caller does not
	// say that it has them.
	flushing = 5 * time.Second
)

// ServePlugin serves the program that started this one, as go-plugin's protocol has
// it, until that program says or is gone, or ctx ends: then no calls are accepted any
// more, and those that run may end. It returns when no call runs. It may be called
// once in a process, since it takes standard output and error.
func ServePlugin(ctx context.Context, o PluginOptions) {
	calls := newCalls()
	var server *grpc.Server
	over := make(chan struct{})
	stop := sync.OnceFunc(func() { server.Stop() })
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  handshake.Config,
		VersionedPlugins: map[int]goplugin.PluginSet{handshake.Version: {handshake.Name: &grpcPlugin{server: o.Server}}},
		Logger:           o.Logger,
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			opts = append(opts, ServerOptions()...)
			opts = append(opts, grpc.StaticStreamWindowSize(handshake.StreamWindow), grpc.StaticConnWindowSize(handshake.ConnWindow))
			opts = append(opts, grpc.ChainUnaryInterceptor(calls.unary), grpc.ChainStreamInterceptor(calls.stream))
			server = grpc.NewServer(opts...)
			go func() {
				select {
				case <-ctx.Done():
					calls.drain(o.Drain)
					calls.release()
					flush(server, over)
				case <-o.Orphaned:
				case <-over:
				}
				stop()
			}()
			if o.Listening != nil {
				o.Listening()
			}
			return server
		},
	})
	close(over)
	calls.drain(stopped)
}

// flush lets answers reach the caller that calls have given already, which Stop alone
// would cut off. No call runs any more.
func flush(server *grpc.Server, over <-chan struct{}) {
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		server.GracefulStop()
	}()
	select {
	case <-flushed:
	case <-over:
	case <-time.After(flushing):
	}
}

// grpcPlugin is this side of the plugin; package sdk has the other.
type grpcPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	server *Server
}

func (p *grpcPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterSandboxServer(s, p.server)
	return nil
}

func (p *grpcPlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is the plugin's side")
}

// calls are those of the service, and not go-plugin's own, which last as long as the
// connection.
type calls struct {
	mu      sync.Mutex
	closed  bool
	running int
	none    chan struct{} // closed when closed and nothing runs

	released chan struct{} // closed when go-plugin's own streams are to end
}

func newCalls() *calls { return &calls{none: make(chan struct{}), released: make(chan struct{})} }

// ours reports whether a method is one of the service.
func ours(method string) bool {
	return strings.HasPrefix(method, "/"+pb.Sandbox_ServiceDesc.ServiceName+"/")
}

// begin counts a call, unless no more are accepted.
func (c *calls) begin(method string) (end func(), err error) {
	if !ours(method) {
		return func() {}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, withInfo(status.New(codes.Unavailable, "the plugin is ending"), service.Unavailable).Err()
	}
	c.running++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running--
		c.check()
	}, nil
}

// check notices that nothing runs any more. c.mu is held.
func (c *calls) check() {
	if c.closed && c.running == 0 {
		select {
		case <-c.none:
		default:
			close(c.none)
		}
	}
}

// drain refuses calls from now on, and waits for those that run.
func (c *calls) drain(patience time.Duration) {
	c.mu.Lock()
	c.closed = true
	c.check()
	c.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.none:
	case <-timer.C:
	}
}

// release ends go-plugin's own streams, so that the connection can end in order.
func (c *calls) release() { close(c.released) }

func (c *calls) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	end, err := c.begin(info.FullMethod)
	if err != nil {
		return nil, err
	}
	defer end()
	return handler(ctx, req)
}

func (c *calls) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if !ours(info.FullMethod) {
		ended := make(chan error, 1)
		go func() { ended <- handler(srv, stream) }()
		select {
		case err := <-ended:
			return err
		case <-c.released:
			return nil // which ends the stream, and the handler with it
		}
	}
	end, err := c.begin(info.FullMethod)
	if err != nil {
		return err
	}
	defer end()
	return handler(srv, stream)
}
