// Package guestfs is the one file system a guest sees.
//
// It implements wazero's experimental/sys.FS over [os.Root], because wazero's
// own directory mounts are not a sandbox. Its nouns:
//
//   - A mount shows one host directory, an [os.Root], at a guest path. It is
//     read-only unless it is declared writable.
//   - A synthetic directory is one that exists only because mounts lie below
//     it: "/" and the directories between "/" and a nested mount. It lists its
//     mounts, is read-only, and hides what an outer mount has at its path.
//   - A virtual file is made of host memory and lives under [Reserved].
//   - The journal is the list of files that the guest created, modified or
//     deleted.
//   - The usage is what the writable mounts hold: what they held before, and
//     what the guest added. [Limits] bound it.
//
// What holds, whatever the guest does: no path, link, rename or descriptor
// leads out of a mount; a read-only mount does not change; only regular files
// and directories can be opened, so nothing blocks and no device is touched;
// the guest makes no links of either kind. Links that the host left behind are
// followed in a read-only mount while they stay inside it, and never in a
// writable one, where a guest may only see them, delete them and replace them.
//
// What does not hold: a host directory bind-mounted or hard-linked into a mount
// is part of it. Files with several hard links are not opened for writing, so
// that a package cache linked into a workspace stays intact, or, in a mount that is
// [Mount.Shared], replaced by a copy before they change; those with
// set-user-ID or set-group-ID bits are never opened for writing. Two file systems
// over one workspace each count their own growth.
//
// An [FS] serves one guest, which is one goroutine at a time; its methods, and
// those of the files it opened, may nevertheless be called concurrently, and
// [FS.Close] may be called at any time. Everything else in the package is plain
// data.
package guestfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Reserved is the guest directory that holds the virtual files. It appears in
// no listing and cannot be opened or listed itself; nothing can be mounted on or
// below it.
const Reserved = "/.sandboxd"

// Mount shows a host directory to the guest.
type Mount struct {
	// Guest is where the directory appears: an absolute, clean guest path such
	// as "/app". It may lie below another mount, whose content at that path and
	// on the way there it then hides. "/" itself cannot be a mount.
	Guest string
	// Writable lets the guest change the directory. Otherwise every change is
	// refused with EROFS, whichever call asks for it.
	Writable bool
	// Shared lets the guest change files that have other names too: before the first
	// change to one, of its content or its times, a copy takes its place in the mount,
	// and the other names keep what was there. The guest does not pay for the copy,
	// so that a program takes the same fuel whether its files are shared or not, and
	// it is made in one go: whoever shares a file bounds its size. Where it cannot be
	// told how many names a file has, which is everywhere but on Unix, none may have
	// several.
	Shared bool
	// Times, if not 0, is what the times of everything in the mount are shown as, in
	// nanoseconds since 1970, whatever they are.
	Times int64
	// File, if set, is the name of the one regular file in the directory that is shown,
	// as Guest itself; nothing else in the directory can be named. Such a mount is
	// read-only, and nothing can be mounted below it.
	File string
	// Root returns the directory. It is called at most once, on first use, so
	// that a workspace nobody touches need not exist; stating the mount point is
	// no use. An error makes every call below the mount fail with EIO. The
	// caller closes the Root, after [FS.Close]. It must not call the FS back.
	Root func() (*os.Root, error)
}

// Virtual is a file made of host memory: read-only Data; when Sink is set, a
// write-only stream; when Talk is set, both ways at once. Setting more than one is
// an error; setting none is an empty file.
type Virtual struct {
	// Data is what the guest reads. It is not copied and must not change.
	Data []byte
	// Sink receives what the guest writes, in order, whatever offsets the guest
	// asks for, from one call at a time. It must bound what it keeps, and it
	// must not keep its argument, which is the guest's memory. An error is
	// reported to the guest as EIO.
	Sink io.Writer
	// Talk makes the other end of a conversation for each descriptor that is
	// opened, for reading and writing both: what the guest writes is written to
	// it, and what the guest reads is read from it, in order, whatever offsets
	// the guest asks for. It is called with the FS locked and must not call it
	// back. A conversation must bound what it keeps and must not keep its
	// arguments, which are the guest's memory. Its Read and Write come from one
	// call at a time and with no lock held: they may block until the call they
	// serve is over, and panic to unwind the guest. Errors other than io.EOF are
	// reported to the guest as EIO. Close is called once, by the guest or by
	// [FS.Close], even while another method runs.
	Talk func() io.ReadWriteCloser
}

