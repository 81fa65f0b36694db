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
		a.packagesListCommand(), a.thenReady(a.packagesAddCommand()), a.thenReady(a.packagesRemoveCommand()), a.thenReady(a.packagesUpdateCommand()), a.packagesCheckCommand())
}

func (a *app) packagesListCommand() *cobra.Command {
	var asJSON bool
	var lang string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the packages of the catalogue, and those that are installed",
		Example: "  sandboxd packages list\n  sandboxd packages list --lang javascript --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(*cobra.Command, []string) error { return a.listPackages(lang, asJSON) },
	}
	packagesLang(cmd, &lang, "", "list those of one `language`, python or javascript")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) packagesAddCommand() *cobra.Command {
	var asJSON, all bool
	var lang string
	cmd := &cobra.Command{
		Use:   "add name|name==version...",
		Short: "Install packages, and what they need",
		Long: `Install packages for Python programs to import, and the packages that those need.
A name is one of the catalogue, which pins versions and SHA-256 digests. Others are
named with their version; what pip finds then is pinned from that moment on. They
must be pure Python: native code does not run inside WebAssembly.

Packages are fetched with pip as wheels, of which nothing is run on this machine,
and compiled inside the sandbox. Programs see them read-only, without a network.

With --lang javascript, packages are those of npm, for programs in JavaScript and
TypeScript. They are fetched with npm, without running any of their scripts, and
bundled by esbuild inside the sandbox. Others than the catalogue's are named as
name@version, where the version may be a part of one, such as 4, or a tag.`,
		Example: "  sandboxd packages add jinja2 openpyxl\n  sandboxd packages add --all\n  sandboxd packages add humanize==4.9.0\n" +
			"  sandboxd packages add --lang javascript lodash date-fns@4",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError(cmd, errors.New("name packages, or say --all"))
			}
			language, err := a.packagesOf(lang)
			if err == nil {
				err = a.addedElsewhere(language, args)
			}
			if err != nil {
				return err
			}
			if language == langJavaScript {
				return a.addNPM(cmd.Context(), args, asJSON)
			}
			return a.addPackages(cmd.Context(), args, asJSON)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "install the whole catalogue")
	packagesLang(cmd, &lang, langPython, "the `language` that the packages are for, python or javascript")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) packagesRemoveCommand() *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:     "remove name...",
		Short:   "Remove installed packages",
		Example: "  sandboxd packages remove jinja2\n  sandboxd packages remove --lang javascript lodash",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, errors.New("name packages"))
			}
			language, err := a.packagesOf(lang)
			if err == nil {
				err = a.removedElsewhere(language, args)
			}
			if err != nil {
				return err
			}
			if language == langJavaScript {
				return a.removeNPM(args)
			}
			_, store, err := a.pythonPackages()
			if err != nil {
				return err
			}
			return store.Remove(args)
		},
	}
	packagesLang(cmd, &lang, langPython, "the `language` that the packages are for, python or javascript")
	return cmd
}

func (a *app) packagesUpdateCommand() *cobra.Command {
	var asJSON bool
	var lang string
	cmd := &cobra.Command{
		Use:     "update",
		Short:   "Bring installed packages to the catalogue's versions",
		Long:    "Bring the installed packages that are in the catalogue to its versions, which\nchange with sandboxd's own. Packages that are not in it stay as they are pinned.",
		Example: "  sandboxd packages update\n  sandboxd packages update --lang javascript",
		Args:    atMost(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if language, err := a.packagesOf(lang); err != nil {
				return err
			} else if language == langJavaScript {
				return a.updateNPM(cmd.Context(), asJSON)
			}
			return a.updatePackages(cmd.Context(), asJSON)
		},
	}
	packagesLang(cmd, &lang, langPython, "the `language` that the packages are for, python or javascript")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) packagesCheckCommand() *cobra.Command {
	var asJSON bool
	var lang string
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Check the installed packages' digests, and import each in the sandbox",
		Example: "  sandboxd packages check\n  sandboxd packages check --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.checkPackages(cmd.Context(), lang, asJSON) },
	}
	packagesLang(cmd, &lang, "", "check those of one `language`, python or javascript")
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

// addedElsewhere is an error if one of the names, which have no version, is in the catalogue
// of the other language alone.
func (a *app) addedElsewhere(language string, names []string) error {
	_, python, err := a.pythonPackages()
	if err != nil {
		return err
	}
	npm, err := a.npmPackages()
	if err != nil {
		return err
	}
	name := elsewhere(language, names, python.Catalogue(), npm.Catalogue())
	if name == "" {
		return nil
	}
	other, version := langJavaScript, "==VERSION"
	if language == langJavaScript {
		other, version = langPython, "@VERSION"
	}
	return fmt.Errorf("add %s: %w in the catalogue for %s, but in that for %s: say \"sandboxd packages add --lang %s %s\"; for one of that name for %s, name the version: %s%s",
		name, packages.ErrNotFound, language, other, other, name, language, name, version)
}

// removedElsewhere is an error if one of the names is installed for the other language
// alone.
func (a *app) removedElsewhere(language string, names []string) error {
	_, store, err := a.pythonPackages()
	if err != nil {
		return err
	}
	npmStore, err := a.npmPackages()
	if err != nil {
		return err
	}
	// A lock file that cannot be read is told of by the command that is about it.
	python, err := store.Installed()
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	npm, err := npmStore.Installed()
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if name := elsewhere(language, names, python, npm); name != "" {
		to := ifElse(language == langJavaScript, langPython, langJavaScript)
		return fmt.Errorf("%w: %q is not installed for %s, but for %s: say \"sandboxd packages remove --lang %s %s\"",
			packages.ErrNotFound, name, language, to, to, name)
	}
	return nil
}

