// Package workspace is the host's side of a workspace: the directory that guests
// see as /app. It lists, reads, writes, moves, copies, measures and deletes the
// files in it, for people and programs that were given a session to work with.
//
// A workspace is hostile. A guest chose its names, which may hold line breaks,
// terminal sequences and, where something else unpacked them, bytes that are not
// UTF-8; it may hold a million files, deep trees and huge sparse files; other
// programs may have left links, pipes, sockets, devices and directories that
// cannot be read; and a guest may change any of it while it is looked at. What
// holds:
//
//   - Nothing outside of the workspace is read or changed: every step goes through
//     an [os.Root], and a name that leads over a link is refused.
//   - Nothing blocks: only regular files are opened, and never as what they were a
//     moment ago.
//   - Memory is bounded, whatever the workspace holds; time is bounded by the
//     context.
//
// What does not hold: a call is not atomic towards a guest that runs meanwhile.
// It may miss what the guest just made, and what the guest replaces may end up
// elsewhere in the same workspace.
package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// The classes of errors. Messages name the file, quoted.
var (
	// ErrName refuses a name or pattern that could not name anything in a
	// workspace: see [Workspace].
	ErrName = errors.New("unusable name")
	// ErrNotFound means that there is nothing of that name.
	ErrNotFound = errors.New("not found")
	// ErrExists means that there is something of that name already.
	ErrExists = errors.New("exists already")
	// ErrNotRegular means that what is there is not a regular file.
	ErrNotRegular = errors.New("not a regular file")
	// ErrNotDirectory means that what is there, or on the way there, is not a
	// directory. A link is none.
	ErrNotDirectory = errors.New("not a directory")
	// ErrNotEmpty means that a directory cannot be removed alone.
	ErrNotEmpty = errors.New("directory not empty")
	// ErrArchive means that an archive is damaged, cut short, of another kind, or
	// written in a way that is not read here.
	ErrArchive = errors.New("unusable archive")
	// ErrQuota means that the workspace may not hold that much.
	ErrQuota = errors.New("quota exceeded")
)

// Limits bound what the host's side may add to a workspace. Zero lets nothing
// grow.
type Limits struct {
	// Bytes is the most that regular files may hold together, in bytes of apparent
	// size.
	Bytes int64
	// Entries is the most files, directories and other entries there may be.
	Entries int
}

// Workspace is an open workspace. Its methods may be called concurrently; those
// that add to it are serialised, so that they keep the limits together. A guest
// running in it counts on its own: together they may exceed the limits by what is
// added meanwhile.
//
// Names that methods take are relative and separated by slashes, without empty,
// "." and ".." components, at most [MaxPath] bytes long and [MaxDepth] deep, with
// components of at most [MaxName] bytes. Any byte but NUL may be in one, so that
// whatever a guest made can be named. "." is the workspace itself, where that
// makes sense. Everything else is [ErrName].
type Workspace struct {
	root   *os.Root
	limits Limits
	adding sync.Mutex
}

// Open opens the workspace in a host directory, which must exist. dir is the
// operator's word: it is followed wherever it leads.
func Open(dir string, limits Limits) (*Workspace, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open workspace: %w", err)
	}
	return &Workspace{root: root, limits: limits}, nil
}

// Close closes the workspace. Calls after it fail; readers that were opened stay
// usable.
func (w *Workspace) Close() error {
	return w.root.Close()
}

// Kind says what an entry is.
type Kind string

// The kinds of entries. Only files can be read, and only directories entered.
const (
	KindFile      Kind = "file"
	KindDirectory Kind = "directory"
	KindLink      Kind = "link"
	KindOther     Kind = "other" // a pipe, socket or device
)

func kindOf(mode fs.FileMode) Kind {
	switch {
	case mode.IsRegular():
		return KindFile
	case mode.IsDir():
		return KindDirectory
	case mode&fs.ModeSymlink != 0:
		return KindLink
	default:
		return KindOther
	}
}

// Entry is something in a workspace. Owners, permissions and what a link names are
// the host's business and not told.
type Entry struct {
	// Path is the entry's name in the workspace. A guest chose it: see [Workspace].
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
	// Size is a file's apparent size in bytes, and 0 for everything else.
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	// SHA256 is a file's hash in hexadecimal, where it was asked for.
	SHA256 string `json:"sha256,omitempty"`
}

func entryOf(path string, info fs.FileInfo) Entry {
	e := Entry{Path: path, Kind: kindOf(info.Mode()), Modified: info.ModTime().UTC()}
	if e.Kind == KindFile {
		e.Size = info.Size()
	}
	return e
}

// Stat describes one entry, without following a link.
func (w *Workspace) Stat(name string) (Entry, error) {
	if name == "." {
		info, err := w.root.Lstat(".")
		if err != nil {
			return Entry{}, fail("stat", name, err)
		}
		return entryOf(name, info), nil
	}
	at, err := w.parent(name)
	if err != nil {
		return Entry{}, fail("stat", name, err)
	}
	defer at.done()
	info, err := at.Lstat(at.name)
	if err != nil {
		return Entry{}, fail("stat", name, err)
	}
	return entryOf(name, info), nil
}

// fail gives an error its operation, its name and its class. It leaves out paths
// of the host, which the errors of the os package may hold.
func fail(op, name string, err error) error {
	var number syscall.Errno
	for _, class := range []error{ErrName, ErrNotFound, ErrExists, ErrNotRegular, ErrNotDirectory, ErrNotEmpty, ErrQuota} {
		if errors.Is(err, class) {
			return fmt.Errorf("%s %q: %w", op, name, err)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = ErrNotFound
	case errors.As(err, &number) && number == syscall.ENOTEMPTY:
		err = ErrNotEmpty
	case errors.As(err, &number) && (number == syscall.ENOTDIR || number == syscall.ELOOP):
		err = ErrNotDirectory
	case errors.Is(err, fs.ErrExist):
		err = ErrExists
	case errors.As(err, &number):
		err = number
	}
	return fmt.Errorf("%s %q: %w", op, name, err)
}

// hashOf reads a file to its end and returns how much that was, and its hash.
func hashOf(r io.Reader) (int64, string, error) {
	hash := sha256.New()
	n, err := io.Copy(hash, r)
	return n, hex.EncodeToString(hash.Sum(nil)), err
}
