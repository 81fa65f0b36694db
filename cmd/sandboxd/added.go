package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/runtimes"
)

// projectRuntimes is where a project brings runtimes, in the working directory.
const projectRuntimes = "runtimes.d"

// registry is all runtimes: those that come with sandboxd, those that the user added,
// and those of the project. One that is broken, or claims what another has, is left
// out with a note.
func (a *app) registry() (*runtimes.Registry, error) {
	registry, err := runtimes.Builtin()
	if err != nil {
		return nil, err
	}
	var problems []error
	if dir, err := a.userRuntimes(); err == nil { // a machine without a home has none
		defs, broken := runtimes.LoadUser(dir)
		r, clashes := registry.With(defs...)
		registry, problems = r, append(broken, clashes...)
	}
	defs, broken := runtimes.LoadProject(projectRuntimes)
	registry, clashes := registry.With(defs...)
	for _, problem := range slices.Concat(problems, broken, clashes) {
		a.note("left out: %v", problem)
	}
	return registry, nil
}

// userRuntimes is the folder of the runtimes that the user added.
func (a *app) userRuntimes() (string, error) {
	dir, err := a.data()
	return filepath.Join(dir, "runtimes"), err
}

// addFlags say what a module alone does not.
type addFlags struct {
	name, version, driver string
	extensions, aliases   []string
}

