package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
	"github.com/sandboxd/sandboxd/runtimes/packages"
)

// install writes what "packages add" leaves behind, without an index: a lock file and
// wheels of one module each, whose text is given by name and version, as "name==version".
func install(t *testing.T, data string, modules map[string]string) {
	t.Helper()
	dir := filepath.Join(data, "packages", "python")
	if err := os.MkdirAll(filepath.Join(dir, "wheels"), 0o700); err != nil {
		t.Fatal(err)
	}
	var lock packages.Lock
	for spec, text := range modules {
		name, version, _ := strings.Cut(spec, "==")
		var wheel bytes.Buffer
		z := zip.NewWriter(&wheel)
		w, err := z.Create(name + ".py")
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		p := packages.Package{
			Name: name, Version: version, Summary: "For a test", Imports: []string{name},
			File: name + "-" + version + "-py3-none-any.whl", SHA256: runtimes.Digest(wheel.Bytes()),
		}
		lock.Packages = append(lock.Packages, p)
		if err := os.WriteFile(filepath.Join(dir, "wheels", p.SHA256+".whl"), wheel.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := lock.Encode()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "installed.toml"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ready are packages that can be preloaded, and one that cannot.
var ready = map[string]string{
	"weighty==1.0": "table = {n: str(n) * 3 for n in range(30_000)}\nversion = 1\n",
	"light==1.0":   "version = 1\n",
	"broken==1.0":  "import nothing_there\n",
}

const preloadPolicy = `
[server]
harden = false
[runtimes.python]
preload = ["weighty", "light"]
[profiles.light]
packages = ["light"]
[profiles.none]
packages = []
`

// preloadData is a data directory with packages, and a policy file.
func preloadData(t *testing.T, policy string) (data, config string) {
	t.Helper()
	prepare(t)
	t.Setenv("SANDBOXD_CACHE_DIR", cacheDir(t))
	data, config = t.TempDir(), filepath.Join(t.TempDir(), "sandbox.toml")
	install(t, data, ready)
	if err := os.WriteFile(config, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	return data, config
}

func TestRunPreloads(t *testing.T) {
	data, config := preloadData(t, preloadPolicy)
	plain := filepath.Join(t.TempDir(), "plain.toml")
	if err := os.WriteFile(plain, []byte("[server]\nharden = false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, program string, args ...string) (result host.Result) {
		t.Helper()
		args = append([]string{"run", "--no-daemon", "--json", "-c", program}, args...)
		_, stdout, stderr := runMain(t, data, args...)
		if err := json.Unmarshal([]byte(stdout), &result); err != nil {
			t.Fatalf("%v: %s%s", err, stdout, stderr)
		}
		return result
	}
	const program = "import weighty\nprint(len(weighty.table))"
	without, with := run(t, program, "--config", plain), run(t, program, "--config", config)
	if without.Stdout != "30000\n" || with.Stdout != "30000\n" || without.FuelConsumed < 10_000_000 || with.FuelConsumed > 1_000_000 {
		t.Errorf("without: %q for %d; with: %q for %d", without.Stdout, without.FuelConsumed, with.Stdout, with.FuelConsumed)
	}
	t.Logf("import: %d units of fuel, preloaded %d", without.FuelConsumed, with.FuelConsumed)

	const look = "import sys\nprint([n for n in ('weighty', 'light') if n in sys.modules])\nimport weighty"
	for profile, want := range map[string]string{"light": "['light']\n", "none": "[]\n"} {
		got := run(t, look, "--config", config, "--profile", profile)
		plainly := run(t, look, "--config", config, "--profile", "none")
		if got.Stdout != want || got.Error == nil || got.Error.Type != "ModuleNotFoundError" ||
			len(got.Error.Guidance) == 0 || got.Error.Guidance[0] != plainly.Error.Guidance[0] {
			t.Errorf("profile %s: %q, %+v", profile, got.Stdout, got.Error)
		}
	}

	// Another version is another image.
	install(t, data, map[string]string{"weighty==2.0": "version = 2\n", "light==1.0": "version = 1\n"})
	if r := run(t, "import weighty\nprint(weighty.version)", "--config", config); r.Stdout != "2\n" {
		t.Errorf("the old version is preloaded: %q", r.Stdout)
	}
}

func TestPreloadsThatAreRefused(t *testing.T) {
	data, config := preloadData(t, "")
	tests := []struct{ name, policy, want string }{
		{"not installed", "[runtimes.python]\npreload = [\n  'light',\n  'wieghty']\n", `sandboxd: ` + config + `:2: runtimes.python.preload: no package "wieghty" is installed (did you mean "weighty"?)`},
		{"not installed, and misspelled", "[runtimes.python]\npreload = ['tabulte']\n", `runtimes.python.preload: no package "tabulte" is installed (did you mean "tabulate"?)`},
		{"a module of Python's", "[runtimes.python]\npreload = ['xml.dom']\n", `runtimes.python.preload: no package "xml.dom" is installed, and the catalogue has none; take it off the list (what is in Python's own library needs no preload)`},
		{"a module of none", "[runtimes.python]\npreload = ['openpyxl.chart']\n", `sandbox.toml:2: runtimes.python.preload: no package "openpyxl.chart" is installed: install it with "sandboxd packages add openpyxl"`},
		{"a package that cannot be imported", "[runtimes.python]\npreload = ['light', 'broken']\n", `key "runtimes.python.preload"): importing "broken": ModuleNotFoundError: No module named 'nothing_there'; take it off the list`},
		{"a module that is not there", "[runtimes.python]\npreload = ['light.more']\n", `importing "light.more": ModuleNotFoundError`},
		{"a list of numbers", "[runtimes.python]\npreload = [1]\n", `sandbox.toml:2: runtimes.python.preload: want the name of a package in quotes, not a number`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(config, []byte(tt.policy+"[server]\nharden = false\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			commands := [][]string{{"run", "--no-daemon", "-c", "print(1)"}}
			if strings.Contains(tt.want, "no package") { // known before anything is prepared, or anybody answered
				commands = append(commands, []string{"runtimes", "prepare", "--no-optimize", "python"}, []string{"mcp"})
			}
			for _, args := range commands {
				code, stdout, stderr := runMain(t, data, append(args, "--config", config)...)
				if code != exitFailed || stdout != "" || !strings.Contains(stderr, tt.want) || strings.Contains(stderr, `profile "`) {
					t.Errorf("%q: exit code %d, printed %q\n%s", args, code, stdout, stderr)
				}
			}
		})
	}
}

func TestNamesOfPreloads(t *testing.T) {
	installed := &packages.Lock{Packages: []packages.Package{
		{Name: "beautifulsoup4", Imports: []string{"bs4"}},
		{Name: "ruamel-yaml", Imports: []string{"ruamel"}},
	}}
	for name, want := range map[string]string{
		"ruamel.yaml":    "ruamel-yaml [ruamel.yaml]",
		"ruamel-yaml":    "ruamel-yaml [ruamel]",
		"ruamel":         "ruamel-yaml [ruamel]",
		"Beautifulsoup4": "beautifulsoup4 [bs4]",
		"bs4":            "beautifulsoup4 [bs4]",
		"bs4.element":    "beautifulsoup4 [bs4.element]",
		"json":           " []",
	} {
		p, imports := named(installed, name)
		if got := fmt.Sprintf("%s %v", p.Name, imports); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestPackagesAreReadyForADaemon covers what one that is hardened could not make.
func TestPackagesAreReadyForADaemon(t *testing.T) {
	data, config := preloadData(t, "[server]\nharden = false\n[profiles.light]\npackages = [\"light\"]\n[profiles.later]\npackages = [\"more\"]\n")
	trees := func(t *testing.T) int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(data, "packages", "python", "trees", "*.contents"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if code, _, stderr := runMain(t, data, "runtimes", "prepare", "--no-optimize", "--config", config, "python"); code != 0 || !strings.Contains(stderr, `"later"`) {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if n := trees(t); n != 2 {
		t.Errorf("after runtimes prepare there are %d trees, want one of all packages and one of a profile's", n)
	}
	if code, _, stderr := runMain(t, data, "packages", "remove", "--config", config, "broken"); code != 0 {
		t.Fatal(stderr)
	}
	if n := trees(t); n != 3 { // the first one of all is held for as long as this process lives
		t.Errorf("after packages remove there are %d trees, want another one of all", n)
	}
}

// TestServersPreload covers what daemon, plugin and agents' server have in common.
func TestServersPreload(t *testing.T) {
	data, config := preloadData(t, preloadPolicy)
	a := &app{getenv: os.Getenv, stderr: new(bytes.Buffer), dataDir: data}
	policy, err := policies.Load(config)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := a.registry()
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]int{}
	h, err := a.open(t.Context(), policy, registry, func(e runtimes.Event) { made[e.Stage]++ })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	p := a.packaged(h, registry)
	if err := p.load(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(made)
	for profile, want := range map[string]string{"strict": "['weighty', 'light']\n", "light": "['light']\n", "none": "[]\n"} {
		r, err := p.Execute(t.Context(), host.Request{Language: "py", Profile: profile, Code: []byte("import sys\nprint([n for n in ('weighty', 'light') if n in sys.modules])")})
		if err != nil || r.Stdout != want {
			t.Errorf("profile %s: %+v, %v", profile, r, err)
		}
	}
	t.Run("and keep what they had where a reload finds no packages", func(t *testing.T) {
		parse := func(t *testing.T, text string) *policies.Policy {
			t.Helper()
			policy, err := policies.Parse(config, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			return policy
		}
		lock := filepath.Join(data, "packages", "python", "installed.toml")
		text, err := os.ReadFile(lock)
		if err == nil {
			err = os.WriteFile(lock, []byte("damaged"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		reload := func(t *testing.T, text string, kept bool) {
			t.Helper()
			warned := 0
			policy := parse(t, text)
			if err := p.reload(t.Context(), policy, func(string, error) { warned++ }); err != nil || (warned > 0) != kept || p.kept.Load() != kept {
				t.Errorf("%v, %d warnings", err, warned)
			}
			h.SetPolicy(policy)
		}
		sees := func(t *testing.T, profile, want string) {
			t.Helper()
			const program = "import sys\nprint('weighty' in sys.modules)\nfor name in ('light', 'weighty'):\n    try:\n        print(__import__(name).__name__)\n    except ImportError:\n        pass"
			r, err := p.Execute(t.Context(), host.Request{Language: "python", Profile: profile, Code: []byte(program)})
			if err != nil || r.Stdout != want {
				t.Errorf("profile %s: %+v, %v, want %q", profile, r, err, want)
			}
		}
		reload(t, preloadPolicy+"[profiles.new]\n", true)
		sees(t, "strict", "True\nlight\nweighty\n")
		sees(t, "light", "False\nlight\n")
		sees(t, "new", "False\n")
		// What a policy forbids now is not kept.
		reload(t, strings.ReplaceAll(preloadPolicy, `["light"]`, `["weighty"]`), true)
		sees(t, "light", "False\n")
		reload(t, strings.ReplaceAll(preloadPolicy, `preload = ["weighty", "light"]`, ""), true)
		sees(t, "strict", "False\nlight\nweighty\n")
		if err := p.reload(t.Context(), parse(t, "[runtimes.javascript]\npreload = [\"light\"]\n"), nil); err == nil {
			t.Error("a mistake in the file is accepted")
		}
		if err := os.WriteFile(lock, text, 0o600); err != nil {
			t.Fatal(err)
		}
		reload(t, preloadPolicy, false)
		sees(t, "light", "False\nlight\n")
	})
	if now := fmt.Sprint(made); now != before {
		t.Errorf("a call had something to prepare: %s, then %s", before, now)
	}
}

func TestHardenedRunPreloads(t *testing.T) {
	data, config := preloadData(t, strings.Replace(preloadPolicy, "harden = false", "max_concurrent = 1", 1))
	t.Setenv("SANDBOXD_DATA_DIR", data)
	stdout, stderr, code := sandboxd(t, t.TempDir(), "", "run", "--no-daemon", "--config", config, "-c", "import sys\nprint('weighty' in sys.modules)")
	if code != 0 || stdout != "True\n" {
		t.Errorf("exit code %d, printed %q\n%s", code, stdout, stderr)
	}
	stdout, stderr, code = sandboxd(t, t.TempDir(), "", "runtimes", "prepare", "--no-optimize", "--config", config, "python")
	if code != 0 || !strings.Contains(stdout, "ready") {
		t.Errorf("exit code %d, printed %q\n%s", code, stdout, stderr)
	}
}

// TestPreloadedPackagesOfTheCatalogue measures what importing costs with and without a
// preload, in fuel and, which says something on an idle machine only, in time.
func TestPreloadedPackagesOfTheCatalogue(t *testing.T) {
	dir := os.Getenv(packagesEnv)
	if dir == "" {
		t.Skip("fetches packages; set " + packagesEnv + " to a directory")
	}
	list := []string{"dateutil.parser", "jinja2", "markdown", "openpyxl", "tabulate"}
	if code, _, stderr := runMain(t, dir, "packages", "add", "python-dateutil", "jinja2", "markdown", "openpyxl", "tabulate"); code != 0 {
		t.Fatal(stderr)
	}
	prepare(t)
	a := &app{getenv: os.Getenv, stderr: new(bytes.Buffer), dataDir: dir}
	registry, err := a.registry()
	if err != nil {
		t.Fatal(err)
	}
	type cost struct {
		fuel, memory, private uint64
		least, median         float64 // ms
	}
	measured := map[bool]map[string]cost{true: {}, false: {}}
	for preloaded, costs := range measured {
		text := "[server]\nmax_concurrent = 64\n"
		if preloaded {
			text += fmt.Sprintf("[runtimes.python]\npreload = [%q, %q, %q, %q, %q]\n", list[0], list[1], list[2], list[3], list[4])
		}
		policy, err := policies.Parse("sandbox.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		h, err := a.open(t.Context(), policy, registry, nil)
		if err != nil {
			t.Fatal(err)
		}
		request := func(code string) host.Request {
			r := host.Request{Language: "python", Profile: "relaxed", Code: []byte(code)}
			if err := a.withPackages(t.Context(), policy, registry, &r); err != nil {
				t.Fatal(err)
			}
			return r
		}
		for _, name := range append([]string{"nothing"}, list...) {
			code := "import " + name
			if name == "nothing" {
				code = "pass"
			}
			var c cost
			var times []float64
			for range 15 {
				r, err := h.Execute(t.Context(), request(code))
				if err != nil || r.Status != host.StatusOK {
					t.Fatalf("%s: %+v, %v", name, r, err)
				}
				c.fuel, c.memory = r.FuelConsumed, r.MemoryBytes
				timed := request("from time import perf_counter as now\nt = now()\n" + code + "\nprint((now() - t) * 1000)")
				if r, err = h.Execute(t.Context(), timed); err != nil {
					t.Fatal(err)
				}
				var ms float64
				if _, err := fmt.Sscan(r.Stdout, &ms); err != nil {
					t.Fatal(r.Stdout, r.Stderr)
				}
				times = append(times, ms)
			}
			slices.Sort(times)
			c.least, c.median = times[0], times[len(times)/2]
			c.private, err = measure.PerInstance(t.Context(), func(ctx context.Context, stdin io.Reader) error {
				r := request(code + "\nprint()\nimport sys\nsys.stdin.read()")
				r.Stdin = stdin
				_, err := h.Execute(ctx, r)
				return err
			})
			if err != nil && !errors.Is(err, errors.ErrUnsupported) {
				t.Fatal(err)
			}
			costs[name] = c
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range append([]string{"nothing"}, list...) {
		for _, preloaded := range []bool{false, true} {
			c := measured[preloaded][name]
			t.Logf("%-16s preloaded %-5v  fuel %11d (import %11d)  ms %8.3f median %8.3f  memory %.1f MiB  private %d KiB",
				name, preloaded, c.fuel, c.fuel-measured[preloaded]["nothing"].fuel, c.least, c.median, float64(c.memory)/(1<<20), c.private>>10)
			if preloaded && c.fuel > 1_000_000 {
				t.Errorf("importing %s takes %d units of fuel although it is preloaded", name, c.fuel)
			}
		}
	}
}
