//go:build !linux

package blobstore

// bootID is not known on this system.
func bootID() string { return "" }
