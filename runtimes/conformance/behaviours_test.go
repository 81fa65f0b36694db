package conformance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/hostile"
	"github.com/sandboxd/sandboxd/internal/hostile/outcome"
	"github.com/sandboxd/sandboxd/policies"
)

// behaviour is one claim, with the names of the programs that it is checked with.
type behaviour struct {
	name     string
	programs []string
	check    func(*testing.T, *language)
}

// behaviours says of each program what it must do, in any language.
var behaviours = []behaviour{
	// Prints hi.
	{"greeting", []string{"hello"}, func(t *testing.T, l *language) {
		r := l.run(t, "hello")
		expect(t, r, host.StatusOK, 0, "hi\n")
		if r.Stderr != "" || r.Runtime != l.Name || r.MemoryBytes == 0 {
			t.Errorf("got %+v", r)
		}
	}},
	{"an empty program", nil, func(t *testing.T, l *language) {
		expect(t, l.run(t, "empty"), host.StatusOK, 0, "")
	}},
	// Writes oops to standard error.
	{"standard error", []string{"stderr"}, func(t *testing.T, l *language) {
		r := l.run(t, "stderr")
		expect(t, r, host.StatusOK, 0, "")
		if r.Stderr != "oops\n" {
			t.Errorf("stderr %q", r.Stderr)
		}
	}},
	// Prints before, and ends with exit code 7.
	{"an exit code", []string{"exit"}, func(t *testing.T, l *language) {
		r := l.run(t, "exit")
		expect(t, r, host.StatusError, 7, "before\n")
		if r.Error.Type != "exit" {
			t.Errorf("error %+v", r.Error)
		}
	}},
	// Prints before, and fails on line 3 with a message that has "as told", or "as_told".
	{"a failure", []string{"error"}, func(t *testing.T, l *language) {
		r := l.run(t, "error")
		expect(t, r, host.StatusError, r.ExitCode, "before\n")
		if !strings.Contains(strings.ReplaceAll(r.Stderr, "_", " "), "as told") {
			t.Errorf("stderr %q does not tell", r.Stderr)
		}
	}},
	{"error line", []string{"error"}, func(t *testing.T, l *language) {
		r := l.run(t, "error")
		expect(t, r, host.StatusError, 1, "before\n")
		if r.Error.Line != 3 || r.Error.Type == "" || !strings.Contains(r.Error.Message, "as told") {
			t.Errorf("error %+v", r.Error)
		}
	}},
	// Is broken on line 2.
	{"broken syntax", []string{"syntax"}, func(t *testing.T, l *language) {
		r := l.run(t, "syntax")
		if r.Status != host.StatusError || r.ExitCode == 0 || r.Stderr == "" {
			t.Errorf("got %+v", r)
		}
		if l.sections["no error line"] == "" && r.Error.Line != 2 {
			t.Errorf("error %+v", r.Error)
		}
	}},
	// Prints its arguments, one a line.
	{"arguments", []string{"arguments"}, func(t *testing.T, l *language) {
		r := l.request(t, "arguments")
		r.Args = []string{"a", "b c", "--flag", "-", "grüße", "'\"\\$"}
		expect(t, l.execute(t, r), host.StatusOK, 0, strings.Join(r.Args, "\n")+"\n")
	}},
	// Prints GREETING of its environment.
	{"environment", []string{"environment"}, func(t *testing.T, l *language) {
		r := l.request(t, "environment")
		r.Env = map[string]string{"GREETING": "grüße = world", "OTHER": ""}
		expect(t, l.execute(t, r), host.StatusOK, 0, "grüße = world\n")
	}},
	// Copies standard input to standard output.
	{"standard input", []string{"input"}, func(t *testing.T, l *language) {
		for _, text := range []string{"one\nzwei\n世界\n", strings.Repeat("a line of input\n", 20_000), ""} {
			r := l.request(t, "input")
			r.Stdin = strings.NewReader(text)
			expect(t, l.execute(t, r), host.StatusOK, 0, text)
		}
		expect(t, l.run(t, "input"), host.StatusOK, 0, "")
	}},
	// Prints how many bytes standard input has, and their sum.
	{"binary input", []string{"bytes"}, func(t *testing.T, l *language) {
		var all [256]byte
		for i := range all {
			all[i] = byte(i)
		}
		r := l.request(t, "bytes")
		r.Stdin = strings.NewReader(strings.Repeat(string(all[:]), 3))
		expect(t, l.execute(t, r), host.StatusOK, 0, "768 97920\n")
	}},
	// Prints what stands below.
	{"text beyond ASCII", []string{"unicode"}, func(t *testing.T, l *language) {
		expect(t, l.run(t, "unicode"), host.StatusOK, 0, "grüße, 世界 🎉\n")
	}},
	// Prints 10 000 lines of 99 x.
	{"much output", []string{"lines"}, func(t *testing.T, l *language) {
		r := l.run(t, "lines")
		expect(t, r, host.StatusOK, 0, manyLines)
		if r.StdoutTruncated {
			t.Error("it was truncated")
		}
	}},
	{"output is cut", []string{"lines"}, func(t *testing.T, l *language) {
		r := l.request(t, "lines")
		r.Overrides = stdout(1234)
		got := l.execute(t, r)
		expect(t, got, host.StatusOK, 0, manyLines[:1234])
		if !got.StdoutTruncated || got.StderrTruncated {
			t.Errorf("truncated: %t, %t", got.StdoutTruncated, got.StderrTruncated)
		}
	}},
	{"output stops the program", []string{"lines"}, func(t *testing.T, l *language) {
		r := l.request(t, "lines")
		r.Profile, r.Overrides = "stop", stdout(1234)
		expect(t, l.execute(t, r), host.StatusOutputLimit, 137, manyLines[:1234])
	}},
	// Prints first, and never ends.
	{"output comes before the end, and a canceled call ends", []string{"stream"}, func(t *testing.T, l *language) {
		canceledAt(t, l, "stream", "first\n")
	}},
	// Never ends.
	{"fuel", []string{"loop"}, func(t *testing.T, l *language) {
		r := l.request(t, "loop")
		budget := uint64(300_000_000)
		r.Overrides.Fuel = &budget
		got := l.execute(t, r)
		expect(t, got, host.StatusOutOfFuel, 137, "")
		if got.FuelConsumed != budget {
			t.Errorf("consumed %d of %d", got.FuelConsumed, budget)
		}
	}},
	{"time, busy", []string{"loop"}, func(t *testing.T, l *language) {
		r := l.request(t, "loop")
		r.Profile, r.Overrides = "endless", timeout(500*time.Millisecond) // it must have begun
		expect(t, l.execute(t, r), host.StatusTimeout, 124, "")
	}},
	// Prints asleep, and sleeps for a minute.
	{"time, asleep", []string{"sleep"}, func(t *testing.T, l *language) {
		r := l.request(t, "sleep")
		r.Overrides = timeout(500 * time.Millisecond)
		got := l.execute(t, r)
		if expect(t, got, host.StatusTimeout, 124, got.Stdout); got.FuelConsumed > got.FuelBudget/2 {
			t.Errorf("it took %d fuel to sleep", got.FuelConsumed)
		}
	}},
	{"a canceled call ends that is asleep", []string{"sleep"}, func(t *testing.T, l *language) {
		canceledAt(t, l, "sleep", "asleep\n")
	}},
	// Takes memory without end.
	{"memory", []string{"memory"}, func(t *testing.T, l *language) {
		r := l.request(t, "memory")
		limit := policies.Bytes(96 << 20)
		r.Overrides.Memory = &limit
		got := l.execute(t, r)
		expect(t, got, host.StatusOutOfMemory, 137, "")
		if got.MemoryBytes > uint64(limit) {
			t.Errorf("it had %d bytes", got.MemoryBytes)
		}
	}},
	// Copies /app/in.txt to out.txt, prints /app/out.txt, and deletes in.txt.
	{"files", []string{"files"}, func(t *testing.T, l *language) {
		r := l.request(t, "files")
		r.Workspace = t.TempDir()
		write(t, filepath.Join(r.Workspace, "in.txt"), "text\n")
		got := l.execute(t, r)
		expect(t, got, host.StatusOK, 0, "text\n")
		if len(got.FilesCreated) != 1 || got.FilesCreated[0].Path != "/app/out.txt" || got.FilesCreated[0].Size != 5 {
			t.Errorf("created %+v", got.FilesCreated)
		}
		if diff := cmp.Diff([]host.DeletedFile{{Path: "/app/in.txt"}}, got.FilesDeleted); diff != "" {
			t.Error(diff)
		}
	}},
	// The same program, in a workspace that calls share, as a session's do: files persist,
	// and a call that is refused leaves them as they were.
	{"a session's files", []string{"files"}, func(t *testing.T, l *language) {
		r := l.request(t, "files")
		r.Workspace, r.Session = t.TempDir(), "s"
		for _, text := range []string{"first\n", "second\n"} {
			write(t, filepath.Join(r.Workspace, "in.txt"), text)
			expect(t, l.execute(t, r), host.StatusOK, 0, text)
		}
		refused := r
		refused.Profile = "none such"
		write(t, filepath.Join(r.Workspace, "in.txt"), "third\n")
		if result, err := l.host.Execute(t.Context(), refused); err == nil || result != nil {
			t.Errorf("got %+v, %v", result, err)
		}
		for name, want := range map[string]string{"in.txt": "third\n", "out.txt": "second\n"} {
			if got, err := os.ReadFile(filepath.Join(r.Workspace, name)); err != nil || string(got) != want { //nolint:gosec // a test's own
				t.Errorf("%s is %q, %v; want %q", name, got, err, want)
			}
		}
	}},
	// keep gives a variable a value, and kept prints it: 42.
	{"a session's variables", []string{"keep", "kept"}, func(t *testing.T, l *language) {
		r := l.request(t, "keep")
		r.KeepState = true
		first := l.execute(t, r)
		expect(t, first, host.StatusOK, 0, "")
		if first.State == nil {
			t.Fatalf("no state: %s", first.StateError)
		}
		next := l.request(t, "kept")
		next.State = first.State
		for range 2 { // a state is not used up
			expect(t, l.execute(t, next), host.StatusOK, 0, "42\n")
		}
		damaged := next
		damaged.State = first.State[:len(first.State)-1]
		if result, err := l.host.Execute(t.Context(), damaged); !errors.Is(err, host.ErrState) || result != nil {
			t.Errorf("a damaged state: got %+v, %v", result, err)
		}
		if without := l.run(t, "kept"); without.Success {
			t.Errorf("another call printed %q", without.Stdout)
		}
	}},
	// Writes far more than it may.
	{"disk", []string{"disk"}, func(t *testing.T, l *language) {
		r := l.request(t, "disk")
		quota := policies.Bytes(250_000)
		r.Overrides.DiskQuota = &quota
		expect(t, l.execute(t, r), host.StatusDiskQuota, 137, "")
	}},
	// Prints no for each of /etc/passwd and ../../etc/passwd that cannot be read.
	{"files of the host", []string{"outside"}, func(t *testing.T, l *language) {
		expect(t, l.run(t, "outside"), host.StatusOK, 0, "no\nno\n")
	}},
	// Does some of everything that takes the same fuel every time.
	{"fuel is the same every time", []string{"work"}, func(t *testing.T, l *language) {
		want := l.run(t, "work")
		expect(t, want, host.StatusOK, 0, want.Stdout)
		for range 19 {
			if got := l.run(t, "work"); got.FuelConsumed != want.FuelConsumed || got.MemoryBytes != want.MemoryBytes || got.Stdout != want.Stdout {
				t.Fatalf("%d fuel, %d bytes, %q; before %d, %d, %q",
					got.FuelConsumed, got.MemoryBytes, got.Stdout, want.FuelConsumed, want.MemoryBytes, want.Stdout)
			}
		}
	}},
	// mark prints marked, and leaves marks in all that it can reach: globals, built-in
	// classes, the environment, files. look prints clean if it finds none.
	{"calls leave nothing to others", []string{"mark", "look"}, func(t *testing.T, l *language) {
		before := l.run(t, "look")
		expect(t, before, host.StatusOK, 0, "clean\n")
		for range 3 {
			expect(t, l.run(t, "mark"), host.StatusOK, 0, "marked\n")
			after := l.run(t, "look")
			expect(t, after, host.StatusOK, 0, "clean\n")
			if after.FuelConsumed != before.FuelConsumed || after.MemoryBytes != before.MemoryBytes {
				t.Errorf("%d fuel, %d bytes; before %d, %d", after.FuelConsumed, after.MemoryBytes, before.FuelConsumed, before.MemoryBytes)
			}
		}
	}},
	// Prints what it draws at random.
	{"randomness is fresh", []string{"random"}, func(t *testing.T, l *language) {
		seen := map[string]bool{}
		for range 3 {
			r := l.run(t, "random")
			expect(t, r, host.StatusOK, 0, r.Stdout)
			for number := range strings.FieldsSeq(r.Stdout) {
				if seen[number] {
					t.Errorf("%s was drawn twice", number)
				}
				seen[number] = true
			}
		}
	}},
	// Prints the time in seconds since 1970. Languages that count days in fractions may
	// be a second behind.
	{"time is fresh", []string{"clock"}, func(t *testing.T, l *language) {
		before := time.Now().Unix()
		r := l.run(t, "clock")
		after := time.Now().Unix()
		expect(t, r, host.StatusOK, 0, r.Stdout)
		if now, err := strconv.ParseInt(strings.TrimSpace(r.Stdout), 10, 64); err != nil || now < before-1 || now > after {
			t.Errorf("it is %q between %d and %d", r.Stdout, before, after)
		}
	}},
	// Guests of the hostile corpus: testdata/hostile has those that only this suite runs;
	// those of host/testdata/hostile run with the tests of the host.
	{"hostile programs", nil, attack},
}

