// Command plugin is Starlark as an Extism plugin: sandboxd calls execute for every
// program, in an instance that warm_up has made ready.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// main is not called: the host calls what is exported.
func main() {}

//go:wasmexport execute
func execute() int32 {
	r, err := readRequest()
	if err != nil {
		fmt.Fprintln(os.Stderr, "starlark: read the request:", err)
		return 1
	}
	if r.Memory > 0 {
		debug.SetMemoryLimit(r.Memory / 10 * 9)
	}
	p := newProgram(r)
	result := p.run()
	if err := p.out.Flush(); err != nil && result.ExitCode == 0 {
		result.ExitCode = 1
	}
	writeReport(result)
	return int32(result.ExitCode)
}

// warmUpProgram makes the parser, the interpreter and the modules ready.
const warmUpProgram = `
def f(n, names = ["a"], **rest):
    return [str(i) + names[0] for i in range(n) if i % 2 == 0]
x = {"k": f(5), "t": (1, 2.5, None, True), "s": "a b".split(" ")}
y = json.decode(json.encode(x))
z = "%s %d %r" % (y, math.floor(2.5), sorted(x.keys()))
print(z, time.parse_duration("1s"), "{} {}".format(1, "b"))
`

//go:wasmexport warm_up
func warmUp() int32 {
	p := newProgram(&request{Code: warmUpProgram, Filename: "warm_up.star"})
	p.out = bufio.NewWriter(discard{})
	if r := p.run(); r.ExitCode != 0 {
		fmt.Fprintln(os.Stderr, "starlark: warm up:", r.Error.Message)
		return 1
	}
	broken := newProgram(&request{Code: "def f():\n  return 1 // 0\nf()"})
	broken.quiet = true
	broken.run()
	debug.FreeOSMemory()
	return 0
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// exitError ends a program that called exit.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit(%d)", e.code) }

// describe turns the error of a program into a report, and prints what people read.
func (p *program) describe(err error) report {
	var exit *exitError
	if errors.As(err, &exit) {
		return report{ExitCode: exit.code}
	}
	f := &failure{Type: "Error", Message: err.Error()}
	var eval *starlark.EvalError
	var parse syntax.Error
	var names resolve.ErrorList
	text := err.Error()
	switch {
	case errors.As(err, &eval):
		f.Message, f.Line, text = eval.Msg, p.lineOf(eval.CallStack), eval.Backtrace()
	case errors.As(err, &parse):
		f.Type, f.Message, f.Line = "SyntaxError", parse.Msg, p.lineIfOurs(parse.Pos)
	case errors.As(err, &names) && len(names) > 0:
		f.Type, f.Message, f.Line = "SyntaxError", names[0].Msg, p.lineIfOurs(names[0].Pos)
	}
	if !p.quiet {
		fmt.Fprintln(os.Stderr, text)
	}
	return report{ExitCode: 1, Error: f}
}

// lineOf is the innermost line of the program itself in a stack of calls.
func (p *program) lineOf(stack starlark.CallStack) int {
	for i := range len(stack) {
		if line := p.lineIfOurs(stack.At(i).Pos); line > 0 {
			return line
		}
	}
	return 0
}

func (p *program) lineIfOurs(pos syntax.Position) int {
	if pos.Filename() != p.name {
		return 0
	}
	return int(pos.Line)
}
