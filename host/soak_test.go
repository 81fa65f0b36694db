package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/hostile"
	"github.com/sandboxd/sandboxd/internal/hostile/outcome"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// Variables of the soak test.
const (
	// soakTime is how long it takes, such as 30m; without it the test is skipped.
	soakTime = "SANDBOXD_SOAK"
	// soakJSON is a file for the figures.
	soakJSON = "SANDBOXD_SOAK_JSON"
)

// Of how many calls one is a fault, a guest of the corpus, and a host that is opened
// and closed beside.
const (
	soakFaultEvery   = 5
	soakHostileEvery = 12
	soakHostEvery    = 400
)

// soakFigures are what a soak comes to, for people and programs. All but the counts of
// what was done should be zero, or small.
type soakFigures struct {
	Machine  string         `json:"machine"`
	Seconds  float64        `json:"seconds"`
	Calls    int            `json:"calls"`
	Hostile  int            `json:"hostile_guests"`
	Faults   map[string]int `json:"faults"`
	Statuses map[string]int `json:"statuses"`
	// Wrong is how many calls did not come to what they had to, statuses and fuel
	// among it.
	Wrong       int `json:"wrong_results"`
	Goroutines  int `json:"leaked_goroutines"`
	Descriptors int `json:"leaked_descriptors"`
	Files       int `json:"leaked_files"`
	// Mappings may be a few, since Go's heap has some.
	Mappings int `json:"leaked_mappings"`
	// Resident is how much the process has grown after the warm-up, and Peak how much
	// larger it was at most, in bytes of its own memory; Allowed is what the guests
	// that ran at once might have had.
	Resident int `json:"resident_growth"`
	Peak     int `json:"peak_growth"`
	Allowed  int `json:"memory_of_all_slots"`
	// Overshoot is by how much answers came after their deadlines, Hello how long the
	// simplest call took amid everything, its wait for a slot included.
	Overshoot percentiles `json:"deadline_overshoot_ms"`
	Hello     percentiles `json:"hello_ms"`
	Alone     percentiles `json:"hello_alone_ms"`
}

// percentiles are of times, in milliseconds.
type percentiles struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

