package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
	"github.com/sandboxd/sandboxd/runtimes/packages"
)

func (a *app) packagesCommand() *cobra.Command {
	return groupCommand("packages", "Install packages for programs to import",
		a.packagesListCommand(), a.packagesAddCommand(), a.packagesRemoveCommand(), a.packagesUpdateCommand(), a.packagesCheckCommand())
}

func (a *app) packagesListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the packages of the catalogue, and those that are installed",
		Example: "  sandboxd packages list\n  sandboxd packages list --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(*cobra.Command, []string) error { return a.listPackages(asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) packagesAddCommand() *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "add name|name==version...",
		Short: "Install packages, and what they need",
		Long: `Install packages for Python programs to import, and the packages that those need.
A name is one of the catalogue, which pins versions and SHA-256 digests. Others are
named with their version; what pip finds then is pinned from that moment on. They
must be pure Python: native code does not run inside WebAssembly.

Packages are fetched with pip as wheels, of which nothing is run on this machine,
and compiled inside the sandbox. Programs see them read-only, without a network.`,
		Example: "  sandboxd packages add jinja2 openpyxl\n  sandboxd packages add --all\n  sandboxd packages add humanize==4.9.0",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError(cmd, errors.New("name packages, or say --all"))
			}
			return a.addPackages(cmd.Context(), args, asJSON)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "install the whole catalogue")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) packagesRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove name...",
		Short:   "Remove installed packages",
		Example: "  sandboxd packages remove jinja2",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, errors.New("name packages"))
			}
			_, store, err := a.pythonPackages()
			if err != nil {
				return err
			}
			return store.Remove(args)
		},
	}
}

func (a *app) packagesUpdateCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "update",
		Short:   "Bring installed packages to the catalogue's versions",
		Long:    "Bring the installed packages that are in the catalogue to its versions, which\nchange with sandboxd's own. Packages that are not in it stay as they are pinned.",
		Example: "  sandboxd packages update",
		Args:    atMost(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.updatePackages(cmd.Context(), asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) packagesCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Check the installed packages' digests, and import each in the sandbox",
		Example: "  sandboxd packages check\n  sandboxd packages check --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.checkPackages(cmd.Context(), asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// pythonPackages are the runtime that has packages, and the user's store of them.
func (a *app) pythonPackages() (*runtimes.Definition, *packages.Store, error) {
	registry, err := a.registry()
	if err != nil {
		return nil, nil, err
	}
	d, err := registry.Lookup("python")
	if err != nil {
		return nil, nil, err
	}
	store, err := a.packageStore(d)
	return d, store, err
}

// packageJSON is a package as --json prints it.
type packageJSON struct {
	packages.Package
	Installed string `json:"installed"` // the version, or ""
	Catalogue bool   `json:"catalogue"`
}

func (a *app) listPackages(asJSON bool) error {
	_, store, err := a.pythonPackages()
	if err != nil {
		return err
	}
	installed, err := store.Installed()
	if err != nil {
		return err
	}
	list := []packageJSON{}
	for _, p := range store.Catalogue().Packages {
		list = append(list, packageJSON{Package: p, Catalogue: true})
	}
	for _, p := range installed.Packages {
		i := slices.IndexFunc(list, func(o packageJSON) bool { return o.Name == p.Name })
		if i < 0 {
			i = len(list)
			list = append(list, packageJSON{Package: p})
		}
		list[i].Installed = p.Version
	}
	if asJSON {
		return a.printJSON(map[string]any{"packages": list})
	}
	rows := [][]string{{"NAME", "VERSION", "INSTALLED", "IMPORTS", "SUMMARY"}}
	for _, p := range list {
		rows = append(rows, []string{p.Name, p.Version, ifElse(p.Installed == "", "no", p.Installed), strings.Join(p.Imports, " "), p.Summary})
	}
	return a.printTable(rows)
}

// addPackages installs the named packages, or the catalogue when none is named.
func (a *app) addPackages(ctx context.Context, names []string, asJSON bool) error {
	d, store, err := a.pythonPackages()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		for _, p := range store.Catalogue().Packages {
			names = append(names, p.Name)
		}
	}
	added, err := store.Add(ctx, names)
	if err != nil {
		return err
	}
	return a.readyPackages(ctx, d, store, added, asJSON)
}

func (a *app) updatePackages(ctx context.Context, asJSON bool) error {
	d, store, err := a.pythonPackages()
	if err != nil {
		return err
	}
	changed, err := store.Update(ctx)
	if err != nil {
		return err
	}
	return a.readyPackages(ctx, d, store, changed, asJSON)
}

// readyPackages compiles all that is installed, and prints what changed.
func (a *app) readyPackages(ctx context.Context, d *runtimes.Definition, store *packages.Store, changed []packages.Package, asJSON bool) error {
	installed, err := store.Installed()
	if err != nil {
		return err
	}
	if len(installed.Packages) > 0 {
		if _, err := a.packageTree(ctx, store, d, installed.Packages); err != nil {
			return err
		}
	}
	if asJSON {
		return a.printJSON(map[string]any{"packages": append([]packages.Package{}, changed...)})
	}
	rows := [][]string{}
	for _, p := range changed {
		rows = append(rows, []string{p.Name, p.Version, "ready"})
	}
	return a.printTable(rows)
}

// checkedJSON is what became of one package.
type checkedJSON struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	OK      bool   `json:"ok"`
	Problem string `json:"problem"`
}

func (a *app) checkPackages(ctx context.Context, asJSON bool) error {
	d, store, err := a.pythonPackages()
	if err != nil {
		return err
	}
	installed, err := store.Installed()
	if err != nil {
		return err
	}
	list, rows, failed := []checkedJSON{}, [][]string{}, 0
	for i := range installed.Packages {
		p := &installed.Packages[i]
		c := checkedJSON{Name: p.Name, Version: p.Version, OK: true}
		if err := a.checkPackage(ctx, d, store, installed, p); err != nil {
			if ctx.Err() != nil {
				return err
			}
			c.OK, c.Problem = false, err.Error()
			failed++
		}
		list = append(list, c)
		rows = append(rows, []string{c.Name, c.Version, ifElse(c.OK, "ok", c.Problem)})
	}
	if asJSON {
		err = a.printJSON(map[string]any{"packages": list})
	} else {
		err = a.printTable(rows)
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d packages cannot be used: add them again", failed, len(list))
	}
	return err
}

// checkPackage checks a package's digest, and imports it in the sandbox.
func (a *app) checkPackage(ctx context.Context, d *runtimes.Definition, store *packages.Store, installed *packages.Lock, p *packages.Package) error {
	if err := store.Verify(p); err != nil {
		return err
	}
	tree, err := a.packageTree(ctx, store, d, installed.Packages)
	if err != nil {
		return err
	}
	program := "import " + strings.Join(p.Imports, ", ") + "\n"
	r, err := a.inOwnSandbox(ctx, d, program, policies.Mount{Host: tree, Guest: packagesPath})
	if err != nil {
		return err
	}
	if r.Status != host.StatusOK {
		return fmt.Errorf("import fails: %s: %s", r.Error.Type, r.Error.Message)
	}
	return nil
}
