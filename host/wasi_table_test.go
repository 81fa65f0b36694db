package host

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host/meter"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/internal/hostile"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// TestEveryWASIFunctionIsInTheTable compares the table with what the engine has: one
// that a new version of it adds is not offered before somebody has said what it does.
func TestEveryWASIFunctionIsInTheTable(t *testing.T) {
	var names, listed []string
	for _, f := range wasiFunctions(t) {
		names = append(names, f.name)
		o := offers[meter.Import{Module: f.module, Name: f.name}]
		if strings.HasPrefix(f.name, "path_") != (len(o.bounds) > 0 && o.bounds[0].Max == maxPath) {
			t.Errorf("%s: bounds %+v", f.name, o.bounds)
		}
		if o.cost.Base+o.cost.Per < 2_000 {
			t.Errorf("%s costs %+v", f.name, o.cost)
		}
	}
	for _, o := range slices.Concat(wasiOffers, extismOffers) {
		if !slices.Contains(listed, o.name) && slices.ContainsFunc(wasiOffers, func(w offer) bool { return w.name == o.name }) {
			listed = append(listed, o.name)
		}
		if o.does == "" || o.bound == "" {
			t.Errorf("%s: %q, bounded by %q", o.name, o.does, o.bound)
		}
	}
	if !slices.Equal(names, listed) {
		t.Errorf("the engine has  %q\nthe table lists %q", names, listed)
	}
	for _, f := range owned {
		if !slices.Contains(listed, f.name) {
			t.Errorf("%s is ours and not offered", f.name)
		}
	}
}