// elsewhere is the first of the names that the list of the other language has and the
// language's own has not.
func elsewhere(language string, names []string, python *packages.Lock, npm *packages.NPMLock) string {
	for _, name := range names {
		_, inPython := python.Find(name)
		_, inNPM := npm.Find(name)
		if inPython != inNPM && inNPM == (language == langPython) {
			return name
		}
	}
	return ""
}

// packageJSON is a package as --json prints it.
type packageJSON struct {
	Language string `json:"language"`
	packages.Package
	Installed string `json:"installed"` // the version, or ""
	Catalogue bool   `json:"catalogue"`
}

// listPackages lists the packages of a language, or of all when none is named.
func (a *app) listPackages(lang string, asJSON bool) error {
	language, err := a.packagesOf(lang)
	if err != nil {
		return err
	}
	list, rows := []any{}, [][]string{{"NAME", "LANGUAGE", "VERSION", "INSTALLED", "IMPORTS", "SUMMARY"}}
	if language != langJavaScript {
		python, err := a.listPython()
		if err != nil {
			return err
		}
		for _, p := range python {
			list = append(list, p)
			rows = append(rows, []string{p.Name, p.Language, p.Version, ifElse(p.Installed == "", "no", p.Installed), strings.Join(p.Imports, " "), p.Summary})
		}
	}
	if language != langPython {
		npm, err := a.listNPM()
		if err != nil {
			return err
		}
		for _, p := range npm {
			list = append(list, p)
			rows = append(rows, npmRow(&p))
		}
	}
	if asJSON {
		return a.printJSON(map[string]any{"packages": list})
	}
	return a.printTable(rows)
}

// listPython lists the packages of Python.
func (a *app) listPython() ([]packageJSON, error) {
	_, store, err := a.pythonPackages()
	if err != nil {
		return nil, err
	}
	installed, err := store.Installed()
	if err != nil {
		return nil, err
	}
	list := []packageJSON{}
	for _, p := range store.Catalogue().Packages {
		list = append(list, packageJSON{Language: langPython, Package: p, Catalogue: true})
	}
	for _, p := range installed.Packages {
		i := slices.IndexFunc(list, func(o packageJSON) bool { return o.Name == p.Name })
		if i < 0 {
			i = len(list)
			list = append(list, packageJSON{Language: langPython, Package: p})
		}
		list[i].Installed = p.Version
	}
	return list, nil
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
	added, err := store.Add(ctx, names, a.compileFirst(store, d))
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
	changed, err := store.Update(ctx, a.compileFirst(store, d))
	if err != nil {
		return err
	}
	return a.readyPackages(ctx, d, store, changed, asJSON)
}

// compileFirst makes packages ready before they are installed: no program in Python would
// run beside one that stops the others from being compiled.
func (a *app) compileFirst(store *packages.Store, d *runtimes.Definition) packages.Ready {
	return func(ctx context.Context, ps []packages.Package) error {
		_, err := a.packageTree(ctx, store, d, ps)
		return err
	}
}

// readyPackages compiles all that is installed, which others may have changed meanwhile,
// and prints what changed.
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
	Name     string `json:"name"`
	Language string `json:"language"`
	Version  string `json:"version"`
	OK       bool   `json:"ok"`
	Problem  string `json:"problem"`
}

// checkPackages checks the packages of a language, or of all when none is named.
func (a *app) checkPackages(ctx context.Context, lang string, asJSON bool) error {
	language, err := a.packagesOf(lang)
	if err != nil {
		return err
	}
	list := []checkedJSON{}
	if language != langJavaScript {
		if list, err = a.checkPython(ctx); err != nil {
			return err
		}
	}
	if language != langPython {
		checked, err := a.checkNPM(ctx)
		if err != nil {
			return err
		}
		list = append(list, checked...)
	}
	rows, failed := [][]string{}, 0
	for _, c := range list {
		rows = append(rows, []string{c.Name, c.Language, c.Version, ifElse(c.OK, "ok", c.Problem)})
		if !c.OK {
			failed++
		}
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

// checkPython checks the packages of Python.
func (a *app) checkPython(ctx context.Context) ([]checkedJSON, error) {
	d, store, err := a.pythonPackages()
	if err != nil {
		return nil, err
	}
	installed, err := store.Installed()
	if err != nil {
		return nil, err
	}
	return checkEach(ctx, installed.Packages, func(p *packages.Package) (checkedJSON, error) {
		return checkedJSON{Name: p.Name, Language: langPython, Version: p.Version}, a.checkPackage(ctx, d, store, installed, p)
	})
}

// checkEach checks packages one after the other. What is wrong with one is in its entry.
func checkEach[P any](ctx context.Context, installed []P, check func(*P) (checkedJSON, error)) ([]checkedJSON, error) {
	list := []checkedJSON{}
	for i := range installed {
		c, err := check(&installed[i])
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		if c.OK = err == nil; !c.OK {
			c.Problem = err.Error()
		}
		list = append(list, c)
	}
	return list, nil
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
