//go:build unix

package hostile

import (
	"path/filepath"
	"syscall"
)

// plantSpecial puts a pipe and a device into a directory. Only root can make a device;
// without it the attack is one less.
func plantSpecial(dir string) error {
	_ = syscall.Mknod(filepath.Join(dir, "zero"), syscall.S_IFCHR|0o666, 1<<8|5)
	return syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600)
}