func percentilesOf(times []time.Duration) percentiles {
	if len(times) == 0 {
		return percentiles{}
	}
	slices.Sort(times)
	at := func(q float64) float64 {
		return float64(times[min(int(q*float64(len(times))), len(times)-1)].Microseconds()) / 1e3
	}
	return percentiles{Count: len(times), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

// soak is one run of the soak test.
type soak struct {
	t        *testing.T
	h        *host.Host
	registry *runtimes.Registry
	kinds    []string
	guests   []string
	faults   []string
	alone    map[string][]*host.Result
	total    *tally
	number   atomic.Int64

	mu      sync.Mutex
	wrong   int
	hostile int
	faulty  map[string]int
	late    []time.Duration
	hello   []time.Duration
}

// TestSoak makes calls of every kind, hostile guests, and faults of callers and disks,
// at full concurrency, for as long as SANDBOXD_SOAK says. Each call must come to what it
// would alone, and all together must leave nothing behind.
func TestSoak(t *testing.T) {
	limit, err := time.ParseDuration(os.Getenv(soakTime))
	if err != nil {
		t.Skipf("it takes minutes: set %s to a duration, such as 2m", soakTime)
	}
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	s := newSoak(t)
	var alone []time.Duration
	for range 200 {
		started := time.Now()
		checkStatus(t, execute(t, s.h, python(`print("hi")`)), host.StatusOK, 0)
		alone = append(alone, time.Since(started))
	}
	started := time.Now()
	s.run(started.Add(max(limit/5, 10*time.Second))) // until everything is as large as it gets
	before := takeFootprint(t, temp)
	peak := watchResident(t)
	s.run(started.Add(limit))
	most := peak()
	allowed := before.stock
	allowed.mappings += int(s.number.Load()) / mappingsOne
	after := footprintWithin(t, temp, allowed)
	f := s.figures(time.Since(started))
	f.Alone = percentilesOf(alone)
	f.Goroutines, f.Descriptors = max(after.goroutines-before.goroutines, 0), max(after.descriptors-before.descriptors, 0)
	f.Files, f.Mappings = max(after.files-before.files, 0), max(after.mappings-before.mappings, 0)
	f.Resident, f.Peak = after.resident-before.resident, most-before.resident
	f.print(t)
	if !after.within(allowed) || f.Resident > maxGrowth {
		t.Errorf("more is held than before: %v, %v; mappings before:\n%s\nafter:\n%s", before, after, before.summary(), after.summary())
	}
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	guests, err := hostile.Names("testdata/hostile", func(extension string) bool {
		_, ok := registry.ByExtension(extension)
		return ok
	})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, host.Options{Policy: policy(t, testPolicy)})
	return &soak{
		t: t, h: h, registry: registry, guests: guests, faulty: map[string]int{},
		kinds: slices.Sorted(maps.Keys(mixedKinds)), faults: slices.Sorted(maps.Keys(soakFaults)),
		alone: aloneResults(t, h), total: &tally{statuses: map[string]int{}, fuel: map[string]uint64{}},
	}
}

// run makes calls until the end, three times as many at once as there are slots.
func (s *soak) run(end time.Time) {
	var wg sync.WaitGroup
	for range 12 * runtime.GOMAXPROCS(0) {
		dir := s.t.TempDir()
		wg.Go(func() {
			for time.Now().Before(end) {
				n := int(s.number.Add(1))
				kind, err := s.one(dir, n)
				if err == nil {
					continue
				}
				s.mu.Lock()
				s.wrong++
				s.mu.Unlock()
				s.t.Errorf("call %d, %s: %v", n, kind, err)
			}
		})
	}
	wg.Wait()
}

func (s *soak) one(dir string, n int) (kind string, err error) {
	switch {
	case n%soakHostEvery == 0:
		kind = "a host that closes amid its calls"
		err = s.closeAnother()
	case n%soakFaultEvery == 0:
		kind = s.faults[n/soakFaultEvery%len(s.faults)]
		err = soakFaults[kind](s, dir, n)
	case n%soakHostileEvery == 1:
		name := s.guests[n/soakHostileEvery%len(s.guests)]
		return name, s.attack(dir, name, n)
	default:
		kind = s.kinds[(n*7+n/len(s.kinds)*5)%len(s.kinds)]
		return kind, s.mixed(dir, kind, n)
	}
	s.mu.Lock()
	s.faulty[kind]++
	s.mu.Unlock()
	return kind, err
}

func (s *soak) mixed(dir, kind string, n int) error {
	c := mixedKinds[kind](s.t, dir, n)
	if results := s.alone[kind]; results != nil {
		c.expect(results[n%len(results)])
	}
	started := time.Now()
	got, err := c.do(s.t, s.h)
	took := time.Since(started)
	s.mu.Lock()
	switch {
	case kind == "hello":
		s.hello = append(s.hello, took)
	case got != nil && got.Status == host.StatusTimeout && c.r.Overrides.Timeout != nil:
		// The wait for a slot is none of the call's time.
		s.late = append(s.late, time.Duration(got.DurationSeconds*float64(time.Second))-time.Duration(*c.r.Overrides.Timeout))
	}
	s.mu.Unlock()
	return errors.Join(err, s.total.add(kind, &c, got))
}

// attack runs a guest of the corpus on a stage of its own.
func (s *soak) attack(dir, name string, n int) error {
	d, _ := s.registry.ByExtension(filepath.Ext(name))
	g, err := hostile.Read(name, languageVersion(s.t, d.Name))
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, fmt.Sprint("yard", n))
	y, err := hostile.NewYard(dir)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	before, err := y.Sealed()
	if err != nil {
		return err
	}
	r, err := s.h.Execute(s.t.Context(), host.Request{
		Language: d.Name, Code: g.Code, Filename: "hostile" + filepath.Ext(name), Profile: g.Profile,
		Overrides: g.Overrides, Workspace: y.Workspace, Mounts: y.Mounts,
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.hostile++
	s.mu.Unlock()
	err = g.Check(outcome.Of(r))
	if after, sealErr := y.Sealed(); sealErr != nil || !maps.Equal(before, after) {
		err = errors.Join(err, sealErr, errors.New("it changed what it must not"))
	}
	return err
}

// closeAnother opens a host of the same cache and closes it while its guests run.
func (s *soak) closeAnother() error {
	h, err := host.Open(s.t.Context(), host.Options{CacheDir: cacheDir(s.t), Policy: policy(s.t, testPolicy)})
	if err != nil {
		return err
	}
	const calls = 4
	running, ended := make(chan struct{}, calls), make(chan error, calls) // nobody waits to send
	var once [calls]sync.Once
	for i := range calls {
		go func() {
			r := python("print(1)\nwhile True: pass")
			if i%2 == 0 {
				r = python("import time\nprint(1)\ntime.sleep(60)")
			}
			r.Profile = "endless"
			r.Stdout = writerFunc(func(p []byte) (int, error) {
				once[i].Do(func() { running <- struct{}{} })
				return len(p), nil
			})
			got, err := h.Execute(s.t.Context(), r)
			if got != nil && got.Status != host.StatusCanceled || err != nil && !errors.Is(err, host.ErrClosed) {
				err = fmt.Errorf("a call of a host that closes: %+v, %w", got, err)
			} else {
				err = nil
			}
			ended <- err
		}()
	}
	<-running
	err = h.Close()
	for range calls {
		select {
		case e := <-ended:
			err = errors.Join(err, e)
		case <-time.After(time.Minute):
			return errors.Join(err, errors.New("a call of a closed host does not return"))
		}
	}
	return err
}

// soakFaults do something to a call that its guest has no part in, and say what is
// wrong with what came of it.
var soakFaults = map[string]func(s *soak, dir string, n int) error{
	"a caller that gives up at any time": func(s *soak, _ string, n int) error {
		ctx, cancel := context.WithTimeout(s.t.Context(), time.Duration(rand.IntN(20_000))*time.Microsecond) //nolint:gosec // a test
		defer cancel()
		got, err := s.h.Execute(ctx, python(fmt.Sprintf("for i in range(20000): pass\nprint(%d)", n)))
		switch {
		case err != nil && errors.Is(err, context.DeadlineExceeded):
		case err != nil || got.Status != host.StatusCanceled && got.Stdout != fmt.Sprintln(n):
			return fmt.Errorf("got %+v, %w", got, err)
		}
		return nil
	},
	"a reader of the output that goes away": func(s *soak, _ string, n int) error {
		return s.expect(withStdout(n, func([]byte) (int, error) { return 0, errors.New("gone") }), host.StatusOK, fmt.Sprintln(n)+"again\n")
	},
	"a reader of the output that panics": func(s *soak, _ string, n int) error {
		return s.expect(withStdout(n, func([]byte) (int, error) { panic("reader of the output") }), host.StatusInternal, fmt.Sprintln(n))
	},
	"a reader of the output that is slow": func(s *soak, _ string, n int) error {
		return s.expect(withStdout(n, func(p []byte) (int, error) { time.Sleep(5 * time.Millisecond); return len(p), nil }), host.StatusOK, fmt.Sprintln(n)+"again\n")
	},
	"an input that fails": func(s *soak, _ string, n int) error {
		r := python(fmt.Sprintf("import sys\ntry: sys.stdin.read()\nexcept OSError: print(%d)", n))
		r.Stdin = readerFunc(func([]byte) (int, error) { return 0, errors.New("broken") })
		return s.expect(r, host.StatusOK, fmt.Sprintln(n))
	},
	"a workspace that vanishes": func(s *soak, dir string, n int) error {
		r := withStdout(n, nil)
		r.Workspace = filepath.Join(dir, fmt.Sprint("gone", n))
		if err := os.Mkdir(r.Workspace, 0o700); err != nil {
			return err
		}
		r.Code = fmt.Appendf(nil, "open('a', 'w')\nprint(%d, flush=True)\ntry: open('f', 'w')\nexcept OSError: print('gone')", n)
		r.Stdout = writerFunc(func(p []byte) (int, error) {
			if !strings.HasPrefix(string(p), "gone") {
				_ = os.RemoveAll(r.Workspace)
			}
			return len(p), nil
		})
		return s.expect(r, host.StatusOK, fmt.Sprintln(n)+"gone\n")
	},
	"a workspace that is none": func(s *soak, dir string, n int) error {
		r := withStdout(n, nil)
		r.Workspace = filepath.Join(dir, "nothing")
		if got, err := s.h.Execute(s.t.Context(), r); !errors.Is(err, host.ErrInvalid) {
			return fmt.Errorf("got %+v, %w", got, err)
		}
		return nil
	},
	"a mount that is gone": func(s *soak, dir string, n int) error {
		r := withStdout(n, nil)
		r.Mounts = []policies.Mount{{Host: filepath.Join(dir, "nothing"), Guest: "/data"}}
		if got, err := s.h.Execute(s.t.Context(), r); err == nil {
			return fmt.Errorf("got %+v", got)
		}
		return nil
	},
}

// withStdout is a program that prints twice, and a writer for what it prints.
func withStdout(n int, write func([]byte) (int, error)) host.Request {
	r := python(fmt.Sprintf("print(%d, flush=True)\nprint('again')", n))
	if write != nil {
		r.Stdout = writerFunc(write)
	}
	return r
}

func (s *soak) expect(r host.Request, status host.Status, stdout string) error {
	got, err := s.h.Execute(s.t.Context(), r)
	if err != nil || got.Status != status || got.Stdout != stdout {
		return fmt.Errorf("got %+v, %w; want %s, %q", got, err, status, stdout)
	}
	return nil
}

// watchResident looks at the size of the process until it is asked for the most.
func watchResident(t *testing.T) (most func() int) {
	t.Helper()
	stop, result := make(chan struct{}), make(chan int)
	go func() {
		largest := 0
		for {
			select {
			case <-stop:
				result <- largest
				return
			case <-time.After(50 * time.Millisecond):
				largest = max(largest, residentMemory(t))
			}
		}
	}()
	return func() int { close(stop); return <-result }
}

func (s *soak) figures(took time.Duration) *soakFigures {
	f := &soakFigures{
		Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.Version()),
		Seconds: took.Seconds(), Calls: int(s.number.Load()), Hostile: s.hostile, Faults: s.faulty,
		Statuses: s.total.statuses, Wrong: s.wrong,
		Overshoot: percentilesOf(s.late), Hello: percentilesOf(s.hello),
		Allowed: 4 * runtime.GOMAXPROCS(0) * (64 << 20),
	}
	return f
}

// print says what the soak came to.
func (f *soakFigures) print(t *testing.T) {
	t.Helper()
	faults := 0
	for _, n := range f.Faults {
		faults += n
	}
	t.Logf("%s", f.Machine)
	t.Logf("%.0f s, %d calls, of which %d hostile guests and %d faults", f.Seconds, f.Calls, f.Hostile, faults)
	for _, name := range slices.Sorted(maps.Keys(f.Faults)) {
		t.Logf("  %6d %s", f.Faults[name], name)
	}
	t.Logf("statuses of the mixed calls: %v", f.Statuses)
	t.Logf("wrong results: %d", f.Wrong)
	t.Logf("leaked: %d goroutines, %d descriptors, %d files, %d mappings", f.Goroutines, f.Descriptors, f.Files, f.Mappings)
	t.Logf("memory: %+.1f MB after, at most %+.1f MB; all slots at their limit: %.0f MB", float64(f.Resident)/1e6, float64(f.Peak)/1e6, float64(f.Allowed)/1e6)
	for _, p := range []struct {
		name string
		percentiles
	}{{"after the deadline", f.Overshoot}, {"hello, waiting included", f.Hello}, {"hello alone", f.Alone}} {
		t.Logf("%-24s p50 %8.2f ms, p99 %8.2f ms, max %8.2f ms (%d)", p.name, p.P50, p.P99, p.Max, p.Count)
	}
	if name := os.Getenv(soakJSON); name != "" {
		text, err := json.MarshalIndent(f, "", "  ")
		if err == nil {
			err = os.WriteFile(name, append(text, '\n'), 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
