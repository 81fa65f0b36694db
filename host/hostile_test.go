package host_test

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// hostile is one file of testdata/hostile: a guest, and what must come of it. The
// file begins with comments: what the guest tries, an empty comment line, and one
// fact a line.
type hostile struct {
	code      []byte
	status    host.Status
	exit      int
	stdout    string // all of it, unless has or truncated say otherwise
	stderr    []string
	has       []string // parts of stdout
	fault     string   // the error's type; "" for no error, "*" for any
	created   []string
	truncated bool
	profile   string
	overrides policies.Overrides
}

func readHostile(t *testing.T, name string) *hostile {
	t.Helper()
	code, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	g := &hostile{code: code, profile: "free", fault: "*"}
	facts := false
	for line := range strings.Lines(string(code)) {
		text, comment := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "#")
		switch {
		case !comment:
			if g.status == "" {
				t.Fatalf("%s does not say which status it must end with", name)
			}
			return g
		case text == "":
			facts = true
		case facts:
			key, value, ok := strings.Cut(strings.TrimSpace(text), ": ")
			if !ok {
				t.Fatalf("%s: %q is not a fact", name, text)
			}
			if err := g.fact(key, value); err != nil {
				t.Fatalf("%s: %q: %v", name, text, err)
			}
		}
	}
	t.Fatalf("%s: no program", name)
	return nil
}

func (g *hostile) fact(key, value string) (err error) {
	if strings.HasPrefix(value, `"`) {
		if value, err = strconv.Unquote(value); err != nil {
			return err
		}
	}
	switch key {
	case "status":
		g.status = host.Status(value)
	case "exit":
		g.exit, err = strconv.Atoi(value)
	case "stdout":
		g.stdout = value
	case "stdout has":
		g.has = append(g.has, value)
	case "stderr has":
		g.stderr = append(g.stderr, value)
	case "error":
		g.fault = value
	case "created":
		g.created = strings.Fields(value)
	case "truncated":
		g.truncated = value == "yes"
	case "profile":
		g.profile = value
	case "fuel":
		var n uint64
		n, err = strconv.ParseUint(strings.ReplaceAll(value, "_", ""), 10, 64)
		g.overrides.Fuel = &n
	case "memory", "stdout cap", "stderr cap", "disk":
		var b policies.Bytes
		b, err = policies.ParseBytes(value)
		*map[string]**policies.Bytes{
			"memory": &g.overrides.Memory, "disk": &g.overrides.DiskQuota,
			"stdout cap": &g.overrides.Stdout, "stderr cap": &g.overrides.Stderr,
		}[key] = &b
	case "files":
		var n uint64
		n, err = strconv.ParseUint(value, 10, 64)
		g.overrides.DiskFiles = &n
	case "timeout":
		var d policies.Duration
		d, err = policies.ParseDuration(value)
		g.overrides.Timeout = &d
	default:
		err = fmt.Errorf("unknown fact")
	}
	return err
}

// canary is what no guest may ever print.
const canary = "host-secret-0b52"

// yard is the host as a hostile guest finds it: a workspace, a read-only mount
// and a writable one, with everything planted in them that may lead outside.
type yard struct {
	dir       string
	workspace string
	mounts    []policies.Mount
}

func newYard(t *testing.T) *yard {
	t.Helper()
	// Guests do not know where they are, but can guess that "../outside" is worth
	// a try.
	y := &yard{dir: t.TempDir()}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	path := func(parts ...string) string { return filepath.Join(append([]string{y.dir}, parts...)...) }
	for _, d := range []string{"outside", "app", "data/sub", "out"} {
		must(os.MkdirAll(path(d), 0o700))
	}
	must(os.WriteFile(path("outside", "canary.txt"), []byte(canary), 0o600))
	must(os.WriteFile(path("data", "table.csv"), []byte("a,b\n1,2\n"), 0o600))
	must(os.WriteFile(path("data", "sub", "inner.txt"), []byte("inner"), 0o600))
	for _, d := range []string{"app", "data", "out"} {
		must(os.Symlink("../outside/canary.txt", path(d, "link_relative")))
		must(os.Symlink(path("outside", "canary.txt"), path(d, "link_absolute")))
		must(os.Symlink("../outside", path(d, "link_directory")))
		must(os.Symlink("/", path(d, "link_root")))
		must(os.Symlink("/proc/self", path(d, "link_proc")))
		must(os.Symlink("link_loop", path(d, "link_loop")))
		must(syscall.Mkfifo(path(d, "fifo"), 0o600))
		// Only root can make a device; without it the attack is one less.
		_ = syscall.Mknod(path(d, "zero"), syscall.S_IFCHR|0o666, 1<<8|5)
	}
	y.workspace = path("app")
	y.mounts = []policies.Mount{
		{Host: path("data"), Guest: "/data"},
		{Host: path("out"), Guest: "/out", Writable: true},
	}
	return y
}

