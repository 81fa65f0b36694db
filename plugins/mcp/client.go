package mcp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/time/rate"

	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
)

// client is one caller: whoever shares its sessions, and its limits, by however many
// connections.
type client struct {
	*Server

	caller   service.Caller
	profiles []*policies.Profile // the default one first
	mcp      *sdk.Server
	bucket   *rate.Limiter
	metrics  metrics

	mu      sync.Mutex
	running map[string]string // the sessions of executions, by id; "" for none
	// subscriptions count those of each connection.
	subscriptions map[*sdk.ServerSession]int
}

// newClient returns a client. nextID makes the ids of its connections over HTTP; nil
// makes random ones.
func (s *Server) newClient(caller service.Caller, nextID func() string) (*client, error) {
	profiles, err := s.service.Profiles(caller)
	if err != nil {
		return nil, err
	}
	if len(profiles) == 0 {
		return nil, errors.New("mcp: the client may use no profile")
	}
	c := &client{Server: s, caller: caller, profiles: profiles, running: map[string]string{}, subscriptions: map[*sdk.ServerSession]int{}}
	c.bucket = rate.NewLimiter(rate.Limit(s.rate), s.burst)
	c.mcp = sdk.NewServer(
		&sdk.Implementation{Name: "sandboxd", Title: "sandboxd", Version: s.version},
		&sdk.ServerOptions{
			Instructions: c.instructions(), Logger: slog.New(warnings{s.log.Handler()}), SchemaCache: s.schemas, GetSessionID: nextID,
			CompletionHandler:  c.complete,
			SubscribeHandler:   c.subscribe,
			UnsubscribeHandler: c.unsubscribe,
			Capabilities:       &sdk.ServerCapabilities{Logging: &sdk.LoggingCapabilities{}}, //nolint:staticcheck // deprecated in the protocol, and what clients have
			SetCacheable:       func(_ context.Context, _ sdk.Request, k *sdk.Cacheable) { *k = private },
		})
	c.addTools()
	c.addResources()
	c.addPrompts()
	return c, nil
}

// begin lets an execution in, or tells the client to come back: what one client has
// under way leaves room for others.
func (c *client) begin(id, session string) (_ string, done func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == "" {
		id = "run-" + strings.ToLower(rand.Text()[:10])
	}
	if _, taken := c.running[id]; taken {
		return "", nil, fmt.Errorf("%w: an execution %.64q runs already; leave execution_id out, or choose another", service.ErrInvalid, id)
	}
	if len(c.running) >= c.concurrent {
		return "", nil, &busyError{fmt.Sprintf("%d executions of yours run, and more may not", len(c.running)), time.Second}
	}
	c.running[id] = session
	return id, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.running, id)
	}, nil
}

// underWay lists the executions that run, those of one session if that is not empty.
func (c *client) underWay(session string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := []string{}
	for id, in := range c.running {
		if session == "" || in == session {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// busyError tells a client to come back.
type busyError struct {
	reason string
	after  time.Duration
}

func (e *busyError) Error() string {
	return fmt.Sprintf("busy: %s; try again in %v", e.reason, e.after)
}

// spend takes what a call costs from what the client may do.
func (c *client) spend() error {
	r := c.bucket.Reserve()
	if wait := r.Delay(); wait > 0 {
		r.Cancel()
		return &busyError{fmt.Sprintf("you may call %g tools a second", c.rate), wait.Round(time.Millisecond) + time.Millisecond}
	}
	return nil
}

// hints say what to do about a kind of error, for models.
var hints = map[service.Kind]string{
	service.NotFound:    "list_sessions, list_files, list_profiles and list_runtimes show what there is.",
	service.Exists:      "Choose another name, or use what is there.",
	service.Exhausted:   "Delete files with delete_file, or sessions with destroy_session.",
	service.Busy:        "Wait a moment and call again.",
	service.Unavailable: "Try again later.",
}

// invalidParams is a protocol error about what was asked.
func invalidParams(format string, args ...any) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}

// told is an error as a client may read it: with what to do, and without what goes on
// inside of the server or where things are on its machine.
func (c *client) told(tool string, err error) error {
	if _, busy := errors.AsType[*busyError](err); busy {
		return err
	}
	kind := service.KindOf(err)
	var path *fs.PathError
	var link *os.LinkError
	if kind == service.Internal || kind == service.Unavailable || errors.As(err, &path) || errors.As(err, &link) {
		c.log.Warn("a call failed", "tool", tool, "caller", c.caller.Name, "error", err)
		if kind == service.Unavailable {
			return errors.New("the sandbox is not available now; try again later")
		}
		return errors.New("internal error of the sandbox, not of your program; its operator finds more in the server's log")
	}
	if hint := hints[kind]; hint != "" {
		return fmt.Errorf("%w. %s", err, hint)
	}
	return err
}
