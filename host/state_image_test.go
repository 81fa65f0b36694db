package host

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host/image"
)

// TestTheSameRuntimeGivesTheSameImage warms one runtime up twice: then states of one
// image go with the other. The prebuilt Python leaves a file's time on its stack.
func TestTheSameRuntimeGivesTheSameImage(t *testing.T) {
	h, shared := pythonPlugin(t)
	if !shared.driver.(*cpython).reactor {
		t.Skip("of the Python built from source")
	}
	var images [2][]byte
	for n := range images {
		b, p := pythonBuilder(t, h), bare(t, shared)
		p.image = nil
		dir := filepath.Join(t.TempDir(), imageDir)
		err := b.snapshot(t.Context(), p, dir)
		p.standby.close()
		p.live.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.image.Close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"memory", "image.json"} {
			content, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // a test's own
			if err != nil {
				t.Fatal(err)
			}
			images[n] = append(images[n], content...)
		}
	}
	if !bytes.Equal(images[0], images[1]) {
		t.Error("they differ")
	}
}

// TestWithoutASnapshotThereIsNoState starts Python plainly.
func TestWithoutASnapshotThereIsNoState(t *testing.T) {
	h, shared := pythonPlugin(t)
	p := bare(t, shared)
	profile := resetProfile()
	profile.Fuel = 10_000_000_000
	r := run(t, h, shared, profile, &Request{Code: []byte("x = 1"), KeepState: true}, nil)
	if r.State == nil {
		t.Fatal(r.StateError)
	}
	p.image = nil
	plain := run(t, h, p, profile, &Request{Code: []byte("print(1)"), KeepState: true}, nil)
	if plain.Status != StatusOK || plain.Stdout != "1\n" || plain.State != nil || plain.StateError == "" {
		t.Errorf("%+v", plain)
	}
	if _, err := h.newCall(p, profile, &Request{State: r.State}); !errors.Is(err, ErrStateVersion) {
		t.Errorf("got %v", err)
	}
}

// TestAnAbandonedCallKeepsNothing has the time end, at which a call is given up whose
// guest did not return.
func TestAnAbandonedCallKeepsNothing(t *testing.T) {
	h, shared := pythonPlugin(t)
	c, err := h.newCall(shared, resetProfile(), &Request{Code: []byte("x = 1"), KeepState: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { c.close(); c.in.release() }()
	if r := c.abandoned(StatusTimeout); r.State != nil || r.StateError == "" {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := &Result{}
	c.in.image = shared.image
	if err := c.in.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.save(ctx, time.Now().Add(time.Minute), r, kept{}); r.State != nil || r.StateError == "" {
		t.Errorf("after the caller's end: %+v", r)
	}
	if c.save(t.Context(), time.Now(), r, kept{}); r.State != nil || r.StateError == "" {
		t.Errorf("after the deadline: %+v", r)
	}
}

// TestAClockDoesNotGoBack is about clocks that were ahead, and those of damaged states.
func TestAClockDoesNotGoBack(t *testing.T) {
	now := int64(time.Since(epoch))
	for _, shown := range []int64{0, -1 << 63, now - 1, now + int64(time.Hour), 1<<63 - 1} {
		in := &instance{ahead: aheadOf(shown)}
		if got := in.nanotime(); got < now || got < min(shown, 1<<62) {
			t.Errorf("it showed %d, and shows %d", shown, got)
		}
	}
}

func TestAFarewellIsNotTrusted(t *testing.T) {
	tests := []struct {
		name, text string
		want       kept
		wrong      bool
	}{
		{"an exit code", `{"exit":3,"random":[]}`, kept{exitCode: 3}, false},
		{"a code of more than 8 bits", `{"exit":-1}`, kept{exitCode: 255}, false},
		{"a generator", `{"exit":0,"random":[16]}`, kept{entropy: []image.Range{{Start: 28, Length: 2496}}}, false},
		{"a generator beyond memory", `{"exit":0,"random":[4294967295]}`, kept{}, false},
		{"nothing", ``, kept{}, true},
		{"no exit code", `{}`, kept{}, true},
		{"a code that is no number", `{"exit":1e999}`, kept{}, true},
		{"a negative address", `{"exit":0,"random":[-1]}`, kept{}, true},
		{"two of them", `{"exit":0}{"exit":0}`, kept{}, true},
	}
	for _, tt := range tests {
		got, err := (&cpython{}).kept([]byte(tt.text))
		if (err != nil) != tt.wrong || got.exitCode != tt.want.exitCode || !slices.Equal(got.entropy, tt.want.entropy) {
			t.Errorf("%s: got %+v, %v", tt.name, got, err)
		}
		// JavaScript's has the same form, and says nothing of generators that counts.
		script, err := (&quickjs{}).kept([]byte(tt.text))
		if err == nil && (script.exitCode != tt.want.exitCode || script.entropy != nil || !script.ofImage) {
			t.Errorf("%s: in JavaScript got %+v", tt.name, script)
		}
	}
}
