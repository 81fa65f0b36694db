package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/external"
	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/mcp"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

const mcpLong = `Serve agents by the Model Context Protocol, as tools that run programs.

Without --http it serves one client over standard input and output, which is how
Claude Desktop, Cursor, VS Code and the agents' SDKs start it: "sandboxd mcp install"
writes their configuration. Sessions belong to --client, and are there again the next
time; those that are not used for --idle are removed.

With --http it serves any number of clients over streamable HTTP, at /mcp. They
show a bearer token, of --token-file or $SANDBOXD_MCP_TOKEN; without one, with
--no-token, it listens on the loopback interface only, and sessions end with the
connection that made them.

Programs run under the profile of --profile, or the policy's default, and see the
files of --external-files, read-only, below /external. What flags leave out is as [mcp]
in the policy says.`

const mcpExample = `  sandboxd mcp
  sandboxd mcp --profile relaxed --external-files ./data
  sandboxd mcp --http 127.0.0.1:8765 --token-file ./token
  sandboxd mcp --tools execute_code,list_available_packages`

// mcpFlags are the flags of "mcp" as they were given.
type mcpFlags struct {
	http       string
	tokenFile  string
	noToken    bool
	origins    []string
	client     string
	profiles   []string
	runtimes   []string
	tools      []string
	without    []string
	external   []string
	largest    uint64
	idle       policies.Duration
	rate       float64
	concurrent int
}

// defaultIdle is how long a session of an agent's may be unused.
const defaultIdle = 24 * time.Hour

func (a *app) mcpCommand() *cobra.Command {
	var f mcpFlags
	idle := (*policies.Duration)(nil)
	cmd := &cobra.Command{
		Use:     "mcp",
		Short:   "Serve agents by the Model Context Protocol",
		Long:    mcpLong,
		Example: mcpExample,
		Args:    commandWanted,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.idle = policies.Duration(defaultIdle)
			if idle != nil {
				f.idle = *idle
			}
			return a.serveMCP(cmd.Context(), f)
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(a.mcpInstallCommand(), a.mcpUninstallCommand())
	flags := cmd.Flags()
	flags.StringVar(&f.http, "http", "", "serve HTTP on `address`, such as 127.0.0.1:8765, instead of standard input and output")
	flags.StringVar(&f.tokenFile, "token-file", "", "`file` with the bearer token that HTTP clients show; default: $SANDBOXD_MCP_TOKEN")
	flags.BoolVar(&f.noToken, "no-token", false, "let every program of this machine in that can connect; for the loopback interface only")
	flags.StringSliceVar(&f.origins, "origin", nil, "let pages of `origin`, such as http://localhost:6274, call over HTTP; may be repeated")
	flags.StringVar(&f.client, "client", "", "`name` of the client that sessions belong to, without --http")
	flags.StringSliceVarP(&f.profiles, "profile", "p", nil, "let programs run under profile `name`, the first by default; may be repeated; default: all, and the policy's default")
	flags.StringSliceVar(&f.runtimes, "runtime", nil, "prepare and serve language `name`; may be repeated; default: all that can be had")
	flags.StringSliceVar(&f.tools, "tools", nil, "serve only these `tools`; default: those of the policy, then all")
	flags.StringSliceVar(&f.without, "disable-tools", nil, "do not serve these `tools`; default: those of the policy")
	flags.StringArrayVar(&f.external, "external-files", nil, "show `path`, a file or a directory, to every program, read-only, below /external; may be repeated; default: those of the policy")
	flags.Uint64Var(&f.largest, "max-external-file-size-mb", 0, "refuse external files of more than so many `MiB`; default: that of the policy, then 50")
	flags.Var(optional[policies.Duration]{&idle, policies.ParseDuration, "duration"}, "idle", "remove sessions that were not used for so long; default: 24h")
	flags.Float64Var(&f.rate, "rate", 0, "`calls` that a client may make in a second; default: that of the policy, then 50; negative for no limit")
	flags.IntVar(&f.concurrent, "concurrent", 0, "`programs` that one client may run at once; default: that of the policy, then 16")
	a.completeFlag(cmd, "profile", a.completeProfiles)
	a.completeFlag(cmd, "runtime", a.completeLanguages)
	for _, name := range []string{"tools", "disable-tools"} {
		a.completeFlag(cmd, name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return policies.MCPTools(), cobra.ShellCompDirectiveNoFileComp
		})
	}
	return cmd
}

// agents is a server of agents.
type agents struct {
	app      *app
	flags    mcpFlags
	log      *slog.Logger
	policy   *policies.Policy
	registry *runtimes.Registry
	offered  policies.MCP
	external []policies.Mount
	storage  *storage
	store    *session.Store
	host     *host.Host
	ready    *gate

	importing *packaged
	secret    []byte // the hash of the token of HTTP clients; nil where there is none
}

