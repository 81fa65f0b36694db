package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host/harden"
)

// versions says what this binary was made of.
type versions struct {
	Sandboxd string `json:"sandboxd"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Wazero   string `json:"wazero"`
	Extism   string `json:"extism"`
	// Hardening is what this machine's kernel can do for this binary.
	Hardening []hardeningJSON `json:"hardening"`
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of sandboxd and of its engine",
		Long: `Print the versions of sandboxd and of its engine, and with which of its layers this
machine's kernel can guard the process that runs programs.`,
		Example: "  sandboxd version\n  sandboxd version --json",
		Args:    atMost(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			v := buildVersions()
			if asJSON {
				return a.printJSON(v)
			}
			rows := [][]string{
				{"sandboxd", v.Sandboxd},
				{"go", v.Go + " " + v.Platform},
				{"wazero", v.Wazero},
				{"extism", v.Extism},
			}
			for _, l := range v.Hardening {
				rows = append(rows, []string{l.Layer, ifElse(l.Available, "", "none: ") + l.Detail})
			}
			return a.printTable(rows)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// hardeningJSON is a layer of docs/hardening.md.
type hardeningJSON struct {
	Layer     string `json:"layer"`
	Available bool   `json:"available"`
	Detail    string `json:"detail"` // what it does, or why it is not there
}

// hardening lists the layers that "run" could use on this machine.
func hardening() []hardeningJSON {
	var layers []hardeningJSON
	for _, l := range harden.Available() {
		layers = append(layers, hardeningJSON{l.Name, l.Active, l.Detail})
	}
	return layers
}

// buildVersions reads what the Go linker recorded in this binary.
func buildVersions() versions {
	v := versions{
		Sandboxd: "(unknown)",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Wazero:   "(unknown)",
		Extism:   "(unknown)",

		Hardening: hardening(),
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
