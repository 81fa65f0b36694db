package host

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host/image"
)

// repeatable are programs of every sort that must do the same whenever they run.
// None looks at the time or at true randomness.
var repeatable = map[string]string{
	"nothing":         "",
	"hello":           "print('hi')",
	"an exception":    "def f(n): return 1 / n\nf(0)",
	"a syntax error":  "print(",
	"an exit":         "import sys\nsys.exit('text')",
	"an exit at once": "import os\nos._exit(3)",
	"a trap":          "import os\nos.abort()",
	"recursion":       "def f(n): return f(n + 1)\nf(0)",
	"a caught error":  "for n in range(200):\n    try: [][n]\n    except IndexError as e: print(e)",
	"hashes":          "print({f'k{n}' for n in range(500)}, hash('x'), hash(b'y'), hash((1, 'z')))",
	"addresses":       "print(object(), id([]), [id(bytearray(n)) for n in range(1000, 90_000, 1000)])",
	"garbage":         "import gc\nfor n in range(5000):\n    a = []\n    a.append(a)\nprint(gc.collect(), gc.get_count(), gc.get_stats())",
	"seeded":          "import random\nrandom.seed(7)\nprint([random.random() for _ in range(100)], random.sample(range(1000), 50))",
	"text":            "import json, re, textwrap\nprint(json.dumps({str(n): n / 7 for n in range(200)}, indent=1), re.findall('[aeiou]+', 'the quick brown fox' * 20), textwrap.fill('word ' * 99))",
	"numbers":         "import decimal, fractions, math\nprint(3 ** 2000, math.factorial(200), decimal.Decimal(2).sqrt(), fractions.Fraction(1, 3) ** 9, sum(n / 3 for n in range(999)))",
	"a sort":          "print(sorted(range(3000), key=lambda n: n * 7919 % 3001)[::100])",
	"classes":         "import dataclasses, enum, abc\n@dataclasses.dataclass(order=True)\nclass P:\n    x: int\n    y: str = 'a'\nclass E(enum.Enum): A = 1; B = 2\nprint(P(1) < P(2), list(E), [P(n) for n in range(50)])",
	"tasks":           "import asyncio\nasync def f(n):\n    await asyncio.sleep(0)\n    return n * 2\nasync def main(): print(await asyncio.gather(*[f(n) for n in range(30)]))\nasyncio.run(main())",
	"imports":         "import html.parser, xml.dom.minidom, difflib\nprint(xml.dom.minidom.parseString('<a><b/></a>').toxml())",
	"files":           "import os\nfor n in range(50): open(f'f{n}', 'w').write('x' * n * 100)\nprint(sorted(os.listdir()), sum(os.stat(n).st_size for n in os.listdir()))\nos.makedirs('a/b/c')\nos.rename('f1', 'a/b/c/f')\nprint([w for w in os.walk('.') if w[0] != '.'])",
	"input":           "import sys\nprint(input(), sum(len(line) for line in sys.stdin))",
	"a flood":         "for n in range(3000): print(n, 'x' * 50)",
	"memory":          "a = [bytearray(n) for n in range(0, 9_000_000, 300_000)]",
	"out of memory":   "a = []\nwhile True: a.append('x' * 100_000 + str(len(a)))",
	"out of fuel":     "while True: pass",
	"out of disk":     "open('f', 'wb').write(bytes(5_000_000))",
	"late output":     "import atexit\natexit.register(print, 'at exit')\nclass A:\n    def __del__(self): print('gone')\na = A()\nb = [a]\nb.append(b)",
}

// repeated is what a program must come to every time.
type repeated struct {
	Status         Status
	ExitCode       int
	Stdout, Stderr string
	Fuel, Memory   uint64
}

func newRepeated(r *Result) repeated {
	return repeated{r.Status, r.ExitCode, r.Stdout, r.Stderr, r.FuelConsumed, r.MemoryBytes}
}

