package blobstore

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/sync/errgroup"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
)

// Create implements [session.Storage].
func (s *Storage) Create(ctx context.Context, k session.Key, record []byte, data session.TurnData, from *session.Place) error {
	all, err := s.commits(ctx, k)
	if err != nil {
		return err
	}
	base := uint64(0)
	if len(all) > 0 {
		if base = all[len(all)-1].number; all[len(all)-1].size > 0 {
			return session.ErrExists
		}
	}
	c := &commit{Writes: []string{rand.Text()}, Life: rand.Text(), Record: record, Images: map[string]*blobRef{}}
	source := ""
	if from != nil {
		if source, err = s.parent(ctx, k, c, from); err != nil {
			return err
		}
	}
	name, err := s.stage(ctx, k, source)
	if err != nil {
		return err
	}
	t, err := s.store(ctx, k, c.Life, data, s.localPath(k, filesDir, name), nil)
	if err == nil {
		c.Turns = []turn{*t}
		var st *state
		if st, err = s.commitAfter(ctx, k, base, false, c); err == nil {
			s.settle(ctx, k, &begun{Dir: name, Turn: t})
			return s.note(k, st)
		}
	}
	err = errors.Join(err, workspace.Delete(context.WithoutCancel(ctx), s.localPath(k, filesDir, name)))
	if errors.Is(err, session.ErrConflict) {
		_ = s.removeAll(ctx, s.dataName(k, c.Life, "")) // or Sweep does
		return session.ErrExists
	}
	return err
}

// parent finds the files that a fork begins with, and copies the image.
func (s *Storage) parent(ctx context.Context, k session.Key, c *commit, from *session.Place) (source string, err error) {
	st, err := s.state(ctx, from.Key)
	if err != nil {
		return "", err
	}
	if source, err = s.workspace(ctx, from.Key, st, from.Turn); err != nil {
		return "", err
	}
	image := st.images()[from.Image]
	if image == nil {
		return source, nil // one that is missing is found missing by the first call
	}
	copied := *image
	copied.Name = "image-" + rand.Text()
	copying, cancel := s.patience(ctx, image.Size)
	defer cancel()
	err = s.o.Bucket.Copy(copying, s.dataName(k, c.Life, copied.Name), s.dataName(from.Key, st.commit.Life, image.Name), nil)
	if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return "", err
	}
	c.Images[from.Image] = &copied
	return source, nil
}

