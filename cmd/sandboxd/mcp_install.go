package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/internal/jsonedit"
)

// agentClient is a program that starts MCP servers, and where it keeps which.
type agentClient struct {
	name  string
	title string
	group string // the object in its file
	typed bool   // entries say how the server is reached
	// file is its file below the directory of the user's home or configuration.
	home, config string
}

var agentClients = []agentClient{
	{name: "claude-desktop", title: "Claude Desktop", group: "mcpServers", config: "Claude/claude_desktop_config.json"},
	{name: "claude-code", title: "Claude Code", group: "mcpServers", typed: true, home: ".claude.json"},
	{name: "cursor", title: "Cursor", group: "mcpServers", home: ".cursor/mcp.json"},
	{name: "vscode", title: "VS Code", group: "servers", typed: true, config: "Code/User/mcp.json"},
}

func clientNames() []string {
	names := make([]string, len(agentClients))
	for i, c := range agentClients {
		names[i] = c.name
	}
	return names
}

// backupSuffix is what the file as it was is called.
const backupSuffix = ".before-sandboxd"

// serverEntry is a server in a client's file.
type serverEntry struct {
	Type    string   `json:"type,omitempty"`
	Command string   `json:"command"`
	Args    []string `json:"args"`
}

// installFlags are the flags of "mcp install" and "mcp uninstall" as they were given.
type installFlags struct {
	file  string
	name  string
	print bool
	yes   bool
}

func (f *installFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "file", "", "change `file` instead of the client's own")
	cmd.Flags().StringVar(&f.name, "name", "sandboxd", "what the client calls the server: `name`")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
}

// clientArgs accepts a client's name, and arguments after a double dash.
func clientArgs(cmd *cobra.Command, args []string) error {
	ours, _ := splitArgs(cmd, args)
	if len(ours) != 1 || !slices.Contains(clientNames(), ours[0]) {
		return usageError(cmd, fmt.Errorf("name one client: %s", strings.Join(clientNames(), ", ")))
	}
	return nil
}

func (a *app) mcpInstallCommand() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:   "install client [flags] [-- flags of mcp...]",
		Short: "Make an agents' program start sandboxd",
		Long: `Make an agents' program start sandboxd: claude-desktop, claude-code, cursor or vscode.

What is to change in its configuration is shown, and written when you agree. Everything
else in the file stays as it is, and the file as it was is kept beside it. A file that
is not plain JSON, such as one with comments, is not touched: the entry is printed for
you to add. What follows a double dash is passed to "sandboxd mcp", and so are --config,
--cache-dir and --data-dir, as absolute paths: clients start the server in a directory of
their own.`,
		Example: `  sandboxd mcp install claude-desktop
  sandboxd mcp install cursor --yes -- --profile relaxed --external-files /home/ada/data
  sandboxd mcp install vscode --print`,
		Args:      clientArgs,
		ValidArgs: clientNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			ours, rest := splitArgs(cmd, args)
			return a.installClient(clientNamed(ours[0]), f, rest)
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&f.print, "print", false, "print the entry, and change nothing")
	return cmd
}

func (a *app) mcpUninstallCommand() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:   "uninstall client",
		Short: "Undo mcp install",
		Long: `Undo "mcp install". The file becomes what it was; if it was changed since, only the
entry of sandboxd is removed.`,
		Example:   "  sandboxd mcp uninstall cursor",
		Args:      clientArgs,
		ValidArgs: clientNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.uninstallClient(clientNamed(args[0]), f)
		},
	}
	f.register(cmd)
	return cmd
}

func clientNamed(name string) agentClient {
	i := slices.IndexFunc(agentClients, func(c agentClient) bool { return c.name == name })
	return agentClients[i] // clientArgs made sure of it
}

// path is the client's file on this system.
func (c agentClient) path() (string, error) {
	if c.home != "" {
		dir, err := os.UserHomeDir()
		return filepath.Join(dir, filepath.FromSlash(c.home)), err
	}
	dir, err := os.UserConfigDir()
	if runtime.GOOS == "windows" && err != nil {
		err = errors.New("%AppData% is not set")
	}
	return filepath.Join(dir, filepath.FromSlash(c.config)), err
}

// entry is what starts sandboxd for the client.
func (c agentClient) entry(args []string) (serverEntry, error) {
	self, err := os.Executable()
	if err != nil {
		return serverEntry{}, err
	}
	e := serverEntry{Command: self, Args: append([]string{"mcp", "--client", c.name}, args...)}
	if c.typed {
		e.Type = "stdio"
	}
	return e, nil
}

// open reads the client's file, following links to where it is.
func (f installFlags) open(c agentClient) (path string, data []byte, err error) {
	path = f.file
	if path == "" {
		if path, err = c.path(); err != nil {
			return "", nil, fmt.Errorf("find the configuration of %s: %w (name it with --file)", c.title, err)
		}
	}
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	data, err = os.ReadFile(path) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil, nil
	}
	return path, data, err
}

