package blobstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
)

// bootFile holds the boot ID under which the local copies were made.
const bootFile = "boot"

// checkBoot empties the cache if it is from before the machine was started: what was
// not synced then may be anything. Where that cannot be told, all is synced.
func (s *Storage) checkBoot(ctx context.Context) (err error) {
	now := bootID()
	if now == "" {
		s.sync = true
		return nil
	}
	var file *os.File
	for file == nil {
		if file, err = tryLock(filepath.Join(s.o.Cache, bootFile)); err != nil {
			return err
		}
		if file == nil { // a process that comes first deletes
			if err := sleep(ctx, longPause); err != nil {
				return err
			}
		}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	before := make([]byte, len(now)+1)
	if n, _ := file.ReadAt(before, 0); string(before[:n]) == now {
		return nil
	}
	err = s.eachLocal(func(k session.Key) error {
		return errors.Join(s.empty(ctx, k), ignoreMissing(os.Remove(s.localPath(k, localFile))))
	})
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = file.WriteAt([]byte(now), 0)
	}
	return err
}

// eachLocal visits the sessions of which there is something in the cache.
func (s *Storage) eachLocal(visit func(session.Key) error) error {
	owners, err := os.ReadDir(s.o.Cache)
	errs := []error{err}
	for _, o := range owners {
		owner, ok := ownerOf(o.Name())
		if !ok {
			continue
		}
		ids, err := os.ReadDir(filepath.Join(s.o.Cache, o.Name()))
		errs = append(errs, err)
		for _, id := range ids {
			if session.CheckID(id.Name()) == nil {
				errs = append(errs, visit(session.Key{Owner: owner, ID: id.Name()}))
			}
		}
	}
	return errors.Join(errs...)
}

// settled makes a workspace durable, if a copy in the cache has to be.
func (s *Storage) settled(ctx context.Context, w *workspace.Workspace) error {
	if !s.sync {
		return nil
	}
	return w.Sync(ctx)
}
