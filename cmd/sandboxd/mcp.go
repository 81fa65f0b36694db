package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
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
	largest    *uint64 // MiB; nil is what the policy says, here and below
	idle       policies.Duration
	rate       *float64
	concurrent *int
}

const mebibyte = 1 << 20

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
	flags.Var(optional[uint64]{&f.largest, between(1, uint64(policies.MaxExternalFileSize/mebibyte), parseCount), "MiB"}, "max-external-file-size-mb", "refuse external files of more than so many `MiB`; default: that of the policy, then 50")
	flags.Var(optional[policies.Duration]{&idle, policies.ParseDuration, "duration"}, "idle", "remove sessions that were not used for so long; default: 24h")
	flags.Var(optional[float64]{&f.rate, between(0.001, policies.MaxTokenRate, parseFloat), "calls"}, "rate", "`calls` that a client may make in a second, 0.001 to 1000000; default: that of the policy, then 50")
	flags.Var(optional[int]{&f.concurrent, between(1, policies.MaxConcurrentLimit, strconv.Atoi), "programs"}, "concurrent", "`programs` that one client may run at once; default: that of the policy, then 16")
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
	serving

	flags    mcpFlags
	offered  policies.MCP
	external []policies.Mount
	ready    *gate
	secret   []byte // the hash of the token of HTTP clients; nil where there is none
}

// serveMCP serves agents until their streams end, or ctx does.
func (a *app) serveMCP(ctx context.Context, f mcpFlags) (err error) {
	s := &agents{flags: f, serving: serving{app: a, log: a.logger()}}
	if err := s.configure(); err != nil {
		return err
	}
	listener, err := s.listen() // before anything is given up
	if err != nil {
		return err
	}
	if listener != nil {
		defer func() { _ = listener.Close() }()
	}
	if err := s.open(ctx, host.Options{Progress: newQuietProgress(a.stderr).event}, s.external); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	server, err := s.server()
	if err != nil {
		return err
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	prepared := make(chan struct{})
	go func() {
		defer close(prepared)
		if err := s.begin(ctx); err != nil {
			s.ready.open(fmt.Errorf("%w: %w", runtimes.ErrUnavailable, err))
			cancel(err)
			return
		}
		s.ready.open(nil)
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
func (s *agents) configure() (err error) {
	if s.began, err = s.app.policy(); err != nil {
		return err
	}
	for _, name := range s.flags.profiles {
		if _, err := s.began.Profile(name); err != nil {
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
	s.offered = s.flags.over(s.began.MCP())
	tools := s.offered.Tools
	if len(tools) == 0 {
		tools = policies.MCPTools()
	}
	if !slices.ContainsFunc(tools, func(name string) bool { return !slices.Contains(s.offered.DisableTools, name) }) {
		return errors.New("--disable-tools leaves no tool; take one off the list")
	}
	s.external, err = externalMounts(s.began, s.offered)
	return err
}

// server makes what serves, on an engine that waits until runtimes are ready.
func (s *agents) server() (*mcp.Server, error) {
	s.ready = newGate(s.packaged)
	svc, err := service.New(service.Options{Engine: s.ready, Policy: s.began, Registry: s.registry, Sessions: s.store})
	if err != nil {
		return nil, err
	}
	return s.app.agentServer(svc, s.registry, s.offered, s.external, s.log)
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
	if f.largest != nil {
		m.MaxExternalFileSize = policies.Bytes(*f.largest) * mebibyte
	}
	if f.rate != nil {
		m.Rate = *f.rate
	}
	if f.concurrent != nil {
		m.Concurrent = *f.concurrent
	}
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

// begin makes runtimes ready and gives up what the process does not need any more.
func (s *agents) begin(ctx context.Context) error {
	if err := s.prepare(ctx, s.flags.runtimes); err != nil {
		return err
	}
	var o harden.Options
	allow(&o, grantsOfMounts(s.external))
	return s.harden(o)
}

// prune removes sessions of agents that were not used for long, now and then, until
// ctx ends.
func (s *agents) prune(ctx context.Context) {
	idle := time.Duration(s.flags.idle)
	every := time.NewTicker(max(time.Second, min(idle/4, 10*time.Minute)))
	defer every.Stop()
	for {
		owners, err := s.sessions.Owners(ctx)
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
