package host

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/sandboxd/sandboxd/host/image"
)

// checkpoint is where a warm-up ends: the guest writes what its driver needs to
// know into a virtual file and returns. A module that only has a beginning cannot
// return: it asks for the time, inside which it is captured. Asking for the time
// is a call during which CPython keeps its lock, so that the captured interpreter
// is one that may run.
type checkpoint struct {
	told    bytes.Buffer
	capture func(in *instance, told []byte) error
	reached bool
	ticks   int64 // of the warm-up's clocks
	err     error
	imports preloads
}

// toldLimit is far more than a driver tells.
const toldLimit = 4096

// Write arms the checkpoint.
func (c *checkpoint) Write(p []byte) (int, error) {
	if c.told.Len()+len(p) > toldLimit {
		return 0, io.ErrShortWrite
	}
	return c.told.Write(p)
}

// errNoCheckpoint means that the warm-up ended by itself.
var errNoCheckpoint = errors.New("the warm-up did not reach its checkpoint")

// walltime is the guest's clock, and the checkpoint of a warm-up that has no end.
func (in *instance) walltime() (sec int64, nsec int32) {
	if c := in.checkpoint; c != nil && c.told.Len() > 0 && in.entry == image.ExportStart {
		c.take(in)
		in.end(ending{status: StatusOK})
	}
	if in.checkpoint != nil {
		return in.warmUpTime()
	}
	now := time.Now()
	return now.Unix(), int32(now.Nanosecond()) //nolint:gosec // below one billion
}

// warmUpDate is what every warm-up takes for the time: images of one runtime are to be
// the same whenever and wherever they are made, so that states of one go with another.
const warmUpDate = 1_700_000_000

// warmUpTime is the wall clock of a warm-up.
func (in *instance) warmUpTime() (sec int64, nsec int32) {
	t := time.Unix(warmUpDate, in.warmUpTick())
	return t.Unix(), int32(t.Nanosecond()) //nolint:gosec // below one billion
}

// warmUpTick is the monotonic clock of a warm-up. It ticks when it is looked at.
func (in *instance) warmUpTick() int64 {
	in.checkpoint.ticks++
	return in.checkpoint.ticks * int64(time.Microsecond)
}

// take captures the instance, if the warm-up told what its driver needs to know.
func (c *checkpoint) take(in *instance) {
	if c.told.Len() > 0 {
		c.reached = true
		c.err = c.capture(in, c.told.Bytes())
	}
}
