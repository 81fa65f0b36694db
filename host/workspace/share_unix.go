//go:build unix

package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// canShare says whether it can be told which files have other names.
const canShare = true

// shared reports whether a file has other names.
func shared(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 1
}

// link gives the file that info describes, in one directory, the same name in another,
// of which open is a descriptor. Links are not followed, whatever is put in the file's
// place meanwhile, and what was linked is looked at afterwards.
func link(from, open *os.File, to *os.Root, info fs.FileInfo) error {
	name := info.Name()
	if err := unix.Linkat(int(from.Fd()), name, int(open.Fd()), name, 0); err != nil { //nolint:gosec // descriptors are small
		return err
	}
	linked, err := to.Lstat(name)
	switch {
	case err != nil:
		return err
	case !os.SameFile(info, linked):
		return errors.Join(ErrNotRegular, to.Remove(name))
	case !shared(linked): // by a filesystem that does not count, nobody would know
		if err := to.Remove(name); err != nil {
			return fmt.Errorf("%w: %w", ErrNotRegular, err)
		}
		return errors.ErrUnsupported
	}
	return nil
}
