package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/internal/sockets"
	httpd "github.com/sandboxd/sandboxd/plugins/http"
	"github.com/sandboxd/sandboxd/plugins/mcp"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// daemon is one that serves. Its listeners are open.
type daemon struct {
	serving

	flags     serveFlags
	listeners *listeners
	notifier  *sockets.Notifier

	build    string           // of the program that was started, which may be replaced
	external []policies.Mount // that agents' programs see

	pruner  *session.Pruner // nil where nothing is pruned without being asked
	service *service.Service
	agents  *mcp.Server
	server  *httpd.Server
	metrics *httpd.Metrics

	mu            sync.Mutex
	policy        *policies.Policy
	configuration string
}

// ended is how long the last answers may take to reach their callers.
const ended = 5 * time.Second

// run opens everything, serves until ctx ends, and lets calls finish.
func (d *daemon) run(ctx context.Context) (err error) {
	// From the beginning, or a reload that comes early would end the process.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	if d.external, err = externalMounts(d.began, d.began.MCP()); err != nil {
		return err
	}
	if err := d.open(ctx, host.Options{Progress: newQuietProgress(d.app.stderr).event}, d.external); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.compose(); err != nil {
		return err
	}

	failed := d.listenAndServe()
	if err = d.begin(ctx); err == nil && d.pruner != nil {
		var pruning sync.WaitGroup
		defer pruning.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		pruning.Go(func() { d.pruner.Run(ctx) })
	}
	for err == nil && ctx.Err() == nil {
		select {
		case <-hangups:
			d.reload()
		case err = <-failed:
			err = fmt.Errorf("listen: %w", err)
		case <-ctx.Done():
		}
	}
	d.end()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // it was told to end
	}
	return err
}

// compose makes what is served.
func (d *daemon) compose() (err error) {
	d.pruner = prunerOf(d.store, d.began.Server().Sessions.Prune, d.log)
	d.metrics = httpd.NewMetrics(httpd.Sources{
		Load:     d.host.Load,
		Sessions: func() (int, error) { return countSessions(context.Background(), d.sessions) },
		Profiles: func() []string { d.mu.Lock(); defer d.mu.Unlock(); return d.policy.Names() },
		Runtimes: func() []string { return namesOf(d.registry.All()) },
	})
	d.service, err = service.New(service.Options{
		Engine: d.packaged, Policy: d.began, Registry: d.registry, Sessions: d.store, Observer: d.metrics,
	})
	if err != nil {
		return err
	}
	if d.agents, err = d.app.agentServer(d.service, d.registry, d.began.MCP(), d.external, d.log); err != nil {
		return err
	}
	d.server, err = httpd.New(httpd.Options{
		Service: d.service, Metrics: d.metrics,
		Agents: d.agents.Handler(mcp.HTTPOptions{
			Authenticate: func(r *http.Request) (service.Caller, error) { return httpd.CallerOf(r.Context()) },
		}), Version: buildVersions().Sandboxd, Log: d.log,
		Configuration: func() string { d.mu.Lock(); defer d.mu.Unlock(); return d.configuration },
	})
	if err != nil {
		return err
	}
	return d.apply(d.began)
}

// apply puts a policy in place for calls from now on.
func (d *daemon) apply(policy *policies.Policy) error {
	data, err := d.app.data()
	if err != nil {
		return err
	}
	configuration, err := configurationOf(d.build, policy, d.registry, data, d.app.installedPackages(d.registry))
	if err != nil {
		return err
	}
	if d.packaged.kept.Load() {
		configuration += " with packages of before" // whoever compares runs programs by itself
	}
	if err := d.agents.SetTools(policy.MCP().Tools, policy.MCP().DisableTools); err != nil {
		return err
	}
	d.mu.Lock()
	d.policy, d.configuration = policy, configuration
	d.mu.Unlock()
	d.service.SetPolicyWith(policy, func() { d.host.SetPolicy(policy) })
	load := d.host.Load()
	d.server.SetTokens(policy.Tokens(), service.Limits{
		// Whoever says nothing may fill all slots, but no more than a part of the queue
		// behind them, which is its own.
		Concurrent: load.Slots, Queue: max(1, load.Queue/4),
		SessionQueue: max(2, load.Slots),
	})
	return nil
}

