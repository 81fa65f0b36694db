package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/tetratelabs/wazero/api"
)

// fakeModule has globals and nothing else.
type fakeModule struct {
	api.Module

	globals []uint64
}

type fakeGlobal struct {
	api.Global

	value uint64
}

func (g fakeGlobal) Get() uint64 { return g.value }

func (m fakeModule) ExportedGlobal(name string) api.Global {
	for n, value := range m.globals {
		if name == globalName(n) {
			return fakeGlobal{value: value}
		}
	}
	return nil
}

const stateLimit = 40 * PageSize

// withGlobals makes an image one of a module with two globals.
func withGlobals(im *Image) fakeModule {
	im.Globals = []uint64{1, 2}
	return fakeModule{globals: []uint64{70_000, 1<<64 - 1}}
}

func acquire(tb testing.TB, im *Image) *Region {
	tb.Helper()
	r, err := im.Acquire(stateLimit)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func save(tb testing.TB, im *Image, mod api.Module, r *Region, k Kept) []byte {
	tb.Helper()
	data, err := im.Save(context.Background(), mod, r, k)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestAStateIsWhatARegionHeld(t *testing.T) {
	memory := content(8)
	images := backings(t, memory)
	for name, im := range images {
		t.Run(name, func(t *testing.T) {
			mod := withGlobals(im)
			rng := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a repeatable test
			for round := range 60 {
				r := acquire(t, im)
				r.Reallocate(uint64(8+rng.IntN(32)) * PageSize)
				scribble(rng, r.Bytes(), round)
				want := bytes.Clone(r.Bytes())
				kept := Kept{Entropy: []Range{{Start: 5, Length: 6}, {Start: 8*PageSize - 1, Length: 1}}, Clock: -7, Gone: 9}
				data := save(t, im, mod, r, kept)
				if again := save(t, im, mod, r, kept); !bytes.Equal(data, again) {
					t.Fatal("the same region was saved as something else")
				}
				r.Release()
				for range 2 { // a state is not used up
					s, err := im.Load(data)
					if err != nil {
						t.Fatal(err)
					}
					if s.Memory() != uint64(len(want)) || !slices.Equal(s.globals, mod.globals) || s.Clock != kept.Clock || s.Gone != kept.Gone || !slices.Equal(s.Entropy, kept.Entropy) {
						t.Fatalf("loaded %d bytes, globals %d, %+v", s.Memory(), s.globals, s.Kept)
					}
					r = acquire(t, im)
					if err := s.Apply(r); err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(r.Bytes(), want) {
						t.Fatal("the region holds something else")
					}
					r.Release()
				}
				r = acquire(t, im)
				check(t, r, memory, stateLimit) // nothing of the state is left
				r.Release()
			}
			if !bytes.Equal(im.memory.bytes(), memory) {
				t.Fatal("the image was changed")
			}
		})
	}
}

func TestAnUntouchedRegionIsASmallState(t *testing.T) {
	for name, im := range backings(t, content(8)) {
		mod := withGlobals(im)
		r := acquire(t, im)
		r.Bytes()[100] = r.Bytes()[100] + 1 - 1 // its own page now, with the same content
		if data := save(t, im, mod, r, Kept{}); len(data) > 200 {
			t.Errorf("%s: %d bytes", name, len(data))
		}
		r.Release()
	}
}

// someState is a state of im with changes in several chunks.
func someState(tb testing.TB, im *Image) []byte {
	tb.Helper()
	r := acquire(tb, im)
	defer r.Release()
	b := r.Reallocate(30 * PageSize)
	rng := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // a repeatable test
	for at := 0; at < len(b); at += 2 * blockSize {
		b[at+rng.IntN(blockSize)] ^= byte(1 + rng.IntN(255))
	}
	return save(tb, im, withGlobals(im), r, Kept{Entropy: []Range{{Start: 64, Length: 2496}}})
}

// use loads and applies a state, as a call does.
func use(tb testing.TB, im *Image, data []byte) error {
	tb.Helper()
	s, err := im.Load(data)
	if err != nil {
		return err
	}
	r := acquire(tb, im)
	defer r.Release()
	return s.Apply(r)
}

func TestDamagedStatesAreRefused(t *testing.T) {
	im := openImage(t, content(8))
	data := someState(t, im)
	if err := use(t, im, data); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8)) //nolint:gosec // a repeatable test
	for range 500 {
		damaged := bytes.Clone(data)
		at := rng.IntN(len(damaged))
		if at == stateVersion {
			continue // see TestStatesOfOtherFormats
		}
		damaged[at] ^= byte(1 + rng.IntN(255))
		if err := use(t, im, damaged); !errors.Is(err, ErrDamaged) {
			t.Fatalf("a changed byte: got %v", err)
		}
		if err := use(t, im, data[:rng.IntN(len(data))]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut short: got %v", err)
		}
	}
	if err := use(t, im, append(bytes.Clone(data), 0)); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a byte more: got %v", err)
	}
}

