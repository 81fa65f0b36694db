package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/internal/workloads"
)

// door is one way to run a Python program: through sandboxd, through an engine
// in this process, or through another program. Unless its peer says otherwise,
// each call gets an interpreter that has run nothing else.
type door interface {
	// call runs code and returns when its interpreter has ended. A nil stdin is
	// an empty input. A program that fails is an error.
	call(ctx context.Context, code string, stdin io.Reader) (outcome, error)
	// close ends whatever serves the calls.
	close() error
}

// outcome is what one call gave.
type outcome struct {
	stdout string
	fuel   uint64 // 0: not counted
	// elapsed is the time as another process measured it around its own public
	// interface, so that talking to it is not charged to it; 0: the time of call.
	elapsed time.Duration
}

// process is a door whose interpreters live in another, lasting process.
type process interface{ pid() int }

// peer is a door that can be opened, and how much of it to measure.
type peer struct {
	name, about string
	// language is that of the programs it runs; "" is Python.
	language string
	// open installs what the peer needs and makes it ready to be timed. It also
	// returns the version measured.
	open func(context.Context, *environment) (door, string, error)
	// hello is how often one turn of the start-up measurement calls the door, and
	// helloTurns in how many rounds it has one; 0 turns means in all.
	hello, helloTurns effort
	// cpuTurns is in how many rounds each CPU-bound program runs through it.
	cpuTurns effort
	// embedded says that instances live in this process and may run
	// concurrently, so that their memory and throughput can be measured.
	embedded bool
}

// effort is a count in a quick and in a full run.
type effort struct{ quick, full int }

// rounds is how often every door gets its turn.
var rounds = effort{quick: 2, full: 5}

func (e effort) of(quick bool) int {
	if quick {
		return e.quick
	}
	return e.full
}

// subject makes a workload run through a door something that can be measured.
func subject(name string, d door, w workloads.Workload) measure.Subject {
	return measure.Subject{Name: name, Run: func(ctx context.Context) (measure.Observation, error) {
		start := time.Now()
		out, err := d.call(ctx, w.Code, nil)
		elapsed := time.Since(start)
		if err != nil {
			return measure.Observation{}, fmt.Errorf("run %s: %w", w.Name, err)
		}
		if err := w.Check(out.stdout); err != nil {
			return measure.Observation{}, err
		}
		if out.elapsed > 0 {
			elapsed = out.elapsed
		}
		return measure.Observation{Elapsed: elapsed, Fuel: out.fuel}, nil
	}}
}
