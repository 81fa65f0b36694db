package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/rpc"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/sdk/handshake"
)

// exitByHand ends "plugin" where nobody loads it, as go-plugin's programs do.
const exitByHand = 1

// pluginDrain is how long programs may go on after a termination signal.
const pluginDrain = 10 * time.Second

// Variables of go-plugin's protocol.
const (
	pluginSocketDir  = "PLUGIN_UNIX_SOCKET_DIR"
	pluginClientCert = "PLUGIN_CLIENT_CERT"
)

func (a *app) pluginCommand() *cobra.Command {
	var f pluginFlags
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Serve the program that loads sandboxd as a plugin",
		Long: `Serve the program that started this one, by the protocol of HashiCorp's go-plugin:
gRPC, with certificates made for this one connection. Programs in Go use the package
sdk, which starts it. It ends with the program that started it.`,
		Example: "  sandboxd plugin --lang python --lang javascript",
		Args:    atMost(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.servePlugin(cmd.Context(), f) },
	}
	cmd.Flags().StringArrayVarP(&f.languages, "lang", "l", []string{defaultLanguage}, "make `language` ready before the first call; may be repeated")
	cmd.Flags().BoolVar(&f.outlive, "outlive", false, "go on when the program that started this one ends, for others that reattach")
	a.completeFlag(cmd, "lang", a.completeLanguages)
	return cmd
}

// pluginFlags are the command line of "plugin".
type pluginFlags struct {
	languages []string
	outlive   bool
}

// checkPlugin refuses to serve nobody, or anybody.
func (a *app) checkPlugin() error {
	if a.getenv(handshake.Config.MagicCookieKey) != handshake.Config.MagicCookieValue {
		return &exitError{exitByHand, errors.New(`this command serves programs that load sandboxd as a plugin, and is not run by hand
(see docs/go-plugin.md for how to load it, and "sandboxd run --help" to run a program)`)}
	}
	if runtime.GOOS == "windows" && a.getenv(pluginClientCert) == "" {
		return errors.New("plugin: the program that loads it must use AutoMTLS: here, the connection is open to all users of this machine")
	}
	return nil
}

// servePlugin serves the program that started this one until it ends.
func (a *app) servePlugin(ctx context.Context, f pluginFlags) (err error) {
	if err := a.checkPlugin(); err != nil {
		return err
	}
	// An interrupt goes to all programs of a terminal, and is for the one that loads
	// this one to answer.
	ctx, cancel := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
	defer cancel()
	var orphaned <-chan struct{}
	if !f.outlive {
		orphaned = parentGone(ctx)
	}
	policy, err := a.policy()
	if err != nil {
		return err
	}
	if err := checkHardening(policy.Server(), harden.Available()); err != nil {
		return err
	}
	registry, err := a.registry()
	if err != nil {
		return err
	}
	for _, name := range f.languages {
		if _, err := registry.Lookup(name); err != nil {
			return fmt.Errorf("--lang: %w", err)
		}
	}
	sockets, remove, err := a.socketDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	kept, err := a.openStorage(ctx, policy.Server().Sessions)
	if err != nil {
		return err
	}
	logger := a.pluginLogger()
	o := host.Options{Policy: policy, Registry: registry, Log: logger, Packages: packagedModules(registry)}
	audit, err := a.auditLog(policy.Server().Audit, &host.Request{})
	if err != nil {
		return err
	}
	if audit != nil {
		o.Audit = audit
		defer func() { err = errors.Join(err, a.closeAudit(audit, policy)) }()
	}
	h, err := a.openWith(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()

	importing := a.packaged(h, registry)
	engine := newStarting(importing)
	svc, err := service.New(service.Options{Engine: engine, Policy: policy, Registry: registry, Sessions: session.New(session.Options{Storage: kept})})
	if err != nil {
		return err
	}
	server, err := rpc.NewServer(rpc.Options{Service: svc, Authenticate: localCaller, Version: buildVersions().Sandboxd, Log: logger})
	if err != nil {
		return err
	}
	var starting sync.WaitGroup
	defer starting.Wait()
	defer cancel()
	rpc.ServePlugin(ctx, rpc.PluginOptions{
		Server: server, Drain: pluginDrain, Orphaned: orphaned,
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: a.stderr, JSONFormat: true}),
		Listening: func() {
			starting.Go(func() { engine.started(a.startPlugin(ctx, h, importing, policy, kept, f.languages, sockets, logger)) })
		},
	})
	return nil
}

