package policies

import (
	"path/filepath"
	"slices"
)

// agents reads the [mcp] table.
func (p *parser) agents(v value, f *file) {
	m, disabled := &f.mcp, v.line()
	p.table(v, fields{
		"tools":                  func(v value) { m.Tools = p.agentTools(v) },
		"disable_tools":          func(v value) { m.DisableTools, disabled = p.agentTools(v), v.line() },
		"external_files":         func(v value) { p.externalFiles(v, f) },
		"max_external_file_size": func(v value) { m.MaxExternalFileSize = p.externalFileSize(v) },
		"rate":                   func(v value) { m.Rate = p.rate(v, "calls", "to let sandboxd decide") },
		"concurrent":             func(v value) { m.Concurrent = p.count(v, MaxConcurrentLimit) },
	})
	if len(m.DisableTools) > 0 {
		p.someTool(*m, disabled)
	}
}

// someTool refuses lists that leave no tool at all.
func (p *parser) someTool(m MCP, line int) {
	offered, key := m.Tools, "mcp.tools"
	if len(offered) == 0 {
		offered, key = mcpTools, "all that there are"
	}
	if !slices.ContainsFunc(offered, func(name string) bool { return !slices.Contains(m.DisableTools, name) }) {
		p.addf(line, "mcp.disable_tools: leaves no tool of %s; take one off the list", key)
	}
}

// agentTools reads names of tools. An empty list could be meant as all or as none.
func (p *parser) agentTools(v value) []string {
	if list, ok := v.data.([]any); ok && len(list) == 0 {
		p.addf(v.line(), "%s: is empty; name a tool, or leave the key out", v.key)
		return nil
	}
	return p.words(v, `tools such as ["execute_code", "list_files"]`, "the name of a tool", CheckMCPTool)
}

// externalFiles reads the paths of what agents' programs see.
func (p *parser) externalFiles(v value, f *file) {
	paths := p.words(v, `paths such as ["docs"]`, "a path", func(path string) error {
		_, err := p.externalFile(path)
		return err
	})
	if len(paths) > MaxExternalFiles {
		p.addf(v.line(), "%s: %d paths are above the maximum of %d; name a directory that holds them", v.key, len(paths), MaxExternalFiles)
		return
	}
	names := map[string]string{}
	for _, path := range paths {
		abs, err := p.externalFile(path)
		if err != nil {
			continue // it was reported
		}
		name := filepath.Base(abs)
		if other, taken := names[name]; taken {
			p.addf(v.line(), "%s: %s and %s would both be seen as %s; rename one, or name the directory that holds it", v.key, quote(other), quote(path), quote(name))
			continue
		}
		names[name] = path
		f.mcp.ExternalFiles = append(f.mcp.ExternalFiles, abs)
	}
	f.external = v.line()
}

func (p *parser) externalFile(path string) (string, error) {
	if path == "" || len(path) > maxText {
		return "", invalidf("a path of %d bytes names no file; write one of 1 to %d", len(path), maxText)
	}
	abs, err := resolvePath("external file", p.dir(), path)
	if err == nil && isRoot(abs) {
		err = invalidf("external file %s is the root of the host, which programs cannot see; name what they need", quote(path))
	}
	return abs, err
}

func (p *parser) externalFileSize(v value) (size Bytes) {
	err := size.UnmarshalTOML(v.data)
	switch {
	case err != nil:
		p.addf(v.line(), "%s: %v", v.key, err)
	case size == 0:
		p.addf(v.line(), "%s: 0 is refused; leave the key out to let sandboxd decide, or set at least 1", v.key)
	case size > MaxExternalFileSize:
		p.addf(v.line(), "%s: %v is above the maximum of %v", v.key, size, MaxExternalFileSize)
	}
	return size
}

// secludeExternal refuses to show programs what the process itself keeps.
func (p *parser) secludeExternal(f *file) {
	for _, path := range f.mcp.ExternalFiles {
		if f.server.Audit.Holds(path) {
			p.addf(f.external, "mcp.external_files: %s holds the audit log of line %d, which programs must not see; keep that elsewhere", quote(path), f.audit.line)
		}
		if f.server.Audit.is(path) {
			p.addf(f.external, "mcp.external_files: %s is of the audit log of line %d, which programs must not see; take it off the list", quote(path), f.audit.line)
		}
		switch {
		case f.server.Sessions.Holds(path):
			p.addf(f.external, "mcp.external_files: %s holds the sessions of line %d, which programs must not see; keep those elsewhere", quote(path), f.kept)
		case f.server.Sessions.hold(path):
			p.addf(f.external, "mcp.external_files: %s lies where the sessions of line %d are, which programs must not see; keep those elsewhere", quote(path), f.kept)
		}
	}
}
