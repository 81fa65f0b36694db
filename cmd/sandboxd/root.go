package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

const rootLong = `sandboxd runs programs that nobody has read yet.

A program runs in a fresh interpreter inside WebAssembly, under the limits of a
profile: instructions, memory, time, output and disk. It sees the directories it
was given and nothing else, starts no processes, and has no network but what its
profile grants.`

const rootExample = `  sandboxd run -c 'print(2 ** 64)'
  sandboxd run --mount ./data:/data report.py
  sandboxd run --profile relaxed --json < program.py
  sandboxd profiles show strict`

// rootCommand builds the command tree. It is built anew for every run, so
// nothing is shared between two of them.
func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "sandboxd",
		Short:         "Run untrusted programs inside WebAssembly",
		Long:          rootLong,
		Example:       rootExample,
		Args:          commandWanted,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	flags := root.PersistentFlags()
	flags.StringVar(&a.config, "config", "", "policy `file`; default: $SANDBOXD_CONFIG, ./sandbox.toml, then the user's")
	flags.StringVar(&a.cacheDir, "cache-dir", "", "`directory` for runtimes; default: $SANDBOXD_CACHE_DIR, then the user's cache")
	flags.StringVar(&a.dataDir, "data-dir", "", "`directory` for sessions and added languages; default: $SANDBOXD_DATA_DIR, then the user's data")
	flags.BoolVar(&a.noColor, "no-color", false, "never use colour, as NO_COLOR does")
	root.AddCommand(a.runCommand(), a.profilesCommand(), a.runtimesCommand(), a.packagesCommand(), a.sessionsCommand(), a.serveCommand(), a.pluginCommand(), a.mcpCommand(), a.tokensCommand(), a.benchCommand(), a.versionCommand(), a.compileCommand())
	root.SetFlagErrorFunc(usageError)
	return root
}

// commandWanted refuses arguments of a command that only groups others.
func commandWanted(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q of %q", args[0], cmd.CommandPath())
	if info, statErr := os.Stat(args[0]); statErr == nil && info.Mode().IsRegular() {
		return fmt.Errorf("%w (did you mean \"sandboxd run %s\"?)", err, args[0])
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("%w (did you mean %s?)", err, strings.Join(near, " or "))
	}
	return usageError(cmd, err)
}

// groupCommand is a command that only groups others: alone it prints its help.
func groupCommand(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  commandWanted,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(children...)
	return cmd
}

// atMost is cobra.MaximumNArgs with a message that says what the arguments are.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError(cmd, fmt.Errorf("too many arguments: %s takes %s, got %q as well", cmd.CommandPath(), what, args[n]))
		}
		return nil
	}
}
