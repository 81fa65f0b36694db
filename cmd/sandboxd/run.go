package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/external"
	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

const runLong = `Run one program in a fresh sandbox and pass its output through.

The program is a file, the text after -c, or standard input. Its language is that
of --lang, else of the file's extension, else of a first line such as
"#!/usr/bin/env python3"; -c and standard input are Python when nothing says
otherwise. Arguments for the program follow a double dash.

The profile's limits always hold. Flags may tighten them, and raise only those
the profile lists as overridable. The program works in /app: a fresh directory
that is deleted afterwards, the one of --workspace, or what the calls before it in
the same --session left there.

Exit codes: the program's own; 124 out of time; 137 another limit;
125 sandboxd itself failed; 130 interrupted, 143 terminated.`

const runExample = `  sandboxd run hello.py -- Ada Grace
  sandboxd run -c 'print(2 ** 64)'
  sandboxd run --value -c '2 ** 64'
  sandboxd run --mount ./data:/data --workspace ./out report.py
  sandboxd run --fuel 100M --memory 24MiB --timeout 2s --json untrusted.py
  cat access.log | sandboxd run analyze.py
  sandboxd run --session report --persist state -c 'rows = list(range(10))'
  sandboxd run --session report -c 'print(sum(rows))'`

// runFlags are the flags of "run" as they were given.
type runFlags struct {
	code        string
	lang        string
	profile     string
	workspace   string
	session     sessionFlags
	stdin       string
	mounts      []string
	external    []string
	largest     uint64 // MiB of an external file
	env         []string
	json        bool
	fuelProfile string
	value       bool
	alone       bool
	overrides   policies.Overrides
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:     "run [file|-] [flags] [-- args...]",
		Short:   "Run a program in a fresh sandbox",
		Long:    runLong,
		Example: runExample,
		Args:    runArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			files, guestArgs := splitArgs(cmd, args)
			var code *string
			if cmd.Flags().Changed("code") {
				code = &f.code
			}
			src, err := a.readSource(files, code)
			if err != nil {
				return err
			}
			return a.runProgram(cmd.Context(), f, src, guestArgs)
		},
	}
	f.register(cmd)
	cmd.MarkFlagsMutuallyExclusive("workspace", "session")
	a.completeFlag(cmd, "session", a.completeSessions)
	a.completeFlag(cmd, "persist", completePersist)
	a.completeFlag(cmd, "lang", a.completeLanguages)
	a.completeFlag(cmd, "profile", a.completeProfiles)
	return cmd
}

// register declares the flags of "run" on cmd.
func (f *runFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.code, "code", "c", "", "the program's `text`")
	flags.StringVarP(&f.lang, "lang", "l", "", "the program's `language`, such as python")
	flags.StringVarP(&f.profile, "profile", "p", "", "run under profile `name`; default: the policy's default")
	flags.StringVar(&f.workspace, "workspace", "", "use `directory` as /app, writable, and keep it")
	f.session.register(flags)
	flags.StringVar(&f.stdin, "stdin", "", "give the program `file` as standard input")
	flags.StringArrayVar(&f.mounts, "mount", nil, "show a directory to the program: `host:guest[:ro|rw]`; read-only unless rw; may be repeated")
	flags.StringArrayVar(&f.external, "external-files", nil, "show a file or folder at `path` to the program, read-only, in /external; may be repeated")
	flags.Uint64Var(&f.largest, "max-external-file-size-mb", external.DefaultLimit>>20, "refuse external files of more than so many `MiB`")
	flags.StringArrayVar(&f.env, "env", nil, "set an environment variable for the program: `NAME=VALUE`; may be repeated")
	flags.BoolVar(&f.value, "value", false, "print what the program's last expression comes to")
	flags.StringVar(&f.fuelProfile, "profile-fuel", "", "show which functions used fuel, and write a pprof profile if `file` is given: --profile-fuel=file")
	flags.Lookup("profile-fuel").NoOptDefVal = profileTable
	flags.BoolVar(&f.json, "json", false, "print the result, output included, as one JSON object")
	flags.BoolVar(&f.alone, "no-daemon", false, "run the program in this process, whether a daemon serves or not")

	o := &f.overrides
	flags.Var(optional[uint64]{&o.Fuel, parseCount, "count"}, "fuel", "limit instructions, such as 500_000_000 or 500M")
	flags.Var(optional[policies.Bytes]{&o.Memory, policies.ParseBytes, "size"}, "memory", "limit linear memory, such as 32MiB")
	flags.Var(optional[policies.Duration]{&o.Timeout, policies.ParseDuration, "duration"}, "timeout", "limit wall time, such as 1.5s")
	flags.Var(optional[policies.Bytes]{&o.Stdout, policies.ParseBytes, "size"}, "stdout", "limit standard output, such as 100KB")
	flags.Var(optional[policies.Bytes]{&o.Stderr, policies.ParseBytes, "size"}, "stderr", "limit standard error, such as 100KB")
	flags.Var(optional[policies.Bytes]{&o.DiskQuota, policies.ParseBytes, "size"}, "disk", "limit what it writes to files, such as 50MiB")
	flags.Var(optional[uint64]{&o.DiskFiles, parseCount, "count"}, "files", "limit the number of files it makes")
}

