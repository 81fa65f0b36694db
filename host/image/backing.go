package image

// backing is an image's memory and how regions come to hold it.
type backing interface {
	// bytes is the memory itself, not to be changed.
	bytes() []byte
	// mapped reserves limit bytes, at least as many as the memory has, which
	// begin with the memory.
	mapped(limit uint64) ([]byte, error)
	// reset makes a region equal to the memory again, or reports that it did
	// not: then the region must not be used any more.
	reset(*Region) bool
	// private calls found with each run of pages, in ascending order, that may not
	// be as in the memory, or not zero above it, until found returns false. It
	// returns false then, and where it cannot tell.
	private(r *Region, found func(from, to int) bool) bool
	close() error
}

// copiedBacking copies the memory into each region. It works on every system.
type copiedBacking struct{ content []byte }

func (b *copiedBacking) bytes() []byte { return b.content }

func (b *copiedBacking) mapped(limit uint64) ([]byte, error) {
	space, err := reserve(limit)
	if err != nil {
		return nil, err
	}
	copy(space, b.content)
	return space, nil
}

func (b *copiedBacking) reset(*Region) bool { return false }

func (b *copiedBacking) private(*Region, func(from, to int) bool) bool { return false }

func (b *copiedBacking) close() error { return nil }
