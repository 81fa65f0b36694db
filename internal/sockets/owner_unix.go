//go:build unix

package sockets

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// checkDirectory refuses a directory in which others could put another socket in place
// of ours. One that is everybody's, such as /tmp, is left to its sticky bit.
func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("the directory's owner is not known")
	}
	if owner := int(stat.Uid); owner != 0 && owner != os.Geteuid() {
		return fmt.Errorf("directory %q belongs to user %d; use one of your own", dir, owner)
	}
	if info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
		return fmt.Errorf("others may write to directory %q (mode %04o): run chmod go-w on it, or use another one", dir, info.Mode().Perm())
	}
	return nil
}
