package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/sandboxd/sandboxd/runtimes"
)

// Compiler is a program that compiles a module in the host's stead: one that ends in
// [CompileModule] with the arguments it is given after Args. It is this very program,
// usually. A module that was made to be hard to compile, or to make the compiler fail,
// then ends that process.
type Compiler struct {
	// Path is the program, Args its arguments, its own name first.
	Path string
	Args []string
}

// What compiling may take, in a process of its own, for the module it is about, by its
// size before it was rewritten, of which metering makes much of a module that is made
// to hurt: real ones take less than two seconds of processor time for each megabyte,
// and a tenth of the memory.
const (
	compileSeconds    = 1 // and one more for each
	compileBytes      = 250_000
	compileMemory     = 2 << 30 // bytes, and for each byte of the module
	compileMemoryByte = 100
	// compileWait is how many times its processor time a compiler may last: other
	// processes want the processors too.
	compileWait = 20
	// compileSaid bounds what the compiler says of a module.
	compileSaid = 4096
)

// tooHard is said of a module that takes more.
const tooHard = "%w: the module is too hard to compile: it took more than %d s of processor time, or %d MiB of memory, which is far more than a module of %d bytes needs"

// isolated compiles a module in a process of its own, so that what it leaves in dir is
// there for compile; size is that of the module as it was added. The module may do its
// worst: it costs that process.
func (b *builder) isolated(ctx context.Context, module, dir string, size int) error {
	c := b.host.compiler
	anybodys := b.definition.Driver == runtimes.DriverCommand || b.definition.Driver == runtimes.DriverExtism
	if c == nil || b.definition.BuiltIn || !anybodys {
		return nil
	}
	seconds := compileSeconds + size/compileBytes
	memory := compileMemory + uint64(size)*compileMemoryByte //nolint:gosec // a length
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(seconds)*compileWait*time.Second, errTimeout)
	defer cancel()
	args := []string{module, dir, b.definition.Driver, strconv.Itoa(seconds), strconv.FormatUint(memory, 10)}
	cmd := exec.CommandContext(ctx, c.Path) //nolint:gosec // the operator's, or ourselves
	cmd.Args = append(append([]string{}, c.Args...), args...)
	cmd.Env = []string{} // nothing of ours concerns it
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = nil, &capped{to: &said, room: compileSaid}
	err := cmd.Run()
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTimeout):
		return ctx.Err()
	case !errors.As(err, &exit):
		return fmt.Errorf("compile: %w", err)
	case exit.ExitCode() == compileRefused:
		return fmt.Errorf("%w: %s", runtimes.ErrInvalid, cut(string(bytes.TrimSpace(said.Bytes())), compileSaid))
	}
	return fmt.Errorf(tooHard, runtimes.ErrInvalid, seconds, memory>>20, size)
}

// capped keeps the first bytes that are written.
type capped struct {
	to   *bytes.Buffer
	room int
}

func (c *capped) Write(p []byte) (int, error) {
	c.to.Write(p[:min(len(p), max(0, c.room-c.to.Len()))])
	return len(p), nil
}

// compileRefused is the exit code for a module that the compiler refuses.
const compileRefused = 3

// CompileModule does what a [Compiler] is for, within the limits that its arguments
// give: it compiles a module that the host has rewritten, and leaves the native code in
// a directory. It returns the exit code of the process, which must do nothing else, and
// says on w what is wrong with the module.
func CompileModule(ctx context.Context, args []string, w io.Writer) int {
	say := func(err error) int {
		_, _ = io.WriteString(w, err.Error()+"\n")
		return compileRefused
	}
	if len(args) != 5 {
		return say(errors.New("compile: not for people"))
	}
	seconds, err1 := strconv.ParseUint(args[3], 10, 32)
	memory, err2 := strconv.ParseUint(args[4], 10, 63)
	if err := errors.Join(err1, err2); err != nil {
		return say(err)
	}
	if err := limitProcess(seconds, memory); err != nil {
		return say(err)
	}
	module, err := os.ReadFile(args[0])
	if err != nil {
		return say(err)
	}
	drv, err := newDriver(&runtimes.Definition{Driver: args[2]})
	if err != nil {
		return say(err)
	}
	compiled, cache, err := compile(ctx, module, drv.functions(), filepath.Join(args[1], compiledDir), 1)
	if err != nil {
		return say(err)
	}
	if err := errors.Join(compiled.Close(ctx), cache.Close(ctx)); err != nil {
		return say(err)
	}
	return 0
}
