package blobstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"gocloud.dev/gcerrors"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
)

// state is a session as this node knows it: its highest commit, and what is to become
// part of the next. A state that was handed out does not change; those who change a
// session make another.
type state struct {
	// Number, Time and Size are the commit's, as the bucket lists it.
	Number uint64    `json:"number"`
	Time   time.Time `json:"time"`
	Size   int64     `json:"size"`
	// Commit is what it says, without what was deleted since: so many turns and
	// images as Dead says.
	Commit *commit `json:"commit"`
	Dead   int     `json:"dead"`
	// Begun are turns that were not committed yet, and Saved images.
	Begun map[int]*begun      `json:"begun"`
	Saved map[string]*blobRef `json:"saved"`
	// Loose are objects that the commit before named and this one does not.
	Loose []string `json:"loose"`

	commit *commit  // Commit
	old    []uint64 // commits before this one that are still in the bucket
	passed bool     // somebody has committed after this one
}

// begun is a turn that is not committed yet.
type begun struct {
	Dir string `json:"dir"` // its workspace, among the session's
	// From is the archive of the workspace that it began as a copy of, if any; Turn
	// is nil until the turn's record is set.
	From *blobRef `json:"from"`
	Turn *turn    `json:"turn"`
}

func (st *state) clone() *state {
	c := *st
	c.Begun, c.Saved = maps.Clone(st.Begun), maps.Clone(st.Saved)
	if c.Begun == nil {
		c.Begun = map[int]*begun{}
	}
	if c.Saved == nil {
		c.Saved = map[string]*blobRef{}
	}
	return &c
}

// turn is a turn that has a record; nil if there is none of that number.
func (st *state) turn(number int) *turn {
	if b := st.Begun[number]; b != nil {
		return b.Turn
	}
	return st.commit.turn(number)
}

