// Command sandboxd runs programs that nobody has read yet, inside WebAssembly
// and under the limits of a profile.
//
// This package only reads flags, wires the packages that do the work, and turns
// what they return into text and an exit code. Nothing below it reads the
// environment, and nothing but main ends the process.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(realMain())
}

// realMain gives run this process's arguments, environment and streams.
func realMain() int {
	// Set to anything, even to 0, this variable makes Extism connect guests to
	// our own standard output, past every cap and filter.
	if err := os.Unsetenv("EXTISM_ENABLE_WASI_OUTPUT"); err != nil {
		fmt.Fprintln(os.Stderr, "sandboxd: clear the environment:", err)
		return exitFailed
	}
	ctx, stop := withSignals(context.Background())
	defer stop()
	return run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
}

// signalError is the cause of a context that a signal canceled.
type signalError struct{ signal os.Signal }

func (e *signalError) Error() string { return "received " + e.signal.String() }

// withSignals returns a context that the first interrupt or termination signal
// cancels, with a *signalError as its cause. The second signal has its usual
// effect, so that nobody is ever stuck.
func withSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&signalError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
