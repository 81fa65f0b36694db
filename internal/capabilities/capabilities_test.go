package capabilities

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
	"github.com/sandboxd/sandboxd/runtimes/packages"
)

var update = flag.Bool("update", false, "record what ran, and write the pages in docs")

// packagesEnv names a data directory, which keeps what is fetched: with it the packages
// of the catalogues are imported as well, which needs pip and npm, and what they ask.
const packagesEnv = "SANDBOXD_PACKAGES_TESTS"

const policyText = `
default_profile = "wide"
[profiles.wide]
fuel = 20_000_000_000
memory = "256MiB"
timeout = "120s"
`

// languages are asked for what they have, as the JSON of a Record, and made to import it.
var languages = []struct {
	name, list, importing, empty string

	// packages imports those of the catalogue, if there is one.
	packages func(t *testing.T, h *host.Host, cache string, base *host.Result, was []Module) []Module
}{
	{"python", `
import importlib.util, json, pkgutil, platform, sys

def below(name, locations):
    for module in pkgutil.iter_modules(locations, name + "."):
        last = module.name.rpartition(".")[2]
        if last[0] == "_" or last in ("test", "tests") or name == "encodings":
            continue
        yield module.name
        if module.ispkg:
            place = module.module_finder.find_spec(module.name).submodule_search_locations
            yield from below(module.name, place)

names = [n for n in sys.stdlib_module_names if n[0] != "_"]
for name in names[:]:
    spec = None if name in sys.builtin_module_names else importlib.util.find_spec(name)
    if spec and spec.submodule_search_locations:
        names += below(name, spec.submodule_search_locations)
names += ["sandbox_charts", "sandbox_display", "sandbox_net", "sandbox_tools", "sandbox_utils"]
print(json.dumps({"version": platform.python_version(), "modules": [{"name": n} for n in sorted(set(names))]}))
`, "import %s", "pass", pythonPackages},
	{"javascript", `
const names = require('module').builtinModules;
console.log(JSON.stringify({
  version: 'ES2023, as Node ' + process.version,
  globals: Object.getOwnPropertyNames(globalThis).sort(),
  modules: [...names].sort().map((name) => ({ name })),
}));
`, "require('%s')", ";", javascriptPackages},
	{"ruby", `
require 'json'
names = %w[bigdecimal etc fiddle io/console io/nonblock io/wait nkf pty rbconfig socket stringio zlib]
$LOAD_PATH.each do |dir|
  next unless File.directory?(dir)
  Dir.children(dir).each do |entry|
    names << entry.delete_suffix('.rb') if entry.end_with?('.rb')
    next if File.extname(entry) != '' || File.exist?("#{dir}/#{entry}.rb") || entry.include?('wasm32')
    next unless %w[digest io net].include?(entry)
    Dir.children("#{dir}/#{entry}").each { |e| names << "#{entry}/#{e.delete_suffix('.rb')}" if e.end_with?('.rb') }
  end
end
names -= %w[un mkmf rubygems_plugin bundled_gems]
puts JSON.generate({ version: RUBY_VERSION, modules: names.uniq.sort.map { |n| { name: n } } })
`, "require '%s'", "nil", nil},
}

// starlarkNames are what a Starlark program may find without loading it, of which it
// cannot make a list itself.
const starlarkNames = `abs all any bool breakpoint bytes chr dict dir enumerate fail fetch float getattr hasattr
hash int json len list load_json math max min ord print range read repr reversed set sorted str struct sum time
tuple type write zip`

