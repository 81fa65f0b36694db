package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versions says what this binary was made of.
type versions struct {
	Sandboxd string `json:"sandboxd"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Wazero   string `json:"wazero"`
	Extism   string `json:"extism"`
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of sandboxd and of its engine",
		Example: "  sandboxd version\n  sandboxd version --json",
		Args:    atMost(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			v := buildVersions()
			if asJSON {
				return a.printJSON(v)
			}
			return a.printTable([][]string{
				{"sandboxd", v.Sandboxd},
				{"go", v.Go + " " + v.Platform},
				{"wazero", v.Wazero},
				{"extism", v.Extism},
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// buildVersions reads what the Go linker recorded in this binary.
func buildVersions() versions {
	v := versions{
		Sandboxd: "(unknown)",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Wazero:   "(unknown)",
		Extism:   "(unknown)",
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Sandboxd = info.Main.Version
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/tetratelabs/wazero":
			v.Wazero = moduleVersion(dep)
		case "github.com/extism/go-sdk":
			v.Extism = moduleVersion(dep)
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}

// moduleVersion is the version that was built in, which a replacement hides.
func moduleVersion(m *debug.Module) string {
	if m.Replace != nil {
		return fmt.Sprintf("%s => %s %s", m.Version, m.Replace.Path, m.Replace.Version)
	}
	return m.Version
}
