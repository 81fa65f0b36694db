//go:build !unix

package runtimes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// checkPrivate trusts the access control list that a directory in the user's
// profile inherits; there are no mode bits to check.
func checkPrivate(dir string, info fs.FileInfo) error {
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	return nil
}

// syncDir does nothing: directories cannot be synced here.
func syncDir(string) error { return nil }

// tryLock always succeeds: two fetches may run at once, and the last wins.
func tryLock(*os.File) bool { return true }

// errDiskFull is ERROR_DISK_FULL of the Windows API.
const errDiskFull = syscall.Errno(112)

// isDiskFull reports whether err says that there is no room for a file.
func isDiskFull(err error) bool { return errors.Is(err, errDiskFull) }

func isReadOnlyFS(error) bool { return false }

// ownGroup leaves the default: cancellation kills the command itself.
func ownGroup(*exec.Cmd) {}

// endTogether has no equal here: only the command itself is killed.
func endTogether(*exec.Cmd) {}
