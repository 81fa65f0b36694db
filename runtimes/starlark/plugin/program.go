package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"

	"go.starlark.net/lib/json"
	"go.starlark.net/lib/math"
	"go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// The dialect: what Python programmers expect, beyond what configuration files need.
var dialect = &syntax.FileOptions{
	Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true,
}

const (
	workspace = "/app"

	// maxDepth is how deep calls may nest, as in Python, and depthSteps how many
	// steps pass between two looks at it. Fuel and memory bound everything else.
	maxDepth   = 1000
	depthSteps = 200
)

// program is one program being run.
type program struct {
	request *request
	name    string
	out     *bufio.Writer
	quiet   bool
	loaded  map[string]*module
	env     starlark.StringDict
}

// module is a file that was loaded, or is being loaded while it has no globals.
type module struct {
	globals starlark.StringDict
	err     error
	done    bool
}

func newProgram(r *request) *program {
	p := &program{
		request: r,
		name:    r.Filename,
		out:     bufio.NewWriterSize(os.Stdout, 8<<10),
		loaded:  map[string]*module{},
	}
	if p.name == "" {
		p.name = "<string>"
	}
	args := starlark.NewList(nil)
	for _, a := range r.Args {
		_ = args.Append(starlark.String(a))
	}
	env := starlark.NewDict(len(r.Env))
	for _, name := range slices.Sorted(maps.Keys(r.Env)) {
		_ = env.SetKey(starlark.String(name), starlark.String(r.Env[name]))
	}
	p.env = starlark.StringDict{
		"json": json.Module, "math": math.Module, "time": time.Module,
		"args": args, "env": env,
		"read":       starlark.NewBuiltin("read", p.read),
		"read_file":  starlark.NewBuiltin("read_file", readFile),
		"write_file": starlark.NewBuiltin("write_file", writeFile),
		"exit":       starlark.NewBuiltin("exit", exit),
	}
	return p
}

func (p *program) run() report {
	if _, err := p.exec(p.name, p.request.Code); err != nil {
		_ = p.out.Flush()
		return p.describe(err)
	}
	return report{}
}

// exec runs one file in a thread of its own.
func (p *program) exec(name string, source any) (starlark.StringDict, error) {
	thread := &starlark.Thread{
		Name:  name,
		Load:  p.load,
		Print: func(_ *starlark.Thread, text string) { _, _ = p.out.WriteString(text); _ = p.out.WriteByte('\n') },
	}
	thread.SetMaxExecutionSteps(depthSteps)
	thread.OnMaxSteps = func(t *starlark.Thread) {
		if t.CallStackDepth() > maxDepth {
			t.Cancel(fmt.Sprintf("calls are nested more than %d deep", maxDepth))
		}
		t.SetMaxExecutionSteps(t.ExecutionSteps() + depthSteps)
	}
	return starlark.ExecFileOptions(dialect, thread, name, source, p.env)
}

// load runs a file of the workspace, or of a mount, once.
func (p *program) load(_ *starlark.Thread, name string) (starlark.StringDict, error) {
	file := inWorkspace(name)
	m := p.loaded[file]
	if m == nil {
		m = &module{}
		p.loaded[file] = m
		var source []byte
		if source, m.err = os.ReadFile(file); m.err == nil {
			m.globals, m.err = p.exec(name, source)
		}
		m.done = true
	}
	if !m.done {
		return nil, fmt.Errorf("%s loads itself", name)
	}
	return m.globals, m.err
}

func inWorkspace(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(workspace, name)
}

// read returns all of standard input that was not read yet.
func (p *program) read(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(os.Stdin)
	return starlark.String(text), err
}

func readFile(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "path", &name); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(inWorkspace(name))
	return starlark.String(text), err
}

func writeFile(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name, text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "path", &name, "text", &text); err != nil {
		return nil, err
	}
	return starlark.None, os.WriteFile(inWorkspace(name), []byte(text), 0o600)
}

func exit(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	code := 0
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "code?", &code); err != nil {
		return nil, err
	}
	return nil, &exitError{code & 0xFF}
}
