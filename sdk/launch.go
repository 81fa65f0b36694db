package sdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/sandboxd/sandboxd/sdk/handshake"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// How long to wait between a crash and the next start, from one to the other, doubled
// every time; a process that lived for longer than settled begins anew.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
	settled    = 10 * time.Second
)

// mourning is how long a call that failed waits to learn whether the process has ended,
// which a busy machine takes a while to tell.
const mourning = 10 * time.Second

// LaunchOption changes what [Launch] does.
type LaunchOption func(*launching)

type launching struct {
	path, config, cache, data string
	checksum                  string
	languages                 []string
	env                       []string
	logger                    hclog.Logger
	timeout                   time.Duration
}

// WithBinary names the sandboxd to start. The default is "sandboxd" on PATH.
func WithBinary(path string) LaunchOption { return func(l *launching) { l.path = path } }

// WithChecksum refuses every binary but the one with this SHA-256, in hexadecimal. It
// is computed before each start; whoever can write to the file could change it in
// between.
func WithChecksum(sha256 string) LaunchOption { return func(l *launching) { l.checksum = sha256 } }

// WithConfig names the policy file. The default is what sandboxd finds: see
// docs/profiles.md.
func WithConfig(path string) LaunchOption { return func(l *launching) { l.config = path } }

// WithDirectories says where sandboxd keeps prepared runtimes, and sessions. Empty
// means its own default.
func WithDirectories(cache, data string) LaunchOption {
	return func(l *launching) { l.cache, l.data = cache, data }
}

// WithLanguages makes languages ready before the first call. The default is Python;
// others are loaded when they are first used, if they were prepared on this machine
// before.
func WithLanguages(names ...string) LaunchOption {
	return func(l *launching) { l.languages = names }
}

// WithEnv adds variables, as NAME=VALUE, to sandboxd's own environment: those that
// profiles name in network.headers. It has no others of this process's but what it
// needs to find its files and npm. Programs see none of them.
func WithEnv(variables ...string) LaunchOption {
	return func(l *launching) { l.env = append(l.env, variables...) }
}

// WithLogger receives what sandboxd and go-plugin log. The default discards it.
func WithLogger(logger hclog.Logger) LaunchOption { return func(l *launching) { l.logger = logger } }

// WithStartTimeout bounds one start. The default is a minute.
func WithStartTimeout(d time.Duration) LaunchOption { return func(l *launching) { l.timeout = d } }

// Launch starts sandboxd as a plugin of this process. A process that crashes is
// started again, after a pause that grows; calls that it had taken fail with
// [*CrashError], and calls that come meanwhile wait. ctx bounds the first start only.
// The process ends with [Client.Close], and with this one.
func Launch(ctx context.Context, options ...LaunchOption) (*Client, error) {
	l := launching{path: "sandboxd", logger: hclog.NewNullLogger(), timeout: time.Minute}
	for _, option := range options {
		option(&l)
	}
	path, err := exec.LookPath(l.path)
	if err != nil {
		return nil, fmt.Errorf("sandboxd: find the plugin: %w", err)
	}
	l.path = path
	if l.checksum != "" {
		if sum, err := hex.DecodeString(l.checksum); err != nil || len(sum) != sha256.Size {
			return nil, errors.New("sandboxd: the checksum is not a SHA-256 in hexadecimal")
		}
	}
	p := &plugin{options: l, changed: make(chan struct{}), closed: make(chan struct{})}
	p.closing, p.cancel = context.WithCancel(context.Background())
	first, err := p.start(ctx)
	if err != nil {
		p.cancel()
		return nil, fmt.Errorf("sandboxd: start the plugin: %w", err)
	}
	go p.supervise(first)
	return &Client{p}, nil
}

// inherited are the variables of this process that sandboxd gets.
var inherited = []string{
	"PATH", "HOME", "TMPDIR", "LANG", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", // Unix
	"SystemRoot", "TEMP", "TMP", "USERPROFILE", "LocalAppData", "AppData", "PATHEXT", "ComSpec", // Windows
	"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", // fetching
	"SANDBOXD_CONFIG", "SANDBOXD_CACHE_DIR", "SANDBOXD_DATA_DIR",
}

// command is killed when ctx ends.
func (l *launching) command(ctx context.Context) *exec.Cmd {
	args := []string{"plugin"}
	flag := func(name, value string) {
		if value != "" {
			args = append(args, name, value)
		}
	}
	flag("--config", l.config)
	flag("--cache-dir", l.cache)
	flag("--data-dir", l.data)
	for _, name := range l.languages {
		flag("--lang", name)
	}
	cmd := exec.CommandContext(ctx, l.path, args...) //nolint:gosec // the embedding program names it
	cmd.Env = []string{}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok { //nolint:forbidigo // the plugin's environment is made here
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, l.env...)
	return cmd
}

// plugin is a supervised plugin.
type plugin struct {
	options launching

	mu      sync.Mutex
	current *process
	err     error         // why the last start failed, until the next one
	changed chan struct{} // closed and replaced when current or err changes

	closing  context.Context // ends when Close begins
	cancel   context.CancelFunc
	closed   chan struct{} // closed when nothing runs any more
	starting sync.WaitGroup
}

// process is one process of a plugin.
type process struct {
	conn    *conn
	client  *goplugin.Client
	sockets string
	kill    context.CancelFunc // ends it without asking
	started time.Time
	done    <-chan struct{} // closed when it has ended
}

