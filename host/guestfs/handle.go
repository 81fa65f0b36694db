package guestfs

import (
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// handle is what every open file has in common: its entry in the FS's list of
// open files, which is what the limit counts and Close empties.
type handle struct {
	fs     *FS
	slot   int // index in fs.open
	closed bool
	sink   bool      // a virtual one
	file   *os.File  // nil for what is not on a disk
	peer   io.Closer // the host's end of a conversation, or nil
	node   *node     // set for a regular file of a writable mount
	writes bool      // the host's file is open for writing
}

// node is a regular file of a writable mount while it is open. It follows the
// file through renames, and keeps its bytes on the account when the guest
// deletes a file that it still holds open.
type node struct {
	path   string // current guest path; the last one if deleted
	refs   int
	own    bool // a single name of the file is known to be the guest's
	orphan bool // deleted: no path leads to it
}

// full reports whether no more files may be open. Opening "/" must not fail with
// anything but ENOENT, or wazero panics.
func (f *FS) full(p place) sys.Errno {
	if len(f.open) < f.opts.Limits.MaxOpen {
		return 0
	}
	errno := f.deny(LimitOpen)
	if p.node == &f.root {
		return sys.ENOENT
	}
	return errno
}

// track puts a handle, at its final address, on the list of open files.
func (f *FS) track(h *handle) {
	h.slot = len(f.open)
	f.open = append(f.open, h)
	f.most = max(f.most, len(f.open))
	if h.node != nil {
		h.node.refs++
	}
}

// drop closes an open file and takes it off the list.
func (f *FS) drop(h *handle) error {
	last := f.open[len(f.open)-1]
	f.open[h.slot], last.slot = last, h.slot
	f.open = f.open[:len(f.open)-1]
	h.closed = true
	if h.node != nil {
		f.unref(h)
	}
	if h.peer != nil {
		return h.peer.Close()
	}
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}

// unref gives up one reference to a node. The last one to a deleted file is what
// frees its bytes.
func (f *FS) unref(h *handle) {
	h.node.refs--
	if h.node.refs > 0 {
		return
	}
	if !h.node.orphan {
		delete(f.nodes, h.node.path)
		return
	}
	if info, err := h.file.Stat(); err == nil {
		f.usage.release(info.Size(), 0)
	}
}

// nodeAt returns the node of the regular file at a guest path.
func (f *FS) nodeAt(guest string) *node {
	n := f.nodes[guest]
	if n == nil {
		n = &node{path: guest}
		if f.nodes == nil {
			f.nodes = map[string]*node{}
		}
		f.nodes[guest] = n
	}
	return n
}

// enter takes the lock for one call on an open file. After true, the caller must
// defer the file system's leave.
func (h *handle) enter() bool {
	h.fs.mu.Lock()
	if !h.closed {
		h.fs.meant = meaning{}
		return true
	}
	h.fs.mu.Unlock()
	return false
}

// Dev implements [sys.File]. All files are on device 0.
func (h *handle) Dev() (uint64, sys.Errno) {
	return 0, 0
}

// Sync implements [sys.File]. It does nothing, successfully: making files
// durable is the host's decision, and its disk is shared.
func (h *handle) Sync() sys.Errno {
	if !h.enter() {
		return sys.EBADF
	}
	h.fs.leave()
	return 0
}

// Datasync implements [sys.File], as Sync does.
func (h *handle) Datasync() sys.Errno {
	return h.Sync()
}

// Close implements [sys.File].
func (h *handle) Close() sys.Errno {
	if !h.enter() {
		return 0
	}
	defer h.fs.leave()
	return errnoOf(h.fs.drop(h))
}

// offset is a position in a file. It is an alias, with a name of its own only so
// that go vet does not take wazero's Seek for a misspelled [io.Seeker].
type offset = int64
