package host_test

import (
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// TestCallsWithManyLimitsLeaveNothingBehind gives every call a memory limit of its
// own, as callers may who are allowed to lower it.
func TestCallsWithManyLimitsLeaveNothingBehind(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	h := open(t, host.Options{Policy: policy(t, testPolicy)})
	next := policies.Bytes(24 << 20)
	batch := func(calls int) {
		for range calls {
			next += 64 << 10
			checkStatus(t, execute(t, h, free("x = bytearray(1 << 20)", memory(next))), host.StatusOK, 0)
		}
	}
	const calls = 150
	batch(50)
	before := takeFootprint(t, temp)
	batch(calls)
	allowed := before.stock
	allowed.mappings += calls / 4 // threads and Go's heap have some, a region has two
	after := footprintWithin(t, temp, allowed)
	t.Logf("before: %v", before)
	t.Logf("after:  %v", after)
	if !after.within(allowed) || after.resident-before.resident > maxGrowth {
		t.Error("memory of limits that nobody asks for any more is kept")
	}
}