// sealed describes what no guest may change: everything outside, and the
// read-only mount.
func (y *yard) sealed(t *testing.T) map[string]string {
	t.Helper()
	state := map[string]string{}
	for _, top := range []string{"outside", "data"} {
		err := filepath.WalkDir(filepath.Join(y.dir, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			text := fmt.Sprintf("%v %d %v", info.Mode(), info.Size(), info.ModTime().UnixNano())
			if info.Mode().IsRegular() {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				text += " " + hex.EncodeToString(data)
			}
			state[path] = text
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(y.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		state[e.Name()] = "entry"
	}
	return state
}

// TestHostile runs every guest of testdata/hostile, and after each a harmless
// one, which must not notice.
func TestHostile(t *testing.T) {
	names, err := filepath.Glob("testdata/hostile/*.py")
	if err != nil || len(names) < 40 {
		t.Fatalf("found %d hostile guests (%v)", len(names), err)
	}
	h := shared(t)
	first := execute(t, h, python(benign))
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".py"), func(t *testing.T) {
			g := readHostile(t, name)
			g.attack(t, h)
			checkBenign(t, execute(t, h, python(benign)), first)
		})
	}
}

// benign touches what a guest before it may have spoiled, and prints what it
// found.
const benign = `
import builtins, json, os, random, sys, re, math
with open("note.txt", "w") as f:
    f.write("x" * 10)
class A:
    def __repr__(self): return "A()"
d = {str(i): i * i for i in range(100)}
print(json.dumps({"sum": sum(d.values()), "names": sorted(os.listdir("."))}))
print(len(builtins.__dict__) > 100, A(), sys.argv, dict(os.environ), re.sub("a+", "b", "caat"), math.isqrt(10**20))
print(0 <= random.random() < 1, sys.getrecursionlimit(), os.getcwd(), os.listdir("/"))
try:
    1 / 0
except ZeroDivisionError as e:
    print(e)
`

const benignStdout = `{"sum": 328350, "names": ["note.txt"]}
True A() ['-c'] {'LANG': 'C.UTF-8'} cbt 10000000000
True 1000 /app ['app']
division by zero
`

func checkBenign(t *testing.T, r, first *host.Result) {
	t.Helper()
	if r.Status != host.StatusOK || r.Stdout != benignStdout || r.Stderr != "" {
		t.Fatalf("the next, harmless guest: status %s, stdout %q, stderr %q", r.Status, r.Stdout, r.Stderr)
	}
	if r.FuelConsumed != first.FuelConsumed || r.MemoryBytes != first.MemoryBytes {
		t.Errorf("the next, harmless guest took %d fuel and %d bytes, before %d and %d",
			r.FuelConsumed, r.MemoryBytes, first.FuelConsumed, first.MemoryBytes)
	}
}

func (g *hostile) attack(t *testing.T, h *host.Host) {
	t.Helper()
	y := newYard(t)
	before := y.sealed(t)
	started := time.Now()
	r := execute(t, h, host.Request{
		Language: "python", Code: g.code, Filename: "hostile.py", Profile: g.profile,
		Overrides: g.overrides, Workspace: y.workspace, Mounts: y.mounts,
	})
	t.Logf("%v: %s, exit code %d, fuel %d, memory %d, stdout %.300q, stderr %.2000q, error %+v",
		time.Since(started), r.Status, r.ExitCode, r.FuelConsumed, r.MemoryBytes, r.Stdout, r.Stderr, r.Error)
	if after := y.sealed(t); !cmp.Equal(before, after) {
		t.Errorf("changed what it must not (-before +after):\n%s", cmp.Diff(before, after))
	}
	g.check(t, r)
}

func (g *hostile) check(t *testing.T, r *host.Result) {
	t.Helper()
	if r.Status != g.status || r.ExitCode != g.exit {
		t.Errorf("status %s, exit code %d; want %s, %d", r.Status, r.ExitCode, g.status, g.exit)
	}
	if r.Success != (g.status == host.StatusOK) || r.Success != (r.Error == nil) {
		t.Errorf("status %s with success %t and error %v", r.Status, r.Success, r.Error)
	}
	if len(g.has) == 0 && !g.truncated && r.Stdout != g.stdout {
		t.Errorf("stdout %.1000q, want %q", r.Stdout, g.stdout)
	}
	for _, want := range g.has {
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("stdout %.1000q lacks %q", r.Stdout, want)
		}
	}
	for _, want := range g.stderr {
		if !strings.Contains(r.Stderr, want) {
			t.Errorf("stderr %.1000q lacks %q", r.Stderr, want)
		}
	}
	for _, text := range []string{r.Stdout, r.Stderr, fmt.Sprint(r.Error)} {
		if strings.Contains(text, canary) {
			t.Errorf("told a secret of the host: %.1000q", text)
		}
	}
	if g.fault != "*" && (r.Error == nil || r.Error.Type != g.fault) {
		t.Errorf("error %+v, want type %q", r.Error, g.fault)
	}
	if g.created != nil && !slices.Equal(r.FilesCreated, g.created) {
		t.Errorf("created %q, want %q", r.FilesCreated, g.created)
	}
	if truncated := r.StdoutTruncated || r.StderrTruncated; truncated != g.truncated {
		t.Errorf("output truncated: %t, want %t", truncated, g.truncated)
	}
	if r.FuelConsumed > r.FuelBudget || r.FuelConsumed == 0 {
		t.Errorf("consumed %d of %d fuel", r.FuelConsumed, r.FuelBudget)
	}
}
