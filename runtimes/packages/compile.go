package packages

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// strangeLimit is how many modules may break the interpreter off: each takes another run.
const strangeLimit = 10

// errBrokeOff is an interpreter that did not get through a set of packages.
var errBrokeOff = errors.New("the interpreter broke off")

// Compile runs a program that compiles all modules of some packages, until it gets
// through them. The program writes a module's name on a line of its own before it looks
// at it. Where the interpreter breaks off, as it may at text that is nested too deeply,
// the program is run again and told to leave that module as it is; so one module keeps
// others from being compiled no more than one that is no Python does.
//
// run runs the program with the names of the modules to leave, and returns what it wrote
// and whether the interpreter broke off. Its errors are returned as they are. It is an
// error too if the interpreter breaks off at a module that it was told to leave, before
// the first one, or at more than ten.
//
// What the program writes names modules of other people's, and is only ever given back to
// it: it is no path on the host.
func Compile(run func(leave []string) (output string, brokeOff bool, err error)) error {
	var leave []string
	for {
		output, brokeOff, err := run(leave)
		if err != nil || !brokeOff {
			return err
		}
		lines := strings.Fields(output)
		if len(lines) == 0 {
			return fmt.Errorf("%w before the first module", errBrokeOff)
		}
		at := lines[len(lines)-1]
		if slices.Contains(leave, at) {
			return fmt.Errorf("%w after module %q, which it was told to leave", errBrokeOff, at)
		}
		if len(leave) == strangeLimit {
			return fmt.Errorf("%w at module %q, and before at %d others: %q", errBrokeOff, at, len(leave), leave)
		}
		leave = append(leave, at)
	}
}