// connect implements [link]: it waits for a process, but not for one that cannot be
// started.
func (p *plugin) connect(ctx context.Context) (*conn, error) {
	for {
		p.mu.Lock()
		current, err, changed := p.current, p.err, p.changed
		p.mu.Unlock()
		switch {
		case p.closing.Err() != nil:
			return nil, ErrClosed
		case current != nil && !isClosed(current.done):
			return current.conn, nil
		case err != nil:
			return nil, &Error{Class: ErrUnavailable, Message: "the plugin ended, and does not start again: " + err.Error(), RetryAfter: lastPause}
		}
		select {
		case <-changed:
		case <-p.closing.Done():
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// set publishes a process, or why there is none.
func (p *plugin) set(current *process, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, p.err = current, err
	close(p.changed)
	p.changed = make(chan struct{})
}

// supervise keeps a process running until the plugin is closed.
func (p *plugin) supervise(first *process) {
	defer close(p.closed)
	pause := firstPause
	p.set(first, nil)
	for current := first; ; {
		select {
		case <-current.done:
		case <-p.closing.Done():
			current.end()
			return
		}
		if time.Since(current.started) > settled {
			pause = firstPause
		}
		p.set(nil, nil)
		current.end()
		for current = nil; current == nil; {
			select {
			case <-time.After(pause):
			case <-p.closing.Done():
				return
			}
			pause = min(2*pause, lastPause)
			next, err := p.start(p.closing)
			p.set(next, err)
			current = next
		}
	}
}

// Close implements [link].
func (p *plugin) Close() error {
	p.cancel()
	<-p.closed
	p.starting.Wait()
	return nil
}

// start starts a process, or gives up when ctx ends.
func (p *plugin) start(ctx context.Context) (*process, error) {
	type outcome struct {
		process *process
		err     error
	}
	started := make(chan outcome, 1)
	p.starting.Go(func() {
		one, err := p.options.start(p.closing)
		started <- outcome{one, err}
	})
	select {
	case o := <-started:
		return o.process, o.err
	case <-ctx.Done():
		p.starting.Go(func() {
			if o := <-started; o.err == nil {
				o.process.end()
			}
		})
		return nil, ctx.Err()
	}
}

// start starts a process and connects to it, unless closing ends first. When that ends
// later, the end of the process is no crash.
func (l *launching) start(closing context.Context) (_ *process, err error) {
	// The socket gets a directory that is deleted here, however the process ends.
	sockets, err := os.MkdirTemp("", "sandboxd-sdk-")
	if err != nil {
		return nil, err
	}
	running, kill := context.WithCancel(context.Background())
	unwatched := context.AfterFunc(closing, kill)
	defer func() {
		unwatched() // from now on, it is asked to end
		if err != nil {
			kill()
			_ = os.RemoveAll(sockets)
		}
	}()
	cmd := l.command(running)
	cmd.Env = append(cmd.Env, goplugin.EnvUnixSocketDir+"="+sockets)
	log := &tail{}
	side := &grpcSide{}
	c := &goplugin.ClientConfig{
		HandshakeConfig:  handshake.Config,
		VersionedPlugins: map[int]goplugin.PluginSet{handshake.Version: {handshake.Name: side}},
		Cmd:              cmd,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     l.timeout,
		Logger:           l.logger,
		Stderr:           log,
		GRPCDialOptions: append(dialOptions(),
			grpc.WithStaticStreamWindowSize(handshake.StreamWindow), grpc.WithStaticConnWindowSize(handshake.ConnWindow)),
	}
	if l.checksum != "" {
		sum, err := hex.DecodeString(l.checksum)
		if err != nil {
			return nil, err
		}
		c.SecureConfig = &goplugin.SecureConfig{Checksum: sum, Hash: sha256.New()}
	}
	client := goplugin.NewClient(c)
	defer func() {
		if err != nil {
			client.Kill()
		}
	}()
	protocol, err := client.Client()
	if err != nil {
		client.Kill() // until it is gone, what it said may still be on its way to log
		return nil, log.explain(err)
	}
	raw, err := protocol.Dispense(handshake.Name)
	if err != nil {
		return nil, err
	}
	one, ok := raw.(*conn)
	if !ok {
		return nil, errors.New("the plugin is of another kind")
	}
	ended := side.ended.Done()
	one.crashed = func(cause error) error {
		select {
		case <-ended:
		case <-closing.Done(): // it is told to end, and may take its time
		case <-time.After(mourning):
			return nil
		}
		if closing.Err() != nil {
			return ErrClosed
		}
		return &CrashError{State: cmd.ProcessState.String(), Log: log.String(), Err: cause}
	}
	return &process{conn: one, client: client, sockets: sockets, kill: kill, started: time.Now(), done: ended}, nil
}

// end ends a process that may have ended.
func (p *process) end() {
	p.client.Kill()
	p.kill()
	_ = os.RemoveAll(p.sockets)
}

// grpcSide is this side of the plugin.
type grpcSide struct {
	goplugin.NetRPCUnsupportedPlugin
	ended context.Context // ends with the process
}

// GRPCServer implements [goplugin.GRPCPlugin].
func (*grpcSide) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is the side of the program that loads the plugin")
}

// GRPCClient implements [goplugin.GRPCPlugin].
func (s *grpcSide) GRPCClient(ended context.Context, _ *goplugin.GRPCBroker, g *grpc.ClientConn) (any, error) {
	s.ended = ended
	return &conn{SandboxClient: pb.NewSandboxClient(g), grpc: g}, nil
}

// tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	data []byte
}

// maxTail is how much a tail keeps.
const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if extra := len(t.data) - maxTail; extra > 0 {
		t.data = append(t.data[:0], t.data[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}

// explain adds what a process said to why it did not start.
func (t *tail) explain(err error) error {
	if said := strings.TrimSpace(t.String()); said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}
