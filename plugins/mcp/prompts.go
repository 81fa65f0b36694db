package mcp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/host/workspace"
)

// maxArgument is the longest argument of a prompt, in bytes: it is repeated to a model.
const maxArgument = 32 << 10

// A prompt is a common job that a user can pick.
type prompt struct {
	name, title, text string
	arguments         []*sdk.PromptArgument
	write             func(args map[string]string) string
}

var prompts = []prompt{
	{
		"analyse_file", "Analyse a file", "Look at a file of a session, and say what is in it.",
		[]*sdk.PromptArgument{
			{Name: "session_id", Description: "the session that the file is in", Required: true},
			{Name: "path", Description: "the file, such as data.csv", Required: true},
			{Name: "question", Description: "what to find out"},
		},
		func(a map[string]string) string {
			question := a["question"]
			if question == "" {
				question = "Say what it holds, how it is structured, and what is remarkable about it."
			}
			return fmt.Sprintf("Analyse the file %q of session %q with execute_code: first look at its size and its first lines, then compute what you need and print it. Do not guess numbers.\n\n%s", a["path"], a["session_id"], question)
		},
	},
	{
		"debug_error", "Debug an error", "Find out why a program fails, and correct it.",
		[]*sdk.PromptArgument{
			{Name: "code", Description: "the program", Required: true},
			{Name: "error", Description: "what went wrong, if it is known"},
			{Name: "language", Description: "its language"},
		},
		func(a map[string]string) string {
			language := a["language"]
			if language == "" {
				language = "python"
			}
			return fmt.Sprintf("This %s program fails. Run it with execute_code to see the error, follow the guidance in the result, correct it, and run it again until it works. Then show the corrected program and say in a sentence what was wrong.\n\nError: %s\n\n```\n%s\n```", language, a["error"], a["code"])
		},
	},
	{
		"plot_data", "Plot data", "Draw a file's data as an SVG image.",
		[]*sdk.PromptArgument{
			{Name: "session_id", Description: "the session that the file is in", Required: true},
			{Name: "path", Description: "the file with the data", Required: true},
			{Name: "chart", Description: "what to draw, such as a line or bars"},
		},
		func(a map[string]string) string {
			return fmt.Sprintf("Draw the data in %q of session %q: %s. Write an SVG file with execute_code (list_available_packages shows whether there is a package for it; plain text works too), in that session, to plot.svg. Label axes, and look at the image you get back.", a["path"], a["session_id"], a["chart"])
		},
	},
}

func (c *client) addPrompts() {
	for _, p := range prompts {
		c.mcp.AddPrompt(&sdk.Prompt{Name: p.name, Title: p.title, Description: p.text, Arguments: p.arguments},
			func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
				for _, a := range p.arguments {
					if value := req.Params.Arguments[a.Name]; a.Required && value == "" {
						return nil, invalidParams("prompt %s needs argument %s: %s", p.name, a.Name, a.Description)
					} else if len(value) > maxArgument {
						return nil, invalidParams("argument %s has more than %d bytes", a.Name, maxArgument)
					}
				}
				return &sdk.GetPromptResult{Description: p.text, Messages: []*sdk.PromptMessage{
					{Role: "user", Content: &sdk.TextContent{Text: p.write(req.Params.Arguments)}},
				}}, nil
			})
	}
}

// maxValues is how many values the protocol lets a completion have.
const maxValues = 100

// complete offers values for arguments of prompts and of the template of resources.
func (c *client) complete(ctx context.Context, req *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
	var all []string
	switch req.Params.Argument.Name {
	case "session_id":
		sessions, err := c.service.Sessions(ctx, c.caller)
		if err != nil {
			return nil, c.told("completion/complete", err)
		}
		for _, n := range sessions {
			all = append(all, n.ID)
		}
	case "language":
		for _, name := range c.languages() {
			all = append(all, name.(string))
		}
	case "profile":
		for _, p := range c.profiles {
			all = append(all, p.Name)
		}
	case "path":
		all = c.paths(ctx, req)
	}
	prefix := req.Params.Argument.Value
	all = slices.DeleteFunc(all, func(v string) bool { return !strings.HasPrefix(v, prefix) })
	values := append([]string{}, all[:min(len(all), maxValues)]...)
	return &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{
		Values: values, Total: len(all), HasMore: len(all) > len(values),
	}}, nil
}

// paths are the files of the session that the client named before.
func (c *client) paths(ctx context.Context, req *sdk.CompleteRequest) []string {
	var all []string
	if req.Params.Context == nil {
		return nil
	}
	// Without such a session there is nothing to offer.
	_ = c.view(ctx, req.Params.Context.Arguments["session_id"], func(w *workspace.Workspace) error {
		for e, err := range w.List(ctx, workspace.ListOptions{}) {
			if len(all) >= maxListed {
				return nil
			}
			if err == nil && e.Kind == workspace.KindFile {
				all = append(all, strings.ToValidUTF8(e.Path, "\uFFFD"))
			}
		}
		return nil
	})
	return all
}
