package daemontest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// ran is what a command line did.
type ran struct {
	stdout, stderr string
	code           int
}

// command runs sandboxd in dir.
func command(t *testing.T, dir, stdin string, args ...string) ran {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir, cmd.Env = dir, environment(dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if stdin != "" {
		file, err := os.Open(filepath.Join(dir, stdin))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd.Stdin = file
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// executions is how many programs the daemon has run or failed to run.
func (d *daemon) executions() int {
	n := 0
	for line := range strings.Lines(d.body("/metrics")) {
		if strings.HasPrefix(line, "sandboxd_executions_total{") || strings.HasPrefix(line, "sandboxd_execution_errors_total{") {
			_, count, _ := strings.Cut(strings.TrimSpace(line), "} ")
			one, _ := strconv.Atoi(count)
			n += one
		}
	}
	return n
}

// command runs sandboxd where d serves, and says how many programs d ran. Where d should
// run one, and a busy machine kept it from saying who it is in the time that it is given
// for that, sandboxd is run again.
func (d *daemon) command(t *testing.T, should bool, stdin string, args ...string) (out ran, programs int) {
	t.Helper()
	for range 5 {
		before := d.executions()
		out = command(t, d.dir, stdin, args...)
		if programs = d.executions() - before; programs > 0 || !should {
			break
		}
	}
	return out, programs
}

// TestRunGivesTheSameWithADaemonAndWithout runs commands by a daemon and alone.
func TestRunGivesTheSameWithADaemonAndWithout(t *testing.T) {
	dir := newDir(t, "[profiles.strict]\ntimeout = \"60s\"\n")
	write(t, filepath.Join(dir, "input"), "one\ntwo\n")
	if err := os.Mkdir(filepath.Join(dir, "work"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := start(t, dir)
	command(t, dir, "", "run", "--session", "files", "-c", "1")
	for name, test := range map[string]struct {
		stdin string
		args  []string
		by    bool // a daemon runs it
	}{
		"output":               {"", []string{"-c", "import sys\nprint('é' * 3)\nprint('err', file=sys.stderr)"}, true},
		"output that is bytes": {"", []string{"-c", "import sys\nsys.stdout.buffer.write(bytes(range(256)) * 300)"}, true},
		"an exit code":         {"", []string{"-c", "raise SystemExit(7)"}, true},
		"an exception":         {"", []string{"-c", "1/0"}, true},
		"arguments":            {"", []string{"-c", "import sys\nprint(sys.argv)", "--", "a", "b c"}, true},
		"environment":          {"", []string{"--env", "A=b", "-c", "import os\nprint(os.environ['A'])"}, true},
		"out of fuel":          {"", []string{"--fuel", "2M", "-c", "while True: pass"}, true},
		"out of time":          {"", []string{"--timeout", "50ms", "-c", "import time\ntime.sleep(5)"}, true},
		"too much asked":       {"", []string{"--fuel", "900G", "-c", "1"}, true},
		"input from a file":    {"input", []string{"-c", "import sys\nprint(sys.stdin.read())"}, true},
		"a session":            {"", []string{"--session", "s", "-c", "print(1)"}, true},
		"a state refused":      {"", []string{"--session", "files", "--persist", "state", "-c", "print(1)"}, false},
		"a directory":          {"", []string{"--workspace", "work", "-c", "print(1)"}, false},
		"a mount":              {"", []string{"--mount", "work:/w", "-c", "print(1)"}, false},
		"an unknown profile":   {"", []string{"--profile", "nonesuch", "-c", "print(1)"}, false},
		"an unknown language":  {"", []string{"--lang", "cobol", "-c", "print(1)"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			by, n := d.command(t, test.by, test.stdin, append([]string{"run"}, test.args...)...)
			if n != 1 && test.by || n != 0 && !test.by {
				t.Errorf("the daemon ran %d programs", n)
			}
			alone := command(t, dir, test.stdin, append([]string{"run", "--no-daemon"}, test.args...)...)
			if by != alone {
				t.Errorf("by a daemon: %+v\nalone:       %+v", by, alone)
			}
		})
	}
	a, b := command(t, dir, "", "run", "--json", "-c", "print(1)"), command(t, dir, "", "run", "--no-daemon", "--json", "-c", "print(1)")
	cut := func(s string) string { before, _, _ := strings.Cut(s, `"duration_seconds"`); return before }
	if a.code != b.code || cut(a.stdout) != cut(b.stdout) || len(cut(a.stdout)) == len(a.stdout) {
		t.Errorf("as JSON:\n%s\n%s", a.stdout, b.stdout)
	}
	// Another policy is not the daemon's.
	write(t, filepath.Join(dir, "sandbox.toml"), "[profiles.strict]\ntimeout = \"61s\"\n")
	before := d.executions()
	if got := command(t, dir, "", "run", "-c", "print(1)"); got.stdout != "1\n" || d.executions() != before {
		t.Errorf("with another policy: %+v", got)
	}
	d.end()
	if got := command(t, dir, "", "run", "-c", "print(2)"); got.stdout != "2\n" || got.stderr != "" {
		t.Errorf("when the daemon has ended: %+v", got)
	}
}

// TestASignalReachesTheDaemonsProgram interrupts a command whose program a daemon runs.
func TestASignalReachesTheDaemonsProgram(t *testing.T) {
	dir := newDir(t, "[profiles.strict]\ntimeout = \"10m\"\nfuel = 5_000_000_000_000\n")
	d := start(t, dir)
	for signal, code := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143} {
		cmd, stderr := d.interruptible(t)
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(stderr.String(), "signal") && !strings.Contains(stderr.String(), "terminated") && !strings.Contains(stderr.String(), "interrupt") {
			t.Errorf("%v: code %d, %s", signal, got, stderr.String())
		}
		d.wait("the program has ended", func() bool { return strings.Contains(d.body("/metrics"), "sandboxd_running 0\n") })
	}
	d.end()
}

// interruptible starts a command that computes for ever, and returns when d runs its
// program. Like [daemon.command], it lets the daemon be late a few times.
func (d *daemon) interruptible(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	for range 5 {
		cmd := exec.CommandContext(t.Context(), binary, "run", "-c", "print('begun', flush=True)\nwhile True: pass")
		cmd.Dir, cmd.Env = d.dir, environment(d.dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		begun := make([]byte, 6)
		if _, err := io.ReadFull(out, begun); err != nil || string(begun) != "begun\n" {
			t.Fatalf("got %q, %v", begun, err)
		}
		if strings.Contains(d.body("/metrics"), "sandboxd_running 1") {
			return cmd, &stderr
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Fatal("the daemon does not run it")
	return nil, nil
}
