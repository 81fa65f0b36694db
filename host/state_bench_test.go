package host_test

import (
	"testing"

	"github.com/sandboxd/sandboxd/host"
)

// BenchmarkState measures a call that goes on from a state and keeps one against a
// call without: of a session with little in it, one with a megabyte of objects, and one
// with a megabyte that does not compress.
func BenchmarkState(b *testing.B) {
	hello := python(`print("hi")`)
	call := func(b *testing.B, r host.Request) *host.Result {
		result := execute(b, shared(b), r)
		if result.Status != host.StatusOK || result.StateError != "" {
			b.Fatalf("%s, %q, %s", result.Status, result.StateError, result.Stderr)
		}
		return result
	}
	call(b, hello)
	b.Run("none", func(b *testing.B) {
		for b.Loop() {
			call(b, hello)
		}
	})
	for _, tt := range []struct{ name, code string }{
		{"little", "x = [1, 2, 3]\ndef f(n): return n"},
		{"objects", "x = [f'row {n}' for n in range(9_000)]"},
		{"noise", "import os\nx = os.urandom(1 << 20)"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			first := python(tt.code)
			first.KeepState = true
			next := hello
			next.State, next.KeepState = call(b, first).State, true
			b.ResetTimer()
			for b.Loop() {
				call(b, next)
			}
			b.ReportMetric(float64(len(next.State)), "state-bytes")
		})
	}
}
