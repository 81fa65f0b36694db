package runtimes

import (
	"strings"

	"github.com/BurntSushi/toml"
)

// Command says how a WASI command is given a program.
type Command struct {
	// Program is [ProgramFile] or [ProgramStdin].
	Program string
	// Args is the command line. An element that is [ArgProgram] stands for the
	// path of the program's file, one that is [ArgArgs] for the arguments of the
	// program, however many.
	Args []string
}

// What may be in a [Command].
const (
	// ProgramFile gives the command a read-only file with the program in it.
	ProgramFile = "file"
	// ProgramStdin gives it the program as its standard input.
	ProgramStdin = "stdin"

	ArgProgram = "{program}"
	ArgArgs    = "{args}"
)

// maxArgs and maxArg bound a command line, in elements and in bytes of each.
const (
	maxArgs = 64
	maxArg  = 1024
)

var commandKeys = []string{"program", "args"}

// command reads the [command] table, which a WASI command may have and nothing
// else may.
func (p *parser) command(meta *toml.MetaData, top table, d *Definition) {
	e, given := top.keys["command"]
	if d.Driver != DriverCommand {
		if given && d.Driver != "" {
			p.add(e.line, "command is only for driver = %s", quote(DriverCommand))
		}
		return
	}
	d.Command = Command{Program: ProgramFile}
	if !given {
		d.Command.Args = []string{d.Name, ArgProgram, ArgArgs}
		return
	}
	t, ok := p.subtable(meta, e, "command", commandKeys)
	if !ok {
		return
	}
	if _, ok := t.keys["program"]; ok {
		d.Command.Program = p.text(t, "program", "", badProgram)
	}
	if _, ok := t.keys["args"]; ok {
		d.Command.Args = p.texts(t, "args", badArg)
		p.placeholders(t, d.Command)
		return
	}
	d.Command.Args = []string{d.Name, ArgArgs}
	if d.Command.Program == ProgramFile {
		d.Command.Args = []string{d.Name, ArgProgram, ArgArgs}
	}
}

// placeholders checks that a command line names what it is given.
func (p *parser) placeholders(t table, c Command) {
	line := t.keys["args"].line
	count := map[string]int{}
	for _, arg := range c.Args {
		count[arg]++
	}
	switch {
	case len(c.Args) == 0:
		p.add(line, "command.args must begin with the command's own name")
	case len(c.Args) > maxArgs:
		p.add(line, "command.args has %d elements, at most %d are allowed", len(c.Args), maxArgs)
	case c.Program == ProgramFile && count[ArgProgram] == 0:
		p.add(line, "command.args does not say where the program goes: add %s, or set command.program = %s",
			quote(ArgProgram), quote(ProgramStdin))
	case c.Program == ProgramStdin && count[ArgProgram] > 0:
		p.add(line, "command.args holds %s, but the program is on standard input and has no file", quote(ArgProgram))
	case count[ArgArgs] > 1:
		p.add(line, "command.args holds %s more than once", quote(ArgArgs))
	}
}

func badProgram(s string) string {
	if s == ProgramFile || s == ProgramStdin {
		return ""
	}
	return quote(s) + " is neither " + quote(ProgramFile) + " nor " + quote(ProgramStdin)
}

func badArg(s string) string {
	switch {
	case len(s) > maxArg:
		return quote(s) + " is too long"
	case strings.ContainsRune(s, 0):
		return quote(s) + " holds a NUL byte"
	case s == ArgProgram, s == ArgArgs:
		return ""
	case strings.ContainsAny(s, "{}"):
		return quote(s) + " holds a brace: only whole elements can be " + quote(ArgProgram) + " or " + quote(ArgArgs)
	}
	return ""
}
