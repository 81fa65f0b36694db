package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// mixedCall is a call and what must come of it. Programs print a number that is in
// no other call, so that output of another one shows.
type mixedCall struct {
	r host.Request
	// ctx and end are for calls that are cancelled; nil otherwise.
	ctx context.Context
	end context.CancelFunc
	// What must come of it. A call with err has no result.
	err       error
	status    host.Status
	exit      int
	stdout    string
	truncated bool
	fault     string // the error's type, if the program failed
	// steady calls of one kind all take the same fuel; fuel, if not 0, is how much.
	steady bool
	fuel   uint64
	// after checks what is left on the host's side.
	after func() error
}

// mixedKinds make calls of every kind there is: good, failing and hostile ones. dir
// belongs to the caller; n is the number of the call.
var mixedKinds = map[string]func(t *testing.T, dir string, n int) mixedCall{
	"hello": func(_ *testing.T, _ string, _ int) mixedCall {
		return mixedCall{r: python(`print("hi")`), status: host.StatusOK, stdout: "hi\n", steady: true}
	},
	"arguments, environment and input": func(_ *testing.T, _ string, n int) mixedCall {
		r := python("import os, sys\nprint(sys.argv[1], os.environ['N'], input(), sys.stdin.read())")
		token := strconv.Itoa(n)
		r.Args, r.Env, r.Stdin = []string{token}, map[string]string{"N": token}, strings.NewReader(token+"\n"+token)
		return mixedCall{r: r, status: host.StatusOK, stdout: strings.Repeat(token+" ", 3) + token + "\n"}
	},
	"a megabyte of input": func(_ *testing.T, _ string, n int) mixedCall {
		r := python("import sys, zlib\nprint(zlib.crc32(sys.stdin.buffer.read()))")
		input := bytes.Repeat([]byte{byte(n), byte(n >> 8), 0xff, '\n'}, 1<<18)
		r.Stdin = bytes.NewReader(input)
		return mixedCall{r: r, status: host.StatusOK, stdout: fmt.Sprintln(crc32.ChecksumIEEE(input))}
	},
	"the library": func(_ *testing.T, _ string, n int) mixedCall {
		r := python("import collections, dataclasses, json, re\n@dataclasses.dataclass\nclass P:\n    x: int\n" +
			"print(json.dumps(dataclasses.asdict(P(int(re.sub('[^0-9]', '', 'n" + strconv.Itoa(n) + "'))))), collections.Counter('hello').most_common(1))")
		return mixedCall{r: r, status: host.StatusOK, stdout: fmt.Sprintf("{\"x\": %d} [('l', 2)]\n", n)}
	},
	"a class of its own and a sort": func(_ *testing.T, _ string, _ int) mixedCall {
		r := python("class A:\n    def __init__(self, n): self.n = n\n    def __lt__(self, o): return self.n < o.n\nprint([a.n for a in sorted(A(n * 7919 % 1009) for n in range(100))][::33])")
		return mixedCall{r: r, status: host.StatusOK, stdout: "[0, 335, 670, 1005]\n", steady: true}
	},
	"files of the caller's": func(t *testing.T, dir string, n int) mixedCall {
		r := python("open('new', 'w').write(open('old').read() * 2)\nimport os; os.remove('old'); print(os.listdir())")
		r.Workspace = filepath.Join(dir, strconv.Itoa(n))
		if err := errors.Join(os.Mkdir(r.Workspace, 0o700), os.WriteFile(filepath.Join(r.Workspace, "old"), []byte(strconv.Itoa(n)), 0o600)); err != nil {
			t.Error(err)
		}
		return mixedCall{r: r, status: host.StatusOK, stdout: "['new']\n", after: func() error {
			got, err := os.ReadFile(filepath.Join(r.Workspace, "new"))
			if want := strconv.Itoa(n) + strconv.Itoa(n); err == nil && string(got) != want {
				err = fmt.Errorf("the file holds %q, want %q", got, want)
			}
			return errors.Join(err, os.RemoveAll(r.Workspace))
		}}
	},
	"files of no one's": func(_ *testing.T, _ string, n int) mixedCall {
		r := python(fmt.Sprintf("import os, tempfile\nprint(os.listdir())\nfor n in range(20): open(str(n), 'w').write('%d' * n)\nprint(sum(os.stat(n).st_size for n in os.listdir()))", n))
		return mixedCall{r: r, status: host.StatusOK, stdout: fmt.Sprintf("[]\n%d\n", 190*len(strconv.Itoa(n)))}
	},
	"an exception": func(_ *testing.T, _ string, n int) mixedCall {
		r := python(fmt.Sprintf("print(%d)\nraise KeyError(%d)", n, n))
		return mixedCall{r: r, status: host.StatusError, exit: 1, stdout: fmt.Sprintln(n), fault: "KeyError"}
	},
	"a syntax error": func(_ *testing.T, _ string, _ int) mixedCall {
		return mixedCall{r: python("print('no')\nprint("), status: host.StatusError, exit: 1, fault: "SyntaxError", steady: true}
	},
	"an exit": func(_ *testing.T, _ string, n int) mixedCall {
		r := python(fmt.Sprintf("import sys\nprint(%d)\nsys.exit(%d)", n, 1+n%255))
		return mixedCall{r: r, status: host.StatusError, exit: 1 + n%255, stdout: fmt.Sprintln(n), fault: "exit"}
	},
	"an exit at once": func(_ *testing.T, _ string, n int) mixedCall {
		r := python(fmt.Sprintf("import os\nheld = [open(str(n), 'w') for n in range(9)]\nprint('lost', end='')\nos._exit(%d)", 1+n%255))
		return mixedCall{r: r, status: host.StatusError, exit: 1 + n%255, fault: "exit"}
	},
	"a trap": func(_ *testing.T, _ string, n int) mixedCall {
		r := python(fmt.Sprintf("import os\nprint(%d)\nos.abort()", n))
		return mixedCall{r: r, status: host.StatusError, exit: 134, stdout: fmt.Sprintln(n), fault: "trap"}
	},
	kindForged: func(t *testing.T, _ string, _ int) mixedCall {
		code, err := os.ReadFile("testdata/hostile/corrupt_memory.py")
		if err != nil {
			t.Error(err)
		}
		return mixedCall{r: free(string(code), memory(32<<20)), steady: true}
	},
	"recursion": func(_ *testing.T, _ string, _ int) mixedCall {
		return mixedCall{r: python("def f(n): return f(n + 1)\nf(0)"), status: host.StatusError, exit: 1, fault: "RecursionError", steady: true}
	},
	"out of fuel": func(_ *testing.T, _ string, _ int) mixedCall {
		return mixedCall{r: free("print('on')\nwhile True: pass", fuel(8_000_000)), status: host.StatusOutOfFuel, exit: 137, stdout: "on\n", steady: true}
	},
	"out of memory": func(_ *testing.T, _ string, _ int) mixedCall {
		return mixedCall{r: free("a = []\nwhile True: a.append(bytes(1 << 20))", memory(32<<20)), status: host.StatusOutOfMemory, exit: 137, steady: true}
	},
	"out of disk": func(_ *testing.T, _ string, _ int) mixedCall {
		disk := policies.Bytes(1000)
		return mixedCall{r: free("open('f', 'wb').write(bytes(50000))", policies.Overrides{DiskQuota: &disk}), status: host.StatusDiskQuota, exit: 137, steady: true}
	},
	"a flood of output": func(_ *testing.T, _ string, _ int) mixedCall {
		limit := policies.Bytes(1000)
		return mixedCall{
			r:      free("for _ in range(50): print('x' * 9999)", policies.Overrides{Stdout: &limit}),
			status: host.StatusOK, stdout: strings.Repeat("x", 1000), truncated: true, steady: true,
		}
	},
	"a flood that is stopped": func(_ *testing.T, _ string, _ int) mixedCall {
		limit := policies.Bytes(1000)
		r := free("while True: print('x' * 999)", policies.Overrides{Stdout: &limit})
		r.Profile = "stop"
		return mixedCall{r: r, status: host.StatusOutputLimit, exit: 137, stdout: strings.Repeat("x", 999) + "\n", truncated: true, steady: true}
	},
	"out of time": func(_ *testing.T, _ string, _ int) mixedCall {
		return mixedCall{r: free("import time\ntime.sleep(99)", timeout(20*time.Millisecond)), status: host.StatusTimeout, exit: 124}
	},
	"cancelled asleep": func(t *testing.T, _ string, n int) mixedCall {
		return cancelled(t, fmt.Sprintf("import time\nprint(%d)\ntime.sleep(99)", n), n)
	},
	"cancelled at work": func(t *testing.T, _ string, n int) mixedCall {
		return cancelled(t, fmt.Sprintf("print(%d)\nwhile True: pass", n), n)
	},
	"cancelled before": func(t *testing.T, _ string, _ int) mixedCall {
		c := cancelled(t, "print(1)", 1)
		c.end()
		c.err = context.Canceled
		return c
	},
	"refused": func(_ *testing.T, _ string, _ int) mixedCall {
		return mixedCall{r: host.Request{Language: "python", Filename: "\x00"}, err: host.ErrInvalid}
	},
	"a reader that fails": func(_ *testing.T, _ string, _ int) mixedCall {
		r := python("input()")
		r.Stdin = readerFunc(func([]byte) (int, error) { panic("reader") })
		return mixedCall{r: r, status: host.StatusInternal, exit: 125}
	},
	kindSpoilt: func(t *testing.T, _ string, n int) mixedCall {
		r := host.Spoiler(t, n%spoilers)
		r.Profile, r.Overrides = "free", spoilerLimits()
		return mixedCall{r: r}
	},
}

