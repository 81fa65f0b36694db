package host_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/hostile"
	"github.com/sandboxd/sandboxd/internal/hostile/outcome"
	"github.com/sandboxd/sandboxd/runtimes"
)

// TestHostile runs every guest of testdata/hostile for whose language there is a
// runtime, and after each a harmless one, which must not notice.
func TestHostile(t *testing.T) {
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	names, err := hostile.Names("testdata/hostile", func(extension string) bool {
		_, ok := registry.ByExtension(extension)
		return ok
	})
	if err != nil || len(names) < 40 {
		t.Fatalf("found %d hostile guests (%v)", len(names), err)
	}
	h := shared(t)
	first := execute(t, h, python(benign))
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".py"), func(t *testing.T) {
			attack(t, h, registry, name)
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

// attack runs a guest of the corpus on its stage.
func attack(t *testing.T, h *host.Host, registry *runtimes.Registry, name string) {
	t.Helper()
	d, _ := registry.ByExtension(filepath.Ext(name))
	g, err := hostile.Read(name, languageVersion(t, d.Name))
	if err != nil {
		t.Fatal(err)
	}
	y, err := hostile.NewYard(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	before, err := y.Sealed()
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	r := execute(t, h, host.Request{
		Language: d.Name, Code: g.Code, Filename: "hostile" + filepath.Ext(name), Profile: g.Profile,
		Overrides: g.Overrides, Workspace: y.Workspace, Mounts: y.Mounts,
	})
	t.Logf("%v: %s, exit code %d, fuel %d, memory %d, stdout %.300q, stderr %.2000q, error %+v",
		time.Since(started), r.Status, r.ExitCode, r.FuelConsumed, r.MemoryBytes, r.Stdout, r.Stderr, r.Error)
	if after, err := y.Sealed(); err != nil || !cmp.Equal(before, after) {
		t.Errorf("changed what it must not (%v, -before +after):\n%s", err, cmp.Diff(before, after))
	}
	if err := g.Check(outcome.Of(r)); err != nil {
		t.Error(err)
	}
}
