package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/tetratelabs/wazero/api"
)

// ErrOtherBase means that a state is whole, but does not belong to this image.
var ErrOtherBase = errors.New("state of another image")

// A state is what an instance changed since it was restored from an image. All
// numbers are little-endian:
//
//	16 bytes   stateMagic, whose last byte is the version
//	32 bytes   the identity of the image
//	 8 bytes   Kept.Clock
//	 4 bytes   Kept.Gone
//	 4 bytes   size of the memory, in WebAssembly pages
//	 4 bytes   number of globals
//	 4 bytes   number of Kept.Entropy
//	           the globals, 8 bytes each
//	           the ranges, 4 bytes for the start and 4 for the length
//	           chunks, the last of which has no blocks:
//	 4 bytes     number of blocks, at most chunkBlocks
//	 4 bytes     number of bytes that follow
//	             S2: the blocks' numbers, 4 bytes each; a bit, in 8 bytes for each
//	             block, for each of its lines that is not the same; those lines
//	 4 bytes   CRC-32C of all that is before
//
// Every version begins with the first line, and may end in a seal of its own.
//
// A block is 4 KiB of memory that is not as in the image, or not zero above it; a line is
// a 64th of it. Lines are the exclusive or of both: mostly zeroes, where an interpreter
// counted references. Blocks are in ascending order.
//
// S2, because saving and restoring are a part of each call: zstd makes states a fifth
// to a half smaller and takes three times as long.
const (
	stateMagic   = "sandboxd state 2"
	stateHeader  = len(stateMagic) + sha256.Size + 24
	blockSize    = 4 << 10
	blockLines   = 64
	lineSize     = blockSize / blockLines
	blockHeader  = 4 + 8
	chunkBlocks  = 64
	chunkSize    = chunkBlocks * (blockHeader + blockSize)
	maxPages     = 1 << 16 // of a 32-bit memory
	maxEntropy   = 10_000
	maxRange     = 4 << 10
	chunkHeader  = 8
	globalSize   = 8
	entropySize  = 8
	stateVersion = len(stateMagic) - 1 // where the version is
	sealSize     = 4
	stateMinimum = stateHeader + chunkHeader + sealSize
)

// Kept is what a state holds besides memory and globals.
type Kept struct {
	// Entropy is where random generators keep their state that are to draw other
	// numbers each time the state is restored. At most 10 000 ranges of 4 KiB.
	Entropy []Range
	// Clock is the caller's, in nanoseconds, and Gone a number of descriptors.
	Clock int64
	Gone  uint32
}

// State is an instance's changes to its image, ready to be applied to a region of
// it. It refers to the bytes that it was loaded from and is safe for concurrent use.
type State struct {
	Kept

	memory  uint64
	globals []uint64
	chunks  []byte
}

// Memory is the size of the state's linear memory in bytes: the least that a region
// for it can be limited to.
func (s *State) Memory() uint64 { return s.memory }

// Save and Apply use these again, for all images.
var (
	stateBuffers = sync.Pool{New: func() any { return new([]byte) }}
	chunks       = sync.Pool{New: func() any { return new(chunk) }}
)

