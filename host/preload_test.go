package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/policies"
)

// wares are the packages of these tests.
var wares = map[string]string{
	// Its import takes some 30 million instructions.
	"quick/__init__.py": "table = {n: str(n) * 3 for n in range(30_000)}\nimport re\nform = re.compile('a+')\n" +
		"def fails():\n    raise ValueError('on purpose')\n",
	"quick/late.py": "here = __file__\n",
	"other.py":      "import quick\nstate = []\n",
	"dice.py": "import random\none, two, seeded = random.Random(), random.Random(), random.Random(7)\none.gauss(0, 1)\n" +
		"def throw():\n    return one.gauss(0, 1), two.random(), random.random()\n",
	"ends.py":   "import atexit\natexit.register(print, 'at exit')\n",
	"alters.py": "import json\njson.altered = True\n",
	"tries.py": `import os, sys, socket, subprocess
found = []
def attempt(what):
    try:
        found.append(what())
    except Exception as error:
        found.append("failed")
attempt(lambda: open("/packages/planted.py", "w"))
attempt(lambda: os.remove("/packages/quick/late.py"))
attempt(lambda: open("/etc/passwd").read())
attempt(lambda: socket.create_connection(("127.0.0.1", 80)))
attempt(lambda: subprocess.run(["ls"]))
attempt(lambda: sorted(os.listdir("/")))
attempt(lambda: dict(os.environ))
open("/app/planted.py", "w").write("")
`,
	"broken.py":  "import nothing_there\n",
	"exits.py":   "import sys\nsys.exit('goodbye')\n",
	"leaves.py":  "import os\nos._exit(3)\n",
	"opens.py":   "file = open(__file__)\n",
	"draws.py":   "import secrets\ntoken = secrets.token_hex()\n",
	"rolls.py":   "import random\nstart = random.random()\n",
	"shakes.py":  "import random\nown = random.Random(random.getrandbits(64))\n",
	"seeds.py":   "import random\nrandom.seed(7)\n",
	"unnamed.py": "exec(compile('def f():\\n    return 3', '', 'exec'))\n",
	"large.py":   "data = bytearray(1 << 30)\n",
	"garbles.py": "import os\nd = os.open('/.sandboxd/preloading', os.O_WRONLY)\nos.write(d, b'{')\n",
}

// mixed are modules of one image.
var mixed = []string{"other", "dice", "tries", "unnamed"}

