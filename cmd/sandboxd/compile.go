package main

import (
	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
)

// compileCommand is what sandboxd calls itself by to compile a module that nobody
// trusts; see host.Compiler.
const compileCommand = "compile"

func (a *app) compileCommand() *cobra.Command {
	return &cobra.Command{
		Use:                compileCommand,
		Short:              "Compile a module on sandboxd's own behalf",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := host.CompileModule(cmd.Context(), args, a.stderr); code != 0 {
				return &exitError{code: code}
			}
			return nil
		},
	}
}
