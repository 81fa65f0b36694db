package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
	"github.com/sandboxd/sandboxd/runtimes/packages"
)

// npmPath is where programs find packages of JavaScript: the last place that require and
// import look.
const npmPath = "/node_modules"

// bundling is what packages are bundled under, inside the sandbox.
const bundling = `
[profiles.bundle]
extends = "relaxed"
fuel    = 1_000_000_000_000
memory  = "1GiB"
timeout = "10m"
disk    = { quota = "1GiB", files = 100_000, file_size = "64MiB" }
`

// Languages that have packages.
const (
	langPython     = "python"
	langJavaScript = "javascript"
)

// packagesLang is the flag --lang of the commands about packages.
func packagesLang(cmd *cobra.Command, lang *string, value, usage string) {
	cmd.Flags().StringVarP(lang, "lang", "l", value, usage)
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{langPython, langJavaScript}, cobra.ShellCompDirectiveNoFileComp))
}

// packagesOf says which language --lang means; empty if none was named.
func (a *app) packagesOf(lang string) (string, error) {
	if lang == "" {
		return "", nil
	}
	registry, err := a.registry()
	if err != nil {
		return "", err
	}
	d, err := registry.Lookup(lang)
	if err != nil {
		return "", err
	}
	if d.Name != langPython && d.Name != langJavaScript {
		return "", fmt.Errorf("%s has no packages: --lang is %s or %s", d.Name, langPython, langJavaScript)
	}
	return d.Name, nil
}

// usesNPM says whether a runtime's packages are from npm.
func usesNPM(d *runtimes.Definition) bool { return d.Driver == runtimes.DriverQuickJS }

