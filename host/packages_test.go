package host_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// packageFiles are packages with what importers can come upon.
var packageFiles = map[string]string{
	"one.py": "import re\nP = re.compile('(?P<word>a+)b', re.I)\n",
	"big/__init__.py": `import re
from . import near
from .deep.inner import value
WORD = r"\w+"
PATTERNS = [re.compile(r"[\w·̀-ͯ]+x?"), re.compile(f"({WORD})=(%s)" % WORD, flags=re.X | re.M),
    re.compile(b"[a-f]{2,}"), re.compile("[[a]"), re.compile("a" "b"), re.compile("".join(["c", "d"]))]
`,
	"big/near.py":                "from os.path import join\ntry:\n    from . import absent\nexcept ImportError as e:\n    absent = str(e)\n",
	"big/far.py":                 "\"\"\"Loaded by itself.\"\"\"\nimport re\nP = re.compile('far+')\n\ndef f():\n    return 1 / 0\n",
	"big/__main__.py":            "print('run as', __name__, __file__)\n",
	"big/wrong.py":               "print 'no Python'\n",
	"big/deep/__init__.py":       "",
	"big/deep/inner.py":          "from ..near import join\nvalue = join('a', 'b')\n",
	"big/data/words.txt":         "some words",
	"big/plain/part.py":          "x = 'below a directory that is no package'\n",
	"spaces/only/module.py":      "y = 'in a namespace'\n",
	"wrong.py":                   "def f(:\n",
	"big-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: big\nVersion: 1.0\n",
}

// packageProbe prints all that programs can tell of how modules were found and loaded,
// but for the names of the classes that did.
const packageProbe = `
import importlib, importlib.metadata, importlib.resources, importlib.util, inspect, os, pkgutil, re, runpy, sys, traceback

def tell(name):
    try:
        m = importlib.import_module(name)
    except Exception as e:
        print(name, type(e).__name__, e)
        return
    s = m.__spec__
    print(name, m.__file__, getattr(m, "__cached__", None), m.__package__, list(getattr(m, "__path__", [])))
    print("   ", s.name, s.origin, s.cached, s.has_location, s.parent, s.submodule_search_locations and list(s.submodule_search_locations))
    print("   ", sorted(n for n in vars(m) if n not in ("__builtins__", "__loader__", "__spec__")), repr(m).partition(" from ")[2])

for name in ("one", "big", "big.far", "big.near", "big.deep", "big.deep.inner", "big.absent", "big.plain", "big.plain.part",
             "spaces", "spaces.only.module", "big.wrong", "wrong", "missing", "one.missing", "big.__main__"):
    tell(name)

import one, big, big.far
for p in [one.P, big.far.P] + big.PATTERNS:
    print(p, p.flags, p.groups, p.groupindex, p == re.compile(p.pattern, p.flags & ~re.U if isinstance(p.pattern, str) else p.flags))
print(one.P.match("xAAb", 1).groupdict(), big.PATTERNS[1].search("k=v").groups(), big.near.absent)
print(big.far.__loader__.get_data("/packages/big/data/words.txt"), pkgutil.get_data("big", "data/words.txt"))
print(importlib.resources.files("big").joinpath("data/words.txt").read_text(), importlib.metadata.version("big"))
print(sorted((m.name, m.ispkg) for m in pkgutil.walk_packages(big.__path__, "big.", onerror=print) if m.name != "big.wrong"))
print(inspect.getsource(big.far.f), big.far.__loader__.is_package("big.far"), big.far.__loader__.get_source("big.far")[:3])
before = big.far
assert importlib.reload(big.far) is before and big.far.__doc__
runpy.run_module("big", run_name="__main__")
print(importlib.util.find_spec("big.deep").origin, importlib.util.find_spec("big.none"))
sys.path.insert(0, "/packages/big")
import far
print(far.__name__, far.__file__, far is big.far)
try:
    big.far.f()
except ZeroDivisionError:
    traceback.print_exc(file=sys.stdout)
importlib.invalidate_caches()
sys.path_importer_cache.clear()
del sys.modules["one"]
import one
print(one.P)
print(sorted(os.listdir("/packages/big")))
`

// Importing packages that were prepared looks to programs as it does without what was
// prepared, down to tracebacks, and takes less fuel.
func TestPreparedPackagesImportAsOthersDo(t *testing.T) {
	h := shared(t)
	dir := t.TempDir()
	for name, text := range packageFiles {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile("../runtimes/python/compile_packages.py")
	if err != nil {
		t.Fatal(err)
	}
	run := func(code string, writable bool) *host.Result {
		t.Helper()
		r := execute(t, h, host.Request{
			Language: "python", Profile: "free", Code: []byte(code),
			Mounts: []policies.Mount{{Host: dir, Guest: "/packages", Writable: writable}},
		})
		if !r.Success {
			t.Fatalf("%s: %+v\n%s", r.Status, r.Error, r.Stderr)
		}
		return r
	}
	run(string(program), true)
	const loads = "import big, big.far, one\nassert 'Loader' in type(big.__loader__).__name__, big.__loader__\nprint(type(big.__loader__).__module__)"
	prepared, cost := run(packageProbe, false), run(loads, false)
	if cost.Stdout != "_sandbox_packages\n" {
		t.Errorf("the loader is of %q", cost.Stdout)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".sandboxd")); err != nil {
		t.Fatal(err)
	}
	plain, dear := run(packageProbe, false), run(loads, false)
	if prepared.Stdout != plain.Stdout {
		t.Errorf("with what was prepared:\n%s\nwithout:\n%s", prepared.Stdout, plain.Stdout)
	}
	t.Logf("fuel: %d prepared, %d not", cost.FuelConsumed, dear.FuelConsumed)
	if cost.FuelConsumed > dear.FuelConsumed*3/4 {
		t.Errorf("importing takes %d instructions, and without what was prepared %d", cost.FuelConsumed, dear.FuelConsumed)
	}
}
