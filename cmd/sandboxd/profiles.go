package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/policies"
)

func (a *app) profilesCommand() *cobra.Command {
	return groupCommand("profiles", "List, explain and check profiles",
		a.profilesListCommand(), a.profilesShowCommand(), a.profilesCheckCommand())
}

func (a *app) profilesListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the profiles of the policy",
		Example: "  sandboxd profiles list\n  sandboxd profiles list --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(*cobra.Command, []string) error { return a.listProfiles(asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) profilesShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [name]",
		Short: "Print a profile's effective values and where each comes from",
		Long: `Print every effective value of a profile, the default one when no name is
given, and where it was set: a line of a file, or a built-in profile.`,
		Example: "  sandboxd profiles show\n  sandboxd profiles show relaxed --json",
		Args:    atMost(1, "one profile"),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.showProfile(strings.Join(args, ""), asJSON)
		},
		ValidArgsFunction: firstArg(a.completeProfiles),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) profilesCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [file]",
		Short: "Check a policy file and print every problem in it",
		Long: `Check a policy file: the one given, or the one that applies here. Every
problem is printed with its line. The exit code is 0 when there is none and 1
when there is one; 125 when there is no such file.`,
		Example: "  sandboxd profiles check\n  sandboxd profiles check ./sandbox.toml --json",
		Args:    atMost(1, "one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.checkPolicy(strings.Join(args, ""), asJSON)
		},
		ValidArgsFunction: cobra.FixedCompletions([]string{"toml"}, cobra.ShellCompDirectiveFilterFileExt),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// profileJSON is a profile as --json prints it.
type profileJSON struct {
	Name           string            `json:"name"`
	Default        bool              `json:"default"`
	Fuel           uint64            `json:"fuel"`
	Memory         uint64            `json:"memory"`
	Stdout         uint64            `json:"stdout"`
	Stderr         uint64            `json:"stderr"`
	TimeoutSeconds float64           `json:"timeout_seconds"`
	Disk           diskJSON          `json:"disk"`
	Tools          toolsJSON         `json:"tools"`
	Env            map[string]string `json:"env"`
	Mounts         []mountJSON       `json:"mounts"`
	OutputLimit    string            `json:"output_limit"`
	Overridable    []string          `json:"overridable"`
	Sessions       sessionsJSON      `json:"sessions"`
	Network        *networkJSON      `json:"network,omitempty"`
}

// networkJSON is a network grant. Of headers it says where their values come from.
type networkJSON struct {
	Allow          []string     `json:"allow"`
	Requests       uint64       `json:"requests"`
	MaxRequest     uint64       `json:"max_request"`
	MaxResponse    uint64       `json:"max_response"`
	Total          uint64       `json:"total"`
	TimeoutSeconds float64      `json:"timeout_seconds"`
	Private        []string     `json:"private"`
	Headers        []headerJSON `json:"headers"`
}

type headerJSON struct {
	Match string `json:"match"`
	Name  string `json:"name"`
	Env   string `json:"env,omitempty"`
	File  string `json:"file,omitempty"`
}

// newNetworkJSON is nil for a profile without network.
func newNetworkJSON(n policies.Network) *networkJSON {
	if len(n.Allow) == 0 {
		return nil
	}
	out := &networkJSON{
		Requests:       n.Requests,
		MaxRequest:     uint64(n.MaxRequest),
		MaxResponse:    uint64(n.MaxResponse),
		Total:          uint64(n.Total),
		TimeoutSeconds: time.Duration(n.Timeout).Seconds(),
		Private:        []string{},
		Headers:        []headerJSON{},
	}
	for _, p := range n.Allow {
		out.Allow = append(out.Allow, p.String())
	}
	for _, a := range n.Private {
		out.Private = append(out.Private, a.String())
	}
	for _, h := range n.Headers {
		out.Headers = append(out.Headers, headerJSON{h.Match.String(), h.Name, h.Env, h.File})
	}
	return out
}

type toolsJSON struct {
	Calls          uint64  `json:"calls"`
	MaxRequest     uint64  `json:"max_request"`
	MaxResponse    uint64  `json:"max_response"`
	Total          uint64  `json:"total"`
	TimeoutSeconds float64 `json:"timeout_seconds"`
}

func newToolsJSON(t policies.Tools) toolsJSON {
	return toolsJSON{t.Calls, uint64(t.MaxRequest), uint64(t.MaxResponse), uint64(t.Total), time.Duration(t.Timeout).Seconds()}
}

type sessionsJSON struct {
	History int `json:"history"`
}

type diskJSON struct {
	Quota     uint64 `json:"quota"`
	Files     uint64 `json:"files"`
	FileSize  uint64 `json:"file_size"`
	Depth     uint64 `json:"depth"`
	OpenFiles uint64 `json:"open_files"`
}

func newDiskJSON(d policies.Disk) diskJSON {
	return diskJSON{uint64(d.Quota), d.Files, uint64(d.Largest()), d.Depth, d.OpenFiles}
}

