package host

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	extism "github.com/extism/go-sdk"
	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

var (
	updateEquality = flag.Bool("equality.update", false, "rewrite host/testdata/equality/*.want")
	allEquality    = flag.Bool("equality.all", false, "run every program without a snapshot, too, not only some")
)

// plainEvery is how many programs share one run without a snapshot, which uses
// the same code as one with it and takes a hundred times as long.
const plainEvery = 4

// TestProgramsBehaveAsInPython runs every program of testdata/equality three
// times in the same module: as Execute does, from the snapshot; as Execute does
// without a snapshot; and as Python's own command line does, which knows nothing
// of runtimes/python. Standard output, standard error and the exit code must be
// the same.
//
// A program says in comments at its top what it needs:
//
//	# args: one two        its arguments
//	# env: A=1 B=2         its environment, beside LANG
//	# stdin: "a\nb"        its standard input, as a Go string
//	# command:             it is run as with python -c, and has no file name
//	# differs: why         it must not do as Python does, but as its .want file says
//	# image: why           the snapshot alone differs; the plain start does as Python does
//
// "# differs 3.12: why" is about that version alone, and a file NAME.3.13.want takes
// the place of NAME.want in that version.
//
// The files in testdata/equality/app are in its working directory.
// Of the second way, a part of the programs is enough.
func TestProgramsBehaveAsInPython(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Python afresh twice for every program")
	}
	e := newEquality(t)
	files, err := filepath.Glob("testdata/equality/*.py")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 60 {
		t.Fatalf("found %d programs", len(files))
	}
	for i, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".py"), func(t *testing.T) {
			t.Parallel()
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := parseProgram(t, code, e.version())
			p.name = filepath.Base(file)
			want := strings.TrimSuffix(file, ".py") + ".want"
			if own := strings.TrimSuffix(file, "py") + e.version() + ".want"; exists(own) {
				want = own
			}
			snapshot, python := e.snapshot(t, p), e.python(t, p)
			if p.differs == "" && p.image == "" {
				equal(t, "the snapshot's, -python +snapshot", python, snapshot)
			} else {
				checkWanted(t, want, snapshot)
				if snapshot == python {
					t.Errorf("declared to differ (%s%s), but does not: %v", p.differs, p.image, snapshot)
				}
			}
			if p.differs == "" && p.image == "" && i%plainEvery != 0 && !*allEquality {
				return
			}
			if plain := e.plain(t, p); p.differs != "" {
				equal(t, "the plain start's, -snapshot +plain", snapshot, plain)
			} else {
				equal(t, "the plain start's, -python +plain", python, plain)
			}
		})
	}
}

// TestLargeProgramsBehaveAsInPython is about programs too large to keep.
func TestLargeProgramsBehaveAsInPython(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Python afresh twice for every program")
	}
	var functions strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&functions, "def f%d(x): return x + %d\n", i, i)
	}
	tests := map[string]equalProgram{
		"ten thousand functions": {code: functions.String() + "print(f9999(1), f0(1), len(globals()))\nf1('')\n"},
		"a string of a megabyte": {code: "text = '" + strings.Repeat("snake \u00e9", 150_000) + "'\nprint(len(text), text[-1])\n"},
		"a megabyte of comments": {code: strings.Repeat("# no code\n", 100_000) + "1/0\n"},
		"a list of numbers":      {code: "a = [" + strings.Repeat("1234567,", 20_000) + "]\nprint(sum(a))\n"},
		"input of two megabytes": {
			code:  "import sys\nn = c = 0\nfor line in sys.stdin:\n    n += 1\n    c += len(line)\nprint(n, c)\n",
			stdin: strings.Repeat("sixteen letters.\n", 1<<17),
		},
		"binary input of two megabytes": {
			code:  "import sys, zlib\nprint(zlib.crc32(sys.stdin.buffer.read()))\n",
			stdin: strings.Repeat("\x00\xff\r\n", 1<<19),
		},
		"deeply nested expressions": {code: "x = " + strings.Repeat("(", 300) + strings.Repeat(")", 300) + "\n"},
		"many nested blocks":        {code: nestedBlocks(120)},
	}
	e := newEquality(t)
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			p.name = "large.py"
			python := e.python(t, p)
			equal(t, "the snapshot's, -python +snapshot", python, e.snapshot(t, p))
			equal(t, "the plain start's, -python +plain", python, e.plain(t, p))
		})
	}
}

