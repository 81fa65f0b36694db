// Package owned is about files and directories of one user's that several processes
// share: locks that end with the process that holds them, and what other users may not
// do there. It knows nothing of sandboxd.
package owned

// Others says what other users may do in a directory. Root is not counted among them:
// it can do anything anyway.
type Others int

const (
	// Nothing lets nobody else in.
	Nothing Others = iota
	// Reading lets others read what is there, and change nothing.
	Reading
)
