package sdk_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandboxd/sandboxd/sdk"
)

// TestLoader is the program that TestAPluginEndsWithItsProgram kills.
func TestLoader(t *testing.T) {
	if os.Getenv(loaderVariable) == "" {
		t.Skip("runs in a process of its own only")
	}
	seen, logger := listening()
	c, err := sdk.Launch(t.Context(), sdk.WithBinary(binary), sdk.WithDirectories("", t.TempDir()), logger)
	if err != nil {
		t.Fatal(err)
	}
	began := newFirstWrite()
	go func() {
		_, _ = c.Stream(t.Context(), python("import time\nprint(1, flush=True)\ntime.sleep(9)"), began, nil)
	}()
	<-began.seen
	fmt.Fprintf(os.Stdout, "plugin %d\n", seen.last())
	select {}
}

func TestAPluginEndsWithItsProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestLoader$")
	cmd.Env = append(os.Environ(), loaderVariable+"="+binary)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "plugin "); ok {
			if pid, err = strconv.Atoi(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if pid == 0 {
		t.Fatal("it did not load the plugin")
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	n, err := 0, error(unix.EINTR)
	for deadline := time.Now().Add(time.Minute); errors.Is(err, unix.EINTR); { // as signals of Go's runtime may have it
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(max(0, time.Until(deadline).Milliseconds())))
	}
	if err != nil || n != 1 {
		t.Errorf("the plugin, process %d, still runs: %v", pid, err)
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}
