// Package session keeps sessions: named contexts in which one program after another
// finds what the ones before it left.
//
// A session has a workspace, the files that programs see as /app, and, if it was
// made so, the state of the interpreter, with every variable and import. Each call
// makes a turn. A turn is committed as a whole, its files together with its state,
// or not at all: whatever happens to the process or the machine meanwhile, a session
// is as it was before the call or as it is after it. Earlier turns are kept for
// [Store.Rollback], as many as each call asks for with [Call.History]; with none, a
// program works on the session's files in place, and the state alone is atomic.
//
// What the guest can reach is the workspace. Everything else, the session's record
// among it, lies beside it and not in it.
//
// A session belongs to its owner, a string of the front end's: nobody else finds it,
// and two owners may use the same id. The empty owner is the user of the command
// line.
//
// A [Store] is safe for concurrent use, and several processes may use one [Storage]
// where that says so. One call at a time runs in a session; others wait their turn.
package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/sandboxd/sandboxd/host"
)

// The classes of errors, for errors.Is.
var (
	// ErrNotFound means that its owner has no such session, or the session no such
	// turn.
	ErrNotFound = errors.New("not found")
	// ErrExists means that its owner has a session of that id already.
	ErrExists = errors.New("exists already")
	// ErrInvalid means that the request must be corrected.
	ErrInvalid = fmt.Errorf("session: %w", host.ErrInvalid)
	// ErrBusy means that a call runs in the session, and as many wait as may.
	ErrBusy = fmt.Errorf("%w: a call runs in it", host.ErrBusy)
	// ErrConflict means that somebody else committed to the session meanwhile. What
	// they did stays, and what the caller did is not part of it: it may try again.
	ErrConflict = errors.New("changed by somebody else meanwhile")
	// ErrUnreachable means that a storage that is elsewhere could not be asked. What
	// is there may be whole.
	ErrUnreachable = errors.New("storage out of reach")
	// ErrDamaged means that what is stored of a session cannot be read. Removing it
	// still works.
	ErrDamaged = errors.New("damaged session")
)

// Key names a session.
type Key struct {
	// Owner is whom the session belongs to, as the front end authenticated them: at
	// most [MaxOwner] bytes of UTF-8.
	Owner string
	// ID is 1 to [MaxID] ASCII letters, digits, ".", "_" and "-", and does not begin
	// with a dot.
	ID string
}

// Persist is what of a session outlives a call.
type Persist string

// The levels of persistence.
const (
	PersistNone  Persist = "none"  // files
	PersistState Persist = "state" // files and the state of the interpreter
)

// Session is what is known of one session.
type Session struct {
	ID       string  `json:"id"`
	Owner    string  `json:"owner"`
	Language string  `json:"language"`
	Profile  string  `json:"profile"` // empty means the policy's default
	Persist  Persist `json:"persist"`
	// Parent is where it was forked from; nil for one that was not.
	Parent  *Parent   `json:"parent"`
	Created time.Time `json:"created"`
	// Used is when the last call, or change of files from outside, ended.
	Used time.Time `json:"used"`
	// Calls is how many calls were committed.
	Calls int `json:"calls"`
	// Turn is the current turn, and Oldest the earliest that is still there. They
	// count from 0, which is how the session began.
	Turn   int `json:"turn"`
	Oldest int `json:"oldest"`
	// Bytes is the size of its files and its state as they are now; earlier turns
	// come on top.
	Bytes int64 `json:"bytes"`
	// Damaged says why nothing but the id and the owner is known; empty otherwise.
	Damaged string `json:"damaged,omitempty"`
}

// Key names the session.
func (s *Session) Key() Key { return Key{s.Owner, s.ID} }

// Parent is the turn of the session that another one was forked from.
type Parent struct {
	ID   string `json:"id"`
	Turn int    `json:"turn"`
}

// Turn is what one turn did.
type Turn struct {
	Number int       `json:"number"`
	Time   time.Time `json:"time"`
	// Status is that of the call's result; StatusCreated, StatusForked or
	// StatusReset where there was no call.
	Status string `json:"status"`
	// FilesCreated, FilesModified and FilesDeleted are those of the call's result;
	// FilesOmitted is how many more there were.
	FilesCreated  []host.File        `json:"files_created"`
	FilesModified []host.File        `json:"files_modified"`
	FilesDeleted  []host.DeletedFile `json:"files_deleted"`
	FilesOmitted  int                `json:"files_omitted"`
	// State is the SHA-256 of the interpreter's state; empty where there is none.
	State string `json:"state"`
	// StateBytes is its size.
	StateBytes int64 `json:"state_bytes"`
}