// npmCatalogueOf is the catalogue that comes with a runtime; nil if it has none.
func npmCatalogueOf(d *runtimes.Definition) (*packages.NPMLock, error) {
	data, err := fs.ReadFile(d.Files, catalogueFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return packages.ParseNPMLock(catalogueFile, data)
}

// npmStoreOf opens what the user has installed for a runtime of JavaScript.
func (a *app) npmStoreOf(d *runtimes.Definition, catalogue *packages.NPMLock) (*packages.NPMStore, error) {
	dir, err := a.data()
	if err != nil {
		return nil, err
	}
	return packages.OpenNPM(filepath.Join(dir, "packages", d.Name), catalogue, a.bundle,
		func(ctx context.Context, tree string, imports []string) (map[string]string, error) {
			return a.tryNPM(ctx, d, tree, imports)
		}), nil
}

// npmPackages is the user's store of packages of JavaScript.
func (a *app) npmPackages() (*packages.NPMStore, error) {
	registry, err := a.registry()
	if err != nil {
		return nil, err
	}
	d, err := registry.Lookup(langJavaScript)
	if err != nil {
		return nil, err
	}
	catalogue, err := npmCatalogueOf(d)
	if err != nil {
		return nil, err
	}
	if catalogue == nil {
		catalogue = &packages.NPMLock{}
	}
	return a.npmStoreOf(d, catalogue)
}

// bundle implements [packages.Bundler]: esbuild reads what strangers wrote inside the
// sandbox, with nothing but dir in it.
func (a *app) bundle(ctx context.Context, dir string, args []string) (said string, ok bool, err error) {
	policy, err := policies.Parse("packages", []byte(bundling))
	if err != nil {
		return "", false, err
	}
	d := host.Bundler()
	registry, err := runtimes.NewRegistry(d)
	if err != nil {
		return "", false, err
	}
	h, err := a.open(ctx, policy, registry, nil)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	r, err := h.Execute(ctx, host.Request{
		Language: d.Name, Profile: "bundle", Args: args,
		Mounts: []policies.Mount{{Host: dir, Guest: host.BundlerPath, Writable: true}},
	})
	switch {
	case err != nil:
		return "", false, err
	case r.Status == host.StatusOK:
		return r.Stderr, true, nil
	case r.Status == host.StatusError && r.Stderr != "":
		return r.Stderr, false, nil
	}
	return "", false, fmt.Errorf("bundle packages: %s: %s", r.Status, r.Error.Message)
}

// npmPackageJSON is a package of JavaScript as --json prints it.
type npmPackageJSON struct {
	Language string `json:"language"`
	packages.NPMPackage
	Imports   []string `json:"imports"`
	Installed string   `json:"installed"` // the version, or ""
	Catalogue bool     `json:"catalogue"`
}

func newNPMPackageJSON(p packages.NPMPackage) npmPackageJSON {
	p.Subpaths = append([]string{}, p.Subpaths...)
	p.Bundled = append([]packages.NPMDependency{}, p.Bundled...)
	return npmPackageJSON{Language: langJavaScript, NPMPackage: p, Imports: p.Imports()}
}

// listNPM lists the packages of JavaScript.
func (a *app) listNPM() ([]npmPackageJSON, error) {
	store, err := a.npmPackages()
	if err != nil {
		return nil, err
	}
	installed, err := store.Installed()
	if err != nil {
		return nil, err
	}
	list := []npmPackageJSON{}
	for _, p := range store.Catalogue().Packages {
		j := newNPMPackageJSON(p)
		j.Catalogue = true
		list = append(list, j)
	}
	for _, p := range installed.Packages {
		i := slices.IndexFunc(list, func(o npmPackageJSON) bool { return o.Name == p.Name })
		if i < 0 {
			i = len(list)
			list = append(list, newNPMPackageJSON(p))
		}
		list[i].Installed, list[i].Bundle = p.Version, p.Bundle
	}
	return list, nil
}

// npmRow is a package in a table, which has no room for the subpaths of all.
func npmRow(p *npmPackageJSON) []string {
	imports := p.Name
	if n := len(p.Subpaths); n > 0 {
		imports += fmt.Sprintf(" (and %d of its subpaths)", n)
	}
	return []string{p.Name, p.Language, p.Version, ifElse(p.Installed == "", "no", p.Installed), imports, p.Summary}
}

// addNPM installs the named packages, or the catalogue when none is named.
func (a *app) addNPM(ctx context.Context, names []string, asJSON bool) error {
	store, err := a.npmPackages()
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
	return a.printNPM(added, asJSON)
}

// printNPM prints what changed.
func (a *app) printNPM(changed []packages.NPMPackage, asJSON bool) error {
	list, rows := []npmPackageJSON{}, [][]string{}
	for _, p := range changed {
		j := newNPMPackageJSON(p)
		j.Installed = p.Version
		list = append(list, j)
		rows = append(rows, []string{p.Name, p.Version, "ready"})
	}
	if asJSON {
		return a.printJSON(map[string]any{"packages": list})
	}
	return a.printTable(rows)
}

func (a *app) removeNPM(names []string) error {
	store, err := a.npmPackages()
	if err != nil {
		return err
	}
	return store.Remove(names)
}

// updateNPM brings what is installed to the catalogue's versions.
func (a *app) updateNPM(ctx context.Context, asJSON bool) error {
	store, err := a.npmPackages()
	if err != nil {
		return err
	}
	changed, err := store.Update(ctx)
	if err != nil {
		return err
	}
	return a.printNPM(changed, asJSON)
}

// checkNPM checks the digest of each package, and imports it in the sandbox in both ways.
func (a *app) checkNPM(ctx context.Context) ([]checkedJSON, error) {
	store, err := a.npmPackages()
	if err != nil {
		return nil, err
	}
	installed, err := store.Installed()
	if err != nil {
		return nil, err
	}
	return checkEach(ctx, installed.Packages, func(p *packages.NPMPackage) (checkedJSON, error) {
		return checkedJSON{Name: p.Name, Language: langJavaScript, Version: p.Version}, store.Check(ctx, p)
	})
}

// tryProgram imports modules in both ways, and ends by itself: a module may leave a timer
// behind.
const tryProgram = `
const failed = {};
for (const name of %s) {
  for (const load of [() => require(name), () => import(name)]) {
    try {
      await load();
    } catch (e) {
      failed[name] ??= String(e?.message ?? e).slice(0, 300);
    }
  }
}
console.log('\n' + JSON.stringify(failed));
process.exit(0);
`

// tryNPM implements [packages.Trial]. What modules print or forge is about themselves. Of
// some that end the program together, those that do so are found by halves: most have none.
func (a *app) tryNPM(ctx context.Context, d *runtimes.Definition, tree string, imports []string) (map[string]string, error) {
	failed, ended, err := a.tryTogether(ctx, d, tree, imports)
	switch {
	case err != nil || ended == "":
		return failed, err
	case len(imports) == 1:
		return map[string]string{imports[0]: ended}, nil
	}
	middle := len(imports) / 2
	failed, err = a.tryNPM(ctx, d, tree, imports[:middle])
	if err != nil {
		return nil, err
	}
	others, err := a.tryNPM(ctx, d, tree, imports[middle:])
	if err != nil {
		return nil, err
	}
	maps.Copy(failed, others)
	return failed, nil
}

// tryTogether imports modules in one run, and says why it ended before all were tried.
func (a *app) tryTogether(ctx context.Context, d *runtimes.Definition, tree string, imports []string) (failed map[string]string, ended string, err error) {
	names, err := json.Marshal(imports)
	if err != nil {
		return nil, "", err
	}
	r, err := a.inOwnSandbox(ctx, d, fmt.Sprintf(tryProgram, names), policies.Mount{Host: tree, Guest: npmPath})
	if err != nil {
		return nil, "", err
	}
	switch r.Status {
	case host.StatusOK:
	case host.StatusCanceled:
		return nil, "", fmt.Errorf("try packages: %s", r.Error.Message)
	case host.StatusTimeout, host.StatusOutOfFuel: // of the halves, one would take as long
		return map[string]string{imports[0]: r.Error.Message}, "", nil
	default:
		return nil, fmt.Sprintf("%s: %s", r.Error.Type, r.Error.Message), nil
	}
	lines := strings.Split(strings.TrimSpace(r.Stdout), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &failed); err != nil || failed == nil {
		return nil, "it ended the program", nil //nolint:nilerr // the program did not come to its end
	}
	return failed, "", nil
}

// npmMounts are the packages that a profile may import, as a mount; none if there are no
// such packages.
func (a *app) npmMounts(d *runtimes.Definition, registry *runtimes.Registry, profile *policies.Profile) ([]policies.Mount, error) {
	store, err := a.npmStoreOf(d, &packages.NPMLock{})
	if err != nil {
		return nil, err
	}
	installed, err := store.Installed()
	if err != nil {
		return nil, err
	}
	chosen := installed.Packages
	if profile.Packages != nil {
		names, err := a.namesFor(d, registry, profile.Packages, func(name string) bool { _, ok := installed.Find(name); return ok })
		if err != nil {
			return nil, err
		}
		if chosen, err = installed.Choose(names); err != nil {
			return nil, notAllowed(profile, err)
		}
	}
	if len(chosen) == 0 {
		return nil, nil
	}
	tree, hold, err := store.Tree(chosen)
	if err != nil {
		return nil, err
	}
	a.holdTree(tree, hold)
	return []policies.Mount{{Host: tree, Guest: npmPath}}, nil
}

// notAllowed says what to do about a profile that allows what is not installed.
func notAllowed(profile *policies.Profile, err error) error {
	return fmt.Errorf("profile %q, key \"packages\": %w: install it with \"sandboxd packages add\", or take it off the list", profile.Name, err)
}

// namesFor are those of a profile's names of packages that concern a language: a name may
// be that of another language's package alone.
func (a *app) namesFor(d *runtimes.Definition, registry *runtimes.Registry, names []string, has func(string) bool) ([]string, error) {
	var own []string
	var others []func(string) bool
	for _, name := range names {
		if has(name) {
			own = append(own, name)
			continue
		}
		if others == nil {
			var err error
			if others, err = a.otherPackages(d, registry); err != nil {
				return nil, err
			}
		}
		if !slices.ContainsFunc(others, func(other func(string) bool) bool { return other(name) }) {
			own = append(own, name)
		}
	}
	return own, nil
}

// otherPackages say whether a name is that of an installed package of another language.
func (a *app) otherPackages(d *runtimes.Definition, registry *runtimes.Registry) ([]func(string) bool, error) {
	var others []func(string) bool
	for _, o := range registry.All() {
		if _, err := fs.Stat(o.Files, catalogueFile); o.Name == d.Name || err != nil {
			continue
		}
		if usesNPM(o) {
			store, err := a.npmStoreOf(o, &packages.NPMLock{})
			if err != nil {
				return nil, err
			}
			installed, err := store.Installed()
			if err != nil {
				return nil, err
			}
			others = append(others, func(name string) bool { _, ok := installed.Find(name); return ok })
			continue
		}
		store, err := a.storeWith(o, &packages.Lock{})
		if err != nil {
			return nil, err
		}
		installed, err := store.Installed()
		if err != nil {
			return nil, err
		}
		others = append(others, func(name string) bool { _, ok := installed.Find(name); return ok })
	}
	return others, nil
}

// installedNPM names the packages that were added for a runtime, with their versions.
func (a *app) installedNPM(d *runtimes.Definition) []string {
	store, err := a.npmStoreOf(d, &packages.NPMLock{})
	if err != nil {
		return nil
	}
	lock, err := store.Installed()
	if err != nil {
		return nil
	}
	var names []string
	for _, p := range lock.Packages {
		names = append(names, p.Name+" "+p.Version)
	}
	return names
}