// Options say what a guest sees. They are borrowed: the slices and maps must not
// change while the FS is in use.
type Options struct {
	Mounts []Mount
	// Virtual maps guest paths directly below [Reserved], such as
	// "/.sandboxd/code", to their files. They can be opened and stated by their
	// exact path only.
	Virtual map[string]Virtual
	// Base, if not empty, is the guest path of a mount that also answers for "/" and
	// for every path below "/" at which nothing is mounted: for guests that cannot
	// change their working directory, and take a relative path for one below "/".
	Base   string
	Limits Limits
	// Charge is told what a call cost, after the call took effect: how many bytes
	// it moved in memory, and other work as the number of bytes that could have
	// been moved meanwhile. Nil is allowed. No lock is held, so it may panic to
	// unwind the guest.
	Charge func(bytes int)
	// Denied is told which limit refused a call; nil is allowed. It must not
	// call the FS back.
	Denied func(Limit)
}

// FS is a guest's file system. The zero value is ready for [FS.Bind]; until then,
// and after [FS.Close], every path is reported as absent (ENOENT), the one
// failure that wazero expects of a preopened directory.
//
// wazero's error numbers lack some of POSIX. These stand in: EIO for ENOSPC,
// EDQUOT, EFBIG and EMFILE, ENOTSUP for EXDEV, EPERM for EBUSY. [FS.Amend] knows
// which was meant; the guest's quota is EDQUOT, a full disk of the host ENOSPC.
type FS struct {
	sys.UnimplementedFS

	mu      sync.Mutex
	bound   bool
	closed  bool
	opts    Options
	root    dirNode
	open    []*handle
	most    int // open files at once
	nodes   map[string]*node
	usage   usage
	journal journal
	due     int     // bytes to charge when the lock is released
	meant   meaning // of the error that the last call returned, if it stands in for another
}

var _ sys.FS = (*FS)(nil)

// Bind gives the file system its content, once. It makes no system call, so an
// instance kept on standby can bind when its call arrives. The error says which
// option is unusable.
func (f *FS) Bind(o Options) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bound {
		return errors.New("bind guest file system: already bound")
	}
	root, err := newTable(o.Mounts)
	if err != nil {
		return err
	}
	if err := checkVirtual(o.Virtual); err != nil {
		return err
	}
	if o.Limits, err = o.Limits.withDefaults(); err != nil {
		return err
	}
	f.opts, f.root, f.bound = o, root, true
	return nil
}

// Close closes every descriptor that the guest left open. Afterwards every call
// that would touch a file fails; [FS.Journal] still answers. Closing again does
// nothing. It waits for a call in progress, except one to a [Virtual] sink or
// conversation.
func (f *FS) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	var errs []error
	for len(f.open) > 0 {
		if err := f.drop(f.open[len(f.open)-1]); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Open says how many files the guest has open now, directories included and sinks
// not, and how many files of any sort it had open at once at most. The directory that
// is the preopened one counts, once anything was looked up in it.
func (f *FS) Open() (now, most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.open {
		if !h.sink {
			now++
		}
	}
	return now, f.most
}

// Journal returns what the guest did so far.
func (f *FS) Journal() Changes {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.journal.changes()
}

// enter takes the lock for one call, or reports that the file system is not in
// service. After true, the caller must defer leave.
func (f *FS) enter() bool {
	f.mu.Lock()
	if f.bound && !f.closed {
		f.meant = meaning{}
		return true
	}
	f.mu.Unlock()
	return false
}

// leave releases the lock and charges for the call. The charge comes last, and
// outside of the lock, because it may panic.
func (f *FS) leave() {
	due := f.due
	f.due = 0
	f.mu.Unlock()
	if due > 0 && f.opts.Charge != nil {
		f.opts.Charge(due)
	}
}

// OpenFile implements [sys.FS]. The permission bits are ignored: what the guest
// creates belongs to the daemon's user alone.
func (f *FS) OpenFile(path string, flag sys.Oflag, _ fs.FileMode) (sys.File, sys.Errno) {
	if !f.enter() {
		return nil, sys.ENOENT
	}
	defer f.leave()
	p, errno := f.locate(path)
	if errno != 0 {
		return nil, errno
	}
	return f.openPlace(p, flag)
}