type mountJSON struct {
	Host     string `json:"host"`
	Guest    string `json:"guest"`
	Writable bool   `json:"writable"`
}

func newProfileJSON(policy *policies.Policy, p *policies.Profile) profileJSON {
	out := profileJSON{
		Name:           p.Name,
		Default:        p.Name == policy.Default(),
		Fuel:           p.Fuel,
		Memory:         uint64(p.Memory),
		Stdout:         uint64(p.Stdout),
		Stderr:         uint64(p.Stderr),
		TimeoutSeconds: time.Duration(p.Timeout).Seconds(),
		Disk:           newDiskJSON(p.Disk),
		Tools:          newToolsJSON(p.Tools),
		Env:            p.Env,
		Mounts:         []mountJSON{},
		OutputLimit:    p.OutputLimit,
		Overridable:    append([]string{}, p.Overridable...),
		Sessions:       sessionsJSON{p.Sessions.History},
		Network:        newNetworkJSON(p.Network),
	}
	for _, m := range p.Mounts {
		out.Mounts = append(out.Mounts, mountJSON{m.Host, m.Guest, m.Writable})
	}
	return out
}

func (a *app) listProfiles(asJSON bool) error {
	policy, err := a.policy()
	if err != nil {
		return err
	}
	list := []profileJSON{}
	rows := [][]string{{"NAME", "FUEL", "MEMORY", "TIMEOUT", "STDOUT", "DISK", ""}}
	for _, name := range policy.Names() {
		p, err := policy.Profile(name)
		if err != nil {
			return err
		}
		list = append(list, newProfileJSON(policy, p))
		rows = append(rows, []string{
			name, grouped(p.Fuel), p.Memory.String(), p.Timeout.String(), p.Stdout.String(), p.Disk.Quota.String(),
			ifElse(name == policy.Default(), "(default)", ""),
		})
	}
	if asJSON {
		return a.printJSON(map[string]any{"path": policy.Path(), "profiles": list})
	}
	return a.printTable(rows)
}

// settingJSON is a line of "profiles show" as --json prints it.
type settingJSON struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

func (a *app) showProfile(name string, asJSON bool) error {
	policy, err := a.policy()
	if err != nil {
		return err
	}
	p, err := policy.Profile(name)
	if err != nil {
		return err
	}
	settings, err := policy.Explain(name)
	if err != nil {
		return err
	}
	rows := [][]string{{"PROFILE " + p.Name, "VALUE", "FROM"}}
	list := []settingJSON{}
	for _, s := range settings {
		rows = append(rows, []string{s.Key, s.Value, s.Origin})
		list = append(list, settingJSON(s))
	}
	if asJSON {
		return a.printJSON(map[string]any{"path": policy.Path(), "profile": newProfileJSON(policy, p), "settings": list})
	}
	return a.printTable(rows)
}

// problemJSON is one finding of "profiles check". Line is 0 when it concerns the
// whole file.
type problemJSON struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

func (a *app) checkPolicy(path string, asJSON bool) error {
	if path == "" {
		var err error
		if path, err = a.policyPath(); err != nil {
			return err
		}
	}
	policy, err := policies.Builtin(), error(nil)
	if path != "" {
		policy, err = policies.Load(path)
	}
	if err != nil && !errors.Is(err, policies.ErrInvalid) {
		return err
	}
	if err == nil {
		registry, failed := a.registry()
		if failed != nil {
			return failed
		}
		err = checkPreloads(policy, registry)
	}
	if asJSON {
		found := problemsOf(path, err)
		if printErr := a.printJSON(map[string]any{"path": path, "valid": err == nil, "problems": found}); printErr != nil {
			return printErr
		}
		return exitWith(ifElse(err == nil, exitOK, exitProblems))
	}
	if err != nil {
		return &exitError{code: exitProblems, cause: err}
	}
	name := ifElse(path == "", "the built-in policy", filepath.Clean(path))
	return a.printTable([][]string{{fmt.Sprintf("%s: no problems; %d profiles, default %q", name, len(policy.Names()), policy.Default())}})
}

// problemLine is how the packages that read files begin a line about line 3 of
// one: "FILE:3: ".
var problemLine = regexp.MustCompile(`^:(\d+): `)

// problemsOf parts the error of a policy file into its problems, one a line.
func problemsOf(path string, err error) []problemJSON {
	found := []problemJSON{}
	if err == nil {
		return found
	}
	for text := range strings.Lines(err.Error()) {
		problem := problemJSON{File: path, Message: strings.TrimSuffix(text, "\n")}
		if rest, ok := strings.CutPrefix(problem.Message, path); ok {
			if at := problemLine.FindStringSubmatch(rest); at != nil {
				problem.Line, _ = strconv.Atoi(at[1]) // digits; 0 if there are absurdly many
				problem.Message = rest[len(at[0]):]
			}
		}
		found = append(found, problem)
	}
	return found
}

// ifElse is yes when claim holds and no otherwise.
func ifElse[T any](claim bool, yes, no T) T {
	if claim {
		return yes
	}
	return no
}
