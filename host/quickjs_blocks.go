package host

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// The allocator's data: a JSRuntime has a list of all arenas of a class, and one of
// those with a free block. An arena begins with its links in both. A block begins with
// its number in its arena or, while it is free, that of the next free one.
const (
	runtimeArenas = 40
	runtimeFree   = 288
	linkSize      = 8
	linkNext      = 4

	arenaLink   = 8  // in the list of all
	arenaClass  = 16 // 8 bits
	arenaUsed   = 18 // these have 16 bits: the number of blocks in use,
	arenaTotal  = 20 // of all blocks,
	arenaFirst  = 22 // and the first free one
	arenaHeader = 24

	blockClass  = 2 // 8 bits
	blockHeader = 8
	noBlock     = 0xFFFF // no block of an arena
)

// blockSizes are the sizes of blocks by class, with their headers.
var blockSizes = [...]uint32{
	16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 144, 160, 176, 192, 208, 224, 240, 256,
	288, 320, 352, 384, 416, 448, 480, 512,
}

// sizeClass is the class of a block for so many bytes, or -1 if it comes from no arena.
func sizeClass(size uint32) int {
	if size == 0 || size > blockSizes[len(blockSizes)-1]-blockHeader {
		return -1
	}
	class, _ := slices.BinarySearch(blockSizes[:], (size+7)&^7+blockHeader)
	return class
}

// errLayout means that memory does not look as this file knows it.
var errLayout = errors.New("the allocator's memory makes no sense")

// heap is linear memory whose numbers are read and written only where there is some: it
// is for the guest to say where they are.
type heap []byte

func (h heap) u32(at uint32) uint32 {
	if uint64(at)+4 > uint64(len(h)) {
		return 0
	}
	return binary.LittleEndian.Uint32(h[at:])
}

func (h heap) u16(at uint32) uint32 { return h.u32(at) & 0xFFFF }
func (h heap) u8(at uint32) uint32  { return h.u32(at) & 0xFF }

func (h heap) set32(at, value uint32) {
	if uint64(at)+4 <= uint64(len(h)) {
		binary.LittleEndian.PutUint32(h[at:], value)
	}
}

func (h heap) set16(at, value uint32) { h.set32(at, h.u32(at)&^0xFFFF|value&0xFFFF) }
func (h heap) set8(at, value uint32)  { h.set32(at, h.u32(at)&^0xFF|value&0xFF) }

// link puts a node into a list, behind its head.
func (h heap) link(node, head uint32) {
	first := h.u32(head + linkNext)
	h.set32(node, head)
	h.set32(node+linkNext, first)
	h.set32(head+linkNext, node)
	h.set32(first, node)
}

// unlink takes a node out of its list, if it is in one.
func (h heap) unlink(node uint32) {
	before, after := h.u32(node), h.u32(node+linkNext)
	if before == 0 {
		return
	}
	h.set32(before+linkNext, after)
	h.set32(after, before)
}

// arena is one of the allocator's.
type arena struct {
	at    uint32
	class int
	total uint32
	free  []bool // by block
}

func (a *arena) end() uint32 { return a.at + arenaHeader + a.total*blockSizes[a.class] }

// Bounds of what is believed of a heap, far above what a warm-up does.
const (
	maxArenas = 1 << 16
	maxBlocks = 1 << 24
	maxWrites = 1 << 20
	maxRoom   = 1 << 10 // of one class
)

// arenas are those of a JSRuntime, by address.
func (h heap) arenas(rt uint32) ([]arena, error) {
	var all []arena
	for class := range blockSizes {
		head := rt + runtimeArenas + uint32(class)*linkSize //nolint:gosec // small
		for node := h.u32(head + linkNext); node != head; node = h.u32(node + linkNext) {
			at := node - arenaLink
			a := arena{at: at, class: class, total: h.u16(at + arenaTotal)}
			if h.u8(at+arenaClass) != uint32(class) || uint64(a.end()) > uint64(len(h)) || a.end() < at || len(all) == maxArenas { //nolint:gosec // small
				return nil, fmt.Errorf("%w: an arena at %#x", errLayout, at)
			}
			a.free = make([]bool, a.total)
			for n := h.u16(at + arenaFirst); n != noBlock; n = h.u16(a.block(n)) {
				if n >= a.total || a.free[n] {
					return nil, fmt.Errorf("%w: block %d of the arena at %#x", errLayout, n, at)
				}
				a.free[n] = true
			}
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b arena) int { return cmp.Compare(a.at, b.at) })
	return all, nil
}

