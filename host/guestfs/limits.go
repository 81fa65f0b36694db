package guestfs

import (
	"fmt"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Limits bound what a guest's files may take. Usage is counted over all writable
// mounts that the guest changed: what they held when the guest first changed
// them, plus what it added. A mount that already holds more than MaxBytes or
// MaxFiles is full: nothing in it can grow and nothing can be created.
type Limits struct {
	// MaxBytes is the most that regular files may hold together, in bytes of
	// apparent size: holes count. Zero lets nothing grow.
	MaxBytes int64
	// MaxFiles is the most files, directories and links there may be. Zero lets
	// nothing be created.
	MaxFiles int
	// MaxFileSize is the size in bytes past which no file may grow. Zero means
	// MaxBytes.
	MaxFileSize int64
	// MaxDepth is how many directories below its mount point a file or directory
	// may be created: in "/app/a/b", b has depth 2. Zero means 32.
	MaxDepth int
	// MaxPath and MaxName are the longest path and the longest path component
	// that a call may name, in bytes. Zero means 4096 and 255.
	MaxPath, MaxName int
	// MaxOpen is the most files and directories that may be open at once. Zero
	// means 64.
	MaxOpen int
}

// Limit names the limit that refused a call.
type Limit uint8

// The limits, named for the fields of [Limits].
const (
	LimitBytes Limit = iota + 1
	LimitFiles
	LimitFileSize
	LimitDepth
	LimitPath
	LimitName
	LimitOpen
)

var limitNames = [...]string{"unknown limit", "bytes", "files", "file size", "depth", "path length", "name length", "open files"}

// String returns a noun for messages, such as "file size".
func (l Limit) String() string {
	if int(l) >= len(limitNames) {
		l = 0
	}
	return limitNames[l]
}

// withDefaults fills in the zero fields that have a default.
func (l Limits) withDefaults() (Limits, error) {
	if l.MaxBytes < 0 || l.MaxFileSize < 0 || l.MaxFiles < 0 || l.MaxDepth < 0 || l.MaxPath < 0 || l.MaxName < 0 || l.MaxOpen < 0 {
		return l, fmt.Errorf("bind guest file system: negative limit in %+v", l)
	}
	if l.MaxFileSize == 0 {
		l.MaxFileSize = l.MaxBytes
	}
	for _, d := range []struct {
		field *int
		value int
	}{{&l.MaxDepth, 32}, {&l.MaxPath, 4096}, {&l.MaxName, 255}, {&l.MaxOpen, 64}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return l, nil
}

// deny records that a limit refused a call and returns the error the guest sees.
func (f *FS) deny(l Limit) sys.Errno {
	if f.opts.Denied != nil {
		f.opts.Denied(l)
	}
	switch l {
	case LimitDepth, LimitPath, LimitName:
		return sys.ENAMETOOLONG
	case LimitBytes, LimitFiles:
		f.meant = meansQuota
	case LimitFileSize:
		f.meant = meansTooBig
		if f.opts.Limits.MaxFileSize >= f.opts.Limits.MaxBytes {
			f.meant = meansQuota // the file alone is more than all files may be
		}
	case LimitOpen:
		f.meant = meansOpen
	}
	return sys.EIO
}
