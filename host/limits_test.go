package host_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

func fuel(n uint64) policies.Overrides { return policies.Overrides{Fuel: &n} }

func timeout(d time.Duration) policies.Overrides {
	limit := policies.Duration(d)
	return policies.Overrides{Timeout: &limit}
}

func memory(n policies.Bytes) policies.Overrides { return policies.Overrides{Memory: &n} }

// untilItComes makes a call whose time is to run out while its program waits at a certain
// place: call says whether it had come there. It gets more time each time, because a
// machine that is busy with others may take a little away before.
func untilItComes(t *testing.T, call func(limit time.Duration) bool) {
	t.Helper()
	for limit := 200 * time.Millisecond; limit < time.Minute; limit *= 6 {
		if call(limit) {
			return
		}
	}
	t.Error("the program never came to where it waits")
}

// settled is execute for a call whose guest has to notice its own end. On a machine that
// is busy with others one may be abandoned before, but not one after the other.
func settled(t *testing.T, h *host.Host, r host.Request) *host.Result {
	t.Helper()
	var got *host.Result
	for range 5 {
		if got = execute(t, h, r); !got.Abandoned {
			break
		}
	}
	return got
}

// checkStatus reports a result that is not as expected, shortly.
func checkStatus(t *testing.T, r *host.Result, status host.Status, exitCode int) {
	t.Helper()
	if r.Status != status || r.ExitCode != exitCode || r.Success != (status == host.StatusOK) {
		t.Errorf("status %s, exit code %d, success %t, stdout %.200q, stderr %.500q, error %+v; want %s, %d",
			r.Status, r.ExitCode, r.Success, r.Stdout, r.Stderr, r.Error, status, exitCode)
	}
}

