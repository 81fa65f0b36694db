// Package owned is about files and directories of one user's that several processes
// share: locks that end with the process that holds them, and what other users may not
// do there. It knows nothing of sandboxd.
package owned

import (
	"io"
	"os"
	"time"
)

// Others says what other users may do in a directory. Root is not counted among them:
// it can do anything anyway.
type Others int

const (
	// Nothing lets nobody else in.
	Nothing Others = iota
	// Reading lets others read what is there, and change nothing.
	Reading
)

// Hold keeps others from taking the lock of [TryLock] of a directory until it is closed,
// or the process ends; nil if the directory is not there, or somebody with that lock has
// just moved it away. Where there are no locks it keeps nobody from anything: an open
// directory could not be renamed there.
func Hold(dir string) io.Closer {
	if !Locks {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil
		}
		return io.NopCloser(nil)
	}
	for {
		file, err := os.Open(dir) //nolint:gosec // the caller's own
		if err != nil {
			return nil
		}
		_ = LockShared(file)
		held, err := file.Stat()
		if err == nil && held.IsDir() {
			if now, err := os.Stat(dir); err == nil && os.SameFile(held, now) {
				return file
			}
		}
		_ = file.Close()
		if err != nil || !held.IsDir() {
			return nil
		}
	}
}

// TouchEvery is how exact [Touch] is: a file may have been used so much later than its
// time of modification says.
const TouchEvery = time.Hour

// Touch records that a file is used now, by its time of modification. That it cannot,
// such as where files can only be read, is no reason not to use the file.
func Touch(name string) {
	info, err := os.Stat(name)
	if err != nil {
		return
	}
	now := time.Now()
	if ago := now.Sub(info.ModTime()); ago < 0 || ago >= TouchEvery {
		_ = os.Chtimes(name, now, now)
	}
}
