//go:build !linux

package image

import (
	"fmt"
	"os"
)

// reserve asks the Go heap, which is zeroed and, for large sizes, mapped lazily.
func reserve(n uint64) ([]byte, error) { return make([]byte, n), nil }

func unreserve([]byte) {}

// openBacking opens an image's memory file the way that suits this system best.
func openBacking(name string, size uint64) (backing, error) {
	content, err := os.ReadFile(name) //nolint:gosec // the caller's cache
	if err != nil {
		return nil, err
	}
	if uint64(len(content)) != size {
		return nil, fmt.Errorf("%w: %s has %d bytes, not %d", ErrDamaged, memoryFile, len(content), size)
	}
	return &copiedBacking{content: content}, nil
}

// blankBacking is the memory of an image of nothing.
func blankBacking() (backing, error) { return &copiedBacking{}, nil }
