package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/runtimes"
)

func (a *app) runtimesCommand() *cobra.Command {
	return groupCommand("runtimes", "List, inspect and prepare language runtimes",
		a.runtimesListCommand(), a.runtimesInspectCommand(), a.runtimesPrepareCommand())
}

func (a *app) runtimesListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the runtimes and whether each is in the cache",
		Example: "  sandboxd runtimes list\n  sandboxd runtimes list --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(*cobra.Command, []string) error { return a.listRuntimes(asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) runtimesInspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect name",
		Short: "Print what a runtime is made of",
		Long: `Print a runtime's definition and, once its module is in the cache, the module's
size, imports and exports.`,
		Example: "  sandboxd runtimes inspect python\n  sandboxd runtimes inspect py --json",
		Args:    oneRuntime,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inspectRuntime(cmd.Context(), args[0], asJSON)
		},
		ValidArgsFunction: firstArg(a.completeLanguages),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) runtimesPrepareCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "prepare [name...]",
		Short: "Fetch runtimes and make them ready, so that the first run is fast",
		Long: `Fetch the named runtimes, or all of them, check them against their pinned
SHA-256 and make them ready. Running it again is safe and does only what is
missing; afterwards programs run without a network.`,
		Example: "  sandboxd runtimes prepare\n  sandboxd runtimes prepare python",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.prepareRuntimes(cmd.Context(), args, asJSON)
		},
		ValidArgsFunction: a.completeLanguages,
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// oneRuntime demands exactly one argument.
func oneRuntime(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError(cmd, errors.New("name a runtime"))
	}
	return atMost(1, "one runtime")(cmd, args)
}

// runtimeJSON is a runtime as --json prints it.
type runtimeJSON struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Driver     string   `json:"driver"`
	Aliases    []string `json:"aliases"`
	Extensions []string `json:"extensions"`
	Source     string   `json:"source"`
	SHA256     string   `json:"sha256"`
	Cached     bool     `json:"cached"`
	Path       string   `json:"path"` // where the module is, or will be, in the cache
}

// openStore opens the cache of modules, which is where package host keeps it.
func (a *app) openStore() (*runtimes.Store, error) {
	dir, err := a.cache()
	if err != nil {
		return nil, err
	}
	return runtimes.OpenStore(dir)
}

func newRuntimeJSON(store *runtimes.Store, d *runtimes.Definition) runtimeJSON {
	path, cached := store.Cached(d)
	return runtimeJSON{
		Name:       d.Name,
		Version:    d.Version,
		Driver:     d.Driver,
		Aliases:    append([]string{}, d.Aliases...),
		Extensions: append([]string{}, d.Extensions...),
		Source:     d.Source.String(),
		SHA256:     d.Source.SHA256,
		Cached:     cached,
		Path:       path,
	}
}

func (a *app) listRuntimes(asJSON bool) error {
	registry, err := runtimes.Builtin()
	if err != nil {
		return err
	}
	store, err := a.openStore()
	if err != nil {
		return err
	}
	list := []runtimeJSON{}
	rows := [][]string{{"NAME", "VERSION", "FILES", "CACHED", "SOURCE"}}
	for _, def := range registry.All() {
		r := newRuntimeJSON(store, def)
		list = append(list, r)
		rows = append(rows, []string{r.Name, r.Version, strings.Join(r.Extensions, " "), ifElse(r.Cached, "yes", "no"), r.Source})
	}
	if asJSON {
		return a.printJSON(map[string]any{"runtimes": list})
	}
	return a.printTable(rows)
}

func (a *app) inspectRuntime(ctx context.Context, name string, asJSON bool) error {
	registry, err := runtimes.Builtin()
	if err != nil {
		return err
	}
	def, err := registry.Lookup(name)
	if err != nil {
		return err
	}
	store, err := a.openStore()
	if err != nil {
		return err
	}
	r := newRuntimeJSON(store, def)
	var module *moduleJSON
	if r.Cached {
		if module, err = inspectModule(ctx, store, def); err != nil {
			return err
		}
	}
	if asJSON {
		return a.printJSON(struct {
			runtimeJSON
			Module *moduleJSON `json:"module"`
		}{r, module})
	}
	return a.printTable(append(runtimeRows(r), module.rows()...))
}

func runtimeRows(r runtimeJSON) [][]string {
	return [][]string{
		{"name", r.Name},
		{"version", r.Version},
		{"driver", r.Driver},
		{"aliases", strings.Join(r.Aliases, " ")},
		{"extensions", strings.Join(r.Extensions, " ")},
		{"source", r.Source},
		{"sha256", r.SHA256},
		{"cached", ifElse(r.Cached, r.Path, "no; fetch it with: sandboxd runtimes prepare "+r.Name)},
	}
}

// prepareRuntimes makes the named runtimes ready, or all when none is named.
func (a *app) prepareRuntimes(ctx context.Context, names []string, asJSON bool) error {
	registry, err := runtimes.Builtin()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = languages(registry)
	}
	defs := make([]*runtimes.Definition, 0, len(names))
	for _, name := range names {
		def, err := registry.Lookup(name)
		if err != nil {
			return err
		}
		defs = append(defs, def)
	}
	if err := a.prepare(ctx, registry, defs); err != nil {
		return err
	}
	return a.reportPrepared(defs, asJSON)
}

func (a *app) prepare(ctx context.Context, registry *runtimes.Registry, defs []*runtimes.Definition) (err error) {
	policy, err := a.policy()
	if err != nil {
		return err
	}
	progress := newProgress(a.stderr, isTerminal(a.stderr), 0)
	defer progress.stop()
	h, err := a.open(ctx, policy, registry, progress.event)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	for _, def := range defs {
		if err := h.Prepare(ctx, def.Name); err != nil {
			return fmt.Errorf("prepare %s: %w", def.Name, err)
		}
	}
	return nil
}

func (a *app) reportPrepared(defs []*runtimes.Definition, asJSON bool) error {
	store, err := a.openStore()
	if err != nil {
		return err
	}
	list := []runtimeJSON{}
	rows := [][]string{}
	for _, def := range defs {
		r := newRuntimeJSON(store, def)
		list = append(list, r)
		rows = append(rows, []string{r.Name, r.Version, "ready"})
	}
	if asJSON {
		return a.printJSON(map[string]any{"runtimes": list})
	}
	return a.printTable(rows)
}
