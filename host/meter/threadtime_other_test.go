//go:build !linux

package meter

import "time"

var begin = time.Now()

// threadTime is wall time where the time of a thread is not to be had.
func threadTime() int64 { return int64(time.Since(begin)) }
