package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/sandboxd/sandboxd/host/workspace"
)

// Options configure a Store.
type Options struct {
	// Storage keeps the sessions. Required.
	Storage Storage
	// UUIDs accepts only ids that are UUIDs.
	UUIDs bool
	// Queue is how many callers may wait for one session in this process; 0 means
	// [DefaultQueue].
	Queue int
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// DefaultQueue is how many may wait where nothing else is said.
const DefaultQueue = 64

// Store is all sessions of one Storage.
type Store struct {
	storage Storage
	uuids   bool
	queue   int
	now     func() time.Time

	mu    sync.Mutex
	gates map[Key]*gate
}

// New returns a Store.
func New(o Options) *Store {
	s := &Store{storage: o.Storage, uuids: o.UUIDs, queue: o.Queue, now: o.Now, gates: map[Key]*gate{}}
	if s.queue == 0 {
		s.queue = DefaultQueue
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// gate lets one caller of this process at a time go for a session's lock, in the
// order they came.
type gate struct {
	turn  chan struct{} // holds a token while nobody is inside
	users int           // inside and waiting
}

// lock takes a session for the caller: [ErrBusy] if it is not to wait or too many do.
func (s *Store) lock(ctx context.Context, k Key, wait bool) (unlock func(), err error) {
	if err := s.checkKey(k); err != nil {
		return nil, err
	}
	g, err := s.enter(k, wait)
	if err != nil {
		return nil, fmt.Errorf("session %q: %w", k.ID, err)
	}
	select {
	case <-g.turn:
	case <-ctx.Done():
		s.leave(k, g)
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil { // both had happened, and the select took either
		g.turn <- struct{}{}
		s.leave(k, g)
		return nil, err
	}
	release, err := s.storage.Lock(ctx, k, wait)
	if err != nil {
		g.turn <- struct{}{}
		s.leave(k, g)
		return nil, named(k, err)
	}
	return func() {
		release()
		g.turn <- struct{}{}
		s.leave(k, g)
	}, nil
}

func (s *Store) enter(k Key, wait bool) (*gate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.gates[k]
	if g == nil {
		g = &gate{turn: make(chan struct{}, 1)}
		g.turn <- struct{}{}
		s.gates[k] = g
	}
	if g.users > 0 && !wait || g.users > s.queue {
		return nil, ErrBusy
	}
	g.users++
	return g, nil
}

func (s *Store) leave(k Key, g *gate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.users--; g.users == 0 {
		delete(s.gates, k)
	}
}

// named says which session an error is about, where it does not say so itself.
func named(k Key, err error) error {
	if err == nil || errors.Is(err, ErrDamaged) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("session %q: %w", k.ID, err)
}

// Spec says what session to make.
type Spec struct {
	Owner string
	// ID is the session's id; empty makes one of 128 random bits.
	ID string
	// Language is a runtime's name. It is not checked: the first call is.
	Language string
	// Profile is that of calls which name none; empty means the policy's default.
	Profile string
	// Persist is what outlives a call; empty means PersistNone.
	Persist Persist
}

// Create makes an empty session. An id that is taken is [ErrExists].
func (s *Store) Create(ctx context.Context, spec Spec) (*Session, error) {
	now := s.now().UTC()
	n := &Session{
		ID: spec.ID, Owner: spec.Owner, Language: spec.Language, Profile: spec.Profile, Persist: spec.Persist,
		Created: now, Used: now,
	}
	if n.Persist == "" {
		n.Persist = PersistNone
	}
	if n.Persist != PersistNone && n.Persist != PersistState {
		return nil, fmt.Errorf("%w: there is no persistence %.64q; write %q or %q", ErrInvalid, n.Persist, PersistNone, PersistState)
	}
	return s.create(ctx, n, Turn{Status: StatusCreated, Time: now}, nil)
}

// create makes a session whose first turn is t, a copy of from if that is there.
func (s *Store) create(ctx context.Context, n *Session, t Turn, from *Place) (*Session, error) {
	if n.ID == "" {
		n.ID = s.newID()
	}
	k := n.Key()
	if err := s.checkKey(k); err != nil {
		return nil, err
	}
	data, err := encodeRecord(n)
	if err == nil && len(data) > maxRecord {
		err = fmt.Errorf("%w: the language and the profile are too long", ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	turn, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	if err := s.storage.Create(ctx, k, data, TurnData{t.Number, turn}, from); err != nil {
		return nil, named(k, err)
	}
	return n, nil
}

// newID makes an id of 128 random bits: 32 hexadecimal digits, or the UUID of them,
// which has 122.
func (s *Store) newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it does not fail
	if !s.uuids {
		return hex.EncodeToString(b[:])
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562, version 4
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Get describes a session.
func (s *Store) Get(ctx context.Context, k Key) (*Session, error) {
	if err := s.checkKey(k); err != nil {
		return nil, err
	}
	return s.load(ctx, k)
}

func (s *Store) load(ctx context.Context, k Key) (*Session, error) {
	data, err := s.storage.Record(ctx, k)
	if err != nil {
		return nil, named(k, err)
	}
	return decodeRecord(k, data)
}

func (s *Store) save(ctx context.Context, n *Session) error {
	data, err := encodeRecord(n)
	if err != nil {
		return err
	}
	return named(n.Key(), s.storage.SetRecord(ctx, n.Key(), data))
}

// List describes all sessions of an owner, the one used last first. Those that are
// damaged are there, and last; those that vanish meanwhile are not.
func (s *Store) List(ctx context.Context, owner string) ([]*Session, error) {
	if err := checkOwner(owner); err != nil {
		return nil, err
	}
	ids, err := s.storage.Sessions(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list := make([]*Session, 0, len(ids))
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := s.load(ctx, Key{owner, id})
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			n = &Session{ID: id, Owner: owner, Damaged: err.Error()}
		}
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b *Session) int {
		return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// Size is how many bytes a session takes, all its turns together.
func (s *Store) Size(ctx context.Context, k Key) (int64, error) {
	if err := s.checkKey(k); err != nil {
		return 0, err
	}
	n, err := s.storage.Size(ctx, k)
	return n, named(k, err)
}

// Remove deletes a session with all it has, a damaged one too. It waits for a call
// that runs in it, or returns [ErrBusy] if wait is false.
func (s *Store) Remove(ctx context.Context, k Key, wait bool) error {
	unlock, err := s.lock(ctx, k, wait)
	if err != nil {
		return err
	}
	defer unlock()
	return named(k, s.storage.Delete(ctx, k))
}

// View opens the files of a session's current turn for reading; the caller closes
// it. They are those that the last call left, also while another one runs, unless
// that has no history and changes them in place. Once [Call.History] more calls were
// committed, they are gone.
func (s *Store) View(ctx context.Context, k Key) (*workspace.Workspace, error) {
	if err := s.checkKey(k); err != nil {
		return nil, err
	}
	n, err := s.load(ctx, k)
	if err != nil {
		return nil, err
	}
	return s.files(ctx, n, workspace.Limits{})
}

// unlimited is for files that were within limits where they come from.
var unlimited = workspace.Limits{Bytes: math.MaxInt64, Entries: math.MaxInt}

func (s *Store) files(ctx context.Context, n *Session, limits workspace.Limits) (*workspace.Workspace, error) {
	dir, err := s.storage.Workspace(ctx, n.Key(), n.Turn)
	if err != nil {
		return nil, named(n.Key(), err)
	}
	w, err := workspace.Open(dir, limits)
	return w, named(n.Key(), err)
}

// Edit lets change what is in a session's files, within limits, while no call runs:
// it waits for one. The changes become part of the current turn, one by one: what
// was changed before an error stays.
func (s *Store) Edit(ctx context.Context, k Key, limits workspace.Limits, change func(*workspace.Workspace) error) (err error) {
	unlock, err := s.lock(ctx, k, true)
	if err != nil {
		return err
	}
	defer unlock()
	n, err := s.load(ctx, k)
	if err != nil {
		return err
	}
	w, err := s.files(ctx, n, limits)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	err = change(w)
	ctx = context.WithoutCancel(ctx)
	used, measured := w.Measure(ctx)
	if measured != nil {
		return errors.Join(err, measured)
	}
	t, turned := s.turn(ctx, k, n.Turn)
	if turned == nil {
		var data []byte
		if data, turned = json.Marshal(t); turned == nil {
			turned = named(k, s.storage.SetTurn(ctx, k, TurnData{n.Turn, data}))
		}
	}
	if turned != nil {
		return errors.Join(err, turned)
	}
	n.Bytes, n.Used = used.Bytes+t.StateBytes, s.now().UTC()
	return errors.Join(err, s.save(ctx, n))
}

// turn reads what a turn did.
func (s *Store) turn(ctx context.Context, k Key, number int) (*Turn, error) {
	data, err := s.storage.Turn(ctx, k, number)
	if err != nil {
		return nil, named(k, fmt.Errorf("turn %d: %w", number, err))
	}
	return decodeTurn(k, number, data)
}
