package mcp_test

import (
	"runtime"
	"testing"

	"github.com/sandboxd/sandboxd/plugins/mcp"
)

// What a call leaves behind does not grow with the number of calls.
func TestMemoryStaysFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of calls")
	}
	for name, anonymous := range map[string]bool{"without connections": false, "in one connection": true} {
		t.Run(name, func(t *testing.T) {
			s, _ := serve(t, mcp.Options{Rate: 1e6, Burst: 1e6})
			token := "ada"
			if anonymous {
				token = ""
			}
			c := dial(t, over(t, s, anonymous).URL, token)
			calls := func(n int) uint64 {
				for range n {
					call(t, c, "execute_code", map[string]any{"code": "x"})
				}
				runtime.GC()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			before := calls(1100) // the percentiles of 1000 calls, and the streams that are kept
			after := calls(1500)
			if grown := int64(after) - int64(before); grown > 300_000 { //nolint:gosec // sizes
				t.Errorf("1500 calls left %d bytes behind", grown)
			}
		})
	}
}
