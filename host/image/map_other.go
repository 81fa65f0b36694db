//go:build !linux

package image

// reserve asks the Go heap, which is zeroed and, for large sizes, mapped lazily.
func reserve(n uint64) ([]byte, error) { return make([]byte, n), nil }

func unreserve([]byte) {}

// openBacking opens an image's memory file the way that suits this system best.
func openBacking(name string, size uint64) (backing, error) { return readBacking(name, size) }

// blankBacking is the memory of an image of nothing.
func blankBacking() (backing, error) { return &copiedBacking{}, nil }