func nestedBlocks(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "if 1:\n")
	}
	return b.String() + strings.Repeat(" ", depth) + "pass\n"
}

// equalProgram is a program and what belongs to it.
type equalProgram struct {
	name    string
	code    string
	args    []string
	env     map[string]string
	stdin   string
	command bool
	differs string
	image   string
}

func (p equalProgram) filename() string {
	if p.command {
		return ""
	}
	return policies.WorkspacePath + "/" + p.name
}

var headerLine = regexp.MustCompile(`^# (args|env|stdin|command|differs|image)( 3\.\d+)?:[ \t]*(.*?)\r?$`)

func parseProgram(t *testing.T, code []byte, version string) equalProgram {
	t.Helper()
	p := equalProgram{code: string(code), env: map[string]string{"LANG": "C.UTF-8"}}
	for line := range strings.Lines(strings.TrimPrefix(p.code, "\ufeff")) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		m := headerLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		if m[2] != "" && m[2] != " "+version {
			continue
		}
		switch value := m[3]; m[1] {
		case "args":
			p.args = strings.Fields(value)
		case "env":
			for v := range strings.FieldsSeq(value) {
				name, text, _ := strings.Cut(v, "=")
				p.env[name] = text
			}
		case "stdin":
			text, err := strconv.Unquote(value)
			if err != nil {
				t.Fatalf("stdin %s: %v", value, err)
			}
			p.stdin = text
		case "command":
			p.command = true
		case "differs":
			p.differs = value
		case "image":
			p.image = value
		}
	}
	return p
}

// outcome is what a program is judged by.
type outcome struct {
	stdout, stderr string
	exitCode       int
}

func (o outcome) String() string {
	return fmt.Sprintf("exit code %d\n--- stdout\n%s\n--- stderr\n%s\n", o.exitCode, o.stdout, o.stderr)
}

// address is what differs between any two runs of Python.
var address = regexp.MustCompile(`0x[0-9a-f]{4,}`)

func newOutcome(stdout, stderr string, exitCode int) outcome {
	return outcome{address.ReplaceAllString(stdout, "0xADDRESS"), address.ReplaceAllString(stderr, "0xADDRESS"), exitCode}
}

func equal(t *testing.T, what string, want, got outcome) {
	t.Helper()
	if want != got {
		t.Errorf("%s\n%s", what, cmp.Diff(cut(want.String(), 20_000), cut(got.String(), 20_000)))
	}
}

func checkWanted(t *testing.T, file string, got outcome) {
	t.Helper()
	if *updateEquality {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-%s +got\n%s", file, diff)
	}
}

// equality runs programs in the three ways.
type equality struct {
	host       *Host
	fast, slow *plugin
	profile    policies.Profile
}

