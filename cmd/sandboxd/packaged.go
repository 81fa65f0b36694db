package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// packaged is an engine of a process that serves: it gives each program the packages
// that its profile may import. Which there are is looked up before the process gives up
// what it needs for that, and when the policy changes.
type packaged struct {
	session.Executor

	app      *app
	images   *host.Host
	registry *runtimes.Registry
	found    atomic.Pointer[map[packagedKey]host.Request]
}

type packagedKey struct{ language, profile string }

func (a *app) packaged(h *host.Host, registry *runtimes.Registry) *packaged {
	p := &packaged{Executor: h, app: a, images: h, registry: registry}
	p.found.Store(&map[packagedKey]host.Request{})
	return p
}

// load looks up the packages of all profiles of a policy, compiles those that were
// not yet, and makes the images ready in which some are preloaded.
func (p *packaged) load(ctx context.Context, policy *policies.Policy) error {
	found := map[packagedKey]host.Request{}
	for _, def := range p.registry.All() {
		for _, name := range policy.Names() {
			r := host.Request{Language: def.Name, Profile: name}
			err := p.app.withPackages(ctx, policy, p.registry, &r)
			if err == nil {
				err = p.prepareImage(ctx, &r)
			}
			if err != nil {
				return fmt.Errorf("packages of profile %q: %w", name, err)
			}
			found[packagedKey{def.Name, name}] = r
		}
	}
	p.found.Store(&found)
	return nil
}

// Execute implements [session.Executor].
func (p *packaged) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	if def, err := p.registry.Lookup(r.Language); err == nil {
		found := (*p.found.Load())[packagedKey{def.Name, r.Profile}]
		r.Mounts = slices.Concat(r.Mounts, found.Mounts)
		r.Preload = found.Preload
	}
	return p.Executor.Execute(ctx, r)
}

// packagesDir is where the packages of all languages are.
func (a *app) packagesDir() (string, error) {
	data, err := a.data()
	return filepath.Join(data, "packages"), err
}

// installedPackages names the packages that were added for a language.
func (a *app) installedPackages(registry *runtimes.Registry) func(language string) []string {
	return func(language string) []string {
		d, err := registry.Lookup(language)
		if err != nil {
			return nil
		}
		if usesNPM(d) {
			return a.installedNPM(d)
		}
		store, err := a.packageStore(d)
		if store == nil || err != nil {
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
}
