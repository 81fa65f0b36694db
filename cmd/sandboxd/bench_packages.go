package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// What programs that import packages are promised.
const (
	promisedImport     = 100 // ms
	promisedImportFuel = 300 // millions of instructions
	promisedPreloaded  = 2   // ms
	promisedUtils      = 0.1 // ms
	promisedCSV        = 300 // ms
)

// promisedImports are the modules that the promise is about, and that are preloaded.
var promisedImports = []string{"dateutil.parser", "jinja2", "markdown", "openpyxl", "tabulate"}

// importedAs are modules that programs import of packages whose first name has little.
var importedAs = map[string]string{
	"dateutil": "dateutil.parser", "defusedxml": "defusedxml.ElementTree", "rich": "rich.console",
}

// libraryPrograms use sandboxd's own modules, and print for how many seconds.
var libraryPrograms = []struct {
	name, code string
	promised   float64
}{
	{"library/sandbox_utils", `
import time
started = time.perf_counter()
import sandbox_utils
print(time.perf_counter() - started)
`, promisedUtils},
	{"library/csv_to_json, 10 000 rows", `
import time
from sandbox_utils import csv_to_json
with open("rows.csv", "w") as file:
    file.write("id,name,amount,date\n")
    file.writelines(f"{n},name {n % 97},{n * 1.25},2024-01-{n % 28 + 1:02}\n" for n in range(10_000))
started = time.perf_counter()
csv_to_json("rows.csv", "rows.json")
print(time.perf_counter() - started)
`, promisedCSV},
}

func (a *app) benchPackagesCommand() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "packages",
		Short: "Measure what importing packages costs",
		Long: `Measure the import of each Python package that is installed, in a fresh interpreter: the
time and the fuel of a call that does nothing else, and the private memory of one that
waits; for some also with a preload. And what importing sandbox_utils takes, and its conversion of a table of 10 000
rows, by the clock of the program.`,
		Example: "  sandboxd bench packages\n  sandboxd bench packages --quick --json",
		Args:    atMost(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.benchPackages(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.quick, "quick", false, "measure less: each once, and no memory")
	jsonFlag(cmd, &o.json)
	return cmd
}

// importWay is a way to have packages: each makes a row of the imports that it is for.
type importWay struct {
	name     string
	request  host.Request // without a program
	only     []string     // the modules that it is for; all if empty
	ms, fuel float64      // what is promised of promisedImports; no fuel is no promise
}

func (a *app) benchPackages(ctx context.Context, o benchOptions) (err error) {
	policy, err := policies.Parse("bench", []byte(benchPolicy))
	if err != nil {
		return err
	}
	progress := newProgress(a.stderr, isTerminal(a.stderr), 0)
	defer progress.stop()
	registry, err := runtimes.Builtin()
	if err != nil {
		return err
	}
	h, err := a.open(ctx, policy, registry, progress.event)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	b := &bench{app: a, benchOptions: o, host: h, say: func(what string) {
		progress.event(runtimes.Event{Runtime: "bench", Stage: what})
	}}
	if err := b.locate(); err != nil {
		return err
	}
	modules, err := a.installedImports(registry)
	if err != nil {
		return err
	}
	r := host.Request{Language: benchLanguage}
	if err := a.withPackages(ctx, policy, registry, &r); err != nil {
		return err
	}
	ways := []importWay{{name: "import", request: r, ms: promisedImport, fuel: promisedImportFuel}}
	if preload := slices.DeleteFunc(slices.Clone(promisedImports), func(m string) bool { return !slices.Contains(modules, m) }); len(preload) > 0 {
		r, err := a.preloaded(ctx, h, registry, preload)
		if err != nil {
			return err
		}
		ways = append(ways, importWay{name: "preloaded", request: r, only: preload, ms: promisedPreloaded})
	}
	if err := b.imports(ctx, modules, ways); err != nil {
		return err
	}
	if err := b.library(ctx); err != nil {
		return err
	}
	progress.stop()
	if o.json {
		return b.report.WriteJSON(a.stdout)
	}
	if len(modules) == 0 {
		a.note("no packages are installed: sandboxd packages add --all")
	}
	return b.report.WriteTable(a.stdout)
}

// preloaded is a request whose interpreter has imported modules already, when their image
// is ready.
func (a *app) preloaded(ctx context.Context, h *host.Host, registry *runtimes.Registry, modules []string) (host.Request, error) {
	r := host.Request{Language: benchLanguage}
	policy, err := policies.Parse("bench", fmt.Appendf(nil, "%s\n[runtimes.%s]\npreload = [\"%s\"]\n", benchPolicy, benchLanguage, strings.Join(modules, "\", \"")))
	if err == nil {
		err = a.withPackages(ctx, policy, registry, &r)
	}
	if err == nil {
		err = h.PrepareRequest(ctx, &r)
	}
	return r, err
}

