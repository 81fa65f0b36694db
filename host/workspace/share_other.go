//go:build !unix

package workspace

import (
	"errors"
	"io/fs"
	"os"
)

// canShare says whether it can be told which files have other names.
const canShare = false

// shared reports whether a file has other names, which is not known here.
func shared(fs.FileInfo) bool { return false }

// link is not used where it is not known what has other names.
func link(_, _ *os.File, _ *os.Root, _ fs.FileInfo) error { return errors.ErrUnsupported }
