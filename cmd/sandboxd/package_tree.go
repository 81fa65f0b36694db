package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
	"github.com/sandboxd/sandboxd/runtimes/packages"
)

// packagesPath is where programs find packages: the last place of sys.path.
const packagesPath = host.PackagesPath

// catalogueFile is the catalogue in a runtime's folder.
const catalogueFile = "packages.toml"

// compiling is what packages are compiled under, inside the sandbox: by code of ours,
// which reads them and runs nothing of them.
const compiling = `
[profiles.compile]
extends = "relaxed"
fuel    = 1_000_000_000_000
memory  = "512MiB"
timeout = "10m"
stdout  = "32MiB"
disk    = { quota = "1GiB", files = 100_000, file_size = "64MiB" }
`

// compileFile is the program in a runtime's folder that compiles the packages which lie
// together, and writes down what importing them takes.
const compileFile = "compile_packages.py"

// packageStore opens what the user has installed for a language; nil for a language
// that has no packages, or has them from npm.
func (a *app) packageStore(d *runtimes.Definition) (*packages.Store, error) {
	if usesNPM(d) {
		return nil, nil
	}
	catalogue, err := catalogueOf(d)
	if catalogue == nil || err != nil {
		return nil, err
	}
	return a.storeWith(d, catalogue)
}

