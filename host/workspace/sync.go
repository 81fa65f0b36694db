package workspace

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Sync returns when what a workspace holds would survive a crash of the machine. A
// guest that runs meanwhile may change it again. What cannot be read is left out.
func (w *Workspace) Sync(ctx context.Context) error {
	used, err := w.Measure(ctx)
	if err != nil {
		return err
	}
	if used.Entries > syncEach {
		if done, err := syncFilesystem(w.root); done || err != nil {
			return err
		}
	}
	if err := syncTree(ctx, w.root, 0); err != nil {
		return fail("sync", ".", err)
	}
	return nil
}

// syncEach is up to how many entries each is synced by itself. Beyond, it takes less
// time to sync all of the filesystem, if that is busy with other things too.
const syncEach = 32

func syncTree(ctx context.Context, dir *os.Root, depth int) error {
	err := eachEntry(ctx, dir, func(info fs.FileInfo) error {
		if info.IsDir() {
			child, err := enter(dir, info.Name(), depth)
			if child == nil {
				return err
			}
			defer func() { _ = child.Close() }() // opened for reading
			return syncTree(ctx, child, depth+1)
		}
		file, _, err := openRegular(dir, info.Name())
		if errors.Is(err, ErrNotRegular) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return errors.Join(syncFile(file), file.Close())
	})
	if err != nil {
		return err
	}
	file, err := dir.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(syncFile(file), file.Close())
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
