//go:build !linux

package workspace

import "os"

// syncFilesystem has no equal here.
func syncFilesystem(*os.Root) (bool, error) { return false, nil }