// catalogueOf is the catalogue that comes with a runtime; nil if it has none.
func catalogueOf(d *runtimes.Definition) (*packages.Lock, error) {
	data, err := fs.ReadFile(d.Files, catalogueFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return packages.ParseLock(catalogueFile, data)
}

// storeWith opens what the user has installed for a language.
func (a *app) storeWith(d *runtimes.Definition, catalogue *packages.Lock) (*packages.Store, error) {
	dir, err := a.data()
	if err != nil {
		return nil, err
	}
	version := d.Version
	if parts := strings.Split(version, "."); len(parts) > 2 {
		version = parts[0] + "." + parts[1]
	}
	return packages.Open(filepath.Join(dir, "packages", d.Name), catalogue, version), nil
}

// withPackages adds to req's mounts the packages that its profile may import, and says
// which of them are preloaded. Its mounts are otherwise as they were. Requests that will be refused are left to the host.
func (a *app) withPackages(ctx context.Context, policy *policies.Policy, registry *runtimes.Registry, req *host.Request) error {
	d, err := registry.Lookup(req.Language)
	if err != nil {
		return nil //nolint:nilerr // the host says so
	}
	profile, err := policy.Profile(req.Profile)
	if err != nil {
		return nil //nolint:nilerr // the host says so
	}
	if err := checkPreloads(policy, registry); err != nil {
		return err
	}
	if _, err := fs.Stat(d.Files, catalogueFile); err != nil || mounted(d, profile, req) {
		return nil //nolint:nilerr // the language has no packages
	}
	if usesNPM(d) {
		mounts, err := a.npmMounts(d, registry, profile)
		req.Mounts = slices.Concat(req.Mounts, mounts)
		return err
	}
	store, err := a.storeWith(d, &packages.Lock{}) // most calls need no more than the lock file
	if err != nil {
		return err
	}
	installed, err := store.Installed()
	if err != nil {
		return err
	}
	chosen, err := a.allowed(d, registry, installed, profile)
	if err != nil {
		return err
	}
	modules, err := preload(policy, d, installed, chosen)
	if err != nil || len(chosen) == 0 {
		return err
	}
	tree, err := a.packageTree(ctx, store, d, chosen)
	if err != nil {
		return err
	}
	if len(modules) > 0 {
		req.Preload = host.Preload{Modules: modules, Digest: filepath.Base(tree)} // a tree is named by all that is in it
	}
	req.Mounts = append(slices.Clone(req.Mounts), policies.Mount{Host: tree, Guest: packagesPath})
	return nil
}

// mounted says whether the user put a directory where packages would be.
func mounted(d *runtimes.Definition, profile *policies.Profile, req *host.Request) bool {
	place := ifElse(usesNPM(d), npmPath, packagesPath)
	return slices.ContainsFunc(slices.Concat(profile.Mounts, req.Mounts), func(m policies.Mount) bool {
		return m.Guest == place || strings.HasPrefix(m.Guest, place+"/")
	})
}

// packagedModules names the modules of the catalogue, for advice. It reads no files.
func packagedModules(registry *runtimes.Registry) func(string) []string {
	return func(language string) []string {
		d, err := registry.Lookup(language)
		if err != nil {
			return nil
		}
		if usesNPM(d) {
			catalogue, err := npmCatalogueOf(d)
			if catalogue == nil || err != nil {
				return nil
			}
			return catalogue.Modules()
		}
		catalogue, err := catalogueOf(d)
		if catalogue == nil || err != nil {
			return nil
		}
		return catalogue.Modules()
	}
}

// allowed are the installed packages that a profile may import, and what those require.
func (a *app) allowed(d *runtimes.Definition, registry *runtimes.Registry, installed *packages.Lock, profile *policies.Profile) ([]packages.Package, error) {
	if profile.Packages == nil {
		return installed.Packages, nil
	}
	names, err := a.namesFor(d, registry, profile.Packages, func(name string) bool { _, ok := installed.Find(name); return ok })
	if err != nil {
		return nil, err
	}
	chosen, err := installed.Closure(names)
	if err != nil {
		return nil, notAllowed(profile, err)
	}
	return chosen, nil
}

// packageTree is the directory of packages for the very interpreter that will run them.
// It stays there for as long as this process does, whatever others remove.
func (a *app) packageTree(ctx context.Context, store *packages.Store, d *runtimes.Definition, chosen []packages.Package) (string, error) {
	modules, err := a.openStore()
	if err != nil {
		return "", err
	}
	program, err := fs.ReadFile(d.Files, compileFile)
	if err != nil {
		return "", err
	}
	key := fmt.Sprintf("%s %x", modules.Prefer(d).Source.SHA256, sha256.Sum256(program))
	tree, hold, err := store.Tree(ctx, chosen, key, func(ctx context.Context, dir string) error {
		return a.compilePackages(ctx, d, string(program), dir)
	})
	if err != nil {
		return "", err
	}
	a.holdTree(tree, hold)
	return tree, nil
}

// holdTree keeps others from removing a tree for as long as this process lives.
func (a *app) holdTree(tree string, hold io.Closer) {
	if _, held := a.trees.LoadOrStore(tree, hold); held {
		_ = hold.Close()
	}
}

// compilePackages compiles the packages in dir inside the sandbox.
func (a *app) compilePackages(ctx context.Context, d *runtimes.Definition, program, dir string) error {
	err := packages.Compile(func(leave []string) (output string, brokeOff bool, err error) {
		r, err := a.inOwnSandbox(ctx, d, program, policies.Mount{Host: dir, Guest: packagesPath, Writable: true}, leave...)
		if err != nil {
			return "", false, err
		}
		brokeOff = r.Status == host.StatusOutOfMemory || trapped(r)
		if r.Status != host.StatusOK && !brokeOff {
			err = fmt.Errorf("%s: %s", r.Status, r.Error.Message)
		}
		return r.Stdout, brokeOff, err
	})
	if err != nil {
		return fmt.Errorf("compile packages: %w", err)
	}
	return nil
}

// inOwnSandbox runs a program of sandboxd's own, with one mount and without the user's
// policy.
func (a *app) inOwnSandbox(ctx context.Context, d *runtimes.Definition, program string, mount policies.Mount, args ...string) (_ *host.Result, err error) {
	policy, err := policies.Parse("packages", []byte(compiling))
	if err != nil {
		return nil, err
	}
	registry, err := runtimes.NewRegistry(d)
	if err != nil {
		return nil, err
	}
	h, err := a.open(ctx, policy, registry, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return h.Execute(ctx, host.Request{
		Language: d.Name, Code: []byte(program), Args: args, Profile: "compile", Mounts: []policies.Mount{mount},
	})
}