// serveMCP serves agents until their streams end, or ctx does.
func (a *app) serveMCP(ctx context.Context, f mcpFlags) (err error) {
	s := &agents{app: a, flags: f, log: a.logger()}
	if err := s.configure(ctx); err != nil {
		return err
	}
	listener, err := s.listen() // before anything is given up
	if err != nil {
		return err
	}
	if listener != nil {
		defer func() { _ = listener.Close() }()
	}
	log, err := a.auditLog(s.policy.Server().Audit, &host.Request{Mounts: s.external})
	if err != nil {
		return err
	}
	o := host.Options{Policy: s.policy, Registry: s.registry, Progress: newQuietProgress(a.stderr).event, Packages: packagedModules(s.registry)}
	if log != nil {
		o.Audit = log
		defer func() { err = errors.Join(err, a.closeAudit(log, s.policy)) }()
	}
	if s.host, err = a.openWith(ctx, o); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.host.Close()) }()
	server, err := s.server()
	if err != nil {
		return err
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	prepared := make(chan struct{})
	go func() {
		defer close(prepared)
		if err := s.prepare(ctx); err != nil {
			s.ready.fail(err)
			cancel(err)
			return
		}
		s.ready.open()
		s.prune(ctx)
	}()
	defer func() { cancel(nil); <-prepared }()
	if listener != nil {
		err = s.serveHTTP(ctx, listener, server)
	} else {
		err = server.ServeStdio(ctx, a.stdin, a.stdout, s.caller(stdioOwner(f.client)))
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		if _, signaled := errors.AsType[*signalError](cause); signaled {
			return nil // it was told to end
		}
		return cause
	}
	return err
}

// configure reads the policy and checks what the flags say.
func (s *agents) configure(ctx context.Context) (err error) {
	if s.policy, err = s.app.policy(); err != nil {
		return err
	}
	if err := checkHardening(s.policy.Server(), harden.Available()); err != nil {
		return err
	}
	if s.registry, err = s.app.registry(); err != nil {
		return err
	}
	for _, name := range s.flags.profiles {
		if _, err := s.policy.Profile(name); err != nil {
			return err
		}
	}
	for flag, tools := range map[string][]string{"tools": s.flags.tools, "disable-tools": s.flags.without} {
		for _, name := range tools {
			if err := policies.CheckMCPTool(name); err != nil {
				return fmt.Errorf("--%s: %w", flag, err)
			}
		}
	}
	s.offered = s.flags.over(s.policy.MCP())
	if s.external, err = externalMounts(s.policy, s.offered); err != nil {
		return err
	}
	if s.storage, err = s.app.storage(ctx); err != nil {
		return err
	}
	s.store = session.New(session.Options{Storage: s.storage})
	return nil
}

// server makes what serves, on an engine that waits until runtimes are ready.
func (s *agents) server() (*mcp.Server, error) {
	s.importing = s.app.packaged(s.host, s.registry)
	s.ready = newGate(s.importing)
	serving, err := service.New(service.Options{Engine: s.ready, Policy: s.policy, Registry: s.registry, Sessions: s.store})
	if err != nil {
		return nil, err
	}
	return s.app.agentServer(serving, s.registry, s.offered, s.external, s.log)
}

// agentServer serves agents what they are offered.
func (a *app) agentServer(s *service.Service, registry *runtimes.Registry, offered policies.MCP, external []policies.Mount, log *slog.Logger) (*mcp.Server, error) {
	return mcp.New(mcp.Options{
		Service: s, Version: buildVersions().Sandboxd, Tools: offered.Tools, Without: offered.DisableTools,
		External: external, Packages: a.installedPackages(registry), Rate: offered.Rate, Concurrent: offered.Concurrent, Log: log,
	})
}

// over is what agents are offered where the policy says m: a flag that was given counts
// more than its key, and the tools of --tools are all that there are.
func (f mcpFlags) over(m policies.MCP) policies.MCP {
	if len(f.tools) > 0 {
		m.Tools, m.DisableTools = f.tools, nil
	}
	if len(f.without) > 0 {
		m.DisableTools = f.without
	}
	if len(f.external) > 0 {
		m.ExternalFiles = f.external
	}
	const mebibyte = 1 << 20
	m.MaxExternalFileSize = cmp.Or(policies.Bytes(min(f.largest, uint64(policies.MaxExternalFileSize/mebibyte)))*mebibyte, m.MaxExternalFileSize)
	m.Rate, m.Concurrent = cmp.Or(f.rate, m.Rate), cmp.Or(f.concurrent, m.Concurrent)
	return m
}