// TestOnlyWhatIsOfferedCanBeImported tries what the engine's libraries have besides,
// what other instances export, and what is no function.
func TestOnlyWhatIsOfferedCanBeImported(t *testing.T) {
	imports := map[string]wasm.Import{
		"a function that WASI does not have":      {Module: wasiNamespace, Name: "fd_dup"},
		"a function of another version of WASI":   {Module: "wasi_unstable", Name: "fd_write"},
		"the host's own":                          {Module: namespace, Name: "refuel"},
		"the function of another instance":        {Module: "main_1", Name: "_start"},
		"the memory of another instance":          {Module: "main_1", Name: "memory", Kind: wasm.KindMemory, Memory: wasm.Limits{Min: 1}},
		"the fuel of another instance":            {Module: "main_1", Name: "sandboxd:fuel", Kind: wasm.KindGlobal, Global: wasm.GlobalType{Type: wasm.I64, Mutable: true}},
		"a table":                                 {Module: "env", Name: "table", Kind: wasm.KindTable, Table: wasm.Table{Type: wasm.FuncRef}},
		"a memory under the name of a function":   {Module: wasiNamespace, Name: "fd_read", Kind: wasm.KindMemory, Memory: wasm.Limits{Min: 1}},
		"a function without a name":               {},
		"a function of another's name in capital": {Module: wasiNamespace, Name: "FD_READ"},
	}
	for _, o := range extismOffers {
		imports["Extism's "+o.name+", by what is no plugin"] = wasm.Import{Module: extismNamespace, Name: o.name}
	}
	for name, imp := range imports {
		t.Run(name, func(t *testing.T) {
			m := &wasm.Module{}
			imp.Type = m.AddType(nil, nil)
			m.Imports = []wasm.Import{imp}
			b := &builder{definition: rawDefinition("raw"), driver: rawDriver{}}
			if _, err := b.rewrite(rawModule(m, 1, nil, []byte{byte(wasm.OpEnd)})); !errors.Is(err, runtimes.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// errnoDquot is what a guest is told of its quota.
const errnoDquot = 19

// absurd are arguments that no program gives: addresses and lengths at the ends of
// memory and of the address space, descriptors that are none, flags that are all set.
var absurd = []uint64{
	0, 1, 3, 4, payloadAt, rawPages*65536 - 1, rawPages * 65536, math.MaxInt32, 1 << 31, math.MaxUint32 - 7, math.MaxUint32,
	1 << 32, 1 << 61, math.MaxInt64, 1 << 63, math.MaxUint64,
}

// rawPages is the memory of modules that call with absurd arguments, in pages.
const rawPages = 32

// TestAbsurdArguments calls every function of WASI with every absurd argument in every
// place, the others being sensible, and then with the same one everywhere. No call may
// be the host's failure, take long, or change anything outside.
func TestAbsurdArguments(t *testing.T) {
	functions := wasiFunctions(t)
	h, p := rawPlugin(t, callerModule(functions, rawPages), "raw")
	profile := rawProfile()
	profile.Fuel, profile.Timeout = 4_000_000_000, policies.Duration(20*time.Second)
	w := newStage(t)
	for _, f := range functions {
		t.Run(f.name, func(t *testing.T) {
			for _, bad := range absurd {
				for place := -1; place < len(f.params); place++ {
					s := &tape{functions: functions}
					s.open("app/f", false)
					at, n := s.path("app/g")
					args := []uint64{3, at, n, 0, scratchAt, at, n, 0, scratchAt}
					for i := range args {
						if i == place || place < 0 {
							args[i] = bad
						}
					}
					s.call(2, f.name, args...)
					w.survives(t, h, p, profile, s)
				}
			}
		})
	}
	w.check(t)
}

// attacks are what only a module of its own can try, and what must come of it: the
// number that the last call returns or, where there is none, a status.
var attacks = []struct {
	name   string
	do     func(s *tape)
	errno  uint32
	status Status
}{
	{"a path as long as memory", func(s *tape) { s.call(1000, "path_filestat_get", 3, 0, payloadAt, 1<<20, scratchAt) }, errnoTooLong, ""},
	{"a path longer than memory", func(s *tape) { s.call(1, "path_open", 3, 0, payloadAt, math.MaxUint32, 1, 0, 0, 0, scratchAt) }, errnoTooLong, ""},
	{"a new path as long as memory", func(s *tape) { at, n := s.path("app"); s.call(1, "path_rename", 3, at, n, 3, payloadAt, 1<<20) }, errnoTooLong, ""},
	{"a link's target as long as memory", func(s *tape) { at, n := s.path("app/l"); s.call(1, "path_symlink", payloadAt, 1<<20, 3, at, n) }, errnoTooLong, ""},
	{"a longest path", func(s *tape) {
		s.call(1, "path_filestat_get", 3, 0, s.data(bytes.Repeat([]byte("./"), maxPath/2)), maxPath, 1<<20)
	}, errnoSuccess, ""},
	{"a symbolic link", func(s *tape) {
		to, n := s.path("../outside")
		at, m := s.path("app/l")
		s.call(1, "path_symlink", to, n, 3, at, m)
	}, 63, ""},
	{"a hard link", func(s *tape) {
		s.open("app/f", false)
		from, n := s.path("app/f")
		to, m := s.path("app/l")
		s.call(1, "path_link", 3, 0, from, n, 3, to, m)
	}, 63, ""},
	{"dots out of the root", func(s *tape) {
		at, n := s.path("../../etc/passwd")
		s.call(1, "path_filestat_get", 3, 0, at, n, 1<<20)
	}, 63, ""},
	{"a planted link", func(s *tape) {
		at, n := s.path("app/link_relative")
		s.call(1, "path_open", 3, 1, at, n, 0, 2, 0, 0, scratchAt)
	}, 32, ""},
	{"a descriptor of the process's", func(s *tape) {
		for fd := range uint64(64) {
			s.call(1, "fd_write", 4+fd, s.vectors(1, 0, 8), 1, scratchAt)
		}
	}, 8, ""},
	{"a table of descriptors of 16 GiB", func(s *tape) { s.open("app/f", false); s.call(1, "fd_renumber", 4, math.MaxInt32) }, errnoNotsup, ""},
	{"a number of vectors that wraps around", func(s *tape) { s.call(1, "fd_write", 1, payloadAt, 1<<29, scratchAt) }, 0, StatusOutOfFuel},
	{"a list of vectors beyond memory", func(s *tape) { s.call(1, "fd_write", 1, rawPages*65536-8, 2, scratchAt) }, errnoFault, ""},
	{"vectors that overlap what they are read from", func(s *tape) {
		s.open("app/f", false)
		s.call(1, "fd_filestat_set_size", 4, 1<<20)
		s.call(1, "fd_pread", 4, s.vectors(100, payloadAt, 800), 100, 0, scratchAt)
	}, errnoSuccess, ""},
	{"a file of all the disk by one byte", func(s *tape) {
		s.open("app/f", false)
		s.call(1, "fd_pwrite", 4, s.vectors(1, 0, 1), 1, math.MaxInt64-1, scratchAt)
	}, errnoDquot, ""},
	{"a file of all the disk by allocating", func(s *tape) { s.open("app/f", false); s.call(1, "fd_allocate", 4, 1<<40, 1<<40) }, errnoDquot, ""},
	{"a position before the start", func(s *tape) { s.open("app/f", false); s.call(1, "fd_seek", 4, math.MaxUint64, 0, scratchAt) }, errnoInval, ""},
	{"a listing from a place that was never reached", func(s *tape) {
		s.open("app", true)
		s.call(1, "fd_readdir", 4, 1<<20, 4096, math.MaxUint64, scratchAt)
	}, 44, ""},
	{"a listing into nothing", func(s *tape) { s.open("app", true); s.call(1, "fd_readdir", 4, 1<<20, 0, 0, scratchAt) }, errnoInval, ""},
	{"two to the 31st subscriptions", func(s *tape) { s.call(1, "poll_oneoff", 0, 0, 1<<31, scratchAt) }, 0, StatusOutOfFuel},
	{"subscriptions that nobody needs so many of", func(s *tape) { s.call(1, "poll_oneoff", 0, 0, maxSubscriptions+1, scratchAt) }, errnoInval, ""},
	{"a clock that is none", func(s *tape) { s.call(1, "clock_time_get", math.MaxUint32, 0, scratchAt) }, errnoInval, ""},
	{"a sleep of centuries", func(s *tape) {
		s.call(1, "poll_oneoff", s.data(clockRecord(1, clockMonotonic, math.MaxUint64, 0)), 1<<20, 1, scratchAt)
	}, 0, StatusTimeout},
	{"giving up its turn for ever", func(s *tape) { s.call(math.MaxUint32, "sched_yield") }, 0, StatusOutOfFuel},
	{"randomness without end", func(s *tape) { s.call(math.MaxUint32, "random_get", 1<<20, 1<<20) }, 0, StatusOutOfFuel},
	{"output without end", func(s *tape) { s.call(math.MaxUint32, "fd_write", 1, s.vectors(1000, 0, 1<<20), 1000, scratchAt) }, 0, StatusOutOfFuel},
	{"reading one buffer a million times at once", func(s *tape) {
		s.open("app/f", false)
		s.call(1, "fd_filestat_set_size", 4, 1<<20)
		s.call(math.MaxUint32, "fd_pread", 4, s.vectors(10_000, 1<<20, 100), 10_000, 0, scratchAt)
	}, 0, StatusOutOfFuel},
	{"an exit code of the engine's", func(s *tape) { s.call(1, "proc_exit", 0xEFFFFFFF) }, 0, StatusError},
	{"the times of a standard stream", func(s *tape) { s.call(1, "fd_filestat_set_times", 1, 0, 0, 5) }, errnoNotsup, ""},
	{"a signal", func(s *tape) { s.call(1, "proc_raise", 9) }, 52, ""},
	{"a socket", func(s *tape) { s.call(1, "sock_accept", 3, 0, scratchAt) }, 8, ""},
	{"closing everything and going on", func(s *tape) {
		for fd := range uint64(4) {
			s.call(1, "fd_close", fd)
		}
		at, n := s.path("app")
		s.call(1, "path_filestat_get", 3, 0, at, n, 1<<20)
	}, 0, StatusOK},
}

// TestModuleAttacks makes the calls that no interpreter makes.
func TestModuleAttacks(t *testing.T) {
	functions := wasiFunctions(t)
	h, p := rawPlugin(t, callerModule(functions, rawPages), "raw")
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			profile := rawProfile()
			if a.status == StatusTimeout {
				profile.Timeout = policies.Duration(50 * time.Millisecond)
			}
			w := newStage(t)
			s := &tape{functions: functions}
			a.do(s)
			r, errnos := w.survives(t, h, p, profile, s)
			switch {
			case a.status != "":
				if r.Status != a.status {
					t.Errorf("got %+v", r)
				}
			case len(errnos) == 0 || errnos[len(errnos)-1] != a.errno:
				t.Errorf("got %d of %+v, want %d", errnos, r, a.errno)
			}
			w.check(t)
		})
	}
}

// FuzzWASI has a module make any calls with any arguments, on memory that holds what
// programs have in theirs. Whatever it does, the host must survive, blame the guest,
// and answer in time, and nothing outside may change.
func FuzzWASI(f *testing.F) {
	functions := wasiFunctions(f)
	h, p := rawPlugin(f, callerModule(functions, rawPages), "raw")
	for _, a := range attacks {
		s := &tape{functions: functions}
		a.do(s)
		f.Add(append(bytes.Clone(s.records), s.payload...), uint16(len(s.records)/recordSize))
	}
	profile := rawProfile()
	profile.Fuel, profile.Timeout = 50_000_000, policies.Duration(200*time.Millisecond)
	w := newStage(f)
	f.Fuzz(func(t *testing.T, data []byte, records uint16) {
		n := min(int(records)%64*recordSize, len(data)/recordSize*recordSize)
		s := &tape{functions: functions, records: bytes.Clone(data[:n]), payload: data[n:]}
		for i := 0; i < n; i += recordSize {
			// Most numbers are no function; and a call that is made often enough is
			// the end of the budget.
			s.records[i], s.records[i+1], s.records[i+2], s.records[i+3] = s.records[i]%byte(len(functions)), 0, 0, 0
			s.records[i+5], s.records[i+6], s.records[i+7] = 0, 0, 0
		}
		w.survives(t, h, p, profile, s)
		w.check(t)
	})
}

// extismSignatures are those of Extism's functions, in the letters of [hostFunction].
var extismSignatures = map[string][2]string{
	"alloc": {"I", "I"}, "free": {"I", ""}, "length": {"I", "I"}, "length_unsafe": {"I", "I"}, "load_u8": {"I", "i"}, "load_u64": {"I", "I"},
	"store_u8": {"Ii", ""}, "store_u64": {"II", ""}, "reset": {"", ""}, "memory_bytes": {"", "I"},
	"input_set": {"II", ""}, "input_length": {"", "I"}, "input_offset": {"", "I"}, "input_load_u8": {"I", "i"}, "input_load_u64": {"I", "I"},
	"output_set": {"II", ""}, "output_length": {"", "I"}, "output_offset": {"", "I"}, "error_set": {"I", ""}, "error_get": {"", "I"},
	"config_get": {"I", "I"}, "var_get": {"I", "I"}, "var_set": {"II", ""},
	"http_request": {"II", "I"}, "http_status_code": {"", "i"}, "http_headers": {"", "I"}, "get_log_level": {"", "i"},
	"log_trace": {"I", ""}, "log_debug": {"I", ""}, "log_info": {"I", ""}, "log_warn": {"I", ""}, "log_error": {"I", ""},
}

// TestExtismFunctions calls what Extism's library provides to plugins, with every absurd
// argument: the plugin may fail, and the host may not be blamed.
func TestExtismFunctions(t *testing.T) {
	functions := wasiFunctions(t)
	for _, o := range extismOffers {
		types, ok := extismSignatures[o.name]
		if !ok {
			t.Errorf("%s has no signature here", o.name)
		}
		functions = append(functions, signature{extismNamespace, o.name, valueTypes(types[0]), valueTypes(types[1])})
	}
	h, p := rawPlugin(t, callerModule(functions, rawPages), runtimes.DriverExtism)
	profile := rawProfile()
	profile.Fuel, profile.Timeout = 100_000_000, policies.Duration(2*time.Second)
	w := newStage(t)
	for _, o := range extismOffers {
		t.Run(o.name, func(t *testing.T) {
			for _, bad := range absurd {
				s := &tape{functions: functions}
				s.call(1, "alloc", 64)
				s.call(2, o.name, bad, bad)
				w.survives(t, h, p, profile, s)
			}
			// As often as the fuel allows: memory is bounded, and time.
			for _, arg := range []uint64{1, 64, 1 << 20} {
				s := &tape{functions: functions}
				s.call(math.MaxUint32, o.name, arg, arg)
				r, _ := w.survives(t, h, p, profile, s)
				t.Logf("%d: %s after %.3f s, %d fuel", arg, r.Status, r.DurationSeconds, r.FuelConsumed)
			}
		})
	}
	w.check(t)
}

// stage is what raw modules see of the host.
type stage struct {
	yard   *hostile.Yard
	sealed map[string]string
}

func newStage(tb testing.TB) *stage {
	tb.Helper()
	y, err := hostile.NewYard(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	sealed, err := y.Sealed()
	if err != nil {
		tb.Fatal(err)
	}
	return &stage{yard: y, sealed: sealed}
}

// survives runs a tape, which may come to anything but to the host's own failure or
// to a guest that the host has lost.
func (w *stage) survives(tb testing.TB, h *Host, p *plugin, profile *policies.Profile, s *tape) (*Result, []uint32) {
	tb.Helper()
	limited := *profile
	limited.Mounts = w.yard.Mounts
	r, errnos := s.run(tb, h, p, &limited, &Request{Workspace: w.yard.Workspace})
	if r.Status == StatusInternal || r.Status == StatusCanceled || r.FuelAnalysis.Status == "unknown" {
		tb.Errorf("got %+v, error %+v", r, r.Error)
	}
	return r, errnos
}

// check looks whether anything changed that must not.
func (w *stage) check(tb testing.TB) {
	tb.Helper()
	if sealed, err := w.yard.Sealed(); err != nil || !maps.Equal(sealed, w.sealed) {
		tb.Errorf("changed what it must not (%v):\nbefore %v\nafter  %v", err, w.sealed, sealed)
	}
}
