package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
	"github.com/sandboxd/sandboxd/runtimes/packages"
)

// checkPreloads refuses settings of runtimes that there are not, or that import nothing
// beforehand.
func checkPreloads(policy *policies.Policy, registry *runtimes.Registry) error {
	var problems []error
	for _, name := range policy.Runtimes() {
		setting := policy.Runtime(name)
		d, err := registry.Lookup(name)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: runtimes.%s: %w", setting.Origin, name, err))
		case d.Name != name:
			problems = append(problems, fmt.Errorf("%s: runtimes.%s: write [runtimes.%s]", setting.Origin, name, d.Name))
		case len(setting.Preload) > 0 && d.Driver != runtimes.DriverCPython:
			problems = append(problems, fmt.Errorf("%s: runtimes.%s.preload: packages can be preloaded for Python only; delete the key", setting.Origin, name))
		}
	}
	return errors.Join(problems...)
}

// preload names the modules that the programs of a profile, which may import the chosen
// packages, find imported: of the policy's list what they may import. All names on it
// must be installed, also those that they may not.
func preload(policy *policies.Policy, d *runtimes.Definition, installed *packages.Lock, chosen []packages.Package) ([]string, error) {
	setting := policy.Runtime(d.Name)
	var modules []string
	for _, name := range setting.Preload {
		p, imports := named(installed, name)
		if len(imports) == 0 {
			return nil, notInstalled(setting, d, installed, name)
		}
		if !slices.ContainsFunc(chosen, func(c packages.Package) bool { return c.Name == p.Name }) {
			continue
		}
		for _, m := range imports {
			if !slices.Contains(modules, m) {
				modules = append(modules, m)
			}
		}
	}
	return modules, nil
}

// notInstalled says what to do about a name on a list that no installed package has.
func notInstalled(setting policies.Runtime, d *runtimes.Definition, installed *packages.Lock, name string) error {
	top, _, _ := strings.Cut(name, ".")
	problem := fmt.Sprintf("%s: runtimes.%s.preload: no package %q is installed", setting.Origin, d.Name, name)
	catalogue, err := catalogueOf(d)
	if err != nil || catalogue == nil {
		catalogue = &packages.Lock{}
	}
	if p, imports := named(catalogue, name); len(imports) > 0 {
		return fmt.Errorf("%s: install it with \"sandboxd packages add %s\", or take it off the list", problem, p.Name)
	}
	var known []string
	for _, p := range slices.Concat(installed.Packages, catalogue.Packages) {
		known = append(append(known, p.Name), p.Imports...)
	}
	if meant := runtimes.Nearest(top, known); meant != "" {
		return fmt.Errorf("%s (did you mean %q?)", problem, meant)
	}
	return fmt.Errorf("%s, and the catalogue has none; take it off the list (what is in Python's own library needs no preload)", problem)
}

// checkPreloaded refuses lists with names that no installed package has.
func (a *app) checkPreloaded(policy *policies.Policy, registry *runtimes.Registry) error {
	if err := checkPreloads(policy, registry); err != nil {
		return err
	}
	for _, language := range policy.Runtimes() {
		if len(policy.Runtime(language).Preload) == 0 {
			continue
		}
		d, err := registry.Lookup(language)
		if err != nil {
			return err
		}
		store, err := a.storeWith(d, &packages.Lock{})
		if err != nil {
			return err
		}
		installed, err := store.Installed()
		if err != nil {
			return err
		}
		if _, err := preload(policy, d, installed, installed.Packages); err != nil {
			return err
		}
	}
	return nil
}

// named is the installed package that a name on a list is, or has a module of that name
// in, and the modules that are meant; none if there is no such package.
func named(installed *packages.Lock, name string) (packages.Package, []string) {
	top, _, dotted := strings.Cut(name, ".")
	if p, ok := installed.Find(name); ok {
		if dotted && slices.Contains(p.Imports, top) { // as ruamel.yaml is, of the package ruamel-yaml
			return p, []string{name}
		}
		if p.Name == packages.Normalize(name) {
			return p, p.Imports
		}
		i := slices.IndexFunc(p.Imports, func(m string) bool { return packages.Normalize(m) == packages.Normalize(name) })
		return p, p.Imports[i : i+1]
	}
	for _, p := range installed.Packages {
		if slices.Contains(p.Imports, top) {
			return p, []string{name}
		}
	}
	return packages.Package{}, nil
}

// prepareImages makes the packages of a runtime ready that the profiles of a policy may
// import, and the images in which some are preloaded.
func (a *app) prepareImages(ctx context.Context, h *host.Host, policy *policies.Policy, registry *runtimes.Registry, d *runtimes.Definition) error {
	if err := a.checkPreloaded(policy, registry); err != nil {
		return err
	}
	for _, name := range policy.Names() {
		r := host.Request{Language: d.Name, Profile: name}
		err := a.withPackages(ctx, policy, registry, &r)
		if err == nil && len(r.Preload.Modules) > 0 {
			err = h.PrepareRequest(ctx, &r)
		}
		switch {
		case err == nil:
		case ctx.Err() != nil || len(policy.Runtime(d.Name).Preload) > 0:
			return fmt.Errorf("packages of profile %q: %w", name, err)
		default: // the runtime is ready, which is what was asked for
			a.note("packages of profile %q: %v", name, err)
		}
	}
	return nil
}

// prepareImage makes the image ready that requests like r start from, if it is another
// than that of the runtime. A runtime that cannot be had is left to those who call for it.
func (p *packaged) prepareImage(ctx context.Context, r *host.Request) error {
	if len(r.Preload.Modules) == 0 {
		return nil
	}
	err := p.images.PrepareRequest(ctx, r)
	if errors.Is(err, runtimes.ErrUnavailable) {
		return nil
	}
	return err
}
