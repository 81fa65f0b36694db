//go:build !unix || solaris || aix

package host

import (
	"errors"
	"os"
)

// lockDir locks nothing here: a new directory is used without, and what a killed
// process left stays until somebody removes it.
func lockDir(_ string, wait bool) (*os.File, error) {
	if wait {
		return nil, nil
	}
	return nil, errors.ErrUnsupported
}
