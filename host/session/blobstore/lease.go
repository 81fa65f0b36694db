package blobstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gocloud.dev/gcerrors"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/internal/owned"
)

// lease is who works on a session, as it lies in the bucket.
type lease struct {
	Node   string    `json:"node"`
	Holder string    `json:"holder"` // a random name of this lock
	Until  time.Time `json:"until"`
}

const maxLease = 4 << 10

func (s *Storage) leaseName(k session.Key) string { return s.path(leasesDir, k) }

// Between two attempts at a lock: of this node's other processes, which costs nothing,
// and of other nodes, which costs a request.
const (
	firstPause = time.Millisecond
	longPause  = 50 * time.Millisecond
	leasePause = 500 * time.Millisecond
)

// Lock implements [session.Storage]: against other processes of this node by a file
// lock, which ends with the process, and against other nodes by a lease. What that
// guarantees is said in the package's comment. What was begun before, and not
// committed, is gone then.
func (s *Storage) Lock(ctx context.Context, k session.Key, wait bool) (unlock func(), err error) {
	if _, err := s.look(ctx, k); err != nil {
		return nil, err // whatever is asked for is not there
	}
	file, err := s.lockNode(ctx, k, wait)
	if err != nil {
		return nil, err
	}
	release, err := s.takeLease(ctx, k, wait)
	if err != nil {
		_ = file.Close() // which ends the lock
		return nil, err
	}
	free := func() {
		s.mu.Lock()
		delete(s.held, k)
		s.mu.Unlock()
		release()
		_ = file.Close()
	}
	st, err := s.look(ctx, k)
	if err == nil {
		st, err = s.tidy(ctx, k, file, st)
	}
	if err != nil {
		free()
		return nil, err
	}
	s.mu.Lock()
	s.held[k] = st
	s.mu.Unlock()
	return sync.OnceFunc(func() {
		_ = file.Truncate(0) // else the next finds more to tidy than there is
		free()
	}), nil
}

// tidy forgets what the last who held the lock on this node did not commit. If that
// process died, it may have been changing files in place, and none of the local ones
// are believed.
func (s *Storage) tidy(ctx context.Context, k session.Key, file *os.File, st *state) (*state, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > 0 {
		err = s.empty(ctx, k)
	}
	if err == nil && (len(st.Begun) > 0 || len(st.Saved) > 0) {
		st, err = s.forget(ctx, k, st)
	}
	if err == nil {
		_, err = file.WriteAt([]byte("held\n"), 0)
	}
	return st, err
}

// empty deletes the local files of a session.
func (s *Storage) empty(ctx context.Context, k session.Key) error {
	return errors.Join(workspace.Delete(ctx, s.localPath(k, filesDir)), workspace.Delete(ctx, s.localPath(k, imagesDir)))
}

// lockNode waits for other processes of this node.
func (s *Storage) lockNode(ctx context.Context, k session.Key, wait bool) (*os.File, error) {
	dir, err := s.Dir(k)
	if err != nil {
		return nil, err
	}
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		file, err := tryLock(filepath.Join(dir, lockFile))
		if err != nil || file != nil {
			return file, err
		}
		if !wait {
			return nil, session.ErrBusy
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// tryLock returns the locked file, or nil if somebody else has it. One that was
// deleted between opening and locking excludes nobody.
func tryLock(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // a name of this package
	if err != nil {
		return nil, err
	}
	locked, err := owned.TryLock(file)
	if err == nil && locked {
		opened, errOpened := file.Stat()
		there, errThere := os.Stat(name)
		if errOpened == nil && errThere == nil && os.SameFile(opened, there) {
			return file, nil
		}
	}
	_ = file.Close() // nothing was written
	return nil, err
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeLease waits for other nodes. Nobody else of this node is in here.
func (s *Storage) takeLease(ctx context.Context, k session.Key, wait bool) (release func(), err error) {
	holder := rand.Text()
	for failures := 0; ; {
		err := s.writeLease(ctx, k, holder, true)
		if err == nil {
			return s.holdLease(k, holder), nil
		}
		l, readErr := s.readLease(ctx, k)
		switch {
		case readErr == nil && l.Holder == holder: // only the answer was lost
			return s.holdLease(k, holder), nil
		case gcerrors.Code(err) != gcerrors.FailedPrecondition:
			if failures++; failures == createAttempts {
				return nil, unreachable(err)
			}
			continue
		case errors.Is(readErr, session.ErrNotFound):
			continue // it was given back just now
		case readErr != nil:
			return nil, readErr
		case l.Node == s.node, !time.Now().Before(l.Until):
			// Its holder is dead, or stalled. Should two take it at once, both
			// may believe to have it; see the package's comment.
			if err := s.remove(ctx, s.leaseName(k)); err != nil {
				return nil, err
			}
			continue
		case !wait:
			return nil, session.ErrBusy
		}
		if err := sleep(ctx, leasePause); err != nil {
			return nil, err
		}
	}
}

func (s *Storage) writeLease(ctx context.Context, k session.Key, holder string, create bool) error {
	data, err := json.Marshal(lease{s.node, holder, time.Now().Add(s.o.Lease)})
	if err != nil {
		return err
	}
	return s.put(ctx, s.leaseName(k), data, create)
}

// readLease reads who works on a session. One that cannot be read, or that is for
// longer than anybody asks for, is nobody's.
func (s *Storage) readLease(ctx context.Context, k session.Key) (l lease, err error) {
	const attempts = 3 // some servers give the content of one write with the checksum of another
	var data []byte
	for range attempts {
		if data, err = s.read(ctx, s.leaseName(k), maxLease); err == nil || errors.Is(err, session.ErrNotFound) {
			break
		}
	}
	if errors.Is(err, errLong) {
		return lease{}, nil
	}
	if err != nil {
		return l, err
	}
	if json.Unmarshal(data, &l) != nil || time.Until(l.Until) > 10*s.o.Lease {
		return lease{}, nil
	}
	return l, nil
}

// holdLease renews a lease until it is released.
func (s *Storage) holdLease(k session.Key, holder string) (release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for sleep(ctx, s.o.Lease/3) == nil {
			if l, err := s.readLease(ctx, k); err == nil && l.Holder == holder {
				_ = s.writeLease(ctx, k, holder, false) // the commit is what counts
			}
		}
	}()
	return func() {
		cancel()
		<-ended
		ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
		defer cancel()
		// What cannot be given back ends by itself.
		if l, err := s.readLease(ctx, k); err == nil && l.Holder == holder {
			_ = s.remove(ctx, s.leaseName(k))
		}
	}
}

// releaseTime is how long a lease is tried to be given back.
const releaseTime = 5 * time.Second
