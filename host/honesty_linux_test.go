package host

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has used of the processors.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// honestyCases are the dearest things that one call of the host can be asked for,
// in proportion to what it costs.
var honestyCases = []struct {
	name string
	do   func(s *tape)
}{
	{"args_get", func(s *tape) { s.call(20_000, "args_get", 1<<20, 2<<20) }},
	{"clock_time_get", func(s *tape) { s.call(20_000, "clock_time_get", 1, 0, scratchAt) }},
	{"fd_allocate", func(s *tape) { s.open("app/f", false); s.call(5000, "fd_allocate", 4, 0, 1) }},
	{"fd_fdstat_get", func(s *tape) { s.open("app/f", false); s.call(5000, "fd_fdstat_get", 4, 1<<20) }},
	{"fd_fdstat_set_flags", func(s *tape) { s.open("app/f", false); s.call(5000, "fd_fdstat_set_flags", 4, 1) }},
	{"fd_filestat_get", func(s *tape) { s.open("app/f", false); s.call(5000, "fd_filestat_get", 4, 1<<20) }},
	{"fd_filestat_set_size", func(s *tape) {
		s.open("app/f", false)
		for range 200 {
			s.call(1, "fd_filestat_set_size", 4, 40<<20)
			s.call(1, "fd_filestat_set_size", 4, 0)
		}
	}},
	{"fd_filestat_set_times", func(s *tape) { s.open("app/f", false); s.call(5000, "fd_filestat_set_times", 4, 0, 0, 5) }},
	{"fd_pread of a byte", func(s *tape) {
		s.open("app/f", false)
		s.call(1, "fd_filestat_set_size", 4, 1000)
		s.call(5000, "fd_pread", 4, s.vectors(1, 1<<20, 1), 1, 0, scratchAt)
	}},
	{"fd_pread of many buffers", func(s *tape) {
		s.open("app/f", false)
		s.call(1, "fd_filestat_set_size", 4, 1000)
		s.call(20, "fd_pread", 4, s.vectors(1000, 1<<20, 1), 1000, 0, scratchAt)
	}},
	{"fd_pread of much", func(s *tape) {
		s.open("app/f", false)
		s.call(1, "fd_filestat_set_size", 4, 16<<20)
		s.call(20, "fd_pread", 4, s.vectors(1, 1<<20, 16<<20), 1, 0, scratchAt)
	}},
	{"fd_pwrite of a byte", func(s *tape) {
		s.open("app/f", false)
		s.call(5000, "fd_pwrite", 4, s.vectors(1, 0, 1), 1, 0, scratchAt)
	}},
	{"fd_pwrite of many buffers", func(s *tape) {
		s.open("app/f", false)
		s.call(20, "fd_pwrite", 4, s.vectors(1000, 0, 1), 1000, 0, scratchAt)
	}},
	{"fd_pwrite of much", func(s *tape) {
		s.open("app/f", false)
		v := s.vectors(1, 0, 40<<20)
		for range 10 {
			s.call(1, "fd_pwrite", 4, v, 1, 0, scratchAt)
			s.call(1, "fd_filestat_set_size", 4, 0)
		}
	}},
	{"fd_readdir", func(s *tape) { many(s); s.call(1000, "fd_readdir", 4, 1<<20, 72, 0, scratchAt) }},
	{"fd_readdir of all", func(s *tape) { many(s); s.call(100, "fd_readdir", 4, 1<<20, 64<<10, 0, scratchAt) }},
	{"fd_seek", func(s *tape) { s.open("app/f", false); s.call(5000, "fd_seek", 4, 0, 2, scratchAt) }},
	{"fd_write to the output", func(s *tape) { s.call(5000, "fd_write", 2, s.vectors(1, 0, 1), 1, scratchAt) }},
	{"fd_write of many buffers", func(s *tape) { s.call(100, "fd_write", 2, s.vectors(1000, 0, 1), 1000, scratchAt) }},
	{"fd_write of no bytes", func(s *tape) { s.call(5, "fd_write", 2, s.vectors(100_000, 0, 0), 100_000, scratchAt) }},
	{"path_create_directory, path_remove_directory", func(s *tape) {
		at, n := s.path("app/d")
		for range 150 {
			s.call(1, "path_create_directory", 3, at, n)
			s.call(1, "path_remove_directory", 3, at, n)
		}
	}},
	{"path_filestat_get", func(s *tape) {
		at, n := s.path("app")
		s.call(5000, "path_filestat_get", 3, 0, at, n, 1<<20)
	}},
	{"path_filestat_get, deep", func(s *tape) {
		name := "app"
		for range 30 {
			name += "/d"
			at, n := s.path(name)
			s.call(1, "path_create_directory", 3, at, n)
		}
		at, n := s.path(name)
		s.call(500, "path_filestat_get", 3, 0, at, n, 1<<20)
	}},
	{"path_filestat_get, long", func(s *tape) {
		at := s.data(append([]byte("app/"), bytes.Repeat([]byte("a/../"), maxPath/5-1)...))
		s.call(500, "path_filestat_get", 3, 0, at, 4+5*(maxPath/5-1), 1<<20)
	}},
	{"path_filestat_set_times", func(s *tape) {
		at, n := s.path("app/d")
		s.call(1, "path_create_directory", 3, at, n)
		s.call(1000, "path_filestat_set_times", 3, 1, at, n, 0, 0, 5)
	}},
	{"path_open, path_unlink_file", func(s *tape) {
		at, n := s.path("app/f")
		for range 150 {
			s.open("app/f", false)
			s.call(1, "fd_close", 4)
			s.call(1, "path_unlink_file", 3, at, n)
		}
	}},
	{"path_open of what is there", func(s *tape) {
		for range 200 {
			s.open("app", true)
			s.call(1, "fd_close", 4)
		}
	}},
	{"path_rename", func(s *tape) {
		at, n := s.path("app/d")
		to, m := s.path("app/e")
		s.call(1, "path_create_directory", 3, at, n)
		for range 150 {
			s.call(1, "path_rename", 3, at, n, 3, to, m)
			s.call(1, "path_rename", 3, to, m, 3, at, n)
		}
	}},
	{"poll_oneoff", func(s *tape) { s.call(5000, "poll_oneoff", 1<<20, 2<<20, 1, scratchAt) }},
	{"poll_oneoff of many", func(s *tape) { s.call(50, "poll_oneoff", 1<<20, 2<<20, maxSubscriptions, scratchAt) }},
	{"random_get of a byte", func(s *tape) { s.call(5000, "random_get", 1<<20, 1) }},
	{"random_get of much", func(s *tape) { s.call(2, "random_get", 1<<20, 32<<20) }},
	{"sched_yield", func(s *tape) { s.call(50_000, "sched_yield") }},
}

