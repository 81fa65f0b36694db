package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/policies"
)

// keeper is a driver whose interpreter can go on after a call. Its guest's half, in a
// call that keeps state, returns from the entry function whatever the program's exit
// code, after it has written a farewell to the file that files shows as
// call.farewell.
type keeper interface {
	// kept reads a farewell. A program runs in the same interpreter and may have
	// written it: what it says concerns that interpreter only.
	kept(farewell []byte) (kept, error)
}

// kept is what an interpreter says of itself when a call leaves it whole.
type kept struct {
	exitCode int
	// entropy is where its random generators are that are to draw other numbers
	// each time.
	entropy []image.Range
	// ofImage says that they are those of the image instead.
	ofImage bool
}

// farewellLimit is far more than a driver says in a farewell.
const farewellLimit = 1 << 20

// farewell receives what the interpreter says when it has done its part of a call.
// A guest may write here what it likes, any number of times; the last write counts.
type farewell struct {
	in     *instance
	warned bool
	text   []byte
	// left is whether files were left open, and most how many were open at once.
	left bool
	most int
}

// errFilesOpen tells the guest, as an error of its write, that files are open.
var errFilesOpen = errors.New("files are open")

// Write keeps the text. The first one is refused while files are open, so that the
// guest need not look for any after most programs.
func (f *farewell) Write(p []byte) (int, error) {
	open, most := f.in.files.Open()
	f.left, f.most = open > 1, most // all paths are looked up through the root directory
	if f.left && !f.warned {
		f.warned = true
		return 0, errFilesOpen
	}
	if len(p) > farewellLimit {
		return 0, io.ErrShortWrite
	}
	f.text = append(f.text[:0], p...)
	return len(p), nil
}

// loadState reads the state that the call goes on from, if there is one.
func (c *call) loadState() error {
	if c.request.State == nil {
		return nil
	}
	if c.plugin.image == nil {
		return fmt.Errorf("%w: %s starts without a snapshot", ErrStateVersion, c.plugin.definition.Name)
	}
	state, err := c.plugin.image.Load(c.request.State)
	if errors.Is(err, image.ErrOtherBase) && c.plugin.base != nil {
		return fmt.Errorf("%w (or packages were added, removed or updated, of which some are preloaded)", ErrStateVersion)
	}
	if err != nil {
		return stateError(err)
	}
	if needed := state.Memory(); needed > uint64(c.profile.Memory)+c.plugin.own() {
		return fmt.Errorf("%w: the state takes %v of memory, the limit is %v (profile %q, key \"memory\")",
			policies.ErrInvalid, policies.Bytes(needed), c.profile.Memory, c.profile.Name)
	}
	c.state = state
	return nil
}

// resume makes an instance that nobody entered yet hold the state.
func (in *instance) resume(s *image.State) error {
	if s == nil {
		return nil
	}
	if s.Gone > policies.MaxOpenFiles {
		return fmt.Errorf("%w: %d descriptors", ErrState, s.Gone)
	}
	in.resumed = s
	in.ahead = aheadOf(s.Clock)
	if err := s.Apply(in.region); err != nil {
		return stateError(err)
	}
	return nil
}

// stateError gives an error of package image its class here.
func stateError(err error) error {
	switch {
	case errors.Is(err, image.ErrOtherBase):
		return fmt.Errorf("%w (%w)", ErrStateVersion, err)
	case errors.Is(err, image.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrState, err)
	default:
		return err
	}
}

// said reads the farewell of a guest that returned by itself. Why there is none, or no
// use in it, is told in words.
func (c *call) said(err error) (kept, string) {
	driver, ok := c.plugin.driver.(keeper)
	switch {
	case !ok:
		return kept{}, fmt.Sprintf("%s keeps no state", c.plugin.definition.Name)
	case c.in.image == nil:
		return kept{}, fmt.Sprintf("%s starts without a snapshot, and keeps no state", c.plugin.definition.Name)
	case c.in.ended != nil && c.in.ended.status == StatusOK:
		return kept{}, "the program ended its process, and its interpreter with it"
	case c.in.ended != nil:
		return kept{}, fmt.Sprintf("the program was stopped (%s) with its interpreter in the middle of something", c.in.ended.status)
	case err != nil:
		return kept{}, "the interpreter failed"
	}
	k, err := driver.kept(c.in.farewell.text)
	if err != nil {
		return kept{}, "the interpreter did not end the call as it should"
	}
	return k, ""
}

// save fills in the result's State, or says why there is none, until then and no longer
// than ctx.
func (c *call) save(ctx context.Context, until time.Time, r *Result, k kept) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	in := c.in
	if k.ofImage {
		k.entropy = in.image.Target.Entropy
	}
	gone := c.gone()
	if most := c.profile.Disk.OpenFiles / 2; uint64(gone) > most {
		r.StateError = fmt.Sprintf("the program leaves descriptors open in one call after the other, and has used up half of its %d (profile %q, key \"disk.open_files\")", most*2, c.profile.Name)
		return
	}
	state, err := in.image.Save(ctx, in.mod, in.region, image.Kept{Entropy: k.entropy, Clock: in.nanotime(), Gone: gone})
	switch {
	case err == nil:
		r.State = state
	case ctx.Err() != nil:
		r.StateError = "time ran out before the state was saved"
	default:
		r.StateError = err.Error()
	}
}

// gone is how many of the lowest descriptors may be in use by what is left of files
// that are not open any more: those that were open at once at most, if any were left
// open, since each file gets the lowest one that is free. No other file may get them:
// what uses them would read from it, or close it.
func (c *call) gone() uint32 {
	switch f := &c.in.farewell; {
	case f.left:
		return uint32(f.most) //nolint:gosec // at most policies.MaxOpenFiles
	case c.state != nil:
		return c.state.Gone
	}
	return 0
}
