package mcp

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
)

type runtimeInfo struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Aliases    []string `json:"aliases"`
	Extensions []string `json:"extensions"`
}

type runtimeList struct {
	Runtimes []runtimeInfo `json:"runtimes"`
	Default  string        `json:"default"`
}

type packagesInput struct {
	Language string `json:"language,omitempty" jsonschema:"list those of this language only"`
}

type packageInfo struct {
	Language string   `json:"language"`
	Version  string   `json:"version"`
	Library  string   `json:"library" jsonschema:"what of the language's own library there is"`
	Packages []string `json:"packages" jsonschema:"what can be imported beside it"`
}

type packageList struct {
	Languages []packageInfo `json:"languages"`
}

type profileInfo struct {
	Name           string      `json:"name"`
	Default        bool        `json:"default"`
	Fuel           uint64      `json:"fuel" jsonschema:"instructions a program may execute"`
	MemoryBytes    uint64      `json:"memory_bytes"`
	TimeoutSeconds float64     `json:"timeout_seconds"`
	StdoutBytes    uint64      `json:"stdout_bytes"`
	StderrBytes    uint64      `json:"stderr_bytes"`
	DiskBytes      uint64      `json:"disk_bytes"`
	DiskFiles      uint64      `json:"disk_files"`
	History        int         `json:"history" jsonschema:"turns of a session that rollback_session can undo"`
	Overridable    []string    `json:"overridable" jsonschema:"limits that a call may raise"`
	Mounts         []mountInfo `json:"mounts" jsonschema:"directories that programs see beside /app"`
	Network        []string    `json:"network" jsonschema:"what programs may ask of the network: nothing, if this is empty"`
}

type mountInfo struct {
	Path     string `json:"path"`
	Writable bool   `json:"writable"`
}

type profileList struct {
	Profiles []profileInfo `json:"profiles"`
}

func (c *client) addCatalog() {
	t := func(name, title string, text ...string) tool {
		return tool{name: name, title: title, effect: reads, text: lines(text...), tailor: c.tailored}
	}
	add(c, t("list_runtimes", "List languages",
		"List the languages that execute_code runs, with versions and other names. Examples: {}"), c.listRuntimes)
	add(c, t("list_available_packages", "List packages",
		"List what programs can import: each language's own library, and the packages beside it. Nothing else can be installed.",
		"Use it after an import failed, before trying other packages. Examples: {}; {\"language\": \"python\"}"), c.listPackages)
	add(c, t("list_profiles", "List profiles",
		"List the profiles that you may run programs under, with their limits: instructions, memory, time, output and disk.",
		"Use it when a program ran into a limit. Examples: {}"), c.listProfiles)
	add(c, t("get_metrics", "Show what you used",
		"Show your calls of tools with their times, and what your programs used. Examples: {}"), c.getMetrics)
}

func (c *client) listRuntimes(context.Context, *sdk.CallToolRequest, empty) (reply[runtimeList], error) {
	list := runtimeList{Default: c.defaultLanguage(), Runtimes: []runtimeInfo{}}
	text := []string{}
	for _, d := range c.service.Runtimes() {
		list.Runtimes = append(list.Runtimes, runtimeInfo{d.Name, d.Version, append([]string{}, d.Aliases...), append([]string{}, d.Extensions...)})
		text = append(text, fmt.Sprintf("%s %s (%s)", d.Name, d.Version, strings.Join(d.Aliases, ", ")))
	}
	return reply[runtimeList]{out: list, text: lines(text...)}, nil
}

// libraries say what of a language's own library there is.
var libraries = map[string]string{
	"python":     "most of the standard library (json, csv, re, math, statistics, datetime, sqlite3 where it was built in, and so on); no sockets, threads or subprocesses",
	"javascript": "the language's own objects, with modules and parts of Node.js's library such as node:fs, node:path and console; no network or child processes",
	"ruby":       "the language's own classes and much of the standard library; no sockets or processes",
}

func (c *client) listPackages(_ context.Context, _ *sdk.CallToolRequest, in packagesInput) (reply[packageList], error) {
	list := packageList{Languages: []packageInfo{}}
	text := []string{}
	for _, d := range c.service.Runtimes() {
		wanted := in.Language == "" || in.Language == d.Name
		for _, alias := range d.Aliases {
			wanted = wanted || in.Language == alias
		}
		if !wanted {
			continue
		}
		library := libraries[d.Name]
		if library == "" {
			library = "the language's own"
		}
		packages := append([]string{}, c.packages(d.Name)...)
		list.Languages = append(list.Languages, packageInfo{d.Name, d.Version, library, packages})
		beside := "none"
		if len(packages) > 0 {
			beside = strings.Join(packages, ", ")
		}
		text = append(text, fmt.Sprintf("%s %s: %s. Packages beside it: %s.", d.Name, d.Version, library, beside))
	}
	if len(list.Languages) == 0 {
		return reply[packageList]{}, fmt.Errorf("language %.64q: %w", in.Language, service.ErrNotFound)
	}
	return reply[packageList]{out: list, text: lines(text...)}, nil
}

func (c *client) listProfiles(context.Context, *sdk.CallToolRequest, empty) (reply[profileList], error) {
	list := profileList{Profiles: []profileInfo{}}
	text := []string{}
	for i, p := range c.profiles {
		info := profileInfo{
			Name: p.Name, Default: i == 0, Fuel: p.Fuel, MemoryBytes: uint64(p.Memory),
			TimeoutSeconds: time.Duration(p.Timeout).Seconds(), StdoutBytes: uint64(p.Stdout), StderrBytes: uint64(p.Stderr),
			DiskBytes: uint64(p.Disk.Quota), DiskFiles: p.Disk.Files, History: p.Sessions.History,
			Overridable: append([]string{}, p.Overridable...), Mounts: c.mounts(p), Network: []string{},
		}
		for _, rule := range p.Network.Allow {
			info.Network = append(info.Network, fmt.Sprint(rule))
		}
		list.Profiles = append(list.Profiles, info)
		text = append(text, p.Name+": "+limitsOf(p))
	}
	text[0] += " (the default)"
	return reply[profileList]{out: list, text: lines(text...)}, nil
}

// mounts are what a program sees beside its workspace: by its own names alone.
func (c *client) mounts(p *policies.Profile) []mountInfo {
	mounts := []mountInfo{}
	for _, m := range p.Mounts {
		mounts = append(mounts, mountInfo{m.Guest, m.Writable})
	}
	for _, m := range c.external {
		mounts = append(mounts, mountInfo{m.Guest, m.Writable})
	}
	return mounts
}

// limitsOf are a profile's limits in a line.
func limitsOf(p *policies.Profile) string {
	return fmt.Sprintf("%d million instructions, %s memory, %v, %s stdout, %s of files",
		p.Fuel/1_000_000, size(uint64(p.Memory)), time.Duration(p.Timeout), size(uint64(p.Stdout)), size(uint64(p.Disk.Quota)))
}

// size is a number of bytes for reading.
func size(n uint64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1_000_000:
		return fmt.Sprintf("%g MB", float64(n/10_000)/100)
	}
	return fmt.Sprintf("%g KB", float64(n/10)/100)
}
