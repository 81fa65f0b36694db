package blobstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
)

// Sweep deletes what nobody will name any more and is older than [Options.Abandoned]:
// objects that nodes left which died in the middle of a commit, what remained of
// deleted sessions, leases that ran out, and this node's copies of sessions that are
// gone. It lists all of the bucket below the prefix, a request for each thousand
// objects, and reads the highest commit of each session that has old data.
//
// It is safe while others work, on this node and on others. What cannot be deleted
// stays for the next time, and is told.
func (s *Storage) Sweep(ctx context.Context) error {
	before := time.Now().Add(-s.o.Abandoned)
	// The data first: what is named later than it was listed is young.
	return errors.Join(s.sweepData(ctx, before), s.sweepCommits(ctx, before),
		s.sweepOld(ctx, s.o.Prefix+leasesDir, before), s.sweepOld(ctx, s.o.Prefix+"tried/", before), s.sweepCache(ctx))
}

// sweepData deletes old objects that the highest commit of their session does not name.
func (s *Storage) sweepData(ctx context.Context, before time.Time) error {
	prefix := s.o.Prefix + dataDir
	var at session.Key
	var st *state
	var errs []error
	err := s.list(ctx, &blob.ListOptions{Prefix: prefix}, func(o *blob.ListObject) error {
		parts := strings.Split(strings.TrimPrefix(o.Key, prefix), "/")
		if len(parts) != 4 || !o.ModTime.Before(before) {
			return nil
		}
		owner, ok := ownerOf(parts[0])
		k := session.Key{Owner: owner, ID: parts[1]}
		if !ok || session.CheckID(k.ID) != nil {
			return nil
		}
		if k != at {
			var err error
			if st, err = s.look(ctx, k); err != nil && !errors.Is(err, session.ErrNotFound) {
				st, at = nil, session.Key{}
				errs = append(errs, err)
				return ctx.Err()
			}
			at = k
		}
		if st == nil || st.commit.Life != parts[2] || !names(st)[parts[3]] {
			errs = append(errs, s.remove(ctx, o.Key))
		}
		return ctx.Err()
	})
	return errors.Join(append(errs, err)...)
}

// sweepCommits deletes old commits that others came after, and those that say that a
// session was deleted. The one before the highest stays: who makes a commit finds it.
func (s *Storage) sweepCommits(ctx context.Context, before time.Time) error {
	return s.eachSession(ctx, s.o.Prefix+commitsDir, func(k session.Key, commits []listed) error {
		top := commits[len(commits)-1]
		var old []uint64
		for _, c := range commits {
			if c.time.Before(before) && (c.number+1 < top.number || top.size == 0) && (c.number < top.number || len(commits) == 1) {
				old = append(old, c.number)
			}
		}
		return s.removeCommits(ctx, k, old)
	})
}

func (s *Storage) sweepOld(ctx context.Context, prefix string, before time.Time) error {
	return s.list(ctx, &blob.ListOptions{Prefix: prefix}, func(o *blob.ListObject) error {
		if !o.ModTime.Before(before) {
			return nil
		}
		return s.remove(ctx, o.Key)
	})
}

// sweepCache deletes local copies of sessions that are not in the bucket.
func (s *Storage) sweepCache(ctx context.Context) error {
	return s.eachLocal(func(k session.Key) error { return s.sweepSession(ctx, k) })
}

func (s *Storage) sweepSession(ctx context.Context, k session.Key) error {
	dir := s.localPath(k)
	// Somebody may be making a session of that id at this moment: its workspace is
	// there already.
	info, err := os.Stat(dir)
	if err != nil || time.Since(info.ModTime()) < s.o.Abandoned {
		return ignoreMissing(err)
	}
	if _, err := s.look(ctx, k); !errors.Is(err, session.ErrNotFound) {
		return err
	}
	file, err := tryLock(filepath.Join(dir, lockFile))
	if err != nil || file == nil {
		return err
	}
	return errors.Join(workspace.Delete(ctx, dir), file.Close())
}
