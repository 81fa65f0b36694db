package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sandboxd/sandboxd/host"
)

// Call is one program to run in a session.
type Call struct {
	// Request says what to run. Its Workspace, WorkspaceShared, Session, State and
	// KeepState are the session's; its Language and Profile too where they are empty. In a session
	// that keeps the interpreter's state, only its own language runs.
	Request host.Request
	// Language is the name of the runtime, where the request's language is an alias,
	// which may say more than the name; empty means the request's.
	Language string
	// History is how many turns before this one stay. With none, the program works
	// on the session's files in place: a crash, or a failure of the host's, leaves
	// them as they were then, and the call does not begin a new turn.
	History int
	// ResetState begins with a fresh interpreter.
	ResetState bool
	// NoWait fails with [ErrBusy] while another call runs in the session.
	NoWait bool
}

// Outcome is how a call in a session went.
type Outcome struct {
	Result *host.Result
	// Turn is the session's turn now.
	Turn int
	// Warnings are sentences about the session that its user should read: that a
	// state was damaged and an earlier one used, or that nothing was kept.
	Warnings []string
}

// Run runs a program in a session and commits what it left: its files whatever its
// status is, and its state where the result has one, else the state from before. An
// error of e, whose errors it returns, commits nothing, and neither does the status
// internal nor a program that had to be abandoned.
//
// A state that is damaged is passed over for that of the latest turn before which is
// whole, or for a fresh interpreter, with a warning; one that is out of reach,
// [ErrUnreachable], is not. One of another version of the
// runtime is [host.ErrStateVersion], and the session stays as it is: see
// [Call.ResetState].
//
// When ctx ends, the program does, and what it left is committed all the same.
func (s *Store) Run(ctx context.Context, e Executor, k Key, c Call) (*Outcome, error) {
	n, unlock, err := s.locked(ctx, k, !c.NoWait)
	if err != nil {
		return nil, err
	}
	defer unlock()
	r := &run{store: s, session: n, call: c, out: &Outcome{Turn: n.Turn}}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	if err := r.execute(ctx, e); err != nil {
		r.discard(ctx)
		return nil, err
	}
	if r.lost() {
		r.warn("nothing that this call did in session %q was kept", k.ID)
		r.discard(ctx)
		return r.out, nil
	}
	// From here on the caller's patience does not count: the program has run.
	if err := r.commit(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	return r.out, nil
}

// run is one call on its way through a session.
type run struct {
	store   *Store
	session *Session
	call    Call
	next    int    // the turn it works in
	state   string // the digest of the state it went on from
	size    int64
	out     *Outcome
}

func (r *run) warn(format string, args ...any) {
	r.out.Warnings = append(r.out.Warnings, fmt.Sprintf(format, args...))
}

// begin fills in the request and makes the turn in which the program will work.
func (r *run) begin(ctx context.Context) error {
	n, q := r.session, &r.call.Request
	if q.Language == "" {
		q.Language = n.Language
	}
	if q.Profile == "" {
		q.Profile = n.Profile
	}
	if name := cmp.Or(r.call.Language, q.Language); n.Persist == PersistState && name != n.Language {
		return fmt.Errorf("%w: session %q keeps the state of %s, and this program is %s", ErrInvalid, n.ID, n.Language, name)
	}
	if r.next = n.Turn; r.call.History > 0 {
		if n.Turn >= maxTurns {
			return fmt.Errorf("%w: session %q has no more turns; fork it", ErrInvalid, n.ID)
		}
		r.next++
		if err := r.store.storage.Begin(ctx, n.Key(), r.next, n.Turn); err != nil {
			r.discard(ctx)
			return named(n.Key(), err)
		}
	}
	var err error
	q.Workspace, err = r.store.storage.Workspace(ctx, n.Key(), r.next)
	q.WorkspaceShared, q.Session, q.KeepState = true, n.ID, n.Persist == PersistState
	return named(n.Key(), err)
}

// execute runs the program, from the latest state that is whole.
func (r *run) execute(ctx context.Context, e Executor) (err error) {
	n := r.session
	for turn := n.Turn; n.Persist == PersistState && !r.call.ResetState && turn >= n.Oldest; turn-- {
		image, bad := r.image(ctx, turn)
		if errors.Is(bad, ErrUnreachable) {
			return bad // and not damaged
		}
		if bad == nil && image == nil {
			break // there was none then
		}
		if bad == nil {
			r.call.Request.State = image
			r.out.Result, bad = e.Execute(ctx, r.call.Request)
			if !errors.Is(bad, host.ErrState) {
				if errors.Is(bad, host.ErrStateVersion) {
					bad = fmt.Errorf("session %q: %w; its files are untouched", n.ID, bad)
				}
				return bad
			}
		}
		r.warn("the state of session %q, turn %d, is damaged and was passed over: %v", n.ID, turn, bad)
	}
	r.state, r.size, r.call.Request.State = "", 0, nil
	r.out.Result, err = e.Execute(ctx, r.call.Request)
	return err
}

// image is the state of a turn; nil if it has none.
func (r *run) image(ctx context.Context, turn int) ([]byte, error) {
	k := r.session.Key()
	t, err := r.store.turn(ctx, k, turn)
	if err != nil {
		return nil, err
	}
	r.state, r.size = t.State, t.StateBytes
	if t.State == "" {
		return nil, nil
	}
	data, err := r.store.storage.Image(ctx, k, t.State)
	if err != nil {
		return nil, err
	}
	if digestOf(data) != t.State {
		return nil, errors.New("its content has changed")
	}
	return data, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// lost reports whether what the call did cannot be kept: the host failed, or gave up
// on a guest that may still be changing files.
func (r *run) lost() bool {
	return r.out.Result.Status == host.StatusInternal || r.out.Result.Abandoned
}

// discard deletes the turn that was begun.
func (r *run) discard(ctx context.Context) {
	if err := r.store.keep(context.WithoutCancel(ctx), r.session); err != nil {
		r.warn("what this call left of session %q could not be deleted, and will be by the next: %v", r.session.ID, err)
	}
}

// commit makes what the program left the session's.
func (r *run) commit(ctx context.Context) error {
	n, result := r.session, r.out.Result
	t := &Turn{
		Number: r.next, Time: r.store.now().UTC(), Status: string(result.Status),
		FilesCreated: result.FilesCreated, FilesModified: result.FilesModified, FilesDeleted: result.FilesDeleted,
		FilesOmitted: result.FilesOmitted, State: r.state, StateBytes: r.size,
	}
	var image *ImageData
	if result.State != nil && n.Persist == PersistState {
		t.State, t.StateBytes = digestOf(result.State), int64(len(result.State))
		if t.State != r.state {
			image = &ImageData{t.State, result.State}
		}
	}
	n.Calls++
	if err := r.store.commit(ctx, n, t, image, r.call.History); err != nil {
		return err
	}
	r.out.Turn = n.Turn
	return nil
}

// commit makes t, whose files are in place, the current turn of a session, with the
// image that it names if that is new, and forgets the turns that are more than history
// before it.
func (s *Store) commit(ctx context.Context, n *Session, t *Turn, image *ImageData, history int) error {
	k := n.Key()
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	n.Turn, n.Oldest, n.Used = t.Number, max(n.Oldest, t.Number-history), t.Time
	if n.Bytes, err = s.measure(ctx, n, t); err != nil {
		return err
	}
	record, err := encodeRecord(n)
	if err != nil {
		return err
	}
	if err := s.write(ctx, k, Commit{Record: record, Turn: TurnData{t.Number, data}, Image: image}); err != nil {
		return named(k, err)
	}
	return named(k, s.keep(ctx, n))
}

// write writes a commit, together if the storage can.
func (s *Store) write(ctx context.Context, k Key, c Commit) error {
	if together, ok := s.storage.(Committer); ok {
		return together.Commit(ctx, k, c)
	}
	if c.Image != nil {
		if err := s.storage.SetImage(ctx, k, c.Image.Digest, c.Image.Data); err != nil {
			return err
		}
	}
	if err := s.storage.SetTurn(ctx, k, c.Turn); err != nil {
		return err
	}
	return s.storage.SetRecord(ctx, k, c.Record)
}

// keep deletes what no longer belongs to a session, or never did.
func (s *Store) keep(ctx context.Context, n *Session) error {
	var turns []int
	var images []string
	for number := n.Oldest; number <= n.Turn; number++ {
		turns = append(turns, number)
		t, err := s.turn(ctx, n.Key(), number)
		if errors.Is(err, ErrUnreachable) {
			return err
		}
		// An image whose turn cannot be read is lost anyway.
		if err == nil && t.State != "" {
			images = append(images, t.State)
		}
	}
	return s.storage.Keep(ctx, n.Key(), turns, images)
}
