package host

import (
	"context"
	"fmt"
	"os"

	"github.com/sandboxd/sandboxd/host/workspace"
)

// appDir is the directory a guest sees as policies.WorkspacePath: a workspace the
// caller named, or one that is made when the guest first looks and deleted after the
// call.
type appDir struct {
	root    *os.Root
	scratch string // where temporary workspaces are made
	dir     string // a temporary workspace's own path, once made
}

// openAppDir opens dir, which must exist, or prepares a temporary workspace when
// dir is empty.
func openAppDir(dir, scratch string) (*appDir, error) {
	a := &appDir{scratch: scratch}
	if dir == "" {
		return a, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: workspace: %w", ErrInvalid, err)
	}
	a.root = root
	return a, nil
}

// open returns the workspace's root, making a temporary one on first use: most
// programs never touch a file.
func (a *appDir) open() (*os.Root, error) {
	if a.root != nil {
		return a.root, nil
	}
	dir, err := os.MkdirTemp(a.scratch, "workspace-")
	if err != nil {
		return nil, err
	}
	a.dir = dir
	a.root, err = os.OpenRoot(dir)
	return a.root, err
}

// close closes the workspace and deletes it if it was temporary. What the guest left
// in it is hostile, but its quota bounds how much there is to delete.
func (a *appDir) close() {
	if a.root != nil {
		_ = a.root.Close()
	}
	if a.dir != "" {
		_ = workspace.Delete(context.Background(), a.dir) // what cannot be deleted stays in scratch
	}
}
