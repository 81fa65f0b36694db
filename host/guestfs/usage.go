package guestfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/tetratelabs/wazero/experimental/sys"
)

const (
	// walkBatch is how many entries a walk reads at a time.
	walkBatch = 256
)

// What work on the host's disk costs the guest, in the unit of [Options.Charge]: as
// much processor time as moving that many bytes in memory takes. Figures from
// measurements; the host's TestFuelIsHonest prints what they come to.
const (
	readCharge   = 10        // each byte read from a file
	writeCharge  = 16        // each byte written to a file
	callCharge   = 64_000    // each write to a file, besides its bytes
	walkCharge   = 110_000   // each entry of a directory that is looked at
	stepCharge   = 160_000   // each directory on the way to a file, but for its mount
	changeCharge = 1_280_000 // each entry that is made, moved or removed
)

// usage is what the writable mounts hold.
type usage struct {
	bytes int64
	files int
	// full is set when a mount held more than the limits before the guest
	// changed it, and says which limit. What exactly it holds is then unknown.
	full Limit
}

func (u *usage) release(bytes int64, files int) {
	u.bytes = max(u.bytes-bytes, 0)
	u.files = max(u.files-files, 0)
}

// reserveGrowth makes room for a file of a writable mount to grow from size to
// end bytes, or refuses.
func (f *FS) reserveGrowth(m *mount, size, end int64) sys.Errno {
	if errno := f.measure(m); errno != 0 {
		return errno
	}
	grow := end - size
	switch {
	case grow <= 0:
		return 0
	case end > f.opts.Limits.MaxFileSize:
		return f.deny(LimitFileSize)
	case f.usage.full != 0:
		return f.deny(f.usage.full)
	case grow > f.opts.Limits.MaxBytes-f.usage.bytes:
		return f.deny(LimitBytes)
	}
	f.usage.bytes += grow
	return 0
}

// reserveEntry makes room for one more entry at a place of a writable mount, or
// refuses.
func (f *FS) reserveEntry(p place) sys.Errno {
	if p.depth() > f.opts.Limits.MaxDepth {
		return f.deny(LimitDepth)
	}
	if errno := f.measure(p.mount); errno != 0 {
		return errno
	}
	switch {
	case f.usage.full != 0:
		return f.deny(f.usage.full)
	case f.usage.files >= f.opts.Limits.MaxFiles:
		return f.deny(LimitFiles)
	}
	f.usage.files++
	f.due += changeCharge
	return 0
}

// measure adds what a mount holds to the usage, before the guest's first change
// to it. It stops as soon as a limit is exceeded, so it never looks at more than
// MaxFiles entries.
func (f *FS) measure(m *mount) sys.Errno {
	if m.measured {
		return 0
	}
	root, errno := m.dir()
	if errno != 0 {
		return errno
	}
	limits, found := f.opts.Limits, usage{}
	err := walkTree(root, ".", func(_ string, info fs.FileInfo) error {
		f.due += walkCharge
		found.files++
		if info.Mode().IsRegular() {
			found.bytes += info.Size()
		}
		switch {
		case found.files > limits.MaxFiles:
			found.full = LimitFiles
		case found.bytes > limits.MaxBytes:
			found.full = LimitBytes
		default:
			return nil
		}
		return fs.SkipAll
	})
	if err != nil {
		return errnoOf(err)
	}
	m.measured = true
	f.usage.bytes += found.bytes
	f.usage.files += found.files
	if f.usage.full == 0 {
		f.usage.full = found.full
	}
	return 0
}

// walkTree calls visit for everything below a directory, with paths relative to
// it and directories before their content, in no particular order. It does not
// follow links. A visit that returns [fs.SkipAll] ends the walk.
func walkTree(root *os.Root, dir string, visit func(rel string, info fs.FileInfo) error) error {
	dirs := []string{"."}
	for len(dirs) > 0 {
		last := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		err := eachEntry(root, path.Join(dir, last), func(info fs.FileInfo) error {
			rel := path.Join(last, info.Name())
			if info.IsDir() {
				dirs = append(dirs, rel)
			}
			return visit(rel, info)
		})
		if errors.Is(err, fs.SkipAll) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eachEntry visits the entries of one directory, a batch at a time.
func eachEntry(root *os.Root, dir string, visit func(fs.FileInfo) error) error {
	file, err := root.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	for {
		entries, err := file.ReadDir(walkBatch)
		for _, e := range entries {
			info, err := e.Info() // taken when the entry was read
			if err != nil {
				return err
			}
			if err := visit(info); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