// What a turn's status is that no call made.
const (
	StatusCreated = "created"
	StatusForked  = "forked"
	StatusReset   = "reset"
)

// Bounds.
const (
	// MaxID is the longest id, and MaxOwner the longest owner, in bytes.
	MaxID    = 128
	MaxOwner = 128
	// maxRecord and maxTurn bound what is read of a stored record. Records are ours,
	// but a damaged disk gives anything.
	maxRecord = 64 << 10
	maxTurn   = 32 << 20
)

// checkKey refuses what names no session. It is what keeps ids, which may come from
// anywhere, to plain names: no separators, no dots in front, no empty ones.
func (s *Store) checkKey(k Key) error {
	if err := checkOwner(k.Owner); err != nil {
		return err
	}
	if err := CheckID(k.ID); err != nil {
		return err
	}
	if s.uuids && !isUUID(k.ID) {
		return fmt.Errorf("%w: id %q is not a UUID, which is all that is accepted here", ErrInvalid, k.ID)
	}
	return nil
}

func checkOwner(owner string) error {
	if len(owner) > MaxOwner || !utf8.ValidString(owner) {
		return fmt.Errorf("%w: an owner is at most %d bytes of UTF-8, not %.64q", ErrInvalid, MaxOwner, owner)
	}
	return nil
}

// CheckID refuses, with [ErrInvalid], what is no id of a session: see [Key].
func CheckID(id string) error {
	ok := id != "" && len(id) <= MaxID && id[0] != '.'
	for i := range len(id) {
		c := id[i]
		ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if ok {
		return nil
	}
	return fmt.Errorf("%w: id %.64q; use 1 to %d letters, digits, '.', '_' and '-', not starting with a dot", ErrInvalid, id, MaxID)
}

// isUUID reports whether id has the textual form of RFC 9562, of any version.
func isUUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if ('0' > c || c > '9') && ('a' > c || c > 'f') && ('A' > c || c > 'F') {
			return false
		}
	}
	return true
}

// record is a Session as it is stored.
type record struct {
	Version int `json:"version"`
	Session
}

// recordVersion is raised when older programs would misunderstand a record.
const recordVersion = 1

func encodeRecord(s *Session) ([]byte, error) { return json.Marshal(record{recordVersion, *s}) }

// decodeRecord reads what is stored of a session. Whatever data holds, what it
// returns is in bounds.
func decodeRecord(k Key, data []byte) (*Session, error) {
	var r record
	if err := decodeStrict(data, maxRecord, &r); err != nil {
		return nil, fmt.Errorf("%w %q: its record: %w", ErrDamaged, k.ID, err)
	}
	s := &r.Session
	switch {
	case r.Version > recordVersion:
		return nil, fmt.Errorf("%w %q: its record is of version %d, this sandboxd knows %d: it was used by a newer one", ErrDamaged, k.ID, r.Version, recordVersion)
	case r.Version != recordVersion,
		s.Key() != k,
		s.Persist != PersistNone && s.Persist != PersistState,
		s.Oldest < 0 || s.Turn < s.Oldest || s.Turn > maxTurns || s.Calls < 0 || s.Bytes < 0 || s.Damaged != "",
		s.Parent != nil && (CheckID(s.Parent.ID) != nil || s.Parent.Turn < 0):
		return nil, fmt.Errorf("%w %q: its record is wrong", ErrDamaged, k.ID)
	}
	return s, nil
}

// maxTurns bounds the number of a turn; a call a millisecond reaches it in a month.
const maxTurns = 1<<31 - 1

func decodeTurn(k Key, n int, data []byte) (*Turn, error) {
	var t Turn
	err := decodeStrict(data, maxTurn, &t)
	if err == nil && (t.Number != n || t.State != "" && !isDigest(t.State) || t.StateBytes < 0) {
		err = errors.New("it is wrong")
	}
	if err != nil {
		return nil, fmt.Errorf("%w %q: the record of turn %d: %w", ErrDamaged, k.ID, n, err)
	}
	return &t, nil
}

// isDigest reports whether s is a SHA-256 in lower-case hexadecimal.
func isDigest(s string) bool {
	ok := len(s) == 64
	for i := range len(s) {
		ok = ok && ('0' <= s[i] && s[i] <= '9' || 'a' <= s[i] && s[i] <= 'f')
	}
	return ok
}

// decodeStrict reads one JSON value of known fields and nothing else.
func decodeStrict(data []byte, most int, to any) error {
	if len(data) > most {
		return fmt.Errorf("%d bytes, at most %d are accepted", len(data), most)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// Executor runs programs. [host.Host] is one.
type Executor interface {
	Execute(ctx context.Context, r host.Request) (*host.Result, error)
}
