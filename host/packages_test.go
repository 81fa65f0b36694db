package host_test

import (
	"os"
	"path/filepath"
	"strings"
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

// prepared makes a directory of packages ready, and returns what runs programs with it.
func prepared(t *testing.T, files map[string]string) (dir string, run func(code string, writable bool) *host.Result) {
	t.Helper()
	h := shared(t)
	dir = t.TempDir()
	for name, text := range files {
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
	run = func(code string, writable bool) *host.Result {
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
	return dir, run
}

// Importing packages that were prepared looks to programs as it does without what was
// prepared, down to tracebacks, and takes less fuel.
func TestPreparedPackagesImportAsOthersDo(t *testing.T) {
	dir, run := prepared(t, packageFiles)
	const loads = "import big, big.far, one\nassert 'Loader' in type(big.__loader__).__name__, big.__loader__\nprint(type(big.__loader__).__module__)"
	quick, cost := run(packageProbe, false), run(loads, false)
	if cost.Stdout != "_sandbox_packages\n" {
		t.Errorf("the loader is of %q", cost.Stdout)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".sandboxd")); err != nil {
		t.Fatal(err)
	}
	plain, dear := run(packageProbe, false), run(loads, false)
	if quick.Stdout != plain.Stdout {
		t.Errorf("with what was prepared:\n%s\nwithout:\n%s", quick.Stdout, plain.Stdout)
	}
	t.Logf("fuel: %d prepared, %d not", cost.FuelConsumed, dear.FuelConsumed)
	if cost.FuelConsumed > dear.FuelConsumed*3/4 {
		t.Errorf("importing takes %d instructions, and without what was prepared %d", cost.FuelConsumed, dear.FuelConsumed)
	}
}

// doubled is a program in which each line makes what is twice as long as the last.
func doubled(first, next string) string {
	return "import re\na = " + first + "\n" + strings.Repeat("a = "+next+"\n", 40) + "re.compile(a)\n"
}

// One package must not keep others from being prepared, whatever it holds.
func TestStrangePackagesDoNotKeepOthersFromBeingPrepared(t *testing.T) {
	files := map[string]string{
		"good.py":             "import re\nP = re.compile('a%sc|%d' % ('b', 1))\nif re is None:\n    x = 1 % 0\n    y = 'a' + 1\n    z = '%d' % 'a'\n",
		"names.py":            "x = 'a module of the name that an index might have'\n",
		"width.py":            "import re\nif re is None:\n    re.compile('%999999999d' % 1)\n    re.compile(b'%.*d' % (999999999, 1))\n",
		"digits.py":           "a = 0x" + strings.Repeat("f", 9000) + "\nb = f'{a}'\nc = '%d' % a\n",
		"joined.py":           doubled("'ab'", "f'{a}{a}'"),
		"added.py":            doubled("b'ab'", "a + a"),
		"formatted.py":        doubled("'ab'", "'%s%s' % (a, a)"),
		"tuples.py":           doubled("('ab', 'ab')", "(a, a)") + "b = f'{a}'\n",
		"nested.py":           "import re\na = " + strings.Repeat("-", 5000) + "1\nb = " + strings.Repeat("1+", 5000) + "1\n",
		"chained.py":          "import re\na = re" + strings.Repeat(".a()", 3000) + "\n",
		"branches.py":         "if 0:\n    pass\n" + strings.Repeat("elif 0:\n    pass\n", 3000),
		"pattern.py":          "import re\nif re is None:\n    re.compile('" + strings.Repeat("(", 2000) + strings.Repeat(")", 2000) + "')\n",
		"cached.py":           "x = 'its file of compiled code cannot be written'\n",
		"blocked/__init__.py": "x = 'as well'\n",
		"blocked/__pycache__": "",
		"__pycache__/cached.cpython-312.pyc/x.py": "",
	}
	if os.Getenv("SANDBOXD_CPYTHON_TESTS") != "" {
		// The Python built from source traps where the prebuilt one raises RecursionError.
		for _, name := range []string{"nested.py", "chained.py", "branches.py"} {
			delete(files, name)
		}
	}
	_, run := prepared(t, files)
	const imports = `
import good, names, cached, blocked, width
assert type(good.__loader__).__module__ == type(names.__loader__).__module__ == "_sandbox_packages"
print(good.P.pattern, names.x, cached.x, blocked.x)
`
	const want = "abc|1 a module of the name that an index might have its file of compiled code cannot be written as well\n"
	if r := run(imports, false); r.Stdout != want {
		t.Errorf("printed %q", r.Stdout)
	}
	// An index is read whole, however long it is.
	run(`
import marshal
with open("/packages/.sandboxd/.names", "rb") as file:
    names = marshal.loads(file.read())
names |= {f"{i:0100}": 0 for i in range(20_000)}
with open("/packages/.sandboxd/.names", "wb") as file:
    file.write(marshal.dumps(names))
assert file.closed and len(marshal.dumps(names)) > 2 << 20
`, true)
	if r := run(imports, false); r.Stdout != want {
		t.Errorf("with a long index, printed %q", r.Stdout)
	}
}
