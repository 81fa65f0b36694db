package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/internal/workloads"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

func (a *app) benchCommand() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine runs sandboxd",
		Long: `Measure what a fresh interpreter costs on this machine, how many start in a second,
how much memory one takes, how fast it computes, and how long this command takes
from start to end. Where python3, node or ruby is installed, it runs the same programs
as processes, for comparison and without a sandbox. Starlark needs Go to be built, and
is left out without it.

Rows are named language/workload/door; a door is a way to run a program:
in-process is sandboxd called from Go, cold is a new sandboxd process, native is
python3, node or ruby. Close other programs first: what is measured is time.`,
		Example: "  sandboxd bench\n  sandboxd bench --quick --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.bench(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.quick, "quick", false, "measure less: under half a minute")
	cmd.Flags().StringSliceVar(&o.only, "only", nil, "measure these `workloads` only, such as hello,fib")
	jsonFlag(cmd, &o.json)
	cmd.AddCommand(a.benchSessionsCommand())
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return workloadNames(), cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc("only", complete); err != nil {
		panic(err) // the flag is defined above
	}
	cmd.AddCommand(a.benchPluginCommand(), a.benchMCPCommand(), a.benchPackagesCommand())
	return cmd
}

// benchOptions are the command line of bench.
type benchOptions struct {
	quick, json bool
	only        []string
}

// of chooses between a quick and a full measurement.
func (o benchOptions) of(quick, full int) int {
	if o.quick {
		return quick
	}
	return full
}

// quickWorkloads stand for the other programs in a quick run.
var quickWorkloads = []string{"hello", "fib", "dict", "json"}

func workloadNames() []string {
	names := []string{workloads.Hello().Name}
	for _, w := range workloads.Python() {
		names = append(names, w.Name)
	}
	return names
}

// chosen are the programs to measure.
func (o benchOptions) chosen() ([]workloads.Workload, error) {
	names := o.only
	switch {
	case len(names) == 0 && o.quick:
		names = quickWorkloads
	case len(names) == 0:
		names = workloadNames()
	}
	for _, name := range names {
		if !slices.Contains(workloadNames(), name) {
			return nil, fmt.Errorf("no workload is named %q: there are %s", name, strings.Join(workloadNames(), ", "))
		}
	}
	var chosen []workloads.Workload
	for _, w := range append(workloads.Hellos(), workloads.Python()...) {
		if slices.Contains(names, w.Name) {
			chosen = append(chosen, w)
		}
	}
	return chosen, nil
}

// benchPolicy has limits that no workload reaches, and admits the instances that
// the measurement of memory holds at once.
const benchPolicy = `
default_profile = "bench"
[server]
max_concurrent = 64
[profiles.bench]
fuel = 20_000_000_000
memory = "128MiB"
timeout = "120s"
`

// bench is one run of the command.
type bench struct {
	*app
	benchOptions
	host   *host.Host
	self   string // this command
	cache  string
	native map[string][]string // the commands of languages that are installed, up to the program
	report measure.Report
	say    func(string)
}

// benchEngine is an engine to measure, with the built-in runtimes and nothing of the
// user's.
type benchEngine struct {
	host     *host.Host
	registry *runtimes.Registry
	progress *progress
}

// openBench opens an engine under a policy of its own. The caller closes it.
func (a *app) openBench(ctx context.Context, text string) (*benchEngine, error) {
	policy, err := policies.Parse("bench", []byte(text))
	if err != nil {
		return nil, err
	}
	registry, err := runtimes.Builtin()
	if err != nil {
		return nil, err
	}
	e := &benchEngine{registry: registry, progress: newProgress(a.stderr, isTerminal(a.stderr), 0)}
	if e.host, err = a.open(ctx, policy, registry, e.progress.event); err != nil {
		e.progress.stop()
		return nil, err
	}
	return e, nil
}

// say shows what is measured now.
func (e *benchEngine) say(what string) {
	e.progress.event(runtimes.Event{Runtime: "bench", Stage: what})
}

func (e *benchEngine) close() error {
	e.progress.stop()
	return e.host.Close()
}

