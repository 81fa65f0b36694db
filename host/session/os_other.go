//go:build !unix

package session

import (
	"fmt"
	"io/fs"
	"os"
)

// lockNow always succeeds: here only one process at a time may use a directory, in
// which a Store keeps the order by itself.
func lockNow(*os.File) (bool, error) { return true, nil }

// checkPrivate trusts the access control list that a directory in the user's profile
// inherits; there are no mode bits to check.
func checkPrivate(dir string, info fs.FileInfo) error {
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	return nil
}

// syncDir does nothing: directories cannot be synced here.
func syncDir(string) error { return nil }
