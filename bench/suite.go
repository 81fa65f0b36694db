package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/internal/workloads"
)

// suite is one run of the comparison.
type suite struct {
	quick bool
	say   func(format string, args ...any)

	doors  []openDoor
	report measure.Report
	series map[string]measure.Series // by row name
	rows   map[string]*measure.Row
	order  []string
}

type openDoor struct {
	peer
	door
}

// The languages of doors.
const (
	langPython     = "python"
	langJavaScript = "javascript"
)

// languageOf is the language of a door's programs.
func languageOf(door string) string {
	for _, p := range peers() {
		if p.name == door && p.language != "" {
			return p.language
		}
	}
	return langPython
}

// hello is the smallest program in the language of a door.
func hello(door string) workloads.Workload {
	for _, w := range workloads.Hellos() {
		if w.Language == languageOf(door) {
			return w
		}
	}
	return workloads.Hello()
}

// waiting are programs that print a line, so that they have started in earnest, and
// hold their instance until their input ends.
var waiting = map[string]string{
	langPython:     "import sys\nprint('hi', flush=True)\nsys.stdin.read()\n",
	langJavaScript: "console.log('hi');\nrequire('fs').readFileSync(0);\n",
}

// open makes the doors ready. One that cannot be is reported, not skipped.
func (s *suite) open(ctx context.Context, e *environment, selected []peer) {
	for _, p := range selected {
		d, version, err := p.open(ctx, e)
		about := measure.Peer{Door: p.name, About: p.about, Version: version}
		if err == nil && p.hello.quick > 1 {
			// The first call pays for what all share. Doors of which one call
			// takes seconds are slow because they share nothing.
			if _, err = subject(p.name, d, hello(p.name)).Run(ctx); err != nil {
				err = errors.Join(err, d.close())
			}
		}
		if err != nil {
			about.Unavailable = err.Error()
			s.say("%s is not available: %v", p.name, err)
		} else {
			s.doors = append(s.doors, openDoor{p, d})
		}
		s.report.Peers = append(s.report.Peers, about)
	}
}

func (s *suite) close() error {
	var errs []error
	for _, d := range s.doors {
		errs = append(errs, d.close())
	}
	return errors.Join(errs...)
}

// run measures everything. What fails is an error of its row; the error
// returned is that of ctx.
func (s *suite) run(ctx context.Context, programs []workloads.Workload) error {
	s.series, s.rows = map[string]measure.Series{}, map[string]*measure.Row{}
	s.report.Machine = machine()
	for _, d := range s.doors {
		s.row("hello", d.name) // rows appear in the order of doors
	}
	s.memory(ctx)
	s.hello(ctx)
	s.processes()
	s.throughput(ctx)
	for _, w := range programs {
		s.cpu(ctx, w)
	}
	for _, name := range s.order {
		s.report.Rows = append(s.report.Rows, *s.rows[name])
	}
	s.report.Ratios = ratios(s.series, s.doors, programs)
	return context.Cause(ctx)
}

func rowName(workload, door string) string { return languageOf(door) + "/" + workload + "/" + door }

// row finds a row or adds it.
func (s *suite) row(workload, door string) *measure.Row {
	name := rowName(workload, door)
	if s.rows[name] == nil {
		s.rows[name] = &measure.Row{Name: name}
		s.order = append(s.order, name)
	}
	return s.rows[name]
}

// memory measures what one more instance costs. It comes first: later, doors
// hold on to memory of calls that have ended.
func (s *suite) memory(ctx context.Context) {
	s.say("measuring memory")
	for _, d := range s.doors {
		if !d.embedded {
			continue
		}
		row := s.row("hello", d.name)
		size, err := measure.PerInstance(ctx, func(ctx context.Context, stdin io.Reader) error {
			_, err := d.call(ctx, waiting[languageOf(d.name)], stdin)
			return err
		})
		row.PrivateKB = size >> 10
		s.note(row, err)
	}
}

// processes measures the lasting processes once they have answered calls.
func (s *suite) processes() {
	for _, d := range s.doors {
		if p, ok := d.door.(process); ok {
			row := s.row("hello", d.name)
			size, err := measure.Private(p.pid())
			row.ProcessKB = size >> 10
			s.note(row, err)
		}
	}
}

// note keeps and tells an error, other than that of a system on which memory
// cannot be measured.
func (s *suite) note(row *measure.Row, err error) {
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		return
	}
	s.say("%s: %v", row.Name, err)
	row.Error = err.Error()
}

func (s *suite) hello(ctx context.Context) {
	s.say("measuring hello")
	var subjects []measure.Subject
	for _, d := range s.doors {
		sub := subject(d.name, d.door, hello(d.name))
		sub.PerTurn, sub.MaxTurns = d.hello.of(s.quick), d.helloTurns.of(s.quick)
		subjects = append(subjects, sub)
	}
	s.record("hello", subjects, measure.Interleave(ctx, rounds.of(s.quick), subjects))
}

func (s *suite) cpu(ctx context.Context, w workloads.Workload) {
	s.say("measuring %s: %s", w.Name, w.About)
	var subjects []measure.Subject
	for _, d := range s.doors {
		if turns := d.cpuTurns.of(s.quick); turns > 0 {
			sub := subject(d.name, d.door, w)
			sub.MaxTurns = turns
			subjects = append(subjects, sub)
		}
	}
	s.record(w.Name, subjects, measure.Interleave(ctx, rounds.of(s.quick), subjects))
}

func (s *suite) record(workload string, subjects []measure.Subject, series []measure.Series) {
	for i, sub := range subjects {
		row := s.row(workload, sub.Name)
		row.Fill(series[i])
		s.series[row.Name] = series[i]
		s.note(row, series[i].Err)
	}
}

// throughput calls hello from one goroutine and from one for each processor.
func (s *suite) throughput(ctx context.Context) {
	s.say("measuring throughput")
	d := time.Duration(effort{1, 3}.of(s.quick)) * time.Second
	for _, door := range s.doors {
		if !door.embedded {
			continue
		}
		row := s.row("hello", door.name)
		run := subject(door.name, door.door, hello(door.name)).Run
		call := func(ctx context.Context) error {
			_, err := run(ctx)
			return err
		}
		row.Workers = runtime.GOMAXPROCS(0)
		var one, all error
		row.PerSecondOne, one = measure.Throughput(ctx, 1, d, call)
		row.PerSecond, all = measure.Throughput(ctx, row.Workers, d, call)
		s.note(row, errors.Join(one, all))
	}
}

// machine describes what the numbers depend on.
func machine() string {
	model := "unknown processor"
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s/%s, %d x %s, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), model, runtime.Version())
}
