package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// app is one invocation of sandboxd: what the process was given, and the flags
// that every command shares.
type app struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer

	config   string // --config
	cacheDir string // --cache-dir
	dataDir  string // --data-dir
	noColor  bool   // --no-color

	trees sync.Map // of packages, by directory, with what keeps others from removing them
}

// run executes the command line args and returns the process's exit code. It
// reads the environment only through getenv.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	a.printError(ctx, err)
	return exitCode(ctx, err)
}

// printError writes err to standard error, every line of it under our name.
func (a *app) printError(ctx context.Context, err error) {
	if err == nil || err.Error() == "" {
		return
	}
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = "canceled"
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			text += ": " + cause.Error()
		}
	}
	for line := range strings.Lines(text) {
		a.note("%s", strings.TrimSuffix(line, "\n"))
	}
}

// note writes one line to standard error. A standard error that is gone is no
// reason to fail.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintf(a.stderr, "sandboxd: "+format+"\n", args...)
}

// policy loads the policy that applies: --config, SANDBOXD_CONFIG, the working
// directory's sandbox.toml, the user's, or the built-in one.
func (a *app) policy() (*policies.Policy, error) {
	path, err := a.policyPath()
	if err != nil {
		return nil, err
	}
	if path == "" {
		return policies.Builtin(), nil
	}
	return policies.Load(path)
}

// policyPath is the file that policy loads; empty for the built-in policy.
func (a *app) policyPath() (string, error) {
	explicit := a.config
	if explicit == "" {
		explicit = a.getenv("SANDBOXD_CONFIG")
	}
	// A machine without a home directory has no user configuration.
	userDir, err := os.UserConfigDir()
	if err != nil {
		userDir = ""
	}
	return policies.Find(explicit, ".", userDir)
}

// cache is the directory for what sandboxd fetches and prepares.
func (a *app) cache() (string, error) {
	dir := a.cacheDir
	if dir == "" {
		dir = a.getenv("SANDBOXD_CACHE_DIR")
	}
	if dir != "" {
		return filepath.Abs(dir)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a cache directory: %w (name one with --cache-dir)", err)
	}
	return filepath.Join(user, "sandboxd"), nil
}

// data is the directory for what sandboxd keeps for its user: sessions, and the
// runtimes that were added.
func (a *app) data() (string, error) {
	dir := a.dataDir
	if dir == "" {
		dir = a.getenv("SANDBOXD_DATA_DIR")
	}
	if dir != "" {
		return filepath.Abs(dir)
	}
	if dir = a.getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) { // others are to be ignored
		return filepath.Join(dir, "sandboxd"), nil
	}
	user, err := userDataDir(a.getenv)
	if err != nil {
		return "", fmt.Errorf("find a data directory: %w (name one with --data-dir)", err)
	}
	return filepath.Join(user, "sandboxd"), nil
}

// userDataDir is where this system's programs keep what belongs to a user.
func userDataDir(getenv func(string) string) (string, error) {
	switch runtime.GOOS {
	case "windows":
		if dir := getenv("LocalAppData"); dir != "" {
			return dir, nil
		}
		return "", errors.New("%LocalAppData% is not set")
	case "darwin", "ios":
		home, err := os.UserHomeDir()
		return filepath.Join(home, "Library", "Application Support"), err
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share"), err
}

// open starts the engine under policy. The caller closes it.
func (a *app) open(ctx context.Context, policy *policies.Policy, registry *runtimes.Registry, progress runtimes.Progress) (*host.Host, error) {
	return a.openWith(ctx, host.Options{Policy: policy, Registry: registry, Progress: progress})
}

// openWith opens an engine with options that lack only what is the same for all.
func (a *app) openWith(ctx context.Context, o host.Options) (_ *host.Host, err error) {
	if o.CacheDir, err = a.cache(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = a.logger()
	}
	o.Getenv = a.getenv
	if self, err := os.Executable(); err == nil {
		o.Compiler = &host.Compiler{Path: self, Args: []string{"sandboxd", compileCommand}}
	}
	return host.Open(ctx, o)
}

// logger carries the engine's warnings to standard error, without the time: a
// command line is read as it happens.
func (a *app) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) == 0 && attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	}))
}

// printJSON writes value as one JSON document: on one line for programs, indented
// for people.
func (a *app) printJSON(value any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	if isTerminal(a.stdout) {
		enc.SetIndent("", "  ")
	}
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// isTerminal reports whether stream, a reader or a writer, is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colored reports whether text for w may carry colour: only on a terminal, and
// only where neither NO_COLOR (https://no-color.org) nor --no-color objects.
func (a *app) colored(w io.Writer) bool {
	return isTerminal(w) && !a.noColor && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

// usageError adds to err where the flags of cmd are explained.
func usageError(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w (see %q)", err, cmd.CommandPath()+" --help")
}
