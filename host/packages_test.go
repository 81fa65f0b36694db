package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes/packages"
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

// prepared makes a directory of packages ready, and returns what runs programs with it
// that succeed.
func prepared(t *testing.T, files map[string]string) (dir string, run func(code string, writable bool) *host.Result) {
	t.Helper()
	dir, execute := preparedFor(t, files)
	return dir, func(code string, writable bool) *host.Result {
		t.Helper()
		return succeeded(t, execute(code, writable))
	}
}

func succeeded(t *testing.T, r *host.Result) *host.Result {
	t.Helper()
	if !r.Success {
		t.Fatalf("%s: %+v\n%s", r.Status, r.Error, r.Stderr)
	}
	return r
}

func trapped(r *host.Result) bool {
	return r.Status == host.StatusError && r.Error.Type == "trap"
}

// preparedFor is prepared for programs that may fail.
func preparedFor(t *testing.T, files map[string]string) (dir string, run func(code string, writable bool, args ...string) *host.Result) {
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
	run = func(code string, writable bool, args ...string) *host.Result {
		t.Helper()
		return execute(t, h, host.Request{
			Language: "python", Profile: "free", Code: []byte(code), Args: args,
			Mounts: []policies.Mount{{Host: dir, Guest: "/packages", Writable: writable}},
		})
	}
	err = packages.Compile(func(leave []string) (string, bool, error) {
		r := run(string(program), true, leave...)
		if !trapped(r) {
			succeeded(t, r)
		}
		return r.Stdout, trapped(r), nil
	})
	if err != nil {
		t.Fatal(err)
	}
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
	_, run := prepared(t, map[string]string{
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
	})
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

// A module at which the interpreter breaks off is left as it is, alone of its package. Who
// imports it finds what is found without anything prepared.
func TestModulesThatBreakTheInterpreterOffAreLeftOut(t *testing.T) {
	// CPython 3.12 and 3.13 overflow a table of theirs for such comprehensions.
	comprehensions := "a = " + strings.Repeat("[", 30) + "0" + strings.Repeat(" for a in b]", 30) + "\n"
	dir, run := preparedFor(t, map[string]string{
		"odd/__init__.py": "from . import good\n",
		"odd/good.py":     "x = 1\n",
		"odd/inner.py":    comprehensions,
		"odd/outer.py":    "if 0:\n    pass\n" + strings.Repeat("elif 0:\n    pass\n", 3000),
		"odd/well.py":     "x = 2\n",
		"strange.py":      comprehensions,
		"zebra.py":        "x = 3\n",
	})
	const others = `
import importlib.util, odd, odd.well, zebra
print(odd.good.x, odd.well.x, zebra.x)
for module in odd, odd.good, odd.well, zebra:
    assert type(module.__loader__).__module__ == "_sandbox_packages", module
for name in "odd.inner", "odd.outer", "strange":
    assert type(importlib.util.find_spec(name).loader).__module__ != "_sandbox_packages", name
`
	if r := succeeded(t, run(others, false)); r.Stdout != "1 2 3\n" {
		t.Errorf("printed %q", r.Stdout)
	}
	outcome := func(module string) string {
		r := run("import "+module, false)
		return fmt.Sprintln(r.Status, r.ExitCode, r.Error.Type, r.Error.Message)
	}
	with := []string{outcome("odd.inner"), outcome("odd.outer"), outcome("strange")}
	if err := os.RemoveAll(filepath.Join(dir, ".sandboxd")); err != nil {
		t.Fatal(err)
	}
	without := []string{outcome("odd.inner"), outcome("odd.outer"), outcome("strange")}
	if !slices.Equal(with, without) {
		t.Errorf("importing what was left out: %q, and without what was prepared %q", with, without)
	}
	if !strings.HasPrefix(with[0], "error 134 trap") {
		t.Errorf("importing a module that breaks the interpreter off: %q", with[0])
	}
}