func (a *app) bench(ctx context.Context, o benchOptions) (err error) {
	chosen, err := o.chosen()
	if err != nil {
		return err
	}
	e, err := a.openBench(ctx, benchPolicy)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if chosen, err = a.prepared(ctx, e.host, e.registry, chosen); err != nil {
		return err
	}
	b := &bench{app: a, benchOptions: o, host: e.host, say: e.say}
	if err := b.locate(); err != nil {
		return err
	}
	for _, w := range chosen {
		if err := b.workload(ctx, w); err != nil {
			return err
		}
	}
	b.targets(chosen)
	e.progress.stop()
	if o.json {
		return b.report.WriteJSON(a.stdout)
	}
	return b.report.WriteTable(a.stdout)
}

// prepared makes the runtimes of workloads ready, and leaves out, with the reason, the
// workloads of one that this machine cannot build.
func (a *app) prepared(ctx context.Context, h *host.Host, registry *runtimes.Registry, chosen []workloads.Workload) ([]workloads.Workload, error) {
	var ready []workloads.Workload
	for _, w := range chosen {
		definition, err := registry.Lookup(w.Language)
		if err != nil {
			return nil, err
		}
		err = h.Prepare(ctx, w.Language)
		if definition.Source.Go != "" && errors.Is(err, exec.ErrNotFound) {
			if _, err := fmt.Fprintf(a.stderr, "bench: %s is left out: %v\n", w.Language, err); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		ready = append(ready, w)
	}
	return ready, nil
}

// natives are the commands of languages as they are run without a sandbox, up to the
// program's text, and a program that prints where the command's executable is.
var natives = []struct {
	language string
	command  []string
	where    string
}{
	{"python", []string{"python3", "-I", "-c"}, "import os, sys; print(os.path.realpath(sys.executable))"},
	{"javascript", []string{"node", "-e"}, "console.log(process.execPath)"},
	{"ruby", []string{"ruby", "-e"}, "puts RbConfig.ruby"},
}

// locate finds the programs that are measured as processes.
func (b *bench) locate() (err error) {
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.cache, err = b.app.cache(); err != nil {
		return err
	}
	b.native = map[string][]string{}
	for _, n := range natives {
		// A launcher on PATH, such as a version manager's, would add its own time.
		out, err := exec.Command(n.command[0], append(n.command[1:], n.where)...).Output() //nolint:gosec,noctx // the user's own
		if path := strings.TrimSpace(string(out)); err == nil && path != "" {
			b.native[n.language] = append([]string{path}, n.command[1:]...)
		}
	}
	b.report.Machine = fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.Version())
	return nil
}

// workload measures one program through every door.
func (b *bench) workload(ctx context.Context, w workloads.Workload) error {
	b.say(w.Name + ": " + w.About)
	hello := w.Name == workloads.Hello().Name
	subjects := []measure.Subject{b.inProcess(w)}
	if native := b.native[w.Language]; native != nil {
		subjects = append(subjects, b.process(w, "native", append(slices.Clone(native), w.Code)))
	}
	rounds := b.of(3, 7)
	if hello {
		rounds = b.of(4, 10)
		subjects[0].PerTurn = b.of(400, 1000)
		subjects = append(subjects, b.process(w, "cold", []string{b.self, "run", "--cache-dir", b.cache, "--lang", w.Language, "-c", w.Code}))
		for i := range subjects[1:] {
			subjects[i+1].PerTurn = 3
		}
	}
	// Before the times, when no memory of calls that have ended is left to reuse.
	var row measure.Row
	if hello {
		if err := b.memory(ctx, w.Language, &row); err != nil {
			return err
		}
	}
	series := measure.Interleave(ctx, rounds, subjects)
	for i, s := range subjects {
		if i > 0 {
			row = measure.Row{}
		}
		row.Name = s.Name
		row.Fill(series[i])
		if i == 0 && hello {
			if err := b.throughput(ctx, w, &row); err != nil {
				return err
			}
		}
		b.report.Rows = append(b.report.Rows, row)
		if i > 0 {
			r := measure.RatioOf(series[i], series[0])
			b.report.Ratios = append(b.report.Ratios, measure.Comparison{
				Name: s.Name, Base: subjects[0].Name, Ratio: r.Median, Best: r.Best, Low: r.Low, High: r.High,
			})
		}
	}
	return errors.Join(context.Cause(ctx), series[0].Err)
}

func rowName(w workloads.Workload, door string) string { return w.Language + "/" + w.Name + "/" + door }

