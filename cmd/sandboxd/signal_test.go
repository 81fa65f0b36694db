//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"os/exec"
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