// block is where a block of an arena begins.
func (a *arena) block(n uint32) uint32 { return a.at + arenaHeader + n*blockSizes[a.class] }

// blockWatch follows the allocations of a warm-up and the writes of the programs that are
// tried.
type blockWatch struct {
	rt      uint32
	count   int               // allocations so far
	at      []uint32          // where each went, 0 if it came from no arena
	written []map[uint32]bool // by program: addresses, in units of 8 bytes
	// plans are those of the second warm-up: one of what the first program writes to, one
	// of what the second does besides, and so on.
	plans    []*blockPlan
	reserved bool
}

// next says that another program runs.
func (w *blockWatch) next() { w.written = append(w.written, map[uint32]bool{}) }

func (w *blockWatch) wrote(at, length uint32) {
	if len(w.written) == 0 {
		return
	}
	written := w.written[len(w.written)-1]
	for unit := at / 8; unit <= (at+max(length, 1)-1)/8 && len(written) < maxWrites; unit++ {
		written[unit] = true
	}
}

// reserve gives the size of the layout, once: a page more than it takes, so that it can
// begin with one.
func (w *blockWatch) reserve(rt uint32) uint32 {
	w.rt = rt
	if len(w.plans) == 0 || w.reserved {
		return 0
	}
	w.reserved = true
	size := uint32(systemPage)
	for _, p := range w.plans {
		size += p.size()
	}
	return size
}

// systemPage is how systems share out memory.
const systemPage = 4 << 10

func (w *blockWatch) lay(h heap, at uint32) {
	if at == 0 {
		return
	}
	at = (at + systemPage - 1) &^ (systemPage - 1)
	for _, p := range w.plans {
		p.lay(h, w.rt, at)
		at += p.size()
	}
}

func (w *blockWatch) place(h heap, size uint32) uint32 {
	n := w.count
	w.count++
	for _, p := range w.plans {
		if at := p.place(h, n, sizeClass(size)); at != 0 {
			return at
		}
	}
	return 0
}

// open gives the blocks that are left to calls, those of the first plan first.
func (w *blockWatch) open(h heap) error {
	for _, p := range slices.Backward(w.plans) {
		if err := p.open(h); err != nil {
			return err
		}
	}
	return nil
}

// placed notes where the allocation that was counted last went.
func (w *blockWatch) placed(at uint32) {
	if len(w.plans) > 0 || w.count > maxBlocks {
		return
	}
	w.at = append(w.at, make([]uint32, w.count-len(w.at))...)
	w.at[w.count-1] = at
}

// learn makes the plans, of what was written to since memory was as it is.
func (w *blockWatch) learn(h heap) error {
	arenas, err := h.arenas(w.rt)
	if err != nil {
		return err
	}
	// Of the blocks at one address, the one allocated last is there now.
	last := make(map[uint32]int, len(w.at))
	for n, at := range w.at {
		last[at] = n
	}
	seen := map[uint32]bool{}
	for _, written := range w.written {
		p := &blockPlan{chosen: map[int]bool{}}
		for _, unit := range slices.Sorted(maps.Keys(written)) {
			a, number, ok := blockAt(arenas, unit*8)
			if !ok || seen[a.block(number)] {
				continue
			}
			block := a.block(number)
			seen[block] = true
			if a.free[number] {
				p.room[a.class]++
			} else if n, known := last[block+blockHeader]; known {
				p.chosen[n] = true
				p.blocks[a.class]++
			}
		}
		for class, n := range p.room {
			if n > 0 { // a call that is a little different takes a few more
				p.room[class] = min(n+n/4+1, maxRoom)
			}
		}
		if len(p.chosen) > 0 {
			w.plans = append(w.plans, p)
		}
	}
	if len(w.plans) == 0 {
		return errors.New("nothing was written to")
	}
	w.count = 0
	return nil
}

