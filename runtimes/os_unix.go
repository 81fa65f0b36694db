//go:build unix

package runtimes

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// isDiskFull reports whether err says that there is no room for a file: the
// disk, the user's quota or the process's file size limit is exhausted.
func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func isReadOnlyFS(err error) bool { return errors.Is(err, syscall.EROFS) }

// ownGroup puts a command into a process group of its own and makes its
// cancellation kill the group: npm starts processes that would outlive it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}

// endTogether makes a command's children end with it when it is killed.
func endTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
