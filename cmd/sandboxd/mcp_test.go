package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/policies"
)

func TestFlagsCountMoreThanWhatThePolicyOffersAgents(t *testing.T) {
	said := policies.MCP{
		Tools: []string{"execute_code", "read_file"}, DisableTools: []string{"read_file"},
		ExternalFiles: []string{"/docs"}, MaxExternalFileSize: 5, Rate: 2, Concurrent: 3,
	}
	tests := []struct {
		name  string
		flags mcpFlags
		want  func(*policies.MCP)
	}{
		{"no flags", mcpFlags{}, func(*policies.MCP) {}},
		{"tools are all that there are", mcpFlags{tools: []string{"read_file"}}, func(m *policies.MCP) { m.Tools, m.DisableTools = []string{"read_file"}, nil }},
		{"tools that are left out leave the others", mcpFlags{without: []string{"execute_code"}}, func(m *policies.MCP) { m.DisableTools = []string{"execute_code"} }},
		{"files", mcpFlags{external: []string{"x", "y"}}, func(m *policies.MCP) { m.ExternalFiles = []string{"x", "y"} }},
		{"a size", mcpFlags{largest: 2}, func(m *policies.MCP) { m.MaxExternalFileSize = 2 << 20 }},
		{"a size beyond all sizes", mcpFlags{largest: 1 << 63}, func(m *policies.MCP) { m.MaxExternalFileSize = policies.MaxExternalFileSize }},
		{"a rate without a limit", mcpFlags{rate: -1, concurrent: 7}, func(m *policies.MCP) { m.Rate, m.Concurrent = -1, 7 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := said
			test.want(&want)
			if diff := cmp.Diff(want, test.flags.over(said)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