// many fills the workspace with directories and opens it as descriptor 4.
func many(s *tape) {
	for i := range 300 {
		at, n := s.path(fmt.Sprint("app/", i))
		s.call(1, "path_create_directory", 3, at, n)
	}
	s.open("app", true)
}

// dishonest is how much more processor time a unit of fuel may buy from the host than
// from a loop. The aim is 3; what fails the test is more, because a busy machine makes
// system calls dearer than it makes loops, and only what does so again and again.
const (
	dishonest     = 12
	honestyRounds = 5
)

// memoryDirectory has the host keep its files in memory for the rest of the test,
// where the machine has a directory for that. What a disk's file system takes for a
// new name depends on the disk: ext4 takes twenty times as long in a group of inodes
// that nothing has used yet. No price in fuel can follow that; the wall time of a
// profile bounds it.
func memoryDirectory(t *testing.T) {
	t.Helper()
	const shared = "/dev/shm"
	if unix.Access(shared, unix.W_OK) != nil {
		return
	}
	t.Setenv("TMPDIR", shared)
	t.Setenv("TMPDIR", t.TempDir())
}

// TestFuelIsHonest measures what a unit of fuel buys in each call of the host, next
// to what it buys in a loop of the guest's own.
func TestFuelIsHonest(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("measures processor time")
	}
	memoryDirectory(t)
	functions := wasiFunctions(t)
	h, p := rawPlugin(t, callerModule(functions, 1100), "raw")
	profile := rawProfile()
	profile.Fuel = math.MaxInt64
	measure := func(do func(*tape)) (perFuel float64, results []uint32) {
		best := math.Inf(1)
		for range 3 {
			s := &tape{functions: functions}
			do(s)
			before := processorTime(t)
			r, got := s.run(t, h, p, profile, &Request{})
			took := processorTime(t) - before
			if r.Status != StatusOK {
				t.Fatalf("got %+v", r)
			}
			results = got
			best = min(best, float64(took)/float64(r.FuelConsumed))
		}
		return best, results
	}
	loop := loopCost(t)
	t.Logf("%-46s %6.3f ns", "a loop", loop)
	for _, c := range honestyCases {
		cost, results := measure(c.do)
		for round := 1; cost > dishonest*loop && round < honestyRounds; round++ {
			loop = max(loop, loopCost(t))
			again, _ := measure(c.do)
			cost = min(cost, again)
		}
		t.Logf("%-46s %6.3f ns, ratio %5.2f", c.name, cost, cost/loop)
		if i := slices.IndexFunc(results, func(e uint32) bool { return e != errnoSuccess }); i >= 0 || results == nil {
			t.Errorf("%s: a call failed: %d", c.name, results)
		}
		if cost > dishonest*loop {
			t.Errorf("%s: a unit of fuel buys %.1f times what it buys in a loop", c.name, cost/loop)
		}
	}
}

// loopCost is the time of a unit of fuel in a loop that does nothing but count.
func loopCost(t *testing.T) float64 {
	t.Helper()
	h, p := rawPlugin(t, loopModule(), "raw")
	profile := rawProfile()
	profile.Fuel = 200_000_000
	best := math.Inf(1)
	for range 3 {
		before := processorTime(t)
		r := runRaw(t, h, p, profile, &Request{})
		took := processorTime(t) - before
		if r.Status != StatusOutOfFuel {
			t.Fatalf("got %+v", r)
		}
		best = min(best, float64(took)/float64(r.FuelConsumed))
	}
	return best
}
