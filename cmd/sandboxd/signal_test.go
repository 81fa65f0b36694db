//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSignals(t *testing.T) {
	prepare(t)
	const program = `print("running", flush=True); import time; time.sleep(3600)`
	tests := []struct {
		name   string
		signal syscall.Signal
		code   int
		said   string
	}{
		{"an interrupt ends the program with 130", syscall.SIGINT, 130, "sandboxd: canceled: received interrupt\n"},
		{"a termination ends the program with 143", syscall.SIGTERM, 143, "sandboxd: canceled: received terminated\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "sandboxd", "run", "-c", program)
			cmd.Env = childEnv(t)
			cmd.Dir = t.TempDir()
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(stdout).ReadString('\n'); strings.TrimSpace(line) != "running" {
				t.Fatalf("the program printed %q, %v", line, err)
			}
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != tt.code {
				t.Errorf("got %v, want exit code %d", err, tt.code)
			}
			if got := stderr.String(); got != tt.said {
				t.Errorf("standard error: got %q, want %q", got, tt.said)
			}
		})
	}
}

// TestKilledProcesses kills sandboxd while its guest writes into a workspace, by signals
// that it can answer and by one that it cannot. The files that the guest had written are
// there, the cache is whole, and the next start leaves no trace of the one before.
func TestKilledProcesses(t *testing.T) {
	prepare(t)
	const program = `
import os
n = 0
while True:
    with open("part", "w") as f:
        f.write(str(n) * 1000)
    os.rename("part", f"done{n % 10}")
    n += 1
    if n == 20:
        print("running", flush=True)
`
	config := filepath.Join(t.TempDir(), "sandbox.toml") // neither program ends by itself before it is killed
	if err := os.WriteFile(config, []byte("[profiles.strict]\nfuel = 1_000_000_000_000\ntimeout = \"10m\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGINT, syscall.SIGKILL, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			workspace, temp := t.TempDir(), t.TempDir()
			start := func(args ...string) (*exec.Cmd, *bufio.Reader) {
				cmd := exec.CommandContext(t.Context(), "sandboxd", append([]string{"run", "--config", config}, args...)...)
				cmd.Env, cmd.Dir = append(childEnv(t), "TMPDIR="+temp), t.TempDir()
				stdout, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				return cmd, bufio.NewReader(stdout)
			}
			cmd, out := start("--workspace", workspace, "-c", program)
			other, otherOut := start("-c", "open('f', 'w')\nprint('running', flush=True)\nimport time; time.sleep(3600)")
			for _, r := range []*bufio.Reader{out, otherOut} {
				if line, err := r.ReadString('\n'); line != "running\n" {
					t.Fatalf("the program printed %q, %v", line, err)
				}
			}
			for _, c := range []*exec.Cmd{cmd, other} {
				if err := c.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				_ = c.Wait()
			}
			for n := range 10 {
				text, err := os.ReadFile(filepath.Join(workspace, fmt.Sprint("done", n)))
				if err != nil || len(text)%1000 != 0 || len(text) == 0 || strings.Trim(string(text), string(text[:len(text)/1000])) != "" {
					t.Errorf("done%d holds %.40q and more, %v", n, text, err)
				}
			}
			next := exec.CommandContext(t.Context(), "sandboxd", "run", "--workspace", workspace, "-c", "print(len(open('done3').read()) >= 1000)")
			next.Env, next.Dir = append(childEnv(t), "TMPDIR="+temp), t.TempDir()
			if got, err := next.CombinedOutput(); err != nil || string(got) != "True\n" {
				t.Errorf("the next run: %q, %v", got, err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
