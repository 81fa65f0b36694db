// Package delivered gives tests the program sandboxd as it is delivered: built like a
// release, and run as a process of its own.
package delivered

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Main builds sandboxd once, for all tests of a package, says in binary where it is, runs
// the tests, and removes it. It is for a TestMain, which is to exit with what it returns;
// a program that cannot be built is the failure of all of them.
func Main(m *testing.M, binary *string) int {
	dir, err := os.MkdirTemp("", "sandboxd-delivered-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	*binary = filepath.Join(dir, "sandboxd")
	if runtime.GOOS == "windows" {
		*binary += ".exe"
	}
	build := exec.Command("go", "build", "-o", *binary, "github.com/sandboxd/sandboxd/cmd/sandboxd") //nolint:gosec // a directory of our own
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build sandboxd: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
