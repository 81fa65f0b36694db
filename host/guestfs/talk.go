package guestfs

import (
	"errors"
	"io"
	"io/fs"

	"github.com/tetratelabs/wazero/experimental/sys"
	wazerosys "github.com/tetratelabs/wazero/sys"
)

// talkFile is an open conversation with the host; see [Virtual]. It has no
// offsets: reads and writes each go on where they stopped.
type talkFile struct {
	virtualFile

	conversation io.ReadWriteCloser
}

var _ sys.File = (*talkFile)(nil)

// IsAppend implements [sys.File].
func (t *talkFile) IsAppend() bool { return false }

// SetAppend implements [sys.File]. What is written is at the end in any case.
func (t *talkFile) SetAppend(bool) sys.Errno { return 0 }

// Stat implements [sys.File].
func (t *talkFile) Stat() (wazerosys.Stat_t, sys.Errno) {
	if !t.enter() {
		return wazerosys.Stat_t{}, sys.EBADF
	}
	defer t.fs.leave()
	return wazerosys.Stat_t{Ino: inodeOf(t.guest), Nlink: 1, Mode: fs.FileMode(0o600)}, 0
}

// Read implements [sys.File].
func (t *talkFile) Read(buf []byte) (int, sys.Errno) { return t.pass(t.conversation.Read, buf) }

// Write implements [sys.File].
func (t *talkFile) Write(buf []byte) (int, sys.Errno) { return t.pass(t.conversation.Write, buf) }

// pass hands the guest's memory to one of the conversation's methods, with no lock held:
// it may take its time, and may not return at all.
func (t *talkFile) pass(to func([]byte) (int, error), buf []byte) (int, sys.Errno) {
	if !t.enter() {
		return 0, sys.EBADF
	}
	t.fs.leave()
	n, err := to(buf)
	t.fs.mu.Lock()
	defer t.fs.leave()
	t.fs.due += n
	if err != nil && !errors.Is(err, io.EOF) {
		return n, sys.EIO
	}
	return n, 0
}

// Pread implements [sys.File].
func (t *talkFile) Pread([]byte, int64) (int, sys.Errno) { return 0, sys.ENOTSUP }

// Pwrite implements [sys.File].
func (t *talkFile) Pwrite([]byte, int64) (int, sys.Errno) { return 0, sys.ENOTSUP }

// Seek implements [sys.File].
func (t *talkFile) Seek(offset, int) (int64, sys.Errno) { return 0, sys.EINVAL }

// Truncate implements [sys.File]. There is nothing to cut.
func (t *talkFile) Truncate(size int64) sys.Errno {
	if size != 0 {
		return sys.EPERM
	}
	return 0
}
