//go:build !linux && !windows

package main

// parentWaiter returns a function that cannot wait for the end of a parent.
func parentWaiter(int) func() bool { return func() bool { return false } }
