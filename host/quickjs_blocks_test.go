package host

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sandboxd/sandboxd/host/wasm"
)

// modelRuntime is where modelHeap has its JSRuntime.
const modelRuntime = 64

// modelHeap is memory with an allocator like QuickJS's in it.
type modelHeap struct {
	heap
	top uint32 // where the next arena goes
}

func newModelHeap() *modelHeap {
	m := &modelHeap{heap: make(heap, 1<<20), top: 4096 + 16}
	for class := range uint32(len(blockSizes)) {
		for _, list := range []uint32{runtimeArenas, runtimeFree} {
			head := modelRuntime + list + class*linkSize
			m.set32(head, head)
			m.set32(head+linkNext, head)
		}
	}
	return m
}

func (m *modelHeap) allocate(size uint32) uint32 {
	class := uint32(sizeClass(size)) //nolint:gosec // small
	head := modelRuntime + runtimeFree + class*linkSize
	at := m.u32(head + linkNext)
	if at == head {
		at = m.top
		total := (4072 - arenaHeader) / blockSizes[class]
		m.top += arenaHeader + total*blockSizes[class]
		m.set32(at+arenaClass, class)
		m.set16(at+arenaTotal, total)
		for n := range total {
			next := n + 1
			if next == total {
				next = noBlock
			}
			m.set16(at+arenaHeader+n*blockSizes[class], next)
			m.set8(at+arenaHeader+n*blockSizes[class]+blockClass, class)
		}
		m.link(at+arenaLink, modelRuntime+runtimeArenas+class*linkSize)
		m.link(at, head)
	}
	n := m.u16(at + arenaFirst)
	block := at + arenaHeader + n*blockSizes[class]
	m.set16(at+arenaFirst, m.u16(block))
	m.set16(block, n)
	m.set16(at+arenaUsed, m.u16(at+arenaUsed)+1)
	if m.u16(at+arenaUsed) == m.u16(at+arenaTotal) {
		m.unlink(at)
		m.set32(at, 0)
		m.set32(at+linkNext, 0)
	}
	return block + blockHeader
}

func (m *modelHeap) release(block uint32) {
	block -= blockHeader
	n, class := m.u16(block), m.u8(block+blockClass)
	at := block - n*blockSizes[class] - arenaHeader
	m.set16(block, m.u16(at+arenaFirst))
	m.set16(at+arenaFirst, n)
	if m.u16(at+arenaUsed) == m.u16(at+arenaTotal) {
		m.link(at, modelRuntime+runtimeFree+class*linkSize)
	}
	m.set16(at+arenaUsed, m.u16(at+arenaUsed)-1)
}

// warmUp allocates and frees as it does each time. It returns the blocks that are
// in use at the end.
func (m *modelHeap) warmUp(w *blockWatch) []uint32 {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	var live []uint32
	for range 3000 {
		if random.IntN(4) == 0 && len(live) > 100 {
			i := random.IntN(len(live))
			m.release(live[i])
			live = slices.Delete(live, i, i+1)
			continue
		}
		size := 1 + random.Uint32N(200)
		if reserve := w.reserve(modelRuntime); reserve > 0 {
			w.lay(m.heap, m.top)
			m.top += reserve
		}
		at := w.place(m.heap, size)
		if at == 0 {
			at = m.allocate(size)
			w.placed(at)
		}
		live = append(live, at)
	}
	return live
}

