// Package benchtest runs what "sandboxd bench" measures: that it measures, not how
// fast anything is. The tests are apart from those of the command because they take as
// long as half of them.
package benchtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/internal/delivered"
	"github.com/sandboxd/sandboxd/internal/measure"
)

// binary is sandboxd, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(delivered.Main(m, &binary)) }

// bench runs "sandboxd bench" with a data directory of its own.
func bench(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	if testing.Short() {
		t.Skip("measures for a minute or two")
	}
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"bench"}, args...)...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "SANDBOXD_CONFIG=", "SANDBOXD_DATA_DIR="+t.TempDir())
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// reported runs a bench and decodes its report.
func reported(t *testing.T, args ...string) (r measure.Report) {
	t.Helper()
	stdout, stderr, code := bench(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 0 || len(r.Rows) == 0 || len(r.Targets) == 0 {
		t.Fatalf("exit code %d, %v, %q, %s", code, err, stdout, stderr)
	}
	return r
}

func TestHello(t *testing.T) {
	r := reported(t, "--quick", "--only", "hello")
	first := r.Rows[0]
	if first.Name != "python/hello/in-process" || first.P50 <= 0 || first.P99 < first.P50 || first.PerSecond <= 0 || first.Fuel == 0 {
		t.Errorf("the first row is %+v", first)
	}
	if runtime.GOOS == "linux" && first.PrivateKB == 0 {
		t.Error("no private memory was measured")
	}
	if r.Targets[0].Limit != 0.6 {
		t.Errorf("the first target is %+v", r.Targets[0])
	}
}

func TestTables(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		stdout string
		stderr string
	}{
		{[]string{"--quick", "--only", "fib"}, `(?m)^ROW +P50 ms(.|\n)*^python/fib/in-process `, ""},
		{[]string{"packages", "--quick"}, `(?m)^library/sandbox_utils `, "sandboxd: no packages are installed: sandboxd packages add --all\n"},
	} {
		stdout, stderr, code := bench(t, tt.args...)
		if code != 0 || !regexp.MustCompile(tt.stdout).MatchString(stdout) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%v: exit code %d\n%s\n%s", tt.args, code, stdout, stderr)
		}
	}
}

func TestPlugin(t *testing.T) {
	r := reported(t, "plugin", "--quick")
	if r.Rows[1].Name != "python/hello/plugin" || r.Rows[1].P50 <= 0 || r.Targets[0].Limit != 0.5 || r.Targets[2].Name != "python/tool/plugin p50" {
		t.Errorf("got %+v", r)
	}
}

func TestPackages(t *testing.T) {
	r := reported(t, "packages", "--quick")
	if r.Rows[0].Name != "library/sandbox_utils" || r.Rows[1].Fuel == 0 || r.Targets[1].Limit != 300 {
		t.Errorf("got %+v", r)
	}
}

func TestSessions(t *testing.T) {
	stdout, stderr, code := bench(t, "sessions", "--quick", "--json")
	var r struct {
		Figures []struct {
			Name  string  `json:"name"`
			Value float64 `json:"value"`
			Limit float64 `json:"limit"`
		} `json:"figures"`
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 0 || len(r.Figures) == 0 || r.Figures[0].Limit != 200 {
		t.Fatalf("exit code %d, %v, %q, %s", code, err, stdout, stderr)
	}
	for _, f := range r.Figures {
		// What is left of one time after another was taken away may be anything on a busy
		// machine.
		difference := strings.Contains(f.Name, "more")
		if f.Value == 0 || f.Value < 0 && !difference {
			t.Errorf("%s was not measured: %v", f.Name, f.Value)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		stderr string
	}{
		{[]string{"--only", "fibb"}, `no workload is named "fibb": there are hello, fib,`},
		{[]string{"hello"}, "too many arguments"},
		{[]string{"packages", "jinja2"}, "too many arguments"},
	} {
		if _, stderr, code := bench(t, tt.args...); code != 125 || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%v: exit code %d, %s", tt.args, code, stderr)
		}
	}
}