func (a *app) runtimesAddCommand() *cobra.Command {
	var f addFlags
	cmd := &cobra.Command{
		Use:   "add folder|file.wasm|npm:package@version/path|oci:reference|https://...",
		Short: "Add a language of your own",
		Long: `Add a language: a folder with a runtime.toml, or a WebAssembly module, which is
pinned to what it is now. A module that exports execute is an Extism plugin, one that
exports _start a WASI command; docs/add-a-language.md tells how to make one.

The module is checked and compiled before it is added: in a process of its own with
limits on memory and time, since a module can be made to be hard to compile.`,
		Example: "  sandboxd runtimes add ./lua\n" +
			"  sandboxd runtimes add lua.wasm --name lua --extension .lua\n" +
			"  sandboxd runtimes add npm:@scope/lua@5.4.0/dist/lua.wasm --name lua",
		Args: argsNamed("a folder or a module"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.addRuntime(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "what to call the runtime; default: the name of the file")
	flags.StringVar(&f.version, "version", "", "the language's version")
	flags.StringVar(&f.driver, "driver", "", "extism or command; default: what the module exports")
	flags.StringSliceVar(&f.extensions, "extension", nil, "`ending` of program files, such as .lua")
	flags.StringSliceVar(&f.aliases, "alias", nil, "another `name`")
	return cmd
}

// addRuntime adds what is named.
func (a *app) addRuntime(ctx context.Context, what string, f addFlags) error {
	d, text, err := a.newRuntime(ctx, what, f)
	if err != nil {
		return err
	}
	if d.Driver != runtimes.DriverCommand && d.Driver != runtimes.DriverExtism {
		return fmt.Errorf("add runtime %s: driver %q is only for sandboxd's own runtimes: use %s or %s",
			d.Name, d.Driver, runtimes.DriverExtism, runtimes.DriverCommand)
	}
	dir, err := a.userRuntimes()
	if err != nil {
		return err
	}
	err = runtimes.Add(dir, d, text, func(added *runtimes.Definition) error {
		others, err := a.userRegistry()
		if err != nil {
			return err
		}
		registry, clashes := others.With(added)
		if len(clashes) > 0 {
			return errors.Join(clashes...)
		}
		return a.prepare(ctx, registry, []*runtimes.Definition{added}, false)
	})
	if err != nil {
		return err
	}
	return a.printTable([][]string{{d.Name, d.Version, "added"}})
}

// userRegistry is registry without what the project brings.
func (a *app) userRegistry() (*runtimes.Registry, error) {
	registry, err := runtimes.Builtin()
	if err != nil {
		return nil, err
	}
	dir, err := a.userRuntimes()
	if err != nil {
		return nil, err
	}
	defs, _ := runtimes.LoadUser(dir)
	registry, _ = registry.With(defs...)
	return registry, nil
}

// newRuntime is the definition of what is to be added, with its text.
func (a *app) newRuntime(ctx context.Context, what string, f addFlags) (*runtimes.Definition, []byte, error) {
	info, err := os.Stat(what)
	if err == nil && info.IsDir() {
		if f.name != "" || f.version != "" || f.driver != "" || f.extensions != nil || f.aliases != nil {
			return nil, nil, errors.New("add runtime: a folder's runtime.toml says what the flags would: change it there")
		}
		d, err := runtimes.LoadDir(what)
		if err != nil {
			return nil, nil, err
		}
		text, err := os.ReadFile(filepath.Join(what, "runtime.toml")) //nolint:gosec // the user names the folder
		return d, text, err
	}
	source, module, err := a.moduleAt(ctx, what, err)
	if err != nil {
		return nil, nil, err
	}
	d := &runtimes.Definition{Name: f.name, Version: f.version, Driver: f.driver, Extensions: f.extensions, Aliases: f.aliases, Source: source}
	d.Source.SHA256 = runtimes.Digest(module)
	if err := complete(d, what, module); err != nil {
		return nil, nil, err
	}
	text := d.Text()
	files := os.DirFS(filepath.Dir(what))
	parsed, err := runtimes.Parse("the flags", text, files)
	return parsed, text, err
}

// moduleAt reads or fetches a module. missing is why what is no file.
func (a *app) moduleAt(ctx context.Context, what string, missing error) (runtimes.Source, []byte, error) {
	if missing == nil {
		module, err := readModule(what)
		return runtimes.Source{File: filepath.Base(what)}, module, err
	}
	if !strings.Contains(what, ":") {
		return runtimes.Source{}, nil, fmt.Errorf("add runtime: %w", missing)
	}
	source, err := runtimes.ParseSource(what)
	if err != nil {
		return source, nil, err
	}
	store, err := a.openStore()
	if err != nil {
		return source, nil, err
	}
	progress := newProgress(a.stderr, isTerminal(a.stderr), patience)
	defer progress.stop()
	module, err := store.Probe(ctx, source, progress.event)
	return source, module, err
}

// complete fills in what the flags leave open.
func complete(d *runtimes.Definition, what string, module []byte) error {
	if d.Name == "" {
		base := filepath.Base(what)
		if i := strings.IndexAny(base, ".@:"); i > 0 {
			base = base[:i]
		}
		d.Name = strings.ToLower(base)
	}
	if d.Version == "" {
		d.Version = "0"
	}
	if d.Driver != "" {
		return nil
	}
	m, err := wasm.Decode(module)
	if err != nil {
		return fmt.Errorf("add runtime %s: %w", d.Name, host.ExplainModule(module, err))
	}
	if d.Driver = driverOf(m); d.Driver == "" {
		return fmt.Errorf("add runtime %s: the module exports neither execute, as an Extism plugin does, nor _start, as a WASI command does", d.Name)
	}
	return nil
}

// driverOf is the driver that fits what a module exports, or "".
func driverOf(m *wasm.Module) string {
	for _, fit := range []struct{ export, driver string }{
		{"execute", runtimes.DriverExtism}, {"_start", runtimes.DriverCommand},
	} {
		if e, ok := m.Export(fit.export); ok && e.Kind == wasm.KindFunc {
			return fit.driver
		}
	}
	return ""
}

// maxModuleFile is the largest module that is read, in bytes.
const maxModuleFile = 512 << 20

func readModule(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxModuleFile {
		return nil, fmt.Errorf("read the module: %s is not a file of at most %d MiB", path, maxModuleFile>>20)
	}
	return os.ReadFile(path) //nolint:gosec // the user names the file
}

// removeAdded deletes a runtime that the user added. It reports false for one that
// was not.
func (a *app) removeAdded(name string) (bool, error) {
	dir, err := a.userRuntimes()
	if err != nil {
		return false, err
	}
	err = runtimes.Remove(dir, name)
	if errors.Is(err, runtimes.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
