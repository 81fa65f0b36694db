package main

import "os"

// parentWaiter returns a function that waits for the end of a parent, and reports
// whether it could.
func parentWaiter(parent int) func() bool {
	process, err := os.FindProcess(parent)
	if err != nil { // it has ended already
		return func() bool { return true }
	}
	return func() bool {
		_, err := process.Wait()
		return err == nil
	}
}