func open(t *testing.T) (*host.Host, string) {
	t.Helper()
	cache := os.Getenv("SANDBOXD_CACHE_DIR")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(user, "sandboxd")
	}
	policy, err := policies.Parse("sandbox.toml", []byte(policyText))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(t.Context(), host.Options{CacheDir: cache, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, cache
}

func execute(t *testing.T, h *host.Host, language, code string) *host.Result {
	t.Helper()
	r, err := h.Execute(t.Context(), host.Request{Language: language, Code: []byte(code)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func definition(t *testing.T, language string) *runtimes.Definition {
	t.Helper()
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	d, err := registry.Lookup(language)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// fromSource says whether the Python that runs was built from source.
func fromSource(t *testing.T, cache string) bool {
	t.Helper()
	d := definition(t, "python")
	store, err := runtimes.OpenStore(cache)
	if err != nil {
		t.Fatal(err)
	}
	return store.Prefer(d).Version != d.Version
}

func TestThePagesSayWhatRan(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred imports run without -short")
	}
	h, cache := open(t)
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			file := l.name
			if l.name == "python" {
				file = "python-prebuilt"
				if fromSource(t, cache) {
					file = "python-built"
				}
			}
			r := execute(t, h, l.name, l.list)
			var ran Record
			if err := json.Unmarshal([]byte(r.Stdout), &ran); err != nil || len(ran.Modules) < 30 {
				t.Fatalf("%v: %s\n%s", err, r.Stdout, r.Stderr)
			}
			execute(t, h, l.name, l.empty)
			base := execute(t, h, l.name, l.empty)
			for i := range ran.Modules {
				m := &ran.Modules[i]
				r := execute(t, h, l.name, fmt.Sprintf(l.importing, m.Name))
				measured(t, m, base, r)
			}
			if l.packages != nil {
				ran.Packages = l.packages(t, h, cache, base, recorded(t, file).Packages)
			}
			settle(t, file, &ran)
		})
	}
	t.Run("starlark", func(t *testing.T) {
		if _, err := exec.LookPath("go"); err != nil {
			t.Skip("Starlark is built with Go: ", err)
		}
		ran := Record{Version: definition(t, "starlark").Version}
		for name := range strings.FieldsSeq(starlarkNames) {
			if execute(t, h, "starlark", name).Success {
				ran.Globals = append(ran.Globals, name)
			}
		}
		settle(t, "starlark", &ran)
	})
	pages(t)
}

// measured notes what an import cost, next to an empty program.
func measured(t *testing.T, m *Module, base, r *host.Result) {
	t.Helper()
	if !r.Success {
		if r.Error == nil {
			t.Fatalf("%s: %s", m.Name, r.Status)
		}
		m.Missing = strings.SplitN(r.Error.Message, "\n", 2)[0]
		return
	}
	m.Fuel = r.FuelConsumed - min(base.FuelConsumed, r.FuelConsumed)
	if more := (r.DurationSeconds - base.DurationSeconds) * 1e3; m.Fuel > free && more > 0 {
		m.Milliseconds = more
	}
}

// commander builds this repository's own command, which runs with the packages in dir.
func commander(t *testing.T, dir, cache string) func(args ...string) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sandboxd")
	run := func(name string, args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Env = append(os.Environ(), "SANDBOXD_DATA_DIR="+dir, "SANDBOXD_CACHE_DIR="+cache)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, stderr.String())
		}
		return out
	}
	run("go", "build", "-o", binary, "../../cmd/sandboxd")
	return func(args ...string) []byte { return run(binary, args...) }
}

