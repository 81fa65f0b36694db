package host

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// checkpoint is where a warm-up ends: the guest writes what its driver needs to
// know into a virtual file and then asks for the time, inside which it is
// captured. Asking for the time is a call during which CPython keeps its lock,
// so that the captured interpreter is one that may run.
type checkpoint struct {
	told    bytes.Buffer
	capture func(in *instance, told []byte) error
	reached bool
	err     error
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

// walltime is the guest's clock, and the checkpoint of a warm-up.
func (in *instance) walltime() (sec int64, nsec int32) {
	if c := in.checkpoint; c != nil && c.told.Len() > 0 {
		c.reached = true
		c.err = c.capture(in, c.told.Bytes())
		in.end(ending{status: StatusOK})
	}
	now := time.Now()
	return now.Unix(), int32(now.Nanosecond()) //nolint:gosec // below one billion
}
