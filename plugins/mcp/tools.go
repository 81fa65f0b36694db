package mcp

import (
	"context"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// effect is what a tool does to its surroundings, for the protocol's annotations.
type effect int

const (
	reads      effect = iota // it changes nothing
	adds                     // it makes something new each time
	sets                     // it makes things so, and the second time changes nothing
	destroys                 // it may lose something each time
	destroysTo               // it may lose something, and the second time changes nothing
)

func annotations(e effect, title string, open bool) *sdk.ToolAnnotations {
	destructive := e == destroys || e == destroysTo
	return &sdk.ToolAnnotations{
		Title: title, ReadOnlyHint: e == reads, DestructiveHint: &destructive, OpenWorldHint: &open,
		IdempotentHint: e == reads || e == sets || e == destroysTo,
	}
}

// tool describes a tool to a model.
type tool struct {
	name, title, text string
	effect            effect
	// open says that a program may reach the world outside.
	open bool
	// tailor adds to the input's schema what depends on the server's configuration.
	tailor func(*jsonschema.Schema)
}

// reply is what a tool answers: the structured content, a text that says the same for
// people and models that read no structure, and more.
type reply[T any] struct {
	out    T
	text   string
	more   []sdk.Content
	failed bool // the guest's program did
}

// add serves a tool, unless the configuration leaves it out. Every call is counted and
// spends from what the client may do.
func add[In, Out any](c *client, t tool, h func(context.Context, *sdk.CallToolRequest, In) (reply[Out], error)) {
	if !c.tools.Load().has(t.name) {
		return
	}
	definition := &sdk.Tool{Name: t.name, Title: t.title, Description: t.text, Annotations: annotations(t.effect, t.title, t.open)}
	if t.tailor != nil {
		schema, err := jsonschema.For[In](nil)
		if err != nil {
			panic("mcp: input of " + t.name + ": " + err.Error()) // a type of this package's
		}
		t.tailor(schema)
		definition.InputSchema = schema
	}
	sdk.AddTool(c.mcp, definition, func(ctx context.Context, req *sdk.CallToolRequest, in In) (*sdk.CallToolResult, Out, error) {
		began := time.Now()
		err := c.spend()
		var r reply[Out]
		if err == nil {
			r, err = h(ctx, req, in)
		}
		c.metrics.called(t.name, time.Since(began), err != nil || r.failed)
		if err != nil {
			return nil, r.out, c.told(t.name, err)
		}
		return &sdk.CallToolResult{
			Content: append([]sdk.Content{&sdk.TextContent{Text: r.text}}, r.more...),
			IsError: r.failed,
		}, r.out, nil
	})
}

// limited sets the bounds of a text in a schema.
func limited(s *jsonschema.Schema, property string, most int) {
	if p := s.Properties[property]; p != nil {
		p.MaxLength = &most
	}
}

// addTools serves all tools.
func (c *client) addTools() {
	c.addExecution()
	c.addSessions()
	c.addFiles()
	c.addCatalog()
}

// languages are the names of the languages, and what else they are called.
func (c *client) languages() []any {
	var names []any
	for _, d := range c.service.Runtimes() {
		names = append(names, d.Name)
		for _, alias := range d.Aliases {
			names = append(names, alias)
		}
	}
	return names
}

// defaultLanguage is that of a program whose language nobody says.
func (c *client) defaultLanguage() string {
	const python = "python"
	all := c.service.Runtimes()
	for _, d := range all {
		if d.Name == python {
			return python
		}
	}
	return all[0].Name
}

// profileNames are the profiles that the client may use, the default one first.
func (c *client) profileNames() []any {
	names := make([]any, len(c.profiles))
	for i, p := range c.profiles {
		names[i] = p.Name
	}
	return names
}

// tailored offers languages and profiles in a schema that has such properties.
func (c *client) tailored(s *jsonschema.Schema) {
	if p := s.Properties["language"]; p != nil {
		p.Enum = c.languages()
	}
	if p := s.Properties["profile"]; p != nil {
		p.Enum = c.profileNames()
	}
	limited(s, "session_id", 128)
	limited(s, "execution_id", 64)
}

// lines joins what is a line each.
func lines(all ...string) string { return strings.Join(all, "\n") }
