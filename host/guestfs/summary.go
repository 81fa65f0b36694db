package guestfs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// File is a file that the guest left created or modified. Size and SHA256 come
// from one reading of it, so they belong together; a file that someone else
// changes meanwhile may give a mixture, as for any reader.
type File struct {
	Path string
	// Size is in bytes. It is 0 for what is not there any more, or is no regular
	// file that the host can read.
	Size int64
	// SHA256 is the content's hash in hexadecimal, or empty if the content was
	// not read in full.
	SHA256 string
}

// Bounds limit what a summary costs, whatever the guest left behind.
type Bounds struct {
	// Files is the most files that all lists together may hold, and Names the
	// most bytes that their paths may have. What is beyond is only counted.
	Files, Names int
	// Hashed is the most bytes that are read. A file larger than what is left of
	// it is listed without a hash, and those after it are still tried.
	Hashed int64
	// Until is when the last file may be read; zero is no such time.
	Until time.Time
}

// Summary is [Changes] with the content of what is there, within [Bounds]: what
// was created first, then what was modified, then what was deleted.
type Summary struct {
	Created, Modified []File
	Deleted           []string
	// Omitted is how many more files the guest changed.
	Omitted int
}

// Summary says what the guest did so far and hashes what it left. It costs
// nothing when the guest changed no file. When ctx or the time ends, the rest is
// listed without size and hash. It must be called before [FS.Close], and it holds calls
// of the guest up, so call it when the guest has ended.
//
// A hostile guest could leave many files, long names, a huge sparse file, or, with
// the help of another program, a link, a pipe or a file that grows while it is
// read: the bounds hold for all of them, no link is followed, and only what is a
// regular file both before and after it was opened is read.
func (f *FS) Summary(ctx context.Context, b Bounds) Summary {
	changes := f.Journal()
	if len(changes.Created)+len(changes.Modified)+len(changes.Deleted) == 0 {
		return Summary{}
	}
	r := reader{fs: f, ctx: ctx, left: b}
	s := Summary{Created: r.files(changes.Created), Modified: r.files(changes.Modified)}
	for _, path := range changes.Deleted {
		if r.take(path) {
			s.Deleted = append(s.Deleted, path)
		}
	}
	s.Omitted = r.omitted
	return s
}

// reader makes one [Summary].
type reader struct {
	fs      *FS
	ctx     context.Context // of one call; an io.Reader has no other way to be given one
	left    Bounds          // what it may still do
	omitted int
	buffer  []byte
	file    *os.File // being read
}

// take makes room for one more path, or counts it as omitted.
func (r *reader) take(path string) bool {
	if r.left.Files < 1 || r.left.Names < len(path) {
		r.omitted++
		return false
	}
	r.left.Files--
	r.left.Names -= len(path)
	return true
}

func (r *reader) files(paths []string) (list []File) {
	for _, path := range paths {
		if r.take(path) {
			list = append(list, r.look(path))
		}
	}
	return list
}

// look opens and hashes one file.
func (r *reader) look(guest string) File {
	found := File{Path: guest}
	if r.over() != nil || !r.fs.enter() {
		return found
	}
	defer r.fs.leave()
	file, size, err := r.fs.openForHost(guest)
	if err != nil {
		return found
	}
	defer func() { _ = file.Close() }() // opened for reading
	found.Size = size
	if size > r.left.Hashed {
		return found
	}
	if r.buffer == nil {
		r.buffer = make([]byte, 64<<10)
	}
	r.file = file
	hash := sha256.New()
	n, err := io.CopyBuffer(hash, r, r.buffer)
	if err == nil {
		found.Size, found.SHA256 = n, hex.EncodeToString(hash.Sum(nil))
	}
	return found
}

// over says why no more may be read, or nil.
func (r *reader) over() error {
	if !r.left.Until.IsZero() && time.Now().After(r.left.Until) {
		return context.DeadlineExceeded
	}
	return r.ctx.Err()
}

// errBudget ends the reading of a file that grew beyond what may be read.
var errBudget = errors.New("nothing is left of the budget")

// Read reads a file until its end, or that of the time or the budget.
func (r *reader) Read(p []byte) (int, error) {
	if err := r.over(); err != nil {
		return 0, err
	}
	// One byte more than is left tells the end of the file from the budget's.
	n, err := r.file.Read(p[:min(int64(len(p)), r.left.Hashed+1)])
	if int64(n) > r.left.Hashed {
		r.left.Hashed = 0
		return 0, errBudget
	}
	r.left.Hashed -= int64(n)
	return n, err
}

// openForHost opens a regular file of a writable mount for reading, without
// following any link, and says how large it is.
func (f *FS) openForHost(guest string) (*os.File, int64, error) {
	p := f.resolve(guest)
	if p.mount == nil || !p.mount.Writable {
		return nil, 0, fs.ErrNotExist
	}
	at, errno := p.mount.walk(p.rel)
	if errno != 0 {
		return nil, 0, errno
	}
	defer at.done()
	info, err := at.Lstat(at.name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errSwapped
	}
	file, err := at.OpenFile(at.name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	opened, err := file.Stat()
	if err != nil || !os.SameFile(info, opened) {
		return nil, 0, errors.Join(errSwapped, err, file.Close())
	}
	return file, opened.Size(), nil
}
