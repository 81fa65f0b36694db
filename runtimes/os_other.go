//go:build !unix

package runtimes

import (
	"errors"
	"os/exec"
	"syscall"
)

// errDiskFull is ERROR_DISK_FULL of the Windows API.
const errDiskFull = syscall.Errno(112)

// isDiskFull reports whether err says that there is no room for a file.
func isDiskFull(err error) bool { return errors.Is(err, errDiskFull) }

func isReadOnlyFS(error) bool { return false }

// ownGroup leaves the default: cancellation kills the command itself.
func ownGroup(*exec.Cmd) {}

// endTogether has no equal here: only the command itself is killed.
func endTogether(*exec.Cmd) {}