// externalMounts are the mounts of what agents' programs see beside their workspace.
func externalMounts(policy *policies.Policy, offered policies.MCP) ([]policies.Mount, error) {
	limit := cmp.Or(offered.MaxExternalFileSize, external.DefaultLimit)
	mounts, err := external.Mounts(offered.ExternalFiles, int64(limit)) //nolint:gosec // at most policies.MaxExternalFileSize
	if err != nil && slices.Equal(offered.ExternalFiles, policy.MCP().ExternalFiles) {
		err = fmt.Errorf("%s: mcp.external_files: %w", policy.Path(), err)
	}
	return mounts, err
}

// agentOwner is what the owners of agents' sessions begin with: they see none of the
// command line's, nor of each other's.
const agentOwner = "mcp"

// stdioOwner is whom the sessions of a client over standard input and output belong to.
func stdioOwner(client string) string {
	if client == "" {
		return agentOwner
	}
	return agentOwner + "-" + client
}

// caller is a client by the owner of its sessions.
func (s *agents) caller(owner string) service.Caller {
	return service.Caller{Name: owner, Owner: owner, Profiles: s.flags.profiles, Remote: s.flags.http != ""}
}

// prepare makes runtimes ready and gives up what the process does not need any more.
func (s *agents) prepare(ctx context.Context) error {
	names := s.flags.runtimes
	if len(names) == 0 {
		for _, def := range s.registry.All() {
			names = append(names, def.Name)
			names = append(names, def.Aliases...) // an alias may need more than the name
		}
	}
	var problems []error
	ready := 0
	for _, name := range names {
		err := s.host.PrepareFor(ctx, &host.Request{Language: name})
		switch {
		case err == nil:
			ready++
		case ctx.Err() != nil || len(s.flags.runtimes) > 0:
			return err
		default:
			problems = append(problems, err)
			s.log.Warn("a runtime is left out", "runtime", name, "error", err)
		}
	}
	if ready == 0 {
		return fmt.Errorf("no runtime can be had: %w", errors.Join(problems...))
	}
	if err := s.importing.load(ctx, s.policy); err != nil {
		return err
	}
	return s.harden()
}

// harden gives up what the process does not need once it serves.
func (s *agents) harden() error {
	if s.policy.Server().Harden == policies.HardenNever {
		return nil
	}
	dir, err := s.storage.dir(session.Key{Owner: agentOwner, ID: "any"})
	if err != nil {
		return err
	}
	cache, err := s.app.cache()
	if err != nil {
		return err
	}
	packages, err := s.app.packagesDir()
	if err != nil {
		return err
	}
	o := harden.Options{
		Temporary: []string{s.host.Scratch()},
		Write:     []string{filepath.Dir(filepath.Dir(dir))},
		Read:      []string{cache, packages},
		Network:   s.storage.remote,
	}
	if log := s.policy.Server().Audit.File; log != "" {
		o.Write = append(o.Write, filepath.Dir(log))
	}
	mounts := s.external
	for _, name := range s.policy.Names() {
		p, err := s.policy.Profile(name)
		if err != nil {
			return err
		}
		o.Network = o.Network || len(p.Network.Allow) > 0
		for _, h := range p.Network.Headers {
			if h.File != "" {
				o.Read = append(o.Read, h.File)
			}
		}
		mounts = append(slices.Clip(mounts), p.Mounts...)
	}
	for _, m := range mounts {
		if m.Writable {
			o.Write = append(o.Write, m.Host)
		} else {
			o.Read = append(o.Read, m.Host)
		}
	}
	if _, err := harden.Apply(o); err != nil {
		return fmt.Errorf(`%w (set "harden = false" below [server] to run without)`, err)
	}
	return nil
}

// prune removes sessions of agents that were not used for long, now and then, until
// ctx ends.
func (s *agents) prune(ctx context.Context) {
	idle := time.Duration(s.flags.idle)
	every := time.NewTicker(max(time.Second, min(idle/4, 10*time.Minute)))
	defer every.Stop()
	for {
		owners, err := s.storage.Owners(ctx)
		if err != nil {
			s.log.Warn("prune sessions", "error", err)
		}
		for _, owner := range owners {
			if owner != agentOwner && !strings.HasPrefix(owner, agentOwner+"-") {
				continue
			}
			if _, err := s.store.Prune(ctx, session.PruneOptions{Owner: &owner, Idle: idle}); err != nil && ctx.Err() == nil {
				s.log.Warn("prune sessions", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// gate is an engine that programs wait for until it is open, or has failed.
type gate struct {
	session.Executor

	done chan struct{}
	err  error
}

func newGate(e session.Executor) *gate { return &gate{Executor: e, done: make(chan struct{})} }

func (g *gate) open() { close(g.done) }

func (g *gate) fail(err error) { g.err = err; close(g.done) }

// Execute implements [session.Executor].
func (g *gate) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	select {
	case <-g.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if g.err != nil {
		return nil, fmt.Errorf("%w: %w", runtimes.ErrUnavailable, g.err)
	}
	return g.Executor.Execute(ctx, r)
}
