package main

import (
	"strings"
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
		{"a size", mcpFlags{largest: new(uint64(2))}, func(m *policies.MCP) { m.MaxExternalFileSize = 2 << 20 }},
		{"a rate", mcpFlags{rate: new(0.5), concurrent: new(7)}, func(m *policies.MCP) { m.Rate, m.Concurrent = 0.5, 7 }},
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

func TestNoFlagForAgentsHasAValueThatMeansSomethingElse(t *testing.T) {
	for flag, values := range map[string][]string{
		"rate":                      {"-1", "0", "0.0009", "1000001", "NaN", "Inf", "many", ""},
		"concurrent":                {"-1", "0", "10001", "1.5", "all"},
		"max-external-file-size-mb": {"-1", "0", "1048577", "1.5", "18446744073709551617"},
	} {
		for _, value := range values {
			code, _, stderr := runMain(t, t.TempDir(), "mcp", "--"+flag, value)
			if code != exitFailed || !strings.Contains(stderr, "--"+flag) || !strings.Contains(stderr, "want a number from ") {
				t.Errorf("--%s %q: exit code %d\n%s", flag, value, code, stderr)
			}
		}
	}
}
