//go:build !unix

package guestfs

// countsLinks says whether it can be told how many names a file has.
const countsLinks = false
