package main

import (
	"github.com/spf13/cobra"
)

// completeFlag offers the values of fn for a flag. A command without that flag
// is a mistake of ours that every test of the command line would show.
func (a *app) completeFlag(cmd *cobra.Command, flag string, fn cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, fn); err != nil {
		panic(err)
	}
}

// firstArg offers the values of fn for the first argument only.
func firstArg(fn cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return fn(cmd, args, prefix)
	}
}

// completeProfiles offers the profiles of the policy that applies.
func (a *app) completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	policy, err := a.policy()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return policy.Names(), cobra.ShellCompDirectiveNoFileComp
}

// completeLanguages offers the names of the runtimes.
func (a *app) completeLanguages(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	registry, err := a.registry()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return languages(registry), cobra.ShellCompDirectiveNoFileComp
}