// Save returns the state of mod, an instance restored from im whose memory is r. The
// guest must have returned. It ends early, with ctx's error, when ctx does: how much
// there is to save is for the guest to say, up to the region's limit.
func (im *Image) Save(ctx context.Context, mod api.Module, r *Region, k Kept) ([]byte, error) {
	if len(k.Entropy) > maxEntropy {
		return nil, fmt.Errorf("save state: %d random generators, at most %d are kept", len(k.Entropy), maxEntropy)
	}
	globals, err := im.globalsOf(mod)
	if err != nil {
		return nil, err
	}
	buffer := stateBuffers.Get().(*[]byte)
	defer stateBuffers.Put(buffer)
	out := append((*buffer)[:0], stateMagic...)
	out = append(out, im.identity[:]...)
	out = binary.LittleEndian.AppendUint64(out, uint64(k.Clock)) //nolint:gosec // and back
	out = binary.LittleEndian.AppendUint32(out, k.Gone)
	for _, n := range []int{int(r.size / PageSize), len(globals), len(k.Entropy)} { //nolint:gosec // at most maxPages
		out = binary.LittleEndian.AppendUint32(out, uint32(n)) //nolint:gosec // few
	}
	for _, g := range globals {
		out = binary.LittleEndian.AppendUint64(out, g)
	}
	for _, e := range k.Entropy {
		out = binary.LittleEndian.AppendUint32(out, e.Start)
		out = binary.LittleEndian.AppendUint32(out, e.Length)
	}
	if out, err = im.appendChunks(ctx, out, r); err != nil {
		return nil, fmt.Errorf("save state: %w", err)
	}
	*buffer = seal(out)
	return slices.Clone(*buffer), nil
}

// seal appends the checksum of a state, which guards against damage: whoever can write
// one can give it any checksum, and gets at nothing that a guest may not.
func seal(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(body, checksum(body))
}

func (im *Image) globalsOf(mod api.Module) ([]uint64, error) {
	globals := make([]uint64, len(im.Globals))
	for n := range globals {
		g := mod.ExportedGlobal(globalName(n))
		if g == nil {
			return nil, fmt.Errorf("save state: the module exports no global %q", globalName(n))
		}
		globals[n] = g.Get()
	}
	return globals, nil
}