// TestChosenBlocksLieSideBySide lays blocks out that a call wrote to, and has the
// allocator go on with the result.
func TestChosenBlocksLieSideBySide(t *testing.T) {
	w := new(blockWatch)
	first := newModelHeap()
	live := first.warmUp(w)
	w.next()
	before := bytes.Clone(first.heap)
	for i := 0; i < len(live); i += 50 {
		w.wrote(live[i], 4)
	}
	w.wrote(first.allocate(24), 8)
	w.wrote(first.allocate(24), 8)
	w.next()
	for i := 0; i < len(live); i += 25 {
		w.wrote(live[i], 4)
	}
	w.wrote(first.allocate(24), 8)
	if err := w.learn(before); err != nil {
		t.Fatal(err)
	}
	if len(w.plans) != 2 {
		t.Fatalf("%d plans", len(w.plans))
	}

	second := newModelHeap()
	again := second.warmUp(w)
	if len(again) != len(live) {
		t.Fatalf("%d blocks, before %d", len(again), len(live))
	}
	if err := w.open(second.heap); err != nil {
		t.Fatal(err)
	}
	within := func(at uint32, p *blockPlan) bool {
		low := ^uint32(0)
		for _, arena := range p.arenas {
			if arena != 0 {
				low = min(low, arena)
			}
		}
		return at >= low && at < low+p.size()
	}
	for i, at := range again {
		if within(at, w.plans[0]) != (i%50 == 0) || within(at, w.plans[1]) != (i%50 == 25) {
			t.Errorf("block %d is at %#x", i, at)
		}
	}
	var taken []uint32
	for range 2 {
		taken = append(taken, second.allocate(24))
		if at := taken[len(taken)-1]; !within(at, w.plans[0]) {
			t.Errorf("a call's first block is at %#x", at)
		}
	}
	for range 500 {
		taken = append(taken, second.allocate(24))
	}
	all := slices.Concat(taken, again)
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Error("a block was given twice")
	}
	for _, p := range w.plans {
		for _, at := range all {
			if within(at, p) {
				second.release(at)
			}
		}
		for _, at := range p.arenas {
			// The allocator gives an arena up of which nothing is in use.
			if at != 0 && second.u16(at+arenaUsed) != 1 {
				t.Errorf("the arena at %#x has %d blocks in use, want the one that is not there", at, second.u16(at+arenaUsed))
			}
		}
	}
}

// TestNoLayoutOfMemoryThatMakesNoSense damages a heap in many places.
func TestNoLayoutOfMemoryThatMakesNoSense(t *testing.T) {
	watched := new(blockWatch)
	m := newModelHeap()
	live := m.warmUp(watched)
	watched.next()
	for _, at := range live[:20] {
		watched.wrote(at, 4)
	}
	failed := 0
	for at := uint32(modelRuntime); at < 8192; at += 7 {
		damaged := heap(bytes.Clone(m.heap[:m.top]))
		damaged[at] ^= 0x5A
		w := *watched
		if err := w.learn(damaged); err != nil {
			if !errors.Is(err, errLayout) {
				t.Fatal(err)
			}
			failed++
			continue
		}
		w.lay(damaged, m.top-100) // beyond the end
		_ = w.open(damaged)
	}
	if failed == 0 {
		t.Error("nothing was noticed")
	}
	if err := (&blockWatch{rt: modelRuntime}).learn(m.heap); err == nil {
		t.Error("nothing was written to, and it was laid out")
	}
}

// unarrangeable is a driver that cannot watch its module.
type unarrangeable struct{ *quickjs }

func (unarrangeable) watch(*wasm.Module) (watcher, error) { return nil, errLayout }

// TestJavaScriptsImageIsTheSameEachTime makes it twice, and once as it is where nothing
// can be arranged: then it is another one, and as good.
func TestJavaScriptsImageIsTheSameEachTime(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for seconds")
	}
	h := cachedHost(t)
	definition := lookup(t, "javascript")
	module, err := h.store.Load(t.Context(), definition, nil)
	if err != nil {
		t.Fatal(err)
	}
	image := func(change func(*quickjs) driver) []byte {
		drv, err := newDriver(definition)
		if err != nil {
			t.Fatal(err)
		}
		b := &builder{host: h, definition: definition, driver: change(drv.(*quickjs))}
		r, err := b.rewrite(module)
		if err != nil {
			t.Fatal(err)
		}
		work := t.TempDir()
		p, err := b.compile(t.Context(), r.module, work)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := p.close(); err != nil {
				t.Error(err)
			}
		}()
		p.minMemory = r.minMemory
		if err := b.snapshot(t.Context(), p, filepath.Join(work, imageDir)); err != nil {
			t.Fatal(err)
		}
		memory, err := os.ReadFile(filepath.Join(work, imageDir, "memory")) //nolint:gosec // a test's own
		if err != nil {
			t.Fatal(err)
		}
		return memory
	}
	as := func(d *quickjs) driver { return d }
	first := image(as)
	if !bytes.Equal(first, image(as)) {
		t.Error("they differ")
	}
	if bytes.Equal(first, image(func(d *quickjs) driver { return unarrangeable{d} })) {
		t.Error("nothing was arranged")
	}
}
