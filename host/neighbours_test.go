package host_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
)

// neighbour keeps state of every kind and says what became of it at each line of
// input.
const neighbour = `
import builtins, collections, os, random, sys, zlib
name = sys.argv[1]
random.seed(name)
builtins.mark = sys.mark = os.environ["MARK"] = name
file = open("/app/mark", "w+")
seen = collections.OrderedDict()
def deep(n): return n and 1 + deep(n - 1)
for number, line in enumerate(sys.stdin):
    seen[number % 50] = bytearray(line, "ascii") * 100
    file.seek(0)
    file.write(f"{number} {line}")
    file.flush()
    state = mark, sys.mark, os.environ, os.listdir("/app"), open("/app/mark").read(), random.random(), deep(100), [*seen.items()]
    print(name, number, zlib.crc32(repr(state).encode()), flush=True)
`

// crashes are programs that end badly, one in each way.
func crashes(t *testing.T) []ending {
	t.Helper()
	all := endings()
	for _, name := range []string{"corrupt_memory", "corrupt_bytecode", "stack_no_limit", "process_kill_itself"} {
		code, err := os.ReadFile("testdata/hostile/" + name + ".py")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ending{name: name, r: free(string(code), spoilerLimits())})
	}
	for seed := range 6 {
		r := host.Spoiler(t, 2_000_000+seed)
		r.Profile, r.Overrides = "free", spoilerLimits()
		all = append(all, ending{name: fmt.Sprint("seed ", seed), r: r})
	}
	return all
}

// checkCrash runs one of crashes. One of which nothing is known may end in any way
// that is not the host's fault.
func checkCrash(t *testing.T, h *host.Host, crash ending) error {
	t.Helper()
	got, err := h.Execute(t.Context(), crash.r)
	if crash.status != "" || err != nil {
		return crash.check(got, err)
	}
	if got.Status == host.StatusInternal {
		return fmt.Errorf("%s: %+v", crash.name, got.Error)
	}
	return nil
}

// TestACrashNeverDisturbsItsNeighbours keeps half of the slots busy with programs
// that compute something whenever a program in the other half has crashed. They must
// come to what they come to alone, to the last instruction.
func TestACrashNeverDisturbsItsNeighbours(t *testing.T) {
	slots := 4 * runtime.GOMAXPROCS(0)
	h := open(t, host.Options{Policy: policy(t, testPolicy+fmt.Sprintf("[server]\nmax_concurrent = %d\n", slots))})
	programs := crashes(t)
	rounds := host.Amount(1, 4, 100)
	lines := rounds * (len(programs) + 2)

	live := func(name string, feed <-chan string) (*host.Result, error) {
		r := free(neighbour, timeout(time.Hour))
		r.Args = []string{name}
		r.Stdin = readerFunc(func(p []byte) (int, error) {
			line, ok := <-feed
			if !ok {
				return 0, io.EOF
			}
			return copy(p, line), nil
		})
		return h.Execute(t.Context(), r)
	}
	var feeds []chan string
	var alone []*host.Result
	for n := range slots / 2 {
		feed := make(chan string, lines)
		for range lines {
			feed <- "line\n"
		}
		close(feed)
		r, err := live(fmt.Sprint("neighbour ", n), feed)
		if err != nil || r.Status != host.StatusOK || strings.Count(r.Stdout, "\n") != lines {
			t.Fatalf("alone: %+v, %v", r, err)
		}
		alone = append(alone, r)
		feeds = append(feeds, make(chan string, lines))
	}

	var neighbours, crashing sync.WaitGroup
	for n, want := range alone {
		neighbours.Go(func() {
			got, err := live(fmt.Sprint("neighbour ", n), feeds[n])
			switch {
			case err != nil:
				t.Errorf("neighbour %d: %v", n, err)
			case got.Status != host.StatusOK || got.Stdout != want.Stdout || got.Stderr != "":
				t.Errorf("neighbour %d: %s, stdout %q, stderr %q; alone %q", n, got.Status, got.Stdout, got.Stderr, want.Stdout)
			case got.FuelConsumed != want.FuelConsumed || got.MemoryBytes != want.MemoryBytes:
				t.Errorf("neighbour %d took %d fuel and %d bytes, alone %d and %d", n, got.FuelConsumed, got.MemoryBytes, want.FuelConsumed, want.MemoryBytes)
			}
		})
	}
	todo := make(chan func())
	for range slots / 2 {
		crashing.Go(func() {
			for crash := range todo {
				crash()
				for _, feed := range feeds {
					feed <- "line\n"
				}
			}
		})
	}
	for range rounds {
		for _, p := range programs {
			todo <- func() {
				if err := checkCrash(t, h, p); err != nil {
					t.Error(err)
				}
			}
		}
		todo <- func() { cancelWhen(t, h, "print(1)\nwhile True: pass") }
		todo <- func() { cancelWhen(t, h, "import time\nprint(1)\ntime.sleep(99)") }
	}
	close(todo)
	crashing.Wait()
	for _, feed := range feeds {
		close(feed)
	}
	neighbours.Wait()
}

// cancelWhen cancels a call when its program prints something.
func cancelWhen(t *testing.T, h *host.Host, code string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := python(code)
	r.Profile = "endless"
	r.Stdout = writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	if got, err := h.Execute(ctx, r); err != nil || got.Status != host.StatusCanceled {
		t.Errorf("got %+v, %v", got, err)
	}
}