func TestFuelIsTheSameEveryTime(t *testing.T) {
	h := shared(t)
	code := "import json, re, os\nprint(json.dumps({str(i): i * i for i in range(200)})[:20], re.sub('a', 'b', 'aa' * 99)[:3], hash('x') % 7)\n" +
		"open('f', 'w').write('x' * 10000)\nprint(len({object() for _ in range(100)}), os.listdir())"
	want := execute(t, h, python(code)).FuelConsumed
	if want == 0 {
		t.Fatal("no fuel was consumed")
	}
	for range 20 {
		if got := execute(t, h, python(code)).FuelConsumed; got != want {
			t.Fatalf("one after the other: %d, before %d", got, want)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if r, err := h.Execute(t.Context(), python(code)); err != nil || r.FuelConsumed != want {
					t.Errorf("at once: got %+v, %v; want fuel %d", r, err, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestExhaustionConsumesExactlyTheBudget(t *testing.T) {
	h := shared(t)
	for _, budget := range []uint64{1, 1000, 700_001, 4 << 20, 4<<20 + 1, 50_000_000} {
		for range 2 {
			got := execute(t, h, free("while True: pass", fuel(budget)))
			checkStatus(t, got, host.StatusOutOfFuel, 137)
			if got.FuelConsumed != budget || got.FuelBudget != budget {
				t.Errorf("budget %d: consumed %d of %d", budget, got.FuelConsumed, got.FuelBudget)
			}
			if got.FuelAnalysis.Status != "exhausted" || got.FuelAnalysis.Utilization != 1 {
				t.Errorf("fuel analysis %+v", got.FuelAnalysis)
			}
		}
	}
}

func TestABudgetOfWhatAProgramTakesIsEnough(t *testing.T) {
	h := shared(t)
	need := execute(t, h, free("print(1)", fuel(100_000_000))).FuelConsumed
	if got := execute(t, h, free("print(1)", fuel(need))); got.Status != host.StatusOK || got.FuelConsumed != need {
		t.Errorf("with %d: %s, %d consumed", need, got.Status, got.FuelConsumed)
	}
	got := execute(t, h, free("print(1)", fuel(need/2)))
	checkStatus(t, got, host.StatusOutOfFuel, 137)
}

func TestAnErrorOfALimitNamesTheKeyThatRaisesIt(t *testing.T) {
	h := shared(t)
	disk := policies.Bytes(1000)
	tests := []struct {
		name, code string
		o          policies.Overrides
		want       string
	}{
		{"fuel", "while True: pass", fuel(5_000_000), `the program used up its fuel: 5000000 instructions (profile "free", key "fuel")`},
		{"time", "import time; time.sleep(9)", timeout(20 * time.Millisecond), `the program was stopped after 20ms (profile "free", key "timeout")`},
		{"memory", "bytearray(1 << 29)", memory(32 << 20), `the program needed more than 32MiB of memory (profile "free", key "memory")`},
		{"disk", "open('f', 'wb').write(bytes(100_000))", policies.Overrides{DiskQuota: &disk}, `the program reached a file limit: file size (profile "free", key "disk.quota")`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := settled(t, h, free(tt.code, tt.o))
			if got.Error == nil || got.Error.Message != tt.want || got.Error.Type != string(got.Status) {
				t.Errorf("got %+v, want message %q", got.Error, tt.want)
			}
		})
	}
}

func TestTimeoutEndsWhateverTheGuestDoes(t *testing.T) {
	h := shared(t)
	for name, code := range map[string]string{
		"a sleep":                 "import time; time.sleep(3600)",
		"a wait for input":        "import sys; sys.stdin.read()",
		"a loop":                  "while True: pass",
		"a loop in C":             "sum(range(10**12))",
		"a select":                "import select; select.select([], [], [], 3600)",
		"sleeps that are caught":  "import time\nwhile True:\n    try: time.sleep(3600)\n    except BaseException: pass",
		"a wait that is caught":   "import sys\nwhile True:\n    try: sys.stdin.read()\n    except BaseException: pass",
		"a regular expression":    "import re; re.match('(a*)*b', 'a' * 60)",
		"a large integer":         "x = 7 ** (10 ** 8)",
		"a sort with comparisons": "while True: sorted(range(10**4), key=lambda x: -x)",
		"draws of randomness":     "import os\nwhile True: os.urandom(1 << 20)",
		"a flood of output":       "while True: print('x' * 10**6)",
		"files":                   "import os\nwhile True: os.stat('/app')",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			never, release := io.Pipe()
			defer func() { _ = release.Close() }()
			r := python(code)
			r.Stdin = never
			r.Profile = "endless"
			r.Overrides = timeout(300 * time.Millisecond)
			got := settled(t, h, r)
			checkStatus(t, got, host.StatusTimeout, 124)
			// Less than its time would be wrong; how much more depends on the machine,
			// and past the grace the result is one of an abandoned guest.
			if got.DurationSeconds < 0.3 || got.MemoryBytes == 0 || got.Abandoned {
				t.Errorf("it took %v s, memory %d, abandoned %t", got.DurationSeconds, got.MemoryBytes, got.Abandoned)
			}
		})
	}
}

func TestSleepSleeps(t *testing.T) {
	h := shared(t)
	r := execute(t, h, python("import time\na = time.monotonic()\ntime.sleep(0.05)\nprint(0.05 <= time.monotonic() - a)"))
	if r.Stdout != "True\n" || r.DurationSeconds < 0.05 {
		t.Errorf("got %q after %v s", r.Stdout, r.DurationSeconds)
	}
}

func TestCancellation(t *testing.T) {
	h := shared(t)
	for name, code := range map[string]string{
		"a sleep":        "import time\nprint('started', flush=True)\ntime.sleep(3600)",
		"a loop":         "print('started', flush=True)\nwhile True: pass",
		"a caught sleep": "import time\nprint('started', flush=True)\nwhile True:\n    try: time.sleep(3600)\n    except BaseException: print('caught')",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			r := python(code)
			r.Profile = "endless"
			r.Stdout = writerFunc(func(p []byte) (int, error) {
				cancel()
				return len(p), nil
			})
			got, err := h.Execute(ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			checkStatus(t, got, host.StatusCanceled, 130)
			if got.Stdout != "started\n" {
				t.Errorf("stdout %q", got.Stdout)
			}
		})
	}
	t.Run("a deadline of the caller's is the caller's", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		got, err := h.Execute(ctx, python("import time; time.sleep(9)"))
		if err != nil {
			t.Fatal(err)
		}
		checkStatus(t, got, host.StatusCanceled, 130)
	})
	t.Run("before the start", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 {
			if got, err := h.Execute(ctx, python("print(1)")); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %+v, %v", got, err)
			}
		}
	})
}

func TestMemoryIsReported(t *testing.T) {
	h := shared(t)
	small := execute(t, h, python("print(1)"))
	large := execute(t, h, free("a = bytearray(30 << 20)", memory(64<<20)))
	for _, r := range []*host.Result{small, large} {
		if r.MemPages*65536 != r.MemoryBytes {
			t.Errorf("%d pages, %d bytes", r.MemPages, r.MemoryBytes)
		}
	}
	if large.MemoryBytes < 30<<20 || large.MemoryBytes > 64<<20 || small.MemoryBytes > large.MemoryBytes-(20<<20) {
		t.Errorf("small %d, large %d", small.MemoryBytes, large.MemoryBytes)
	}
	if again := execute(t, h, python("print(1)")); again.MemoryBytes != small.MemoryBytes {
		t.Errorf("after a large program: %d, before %d", again.MemoryBytes, small.MemoryBytes)
	}
}
