package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"unsafe"

	"github.com/sandboxd/sandboxd/internal/measure"
	"github.com/sandboxd/sandboxd/policies"
)

// hellos are the smallest programs of languages, what they may cost in memory, and the
// same programs with an end that waits for input.
var hellos = []struct {
	language, program, waiting string
	pages                      int    // of linear memory, of 4 KiB
	private                    uint64 // bytes, of all that an instance takes
}{
	{"javascript", "console.log('hi')\n", "console.log('hi')\nrequire('fs').readFileSync(0)\n", 24, 512 << 10},
	{"python", "print('hi')\n", "print('hi')\nimport sys\nsys.stdin.read()\n", 176, 1 << 20},
}

// TestASmallCallWritesToFewPages counts those that an instance has a copy of. One that
// is new in the list of a language's library, or of what it does at its start, shows here.
func TestASmallCallWritesToFewPages(t *testing.T) {
	h := cachedHost(t)
	for _, tt := range hellos {
		t.Run(tt.language, func(t *testing.T) {
			p := snapshotted(t, h, lookup(t, tt.language))
			profile := resetProfile()
			// Memory that no other call had: what was private once stays so.
			profile.Memory = 37 << 20
			count := 0
			r := run(t, h, p, profile, &Request{Language: tt.language, Code: []byte(tt.program)}, func(in *instance) {
				count = privatePages(t, in.region.Bytes())
			})
			if r.Status != StatusOK {
				t.Fatalf("%+v", r)
			}
			t.Logf("%d pages", count)
			if count == 0 || count > tt.pages {
				t.Errorf("%d pages became private, at most %d may", count, tt.pages)
			}
		})
	}
}

// TestAnInstanceTakesLittleMemory holds what sandboxd bench measures against what is
// promised.
func TestAnInstanceTakesLittleMemory(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector shadows what is written")
	}
	h := cachedHost(t)
	for _, tt := range hellos {
		t.Run(tt.language, func(t *testing.T) {
			p := snapshotted(t, h, lookup(t, tt.language))
			var size uint64
			for round := range 3 { // what else the process does may need memory meanwhile
				profile := testProfile()
				profile.Memory = policies.Bytes(39+round) << 20 // of which there are no regions to use again
				var err error
				size, err = measure.PerInstance(t.Context(), func(_ context.Context, stdin io.Reader) error {
					c, err := h.newCall(p, profile, &Request{Language: tt.language, Code: []byte(tt.waiting), Stdin: stdin})
					if err != nil {
						return err
					}
					if r := c.execute(t.Context(), func() {}, func() {}); r.Status != StatusOK {
						return fmt.Errorf("%s: %s", r.Status, r.Stderr)
					}
					return nil
				})
				if errors.Is(err, errors.ErrUnsupported) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d KiB", size>>10)
				if size <= tt.private {
					break
				}
			}
			if size > tt.private {
				t.Errorf("one more instance takes %v, at most %v is promised", policies.Bytes(size), policies.Bytes(tt.private))
			}
		})
	}
}

// privatePages counts the pages of memory that no file backs.
//
// See https://docs.kernel.org/admin-guide/mm/pagemap.html
func privatePages(t *testing.T, memory []byte) int {
	t.Helper()
	const entry, ofFile, swapped, present = 8, 1 << 61, 1 << 62, 1 << 63
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = f.Close() }()
	page := os.Getpagesize()
	entries := make([]byte, len(memory)/page*entry)
	first := int64(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))) / int64(page) //nolint:gosec // where to look
	if _, err := f.ReadAt(entries, first*entry); err != nil {
		t.Skip(err)
	}
	count := 0
	for at := 0; at < len(entries); at += entry {
		if e := binary.LittleEndian.Uint64(entries[at:]); e&(present|swapped) != 0 && e&ofFile == 0 {
			count++
		}
	}
	return count
}