// installedImports are the modules to import of the packages that are installed.
func (a *app) installedImports(registry *runtimes.Registry) ([]string, error) {
	d, err := registry.Lookup(benchLanguage)
	if err != nil {
		return nil, err
	}
	store, err := a.packageStore(d)
	if store == nil || err != nil {
		return nil, err
	}
	lock, err := store.Installed()
	if err != nil {
		return nil, err
	}
	var modules []string
	for _, name := range lock.Modules() {
		if strings.HasPrefix(name, "_") {
			continue
		}
		if more, ok := importedAs[name]; ok {
			name = more
		}
		modules = append(modules, name)
	}
	slices.Sort(modules)
	return slices.Compact(modules), nil
}

// imports measures the import of modules, every way.
func (b *bench) imports(ctx context.Context, modules []string, ways []importWay) error {
	for _, module := range modules {
		b.say("import " + module)
		for _, way := range ways {
			if len(way.only) > 0 && !slices.Contains(way.only, module) {
				continue
			}
			if err := b.importOne(ctx, module, way); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) importOne(ctx context.Context, module string, way importWay) error {
	request := way.request
	request.Code = []byte("import " + module)
	row := measure.Row{Name: "packages/" + module + "/" + way.name}
	if !b.quick {
		if err := importMemory(ctx, b.host, request, &row); err != nil {
			return fmt.Errorf("%s: %w", row.Name, err)
		}
	}
	series := measure.Interleave(ctx, b.of(2, 7), []measure.Subject{{Run: func(ctx context.Context) (measure.Observation, error) {
		return observe(ctx, b.host, request, false)
	}}})
	row.Fill(series[0])
	b.report.Rows = append(b.report.Rows, row)
	if !slices.Contains(promisedImports, module) {
		return nil
	}
	b.report.Targets = append(b.report.Targets, measure.Target{Name: row.Name + " p50", Unit: "ms", Limit: way.ms, Measured: row.P50})
	if way.fuel > 0 {
		b.report.Targets = append(b.report.Targets, measure.Target{Name: row.Name + " fuel", Unit: "millions", Limit: way.fuel, Measured: float64(row.Fuel) / 1e6})
	}
	return nil
}

// library measures what comes with sandboxd.
func (b *bench) library(ctx context.Context) error {
	for _, p := range libraryPrograms {
		b.say(p.name)
		request := host.Request{Language: benchLanguage, Code: []byte(p.code)}
		series := measure.Interleave(ctx, b.of(2, 7), []measure.Subject{{Run: func(ctx context.Context) (measure.Observation, error) {
			return observe(ctx, b.host, request, true)
		}}})
		row := measure.Row{Name: p.name}
		row.Fill(series[0])
		b.report.Rows = append(b.report.Rows, row)
		b.report.Targets = append(b.report.Targets, measure.Target{Name: p.name + " p50", Unit: "ms", Limit: p.promised, Measured: row.P50})
	}
	return ctx.Err()
}

// observe runs a program once. Its time is what the caller waited, or what the program
// printed that it took.
func observe(ctx context.Context, h *host.Host, r host.Request, printed bool) (measure.Observation, error) {
	start := time.Now()
	result, err := h.Execute(ctx, r)
	o := measure.Observation{Elapsed: time.Since(start)}
	if err != nil {
		return o, err
	}
	if !result.Success {
		return o, fmt.Errorf("%s: %s", result.Status, result.Stderr)
	}
	o.Fuel = result.FuelConsumed
	if printed {
		seconds, err := strconv.ParseFloat(strings.TrimSpace(result.Stdout), 64)
		if err != nil {
			return o, err
		}
		o.Elapsed = time.Duration(seconds * float64(time.Second))
	}
	return o, nil
}

// importMemory measures what one more instance costs that has imported a module.
func importMemory(ctx context.Context, h *host.Host, r host.Request, row *measure.Row) error {
	r.Code = append(slices.Clone(r.Code), "\n"+waiting[benchLanguage]...)
	size, err := measure.PerInstance(ctx, func(ctx context.Context, stdin io.Reader) error {
		r := r
		r.Stdin = stdin
		result, err := h.Execute(ctx, r)
		if err == nil && !result.Success {
			err = fmt.Errorf("%s: %s", result.Status, result.Stderr)
		}
		return err
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	row.PrivateKB = size >> 10
	return err
}
