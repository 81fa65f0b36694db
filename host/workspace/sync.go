package workspace

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// Sync returns when what a workspace holds would survive a crash of the machine. A
// guest that runs meanwhile may change it again. What cannot be read is left out, and
// so are files with other names: see [Workspace.ShareTo].
func (w *Workspace) Sync(ctx context.Context) error {
	if err := w.sync(ctx, true); err != nil {
		return fail("sync", ".", err)
	}
	return nil
}

// syncEach is up to how many entries each is synced by itself, and how many at a time.
// Beyond, it takes less time to sync all of the filesystem, if that is busy with other
// things too.
const syncEach = 32

// errMany ends a walk that found too much to sync one by one.
var errMany = errors.New("many")

// sync syncs the files that have one name, and with directories those as well.
func (w *Workspace) sync(ctx context.Context, directories bool) error {
	found := 0
	err := eachToSync(ctx, w.root, 0, directories, func(*os.Root, string) error {
		if found++; found > syncEach {
			return errMany
		}
		return nil
	})
	if errors.Is(err, errMany) {
		var done bool
		if done, err = syncFilesystem(w.root); done {
			return err
		}
	}
	if err != nil {
		return err
	}
	s := syncer{places: make(chan struct{}, syncEach)}
	err = eachToSync(ctx, w.root, 0, directories, s.start)
	s.running.Wait()
	return errors.Join(append(s.errs, err)...)
}

// eachToSync visits the regular files of a tree that have one name and, with
// directories, each directory, as ".", after its content.
func eachToSync(ctx context.Context, dir *os.Root, depth int, directories bool, visit func(dir *os.Root, name string) error) error {
	err := eachEntry(ctx, dir, func(info fs.FileInfo) error {
		switch {
		case info.IsDir():
			child, err := enter(dir, info.Name(), depth)
			if child == nil {
				return err
			}
			defer func() { _ = child.Close() }() // opened for reading
			if err := eachToSync(ctx, child, depth+1, directories, visit); err != nil && !errors.Is(err, fs.ErrPermission) {
				return err
			}
			return nil
		case info.Mode().IsRegular() && !shared(info):
			return visit(dir, info.Name())
		}
		return nil
	})
	if err == nil && directories {
		err = visit(dir, ".")
	}
	return err
}

// syncer syncs several files at a time, which a disk does in little more time than
// one: it is told to write out its cache once for all of them.
type syncer struct {
	places  chan struct{}
	running sync.WaitGroup
	mu      sync.Mutex
	errs    []error
}

// start opens a file or directory and syncs it in the background.
func (s *syncer) start(dir *os.Root, name string) error {
	var file *os.File
	var err error
	if name == "." {
		file, err = dir.Open(name)
	} else {
		file, _, err = openRegular(dir, name)
	}
	if errors.Is(err, ErrNotRegular) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.places <- struct{}{}
	s.running.Go(func() {
		err := errors.Join(syncFile(file), file.Close())
		<-s.places
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.errs = append(s.errs, err)
		}
	})
	return nil
}

// syncFile syncs a file or directory that was opened for reading, which some systems
// cannot do.
func syncFile(file *os.File) error {
	err := file.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
