package guestfs

import (
	"bytes"
	"io"
	"io/fs"

	"github.com/tetratelabs/wazero/experimental/sys"
	wazerosys "github.com/tetratelabs/wazero/sys"
)

func (v *Virtual) stat(guest string, written int64) wazerosys.Stat_t {
	st := wazerosys.Stat_t{Ino: inodeOf(guest), Nlink: 1, Mode: 0o444, Size: int64(len(v.Data))}
	switch {
	case v.Sink != nil:
		st.Mode, st.Size = 0o200, written
	case v.Talk != nil:
		st.Mode = 0o600
	}
	return st
}

func (f *FS) openVirtual(p place, a access) (sys.File, sys.Errno) {
	switch {
	case a.excl:
		return nil, sys.EEXIST
	case a.directory:
		return nil, sys.ENOTDIR
	case p.virtual.Talk != nil && (!a.read || !a.write):
		return nil, sys.EACCES
	case p.virtual.Talk != nil:
		t := &talkFile{virtualFile: virtualFile{handle: handle{fs: f}, guest: p.guest}, conversation: p.virtual.Talk()}
		t.peer = t.conversation
		f.track(&t.handle)
		return t, 0
	case p.virtual.Sink != nil && a.read:
		return nil, sys.EACCES
	case p.virtual.Sink != nil:
		s := &sinkFile{virtualFile: virtualFile{handle: handle{fs: f, sink: true}, guest: p.guest}, sink: p.virtual.Sink}
		f.track(&s.handle)
		return s, 0
	case a.changes:
		return nil, sys.EROFS
	}
	s := &memFile{virtualFile: virtualFile{handle: handle{fs: f}, guest: p.guest}}
	s.data.Reset(p.virtual.Data)
	f.track(&s.handle)
	return s, 0
}

// virtualFile is what open virtual files have in common: they are regular, have
// no attributes to change, and do not exist on a disk.
type virtualFile struct {
	handle

	guest string
}

// Ino implements [sys.File].
func (v *virtualFile) Ino() (wazerosys.Inode, sys.Errno) { return inodeOf(v.guest), 0 }

// IsDir implements [sys.File].
func (v *virtualFile) IsDir() (bool, sys.Errno) { return false, 0 }

// Readdir implements [sys.File].
func (v *virtualFile) Readdir(int) ([]sys.Dirent, sys.Errno) { return nil, sys.ENOTDIR }

// Utimens implements [sys.File].
func (v *virtualFile) Utimens(int64, int64) sys.Errno { return sys.EROFS }

// memFile is an open read-only virtual file.
type memFile struct {
	virtualFile

	data bytes.Reader
}

var _ sys.File = (*memFile)(nil)

// IsAppend implements [sys.File].
func (m *memFile) IsAppend() bool { return false }

// SetAppend implements [sys.File].
func (m *memFile) SetAppend(enable bool) sys.Errno {
	if enable {
		return sys.EROFS
	}
	return 0
}

// Stat implements [sys.File].
func (m *memFile) Stat() (wazerosys.Stat_t, sys.Errno) {
	if !m.enter() {
		return wazerosys.Stat_t{}, sys.EBADF
	}
	defer m.fs.leave()
	return wazerosys.Stat_t{Ino: inodeOf(m.guest), Nlink: 1, Mode: 0o444, Size: m.data.Size()}, 0
}

// Read implements [sys.File].
func (m *memFile) Read(buf []byte) (int, sys.Errno) {
	if !m.enter() {
		return 0, sys.EBADF
	}
	defer m.fs.leave()
	n, _ := m.data.Read(buf) // the only error is the end
	m.fs.due += n
	return n, 0
}

// Pread implements [sys.File].
func (m *memFile) Pread(buf []byte, off int64) (int, sys.Errno) {
	if !m.enter() {
		return 0, sys.EBADF
	}
	defer m.fs.leave()
	if off < 0 {
		return 0, sys.EINVAL
	}
	n, _ := m.data.ReadAt(buf, off) // the only error left is the end
	m.fs.due += n
	return n, 0
}

// Seek implements [sys.File].
func (m *memFile) Seek(off offset, whence int) (int64, sys.Errno) {
	if !m.enter() {
		return 0, sys.EBADF
	}
	defer m.fs.leave()
	pos, err := m.data.Seek(off, whence)
	if err != nil {
		return 0, sys.EINVAL
	}
	return pos, 0
}

// Write implements [sys.File].
func (m *memFile) Write([]byte) (int, sys.Errno) { return 0, sys.EBADF }

// Pwrite implements [sys.File].
func (m *memFile) Pwrite([]byte, int64) (int, sys.Errno) { return 0, sys.EBADF }

// Truncate implements [sys.File].
func (m *memFile) Truncate(int64) sys.Errno { return sys.EROFS }

// sinkFile is an open write-only virtual file. Its offset is the number of bytes
// written through this descriptor.
type sinkFile struct {
	virtualFile

	sink    io.Writer
	written int64
}

var _ sys.File = (*sinkFile)(nil)

// IsAppend implements [sys.File].
func (s *sinkFile) IsAppend() bool { return true }

// SetAppend implements [sys.File]. A sink appends, whatever is asked.
func (s *sinkFile) SetAppend(bool) sys.Errno { return 0 }

// Stat implements [sys.File].
func (s *sinkFile) Stat() (wazerosys.Stat_t, sys.Errno) {
	if !s.enter() {
		return wazerosys.Stat_t{}, sys.EBADF
	}
	defer s.fs.leave()
	return wazerosys.Stat_t{Ino: inodeOf(s.guest), Nlink: 1, Mode: fs.FileMode(0o200), Size: s.written}, 0
}

// Read implements [sys.File].
func (s *sinkFile) Read([]byte) (int, sys.Errno) { return 0, sys.EBADF }

// Pread implements [sys.File].
func (s *sinkFile) Pread([]byte, int64) (int, sys.Errno) { return 0, sys.EBADF }

// Write implements [sys.File].
func (s *sinkFile) Write(buf []byte) (int, sys.Errno) {
	if !s.enter() {
		return 0, sys.EBADF
	}
	s.fs.leave()
	n, err := s.sink.Write(buf) // no lock is held: it may take its time
	s.fs.mu.Lock()
	defer s.fs.leave()
	s.written += int64(n)
	s.fs.due += n
	if err != nil {
		return n, sys.EIO
	}
	return n, 0
}

// Pwrite implements [sys.File]. The offset is ignored: a sink only appends.
func (s *sinkFile) Pwrite(buf []byte, off int64) (int, sys.Errno) {
	if off < 0 {
		return 0, sys.EINVAL
	}
	return s.Write(buf)
}

// Seek implements [sys.File]. It only tells where the sink is.
func (s *sinkFile) Seek(off offset, whence int) (int64, sys.Errno) {
	if !s.enter() {
		return 0, sys.EBADF
	}
	defer s.fs.leave()
	switch {
	case whence == io.SeekStart && off == s.written, whence != io.SeekStart && off == 0:
		return s.written, 0
	default:
		return 0, sys.EINVAL
	}
}

// Truncate implements [sys.File]. Programs that begin by emptying their output
// may, as long as it is empty.
func (s *sinkFile) Truncate(size int64) sys.Errno {
	if !s.enter() {
		return sys.EBADF
	}
	defer s.fs.leave()
	if size != s.written {
		return sys.EPERM
	}
	return 0
}