// localCaller is the user who started the program that started this one.
func localCaller(context.Context) (service.Caller, error) {
	return service.Caller{Name: "plugin"}, nil
}

// pluginLogger writes lines as go-plugin's other side reads them: hclog's JSON.
func (a *app) pluginLogger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{
		Level: slog.LevelInfo,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return attr
			}
			switch attr.Key {
			case slog.TimeKey:
				return slog.String("@timestamp", attr.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
			case slog.LevelKey:
				return slog.String("@level", strings.ToLower(attr.Value.String()))
			case slog.MessageKey:
				return slog.Attr{Key: "@message", Value: attr.Value}
			}
			return attr
		},
	}))
}

// socketDir is a directory for go-plugin's socket, so that the socket can still be
// deleted once this process may touch little else: the one that the program which
// loads this one made, or a new one, which remove deletes. On Windows there is no
// socket, and the directory stays empty.
func (a *app) socketDir() (dir string, remove func() error, err error) {
	if dir := a.getenv(pluginSocketDir); dir != "" {
		return dir, func() error { return nil }, nil
	}
	if dir, err = os.MkdirTemp("", "sandboxd-plugin-"); err != nil {
		return "", nil, fmt.Errorf("make a directory for the socket: %w", err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, os.Setenv(pluginSocketDir, dir)
}

// startPlugin makes languages ready and then gives up what this process no longer
// needs: see hardened. Other languages are loaded on demand, if they were prepared
// before, which is why the cache may be read: what can be read cannot be changed.
func (a *app) startPlugin(ctx context.Context, h *host.Host, importing *packaged, policy *policies.Policy, kept *storage, languages []string, sockets string, log *slog.Logger) error {
	for _, name := range languages {
		if err := h.Prepare(ctx, name); err != nil {
			log.WarnContext(ctx, "not ready", "language", name, "error", err)
		}
	}
	if err := importing.load(ctx, policy); err != nil {
		return err
	}
	if policy.Server().Harden == policies.HardenNever {
		return nil
	}
	o, err := a.pluginNeeds(h, policy, kept, sockets)
	if err != nil {
		return err
	}
	report, err := harden.Apply(o)
	if err != nil {
		return fmt.Errorf(`%w (set "harden = false" below [server] to run without)`, err)
	}
	log.InfoContext(ctx, "hardened", "layers", report.String())
	return nil
}

// pluginNeeds is what a plugin uses while it runs programs under any profile.
func (a *app) pluginNeeds(h *host.Host, policy *policies.Policy, kept *storage, sockets string) (harden.Options, error) {
	cache, err := a.cache()
	if err != nil {
		return harden.Options{}, err
	}
	data, err := a.data()
	if err != nil {
		return harden.Options{}, err
	}
	o := harden.Options{
		Read:      []string{cache, filepath.Join(data, "runtimes"), filepath.Join(data, "packages")},
		Write:     []string{kept.root},
		Network:   kept.remote,
		Temporary: []string{h.Scratch(), sockets},
	}
	if log := policy.Server().Audit.File; log != "" {
		o.Write = append(o.Write, filepath.Dir(log))
	}
	for _, name := range policy.Names() {
		profile, err := policy.Profile(name)
		if err != nil {
			return harden.Options{}, err
		}
		o.Network = o.Network || len(profile.Network.Allow) > 0
		for _, header := range profile.Network.Headers {
			if header.File != "" {
				o.Read = append(o.Read, header.File)
			}
		}
		for _, m := range profile.Mounts {
			if m.Writable {
				o.Write = append(o.Write, m.Host)
			} else {
				o.Read = append(o.Read, m.Host)
			}
		}
	}
	slices.Sort(o.Read)
	o.Read = slices.Compact(o.Read)
	return o, nil
}

// starting is an engine that is being made ready: calls wait until it is.
type starting struct {
	engine session.Executor
	done   chan struct{}
	err    error // why it cannot be used; read after done is closed
}

func newStarting(e session.Executor) *starting {
	return &starting{engine: e, done: make(chan struct{})}
}

// started lets calls pass, or fail if the engine could not be made ready.
func (s *starting) started(err error) {
	s.err = err
	close(s.done)
}

// Execute implements [session.Executor].
func (s *starting) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	select {
	case <-s.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.err != nil {
		return nil, s.err
	}
	return s.engine.Execute(ctx, r)
}