// TestWrongStatesAreRefused is about states whose checksum is right.
func TestWrongStatesAreRefused(t *testing.T) {
	im := openImage(t, content(8))
	data := someState(t, im)
	const numbers = len(stateMagic) + sha256.Size
	put := func(at int, value uint32) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[at:], value)
			return b
		}
	}
	chunks := stateHeader + 2*globalSize + entropySize
	// one makes the first chunk one of those blocks, in that order.
	one := func(count uint32, blocks ...uint32) func([]byte) []byte {
		return func(b []byte) []byte {
			var raw []byte
			for _, n := range blocks {
				raw = binary.LittleEndian.AppendUint32(raw, n)
			}
			for range blocks {
				raw = binary.LittleEndian.AppendUint64(raw, 1<<63|1)
			}
			packed := s2.Encode(nil, append(raw, make([]byte, len(blocks)*2*lineSize)...))
			b = binary.LittleEndian.AppendUint32(b[:chunks], count)
			b = binary.LittleEndian.AppendUint32(b, uint32(len(packed))) //nolint:gosec // short
			return append(append(b, packed...), 0, 0, 0, 0, 0, 0, 0, 0)
		}
	}
	tests := []struct {
		name   string
		change func(body []byte) []byte
		want   error
	}{
		{"nothing wrong", func(b []byte) []byte { return b }, nil},
		{"another version", func(b []byte) []byte { b[stateVersion]++; return b }, ErrOtherBase},
		{"a version that is none", func(b []byte) []byte { b[stateVersion] = 'x'; return b }, ErrDamaged},
		{"another image", func(b []byte) []byte { b[len(stateMagic)] ^= 1; return b }, ErrOtherBase},
		{"another format", func(b []byte) []byte { b[0] ^= 1; return b }, ErrDamaged},
		{"less memory than the image", put(numbers+12, 7), ErrDamaged},
		{"more memory than there can be", put(numbers+12, maxPages+1), ErrDamaged},
		{"blocks beyond its memory", put(numbers+12, 20), ErrDamaged},
		{"another number of globals", put(numbers+16, 3), ErrDamaged},
		{"more generators than are kept", put(numbers+20, maxEntropy+1), ErrDamaged},
		{"more generators than there are", put(numbers+20, maxEntropy), ErrDamaged},
		{"a generator outside of its memory", put(stateHeader+2*globalSize, 30*PageSize-1), ErrDamaged},
		{"a generator of a megabyte", put(stateHeader+2*globalSize+4, 1<<20), ErrDamaged},
		{"a chunk of too many blocks", put(chunks, chunkBlocks+1), ErrDamaged},
		{"a chunk of fewer blocks than it has", put(chunks, 1), ErrDamaged},
		{"a chunk larger than what follows", put(chunks+4, 1<<31), ErrDamaged},
		{"an empty chunk in the middle", put(chunks, 0), ErrDamaged},
		{"no chunk at all", func(b []byte) []byte { return b[:chunks] }, ErrDamaged},
		{"no last chunk", func(b []byte) []byte { return b[:len(b)-chunkHeader] }, ErrDamaged},
		{"bytes after the last chunk", func(b []byte) []byte { return append(b, make([]byte, chunkHeader)...) }, ErrDamaged},
		{"two blocks in order", one(2, 3, 4), nil},
		{"one block twice", one(2, 3, 3), ErrDamaged},
		{"blocks in disorder", one(2, 4, 3), ErrDamaged},
		{"a block past the end", one(1, 30*PageSize/blockSize), ErrDamaged},
		{"a block number that overflows", one(1, 1<<32-1), ErrDamaged},
		{"a chunk that says it unpacks to 4 GiB", func(b []byte) []byte {
			b = binary.LittleEndian.AppendUint32(b[:chunks], 1)
			return append(append(b, 5, 0, 0, 0), 0xff, 0xff, 0xff, 0xff, 0x0f)
		}, ErrDamaged},
		{"a chunk that unpacks to more than a chunk", one(chunkBlocks, make([]uint32, 100*chunkBlocks)...), ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := tt.change(bytes.Clone(data[:len(data)-sealSize]))
			if err := use(t, im, seal(body)); !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			r := acquire(t, im)
			defer r.Release()
			check(t, r, content(8), stateLimit)
		})
	}
}