// appendChunks appends the blocks of r that are not as in the image.
func (im *Image) appendChunks(ctx context.Context, out []byte, r *Region) ([]byte, error) {
	c := chunks.Get().(*chunk)
	defer chunks.Put(c)
	c.blocks, c.used = 0, 0
	content, zeroes := im.memory.bytes(), make([]byte, blockSize)
	err := im.written(r, func(at int) error {
		base := zeroes
		if at < len(content) {
			base = content[at : at+blockSize]
		}
		block := r.space[at : at+blockSize]
		if bytes.Equal(block, base) {
			return nil
		}
		c.add(uint32(at/blockSize), block, base) //nolint:gosec // of a 32-bit memory
		if c.blocks == chunkBlocks {
			out = c.appendTo(out)
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	if c.blocks > 0 {
		out = c.appendTo(out)
	}
	return c.appendTo(out), nil
}

// chunk is a chunk in the making, or one that was unpacked.
type chunk struct {
	blocks  int
	numbers [chunkBlocks]uint32
	lines   [chunkBlocks]uint64
	// The lines lie behind room for the numbers and bits of a full chunk.
	raw  [chunkSize]byte
	used int // bytes of lines
}

// add adds a block and what it was.
func (c *chunk) add(number uint32, block, base []byte) {
	difference := c.raw[blockHeader*chunkBlocks+c.used:][:blockSize]
	subtle.XORBytes(difference, block, base)
	var lines uint64
	kept := 0
	var same [lineSize]byte
	for i := range blockLines {
		line := difference[i*lineSize:][:lineSize]
		if bytes.Equal(line, same[:]) {
			continue
		}
		lines |= 1 << i
		if kept != i {
			copy(difference[kept*lineSize:], line)
		}
		kept++
	}
	c.numbers[c.blocks], c.lines[c.blocks] = number, lines
	c.blocks++
	c.used += kept * lineSize
}

// appendTo appends the chunk to a state and empties it.
func (c *chunk) appendTo(out []byte) []byte {
	start := len(out)
	out = slices.Grow(out, chunkHeader+s2.MaxEncodedLen(chunkSize))
	out = binary.LittleEndian.AppendUint32(out, uint32(c.blocks)) //nolint:gosec // at most chunkBlocks
	out = append(out, 0, 0, 0, 0)
	if c.blocks > 0 {
		raw := c.raw[blockHeader*(chunkBlocks-c.blocks) : blockHeader*chunkBlocks+c.used]
		for i := range c.blocks {
			binary.LittleEndian.PutUint32(raw[4*i:], c.numbers[i])
			binary.LittleEndian.PutUint64(raw[4*c.blocks+8*i:], c.lines[i])
		}
		packed := s2.Encode(out[len(out):cap(out)], raw) // in place: there is room
		out = out[:len(out)+len(packed)]
	}
	binary.LittleEndian.PutUint32(out[start+4:], uint32(len(out)-start-chunkHeader)) //nolint:gosec // a chunk
	c.blocks, c.used = 0, 0
	return out
}

// written calls found with the offset of each block of r that may not be as in the
// image, in ascending order, until found fails.
func (im *Image) written(r *Region, found func(at int) error) (err error) {
	each := func(from, to int) bool {
		for at := from; at < to && err == nil; at += blockSize {
			err = found(at)
		}
		return err == nil
	}
	done := 0
	whole := im.memory.private(r, func(from, to int) bool {
		done = to
		return each(from, to)
	})
	if !whole && err == nil {
		each(done, int(r.size)) //nolint:gosec // a region's size
	}
	return err
}

// Made reports whether data begins as a state of im does. Nothing else of it is looked
// at: it may be damaged.
func (im *Image) Made(data []byte) bool {
	const from = len(stateMagic)
	return len(data) >= from+sha256.Size && bytes.Equal(data[from:from+sha256.Size], im.identity[:])
}

// Load reads a state of im. The bytes are not trusted: sizes are held against the
// image, the format's bounds and what is there. A whole state of another image is
// [ErrOtherBase], and so is one of another version of the format, of which nothing but
// the version is looked at; everything else that is wrong is [ErrDamaged], here or in
// [State.Apply]. The bytes must not change while the State is used.
func (im *Image) Load(data []byte) (*State, error) {
	damaged := func(what string) error { return fmt.Errorf("load state: %w: %s", ErrDamaged, what) }
	if len(data) < stateMinimum || string(data[:stateVersion]) != stateMagic[:stateVersion] {
		return nil, damaged("it does not begin like one")
	}
	if version := data[stateVersion]; version != stateMagic[stateVersion] && version >= '1' && version <= '9' {
		return nil, fmt.Errorf("load state: %w: it has version %c of the format, not %c", ErrOtherBase, version, stateMagic[stateVersion])
	}
	body, sum := data[:len(data)-sealSize], data[len(data)-sealSize:]
	if checksum(body) != binary.LittleEndian.Uint32(sum) || data[stateVersion] != stateMagic[stateVersion] {
		return nil, damaged("it has another checksum")
	}
	rest := body[len(stateMagic):]
	if !bytes.Equal(rest[:sha256.Size], im.identity[:]) {
		return nil, fmt.Errorf("load state: %w", ErrOtherBase)
	}
	rest = rest[sha256.Size:]
	s := &State{Kept: Kept{Clock: int64(binary.LittleEndian.Uint64(rest))}} //nolint:gosec // and back
	s.Gone = binary.LittleEndian.Uint32(rest[8:])
	pages := binary.LittleEndian.Uint32(rest[12:])
	globals, entropy := binary.LittleEndian.Uint32(rest[16:]), binary.LittleEndian.Uint32(rest[20:])
	rest = rest[24:]
	s.memory = uint64(pages) * PageSize
	switch {
	case pages > maxPages || s.memory < im.Size:
		return nil, damaged(fmt.Sprintf("its memory has %d pages", pages))
	case int(globals) != len(im.Globals) || entropy > maxEntropy ||
		len(rest) < globalSize*int(globals)+entropySize*int(entropy):
		return nil, damaged(fmt.Sprintf("it has %d globals and %d random generators", globals, entropy))
	}
	for range globals {
		s.globals = append(s.globals, binary.LittleEndian.Uint64(rest))
		rest = rest[globalSize:]
	}
	for range entropy {
		e := Range{binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])}
		if e.Length > maxRange || uint64(e.Start)+uint64(e.Length) > s.memory {
			return nil, damaged("a random generator is too large, or outside of its memory")
		}
		s.Entropy = append(s.Entropy, e)
		rest = rest[entropySize:]
	}
	s.chunks = rest
	return s, nil
}

// Apply makes r, which was just acquired from the state's image, hold the state's
// memory. After an error it holds part of it, and can only be released.
func (s *State) Apply(r *Region) error {
	if s.memory > uint64(len(r.space)) {
		return fmt.Errorf("apply state: it takes %d bytes of memory, the limit is %d", s.memory, len(r.space))
	}
	r.size = max(r.size, s.memory) // what is released is cleared up to here
	c := chunks.Get().(*chunk)
	defer chunks.Put(c)
	next := uint64(0)
	for rest := s.chunks; ; {
		var lines []byte
		var err error
		if lines, rest, err = c.unpack(rest); err != nil {
			return fmt.Errorf("apply state: %w", err)
		}
		if c.blocks == 0 {
			if len(rest) > 0 {
				return fmt.Errorf("apply state: %w: %d bytes follow its end", ErrDamaged, len(rest))
			}
			return nil
		}
		for i := range c.blocks {
			number := uint64(c.numbers[i])
			if number < next || (number+1)*blockSize > s.memory {
				return fmt.Errorf("apply state: %w: block %d is out of place", ErrDamaged, number)
			}
			next = number + 1
			lines = merge(r.space[number*blockSize:][:blockSize], c.lines[i], lines)
		}
	}
}

// merge changes the lines of a block whose bits are set, and returns the lines left.
func merge(block []byte, which uint64, lines []byte) []byte {
	if which == 1<<blockLines-1 {
		subtle.XORBytes(block, block, lines[:blockSize])
		return lines[blockSize:]
	}
	for ; which != 0; which &= which - 1 {
		line := block[bits.TrailingZeros64(which)*lineSize:][:lineSize]
		subtle.XORBytes(line, line, lines[:lineSize])
		lines = lines[lineSize:]
	}
	return lines
}

// unpack takes the first chunk off data. It returns its lines, as many as its blocks
// have bits, and the rest of data.
func (c *chunk) unpack(data []byte) (lines, rest []byte, err error) {
	if len(data) < chunkHeader {
		return nil, nil, fmt.Errorf("%w: it is cut short", ErrDamaged)
	}
	count, size := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	data = data[chunkHeader:]
	if count > chunkBlocks || uint64(size) > uint64(len(data)) {
		return nil, nil, fmt.Errorf("%w: a chunk of %d blocks and %d bytes", ErrDamaged, count, size)
	}
	if c.blocks = int(count); count == 0 {
		return nil, data, nil
	}
	unpacked, err := s2.DecodedLen(data[:size])
	if err == nil && unpacked > chunkSize { // room would be made for it
		err = fmt.Errorf("a chunk unpacks to %d bytes", unpacked)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	raw, err := s2.Decode(c.raw[:], data[:size])
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	needed := blockHeader * c.blocks
	for i := range c.blocks {
		if len(raw) < needed {
			break
		}
		c.numbers[i] = binary.LittleEndian.Uint32(raw[4*i:])
		c.lines[i] = binary.LittleEndian.Uint64(raw[4*c.blocks+8*i:])
		needed += bits.OnesCount64(c.lines[i]) * lineSize
	}
	if len(raw) != needed {
		return nil, nil, fmt.Errorf("%w: a chunk of %d blocks has %d bytes, not %d", ErrDamaged, count, len(raw), needed)
	}
	return raw[blockHeader*c.blocks:], data[size:], nil
}

// identify gives the image its identity: everything in it, and the module it is of.
func identify(module string, description []byte) [sha256.Size]byte {
	return sha256.Sum256(slices.Concat([]byte(module), []byte{0}, description))
}