// Delete implements [session.Storage]: it commits that there is no session. Its data
// goes then, and what cannot be deleted with [Storage.Sweep].
func (s *Storage) Delete(ctx context.Context, k session.Key) error {
	st, err := s.state(ctx, k)
	if err != nil {
		return err
	}
	gone := s.commitName(k, st.Number+1)
	if created := s.create(ctx, gone, nil); created != nil {
		// The answer may be what was lost.
		switch _, err := s.readCommit(ctx, k, st.Number+1); {
		case err == nil:
			return session.ErrConflict
		case !errors.Is(err, session.ErrNotFound):
			return unknown(errors.Join(created, err))
		case gcerrors.Code(created) != gcerrors.FailedPrecondition:
			return unknown(created)
		}
	}
	all, err := s.commits(ctx, k)
	if err != nil {
		return unknown(err)
	}
	if len(all) == 0 || all[len(all)-1].size > 0 || all[len(all)-1].number != st.Number+1 {
		return session.ErrConflict
	}
	ctx = context.WithoutCancel(ctx)
	_ = errors.Join(s.removeCommits(ctx, k, below(all, st.Number+1)), s.removeAll(ctx, s.dataName(k, st.commit.Life, "")))
	// Another process of this node may wait for the lock: its file stays.
	return errors.Join(s.empty(ctx, k), ignoreMissing(os.Remove(s.localPath(k, localFile))))
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// parallel is how many objects are deleted at once.
const parallel = 8

func (s *Storage) removeCommits(ctx context.Context, k session.Key, numbers []uint64) error {
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, number := range numbers {
		g.Go(func() error { return s.remove(ctx, s.commitName(k, number)) })
	}
	return g.Wait()
}

// removeAll deletes all objects of a prefix.
func (s *Storage) removeAll(ctx context.Context, prefix string) error {
	var g errgroup.Group
	g.SetLimit(parallel)
	err := s.list(ctx, &blob.ListOptions{Prefix: prefix}, func(o *blob.ListObject) error {
		g.Go(func() error { return s.remove(ctx, o.Key) })
		return nil
	})
	return errors.Join(err, g.Wait())
}

// maxDead is how many turns and images the highest commit may name that are deleted.
const maxDead = 16

// Keep implements [session.Storage]. What is not kept is no longer named by the next
// commit, whoever makes it on this node; should nodes alternate, now and then a commit
// is made for that alone.
func (s *Storage) Keep(ctx context.Context, k session.Key, turns []int, images []string) error {
	st, err := s.state(ctx, k)
	if err != nil || st.passed {
		return err
	}
	next := st.clone()
	kept := *st.commit
	kept.Turns, kept.Images = nil, map[string]*blobRef{}
	for _, t := range st.commit.Turns {
		if slices.Contains(turns, t.Number) {
			kept.Turns = append(kept.Turns, t)
		}
	}
	for digest, r := range st.commit.Images {
		if slices.Contains(images, digest) {
			kept.Images[digest] = r
		}
	}
	next.Dead += len(st.commit.Turns) - len(kept.Turns) + len(st.commit.Images) - len(kept.Images)
	for number := range st.Begun {
		if !slices.Contains(turns, number) {
			delete(next.Begun, number)
		}
	}
	for digest := range st.Saved {
		if !slices.Contains(images, digest) {
			delete(next.Saved, digest)
		}
	}
	next.commit, next.old, next.Loose = &kept, nil, nil
	dead := names(st)
	for _, name := range st.Loose {
		dead[name] = true
	}
	for name := range names(next) {
		delete(dead, name)
	}
	var g errgroup.Group
	g.SetLimit(parallel)
	g.Go(func() error { return s.removeCommits(ctx, k, st.old) })
	for name := range dead {
		g.Go(func() error { return s.remove(ctx, s.dataName(k, st.commit.Life, name)) })
	}
	err = errors.Join(g.Wait(), s.keepLocal(ctx, k, next), s.note(k, next))
	if err == nil && next.Dead > maxDead {
		return s.advance(ctx, k, next, next.commit.Record)
	}
	return err
}

// names are the objects that a session's turns and images are in.
func names(st *state) map[string]bool {
	all := map[string]bool{}
	for _, t := range slices.Concat(st.commit.Turns, st.turns()) {
		all[t.Files.Name] = true
		if t.Record.Name != "" {
			all[t.Record.Name] = true
		}
	}
	for _, images := range []map[string]*blobRef{st.commit.Images, st.Saved} {
		for _, r := range images {
			all[r.Name] = true
		}
	}
	return all
}

// keepLocal deletes local copies of what a session no longer has.
func (s *Storage) keepLocal(ctx context.Context, k session.Key, st *state) error {
	keep := map[string]bool{}
	for _, t := range st.commit.Turns {
		keep[filepath.Join(filesDir, committedDir(&t))] = true
	}
	for _, b := range st.Begun {
		keep[filepath.Join(filesDir, b.Dir)] = true
	}
	for _, r := range st.images() {
		keep[filepath.Join(imagesDir, r.Name)] = true
	}
	var errs []error
	for _, dir := range []string{filesDir, imagesDir} {
		entries, err := os.ReadDir(s.localPath(k, dir))
		errs = append(errs, ignoreMissing(err))
		for _, e := range entries {
			name := filepath.Join(dir, e.Name())
			if keep[name] || s.unfinished(e) {
				continue
			}
			errs = append(errs, workspace.Delete(ctx, s.localPath(k, name)))
		}
	}
	return errors.Join(errs...)
}

// unfinished reports whether another process may be writing a local file or workspace.
func (s *Storage) unfinished(e os.DirEntry) bool {
	if !strings.HasPrefix(e.Name(), workspace.TempPrefix) {
		return false
	}
	info, err := e.Info()
	return err == nil && time.Since(info.ModTime()) < s.o.Abandoned
}
