package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
)

// sandboxd runs the command line from dir and returns its output and exit code.
func sandboxd(t *testing.T, dir, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sandboxd", args...)
	cmd.Dir = dir
	cmd.Env = childEnv(t)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// example reads a file of the examples.
func example(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{repository(t), "examples"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// printed is the text block of an example's README that shows its output.
func printed(t *testing.T, name string) string {
	t.Helper()
	_, rest, found := strings.Cut(example(t, name, "README.md"), "```text\n")
	block, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("examples/%s/README.md shows no output", name)
	}
	return block
}

func TestSalesReport(t *testing.T) {
	prepare(t)
	dir := filepath.Join(repository(t), "examples", "sales-report")
	work := t.TempDir()
	stdout, stderr, code := sandboxd(t, dir, "", "run", "--mount", "data:/data", "--workspace", work, "report.py")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, standard error %q", code, stderr)
	}
	if diff := cmp.Diff(printed(t, "sales-report"), stdout); diff != "" {
		t.Errorf("the README shows something else:\n%s", diff)
	}
	data, err := os.ReadFile(filepath.Join(work, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Orders int
		Total  string
	}
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if report.Orders != strings.Count(example(t, "sales-report", "data", "sales.csv"), "\n")-1 {
		t.Errorf("the report counts %d orders", report.Orders)
	}
	total, cents, _ := strings.Cut(report.Total, ".")
	n, err := strconv.ParseUint(total, 10, 64)
	if err != nil {
		t.Fatalf("total %q: %v", report.Total, err)
	}
	if want := strings.ReplaceAll(grouped(n), "_", ",") + "." + cents; !strings.Contains(stdout, want) {
		t.Errorf("report.json has a total of %s, which the table does not", want)
	}
}

func TestLogAnalysis(t *testing.T) {
	prepare(t)
	dir := filepath.Join(repository(t), "examples", "log-analysis")
	stdout, stderr, code := sandboxd(t, dir, example(t, "log-analysis", "access.log"), "run", "analyze.py")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, standard error %q", code, stderr)
	}
	if diff := cmp.Diff(printed(t, "log-analysis"), stdout); diff != "" {
		t.Errorf("the README shows something else:\n%s", diff)
	}
	_, stderr, code = sandboxd(t, dir, "not a log\n", "run", "analyze.py")
	if code != 1 || !strings.Contains(stderr, "no line of the input") {
		t.Errorf("on another input: exit code %d, standard error %q", code, stderr)
	}
}

// TestExampleData checks that the data is what its generator writes, inside the
// sandbox, on any machine.
func TestExampleData(t *testing.T) {
	if testing.Short() {
		t.Skip("the programs are checked without -short")
	}
	prepare(t)
	for _, tt := range []struct{ name, data string }{
		{"sales-report", "data/sales.csv"},
		{"log-analysis", "access.log"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			work := t.TempDir()
			dir := filepath.Join(repository(t), "examples", tt.name)
			if _, stderr, code := sandboxd(t, dir, "", "run", "--profile", "relaxed", "--workspace", work, "generate.py"); code != 0 {
				t.Fatalf("exit code %d, standard error %q", code, stderr)
			}
			got, err := os.ReadFile(filepath.Join(work, filepath.Base(tt.data)))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != example(t, tt.name, filepath.FromSlash(tt.data)) {
				t.Error("the generator writes something else than is committed")
			}
		})
	}
}

// TestLimits runs every program of examples/limits and checks what the table in
// its README says of it.
func TestLimits(t *testing.T) {
	prepare(t)
	dir := filepath.Join(repository(t), "examples", "limits")
	rows := limitRows(t)
	programs, err := filepath.Glob(filepath.Join(dir, "*.py"))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(programs) {
		t.Errorf("the table has %d programs, the folder %d", len(rows), len(programs))
	}
	for _, row := range rows {
		t.Run(row.program, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := sandboxd(t, dir, "", append([]string{"run", "--json"}, append(row.flags, row.program)...)...)
			var result host.Result
			if err := json.Unmarshal([]byte(stdout), &result); err != nil {
				t.Fatalf("%v: %q, standard error %q", err, stdout, stderr)
			}
			kind := "none"
			if result.Error != nil {
				kind = result.Error.Type
			}
			got := limitRow{row.program, row.flags, string(result.Status), code, kind}
			if diff := cmp.Diff(row, got, cmp.AllowUnexported(limitRow{})); diff != "" {
				t.Errorf("%s\n%s", diff, stdout)
			}
		})
	}
}

// limitRow is a row of the table in examples/limits/README.md.
type limitRow struct {
	program string
	flags   []string
	status  string
	code    int
	kind    string // error.type
}

// limitRows reads rows such as
//
//	| `fuel.py` | `--fuel 100M` | what it tries | `out_of_fuel` | 137 | `out_of_fuel` |
func limitRows(t *testing.T) []limitRow {
	t.Helper()
	var rows []limitRow
	for line := range strings.Lines(example(t, "limits", "README.md")) {
		cells := strings.Split(line, "|")
		if len(cells) != 8 || !strings.Contains(cells[1], ".py") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `\n")
		}
		code, err := strconv.Atoi(cells[5])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		rows = append(rows, limitRow{cells[1], strings.Fields(cells[2]), cells[4], code, cells[6]})
	}
	return rows
}
