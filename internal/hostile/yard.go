package hostile

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sandboxd/sandboxd/policies"
)

// Canary is what no guest may ever print: it stands in a file of the host's.
const Canary = "host-secret-0b52"

// Yard is the host as a hostile guest finds it: a workspace, a read-only mount and a
// writable one, with everything planted in them that may lead outside.
type Yard struct {
	dir string
	// Workspace is the directory to show as /app.
	Workspace string
	// Mounts are /data, read-only, and /out, writable.
	Mounts []policies.Mount
}

// NewYard makes a yard in dir, which must be empty and belongs to it. Guests do not
// know where they are, but can guess that "../outside" is worth a try.
func NewYard(dir string) (*Yard, error) {
	path := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	var errs []error
	for _, d := range []string{"outside", "app", "data/sub", "out"} {
		errs = append(errs, os.MkdirAll(path(d), 0o700))
	}
	for name, content := range map[string]string{"outside/canary.txt": Canary, "data/table.csv": "a,b\n1,2\n", "data/sub/inner.txt": "inner"} {
		errs = append(errs, os.WriteFile(path(name), []byte(content), 0o600))
	}
	for _, d := range []string{"app", "data", "out"} {
		for name, target := range map[string]string{
			"link_relative":  "../outside/canary.txt",
			"link_absolute":  path("outside", "canary.txt"),
			"link_directory": "../outside",
			"link_root":      "/",
			"link_proc":      "/proc/self",
			"link_loop":      "link_loop",
		} {
			errs = append(errs, os.Symlink(target, path(d, name)))
		}
		errs = append(errs, plantSpecial(path(d)))
	}
	return &Yard{
		dir: dir, Workspace: path("app"),
		Mounts: []policies.Mount{
			{Host: path("data"), Guest: "/data"},
			{Host: path("out"), Guest: "/out", Writable: true},
		},
	}, errors.Join(errs...)
}

// Sealed describes what no guest may change: everything outside, and the read-only
// mount. Two descriptions are equal if nothing changed in between.
func (y *Yard) Sealed() (map[string]string, error) {
	state := map[string]string{}
	for _, top := range []string{"outside", "data"} {
		err := filepath.WalkDir(filepath.Join(y.dir, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			state[path], err = describe(path, d)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(y.dir)
	for _, e := range entries {
		state[e.Name()] = "entry"
	}
	return state, err
}

func describe(path string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%v %d %v", info.Mode(), info.Size(), info.ModTime().UnixNano())
	if !info.Mode().IsRegular() {
		return text, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // a file of the test's own
	return text + " " + hex.EncodeToString(data), err
}