// Kinds of calls that write over their own interpreter. What becomes of one is its
// build's affair: the calls must come to what they come to alone.
const (
	kindForged = "forged memory"
	kindSpoilt = "a spoilt interpreter"
	// spoilers is how many different programs of the latter kind there are.
	spoilers = 7
)

// aloneResults returns what those kinds come to when nothing else runs: call n of a
// kind what its result number n does, counted around.
func aloneResults(t *testing.T, h *host.Host) map[string][]*host.Result {
	t.Helper()
	results := map[string][]*host.Result{}
	for kind, programs := range map[string]int{kindForged: 1, kindSpoilt: spoilers} {
		for n := range programs {
			results[kind] = append(results[kind], execute(t, h, mixedKinds[kind](t, "", n).r))
		}
	}
	return results
}

// expect makes a call come to what came of another one.
func (c *mixedCall) expect(r *host.Result) {
	c.status, c.exit, c.stdout, c.truncated, c.fuel = r.Status, r.ExitCode, r.Stdout, r.StdoutTruncated, r.FuelConsumed
	if r.Error != nil {
		c.fault = r.Error.Type
	}
}

func cancelled(t *testing.T, code string, n int) mixedCall {
	c := mixedCall{r: python(code), status: host.StatusCanceled, exit: 130, stdout: fmt.Sprintln(n)}
	c.r.Profile = "endless"
	c.ctx, c.end = context.WithCancel(t.Context())
	c.r.Stdout = writerFunc(func(p []byte) (int, error) {
		c.end()
		return len(p), nil
	})
	return c
}

