//go:build !unix

package owned

import (
	"fmt"
	"io/fs"
	"os"
)

// Locks says whether locks exist here. Where they do not, taking one always succeeds:
// only one process at a time may use a directory.
const Locks = false

// TryLock always succeeds.
func TryLock(*os.File) (bool, error) { return true, nil }

// Lock always succeeds.
func Lock(*os.File) error { return nil }

// LockShared always succeeds.
func LockShared(*os.File) error { return nil }

// Check trusts the access control list that a directory in the user's profile inherits;
// there are no mode bits to check.
func Check(dir string, info fs.FileInfo, _ Others) error {
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	return nil
}

// SyncDir does nothing: directories cannot be synced here.
func SyncDir(string) error { return nil }