// version is Python's, without the last number.
func (e *equality) version() string {
	v := e.fast.definition.Version
	return v[:strings.LastIndex(v, ".")]
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func newEquality(t *testing.T) *equality {
	t.Helper()
	h, fast := pythonPlugin(t)
	slow := &plugin{
		definition: fast.definition, driver: fast.driver, compiled: fast.compiled,
		blank: fast.blank, minMemory: fast.minMemory, library: fast.library, log: fast.log,
	}
	t.Cleanup(slow.standby.close)
	return &equality{
		host: h, fast: fast, slow: slow,
		profile: policies.Profile{
			Name: "equality", Fuel: 100_000_000_000, Memory: 256 << 20, Stdout: 4 << 20, Stderr: 4 << 20,
			Timeout: policies.Duration(2 * time.Minute), Disk: policies.Disk{Quota: 16 << 20, Files: 1000},
		},
	}
}

// pythonPlugin returns a host of the test's own, and its python.
func pythonPlugin(t *testing.T) (*Host, *plugin) {
	t.Helper()
	h := cachedHost(t)
	definition, err := h.registry.Lookup("python")
	if err != nil {
		t.Fatal(err)
	}
	return h, snapshotted(t, h, definition)
}

// lookup finds a language's runtime.
func lookup(t *testing.T, language string) *runtimes.Definition {
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

// cachedHost opens a host on the cache that all tests share.
func cachedHost(t testing.TB) *Host {
	t.Helper()
	cache := os.Getenv("SANDBOXD_CACHE_DIR")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(dir, "sandboxd")
	}
	h, err := Open(t.Context(), Options{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// snapshotted prepares a runtime, which must start from a snapshot.
func snapshotted(t testing.TB, h *Host, definition *runtimes.Definition) *plugin {
	t.Helper()
	p, err := h.plugin(t.Context(), definition)
	if err != nil {
		t.Fatal(err)
	}
	if p.image == nil {
		t.Fatalf("%s does not start from a snapshot", definition.Name)
	}
	return p
}

func (e *equality) snapshot(t *testing.T, p equalProgram) outcome { return e.execute(t, e.fast, p) }

func (e *equality) plain(t *testing.T, p equalProgram) outcome { return e.execute(t, e.slow, p) }

func (e *equality) execute(t *testing.T, from *plugin, p equalProgram) outcome {
	t.Helper()
	profile := e.profile
	profile.Env = p.env
	c, err := e.host.newCall(from, &profile, &Request{
		Code: []byte(p.code), Filename: p.filename(), Args: p.args,
		Stdin: strings.NewReader(p.stdin), Workspace: workspaceOf(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := c.execute(t.Context(), func() {}, func() {})
	if r.Status != StatusOK && r.Status != StatusError {
		t.Fatalf("ended as %s: %+v\n%s", r.Status, r.Error, r.Stderr)
	}
	return newOutcome(r.Stdout, r.Stderr, r.ExitCode)
}

// python runs Python's own command line.
func (e *equality) python(t *testing.T, p equalProgram) outcome {
	t.Helper()
	workspace := workspaceOf(t)
	args := []string{"python", "-E", "-s", p.filename()}
	if p.command {
		args = []string{"python", "-E", "-s", "-c", p.code}
	} else if err := os.WriteFile(filepath.Join(workspace, p.name), []byte(p.code), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(workspace)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()

	e.slow.live.Add(1)
	in := &instance{plugin: e.slow, entry: image.ExportStart}
	defer in.discard()
	if in.region, err = e.slow.blank.Acquire(uint64(e.profile.Memory)); err != nil {
		t.Fatal(err)
	}
	if in.kernel, err = e.slow.blank.Acquire(kernelLimit); err != nil {
		t.Fatal(err)
	}
	in.fuel.budget = e.profile.Fuel
	in.attach(&Request{Stdin: strings.NewReader(p.stdin)}, &e.profile)
	err = in.files.Bind(guestfs.Options{
		Mounts:  []guestfs.Mount{{Guest: policies.WorkspacePath, Writable: true, Root: func() (*os.Root, error) { return root, nil }}},
		Limits:  fileLimits(&e.profile),
		Virtual: e.slow.virtual(map[string]guestfs.Virtual{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	config := in.moduleConfig(start{args: append(args, p.args...)})
	for _, name := range slices.Sorted(maps.Keys(p.env)) {
		config = config.WithEnv(name, p.env[name])
	}
	ctx := experimental.WithMemoryAllocator(t.Context(), &allocator{kernel: in.kernel, main: in.region})
	if in.guest, err = e.slow.compiled.Instance(ctx, extism.PluginInstanceConfig{ModuleConfig: config}); err != nil {
		t.Fatal(err)
	}
	err = in.enter(t.Context())
	end := ending{status: StatusOK}
	switch {
	case in.ended != nil:
		end = *in.ended
	case err != nil && strings.HasPrefix(err.Error(), "wasm error: "):
		end.exitCode = exitTrap
	case err != nil:
		t.Fatal(err)
	}
	if end.status != StatusOK {
		t.Fatalf("python ended as %s", end.status)
	}
	stdout, _ := in.stdout.text()
	stderr, _ := in.stderr.text()
	return newOutcome(stdout, stderr, end.exitCode)
}

// workspaceOf returns a new directory with the files that programs find.
func workspaceOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/equality/app")); err != nil {
		t.Fatal(err)
	}
	return dir
}
