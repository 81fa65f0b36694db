package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// thenReady has a command that changes what is installed make it ready afterwards.
func (a *app) thenReady(cmd *cobra.Command) *cobra.Command {
	change := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := change(cmd, args); err != nil {
			return err
		}
		a.readyTrees(cmd.Context())
		return nil
	}
	return cmd
}

// readyTrees makes the trees of packages that profiles may import. A daemon that is
// hardened could not, when it reads its policy again. Which policy that is, is not known
// here: it is taken to be the one that applies. What cannot be had is left to those who
// call for it, who are told why.
func (a *app) readyTrees(ctx context.Context) {
	policy, err := a.policy()
	if err != nil {
		policy = policies.Builtin()
	}
	registry, err := a.registry()
	if err != nil {
		return
	}
	for _, d := range registry.All() {
		for _, name := range policy.Names() {
			_ = a.withPackages(ctx, policy, registry, &host.Request{Language: d.Name, Profile: name})
		}
	}
}
