// Command bench compares sandboxd with other ways to run Python, side by side in
// one run.
//
// A door is one way to run a program. Every door gets the same programs, turn by
// turn, so that a machine that slows down slows all of them. See
// docs/benchmarks.md for the method and for what each row means. This module is
// apart from sandboxd's own because some peers need cgo.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/internal/workloads"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// options are the command line.
type options struct {
	quick, json bool
	svg, cache  string
	doors       []peer
	programs    []workloads.Workload
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	start := time.Now()
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(stderr, "%4.0fs %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}
	e, err := openEnvironment(o.cache, say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(e.scratch)) }()
	if err := e.installBuild(ctx); err != nil {
		return err
	}
	s := suite{quick: o.quick, say: say}
	defer func() { err = errors.Join(err, s.close()) }()
	s.open(ctx, e, o.doors)
	if err := s.run(ctx, o.programs); err != nil {
		return err
	}
	say("done")
	return write(&s.report, o, stdout)
}

// write prints the report and, if asked for, draws it.
func write(r *measure.Report, o options, stdout io.Writer) error {
	if o.svg != "" {
		f, err := os.Create(o.svg)
		if err != nil {
			return fmt.Errorf("draw: %w", err)
		}
		if err := errors.Join(measure.WriteSVG(f, charts(r, o.programs)...), f.Close()); err != nil {
			return fmt.Errorf("draw: %w", err)
		}
	}
	if o.json {
		return r.WriteJSON(stdout)
	}
	return r.WriteTable(stdout)
}

// quickPrograms stand for the others in a quick run.
var quickPrograms = []string{"fib", "dict", "json"}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var only, programs string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", false, "fewer rounds and programs: under two minutes once peers are installed")
	flags.BoolVar(&o.json, "json", false, "print one JSON object instead of a table")
	flags.StringVar(&o.svg, "svg", "", "draw the results into this `file`")
	flags.StringVar(&o.cache, "cache", "", "`directory` for peers and compiled modules (default sandboxd-bench in the user's cache)")
	flags.StringVar(&only, "only", "", "comma-separated `doors` to measure (default all)")
	flags.StringVar(&programs, "programs", "", "comma-separated CPU-bound `programs` (default all; \"none\" for none)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	if o.doors, err = choose("door", peers(), func(p peer) string { return p.name }, list(only)); err != nil {
		return o, err
	}
	names := list(programs)
	switch {
	case programs == "none":
		return o, nil
	case programs == "" && o.quick:
		names = quickPrograms
	}
	o.programs, err = choose("program", workloads.Python(), func(w workloads.Workload) string { return w.Name }, names)
	return o, err
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// choose returns the items with the given names in their own order; without
// names, all.
func choose[T any](kind string, items []T, name func(T) string, names []string) ([]T, error) {
	if len(names) == 0 {
		return items, nil
	}
	var known []string
	var chosen []T
	for _, item := range items {
		known = append(known, name(item))
		if slices.Contains(names, name(item)) {
			chosen = append(chosen, item)
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("no %s is named %q: there are %s", kind, n, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}
