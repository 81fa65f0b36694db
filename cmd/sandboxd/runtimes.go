package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/runtimes"
)

func (a *app) runtimesCommand() *cobra.Command {
	commands := []*cobra.Command{a.runtimesListCommand(), a.runtimesInspectCommand(), a.runtimesPrepareCommand(), a.runtimesPruneCommand()}
	return groupCommand("runtimes", "List, inspect, prepare, build and prune language runtimes", append(commands, a.buildCommands()...)...)
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
		Use:   "inspect name|folder|file.wasm",
		Short: "Print what a runtime is made of, and what it may do",
		Long: `Print a runtime's definition and, once its module is in the cache, the module's
size, imports and exports, and what those let it do. A folder with a runtime.toml and a
file with a module can be looked at before they are added: nothing of them is run,
compiled or fetched.`,
		Example: "  sandboxd runtimes inspect python\n  sandboxd runtimes inspect ./lua\n  sandboxd runtimes inspect lua.wasm --json",
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
	var asJSON, plain bool
	cmd := &cobra.Command{
		Use:   "prepare [name...]",
		Short: "Fetch runtimes and make them ready, so that the first run is fast",
		Long: `Fetch the named runtimes, or all of them, check them against their pinned
SHA-256 and make them ready. Running it again is safe and does only what is
missing; afterwards programs run without a network. The packages that the policy's
profiles may import are made ready, too, for a daemon that is to read its policy again.

Where Node.js and npm are present, a runtime that was not built from source is
optimized as well, which takes about a minute, once, and makes programs faster.
The first run of a program, if it comes before this command, leaves that out.`,
		Example: "  sandboxd runtimes prepare\n  sandboxd runtimes prepare --no-optimize python",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.prepareRuntimes(cmd.Context(), args, !plain, asJSON)
		},
		ValidArgsFunction: a.completeLanguages,
	}
	cmd.Flags().BoolVar(&plain, "no-optimize", false, "prepare runtimes as they are: seconds in place of a minute")
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
	Path       string   `json:"path"`   // where the module is, or will be, in the cache
	Notice     string   `json:"notice"` // what the user could do about it
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
	notice := buildNotice(store, d)
	d = store.Prefer(d)
	path, cached := store.Cached(d)
	if d.Source.SHA256 == "" {
		path = "" // it has no module yet
	}
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
		Notice:     notice,
	}
}

// buildNotice says whether building a runtime from source would gain something.
func buildNotice(store *runtimes.Store, d *runtimes.Definition) string {
	recipe, err := runtimes.Recipe(d)
	switch built := store.Prefer(d).Source.Build; {
	case err != nil, built == recipe: // it cannot be built, or is
		return ""
	case d.Source.Go != "":
		return "" // it is built when it is first used
	case built == "":
		return fmt.Sprintf("prebuilt; built from source it is faster: sandboxd runtimes build %s", d.Name)
	default:
		return fmt.Sprintf("built by another recipe than this version has: sandboxd runtimes build %s", d.Name)
	}
}

func (a *app) listRuntimes(asJSON bool) error {
	registry, err := a.registry()
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
	if err := a.printTable(rows); err != nil {
		return err
	}
	for _, r := range list {
		if r.Notice != "" {
			if _, err := fmt.Fprintf(a.stdout, "\n%s: %s\n", r.Name, r.Notice); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *app) inspectRuntime(ctx context.Context, name string, asJSON bool) error {
	r, module, err := a.lookAt(ctx, name)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(struct {
			runtimeJSON
			Module *moduleJSON `json:"module"`
		}{r, module})
	}
	return a.printTable(append(runtimeRows(r), module.rows()...))
}

// lookAt finds what is to be inspected: a runtime, a folder or a file.
func (a *app) lookAt(ctx context.Context, what string) (r runtimeJSON, module *moduleJSON, err error) {
	store, err := a.openStore()
	if err != nil {
		return r, nil, err
	}
	info, err := os.Stat(what)
	if err == nil && info.Mode().IsRegular() {
		return inspectFile(what)
	}
	def, err := a.definition(what, err == nil && info.IsDir())
	if err != nil {
		return r, nil, err
	}
	r = newRuntimeJSON(store, def)
	chosen := store.Prefer(def)
	if r.Cached || chosen.Source.File != "" {
		module, err = inspectModule(ctx, store, chosen)
	}
	return r, module, err
}

// definition is that of a runtime by its name or, failing that, of a folder.
func (a *app) definition(what string, folder bool) (*runtimes.Definition, error) {
	registry, err := a.registry()
	if err != nil {
		return nil, err
	}
	def, err := registry.Lookup(what)
	if err != nil && folder {
		return runtimes.LoadDir(what)
	}
	return def, err
}

// inspectFile looks at a module alone, and at what definition would be made of it.
func inspectFile(path string) (runtimeJSON, *moduleJSON, error) {
	data, err := readModule(path)
	if err != nil {
		return runtimeJSON{}, nil, err
	}
	module, err := describeModule(data)
	if err != nil {
		return runtimeJSON{}, nil, fmt.Errorf("inspect %s: %w", path, err)
	}
	r := runtimeJSON{
		Driver: module.fits, Aliases: []string{}, Extensions: []string{},
		Source: "file " + path, SHA256: runtimes.Digest(data), Path: path,
	}
	return r, module, nil
}

func runtimeRows(r runtimeJSON) [][]string {
	if r.Name == "" { // a module alone
		return [][]string{
			{"driver", ifElse(r.Driver == "", "none fits: it exports neither execute nor _start", r.Driver)},
			{"source", r.Source},
			{"sha256", r.SHA256},
		}
	}
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
func (a *app) prepareRuntimes(ctx context.Context, names []string, optimize, asJSON bool) error {
	registry, err := a.registry()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		if names, err = a.everything(registry); err != nil {
			return err
		}
	}
	defs := make([]*runtimes.Definition, 0, len(names))
	for _, name := range names {
		def, err := registry.Lookup(name)
		if err != nil {
			return err
		}
		defs = append(defs, def)
	}
	if err := a.prepare(ctx, registry, defs, optimize); err != nil {
		return err
	}
	return a.reportPrepared(defs, asJSON)
}

// everything is the runtimes that are prepared when none is named: not those of the
// project, which nobody asked for, nor those that this machine cannot build.
func (a *app) everything(registry *runtimes.Registry) ([]string, error) {
	store, err := a.openStore()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range registry.All() {
		_, noGo := exec.LookPath("go")
		switch {
		case d.Project:
		case store.Prefer(d).Source.Go != "" && noGo != nil:
			a.note("left out: %s is built from Go source, and go was not found on PATH", d.Name)
		default:
			names = append(names, d.Name)
		}
	}
	return names, nil
}

func (a *app) prepare(ctx context.Context, registry *runtimes.Registry, defs []*runtimes.Definition, optimize bool) (err error) {
	policy, err := a.policy()
	if err != nil {
		return err
	}
	progress := newProgress(a.stderr, isTerminal(a.stderr), 0)
	defer progress.stop()
	h, err := a.openWith(ctx, host.Options{Policy: policy, Registry: registry, Progress: progress.event, Optimize: optimize})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	for _, def := range defs {
		for _, name := range append([]string{def.Name}, def.Aliases...) { // an alias may need more than the name
			if err := h.Prepare(ctx, name); err != nil {
				return err
			}
		}
		if err := a.prepareImages(ctx, h, policy, registry, def); err != nil {
			return err
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
