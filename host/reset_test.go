package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/policies"
)

// bare returns a plugin that shares everything with p but its standby instances:
// it makes none before it is asked to.
func bare(t *testing.T, p *plugin) *plugin {
	t.Helper()
	q := &plugin{
		definition: p.definition, driver: p.driver, compiled: p.compiled, cache: p.cache,
		blank: p.blank, image: p.image, minMemory: p.minMemory, library: p.library, log: p.log,
	}
	t.Cleanup(q.standby.close)
	return q
}

// resetProfile is narrow, so that a program that takes all it can get ends soon.
func resetProfile() *policies.Profile {
	return &policies.Profile{
		Name: "reset", Fuel: 250_000_000, Memory: 32 << 20, Stdout: 10_000, Stderr: 10_000,
		Timeout: policies.Duration(time.Minute), Disk: policies.Disk{Quota: 1 << 20, Files: 100},
		Env: map[string]string{"LANG": "C.UTF-8"},
	}
}

// run is Execute with a profile of the test's own, up to the release of the memory.
// ended, if set, is called when the guest has returned and its memory is as it left
// it.
func run(t *testing.T, h *Host, p *plugin, profile *policies.Profile, r *Request, ended func(*instance)) *Result {
	t.Helper()
	c, err := h.newCall(p, profile, r)
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan struct{})
	result := c.execute(t.Context(), func() {
		if ended != nil {
			ended(c.in)
		}
	}, func() { close(released) })
	<-released
	return result
}

// destructive are programs that leave nothing as it was: some of testdata/hostile,
// and as many random ones.
func destructive(t *testing.T, hostile string, random int) map[string]*Request {
	t.Helper()
	files, err := filepath.Glob("testdata/hostile/" + hostile)
	if err != nil || len(files) < 5 {
		t.Fatalf("found %d hostile programs (%v)", len(files), err)
	}
	requests := map[string]*Request{}
	for _, name := range files {
		if strings.HasPrefix(filepath.Base(name), "time_") {
			continue // they only wait
		}
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		requests[filepath.Base(name)] = &Request{Code: code, Filename: "hostile.py"}
	}
	for seed := range random {
		r := Spoiler(t, 1_000_000+seed)
		requests[fmt.Sprintf("seed %d", 1_000_000+seed)] = &r
	}
	return requests
}

// TestAResetRegionEqualsAFreshOne runs hostile and random programs, and after each
// compares the memory that it wrote, which was given back and reset, to memory that
// was never used: byte for byte, up to the limit, twice as much as the image has.
func TestAResetRegionEqualsAFreshOne(t *testing.T) {
	h, shared := pythonPlugin(t)
	p := bare(t, shared)
	profile := resetProfile()
	pristine, err := p.image.Acquire(uint64(profile.Memory))
	if err != nil {
		t.Fatal(err)
	}
	defer pristine.Release()
	want := pristine.Reallocate(uint64(profile.Memory))
	written, runs := 0, 0
	for name, r := range destructive(t, "*.py", Amount(5, 50, 5000)) {
		run(t, h, p, profile, r, func(in *instance) { written += differing(in.region.Bytes(), want) })
		runs++
		region, err := p.image.Acquire(uint64(profile.Memory))
		if err != nil {
			t.Fatal(err)
		}
		if region.Size() != p.image.Memory() || region.Refused() {
			t.Errorf("after %s: a region of %d bytes, refused %t", name, region.Size(), region.Refused())
		}
		got := region.Reallocate(uint64(profile.Memory))
		if !bytes.Equal(got, want) {
			t.Errorf("after %s: %d pages are not as they were", name, differing(got, want))
		}
		region.Release()
	}
	t.Logf("%d programs changed %d pages", runs, written)
	if written < 100*runs {
		t.Error("they are not what this test needs")
	}
}

// differing counts the pages of a that are not those of b, which is as long or longer.
func differing(a, b []byte) int {
	const page = 4096
	n := 0
	for i := 0; i < len(a); i += page {
		if !bytes.Equal(a[i:i+page], b[i:i+page]) {
			n++
		}
	}
	return n
}

// TestARestoredInstanceIsAlwaysTheSame stops instances before their first
// instruction, after hostile and random programs: the memory but for its randomness,
// and every global but the fuel counter, must be those of the first instance.
func TestARestoredInstanceIsAlwaysTheSame(t *testing.T) {
	h, shared := pythonPlugin(t)
	p := bare(t, shared)
	profile := resetProfile()
	first := restored(t, h, p, profile)
	if len(first.globals) == 0 {
		t.Fatal("found no globals")
	}
	for name, r := range destructive(t, "corrupt_*.py", Amount(5, 20, 2000)) {
		run(t, h, p, profile, r, nil)
		got := restored(t, h, p, profile)
		for n, value := range first.globals {
			if got.globals[n] != value {
				t.Errorf("after %s: %s is %#x, was %#x", name, n, got.globals[n], value)
			}
		}
		if !bytes.Equal(got.memory, first.memory) {
			t.Errorf("after %s: %d pages are not as they were", name, differing(got.memory, first.memory))
		}
		if bytes.Equal(got.entropy, first.entropy) {
			t.Errorf("after %s: the same randomness again", name)
		}
	}
}

// stillness is an instance before its first instruction.
type stillness struct {
	memory  []byte // without entropy
	entropy []byte
	globals map[string]uint64
}

// restoredGlobals are what an image sets: as many of these as a module has.
var restoredGlobals = []string{
	"sandboxd:global:0", "sandboxd:global:1", "sandboxd:global:2", "sandboxd:global:3",
	"sandboxd:target:a", "sandboxd:target:b", "sandboxd:target:c", "sandboxd:target:slot",
}

func restored(t *testing.T, h *Host, p *plugin, profile *policies.Profile) stillness {
	t.Helper()
	nothing := *profile
	nothing.Fuel = 0
	s := stillness{globals: map[string]uint64{}}
	r := run(t, h, p, &nothing, &Request{Code: []byte("print(1)")}, func(in *instance) {
		for _, name := range restoredGlobals {
			if g := in.mod.ExportedGlobal(name); g != nil {
				s.globals[name] = g.Get()
			}
		}
		s.memory = bytes.Clone(in.region.Bytes())
		for _, e := range p.image.Target.Entropy {
			state := s.memory[e.Start : e.Start+e.Length]
			s.entropy = append(s.entropy, state...)
			clear(state)
		}
	})
	if r.Status != StatusOutOfFuel || r.Stdout != "" {
		t.Fatalf("an instance without fuel ended as %s: %+v", r.Status, r.Error)
	}
	return s
}
