package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// sharesContent reports whether files in dir can share content, by trying.
func sharesContent(dir string) bool {
	from, err := os.CreateTemp(dir, "from-")
	if err != nil {
		return false
	}
	to, err := os.CreateTemp(dir, "to-")
	if err == nil {
		if _, err = from.Write(make([]byte, 4096)); err == nil {
			err = unix.IoctlFileClone(int(to.Fd()), int(from.Fd())) //nolint:gosec // small
		}
		err = errors.Join(err, to.Close(), os.Remove(to.Name()))
	}
	return errors.Join(err, from.Close(), os.Remove(from.Name())) == nil
}