// globalArgs are the global flags that were given, for a server that is started in
// another directory.
func (a *app) globalArgs() ([]string, error) {
	var args []string
	for _, flag := range []struct{ name, path string }{
		{"--config", a.config}, {"--cache-dir", a.cacheDir}, {"--data-dir", a.dataDir},
	} {
		if flag.path == "" {
			continue
		}
		path, err := filepath.Abs(flag.path)
		if err != nil {
			return nil, err
		}
		args = append(args, flag.name, path)
	}
	return args, nil
}

func (a *app) installClient(c agentClient, f installFlags, args []string) error {
	global, err := a.globalArgs()
	if err != nil {
		return err
	}
	args = append(global, args...) // those after the dash count more
	entry, err := c.entry(args)
	if err != nil {
		return err
	}
	whole, err := jsonedit.Set(nil, c.group, f.name, entry)
	if err != nil {
		return err
	}
	if f.print {
		_, err := a.stdout.Write(whole)
		return err
	}
	path, before, err := f.open(c)
	if err != nil {
		return err
	}
	after, err := jsonedit.Set(before, c.group, f.name, entry)
	if err != nil {
		return fmt.Errorf("%s: %w; it was not changed. Add this to it yourself:\n%s", path, err, whole)
	}
	if bytes.Equal(before, after) {
		a.note("%s is as it should be", path)
		return nil
	}
	if err := a.agree(f, path, before, after); err != nil {
		return err
	}
	if before != nil {
		if err := replaceFile(path+backupSuffix, before); err != nil {
			return err
		}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := replaceFile(path, after); err != nil {
		return err
	}
	a.note("%s will start sandboxd; restart it. \"sandboxd mcp uninstall %s\" undoes this", c.title, c.name)
	return nil
}

func (a *app) uninstallClient(c agentClient, f installFlags) error {
	path, before, err := f.open(c)
	if err != nil {
		return err
	}
	after, err := jsonedit.Remove(before, c.group, f.name)
	if err != nil {
		return fmt.Errorf("%s: %w; it was not changed: remove %q from %q yourself", path, err, f.name, c.group)
	}
	if bytes.Equal(before, after) {
		a.note("%s has no server %q; nothing was changed", path, f.name)
		return nil
	}
	backup, err := os.ReadFile(path + backupSuffix) //nolint:gosec // beside what the operator names
	if err == nil && sameBut(backup, after, c.group, f.name) {
		after = backup
	}
	if err := a.agree(f, path, before, after); err != nil {
		return err
	}
	if err := replaceFile(path, after); err != nil {
		return err
	}
	if err := os.Remove(path + backupSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	a.note("%s will not start sandboxd any more", c.title)
	return nil
}

// sameBut reports whether a file is what a backup is without a server, and the backup
// has none of that name itself.
func sameBut(backup, without []byte, group, name string) bool {
	clean, err := jsonedit.Remove(backup, group, name)
	if err != nil || !bytes.Equal(clean, backup) {
		return false
	}
	var one, other map[string]any
	if json.Unmarshal(backup, &one) != nil || json.Unmarshal(without, &other) != nil {
		return false
	}
	for _, m := range []map[string]any{one, other} { // an empty group says nothing
		if g, ok := m[group].(map[string]any); ok && len(g) == 0 {
			delete(m, group)
		}
	}
	return reflect.DeepEqual(one, other)
}

// agree shows a change and asks whether to make it.
func (a *app) agree(f installFlags, path string, before, after []byte) error {
	if _, err := fmt.Fprintf(a.stdout, "%s\n%s", path, difference(string(before), string(after))); err != nil {
		return err
	}
	if f.yes {
		return nil
	}
	if !isTerminal(a.stdin) {
		return errors.New("nothing was changed: say --yes to change it without being asked")
	}
	if _, err := fmt.Fprint(a.stdout, "Change it? [y/N] "); err != nil {
		return err
	}
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil || !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
		return errors.New("nothing was changed")
	}
	return nil
}

// difference is one change of a text, with some lines around it.
func difference(before, after string) string {
	const around = 3
	old, now := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	head := 0
	for head < len(old) && head < len(now) && old[head] == now[head] {
		head++
	}
	tail := 0
	for tail < len(old)-head && tail < len(now)-head && old[len(old)-1-tail] == now[len(now)-1-tail] {
		tail++
	}
	var b strings.Builder
	write := func(mark string, lines []string) {
		for _, line := range lines {
			if line != "" {
				b.WriteString(mark + strings.TrimSuffix(line, "\n") + "\n")
			}
		}
	}
	write("  ", now[max(0, head-around):head])
	write("- ", old[head:len(old)-tail])
	write("+ ", now[head:len(now)-tail])
	write("  ", now[len(now)-tail:min(len(now), len(now)-tail+around)])
	return b.String()
}

// replaceFile writes a file that is the old one or the new one, whatever happens, with
// the mode that it had; a new one is the user's alone, as it may hold secrets.
func replaceFile(path string, data []byte) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".sandboxd-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary.Name()))
		}
	}()
	if info, statErr := os.Stat(path); statErr == nil {
		if err := temporary.Chmod(info.Mode().Perm()); err != nil && runtime.GOOS != "windows" {
			return errors.Join(err, temporary.Close())
		}
	}
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
