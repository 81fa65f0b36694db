package host_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// spoilerLimits keep programs that take all they can get from taking long.
func spoilerLimits() policies.Overrides {
	fuel, memory, disk := uint64(250_000_000), policies.Bytes(32<<20), policies.Bytes(1<<20)
	return policies.Overrides{Fuel: &fuel, Memory: &memory, DiskQuota: &disk}
}

// TestRandomProgramsLeaveNoTrace runs programs that spoil whatever they reach of
// their interpreter, several at once. After each one another instance, in the memory
// that was the first one's, describes itself, down to the addresses of its objects:
// as an instance of a host that has run nothing else does, and with the same fuel.
func TestRandomProgramsLeaveNoTrace(t *testing.T) {
	probe := free(string(host.Isolation(t, "probe.py")), memory(32<<20))
	want := execute(t, open(t, host.Options{Policy: policy(t, testPolicy)}), probe)
	checkStatus(t, want, host.StatusOK, 0)
	if len(want.Stdout) < 10_000 || want.StdoutTruncated || want.Stderr != "" {
		t.Fatalf("the probe says too little: %q, %q", want.Stdout, want.Stderr)
	}
	h := open(t, host.Options{Policy: policy(t, testPolicy)})
	programs := host.Amount(4, 20, 1000)
	seeds := make(chan int)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for seed := range seeds {
				r := host.Spoiler(t, seed)
				r.Profile, r.Overrides = "free", spoilerLimits()
				spoilt, err := h.Execute(t.Context(), r)
				if err != nil || spoilt.Status == host.StatusInternal || spoilt.Status == host.StatusTimeout {
					t.Errorf("seed %d: %+v, %v", seed, spoilt, err)
					continue
				}
				got, err := h.Execute(t.Context(), probe)
				if err != nil {
					t.Errorf("the probe after seed %d: %v", seed, err)
					continue
				}
				if got.Status != host.StatusOK || got.Stderr != "" || got.Stdout != want.Stdout {
					t.Errorf("seed %d (%s) left traces: %s, %q, -undisturbed +after\n%s", seed, spoilt.Stdout, got.Status, got.Stderr, cmp.Diff(want.Stdout, got.Stdout))
				}
				if got.FuelConsumed != want.FuelConsumed || got.MemoryBytes != want.MemoryBytes {
					t.Errorf("after seed %d (%s) the probe took %d fuel and %d bytes, undisturbed %d and %d",
						seed, spoilt.Stdout, got.FuelConsumed, got.MemoryBytes, want.FuelConsumed, want.MemoryBytes)
				}
			}
		})
	}
	for seed := range programs {
		seeds <- seed
	}
	close(seeds)
	wg.Wait()
}
