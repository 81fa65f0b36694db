package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// randomDamage is something that can happen to a file of a prepared runtime, at a
// place that rng decides. others are the runtime's files.
type randomDamage struct {
	name   string
	change func(rng *rand.Rand, b []byte, others []string) []byte
}

var randomDamages = []randomDamage{
	{"deleted", func(*rand.Rand, []byte, []string) []byte { return nil }},
	{"truncated", func(rng *rand.Rand, b []byte, _ []string) []byte { return b[:rng.IntN(len(b))] }},
	{"a bit flipped", func(rng *rand.Rand, b []byte, _ []string) []byte {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		return b
	}},
	{"a page changed", func(rng *rand.Rand, b []byte, _ []string) []byte {
		at := rng.IntN(len(b))
		page := b[at:min(at+4096, len(b))]
		for i := range page {
			page[i]++
		}
		return b
	}},
	{"two parts exchanged", func(rng *rand.Rand, b []byte, _ []string) []byte {
		at := 1 + rng.IntN(len(b)-1)
		exchanged := slices.Concat(b[at:], b[:at])
		if bytes.Equal(exchanged, b) {
			exchanged[0]++
		}
		return exchanged
	}},
	{"another file in its place", func(rng *rand.Rand, b []byte, others []string) []byte {
		for {
			other, err := os.ReadFile(others[rng.IntN(len(others))])
			if err != nil || !bytes.Equal(other, b) {
				return other
			}
		}
	}},
}

// noticed prepares a runtime in a cache that spoil was let loose on. The host must
// warn and begin to prepare it again, which is cut short there.
func noticed(t *testing.T, b *builder, spoil func(entry string)) {
	t.Helper()
	dir, entry := cloneCache(t, b)
	spoil(entry)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := &notes{onRepair: cancel}
	h, err := Open(ctx, Options{CacheDir: dir, Progress: n.progress})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	err = h.Prepare(ctx, "python")
	if !errors.Is(err, context.Canceled) || len(n.warnings) != 1 || !strings.Contains(n.warnings[0], "damaged") {
		t.Errorf("got %v, warnings %q", err, n.warnings)
	}
}

// TestEveryDamageIsNoticed spoils each file of a prepared runtime in every way, at
// random places.
func TestEveryDamageIsNoticed(t *testing.T) {
	h, _ := pythonPlugin(t)
	b := pythonBuilder(t, h)
	_, entry := cloneCache(t, b)
	files := regular(t, entry)
	for seed := range Amount(1, 2, 100) {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		for _, file := range files {
			name, err := filepath.Rel(entry, file)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range randomDamages {
				t.Run(fmt.Sprintf("%s %s %d", filepath.Base(name), d.name, seed), func(t *testing.T) {
					noticed(t, b, func(entry string) {
						damage(t, filepath.Join(entry, name), func(b []byte) []byte { return d.change(rng, b, files) })
					})
				})
			}
		}
	}
}

// TestDamagedDirectoriesAreNoticed is about what is more or less than a file.
func TestDamagedDirectoriesAreNoticed(t *testing.T) {
	h, _ := pythonPlugin(t)
	b := pythonBuilder(t, h)
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for what, spoil := range map[string]func(t *testing.T, entry string){
		"everything gone": func(t *testing.T, entry string) {
			must(t, os.RemoveAll(entry))
			must(t, os.Mkdir(entry, 0o700))
		},
		"no image":         func(t *testing.T, entry string) { must(t, os.RemoveAll(filepath.Join(entry, imageDir))) },
		"no compiled code": func(t *testing.T, entry string) { must(t, os.RemoveAll(filepath.Join(entry, compiledDir))) },
		"a directory in place of a file": func(t *testing.T, entry string) {
			must(t, os.Remove(filepath.Join(entry, moduleFile)))
			must(t, os.Mkdir(filepath.Join(entry, moduleFile), 0o700))
		},
		"a link to nowhere": func(t *testing.T, entry string) {
			must(t, os.Remove(filepath.Join(entry, moduleFile)))
			must(t, os.Symlink("nowhere", filepath.Join(entry, moduleFile)))
		},
	} {
		t.Run(what, func(t *testing.T) { noticed(t, b, func(entry string) { spoil(t, entry) }) })
	}
}
