package measure

import (
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
)

func TestAnInstanceCostsWhatItWrites(t *testing.T) {
	const size = 4 << 20
	got, err := PerInstance(t.Context(), func(_ context.Context, stdin io.Reader) error {
		// The kernel writes the pages, since the race detector would shadow ours.
		held, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE,
			syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_POPULATE)
		if err != nil {
			return err
		}
		_, err = io.ReadAll(stdin)
		return errors.Join(err, syscall.Munmap(held))
	})
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got < size*9/10 || got > size*12/10 {
		t.Errorf("an instance of %d bytes was measured as %d", size, got)
	}
}