// do makes the call and says what is wrong with what came of it.
func (c *mixedCall) do(t *testing.T, h *host.Host) (*host.Result, error) {
	ctx := t.Context()
	if c.ctx != nil {
		ctx = c.ctx
		defer c.end()
	}
	got, err := h.Execute(ctx, c.r)
	switch {
	case c.err != nil && errors.Is(err, c.err) && got == nil:
		return nil, nil
	case c.err != nil || err != nil:
		return got, fmt.Errorf("error %w, want %w", err, c.err)
	}
	want := c.fault
	if c.status != host.StatusOK && c.status != host.StatusError {
		want = string(c.status)
	}
	fault := ""
	if got.Error != nil {
		fault = got.Error.Type
	}
	if got.Status != c.status || got.ExitCode != c.exit || got.Stdout != c.stdout || got.StdoutTruncated != c.truncated || fault != want {
		return got, fmt.Errorf("got %s, %d, %.200q, truncated %t, error %q, stderr %.500q; want %s, %d, %.200q, truncated %t, error %q",
			got.Status, got.ExitCode, got.Stdout, got.StdoutTruncated, fault, got.Stderr, c.status, c.exit, c.stdout, c.truncated, want)
	}
	if c.fuel != 0 && got.FuelConsumed != c.fuel {
		return got, fmt.Errorf("took %d fuel, want %d", got.FuelConsumed, c.fuel)
	}
	if c.after != nil {
		return got, c.after()
	}
	return got, nil
}

// tally counts results and remembers the fuel that calls of a kind take.
type tally struct {
	mu       sync.Mutex
	statuses map[string]int
	fuel     map[string]uint64
}

func (y *tally) add(kind string, c *mixedCall, got *host.Result) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if got == nil {
		y.statuses["no result"]++
		return nil
	}
	y.statuses[string(got.Status)]++
	if !c.steady {
		return nil
	}
	if before, ok := y.fuel[kind]; ok && before != got.FuelConsumed {
		return fmt.Errorf("took %d fuel, another time %d", got.FuelConsumed, before)
	}
	y.fuel[kind] = got.FuelConsumed
	return nil
}

