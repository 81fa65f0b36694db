//go:build unix

package guestfs

import (
	"syscall"
	"testing"
)

// mkfifo makes a pipe that blocks whoever opens it carelessly.
func mkfifo(t testing.TB, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}
