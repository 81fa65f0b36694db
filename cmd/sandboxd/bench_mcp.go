package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// mcpBench is what "bench mcp" measures, and prints.
type mcpBench struct {
	InProcessP50 float64 `json:"in_process_p50_ms"`
	StdioP50     float64 `json:"stdio_p50_ms"`
	StdioP99     float64 `json:"stdio_p99_ms"`
	StdioMore    float64 `json:"stdio_more_p50_ms"`

	HTTPClients  int     `json:"http_clients"`
	HTTPSeconds  float64 `json:"http_seconds"`
	HTTPPerS     float64 `json:"http_calls_per_second"`
	HTTPP50      float64 `json:"http_p50_ms"`
	HTTPP99      float64 `json:"http_p99_ms"`
	HTTPFailures int     `json:"http_failures"`
	// Memory of the server's process when a tenth of the time had passed, and at the
	// end, where the system tells.
	MemoryBefore int64 `json:"memory_before_bytes,omitempty"`
	MemoryAfter  int64 `json:"memory_after_bytes,omitempty"`
}

// benchHi is the program that "bench mcp" runs.
const benchHi = `print("hi")`

func (a *app) benchMCPCommand() *cobra.Command {
	clients, calls, asJSON := 50, 300, false
	length := policies.Duration(10 * time.Second)
	given := (*policies.Duration)(nil)
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Measure what agents' calls cost",
		Long: `Measure execute_code of print("hi"): over standard input and output against a call in
process, and by many clients at once over HTTP, for --duration. Servers are processes of
their own; clients share the machine with them.`,
		Example: "  sandboxd bench mcp\n  sandboxd bench mcp --duration 10m --json",
		Args:    atMost(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if given != nil {
				length = *given
			}
			return a.benchMCP(cmd.Context(), clients, calls, time.Duration(length), asJSON)
		},
	}
	cmd.Flags().IntVar(&clients, "clients", clients, "so many `clients` over HTTP")
	cmd.Flags().IntVar(&calls, "calls", calls, "so many `calls` over standard input and output")
	cmd.Flags().Var(optional[policies.Duration]{&given, policies.ParseDuration, "duration"}, "duration", "how long clients call over HTTP; default: 10s")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) benchMCP(ctx context.Context, clients, calls int, length time.Duration, asJSON bool) (err error) {
	if clients < 1 || calls < 1 {
		return errors.New("--clients and --calls must be at least 1")
	}
	dir, err := os.MkdirTemp("", "sandboxd-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := mcpBench{HTTPClients: clients, HTTPSeconds: length.Seconds()}
	if err := a.benchStdio(ctx, dir, calls, &b); err != nil {
		return err
	}
	if err := a.benchHTTP(ctx, dir, length, &b); err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(b)
	}
	return a.printTable([][]string{
		{"WHAT", "VALUE"},
		{"in process, p50", fmt.Sprintf("%.2f ms", b.InProcessP50)},
		{"stdio, p50", fmt.Sprintf("%.2f ms (%+.2f ms)", b.StdioP50, b.StdioMore)},
		{"stdio, p99", fmt.Sprintf("%.2f ms", b.StdioP99)},
		{fmt.Sprintf("HTTP, %d clients", clients), fmt.Sprintf("%.0f calls/s, %d failures", b.HTTPPerS, b.HTTPFailures)},
		{"HTTP, p50", fmt.Sprintf("%.2f ms", b.HTTPP50)},
		{"HTTP, p99", fmt.Sprintf("%.2f ms", b.HTTPP99)},
		{"server's memory", fmt.Sprintf("%d MB, then %d MB", b.MemoryBefore/1_000_000, b.MemoryAfter/1_000_000)},
	})
}

// agentsCommand is a server to measure.
func (a *app) agentsCommand(ctx context.Context, dir string, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cache, err := a.cache()
	if err != nil {
		return nil, err
	}
	args = append([]string{"mcp", "--runtime", "python", "--cache-dir", cache, "--data-dir", dir, "--rate", "1000000", "--concurrent", "64"}, args...)
	return exec.CommandContext(ctx, self, args...), nil //nolint:gosec // this program itself
}

