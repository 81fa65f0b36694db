package fuelprofile_test

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/fuelprofile"
	"github.com/sandboxd/sandboxd/policies"
)

func open(t *testing.T) *host.Host {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	policy, err := policies.Parse("sandbox.toml", []byte("[profiles.free]\nextends = \"strict\"\nfuel = 4_000_000_000\nmemory = \"64MiB\"\ntimeout = \"60s\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(t.Context(), host.Options{Policy: policy, CacheDir: cmp.Or(os.Getenv("SANDBOXD_CACHE_DIR"), filepath.Join(dir, "sandboxd"))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func run(t *testing.T, h *host.Host, r host.Request) *host.Result {
	t.Helper()
	r.Profile, r.Filename = cmp.Or(r.Profile, "free"), "program.py"
	r.Language = cmp.Or(r.Language, "python")
	result, err := h.Execute(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// find returns a function of the program's, all zero if it is not in the profile.
func find(r *host.Result, name string) fuelprofile.Function {
	if r.FuelProfile != nil {
		for _, f := range r.FuelProfile.Functions {
			if f.Name == name {
				return f
			}
		}
	}
	return fuelprofile.Function{}
}

const mixed = `
import json

def hot(n):
    total = 0
    for i in range(n):
        total += i * i
    return total

def warm(n):
    return json.dumps(list(range(n)))

def numbers(n):
    for i in range(n):
        yield i

class Shape:
    def area(self):
        return hot(20_000)

def fails():
    raise ValueError

def main():
    for _ in range(3):
        Shape().area()
    for _ in range(10):
        warm(50)
    sum(numbers(100))
    try:
        fails()
    except ValueError:
        pass

main()
print("done")
`

func TestTheHotFunctionIsOnTop(t *testing.T) {
	h := open(t)
	plain := run(t, h, host.Request{Code: []byte(mixed)})
	r := run(t, h, host.Request{Code: []byte(mixed), ProfileFuel: true})
	if !r.Success || r.Stdout != plain.Stdout || plain.FuelProfile != nil {
		t.Fatalf("%s, %q", r.Status, r.Stderr)
	}
	top := r.FuelProfile.Functions[0]
	if top.Name != "hot" || top.File != "program.py" || top.Line != 4 || top.Calls != 3 || top.Self*10 < 8*r.FuelProfile.Total {
		t.Errorf("on top is %+v, of %d", top, r.FuelProfile.Total)
	}
	if f := find(r, "Shape.area"); f.Calls != 3 || f.Total < top.Self || f.Self > f.Total/10 {
		t.Errorf("what calls it is %+v", f)
	}
	if f := find(r, "numbers"); f.Calls != 101 {
		t.Errorf("a generator is %+v", f)
	}
	if f := find(r, "<module>"); f.Calls != 1 || f.Total < top.Self {
		t.Errorf("the program itself is %+v", f)
	}
	if f := find(r, "fails"); f.Calls != 1 {
		t.Errorf("a function that fails is %+v", f)
	}
	// What the profile says of the program is close to what it takes otherwise.
	total := float64(r.FuelProfile.Total)
	if plain := float64(plain.FuelConsumed); total < 0.85*plain || total > 1.15*plain {
		t.Errorf("the profile has %.0f, and the program takes %.0f", total, plain)
	}
	if sum := r.FuelProfile.Total + r.FuelProfile.Overhead; sum != r.FuelConsumed {
		t.Errorf("the parts make %d, and the call took %d", sum, r.FuelConsumed)
	}
	var file bytes.Buffer
	if err := r.FuelProfile.Write(&file); err != nil {
		t.Fatal(err)
	}
	if _, err := pprof.Parse(&file); err != nil {
		t.Error(err)
	}
	again := run(t, h, host.Request{Code: []byte(mixed), ProfileFuel: true})
	if again.FuelConsumed != r.FuelConsumed || again.FuelProfile.Total != r.FuelProfile.Total {
		t.Errorf("again it is %d of %d, and not %d of %d", again.FuelProfile.Total, again.FuelConsumed, r.FuelProfile.Total, r.FuelConsumed)
	}
	if after := run(t, h, host.Request{Code: []byte(mixed)}); after.FuelConsumed != plain.FuelConsumed {
		t.Errorf("without a profile it took %d before, and %d after", plain.FuelConsumed, after.FuelConsumed)
	}
}

func TestProgramsThatEndOtherwise(t *testing.T) {
	h := open(t)
	fuel := uint64(100_000_000)
	tests := []struct {
		name, code, hot, stderr string
		status                  host.Status
		exit                    int
		fuel                    *uint64
	}{
		{name: "one that runs out of fuel", code: "def spin():\n    while True: pass\nspin()", hot: "spin", status: host.StatusOutOfFuel, exit: 137, fuel: &fuel},
		{name: "one that fails", code: "def f():\n    sum(range(100_000))\n    1 / 0\nf()", hot: "f", status: host.StatusError, exit: 1, stderr: "ZeroDivisionError"},
		{name: "one that exits", code: "import sys\ndef f():\n    sum(range(100_000))\n    sys.exit(3)\nf()", hot: "f", status: host.StatusError, exit: 3},
		{name: "one that leaves at once", code: "import os\ndef f():\n    sum(range(100_000))\n    os._exit(4)\nf()", hot: "f", status: host.StatusError, exit: 4},
		{name: "one that closes what it did not open", code: "import os\ndef f():\n    sum(range(100_000))\nf()\nos.closerange(3, 100)\ndef g(): pass\ng()", hot: "f", status: host.StatusOK},
		{name: "one that uses sys.monitoring itself", code: "import sys\nm = sys.monitoring\nm.use_tool_id(m.PROFILER_ID, 'mine')\ndef f():\n    sum(range(100_000))\nf()", hot: "f", status: host.StatusOK},
		{name: "one that tells lies", code: "def f():\n    sum(range(100_000))\nf()\nwith open('/.sandboxd/fuel', 'wb', 0) as told:\n    for text in (b'', b'L' * 9, b'D', b'E', b'X', b'Efff', b'C', b'B', bytes(70_000)):\n        told.write(text)", hot: "f", status: host.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, h, host.Request{Code: []byte(tt.code), ProfileFuel: true, Overrides: policies.Overrides{Fuel: tt.fuel}})
			if r.Status != tt.status || r.ExitCode != tt.exit || !strings.Contains(r.Stderr, tt.stderr) {
				t.Fatalf("%s, exit code %d: %s", r.Status, r.ExitCode, r.Stderr)
			}
			hot := find(r, tt.hot)
			for _, f := range r.FuelProfile.Functions {
				if f.File == "program.py" && f.Self > hot.Self {
					t.Errorf("%+v is above %+v", f, hot)
				}
			}
			if hot.Calls != 1 || hot.Self == 0 {
				t.Errorf("it is %+v", hot)
			}
		})
	}
}

// A profiled call leaves nothing in the interpreter that it hands on.
func TestAProfiledTurnOfASession(t *testing.T) {
	h := open(t)
	turn := host.Request{Code: []byte("def f(n): return sum(range(n))\nf(1000)"), KeepState: true, ProfileFuel: true}
	first := run(t, h, turn)
	if first.StateError != "" || find(first, "f").Calls != 1 {
		t.Fatalf("%s: %+v", first.StateError, first.FuelProfile)
	}
	next := host.Request{Code: []byte("import sys\nprint(f(10), sys.monitoring.get_tool(4), [e for e in range(6) if sys.monitoring.get_tool(e)])"), State: first.State}
	plain := run(t, h, next)
	if plain.Stdout != "45 None []\n" || plain.FuelProfile != nil {
		t.Errorf("the next turn: %q %s", plain.Stdout, plain.Stderr)
	}
	next.Code, next.ProfileFuel = []byte("f(10)\nf(20)"), true
	if again := run(t, h, next); find(again, "f").Calls != 2 {
		t.Errorf("a profiled one: %+v", again.FuelProfile)
	}
}

func TestRuntimesThatCannotTell(t *testing.T) {
	h := open(t)
	_, err := h.Execute(t.Context(), host.Request{Language: "javascript", Code: []byte("1"), ProfileFuel: true})
	if !errors.Is(err, host.ErrInvalid) || !strings.Contains(err.Error(), "those that can are: python") {
		t.Errorf("got %v", err)
	}
}