// javascriptPackages imports all that the catalogue names, each under the profile that
// the page says is enough.
func javascriptPackages(t *testing.T, h *host.Host, cache string, base *host.Result, was []Module) []Module {
	t.Helper()
	dir := os.Getenv(packagesEnv)
	if dir == "" {
		return nil
	}
	commander(t, dir, cache)("packages", "add", "--lang", "javascript", "--all")
	data, err := fs.ReadFile(definition(t, "javascript").Files, "packages.toml")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := packages.ParseNPMLock("packages.toml", data)
	if err != nil {
		t.Fatal(err)
	}
	store := packages.OpenNPM(filepath.Join(dir, "packages", "javascript"), catalogue, nil, nil)
	installed, err := store.Installed()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range catalogue.Packages {
		names = append(names, p.Name)
	}
	chosen, err := installed.Choose(names) // others may be there as well
	if err != nil {
		t.Fatal(err)
	}
	tree, hold, err := store.Tree(chosen)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	old := byName(was)
	var all []Module
	for i := range chosen {
		for _, name := range chosen[i].Imports() {
			profile := largest
			if m, ok := old[name]; ok && !*update {
				profile = Enough(m.Fuel)
			}
			r, err := h.Execute(t.Context(), host.Request{
				Language: "javascript", Profile: profile, Code: fmt.Appendf(nil, "import %q;", name),
				Mounts: []policies.Mount{{Host: tree, Guest: "/node_modules"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			m := Module{Name: name, Version: chosen[i].Version}
			measured(t, &m, base, r)
			m.Milliseconds, m.Pages = 0, uint32(r.MemoryBytes>>16)
			all = append(all, m)
		}
	}
	return all
}

// pythonPackages imports those of the catalogue, with this repository's own command.
func pythonPackages(t *testing.T, _ *host.Host, cache string, base *host.Result, _ []Module) []Module {
	t.Helper()
	dir := os.Getenv(packagesEnv)
	if dir == "" {
		return nil
	}
	command := commander(t, dir, cache)
	command("packages", "add", "--all")
	var installed struct {
		Packages []struct {
			Version string   `json:"version"`
			Imports []string `json:"imports"`
		} `json:"packages"`
	}
	var bench struct {
		Rows []struct {
			Name string  `json:"name"`
			P50  float64 `json:"p50_ms"`
			Fuel uint64  `json:"fuel"`
		} `json:"rows"`
	}
	err := json.Unmarshal(command("packages", "list", "--lang", "python", "--json"), &installed)
	err = errors.Join(err, json.Unmarshal(command("bench", "packages", "--quick", "--json"), &bench))
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, p := range installed.Packages {
		for _, name := range p.Imports {
			versions[name] = p.Version
		}
	}
	var all []Module
	for _, row := range bench.Rows {
		name, ok := strings.CutPrefix(row.Name, "packages/")
		name, plain := strings.CutSuffix(name, "/import")
		if !ok || !plain {
			continue
		}
		top, _, _ := strings.Cut(name, ".")
		all = append(all, Module{Name: name, Version: versions[top], Fuel: row.Fuel - min(base.FuelConsumed, row.Fuel), Milliseconds: row.P50})
	}
	if len(all) < 20 {
		t.Fatalf("%d packages were imported", len(all))
	}
	return all
}

func recorded(t *testing.T, name string) *Record {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	r := &Record{}
	if errors.Is(err, fs.ErrNotExist) && *update {
		return r
	}
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// settle compares what ran with what is recorded, or records it.
func settle(t *testing.T, name string, ran *Record) {
	t.Helper()
	old := recorded(t, name)
	if ran.Packages == nil {
		ran.Packages = old.Packages // they did not run
	}
	if !*update {
		for _, d := range Differences(old, ran) {
			t.Errorf("%s; if that is meant: go test ./internal/capabilities -update", d)
		}
		return
	}
	Keep(old.Modules, ran.Modules)
	Keep(old.Packages, ran.Packages)
	data, err := json.MarshalIndent(ran, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".json"), append(data, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pages compares the pages with what is recorded, or writes them.
func pages(t *testing.T) {
	t.Helper()
	for name, text := range map[string]string{
		"python": Python(recorded(t, "python-prebuilt"), recorded(t, "python-built")),
		"javascript": Single("What JavaScript programs can import",
			"With `require` or `import`, with or without `node:` in front. What the modules do and do not is in\n[javascript-library.md](javascript-library.md).", recorded(t, "javascript")),
		"ruby": Single("What Ruby programs can import", "With `require`. More about Ruby is in [ruby.md](ruby.md).", recorded(t, "ruby")),
		"starlark": Single("What Starlark programs find",
			"There is nothing to import but files of the program's own, with `load`.", recorded(t, "starlark")),
	} {
		path := filepath.Join("..", "..", "docs", "capabilities-"+name+".md")
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != text {
			t.Errorf("%s is not what is recorded: go test ./internal/capabilities -update", path)
		}
	}
}

func TestAnUpdateKeepsTheTimesOfWhatIsAsItWas(t *testing.T) {
	ran := []Module{{Name: "a", Fuel: 10_100_000, Milliseconds: 9}, {Name: "b", Fuel: 20_000_000, Milliseconds: 9}}
	Keep([]Module{{Name: "a", Fuel: 10_000_000, Milliseconds: 3}, {Name: "b", Fuel: 10_000_000, Milliseconds: 3}}, ran)
	if ran[0].Milliseconds != 3 || ran[1].Milliseconds != 9 {
		t.Errorf("got %+v", ran)
	}
}

func TestDifferencesAreFound(t *testing.T) {
	record := func(change func(*Record)) *Record {
		r := &Record{
			Version: "1", Globals: []string{"g"},
			Modules:  []Module{{Name: "a", Fuel: 10_000_000, Milliseconds: 3}, {Name: "b", Missing: "No module named 'x'"}},
			Packages: []Module{{Name: "p", Version: "1.0", Fuel: 1, Pages: 64}},
		}
		if change != nil {
			change(r)
		}
		return r
	}
	tests := []struct {
		name   string
		change func(*Record)
		want   int
	}{
		{"nothing", nil, 0},
		{"times", func(r *Record) { r.Modules[0].Milliseconds = 99 }, 0},
		{"fuel within the tolerance", func(r *Record) { r.Modules[0].Fuel = 10_900_000 }, 0},
		{"more fuel", func(r *Record) { r.Modules[0].Fuel = 11_100_000 }, 1},
		{"less fuel", func(r *Record) { r.Modules[0].Fuel = 8_900_000 }, 1},
		{"another version", func(r *Record) { r.Version = "2" }, 1},
		{"another global", func(r *Record) { r.Globals = nil }, 1},
		{"another reason", func(r *Record) { r.Modules[1].Missing = "no" }, 1},
		{"there now", func(r *Record) { r.Modules[1].Missing = "" }, 1},
		{"one more", func(r *Record) { r.Modules = append(r.Modules, Module{Name: "c"}) }, 1},
		{"one less", func(r *Record) { r.Modules = r.Modules[:1] }, 1},
		{"memory within the tolerance", func(r *Record) { r.Packages[0].Pages = 64 + freePages }, 0},
		{"more memory", func(r *Record) { r.Packages[0].Pages = 64 + freePages + 1 }, 1},
		{"a package's version", func(r *Record) { r.Packages[0].Version = "2.0" }, 1},
	}
	for _, tt := range tests {
		if got := Differences(record(nil), record(tt.change)); len(got) != tt.want {
			t.Errorf("%s: %q, want %d differences", tt.name, got, tt.want)
		}
	}
}
