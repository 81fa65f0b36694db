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
	found    atomic.Pointer[map[packagedKey]packagedFor]

	// kept says that some are still those of an earlier policy, and maybe not what is
	// installed.
	kept atomic.Bool
}

type packagedKey struct{ language, profile string }

// packagedFor is what programs of a profile get, and the keys of the policy it is by.
type packagedFor struct {
	request host.Request
	allowed []string // the packages of the profile; nil for all
	preload []string
}

func (a *app) packaged(h *host.Host, registry *runtimes.Registry) *packaged {
	p := &packaged{Executor: h, app: a, images: h, registry: registry}
	p.found.Store(&map[packagedKey]packagedFor{})
	return p
}

// load looks up the packages of all profiles of a policy, compiles those that were
// not yet, and makes the images ready in which some are preloaded.
func (p *packaged) load(ctx context.Context, policy *policies.Policy) error {
	return p.look(ctx, policy, func(key packagedKey, _ packagedFor, err error) (packagedFor, error) {
		return packagedFor{}, fmt.Errorf("packages of profile %q: %w", key.profile, err)
	})
}

// reload is load for another policy. Where packages cannot be had, programs keep those
// that they had, as far as the policy says of them what it said before: the rest of it
// must not wait for them. What is kept, or left out, is told to warn.
func (p *packaged) reload(ctx context.Context, policy *policies.Policy, warn func(profile string, err error)) error {
	if err := checkPreloads(policy, p.registry); err != nil {
		return err // the file is wrong
	}
	kept, before := false, *p.found.Load()
	err := p.look(ctx, policy, func(key packagedKey, now packagedFor, err error) (packagedFor, error) {
		kept = true
		warn(key.profile, err)
		had, ok := before[key]
		if !ok || (had.allowed == nil) != (now.allowed == nil) || !slices.Equal(had.allowed, now.allowed) {
			return now, nil // with none
		}
		if !slices.Equal(had.preload, now.preload) {
			had.preload, had.request.Preload = now.preload, host.Preload{}
		}
		return had, nil
	})
	if err == nil {
		p.kept.Store(kept)
	}
	return err
}

// look finds what programs of all profiles get. failed says what it is where that cannot
// be had.
func (p *packaged) look(ctx context.Context, policy *policies.Policy, failed func(key packagedKey, none packagedFor, err error) (packagedFor, error)) error {
	found := map[packagedKey]packagedFor{}
	for _, def := range p.registry.All() {
		for _, name := range policy.Names() {
			profile, err := policy.Profile(name)
			if err != nil {
				return err
			}
			r := host.Request{Language: def.Name, Profile: name}
			key, own := packagedKey{def.Name, name}, packagedFor{allowed: profile.Packages, preload: policy.Runtime(def.Name).Preload}
			err = p.app.withPackages(ctx, policy, p.registry, &r)
			if err == nil {
				err = p.prepareImage(ctx, &r)
			}
			if err == nil {
				own.request = r
			} else if own, err = failed(key, own, err); err != nil {
				return err
			}
			found[key] = own
		}
	}
	p.found.Store(&found)
	return nil
}

// Execute implements [session.Executor].
func (p *packaged) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	if def, err := p.registry.Lookup(r.Language); err == nil {
		found := (*p.found.Load())[packagedKey{def.Name, r.Profile}].request
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
