package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/internal/workloads"
	"github.com/sandboxd/sandboxd/sdk"
)

// What a program that loads sandboxd as a plugin is promised, on two processors.
const (
	promisedOverhead = 0.5  // ms that a call takes longer than in process, at the median
	promisedPlugin   = 1500 // fresh interpreters in a second, with pluginCallers
	promisedTool     = 0.3  // ms from one line of a program to the next, over a tool

	pluginCallers = 16
	pluginOutput  = 100 // MB
	pluginTools   = 1000
)

func (a *app) benchPluginCommand() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Measure what loading sandboxd as a plugin costs",
		Long: `Measure what a program pays for having sandboxd in a process of its own, as a
plugin: a fresh interpreter beside one in process, how many start in a second, 100 MB
of output, and calls of the program's own functions.`,
		Example: "  sandboxd bench plugin\n  sandboxd bench plugin --quick --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.benchPlugin(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.quick, "quick", false, "measure less: a few seconds")
	jsonFlag(cmd, &o.json)
	return cmd
}

// benchPluginPolicy is benchPolicy for what is measured here.
const benchPluginPolicy = `
default_profile = "bench"
[profiles.bench]
fuel = 20_000_000_000
memory = "128MiB"
timeout = "120s"
stdout = "128MiB"
tools = { calls = 10_000 }
`

func (a *app) benchPlugin(ctx context.Context, o benchOptions) (err error) {
	e, err := a.openBench(ctx, benchPluginPolicy)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	hello := workloads.Hello()
	if err := e.host.Prepare(ctx, hello.Language); err != nil {
		return err
	}
	b := &bench{app: a, benchOptions: o, host: e.host, say: e.say}
	if err := b.locate(); err != nil {
		return err
	}
	client, remove, err := b.launch(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close(), remove()) }()
	for _, step := range []func(context.Context, *sdk.Client) error{b.pluginCalls, b.pluginStream, b.pluginTools} {
		if err := step(ctx, client); err != nil {
			return err
		}
	}
	e.progress.stop()
	if o.json {
		return b.report.WriteJSON(a.stdout)
	}
	return b.report.WriteTable(a.stdout)
}

// launch loads this program as a plugin.
func (b *bench) launch(ctx context.Context) (_ *sdk.Client, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "sandboxd-bench-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	config := filepath.Join(dir, "sandbox.toml")
	if err := os.WriteFile(config, []byte(benchPluginPolicy), 0o600); err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	client, err := sdk.Launch(ctx, sdk.WithBinary(b.self), sdk.WithConfig(config), sdk.WithDirectories(b.cache, dir))
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return client, remove, nil
}

// overPlugin is a program run by a plugin.
func overPlugin(c *sdk.Client, w workloads.Workload) measure.Subject {
	return measure.Subject{Name: rowName(w, "plugin"), Run: func(ctx context.Context) (measure.Observation, error) {
		start := time.Now()
		r, err := c.Run(ctx, sdk.Request{Language: w.Language, Code: w.Code})
		if err != nil {
			return measure.Observation{}, err
		}
		return measure.Observation{Elapsed: time.Since(start), Fuel: r.FuelConsumed}, w.Check(r.Stdout)
	}}
}

// pluginCalls compares a fresh interpreter in the plugin with one in process.
func (b *bench) pluginCalls(ctx context.Context, c *sdk.Client) error {
	b.say("calls")
	w := workloads.Hello()
	subjects := []measure.Subject{b.inProcess(w), overPlugin(c, w)}
	for i := range subjects {
		subjects[i].PerTurn = b.of(200, 1000)
	}
	series := measure.Interleave(ctx, b.of(4, 10), subjects)
	for i, s := range subjects {
		row := measure.Row{Name: s.Name}
		row.Fill(series[i])
		if i == 1 {
			per, err := measure.Throughput(ctx, pluginCallers, time.Duration(b.of(1, 5))*time.Second, func(ctx context.Context) error {
				_, err := s.Run(ctx)
				return err
			})
			if err != nil {
				return err
			}
			row.PerSecond, row.Workers = per, pluginCallers
		}
		b.report.Rows = append(b.report.Rows, row)
	}
	inside, outside := b.report.Rows[0], b.report.Rows[1]
	b.report.Targets = append(b.report.Targets,
		measure.Target{Name: outside.Name + " p50, more than in process", Unit: "ms", Limit: promisedOverhead, Measured: outside.P50 - inside.P50},
		measure.Target{Name: fmt.Sprintf("%s throughput, %d callers", outside.Name, pluginCallers), Unit: "calls/s", Limit: promisedPlugin, Measured: outside.PerSecond, AtLeast: true},
	)
	return errors.Join(context.Cause(ctx), series[0].Err, series[1].Err)
}

// counted counts what is written to it.
type counted int

func (n *counted) Write(p []byte) (int, error) {
	*n += counted(len(p))
	return len(p), nil
}

// pluginStream measures much output.
func (b *bench) pluginStream(ctx context.Context, c *sdk.Client) error {
	b.say("output")
	var times []time.Duration
	for range b.of(1, 3) {
		var n counted
		start := time.Now()
		_, err := c.Stream(ctx, sdk.Request{Language: "python", Code: fmt.Sprintf(
			"import sys\nline = 'x' * 99_999 + '\\n'\nfor _ in range(%d): sys.stdout.write(line)", pluginOutput*10)}, &n, nil)
		if err != nil {
			return err
		}
		if int(n) != pluginOutput*1_000_000 {
			return fmt.Errorf("%d bytes of output arrived", int(n))
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	best := times[0].Seconds()
	b.report.Rows = append(b.report.Rows, measure.Row{
		Name: fmt.Sprintf("python/%d MB of output/plugin", pluginOutput), P50: times[len(times)/2].Seconds() * 1000,
		PerSecond: 1 / best, Workers: 1,
	})
	return nil
}

// pluginTools measures calls of a function of this program's.
func (b *bench) pluginTools(ctx context.Context, c *sdk.Client) error {
	b.say("tools")
	tool := sdk.Tool{Name: "echo", Call: func(_ context.Context, args json.RawMessage) (any, error) { return args, nil }}
	r, err := c.Run(ctx, sdk.Request{
		Language: "python", Tools: []sdk.Tool{tool}, Limits: sdk.Limits{ToolCalls: pluginTools + 1},
		Code: fmt.Sprintf(`import time, tools
tools.echo(n=0)
took = []
for i in range(%d):
    start = time.perf_counter()
    tools.echo(n=i)
    took.append(time.perf_counter() - start)
took.sort()
print(took[len(took) // 2] * 1000)`, pluginTools),
	})
	if err != nil {
		return err
	}
	var median float64
	if _, err := fmt.Sscan(r.Stdout, &median); err != nil {
		return fmt.Errorf("%w: %s, %s", err, r.Status, r.Stderr)
	}
	b.report.Rows = append(b.report.Rows, measure.Row{Name: "python/tool/plugin", P50: median})
	b.report.Targets = append(b.report.Targets, measure.Target{
		Name: "python/tool/plugin p50", Unit: "ms", Limit: promisedTool, Measured: median,
	})
	return nil
}