// TestMixedCalls makes a great many calls of all kinds at full concurrency: three
// times as many at once as there are slots. Each must come to what it would alone,
// and all together must leave nothing behind: no memory, no mapping, no descriptor,
// no goroutine, no file. SANDBOXD_LONG_TESTS makes it 20 000 calls.
func TestMixedCalls(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	h := open(t, host.Options{Policy: policy(t, testPolicy)})
	total := &tally{statuses: map[string]int{}, fuel: map[string]uint64{}}
	kinds := slices.Sorted(maps.Keys(mixedKinds))
	var dirs []string
	workers := 12 * runtime.GOMAXPROCS(0)
	for range workers {
		dirs = append(dirs, t.TempDir())
	}
	alone := aloneResults(t, h)
	number := 0
	batch := func(calls int) {
		var wg sync.WaitGroup
		numbers := make(chan int)
		for _, dir := range dirs {
			wg.Go(func() {
				for n := range numbers {
					// Every kind meets every other: the order is another each round.
					kind := kinds[(n*7+n/len(kinds)*5)%len(kinds)]
					c := mixedKinds[kind](t, dir, n)
					if results := alone[kind]; results != nil {
						c.expect(results[n%len(results)])
					}
					got, err := c.do(t, h)
					if err := errors.Join(err, total.add(kind, &c, got)); err != nil {
						t.Errorf("call %d, %s: %v", n, kind, err)
					}
				}
			})
		}
		for range calls {
			numbers <- number
			number++
		}
		close(numbers)
		wg.Wait()
	}
	calls := host.Amount(120, 1000, 20_000)
	warmUp := min(calls/3, 1500)
	batch(warmUp)
	before := takeFootprint(t, temp)
	allowed := before.stock
	allowed.mappings += mappingsMore + calls/mappingsOne
	batch(calls - warmUp)
	after := footprintWithin(t, temp, allowed)
	t.Logf("%d calls: %v", calls, total.statuses)
	t.Logf("after %5d calls: %v", warmUp, before)
	t.Logf("after %5d calls: %v", calls, after)
	if !after.within(allowed) {
		t.Errorf("more is held than before; mappings before:\n%s\nafter:\n%s", before.summary(), after.summary())
	}
	if grown := after.resident - before.resident; grown > maxGrowth {
		t.Errorf("the process has grown by %d bytes", grown)
	}
	if grown := after.heap - before.heap; grown > maxGrowth/8 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}

const (
	// maxGrowth is how much larger the process may be after many calls, in bytes:
	// a bounded number of regions is kept for the next calls, which the first calls
	// have not all used.
	maxGrowth = 32 << 20
	// mappingsMore is how many mappings there may be more for the threads that a busy
	// machine makes the process have, and for its heap.
	mappingsMore = 8
	// mappingsOne is the number of calls for which there may be one more mapping, for
	// the same reason, and because a busy process has more threads. A leak of one
	// kind of call would be one for every thirty or less.
	mappingsOne = 300
)

// footprint is what a process holds and how much memory that takes.
type footprint struct {
	stock
	resident, heap int // bytes
}

func takeFootprint(t *testing.T, temp string) footprint {
	t.Helper()
	debug.FreeOSMemory()
	f := footprint{stock: takeStock(t, temp)}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f.heap = int(m.HeapAlloc)
	f.resident = residentMemory(t)
	return f
}

// footprintWithin takes the footprint when nothing has become more than is allowed, or
// when what ends by itself after its call has had time to do so.
func footprintWithin(t *testing.T, temp string, allowed stock) footprint {
	t.Helper()
	f := takeFootprint(t, temp)
	for deadline := time.Now().Add(settling); !f.within(allowed) && time.Now().Before(deadline); f = takeFootprint(t, temp) {
		time.Sleep(20 * time.Millisecond)
	}
	return f
}

// residentMemory is the memory of this process's own that it has, in bytes.
func residentMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Error(err)
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kilobytes, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Error(err)
			}
			return kilobytes << 10
		}
	}
	return 0
}

func (f footprint) String() string {
	return fmt.Sprintf("%s, %.1f MB resident, %.1f MB of heap", f.counts(), float64(f.resident)/1e6, float64(f.heap)/1e6)
}