// benchStdio alternates calls in process and over standard input and output, so that
// both meet the same machine.
func (a *app) benchStdio(ctx context.Context, dir string, calls int, b *mcpBench) (err error) {
	policy, err := a.policy()
	if err != nil {
		return err
	}
	h, err := a.openWith(ctx, host.Options{Policy: policy})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	cmd, err := a.agentsCommand(ctx, dir)
	if err != nil {
		return err
	}
	c, err := sdk.NewClient(&sdk.Implementation{Name: "bench", Version: "1"}, nil).Connect(ctx, &sdk.CommandTransport{Command: cmd}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var here, there []time.Duration
	warm := 20
	for i := range warm + calls {
		began := time.Now()
		if r, err := h.Execute(ctx, host.Request{Language: "python", Code: []byte(benchHi)}); err != nil || !r.Success {
			return errors.Join(err, errors.New("the program failed"))
		}
		inside := time.Since(began)
		outside, err := callHi(ctx, c)
		if err != nil {
			return err
		}
		if i >= warm {
			here, there = append(here, inside), append(there, outside)
		}
	}
	b.InProcessP50 = percentile(here, 50)
	b.StdioP50, b.StdioP99 = percentile(there, 50), percentile(there, 99)
	b.StdioMore = b.StdioP50 - b.InProcessP50
	return nil
}

// callHi calls execute_code and tells how long that took.
func callHi(ctx context.Context, c *sdk.ClientSession) (time.Duration, error) {
	began := time.Now()
	r, err := c.CallTool(ctx, &sdk.CallToolParams{Name: "execute_code", Arguments: map[string]any{"code": benchHi}})
	if err == nil && r.IsError {
		err = errors.New("the program failed")
	}
	return time.Since(began), err
}

// withToken adds a bearer token to requests.
type withToken struct {
	http.RoundTripper

	token string
}

func (w withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+w.token)
	return w.RoundTripper.RoundTrip(r)
}

// benchHTTP lets many clients call at once.
func (a *app) benchHTTP(ctx context.Context, dir string, length time.Duration, b *mcpBench) (err error) {
	cmd, err := a.agentsCommand(ctx, dir, "--http", "127.0.0.1:0")
	if err != nil {
		return err
	}
	token := rand.Text()
	cmd.Env = append(cmd.Environ(), tokenVariable+"="+token)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	}()
	said := bufio.NewReader(stderr)
	line, err := said.ReadString('\n')
	at := strings.Index(line, "http://")
	if at < 0 {
		return fmt.Errorf("start a server: %w: %s", err, line)
	}
	url := strings.TrimSpace(line[at:])
	go func() { _, _ = said.WriteTo(discard{}) }()

	web := &http.Client{Transport: withToken{&http.Transport{MaxIdleConnsPerHost: 2 * b.HTTPClients}, token}}
	sessions := make([]*sdk.ClientSession, b.HTTPClients)
	for i := range sessions {
		sessions[i], err = sdk.NewClient(&sdk.Implementation{Name: "bench", Version: "1"}, nil).
			Connect(ctx, &sdk.StreamableClientTransport{Endpoint: url, HTTPClient: web, DisableStandaloneSSE: true}, nil)
		if err != nil {
			return err
		}
		defer func() { _ = sessions[i].Close() }()
		if _, err := callHi(ctx, sessions[i]); err != nil {
			return err
		}
	}
	return a.manyCalls(ctx, sessions, length, cmd.Process.Pid, b)
}

// mostTimes is how many times are kept of one client.
const mostTimes = 100_000

func (a *app) manyCalls(ctx context.Context, sessions []*sdk.ClientSession, length time.Duration, pid int, b *mcpBench) error {
	var failures atomic.Int64
	times := make([][]time.Duration, len(sessions))
	counts := make([]int, len(sessions))
	began := time.Now()
	var all sync.WaitGroup
	for i, c := range sessions {
		all.Go(func() {
			for time.Since(began) < length && ctx.Err() == nil {
				took, err := callHi(ctx, c)
				if err != nil {
					failures.Add(1)
				}
				counts[i]++
				if len(times[i]) < mostTimes {
					times[i] = append(times[i], took)
				}
			}
		})
	}
	early := time.AfterFunc(length/10, func() { atomic.StoreInt64(&b.MemoryBefore, residentOf(pid)) })
	defer early.Stop()
	all.Wait()
	took := time.Since(began)
	b.MemoryAfter = residentOf(pid)
	calls := 0
	for _, n := range counts {
		calls += n
	}
	together := slices.Concat(times...)
	b.HTTPPerS = float64(calls) / took.Seconds()
	b.HTTPP50, b.HTTPP99 = percentile(together, 50), percentile(together, 99)
	b.HTTPFailures = int(failures.Load())
	return ctx.Err()
}

// percentile is in milliseconds. It sorts times.
func percentile(times []time.Duration, percent int) float64 {
	slices.Sort(times)
	return float64(times[min(len(times)*percent/100, len(times)-1)]) / float64(time.Millisecond)
}

// residentOf is the memory of a process that is resident, and 0 where the system does
// not tell.
func residentOf(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(string(line), "VmRSS: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}
