package sdk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// DialOption changes what [Dial] does.
type DialOption func(*dialing)

type dialing struct {
	tls   *tls.Config
	token string
}

// WithTLS says how to check the daemon's certificate, and what to show it. The default
// is TLS 1.2 or later with the machine's own authorities.
func WithTLS(c *tls.Config) DialOption { return func(d *dialing) { d.tls = c } }

// WithToken authenticates every call with a bearer token. It is sent over TLS and over
// Unix sockets only.
func WithToken(token string) DialOption { return func(d *dialing) { d.token = token } }

// Dial connects to a daemon: at "unix:///path", or at "host:port" with TLS. It reports
// a daemon that does not answer.
func Dial(ctx context.Context, address string, options ...DialOption) (*Client, error) {
	d := dialing{tls: &tls.Config{MinVersion: tls.VersionTLS12}}
	for _, option := range options {
		option(&d)
	}
	local := strings.HasPrefix(address, "unix:")
	o := append(dialOptions(), grpc.WithTransportCredentials(d.credentials(local)))
	if d.token != "" {
		o = append(o, grpc.WithPerRPCCredentials(bearer{d.token, !local}))
	}
	target := address
	if !local {
		target = "dns:///" + address
	}
	g, err := grpc.NewClient(target, o...)
	if err != nil {
		return nil, fmt.Errorf("sandboxd: dial %q: %w", address, err)
	}
	c := &Client{&fixed{conn{SandboxClient: pb.NewSandboxClient(g), grpc: g}}}
	if _, err := c.Info(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("dial %q: %w", address, err), c.Close())
	}
	return c, nil
}

func (d *dialing) credentials(local bool) credentials.TransportCredentials {
	if local {
		return insecure.NewCredentials() // the kernel says who is at both ends
	}
	return credentials.NewTLS(d.tls)
}

// dialOptions are those of every connection.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithDisableRetry(), // a call that may have run is never repeated
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}),
	}
}

// bearer is a token as credentials of calls.
type bearer struct {
	token  string
	secure bool // it needs TLS
}

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.token}, nil
}

func (b bearer) RequireTransportSecurity() bool { return b.secure }

// fixed is a link of one connection.
type fixed struct{ conn conn }

func (f *fixed) connect(context.Context) (*conn, error) { return &f.conn, nil }

func (f *fixed) Close() error {
	if err := f.conn.grpc.Close(); err != nil && !errors.Is(err, grpc.ErrClientConnClosing) { //nolint:staticcheck // it has no other name
		return err
	}
	return nil
}
