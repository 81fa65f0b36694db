package main

import (
	"context"
	"os"
	"time"
)

// parentPoll is how often a parent is looked for where the system does not tell.
const parentPoll = time.Second

// parentGone returns a channel that is closed when the process that started this one
// has ended.
func parentGone(ctx context.Context) <-chan struct{} {
	gone := make(chan struct{})
	parent := os.Getppid()
	wait := parentWaiter(parent)
	go func() {
		if wait() {
			close(gone)
			return
		}
		tick := time.NewTicker(parentPoll)
		defer tick.Stop()
		for os.Getppid() == parent {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		close(gone)
	}()
	return gone
}
