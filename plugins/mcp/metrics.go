package mcp

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/host"
)

// kept is how many of a tool's last calls the percentiles are of.
const kept = 1000

// metrics count what one client did. They are safe for concurrent use.
type metrics struct {
	mu    sync.Mutex
	tools map[string]*toolMetrics
	runs  runMetrics
}

type toolMetrics struct {
	calls, errors int
	total         time.Duration
	last          []time.Duration // at most kept, as a ring
}

type runMetrics struct {
	Executions      int     `json:"executions"`
	Failed          int     `json:"failed"`
	FuelConsumed    uint64  `json:"fuel_consumed"`
	DurationSeconds float64 `json:"duration_seconds"`
	PeakMemoryBytes uint64  `json:"peak_memory_bytes"`
}

func (m *metrics) called(tool string, took time.Duration, failed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tools == nil {
		m.tools = map[string]*toolMetrics{}
	}
	t := m.tools[tool]
	if t == nil {
		t = &toolMetrics{}
		m.tools[tool] = t
	}
	if len(t.last) < kept {
		t.last = append(t.last, took)
	} else {
		t.last[t.calls%kept] = took
	}
	t.calls++
	t.total += took
	if failed {
		t.errors++
	}
}

func (m *metrics) executed(r *host.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs.Executions++
	if !r.Success {
		m.runs.Failed++
	}
	m.runs.FuelConsumed += r.FuelConsumed
	m.runs.DurationSeconds += r.DurationSeconds
	m.runs.PeakMemoryBytes = max(m.runs.PeakMemoryBytes, r.MemoryBytes)
}

type toolUse struct {
	Calls   int     `json:"calls"`
	Errors  int     `json:"errors"`
	Average float64 `json:"average_ms"`
	P50     float64 `json:"p50_ms"`
	P95     float64 `json:"p95_ms"`
	P99     float64 `json:"p99_ms"`
}

type usage struct {
	Tools    map[string]toolUse `json:"tools" jsonschema:"your calls, by tool; percentiles are of the last 1000"`
	Runs     runMetrics         `json:"executions" jsonschema:"your programs"`
	Sessions int                `json:"sessions"`
	Running  []string           `json:"running" jsonschema:"your executions under way"`
}

func (c *client) getMetrics(ctx context.Context, _ *sdk.CallToolRequest, _ empty) (reply[usage], error) {
	sessions, err := c.service.Sessions(ctx, c.caller)
	if err != nil {
		return reply[usage]{}, err
	}
	u := usage{Tools: map[string]toolUse{}, Sessions: len(sessions), Running: c.underWay("")}
	c.metrics.mu.Lock()
	defer c.metrics.mu.Unlock()
	u.Runs = c.metrics.runs
	calls := 0
	for name, t := range c.metrics.tools {
		calls += t.calls
		last := slices.Sorted(slices.Values(t.last))
		at := func(percent int) float64 { return milliseconds(last[min(len(last)*percent/100, len(last)-1)]) }
		u.Tools[name] = toolUse{t.calls, t.errors, milliseconds(t.total) / float64(t.calls), at(50), at(95), at(99)}
	}
	text := fmt.Sprintf("%d calls, %d programs (%d failed), %d instructions, %d sessions, %d programs under way.",
		calls, u.Runs.Executions, u.Runs.Failed, u.Runs.FuelConsumed, u.Sessions, len(u.Running))
	return reply[usage]{out: u, text: text}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
