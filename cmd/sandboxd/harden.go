package main

import (
	"context"
	"fmt"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/policies"
)

// checkHardening refuses a policy that demands layers which available lacks, before
// any work is done under it.
func checkHardening(server policies.Server, available harden.Report) error {
	missing := available.Missing()
	if server.Harden != policies.HardenAlways || len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("[server] harden = true: this machine lacks %v; leave the key out to run with the layers it has", missing)
}

// hardened gives up what this process no longer needs once it runs nothing but req on
// h: the guest's directories and its network remain, h's own scratch, and where the
// audit log is. The cache is not among them: the runtime is loaded first, and whoever
// could write to the cache would have code executed by the next sandboxd. A request
// that will be refused is left to h, which puts that on record. Where remote is set,
// the session that req runs in is on another machine: this process keeps the network,
// and what of it the guest has stays the host's matter.
func hardened(ctx context.Context, h *host.Host, policy *policies.Policy, req host.Request, remote bool) error {
	if policy.Server().Harden == policies.HardenNever {
		return nil
	}
	profile, err := policy.Profile(req.Profile)
	if err == nil {
		profile, err = profile.WithMounts(req.Mounts...)
	}
	if err != nil {
		return nil //nolint:nilerr // h says so, and runs nothing
	}
	if err := h.PrepareFor(ctx, &req); err != nil { // it may start npm and Node.js
		return err
	}
	o := harden.Options{Temporary: []string{h.Scratch()}, Network: remote}
	allow(&o, grantsOfProfile(profile))
	if req.Workspace != "" {
		o.Write = append(o.Write, req.Workspace)
	}
	_, err = giveUp(o, policy.Server())
	return err
}