// shelf is a host with a cache of its own, that holds Python and no preloaded images,
// and a directory of wares.
type shelf struct {
	*notes

	host  *Host
	cache string
	dir   string
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	h, _ := pythonPlugin(t)
	s := &shelf{notes: new(notes), dir: t.TempDir()}
	s.cache, _ = cloneCache(t, pythonBuilder(t, h))
	for name, text := range wares {
		name = filepath.Join(s.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.open(t)
	return s
}

// open opens another host on the cache.
func (s *shelf) open(t *testing.T) {
	t.Helper()
	var err error
	if s.host, err = Open(t.Context(), Options{CacheDir: s.cache, Progress: s.progress}); err != nil {
		t.Fatal(err)
	}
	h := s.host
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// digest names the wares.
func (s *shelf) digest() string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(wares)) {
		_, _ = fmt.Fprintln(sum, name, wares[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// request is a program with the wares, of which some are preloaded.
func (s *shelf) request(code string, modules ...string) Request {
	r := Request{Language: "python", Code: []byte(code), Mounts: []policies.Mount{{Host: s.dir, Guest: PackagesPath}}}
	if len(modules) > 0 {
		r.Preload = Preload{Modules: modules, Digest: s.digest()}
	}
	return r
}

func (s *shelf) run(t *testing.T, r Request) *Result {
	t.Helper()
	result, err := s.host.Execute(t.Context(), r)
	if err != nil {
		t.Fatalf("%s: %v", r.Code, err)
	}
	return result
}

// prints fails unless the program prints that.
func (s *shelf) prints(t *testing.T, want string, r Request) *Result {
	t.Helper()
	result := s.run(t, r)
	if result.Stdout != want || result.Stderr != "" {
		t.Errorf("%s:\nprinted %q, want %q\n%s", r.Code, result.Stdout, want, result.Stderr)
	}
	return result
}

// plugin is what calls with a preload start from.
func (s *shelf) plugin(t *testing.T, p Preload) *plugin {
	t.Helper()
	key := (&preloading{Preload: p, base: s.host.plugins["python"].plugin}).key()
	found := s.host.plugins["python\x00"+key]
	if found == nil || found.plugin == nil {
		t.Fatalf("there is none of %q", p.Modules)
	}
	return found.plugin
}

// images is how many were made.
func (s *shelf) images() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stages[StagePreload]
}

// TestPreload does all on one shelf, since making an image takes seconds.
func TestPreload(t *testing.T) {
	s := newShelf(t)
	t.Run("images", func(t *testing.T) { testImagesOfPreloads(t, s) })
	s.open(t)
	t.Run("modules", func(t *testing.T) { testPreloadedModules(t, s) })
	t.Run("refused", func(t *testing.T) { testWhatCannotBePreloaded(t, s) })
	t.Run("states", func(t *testing.T) { testStatesOfPreloads(t, s) })
}

func testPreloadedModules(t *testing.T, s *shelf) {
	t.Run("cost nothing to import", func(t *testing.T) {
		const program = "import quick\nprint(len(quick.table))"
		first := s.prints(t, "30000\n", s.request(program))
		again := s.prints(t, "30000\n", s.request(program, mixed...))
		if first.FuelConsumed < 15_000_000 || again.FuelConsumed > 1_000_000 {
			t.Errorf("%d units of fuel without, %d with", first.FuelConsumed, again.FuelConsumed)
		}
		if again.MemoryBytes < first.MemoryBytes/2 {
			t.Errorf("%d bytes of memory without, %d with", first.MemoryBytes, again.MemoryBytes)
		}
	})
	t.Run("are in the interpreter, and nothing else is new", func(t *testing.T) {
		const program = `import os, sys
print([n for n in ("quick", "quick.late", "other", "nothing_there") if n in sys.modules])
print(sys.path, sys.path_importer_cache, os.listdir("/app"), dict(os.environ), list(sys.modules)[-1], sys.argv)`
		plain := s.run(t, s.request(program)).Stdout
		s.prints(t, strings.Replace(plain, "[]", "['quick', 'other']", 1), s.request(program, mixed...))
	})
	t.Run("change nothing for programs that do not use them", func(t *testing.T) {
		for _, name := range []string{
			"a caught error", "a syntax error", "a trap", "an exception", "an exit", "an exit at once", "classes", "files",
			"hashes", "hello", "input", "late output", "numbers", "recursion", "seeded", "tasks", "text",
		} {
			r, plain := s.request(repeatable[name], mixed...), s.request(repeatable[name])
			r.Stdin, plain.Stdin = repeatableRequest(name).Stdin, repeatableRequest(name).Stdin
			got, want := s.run(t, r), s.run(t, plain)
			if got.Status != want.Status || got.ExitCode != want.ExitCode || got.Stdout != want.Stdout || got.Stderr != want.Stderr {
				t.Errorf("%s: got %+v, want %+v", name, got, want)
			}
			if got.FuelConsumed > want.FuelConsumed*11/10+100_000 {
				t.Errorf("%s: it takes %d units of fuel, and %d without a preload", name, got.FuelConsumed, want.FuelConsumed)
			}
		}
	})
	t.Run("import more of their package later", func(t *testing.T) {
		s.prints(t, "/packages/quick/late.py ['__init__.py', 'late.py']\n",
			s.request("import os, quick.late\nprint(quick.late.here, sorted(n for n in os.listdir(quick.__path__[0]) if n != '__pycache__'))", mixed...))
	})
	t.Run("may have functions of no file", func(t *testing.T) {
		s.prints(t, "3\n", s.request("import unnamed\nprint(unnamed.f())", mixed...))
	})
	t.Run("are new for each program", func(t *testing.T) {
		for range 3 {
			s.prints(t, "[1]\n", s.request("import other\nother.state.append(1)\nprint(other.state)", mixed...))
		}
	})
	t.Run("show their lines in tracebacks", func(t *testing.T) {
		const program = "import quick\nquick.fails()"
		plain, r := s.run(t, s.request(program)), s.run(t, s.request(program, mixed...))
		if r.Stderr != plain.Stderr || !strings.Contains(r.Stderr, "raise ValueError('on purpose')") {
			t.Errorf("%s\nwant %s", r.Stderr, plain.Stderr)
		}
		if r.FuelConsumed > 3_000_000 {
			t.Errorf("it took %d units of fuel", r.FuelConsumed)
		}
	})
	t.Run("do at exit what they registered", func(t *testing.T) {
		for range 2 {
			s.prints(t, "hi\nat exit\n", s.request("print('hi')", "alters", "ends"))
		}
	})
	t.Run("draw other numbers in each program", func(t *testing.T) {
		seen := map[string]bool{}
		for range 3 {
			r := s.run(t, s.request("import dice\nprint(*dice.throw(), sep='\\n')", mixed...))
			for line := range strings.Lines(r.Stdout) {
				seen[line] = true
			}
		}
		if len(seen) != 9 {
			t.Errorf("3 programs drew %d numbers of 9", len(seen))
		}
		s.prints(t, "0.32383276483316237\n", s.request("import dice\nprint(dice.seeded.random())", mixed...))
	})
	t.Run("had no more rights than a program", func(t *testing.T) {
		s.prints(t, "['failed', 'failed', 'failed', 'failed', 'failed', ['app', 'packages'], {'LANG': 'C.UTF-8'}] False\n",
			s.request("import os, tries\nprint(tries.found, os.path.exists('/app/planted.py'))", mixed...))
		if _, err := os.Stat(filepath.Join(s.dir, "planted.py")); err == nil {
			t.Error("a file was planted")
		}
	})
	t.Run("alter the interpreter of their image only", func(t *testing.T) {
		s.prints(t, "True\nat exit\n", s.request("import json\nprint(hasattr(json, 'altered'))", "alters", "ends"))
		s.prints(t, "False\n", s.request("import json\nprint(hasattr(json, 'altered'))"))
		s.prints(t, "False\n", s.request("import json\nprint(hasattr(json, 'altered'))", mixed...))
	})
	t.Run("are not there for others", func(t *testing.T) {
		const program = "import sys\nprint('quick' in sys.modules)\nimport quick"
		r := s.request(program)
		r.Mounts = nil
		if got := s.run(t, r); got.Stdout != "False\n" || got.Error.Type != "ModuleNotFoundError" || len(got.Error.Guidance) == 0 {
			t.Errorf("got %+v", got)
		}
	})
}

func testWhatCannotBePreloaded(t *testing.T, s *shelf) {
	tests := []struct{ module, want string }{
		{"broken", `importing "broken": ModuleNotFoundError: No module named 'nothing_there'`},
		{"exits", `importing "exits": SystemExit: goodbye`},
		{"leaves", `importing "leaves": the interpreter ended`},
		{"opens", `importing "opens": it leaves a file open`},
		{"draws", `importing "draws": it draws random bytes`},
		{"rolls", `importing "rolls": it draws random numbers`},
		{"shakes", `importing "shakes": it draws random numbers`},
		{"seeds", `importing "seeds": it draws random numbers when it is imported, or seeds`},
		{"large", `importing "large": MemoryError`},
		{"garbles", `importing "garbles"`},
	}
	for _, tt := range tests {
		t.Run(tt.module, func(t *testing.T) {
			_, err := s.host.Execute(t.Context(), s.request("print(1)", tt.module))
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.want) ||
				!strings.Contains(err.Error(), `key "runtimes.python.preload"`) || len(err.Error()) > 3000 {
				t.Errorf("got %v", err)
			}
		})
	}
	left, err := filepath.Glob(filepath.Join(s.cache, "prepared", "new-*"))
	if err != nil || len(left) > 0 {
		t.Error("left behind:", left, err)
	}

	requests := map[string]func(*Request){
		"no mount":              func(r *Request) { r.Mounts = nil },
		"a writable mount":      func(r *Request) { r.Mounts[0].Writable = true },
		"no digest":             func(r *Request) { r.Preload.Digest = "" },
		"no module's name":      func(r *Request) { r.Preload.Modules = []string{"quick; import os"} },
		"no name at all":        func(r *Request) { r.Preload.Modules = []string{""} },
		"too many modules":      func(r *Request) { r.Preload.Modules = slices.Repeat([]string{"quick"}, MaxPreload+1) },
		"a runtime without any": func(r *Request) { r.Language = "javascript" },
	}
	for name, change := range requests {
		t.Run(name, func(t *testing.T) {
			r := s.request("print(1)", "quick")
			change(&r)
			if _, err := s.host.Execute(t.Context(), r); !errors.Is(err, ErrInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func testImagesOfPreloads(t *testing.T, s *shelf) {
	const program = "import sys\nprint('quick' in sys.modules)"
	t.Run("are made once, whoever asks", func(t *testing.T) {
		before := s.images()
		var group sync.WaitGroup
		for n := range 8 {
			group.Go(func() {
				modules := [][]string{{"quick"}, {"quick", "quick.late"}}[n%2]
				if r, err := s.host.Execute(t.Context(), s.request(program, modules...)); err != nil || r.Stdout != "True\n" {
					t.Errorf("got %+v, %v", r, err)
				}
			})
		}
		group.Wait()
		if n := s.images() - before; n != 2 {
			t.Errorf("%d images were made, want 2", n)
		}
	})
	t.Run("have instances ahead of their own", func(t *testing.T) {
		r := s.request(program, "quick")
		for range 5 {
			s.prints(t, "True\n", r)
			s.prints(t, "False\n", s.request(program))
		}
		if p := s.plugin(t, r.Preload); p.standby.count() > maxStandby || p.image == p.base.image || p.compiled != p.base.compiled {
			t.Errorf("%+v", p)
		}
	})
	t.Run("are left out where memory is short", func(t *testing.T) {
		r := s.request(program, "quick")
		memory := policies.Bytes(s.plugin(t, r.Preload).minMemory - 1)
		r.Overrides.Memory = &memory
		s.prints(t, "False\n", r)
	})
	t.Run("are found by others, and made again when they are damaged", func(t *testing.T) {
		r := s.request(program, "quick")
		memory := filepath.Join(s.cache, "prepared", s.plugin(t, r.Preload).key, imageDir, "memory")
		before := s.images()
		for want := range 2 {
			s.open(t)
			if err := s.host.PrepareRequest(t.Context(), &r); err != nil {
				t.Fatal(err)
			}
			s.prints(t, "True\n", r)
			if n := s.images() - before; n != want || len(s.warnings) != want {
				t.Errorf("%d images were made, want %d; warnings %q", n, want, s.warnings)
			}
			damage(t, memory, flip(func(n int) int { return n / 2 }))
		}
	})
}

func testStatesOfPreloads(t *testing.T, s *shelf) {
	keep := func(code string, state []byte, modules ...string) Request {
		r := s.request(code, modules...)
		r.State, r.KeepState = state, true
		return r
	}
	const program = "import sys\nprint('quick' in sys.modules, dir())"
	plain := s.run(t, keep("mine = 1", nil))
	state := s.run(t, keep("import quick\nquick.table[0] = 'changed'", nil, "quick"))
	if plain.State == nil || state.State == nil {
		t.Fatal(plain.StateError, state.StateError)
	}
	s.prints(t, "changed\n", keep("print(quick.table[0])", state.State, "quick"))
	if r := s.run(t, keep(program, plain.State, "quick")); !strings.HasPrefix(r.Stdout, "False") || !strings.Contains(r.Stdout, "'mine'") {
		t.Errorf("what began without a preload does not go on: %+v", r)
	}
	before, other := s.images(), keep(program, state.State, "quick")
	other.Preload.Digest += "2"
	for name, r := range map[string]Request{
		"without":         keep(program, state.State),
		"another preload": keep(program, state.State, mixed...),
		"other packages":  other,
	} {
		if _, err := s.host.Execute(t.Context(), r); !errors.Is(err, ErrStateVersion) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := s.images() - before; n != 1 {
		t.Errorf("%d images were made, want one for the other packages", n)
	}
}

// TestPreloadsThatTakeTooMuch ends imports as limits do, which takes minutes otherwise.
func TestPreloadsThatTakeTooMuch(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		end  Status
		want string
	}{
		{"fuel", t.Context(), StatusOutOfFuel, `importing "m": it takes more than 100.0 milliard instructions; take it off the list`},
		{"time", over, StatusTimeout, `importing "m": it takes more than 5m0s; take it off the list`},
		{"an exit", t.Context(), StatusOK, `importing "m": the interpreter ended; take it off the list`},
	}
	for _, tt := range tests {
		in := &instance{region: new(image.Region)}
		p := preloads{in: in}
		if _, err := p.Write([]byte(`{"module":"m"}`)); err != nil {
			t.Fatal(err)
		}
		in.ended = &ending{status: tt.end}
		if got := p.stopped(tt.ctx, in); got == nil || got.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

// TestPreloadsBelieveNoGuest writes what a module may write that knows of the file.
func TestPreloadsBelieveNoGuest(t *testing.T) {
	begin := `{"module":"m"}`
	tests := []struct {
		name     string
		messages []string
		drawn    int // before the last message
		want     string
	}{
		{"an import", []string{begin, `{"module":"m","seeds":0}`}, 0, ""},
		{"a generator without a seed", []string{begin, `{"module":"m","seeds":1}`}, seedSize, ""},
		{"random bytes", []string{begin, `{"module":"m","seeds":0}`}, 8, "draws random bytes"},
		{"random bytes and a lie", []string{begin, `{"module":"m","seeds":9000000000000000000}`}, 8, "draws random bytes"},
		{"random numbers", []string{begin, `{"module":"m","seeds":0,"rolled":true}`}, 0, "draws random numbers"},
		{"an error", []string{begin, `{"module":"m","error":"ImportError","message":""}`}, 0, `importing "m": ImportError; take`},
		{"a long error", []string{begin, `{"module":"m","error":"` + strings.Repeat("x", 7000) + `"}`}, 0, "xxx"},
		{"a second error", []string{begin, `{"module":"m","error":"One"}`, `{"module":"m","error":"Two"}`}, 0, "One"},
		{"no JSON", []string{begin, "{"}, 0, "the interpreter ended"},
		{"too much", []string{begin, `{"module":"` + strings.Repeat("x", preloadSpoken) + `"}`}, 0, "the interpreter ended"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &instance{region: new(image.Region)}
			p := preloads{in: in}
			var err error
			for i, m := range tt.messages {
				if i == len(tt.messages)-1 {
					p.drawn += tt.drawn
				}
				_, err = p.Write([]byte(m))
			}
			if (err == nil) != (tt.want == "") {
				t.Errorf("the last message: %v", err)
			}
			got := fmt.Sprint(p.stopped(t.Context(), in))
			if tt.want == "" && got != "<nil>" || !strings.Contains(got, tt.want) || len(got) > 700 {
				t.Errorf("got %s, want %q", got, tt.want)
			}
		})
	}
}
