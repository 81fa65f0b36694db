package workspace

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFilesystem syncs the filesystem that a directory lies on.
func syncFilesystem(dir *os.Root) (bool, error) {
	file, err := dir.Open(".")
	if err != nil {
		return false, err
	}
	err = unix.Syncfs(int(file.Fd())) //nolint:gosec // a descriptor is small
	return true, errors.Join(err, file.Close())
}
