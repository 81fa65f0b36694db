package main

import (
	"context"
	"errors"
	"syscall"

	"github.com/sandboxd/sandboxd/host"
)

// Exit codes of sandboxd, apart from the guest's own. docs/cli.md promises them.
const (
	exitOK          = 0
	exitProblems    = 1   // profiles check found problems
	exitTimeout     = 124 // the wall-clock limit was reached, as timeout(1) reports it
	exitFailed      = 125 // sandboxd itself failed: bad flags, bad policy, no runtime
	exitLimit       = 137 // another limit was reached, as a shell reports a killed process
	exitInterrupted = 130 // an interrupt arrived
	exitTerminated  = 143 // a termination signal arrived
)

// exitError ends a command with a code of its own choice. Its cause, when there
// is one, is printed first.
type exitError struct {
	code  int
	cause error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return ""
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }

// exitCode is the code for a command that returned err.
func exitCode(ctx context.Context, err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, context.Canceled):
		return canceledCode(ctx)
	default:
		return exitFailed
	}
}

// canceledCode follows the convention of shells, 128 and the signal's number.
func canceledCode(ctx context.Context) int {
	var caught *signalError
	if errors.As(context.Cause(ctx), &caught) && caught.signal == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// guestCode is the exit code for a call that gave r.
func guestCode(ctx context.Context, r *host.Result) int {
	switch r.Status {
	case host.StatusOK:
		return exitOK
	case host.StatusError:
		return failureCode(r.ExitCode)
	case host.StatusTimeout:
		return exitTimeout
	case host.StatusOutOfFuel, host.StatusOutOfMemory, host.StatusDiskQuota, host.StatusOutputLimit:
		return exitLimit
	case host.StatusCanceled:
		return canceledCode(ctx)
	case host.StatusInternal:
		return exitFailed
	default:
		return exitFailed
	}
}

// failureCode keeps the eight bits of a guest's exit code that a process can
// report, except that a failure is never reported as a success.
func failureCode(code int) int {
	if low := code & 0xff; low != 0 {
		return low
	}
	return 1
}