// TestStatesOfOtherFormats has states that earlier and later versions sealed their way.
func TestStatesOfOtherFormats(t *testing.T) {
	im := openImage(t, content(8))
	data := someState(t, im)
	for _, version := range []byte("13456789") {
		body := bytes.Clone(data[:len(data)-sealSize])
		body[stateVersion] = version
		sum := sha256.Sum256(body) // as version 1 did
		if err := use(t, im, append(body, sum[:]...)); !errors.Is(err, ErrOtherBase) || errors.Is(err, ErrDamaged) {
			t.Errorf("version %c: got %v, want %v", version, err, ErrOtherBase)
		}
	}
}

func TestAStateBelongsToItsImage(t *testing.T) {
	im := openImage(t, content(8))
	data := someState(t, im)
	changed := content(8)
	changed[0]++
	for name, other := range map[string]*Image{
		"other memory":   openImage(t, changed),
		"another module": {description: im.description, memory: im.memory, identity: identify("other", nil)},
	} {
		withGlobals(other)
		if _, err := other.Load(data); !errors.Is(err, ErrOtherBase) {
			t.Errorf("%s: got %v, want %v", name, err, ErrOtherBase)
		}
	}
	if _, err := openImage(t, content(8)).Load(data); errors.Is(err, ErrOtherBase) {
		t.Errorf("the same image, made again: %v", err)
	}
}

func TestAStateIsHeldAgainstTheLimit(t *testing.T) {
	im := openImage(t, content(8))
	s, err := im.Load(someState(t, im))
	if err != nil {
		t.Fatal(err)
	}
	r, err := im.Acquire(29 * PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if err := s.Apply(r); err == nil || errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v", err)
	}
	check(t, r, content(8), 29*PageSize)
}

func TestSavingEndsWithItsContext(t *testing.T) {
	im := openImage(t, content(8))
	r := acquire(t, im)
	defer r.Release()
	r.Bytes()[0]++
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := im.Save(ctx, withGlobals(im), r, Kept{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if _, err := im.Save(t.Context(), withGlobals(im), r, Kept{Entropy: make([]Range, maxEntropy+1)}); err == nil {
		t.Fatal("more generators than can be loaded were saved")
	}
	if _, err := im.Save(t.Context(), fakeModule{}, r, Kept{}); err == nil {
		t.Fatal("a module without its globals was saved")
	}
}

// FuzzState applies states of a right checksum, whatever they say. They must be
// refused by name or fit into the region, which must be as new afterwards.
func FuzzState(f *testing.F) {
	const limit = 4 * PageSize
	dir := f.TempDir()
	writeImage(f, dir, content(2))
	im, err := Open(dir, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = im.Close() })
	mod := withGlobals(im)
	acquire := func(tb testing.TB) *Region {
		r, err := im.Acquire(limit)
		if err != nil {
			tb.Fatal(err)
		}
		return r
	}
	for changed := range 3 {
		r := acquire(f)
		for n := range changed {
			r.Reallocate(3 * PageSize)[n*PageSize*5/2]++
		}
		data := save(f, im, mod, r, Kept{Entropy: []Range{{Start: 1, Length: 2}}})
		r.Release()
		f.Add(data[:len(data)-sealSize])
	}
	fresh := append(content(2), make([]byte, limit-2*PageSize)...)
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) >= stateHeader { // most would be of another image
			copy(body[len(stateMagic):], im.identity[:])
		}
		s, err := im.Load(seal(bytes.Clone(body)))
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrOtherBase) {
				t.Fatal(err)
			}
			return
		}
		r := acquire(t)
		if err = s.Apply(r); err == nil && r.Size() != s.Memory() {
			t.Fatalf("%d bytes of memory, the state says %d", r.Size(), s.Memory())
		}
		r.Release()
		if tooLarge := s.Memory() > limit; tooLarge != (err != nil && !errors.Is(err, ErrDamaged)) {
			t.Fatalf("%d bytes of memory: %v", s.Memory(), err)
		}
		r = acquire(t)
		defer r.Release()
		if r.Size() != 2*PageSize || !bytes.Equal(r.Reallocate(limit), fresh) {
			t.Fatal("the region is not as new")
		}
	})
}
