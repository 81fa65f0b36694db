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
			top, _, _ := strings.Cut(name, ".")
			return nil, fmt.Errorf("%s: runtimes.%s.preload: %q is not installed: install it with \"sandboxd packages add %s\", or take it off the list", setting.Origin, d.Name, name, packages.Normalize(top))
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

// named is the installed package that a name on a list is, or has a module of that name
// in, and the modules that are meant; none if there is no such package.
func named(installed *packages.Lock, name string) (packages.Package, []string) {
	if p, ok := installed.Find(name); ok {
		if p.Name == packages.Normalize(name) {
			return p, p.Imports
		}
		i := slices.IndexFunc(p.Imports, func(m string) bool { return packages.Normalize(m) == packages.Normalize(name) })
		return p, p.Imports[i : i+1]
	}
	top, _, _ := strings.Cut(name, ".")
	for _, p := range installed.Packages {
		if slices.Contains(p.Imports, top) {
			return p, []string{name}
		}
	}
	return packages.Package{}, nil
}

// prepareImages makes the images of a runtime for the profiles of a policy.
func (a *app) prepareImages(ctx context.Context, h *host.Host, policy *policies.Policy, registry *runtimes.Registry, d *runtimes.Definition) error {
	if len(policy.Runtime(d.Name).Preload) == 0 {
		return nil
	}
	for _, name := range policy.Names() {
		r := host.Request{Language: d.Name, Profile: name}
		err := a.withPackages(ctx, policy, registry, &r)
		if err == nil {
			err = h.PrepareRequest(ctx, &r)
		}
		if err != nil {
			return fmt.Errorf("profile %q: %w", name, err)
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