// blockAt finds the block that an address is in.
func blockAt(arenas []arena, at uint32) (a *arena, number uint32, ok bool) {
	i, found := slices.BinarySearchFunc(arenas, at, func(a arena, at uint32) int { return cmp.Compare(a.at, at) })
	if !found {
		i--
	}
	if i < 0 || at < arenas[i].at+arenaHeader || at >= arenas[i].end() {
		return nil, 0, false
	}
	a = &arenas[i]
	return a, (at - a.at - arenaHeader) / blockSizes[a.class], true
}

// blockPlan says which allocations of a warm-up go into arenas of their own, one for
// each class and each as large as it has to be, and how much room for a call's own
// allocations there is beside them.
type blockPlan struct {
	chosen       map[int]bool // allocations, by their number
	blocks, room [len(blockSizes)]uint32

	rt     uint32
	arenas [len(blockSizes)]uint32 // where they are; 0 for none
	used   [len(blockSizes)]uint32
}

// size is that of all arenas.
func (p *blockPlan) size() (size uint32) {
	for class := range blockSizes {
		if n := p.blocks[class] + p.room[class]; n > 0 {
			size += arenaHeader + n*blockSizes[class]
		}
	}
	return size
}

// lay makes the arenas. They pass for full ones, so that nothing goes there which is not
// placed, with a block more than there is, so that they are never given up.
func (p *blockPlan) lay(h heap, rt, at uint32) {
	p.rt = rt
	for class := range blockSizes {
		n := p.blocks[class] + p.room[class]
		if n == 0 {
			continue
		}
		p.arenas[class] = at
		h.set32(at, 0)
		h.set32(at+linkNext, 0)
		h.link(at+arenaLink, rt+runtimeArenas+uint32(class)*linkSize) //nolint:gosec // small
		h.set32(at+arenaClass, uint32(class))                         //nolint:gosec // small
		h.set16(at+arenaUsed, n+1)
		h.set16(at+arenaTotal, n+1)
		h.set16(at+arenaFirst, noBlock)
		at += arenaHeader + n*blockSizes[class]
	}
}

// place gives the address of an allocation that was chosen, or 0.
func (p *blockPlan) place(h heap, number, class int) uint32 {
	if !p.chosen[number] || class < 0 || p.arenas[class] == 0 || p.used[class] == p.blocks[class] {
		return 0
	}
	n := p.used[class]
	p.used[class]++
	at := p.arenas[class] + arenaHeader + n*blockSizes[class]
	h.set16(at, n)
	h.set8(at+blockClass, uint32(class)) //nolint:gosec // small
	return at + blockHeader
}

// open frees the blocks that are left, for calls to take first.
func (p *blockPlan) open(h heap) error {
	for class, at := range p.arenas {
		total := p.blocks[class] + p.room[class]
		left := total - p.used[class]
		if at == 0 || left == 0 {
			continue
		}
		if h.u8(at+arenaClass) != uint32(class) || h.u16(at+arenaTotal) != total+1 || h.u16(at+arenaUsed) <= left { //nolint:gosec // small
			return fmt.Errorf("%w: an arena of ours at %#x", errLayout, at)
		}
		for n := total; n > p.used[class]; n-- {
			block := at + arenaHeader + (n-1)*blockSizes[class]
			h.set16(block, h.u16(at+arenaFirst))
			h.set8(block+blockClass, uint32(class)) //nolint:gosec // small
			h.set16(at+arenaFirst, n-1)
		}
		h.set16(at+arenaUsed, h.u16(at+arenaUsed)-left)
		h.unlink(at)
		h.link(at, p.rt+runtimeFree+uint32(class)*linkSize) //nolint:gosec // small
	}
	return nil
}
