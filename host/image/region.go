// Package image keeps linear memory: regions that instances run in, and images,
// which are captured memories from which new instances start.
//
// A [Region] is reserved address space that backs the linear memory of one
// instance at a time. It comes from an [Image], whose memory it starts with, and
// goes back to it. It belongs to whoever acquired it and is not safe for
// concurrent use; images are.
package image

// PageSize is the size of a WebAssembly page in bytes.
const PageSize = 64 << 10

// Region is linear memory whose address never changes while it grows. It
// implements wazero's experimental.LinearMemory.
//
// The guest chooses the sizes it asks for; a region only ever grants what fits
// the limit it was acquired with, and address space costs nothing until touched.
type Region struct {
	space   []byte // the whole reservation
	size    uint64 // bytes the guest sees
	refused bool
	image   *Image // whose memory it started with
}

// Reallocate grows the memory to size bytes, or returns nil beyond the limit,
// which the guest sees as memory.grow returning -1.
func (r *Region) Reallocate(size uint64) []byte {
	if size > uint64(len(r.space)) {
		r.refused = true
		return nil
	}
	// A region that starts from an image is as large as the image at once,
	// whatever minimum the module declares.
	r.size = max(r.size, size)
	return r.space[:r.size:r.size]
}

// Free is called by the engine when the instance closes. The region stays
// reserved: its owner still reads Size and Refused.
func (r *Region) Free() {}

// Size is the linear memory's size in bytes. Linear memory never shrinks, so
// after a call this is its peak.
func (r *Region) Size() uint64 { return r.size }

// Refused reports whether the guest asked for more than the limit.
func (r *Region) Refused() bool { return r.refused }

// Bytes is the guest-visible memory. It is valid until Release.
func (r *Region) Bytes() []byte { return r.space[:r.size] }

// Release gives the region back. No instance may use it any more.
func (r *Region) Release() { r.image.release(r) }
