package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/internal/workloads"
)

// TestMain lets the test binary play a driver; see worker_test.go.
func TestMain(m *testing.M) {
	if mode := os.Getenv("BENCH_FAKE_DRIVER"); mode != "" {
		os.Exit(fakeDriver(mode))
	}
	os.Exit(m.Run())
}

func names[T any](items []T, name func(T) string) string {
	var all []string
	for _, item := range items {
		all = append(all, name(item))
	}
	return strings.Join(all, " ")
}

func TestArgumentsChooseDoorsAndPrograms(t *testing.T) {
	everyDoor := names(peers(), func(p peer) string { return p.name })
	everyProgram := names(workloads.Python(), func(w workloads.Workload) string { return w.Name })
	tests := []struct {
		name, args      string
		doors, programs string
		wantErr         string
	}{
		{"all by default", "", everyDoor, everyProgram, ""},
		{"a quick run has fewer programs", "--quick", everyDoor, "fib dict json", ""},
		{"named programs win over a quick run's", "--quick --programs sort", everyDoor, "sort", ""},
		{"no programs", "--programs none", everyDoor, "", ""},
		{"doors in their own order", "--only native,wazero", "wazero native", everyProgram, ""},
		{"an unknown door", "--only wazer", "", "", `no door is named "wazer": there are in-process, cli,`},
		{"an unknown program", "--programs fob", "", "", `no program is named "fob": there are fib, loop,`},
		{"an argument", "quick", "", "", `unexpected argument "quick"`},
		{"an unknown flag", "--fast", "", "", "flag provided but not defined: -fast"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := parse(strings.Fields(tt.args), io.Discard)
			if tt.wantErr != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.wantErr) {
					t.Fatalf("got %v, want %s", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := names(o.doors, func(p peer) string { return p.name }); got != tt.doors {
				t.Errorf("doors %q, want %q", got, tt.doors)
			}
			if got := names(o.programs, func(w workloads.Workload) string { return w.Name }); got != tt.programs {
				t.Errorf("programs %q, want %q", got, tt.programs)
			}
		})
	}
}

func TestEveryPeerIsMeasured(t *testing.T) {
	for _, p := range peers() {
		if p.about == "" || p.open == nil || p.hello.quick < 1 || p.hello.full < p.hello.quick {
			t.Errorf("%s: %+v", p.name, p)
		}
	}
}

func TestBothSidesOfAPriceAreDoors(t *testing.T) {
	known := strings.Fields(names(peers(), func(p peer) string { return p.name }))
	if !slices.Contains(known, product) {
		t.Errorf("%s is no door", product)
	}
	for _, c := range costs {
		if !slices.Contains(known, c.door) || !slices.Contains(known, c.base) {
			t.Errorf("%+v names what is no door", c)
		}
	}
}

func TestTheDocumentNamesEveryDoorAndVersion(t *testing.T) {
	data, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, p := range peers() {
		if !strings.Contains(text, "`"+p.name+"`") {
			t.Errorf("docs/benchmarks.md does not explain the door %s", p.name)
		}
	}
	for _, w := range workloads.Python() {
		if !strings.Contains(text, "`"+w.Name+"`") {
			t.Errorf("docs/benchmarks.md does not explain the program %s", w.Name)
		}
	}
	for _, version := range []string{pyodideVersion, referenceVersion, eryxVersion, quickJSVersion} {
		if !strings.Contains(text, version) {
			t.Errorf("docs/benchmarks.md does not name version %s", version)
		}
	}
}

// turns makes a series with one run in each turn, in milliseconds.
func turns(times ...int) measure.Series {
	var s measure.Series
	for _, v := range times {
		s.Turns = append(s.Turns, []measure.Observation{{Elapsed: millis(v)}})
	}
	return s
}

func TestRatiosLeadFromHelloToPrices(t *testing.T) {
	programs, err := choose("program", workloads.Python(), func(w workloads.Workload) string { return w.Name }, []string{"fib", "json"})
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]measure.Series{
		"python/hello/in-process":    turns(1, 1),
		"python/hello/wazero":        turns(40, 60),
		"python/fib/in-process":      turns(100),
		"python/fib/wazero":          turns(200),
		"python/fib/wazero-metered":  turns(220),
		"python/json/in-process":     turns(100),
		"python/json/wazero":         turns(800),
		"python/json/wazero-metered": turns(880),
		"python/json/native":         {}, // failed before its first turn
	}
	var doors []openDoor
	for _, p := range peers() {
		doors = append(doors, openDoor{peer: p})
	}
	var got bytes.Buffer
	r := measure.Report{Ratios: ratios(series, doors, programs)}
	if err := r.WriteTable(&got); err != nil {
		t.Fatal(err)
	}
	const want = `

RATIO  BEST  LOW   HIGH  OF                          TO
40.0   40.0  40.0  60.0  python/hello/wazero         python/hello/in-process
4.00   4.00  2.00  8.00  python/cpu/wazero           python/cpu/in-process
4.40   4.40  2.20  8.80  python/cpu/wazero-metered   python/cpu/in-process
1.10   1.10  1.10  1.10  python/cpu/wazero-metered   python/cpu/wazero
1.10   1.10  1.10  1.10  python/fib/wazero-metered   python/fib/wazero
1.10   1.10  1.10  1.10  python/json/wazero-metered  python/json/wazero
`
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestChartsShowWhatIsMissing(t *testing.T) {
	programs := workloads.Python()[:1]
	r := &measure.Report{
		Peers: []measure.Peer{
			{Door: "in-process"}, {Door: "cli"}, {Door: "native", Unavailable: "no python3"}, {Door: "wazero"},
		},
		Rows: []measure.Row{
			{Name: "python/hello/in-process", P50: 0.5, PrivateKB: 700},
			{Name: "python/hello/cli", Error: "broken"},
			{Name: "python/hello/wazero", P50: 40, PrivateKB: 9216},
			{Name: "python/fib/in-process", P50: 150},
			{Name: "python/fib/wazero", P50: 15_000},
		},
	}
	got := charts(r, programs)
	if len(got) != 3 {
		t.Fatalf("%d charts", len(got))
	}
	start, cpu, memory := got[0], got[1], got[2]
	wantStart := []measure.Bar{
		{Label: "in-process", Value: 0.5, Accent: true},
		{Label: "cli", Text: "failed"},
		{Label: "native", Text: "not available"},
		{Label: "wazero", Value: 40},
	}
	if !slices.Equal(start.Bars, wantStart) {
		t.Errorf("start: %+v", start.Bars)
	}
	if len(cpu.Bars) != 2 || !cpu.Log {
		t.Errorf("cpu: %+v", cpu)
	}
	if len(memory.Bars) != 2 || memory.Bars[1].Value != 9 {
		t.Errorf("memory: %+v", memory)
	}
	if got := charts(&measure.Report{}, programs); len(got) != 0 {
		t.Errorf("charts of nothing: %+v", got)
	}
}

func TestLastLinesAreOneLine(t *testing.T) {
	if got := lastLines("a\n\nb\n  c \n\n", 2); got != "b; c" {
		t.Errorf("got %q", got)
	}
	if got := lastLines("", 2); got != "" {
		t.Errorf("got %q", got)
	}
}