// inProcess is sandboxd as a Go program embeds it.
func (b *bench) inProcess(w workloads.Workload) measure.Subject {
	return measure.Subject{Name: rowName(w, "in-process"), Run: func(ctx context.Context) (measure.Observation, error) {
		start := time.Now()
		r, err := b.host.Execute(ctx, host.Request{Language: w.Language, Code: []byte(w.Code)})
		if err != nil {
			return measure.Observation{}, err
		}
		if err := w.Check(r.Stdout); err != nil {
			return measure.Observation{}, fmt.Errorf("%w; status %s, %s", err, r.Status, r.Stderr)
		}
		return measure.Observation{Elapsed: time.Since(start), Fuel: r.FuelConsumed}, nil
	}}
}

// process is a program that is started for every call.
func (b *bench) process(w workloads.Workload, door string, argv []string) measure.Subject {
	return measure.Subject{Name: rowName(w, door), Run: func(ctx context.Context) (measure.Observation, error) {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // ourselves, and python3
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		start := time.Now()
		err := cmd.Run()
		elapsed := time.Since(start)
		if err != nil {
			return measure.Observation{}, fmt.Errorf("%s: %w: %s", argv[0], err, stderr.String())
		}
		return measure.Observation{Elapsed: elapsed}, w.Check(stdout.String())
	}}
}

// waiting are programs that print a line and hold their instance until their input
// ends.
var waiting = map[string]string{
	"python":     "print('hi')\nimport sys\nsys.stdin.read()\n",
	"javascript": "console.log('hi');\nrequire('fs').readFileSync(0);\n",
	"ruby":       "puts 'hi'\n$stdin.read\n",
	"starlark":   "print('hi')\nread()\n",
}

// memory measures what one more instance costs, where the system tells.
func (b *bench) memory(ctx context.Context, language string, row *measure.Row) error {
	size, err := measure.PerInstance(ctx, func(ctx context.Context, stdin io.Reader) error {
		_, err := b.host.Execute(ctx, host.Request{Language: language, Code: []byte(waiting[language]), Stdin: stdin})
		return err
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	row.PrivateKB = size >> 10
	return err
}

// throughput calls a program from one goroutine, from one for each processor and
// from twice as many, and keeps the better of the last two.
func (b *bench) throughput(ctx context.Context, w workloads.Workload, row *measure.Row) (err error) {
	run := b.inProcess(w).Run
	call := func(ctx context.Context) error {
		_, err := run(ctx)
		return err
	}
	d := time.Duration(b.of(1, 3)) * time.Second
	if row.PerSecondOne, err = measure.Throughput(ctx, 1, d, call); err != nil {
		return err
	}
	for _, workers := range []int{runtime.GOMAXPROCS(0), 2 * runtime.GOMAXPROCS(0)} {
		per, err := measure.Throughput(ctx, workers, d, call)
		if err != nil {
			return err
		}
		if per > row.PerSecond {
			row.PerSecond, row.Workers = per, workers
		}
	}
	return nil
}

// promised are what the hello rows of a language are held against, on a machine with
// two processors: times in milliseconds and memory in KiB.
var promised = map[string]struct{ p50, p99, throughput, memory, cold float64 }{
	"python":     {p50: 0.6, p99: 3, throughput: 2500, memory: 1024, cold: 250},
	"javascript": {p50: 0.3, p99: 3, throughput: 5000, memory: 512, cold: 100},
	"ruby":       {p50: 5, p99: 10, throughput: 400, memory: 4096, cold: 500},
}

// targets compares the hello rows of the chosen languages with what is promised.
func (b *bench) targets(chosen []workloads.Workload) {
	rows := map[string]measure.Row{}
	for _, r := range b.report.Rows {
		rows[r.Name] = r
	}
	for _, w := range chosen {
		p, some := promised[w.Language]
		if w.Name != workloads.Hello().Name || !some {
			continue
		}
		inside, cold := rows[rowName(w, "in-process")], rows[rowName(w, "cold")]
		b.report.Targets = append(b.report.Targets,
			measure.Target{Name: inside.Name + " p50", Unit: "ms", Limit: p.p50, Measured: inside.P50},
			measure.Target{Name: inside.Name + " p99", Unit: "ms", Limit: p.p99, Measured: inside.P99},
			measure.Target{Name: inside.Name + " throughput", Unit: "calls/s", Limit: p.throughput, Measured: inside.PerSecond, AtLeast: true},
			measure.Target{Name: inside.Name + " memory", Unit: "KiB", Limit: p.memory, Measured: float64(inside.PrivateKB)},
			measure.Target{Name: cold.Name + " p50", Unit: "ms", Limit: p.cold, Measured: cold.P50},
		)
	}
}
