package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Remove removes a file, a link, anything else that is not a directory, or an empty
// directory: [ErrNotEmpty] if it is not empty.
func (w *Workspace) Remove(name string) error {
	at, err := w.parent(name)
	if err != nil {
		return fail("remove", name, err)
	}
	defer at.done()
	if err := at.Remove(at.name); err != nil {
		return fail("remove", name, err)
	}
	return nil
}

// RemoveAll removes an entry with all it holds; "." empties the workspace. Links are
// removed and not followed. Directories that their owner may not read or change are
// opened up first. What appears meanwhile may stay and make it fail with
// [ErrNotEmpty]; when ctx ends, the rest stays.
func (w *Workspace) RemoveAll(ctx context.Context, name string) error {
	if name == "." {
		if err := empty(ctx, w.root); err != nil {
			return fail("remove", name, err)
		}
		return nil
	}
	at, err := w.parent(name)
	if err != nil {
		return fail("remove", name, err)
	}
	defer at.done()
	if _, err := at.Lstat(at.name); err != nil {
		return fail("remove", name, err)
	}
	if err := removeTree(ctx, at.Root, at.name); err != nil {
		return fail("remove", name, err)
	}
	return nil
}

// Delete removes the workspace in a host directory, and the directory itself. It
// does as [Workspace.RemoveAll] does, and is as fast as it can be for an empty one.
// Where there is nothing, that is no error.
func Delete(ctx context.Context, dir string) error {
	err := os.Remove(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("delete workspace: %w", err)
	}
	err = errors.Join(empty(ctx, root), root.Close())
	if err == nil {
		err = os.Remove(dir)
	}
	if err != nil {
		return fmt.Errorf("delete workspace: %w", err)
	}
	return nil
}

// removeTree removes an entry of a directory, and what it holds first.
func removeTree(ctx context.Context, at *os.Root, name string) error {
	err := at.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if info, statErr := at.Lstat(name); statErr != nil || !info.IsDir() {
		return err
	}
	err = emptyChild(ctx, at, name)
	if errors.Is(err, fs.ErrPermission) {
		// Whatever else the name leads to by now lies in the same workspace.
		if err := at.Chmod(name, 0o700); err != nil {
			return err
		}
		err = emptyChild(ctx, at, name)
	}
	if err != nil {
		return err
	}
	return at.Remove(name)
}

func emptyChild(ctx context.Context, at *os.Root, name string) error {
	dir, err := at.OpenRoot(name)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // opened for reading
	return empty(ctx, dir)
}

// empty removes what a directory holds, as much as it can, and returns the first
// failure. Removing entries can make the disk skip others, so it reads the
// directory again until there is nothing.
func empty(ctx context.Context, dir *os.Root) error {
	file, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	for {
		var failure error
		found := false
		err := eachName(ctx, file, func(e fs.DirEntry) error {
			found = true
			if err := removeTree(ctx, dir, e.Name()); err != nil && failure == nil {
				failure = err
			}
			return ctx.Err()
		})
		if err := errors.Join(failure, err); err != nil || !found {
			return err
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
}
