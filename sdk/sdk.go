// Package sdk runs untrusted programs in sandboxd, from Go, without the engine in the
// program that uses it: [Launch] starts sandboxd as a plugin of this process, and
// [Dial] connects to a daemon. Both give a [Client].
//
//	client, err := sdk.Launch(ctx)
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	result, err := client.Run(ctx, sdk.Request{Language: "python", Code: "print(6 * 7)"})
//
// A failure of the program is a [Result] with a status, and no error. An error means
// that there is no result; its class, such as [ErrBusy], says what to do next.
//
// A context that ends stops the program within a few milliseconds.
//
// All types are safe for concurrent use, but for a Request that is being changed.
package sdk

import (
	"context"

	"google.golang.org/grpc"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// maxMessage is the largest message that is accepted from sandboxd, in bytes.
const maxMessage = 32 << 20

// Client is a connection to sandboxd.
type Client struct{ link link }

// link is how a client reaches sandboxd.
type link interface {
	// connect returns the connection for one call.
	connect(ctx context.Context) (*conn, error)
	Close() error
}

// conn is one connection.
type conn struct {
	pb.SandboxClient
	grpc *grpc.ClientConn
	// crashed, if not nil, returns a *CrashError if the process behind the connection
	// has ended, which it waits a moment for, or ErrClosed if it was to.
	crashed func(cause error) error
}

// Close ends the connection, and the plugin with all programs that run in it. It may
// be called twice.
func (c *Client) Close() error { return c.link.Close() }

// call makes one call.
func call[Q, R any](ctx context.Context, c *Client, method func(pb.SandboxClient, context.Context, *Q, ...grpc.CallOption) (*R, error), request *Q) (*R, error) {
	to, err := c.link.connect(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := method(to, ctx, request)
	if err != nil {
		return nil, to.explain(ctx, err)
	}
	return answer, nil
}

// Info says what serves.
func (c *Client) Info(ctx context.Context) (Info, error) {
	r, err := call(ctx, c, pb.SandboxClient.Info, &pb.InfoRequest{})
	return Info{Version: r.GetVersion(), Platform: r.GetPlatform()}, err
}

// Info is what serves.
type Info struct {
	Version  string
	Platform string // such as "linux/amd64"
}

// Runtimes lists the languages.
func (c *Client) Runtimes(ctx context.Context) ([]Runtime, error) {
	r, err := call(ctx, c, pb.SandboxClient.ListRuntimes, &pb.ListRuntimesRequest{})
	var list []Runtime
	for _, one := range r.GetRuntimes() {
		list = append(list, Runtime{one.GetName(), one.GetVersion(), one.GetAliases(), one.GetExtensions(), one.GetBuiltIn()})
	}
	return list, err
}

// Runtime is a language.
type Runtime struct {
	Name    string
	Version string
	Aliases []string
	// Extensions are endings of file names, with their dot.
	Extensions []string
	// BuiltIn says that it comes with sandboxd.
	BuiltIn bool
}

// Profiles lists the profiles that may be used, the default one first.
func (c *Client) Profiles(ctx context.Context) ([]Profile, error) {
	r, err := call(ctx, c, pb.SandboxClient.ListProfiles, &pb.ListProfilesRequest{})
	var list []Profile
	for _, one := range r.GetProfiles() {
		list = append(list, profileOf(one))
	}
	return list, err
}

// Cancel stops an execution that was given an id, whoever started it: its result has
// the status canceled.
func (c *Client) Cancel(ctx context.Context, id string) error {
	_, err := call(ctx, c, pb.SandboxClient.CancelExecution, &pb.CancelExecutionRequest{Id: id})
	return err
}