func repeatableRequest(name string) *Request {
	return &Request{Code: []byte(repeatable[name]), Args: []string{name}, Stdin: strings.NewReader(strings.Repeat("line\n", 5000))}
}

// repeatAll runs all programs in p, one after the other.
func repeatAll(t *testing.T, h *Host, p *plugin) map[string]repeated {
	t.Helper()
	all := map[string]repeated{}
	for _, name := range slices.Sorted(maps.Keys(repeatable)) {
		all[name] = newRepeated(run(t, h, p, resetProfile(), repeatableRequest(name), nil))
	}
	return all
}

// drain takes all idle regions out of p's image until release is called: instances
// made until then get memory that is mapped for them.
func drain(t *testing.T, p *plugin) (release func()) {
	t.Helper()
	var regions []*image.Region
	for range 100 {
		r, err := p.image.Acquire(uint64(resetProfile().Memory))
		if err != nil {
			t.Fatal(err)
		}
		regions = append(regions, r)
	}
	return func() {
		for _, r := range regions {
			r.Release()
		}
	}
}

// TestEveryRestoreGivesTheSameFuel runs the same programs in fresh and in used
// memory, alone and at full concurrency, after destructive programs, from another
// host, and in another process. All that comes of them must be the same, down to the
// instruction and to the addresses of objects.
func TestEveryRestoreGivesTheSameFuel(t *testing.T) {
	h, shared := pythonPlugin(t)
	want := repeatAll(t, h, bare(t, shared))
	if path := os.Getenv(repeatedTo); path != "" {
		text, err := json.Marshal(want)
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	compare := func(t *testing.T, got map[string]repeated) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-first +now\n%s", diff)
		}
	}
	t.Run("in memory that was used", func(t *testing.T) {
		compare(t, repeatAll(t, h, bare(t, shared)))
	})
	t.Run("in fresh memory", func(t *testing.T) {
		p := bare(t, shared)
		got := map[string]repeated{}
		for name := range repeatable {
			release := drain(t, p)
			got[name] = newRepeated(run(t, h, p, resetProfile(), repeatableRequest(name), nil))
			release()
		}
		compare(t, got)
	})
	t.Run("after destruction", func(t *testing.T) {
		p := bare(t, shared)
		for _, r := range destructive(t, "corrupt_*.py", 3) {
			run(t, h, p, resetProfile(), r, nil)
		}
		compare(t, repeatAll(t, h, p))
	})
	t.Run("from another host", func(t *testing.T) {
		h, p := pythonPlugin(t)
		compare(t, repeatAll(t, h, p))
	})
	t.Run("in another process", func(t *testing.T) {
		path := t.TempDir() + "/all.json"
		child(t, "TestEveryRestoreGivesTheSameFuel", repeatedTo+"="+path).wait(t)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]repeated
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		compare(t, got)
	})
	t.Run("all at once", func(t *testing.T) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[string]repeated{}
		for round := range Amount(1, 3, 200) {
			for name := range repeatable {
				wg.Go(func() {
					r, err := executeIn(t, h, shared, repeatableRequest(name))
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					if before, ok := got[name]; ok && before != newRepeated(r) {
						t.Errorf("round %d: %s: -before +now\n%s", round, name, cmp.Diff(before, newRepeated(r)))
					}
					got[name] = newRepeated(r)
				})
			}
			wg.Wait()
		}
		compare(t, got)
	})
}

// executeIn is run with admission, and for many at once.
func executeIn(t *testing.T, h *Host, p *plugin, r *Request) (*Result, error) {
	t.Helper()
	if err := h.admission.enter(t.Context()); err != nil {
		return nil, err
	}
	c, err := h.newCall(p, resetProfile(), r)
	if err != nil {
		h.admission.leave()
		return nil, fmt.Errorf("new call: %w", err)
	}
	return c.execute(t.Context(), h.admission.leave, func() {}), nil
}

// repeatedTo tells the test's own process from another one, which writes what it
// found to the file that this names.
const repeatedTo = "SANDBOXD_TEST_REPEATED_TO"
