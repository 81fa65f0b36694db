package image

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// content is memory of n pages that is nowhere zero.
func content(pages int) []byte {
	b := make([]byte, pages*PageSize)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + 1)
	}
	return b
}

func openImage(t *testing.T, memory []byte) *Image {
	t.Helper()
	dir := t.TempDir()
	writeImage(t, dir, memory)
	im, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := im.Close(); err != nil {
			t.Error(err)
		}
	})
	return im
}

// backings opens the same memory in every way there is on this system.
func backings(t *testing.T, memory []byte) map[string]*Image {
	t.Helper()
	images := map[string]*Image{"this system's best": openImage(t, memory)}
	copied := openImage(t, memory)
	if err := copied.memory.close(); err != nil {
		t.Fatal(err)
	}
	copied.memory = &copiedBacking{content: memory}
	images["copied"] = copied
	addWithoutPagemap(t, images, memory)
	return images
}

func check(t *testing.T, r *Region, want []byte, limit uint64) {
	t.Helper()
	if r.Size() != uint64(len(want)) || r.Refused() {
		t.Fatalf("size %d, refused %t; want %d, false", r.Size(), r.Refused(), len(want))
	}
	if !bytes.Equal(r.Bytes(), want) {
		t.Fatal("the region does not begin with the image")
	}
	all := r.Reallocate(limit)
	if all == nil {
		t.Fatalf("cannot grow to the limit")
	}
	for i, b := range all[len(want):] {
		if b != 0 {
			t.Fatalf("byte %d above the image is %#x, want 0", i, b)
		}
	}
}

func TestReleasedRegionEqualsAFreshOne(t *testing.T) {
	const limit = 40 * PageSize
	memory := content(8)
	for name, im := range backings(t, memory) {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a repeatable test
			for round := range 300 {
				r, err := im.Acquire(limit)
				if err != nil {
					t.Fatal(err)
				}
				check(t, r, memory, limit)
				scribble(rng, r.Bytes(), round)
				r.Reallocate(limit + 1) // refused, which must be forgotten
				r.Release()
			}
			if !bytes.Equal(im.memory.bytes(), memory) {
				t.Fatal("a guest changed the image")
			}
		})
	}
}

// scribble writes as guests do: a few pages, many pages, or everything.
func scribble(rng *rand.Rand, b []byte, round int) {
	switch round % 3 {
	case 0:
		for range 20 {
			b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
		}
	case 1:
		from := rng.IntN(len(b))
		for i := from; i < min(len(b), from+rng.IntN(len(b))); i++ {
			b[i] = byte(round)
		}
	case 2:
		clear(b)
	}
}

func TestBlankRegionsStartEmpty(t *testing.T) {
	im, err := Blank()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := im.Close(); err != nil {
			t.Error(err)
		}
	}()
	for range 10 {
		r, err := im.Acquire(64 * PageSize)
		if err != nil {
			t.Fatal(err)
		}
		if r.Size() != 0 {
			t.Fatalf("a new region has %d bytes", r.Size())
		}
		for i, b := range r.Reallocate(16 * PageSize) {
			if b != 0 {
				t.Fatalf("byte %d is %#x", i, b)
			}
		}
		for i := range r.Bytes() {
			r.Bytes()[i] = 0xff
		}
		r.Release()
	}
}

func TestGrowthStopsAtTheLimit(t *testing.T) {
	im := openImage(t, content(1))
	r, err := im.Acquire(3 * PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if b := r.Reallocate(3 * PageSize); len(b) != 3*PageSize || r.Refused() {
		t.Fatalf("got %d bytes, refused %t", len(b), r.Refused())
	}
	if b := r.Reallocate(3*PageSize + 1); b != nil || !r.Refused() {
		t.Fatalf("beyond the limit: got %d bytes, refused %t", len(b), r.Refused())
	}
	if r.Size() != 3*PageSize {
		t.Fatalf("a refusal changed the size to %d", r.Size())
	}
}

func TestAcquireRefusesALimitBelowTheImage(t *testing.T) {
	im := openImage(t, content(2))
	if r, err := im.Acquire(PageSize); err == nil {
		r.Release()
		t.Fatal("no error")
	}
}

func TestRegionsAreSeparate(t *testing.T) {
	memory := content(2)
	im := openImage(t, memory)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for range 100 {
				r, err := im.Acquire(4 * PageSize)
				if err != nil {
					t.Error(err)
					return
				}
				if !bytes.Equal(r.Bytes(), memory) {
					t.Error("a region begins with something else")
				}
				for i := range r.Bytes() {
					r.Bytes()[i] = byte(worker)
				}
				runtime.Gosched()
				for _, b := range r.Bytes() {
					if b != byte(worker) {
						t.Errorf("another worker wrote %d", b)
						break
					}
				}
				r.Release()
			}
		})
	}
	wg.Wait()
}

func TestOpenRefusesDamage(t *testing.T) {
	memory := content(2)
	for name, damage := range map[string]func(dir string) error{
		"a flipped bit": func(dir string) error {
			b := bytes.Clone(memory)
			b[PageSize] ^= 0x10
			return os.WriteFile(filepath.Join(dir, memoryFile), b, 0o600)
		},
		"a truncated memory": func(dir string) error {
			return os.Truncate(filepath.Join(dir, memoryFile), PageSize)
		},
		"a longer memory": func(dir string) error {
			return os.Truncate(filepath.Join(dir, memoryFile), 3*PageSize)
		},
		"an empty description": func(dir string) error {
			return os.Truncate(filepath.Join(dir, descriptionFile), 0)
		},
		"a description of another format": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, descriptionFile), []byte(`{"size":131072,"captured":"sandboxd image 0"}`), 0o600)
		},
		"an absurd size": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, descriptionFile), []byte(`{"size":18446744073709486080,"captured":"`+format+`"}`), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeImage(t, dir, memory)
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			im, err := Open(dir, "")
			if err == nil {
				_ = im.Close()
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("got %v, want %v", err, ErrDamaged)
			}
		})
	}
}

func BenchmarkReset(b *testing.B) {
	dir := b.TempDir()
	writeImage(b, dir, content(300))
	im, err := Open(dir, "")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = im.Close() }()
	for b.Loop() {
		r, err := im.Acquire(512 * PageSize)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 157 { // as many pages as a small Python program writes
			r.Bytes()[i*17*4096%len(r.Bytes())]++
		}
		r.Release()
	}
}