// turns are all turns that have a record, in order.
func (st *state) turns() []turn {
	var all []turn
	for _, t := range st.commit.Turns {
		if b := st.Begun[t.Number]; b == nil {
			all = append(all, t)
		}
	}
	for _, b := range st.Begun {
		if b.Turn != nil {
			all = append(all, *b.Turn)
		}
	}
	slices.SortFunc(all, func(a, b turn) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// images are all images, by their digests.
func (st *state) images() map[string]*blobRef {
	all := maps.Clone(st.commit.Images)
	if all == nil {
		all = map[string]*blobRef{}
	}
	maps.Copy(all, st.Saved)
	return all
}

// dirName is the name of a turn's local workspace: whatever else a turn of that
// number was, or will be, has another.
func (st *state) dirName(number int) string {
	if b := st.Begun[number]; b != nil {
		return b.Dir
	}
	if t := st.commit.turn(number); t != nil {
		return committedDir(t)
	}
	return ""
}

func committedDir(t *turn) string { return strconv.Itoa(t.Number) + "-" + t.Files.Name }

// local is the directory of a turn's workspace, if this node has it.
func (s *Storage) local(k session.Key, st *state, number int) (string, bool) {
	name := st.dirName(number)
	dir := s.localPath(k, filesDir, name)
	info, err := os.Lstat(dir)
	return dir, name != "" && err == nil && info.IsDir()
}

func (s *Storage) localPath(k session.Key, parts ...string) string {
	return filepath.Join(append([]string{s.o.Cache, ownerName(k.Owner), k.ID}, parts...)...)
}

// state is that of a session: as it was when this process locked it, with all that
// was done since, or else as it is in the bucket.
func (s *Storage) state(ctx context.Context, k session.Key) (*state, error) {
	s.mu.Lock()
	st := s.held[k]
	s.mu.Unlock()
	if st != nil {
		return st, nil
	}
	return s.look(ctx, k)
}

// look reads the highest commit of a session, from the bucket unless this node has it.
func (s *Storage) look(ctx context.Context, k session.Key) (*state, error) {
	const attempts = 10 // others may commit meanwhile, and delete what was listed
	var missing error
	for range attempts {
		all, err := s.commits(ctx, k)
		if gcerrors.Code(err) == gcerrors.NotFound { // while it was listed, in fileblob
			missing = err
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].size == 0 {
			return nil, session.ErrNotFound
		}
		top := all[len(all)-1]
		st := s.remembered(k, top)
		if st == nil {
			c, err := s.readCommit(ctx, k, top.number)
			if errors.Is(err, session.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			st = &state{Number: top.number, Time: top.time, Size: top.size, commit: c}
		}
		st.old = below(all, top.number)
		return st, nil
	}
	if missing == nil {
		missing = session.ErrBusy
	}
	return nil, fmt.Errorf("its commits come and go: %w", missing)
}

func below(all []listed, number uint64) []uint64 {
	var old []uint64
	for _, c := range all {
		if c.number < number {
			old = append(old, c.number)
		}
	}
	return old
}

// readCommit reads one. A commit that says that the session is deleted is
// [session.ErrNotFound] too.
func (s *Storage) readCommit(ctx context.Context, k session.Key, number uint64) (*commit, error) {
	data, err := s.read(ctx, s.commitName(k, number), maxCommit)
	if errors.Is(err, errLong) {
		return nil, damaged(k, fmt.Sprintf("commit %d", number), err)
	}
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, session.ErrNotFound
	}
	c, err := decodeCommit(data)
	if err != nil {
		return nil, damaged(k, fmt.Sprintf("commit %d", number), err)
	}
	return c, nil
}

// remembered is what this node noted of a session, if that is still as it was.
func (s *Storage) remembered(k session.Key, top listed) *state {
	data, err := readFile(s.localPath(k, localFile), 2*maxCommit)
	if err != nil {
		return nil
	}
	var st state
	if json.Unmarshal(data, &st) != nil || st.Commit == nil || st.Commit.check() != nil ||
		st.Number != top.number || st.Size != top.size || !st.Time.Equal(top.time) {
		return nil
	}
	st.commit, st.Commit = st.Commit, nil
	return &st
}

// note makes st the state of a session, for this process if it holds the lock, and for
// others of this node. What cannot be written is read from the bucket again.
func (s *Storage) note(k session.Key, st *state) error {
	s.mu.Lock()
	if s.held[k] != nil {
		s.held[k] = st
	}
	s.mu.Unlock()
	written := *st
	written.Commit = st.commit
	data, err := json.Marshal(written)
	if err != nil {
		return err
	}
	dir, err := s.Dir(k)
	if err != nil {
		return err
	}
	return writeFile(dir, localFile, data)
}

// forget lets go of what was begun and is not to be committed, and of all local copies,
// which a program may have changed in place. What of it is in the bucket is left to
// Sweep: a commit may be on its way that names it.
func (s *Storage) forget(ctx context.Context, k session.Key, st *state) (*state, error) {
	next := st.clone()
	clear(next.Begun)
	clear(next.Saved)
	return next, errors.Join(s.empty(ctx, k), s.note(k, next))
}

// advance commits a session's record with all that was begun.
func (s *Storage) advance(ctx context.Context, k session.Key, st *state, record []byte) error {
	write := rand.Text()
	next := &commit{
		Writes: append([]string{write}, st.commit.Writes[:min(len(st.commit.Writes), maxWrites-1)]...),
		Life:   st.commit.Life, Record: record, Turns: st.turns(), Images: st.images(),
	}
	done, err := s.commitAfter(ctx, k, st.Number, true, next)
	if err != nil {
		_, forgotten := s.forget(ctx, k, st)
		return errors.Join(err, forgotten)
	}
	for number, b := range st.Begun {
		if b.Turn == nil {
			done.Begun[number] = b
			continue
		}
		s.settle(ctx, k, b)
	}
	named := names(done)
	for name := range names(st) {
		if !named[name] {
			done.Loose = append(done.Loose, name)
		}
	}
	return s.note(k, done)
}

// settle gives the workspace of a turn that was committed its name. One that cannot
// have it is fetched again when it is needed.
func (s *Storage) settle(ctx context.Context, k session.Key, b *begun) {
	from, to := s.localPath(k, filesDir, b.Dir), s.localPath(k, filesDir, committedDir(b.Turn))
	if from == to {
		return
	}
	if err := workspace.Delete(ctx, to); err == nil {
		_ = os.Rename(from, to)
	}
}

// commitAfter creates the commit that follows number base, which must still be there
// if follows is true. See the package's comment for what that means. It returns the
// state of the session then.
func (s *Storage) commitAfter(ctx context.Context, k session.Key, base uint64, follows bool, c *commit) (*state, error) {
	data, err := encodeCommit(c)
	if err != nil {
		return nil, err
	}
	var created error
	for range createAttempts {
		if created = s.create(ctx, s.commitName(k, base+1), data); created == nil || gcerrors.Code(created) == gcerrors.FailedPrecondition {
			break
		}
	}
	// Whatever was answered, the bucket is asked. A connection may have been lost after
	// it was written; and where this node slept for so long that others committed and
	// deleted the very commit that stood in its way, it was created, and does not count.
	var all []listed
	for range verifyAttempts {
		if all, err = s.commits(ctx, k); err == nil {
			break
		}
	}
	if err != nil {
		return nil, unknown(errors.Join(created, err))
	}
	top := listed{}
	if len(all) > 0 {
		top = all[len(all)-1]
	}
	st := &state{Number: top.number, Time: top.time, Size: top.size, commit: c, Begun: map[int]*begun{}, Saved: map[string]*blobRef{}}
	switch {
	case top.number <= base && created != nil:
		return nil, unknown(created)
	case top.number == base+1 && created == nil:
		if st.old = below(all, top.number); follows && !slices.Contains(st.old, base) {
			break // the session was deleted, and that even forgotten
		}
		return st, nil
	case top.number > base && top.size > 0:
		found, err := s.readCommit(ctx, k, top.number)
		if err != nil && !errors.Is(err, session.ErrNotFound) {
			return nil, unknown(err)
		}
		if found != nil && slices.Contains(found.Writes, c.Writes[0]) {
			st.old, st.passed = below(all, base+1), top.number > base+1
			return st, nil
		}
	}
	if created == nil { // and it does not count
		_ = s.remove(ctx, s.commitName(k, base+1))
	}
	return nil, session.ErrConflict
}

// How often an object is tried to be created, which S3 may refuse while others try
// (409), and how often the bucket is asked whether a commit was made.
const (
	createAttempts = 2
	verifyAttempts = 3
)

func unknown(err error) error {
	return fmt.Errorf("whether it was committed is not known: %w", err)
}

// readFile reads a file of ours, up to a size.
func readFile(name string, most int64) (_ []byte, err error) {
	file, err := os.Open(name) //nolint:gosec // a name of this package
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // opened for reading
	return io.ReadAll(io.LimitReader(file, most))
}

// writeFile writes a file of the cache that is there as a whole or not at all. It need
// not survive a crash of the machine.
func writeFile(dir, name string, data []byte) error {
	temp := filepath.Join(dir, workspace.TempPrefix+rand.Text())
	err := os.WriteFile(temp, data, 0o600)
	if err == nil {
		err = os.Rename(temp, filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}
