package host

import (
	"fmt"
	"os"
)

// workspace is the directory a guest sees as policies.WorkspacePath: one the caller named, or one
// that is made when the guest first looks and deleted after the call.
type workspace struct {
	root    *os.Root
	scratch string // where temporary workspaces are made
	dir     string // a temporary workspace's own path, once made
}

// openWorkspace opens dir, which must exist, or prepares a temporary workspace
// when dir is empty.
func openWorkspace(dir, scratch string) (*workspace, error) {
	w := &workspace{scratch: scratch}
	if dir == "" {
		return w, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: workspace: %w", ErrInvalid, err)
	}
	w.root = root
	return w, nil
}

// open returns the workspace's root, making a temporary one on first use: most
// programs never touch a file.
func (w *workspace) open() (*os.Root, error) {
	if w.root != nil {
		return w.root, nil
	}
	dir, err := os.MkdirTemp(w.scratch, "workspace-")
	if err != nil {
		return nil, err
	}
	w.dir = dir
	w.root, err = os.OpenRoot(dir)
	return w.root, err
}

// close closes the workspace and deletes it if it was temporary. What the guest
// left in it is hostile: RemoveAll follows no links.
func (w *workspace) close() {
	if w.root != nil {
		_ = w.root.Close()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
}
