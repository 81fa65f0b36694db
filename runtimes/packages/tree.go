package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// contentsSuffix is of the file beside a tree that says what it was made of.
const contentsSuffix = ".contents"

// Tree returns the directory in which the packages lie together, made ready for one
// version of an interpreter, which key names, by prepare. It is made if it is not
// there; two who make it at once both succeed. It stays there until hold is closed or
// the process ends: one that nobody holds is removed when a package that it was made of
// is not installed any more.
func (s *Store) Tree(ctx context.Context, ps []Package, key string, prepare func(ctx context.Context, dir string) error) (dir string, hold io.Closer, err error) {
	contents := contentsOf(ps)
	sum := sha256.Sum256([]byte(contents + key + "\n"))
	final := filepath.Join(s.dir, "trees", hex.EncodeToString(sum[:16]))
	if hold := holdTree(final); hold != nil {
		return final, hold, nil
	}
	tmp, err := s.temporary()
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	for i := range ps {
		wheel, err := s.wheel(ctx, &ps[i])
		if err == nil {
			err = unpack(wheel, &ps[i], tmp)
		}
		if err != nil {
			return "", nil, fmt.Errorf("package %s: %w", ps[i].Name, err)
		}
	}
	if err := prepare(ctx, tmp); err != nil {
		return "", nil, err
	}
	made := holdTree(tmp) // it is held as soon as others can see it
	if made == nil {
		return "", nil, fmt.Errorf("%w: %s cannot be opened", ErrUnavailable, tmp)
	}
	if err = os.MkdirAll(filepath.Dir(final), 0o700); err == nil {
		err = os.WriteFile(final+contentsSuffix, []byte(contents), 0o600)
	}
	if err == nil {
		err = os.Rename(tmp, final)
	}
	if err == nil {
		return final, made, nil
	}
	_ = made.Close()
	if others := holdTree(final); others != nil {
		return final, others, nil
	}
	return "", nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// contentsOf says what a tree is made of, a line for each package.
func contentsOf(ps []Package) string {
	var b strings.Builder
	for _, p := range ps {
		_, _ = fmt.Fprintln(&b, p.Name, p.SHA256, p.Native)
	}
	return b.String()
}

// holdTree keeps a tree from being swept; nil if it is not there, or has just been
// swept. Where there are no locks nothing is swept either, and an open directory could
// not be renamed.
func holdTree(dir string) io.Closer {
	if info, err := os.Stat(dir); !owned.Locks && err == nil && info.IsDir() {
		return io.NopCloser(nil)
	}
	for owned.Locks {
		file, err := os.Open(dir)
		if err != nil {
			return nil
		}
		_ = owned.LockShared(file)
		held, err := file.Stat()
		if err == nil && held.IsDir() {
			if now, err := os.Stat(dir); err == nil && os.SameFile(held, now) {
				return file
			}
		}
		_ = file.Close()
		if err != nil || !held.IsDir() {
			return nil
		}
	}
	return nil
}

// sweep removes the trees that were made of something which is not installed any more,
// except those that somebody holds. What cannot be removed stays: the change that it
// follows has happened.
func (s *Store) sweep(installed *Lock) {
	if !owned.Locks {
		return
	}
	names, err := filepath.Glob(filepath.Join(s.dir, "trees", "*"))
	if err != nil {
		return
	}
	known := strings.Split(contentsOf(installed.Packages), "\n")
	for _, dir := range names {
		if strings.HasSuffix(dir, contentsSuffix) {
			continue
		}
		contents, err := os.ReadFile(dir + contentsSuffix)
		if err == nil && !slices.ContainsFunc(strings.Split(string(contents), "\n"), func(line string) bool { return !slices.Contains(known, line) }) {
			continue
		}
		s.removeTree(dir)
	}
}

func (s *Store) removeTree(dir string) {
	file, err := os.Open(dir)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	if free, err := owned.TryLock(file); err != nil || !free {
		return
	}
	tmp, err := s.temporary()
	if err != nil {
		return
	}
	// Nobody must find it half removed.
	if os.Rename(dir, filepath.Join(tmp, "tree")) == nil {
		_ = os.Remove(dir + contentsSuffix)
	}
	_ = os.RemoveAll(tmp)
}