// runArgs accepts one file before the double dash and anything after it.
func runArgs(cmd *cobra.Command, args []string) error {
	files, _ := splitArgs(cmd, args)
	if len(files) > 1 {
		return usageError(cmd, fmt.Errorf("find the program: one file at a time, got %q and %q; arguments for the program go after \"--\"", files[0], files[1]))
	}
	return nil
}

// splitArgs parts the arguments of sandboxd from those of the program.
func splitArgs(cmd *cobra.Command, args []string) (ours, guests []string) {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[:dash], args[dash:]
	}
	return args, nil
}

// runProgram runs src as f asks and reports how it went.
func (a *app) runProgram(ctx context.Context, f runFlags, src source, args []string) (err error) {
	policy, err := a.policy()
	if err != nil {
		return err
	}
	registry, err := a.registry()
	if err != nil {
		return err
	}
	in, err := a.openSession(ctx, &f, &src)
	if err != nil {
		return err
	}
	req, err := f.request(src, args, registry)
	if err != nil {
		return err
	}
	if in != nil {
		if in, err = in.enter(ctx, policy, registry, &req); err != nil {
			return err
		}
	}
	input, closeInput, err := a.guestInput(f.stdin, src)
	if err != nil {
		return err
	}
	defer closeInput()
	req.Stdin = input
	profiled, err := openProfile(f.fuelProfile)
	if err != nil {
		return err
	}
	out, err := a.execute(ctx, policy, registry, req, in, f.json, f.alone)
	if err != nil {
		_ = profiled.Close() // nil is fine, and there is nothing in it
		return in.explain(err)
	}
	in.notes(a, out.result)
	if req.ProfileFuel {
		if err := a.writeProfile(out.result, profiled, f.json); err != nil {
			return err
		}
	}
	if f.json {
		return a.reportJSON(ctx, out.result)
	}
	profile, err := effective(policy, f) // not before: the host records refusals
	if err != nil {
		return err
	}
	return a.report(ctx, outcome{out, policy, profile, f.overrides})
}

// effective is the profile that f asks for, tightened as f asks.
func effective(policy *policies.Policy, f runFlags) (*policies.Profile, error) {
	profile, err := policy.Profile(f.profile)
	if err != nil {
		return nil, err
	}
	return profile.With(f.overrides)
}

// request is everything the engine needs apart from the streams.
func (f *runFlags) request(src source, args []string, registry *runtimes.Registry) (host.Request, error) {
	def, err := language(f.lang, src, registry)
	if err != nil {
		return host.Request{}, err
	}
	env, err := parseEnv(f.env)
	if err != nil {
		return host.Request{}, err
	}
	mounts, err := parseMounts(f.mounts)
	if err != nil {
		return host.Request{}, err
	}
	shown, err := external.Mounts(f.external, int64(min(f.largest, 1<<40))<<20) //nolint:gosec // bounded
	if err != nil {
		return host.Request{}, err
	}
	return host.Request{
		Interface: guidance.CLI,
		Language:  cmp.Or(f.lang, def.Name), // an alias may say more than the name
		Code:      src.code,
		Filename:  src.label,
		Args:      args,
		Env:       env,
		Profile:   f.profile,
		Overrides: f.overrides,
		Workspace: f.workspace,
		Mounts:    append(mounts, shown...),
		WantValue: f.value,

		ProfileFuel: f.fuelProfile != "",
	}, nil
}

// guestInput is the program's standard input: the file of --stdin, nothing when
// ours held the program, else ours.
func (a *app) guestInput(path string, src source) (io.Reader, func(), error) {
	switch {
	case path != "":
		f, err := os.Open(path) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, nil, fmt.Errorf("open standard input: %w", err)
		}
		return f, func() { _ = f.Close() }, nil
	case src.piped:
		return nil, func() {}, nil
	default:
		return a.stdin, func() {}, nil
	}
}
