package host

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"
)

// childProcess is this test's program once more, as a process of its own.
type childProcess struct {
	cmd    *exec.Cmd
	output bytes.Buffer
}

// child starts a process that runs the named tests, divided by "|", in short and with
// variables added to its environment. It ends with the test that started it.
func child(t *testing.T, tests string, env ...string) *childProcess {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := new(childProcess)
	c.cmd = exec.CommandContext(t.Context(), program, "-test.run=^("+tests+")$", "-test.v", "-test.short", "-test.timeout="+(10*time.Minute).String())
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// wait waits for a child whose tests must pass.
func (c *childProcess) wait(t *testing.T) {
	t.Helper()
	if err := c.cmd.Wait(); err != nil || !bytes.Contains(c.output.Bytes(), []byte("--- PASS")) {
		t.Errorf("the other process: %v\n%s", err, c.output.Bytes())
	}
}
