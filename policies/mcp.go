package policies

import (
	"slices"
	"strings"
)

// mcpTools are the tools that agents can be offered, in the order of the documentation.
var mcpTools = []string{
	"execute_code", "cancel_execution",
	"create_session", "list_sessions", "get_active_sessions", "get_workspace_info", "fork_session", "rollback_session",
	"reset_workspace", "destroy_session", "reset_all_sessions",
	"list_files", "read_file", "write_file", "delete_file",
	"list_runtimes", "list_available_packages", "list_profiles", "get_metrics",
}

// MCPTools lists the names of all tools that agents can be offered.
func MCPTools() []string { return slices.Clone(mcpTools) }

// CheckMCPTool refuses what is no tool of [MCPTools], with the nearest one.
func CheckMCPTool(name string) error {
	if slices.Contains(mcpTools, name) {
		return nil
	}
	return invalidf("there is no tool %s%s; tools are %s", quote(name), didYouMean(name, mcpTools), strings.Join(mcpTools, ", "))
}

// MCP holds the [mcp] table: what agents are offered by the Model Context Protocol. Zero
// fields say nothing.
type MCP struct {
	// Tools are the only tools that agents see, and DisableTools those that they do not
	// see of these; where Tools is empty, it is all of them. See [MCPTools].
	Tools, DisableTools []string
	// ExternalFiles are the absolute paths of files and directories that every program
	// of an agent's sees, read-only. Whether they exist is looked at when agents are
	// served. None of them holds the audit log or sessions.
	ExternalFiles []string
	// MaxExternalFileSize is the most bytes that one of these files may have, at most
	// [MaxExternalFileSize].
	MaxExternalFileSize Bytes
	// Rate is how many tools a client may call in a second.
	Rate float64
	// Concurrent is how many programs of one client run at once.
	Concurrent int
}

// Bounds of what a file may say of agents.
const (
	MaxExternalFiles          = 64
	MaxExternalFileSize Bytes = 1 << 40
)

// MCP returns what agents are offered.
func (p *Policy) MCP() MCP {
	m := p.mcp
	m.Tools, m.DisableTools, m.ExternalFiles = slices.Clone(m.Tools), slices.Clone(m.DisableTools), slices.Clone(m.ExternalFiles)
	return m
}