// attack runs the corpus's guests in the language, each on its stage.
func attack(t *testing.T, l *language) {
	names, err := hostile.Names("testdata/hostile", func(extension string) bool { return slices.Contains(l.Extensions, extension) })
	if err != nil {
		t.Fatal(err)
	}
	more, err := hostile.Names("../../host/testdata/hostile", func(extension string) bool { return slices.Contains(l.Extensions, extension) })
	if err != nil {
		t.Fatal(err)
	}
	if len(names)+len(more) == 0 {
		t.Errorf("there are no guests in this language")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			g, err := hostile.Read(name, l.Version)
			if err != nil {
				t.Fatal(err)
			}
			y, err := hostile.NewYard(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			before, err := y.Sealed()
			if err != nil {
				t.Fatal(err)
			}
			r := l.execute(t, host.Request{
				Language: l.Name, Code: g.Code, Filename: g.Name, Profile: g.Profile, Overrides: g.Overrides,
				Workspace: y.Workspace, Mounts: y.Mounts,
			})
			if after, err := y.Sealed(); err != nil || !cmp.Equal(before, after) {
				t.Errorf("changed what it must not (%v, -before +after):\n%s", err, cmp.Diff(before, after))
			}
			if err := g.Check(outcome.Of(r)); err != nil {
				t.Errorf("%v; stderr %.500q, error %+v", err, r.Stderr, r.Error)
			}
		})
	}
}

var manyLines = strings.Repeat(strings.Repeat("x", 99)+"\n", 10_000)

func timeout(d time.Duration) policies.Overrides {
	limit := policies.Duration(d)
	return policies.Overrides{Timeout: &limit}
}

func stdout(n policies.Bytes) policies.Overrides { return policies.Overrides{Stdout: &n} }

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// canceledAt runs a program that does not end, and cancels it when it has printed
// something.
func canceledAt(t *testing.T, l *language, program, printed string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := l.request(t, program)
	r.Profile = "endless"
	var said strings.Builder
	r.Stdout = writer(func(p []byte) {
		said.Write(p)
		if said.String() == printed {
			cancel()
		}
	})
	got, err := l.host.Execute(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, host.StatusCanceled, 130, printed)
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }
