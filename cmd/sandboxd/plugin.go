package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/plugins/rpc"
	"github.com/sandboxd/sandboxd/plugins/service"
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
	s := &serving{app: a, log: a.pluginLogger(), began: policy, onDemand: true}
	if err := s.open(ctx, host.Options{Log: s.log}, nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, name := range f.languages {
		if _, err := s.registry.Lookup(name); err != nil {
			return fmt.Errorf("--lang: %w", err)
		}
	}
	sockets, remove, err := a.socketDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()

	engine := newGate(s.packaged)
	svc, err := service.New(service.Options{Engine: engine, Policy: policy, Registry: s.registry, Sessions: s.store})
	if err != nil {
		return err
	}
	server, err := rpc.NewServer(rpc.Options{Service: svc, Authenticate: localCaller, Version: buildVersions().Sandboxd, Log: s.log})
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
			starting.Go(func() { engine.open(s.startPlugin(ctx, f.languages, sockets)) })
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

// startPlugin makes languages ready and then gives up what this process no longer needs.
func (s *serving) startPlugin(ctx context.Context, languages []string, sockets string) error {
	if err := s.prepare(ctx, languages); err != nil {
		return err
	}
	return s.harden(harden.Options{Temporary: []string{sockets}})
}
