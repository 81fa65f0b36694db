package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/runtimes"
)

// buildCommands are about runtimes that are built from source.
func (a *app) buildCommands() []*cobra.Command {
	return []*cobra.Command{
		a.runtimesAddCommand(), a.runtimesBuildCommand(), a.runtimesExportCommand(), a.runtimesImportCommand(),
		a.runtimesPushCommand(), a.runtimesPullCommand(), a.runtimesRemoveCommand(),
	}
}

func (a *app) runtimesBuildCommand() *cobra.Command {
	var work string
	var again bool
	cmd := &cobra.Command{
		Use:   "build name",
		Short: "Build a runtime from source and use it from now on",
		Long: `Build a runtime's module from source, put it into the cache and use it in place
of the prebuilt one. Python built so runs programs three times as fast, and has
sqlite3, zlib and bz2.

The tools and the sources come from the machine's own package client: Debian 12 or
13 with apt-get, as root unless the packages are there, with Node.js and npm. It
takes about six minutes on two cores and 2 GB of disk while it runs. Elsewhere,
build in a container, or import what was built on another machine.`,
		Example: "  sandboxd runtimes build python\n  sandboxd runtimes build python --work ./build",
		Args:    oneRuntime,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.buildRuntime(cmd.Context(), args[0], work, again)
		},
		ValidArgsFunction: firstArg(a.completeLanguages),
	}
	cmd.Flags().StringVar(&work, "work", "", "build in this `directory` and keep it, logs included")
	cmd.Flags().BoolVar(&again, "again", false, "build although the installed build is of the same recipe")
	return cmd
}

func (a *app) runtimesExportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export name file",
		Short: "Write a runtime that was built from source to a file",
		Long: `Write a runtime that was built from source to a file, which must not exist. It is
one WebAssembly module with the library inside; "-" writes it to standard output.`,
		Example:           "  sandboxd runtimes export python python.wasm",
		Args:              argsNamed("a runtime", "a file"),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.exportRuntime(cmd.Context(), args[0], args[1]) },
		ValidArgsFunction: firstArg(a.completeLanguages),
	}
}

func (a *app) runtimesImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "import file",
		Short:   "Use a runtime that was built and exported elsewhere",
		Example: "  sandboxd runtimes import python.wasm",
		Args:    argsNamed("a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			module, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			return a.installRuntime(cmd.Context(), args[0], module)
		},
	}
}

func (a *app) runtimesPushCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "push name oci:reference",
		Short: "Put a runtime that was built from source into a container registry",
		Long: `Put a runtime that was built from source into a container registry, for others
to pull. The logins of Docker and tools like it are used.`,
		Example:           "  sandboxd runtimes push python oci:registry.example/team/python:3.13",
		Args:              argsNamed("a runtime", "an address"),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.pushRuntime(cmd.Context(), args[0], args[1]) },
		ValidArgsFunction: firstArg(a.completeLanguages),
	}
}

func (a *app) runtimesPullCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pull oci:reference",
		Short: "Use a runtime from a container registry",
		Long: `Fetch a runtime that was pushed to a container registry, and use it. A tag is what
the registry makes of it at that moment; an address that ends in @sha256:... and
the digest that push printed is one module for ever.`,
		Example: "  sandboxd runtimes pull oci:registry.example/team/python:3.13",
		Args:    argsNamed("an address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			module, err := runtimes.Pull(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.installRuntime(cmd.Context(), args[0], module)
		},
	}
}

func (a *app) runtimesRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove name",
		Short: "Remove a runtime that was added, or a build from source",
		Long: `Remove a runtime that you added or, for one that comes with sandboxd, what was built
from source: then its own module is used again.`,
		Example:           "  sandboxd runtimes remove python",
		Args:              oneRuntime,
		RunE:              func(_ *cobra.Command, args []string) error { return a.removeRuntime(args[0]) },
		ValidArgsFunction: firstArg(a.completeLanguages),
	}
}

// argsNamed demands exactly the arguments that are named.
func argsNamed(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usageError(cmd, fmt.Errorf("name %s", strings.Join(names[len(args):], " and ")))
		}
		return atMost(len(names), strings.Join(names, " and "))(cmd, args)
	}
}

// find looks up a runtime, and the cache.
func (a *app) find(name string) (*runtimes.Definition, *runtimes.Store, error) {
	registry, err := a.registry()
	if err != nil {
		return nil, nil, err
	}
	d, err := registry.Lookup(name)
	if err != nil {
		return nil, nil, err
	}
	store, err := a.openStore()
	return d, store, err
}

func (a *app) buildRuntime(ctx context.Context, name, work string, again bool) error {
	d, store, err := a.find(name)
	if err != nil {
		return err
	}
	recipe, err := runtimes.Recipe(d)
	if err != nil {
		return err
	}
	if store.Prefer(d).Source.Build == recipe && !again {
		_, err := fmt.Fprintf(a.stdout, "%s is built from this recipe already; --again builds it again\n", d.Name)
		return err
	}
	progress := newProgress(a.stderr, isTerminal(a.stderr), 0)
	defer progress.stop()
	if _, err := store.Build(ctx, d, work, progress.event); err != nil {
		return err
	}
	progress.stop()
	return a.prepareRuntimes(ctx, []string{d.Name}, false, false)
}

// builtModule returns the module of a runtime that was built from source.
func (a *app) builtModule(ctx context.Context, name string) ([]byte, error) {
	d, store, err := a.find(name)
	if err != nil {
		return nil, err
	}
	if d = store.Prefer(d); d.Source.Build == "" {
		return nil, fmt.Errorf("%s was not built from source: run sandboxd runtimes build %s first", d.Name, d.Name)
	}
	return store.Load(ctx, d, nil)
}

func (a *app) exportRuntime(ctx context.Context, name, file string) error {
	module, err := a.builtModule(ctx, name)
	if err != nil {
		return err
	}
	if file == "-" {
		_, err := a.stdout.Write(module)
		return err
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // the user's own file
	if err != nil {
		return err
	}
	_, err = out.Write(module)
	if err = errors.Join(err, out.Close()); err != nil {
		_ = os.Remove(file)
	}
	return err
}

func (a *app) installRuntime(ctx context.Context, from string, module []byte) error {
	store, err := a.openStore()
	if err != nil {
		return err
	}
	b, err := runtimes.ReadBuild(module)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	registry, err := a.registry()
	if err != nil {
		return err
	}
	if _, err := registry.Lookup(b.Runtime); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if _, err := store.Install(module); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return a.prepareRuntimes(ctx, []string{b.Runtime}, false, false)
}

func (a *app) pushRuntime(ctx context.Context, name, address string) error {
	module, err := a.builtModule(ctx, name)
	if err != nil {
		return err
	}
	digest, err := runtimes.Push(ctx, address, module)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, digest)
	return err
}

func (a *app) removeRuntime(name string) error {
	if removed, err := a.removeAdded(name); removed || err != nil {
		if removed {
			_, err = io.WriteString(a.stdout, name+" is removed\n")
		}
		return err
	}
	d, store, err := a.find(name)
	if err != nil {
		return err
	}
	if d.Project {
		return fmt.Errorf("%s belongs to this project: delete %s", d.Name, filepath.Join(projectRuntimes, d.Name))
	}
	if store.Prefer(d).Source.Build == "" {
		return fmt.Errorf("%s has no build from source that could be removed", d.Name)
	}
	if err := store.Uninstall(d.Name); err != nil {
		return err
	}
	_, err = io.WriteString(a.stdout, d.Name+" is "+d.Source.String()+" again\n")
	return err
}