// listenAndServe begins to serve, and returns where failures of listeners come.
func (d *daemon) listenAndServe() <-chan error {
	failed := make(chan error, 1)
	start := func(l net.Listener, serve func(net.Listener) error) {
		d.log.Info("listening", "network", l.Addr().Network(), "address", l.Addr().String())
		go func() {
			if err := serve(l); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		}()
	}
	for _, l := range d.listeners.local {
		start(l, d.server.ServeLocal)
	}
	for _, l := range d.listeners.plain {
		start(l, d.server.ServePlain)
	}
	for _, l := range d.listeners.tls {
		start(l, func(l net.Listener) error { return d.server.ServeTLS(l, d.listeners.certificate.tlsConfig()) })
	}
	return failed
}

// begin prepares runtimes, gives up what the process does not need any more, and lets
// callers in.
func (d *daemon) begin(ctx context.Context) error {
	if err := d.prepare(ctx, d.flags.runtimes); err != nil {
		return err
	}
	own, err := d.needs()
	if err != nil {
		return err
	}
	if err := d.harden(own); err != nil {
		return err
	}
	d.server.SetReady(true)
	d.notifier.Tell("READY=1")
	d.log.Info("ready", "version", buildVersions().Sandboxd, "profiles", d.began.Names(), "hardened", d.hardened)
	return nil
}

// needs are what the daemon needs beside other processes that serve. What it would need
// for profiles that a reload may bring is not known yet: see [daemon.reachable].
func (d *daemon) needs() (o harden.Options, err error) {
	if d.began.Path() != "" { // for a reload; editors put a new file in its place
		dir, err := filepath.Abs(filepath.Dir(d.began.Path()))
		if err != nil {
			return o, err
		}
		o.Read = append(o.Read, dir)
	}
	if c := d.listeners.certificate; c != nil {
		o.Read = append(o.Read, filepath.Dir(c.cert), filepath.Dir(c.key))
	}
	allow(&o, grantsOfMounts(d.external))
	return o, nil
}

// end refuses new calls, lets those that run finish for a while, cancels the others,
// and waits until every caller has its answer.
func (d *daemon) end() {
	d.notifier.Tell("STOPPING=1")
	d.log.Info("ending", "active", d.host.Load().Running)
	d.server.SetReady(false)
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(d.flags.drain))
	defer cancel()
	d.service.Drain(ctx)
	last, cancelLast := context.WithTimeout(context.Background(), ended)
	defer cancelLast()
	if err := d.server.Shutdown(last); err != nil {
		d.log.Warn("connections were cut", "error", err)
	}
	d.log.Info("ended")
}

// prunerOf removes sessions as a policy asks, or is nil where it does not.
func prunerOf(store *session.Store, p policies.Prune, log *slog.Logger) *session.Pruner {
	if p.Every == 0 {
		return nil
	}
	return &session.Pruner{
		Store: store, Every: time.Duration(p.Every),
		Options: session.PruneOptions{
			Age: time.Duration(p.Age), Idle: time.Duration(p.Idle), Count: p.Count, Bytes: int64(p.Bytes), //nolint:gosec // bounded
		},
		Done: func(pruned *session.Pruned, err error) {
			if err != nil {
				log.Warn("sessions were not pruned", "error", err)
				return
			}
			log.Info("pruned", "removed", len(pruned.Removed), "skipped", len(pruned.Skipped), "bytes", pruned.Bytes)
		},
	}
}

// countSessions counts the sessions of all owners.
func countSessions(ctx context.Context, kept session.Storage) (int, error) {
	owners, err := kept.Owners(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, owner := range owners {
		ids, err := kept.Sessions(ctx, owner)
		if err != nil {
			return 0, err
		}
		n += len(ids)
	}
	return n, nil
}

func namesOf(defs []*runtimes.Definition) []string {
	names := make([]string, len(defs))
	for i, def := range defs {
		names[i] = def.Name
	}
	slices.Sort(names)
	return names
}
