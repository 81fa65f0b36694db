package runtimes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// maxModule is the largest module accepted, in bytes; CPython takes 26 MB.
const maxModule = 512 << 20

// Store is the download cache: one directory holding each module as
// <sha256>.wasm. Make one with [OpenStore].
//
// A module is written under a temporary name, synced and renamed, so a name in
// the cache stands for a whole module whenever a fetch was interrupted. Fetches
// of one module take turns, between processes too where the system has flock;
// where it has not, both fetch and the last rename wins.
//
// The directory is private to its owner, because what lies in it is run. It is
// trusted no further than that: [Store.Load] checks every byte it returns.
type Store struct {
	// Dir is the cache directory. Do not change it.
	Dir string

	npm    string       // the npm command, a name or a path
	client *http.Client // for https sources
	disk   disk         // how modules are written
}

// disk is what Fetch needs of the filesystem while it writes a module.
type disk interface {
	Create(name string) (moduleFile, error)
	Rename(from, to string) error
}

type moduleFile interface {
	io.WriteCloser
	Sync() error
}

// OpenStore returns the cache in dir, which is created, readable by its owner
// only, if it does not exist. An existing directory that group or others may
// write, or that belongs to someone other than this user or root, is refused:
// whoever can write there could put code into every later run.
//
// The directory may be read-only, for a cache that is filled beforehand.
func OpenStore(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open runtime cache: %w", err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, unavailable("open runtime cache: %w: choose another directory", err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, unavailable("open runtime cache: %w", err)
	}
	if err := owned.Check(abs, info, owned.Reading); err != nil {
		return nil, unavailable("open runtime cache: %w", err)
	}
	return &Store{Dir: abs, npm: "npm", client: newClient(nil), disk: osDisk{}}, nil
}

// Cached returns where d's module is in the cache, and whether a plausible file
// is there. It does not read the file; [Store.Load] does.
func (s *Store) Cached(d *Definition) (path string, ok bool) {
	path = s.path(d)
	info, err := os.Lstat(path)
	return path, err == nil && info.Mode().IsRegular() && info.Size() > 0 && info.Size() <= maxModule
}

// Fetch makes sure that d's module is in the cache, undamaged, and returns its
// path. It reads a cached module to verify it; only a missing or damaged one is
// fetched. Running it again after any failure is safe and starts afresh.
//
// Errors are of class [ErrUnavailable], [ErrInvalid] or [ErrDigest], or that of
// the cancelled ctx. Nothing is left behind by a failed fetch, short of the
// process being killed, after which a later fetch clears up.
func (s *Store) Fetch(ctx context.Context, d *Definition, p Progress) (path string, err error) {
	if err := s.ensure(ctx, d, p); err != nil {
		return "", err
	}
	return s.path(d), nil
}

// Load returns d's module: from the cache if it is there and its SHA-256 is the
// pinned one, else after fetching it. The bytes are the caller's own. Errors
// are those of [Store.Fetch].
func (s *Store) Load(ctx context.Context, d *Definition, p Progress) ([]byte, error) {
	data, err := s.read(d)
	if err == nil {
		return data, nil
	}
	if err := s.ensure(ctx, d, p); err != nil {
		return nil, err
	}
	if data, err = s.read(d); err != nil {
		return nil, fmt.Errorf("load runtime %s: %w", d.Name, err)
	}
	return data, nil
}

// ensure is Fetch without the path.
func (s *Store) ensure(ctx context.Context, d *Definition, p Progress) error {
	if badDigest(d.Source.SHA256) != "" {
		return fmt.Errorf("fetch runtime %s: %w: the source is not pinned by a SHA-256", d.Name, ErrInvalid)
	}
	to := reporter{to: p, runtime: d.Name}
	if s.intact(d, to) {
		return nil
	}
	if err := s.fetch(ctx, d, to); err != nil {
		return fmt.Errorf("fetch runtime %s: %w", d.Name, err)
	}
	to.send(Event{Stage: StageDone, Finished: true})
	return nil
}

func (s *Store) path(d *Definition) string {
	return filepath.Join(s.Dir, d.Source.SHA256+".wasm")
}

// intact reports whether the cached module is there and whole. It warns of one
// that is there and damaged.
func (s *Store) intact(d *Definition, to reporter) bool {
	_, err := s.read(d)
	if err == nil {
		return true
	}
	if !errors.Is(err, fs.ErrNotExist) {
		to.send(Event{
			Stage:   StageRepair,
			Warning: fmt.Sprintf("the cached module of runtime %s is unusable and is fetched again: %v", d.Name, err),
		})
	}
	return false
}

// read returns the cached module after checking its digest.
func (s *Store) read(d *Definition) ([]byte, error) {
	if _, ok := s.Cached(d); !ok {
		if _, err := os.Lstat(s.path(d)); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s is not a module: empty, too large or not a regular file", s.path(d))
	}
	data, err := os.ReadFile(s.path(d))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != d.Source.SHA256 {
		return nil, fmt.Errorf("%s: %w: it is %s", s.path(d), ErrDigest, got)
	}
	return data, nil
}

// unavailable makes an error of class [ErrUnavailable] that reads as if the
// class were not there.
func unavailable(format string, args ...any) error {
	return &classError{class: ErrUnavailable, cause: fmt.Errorf(format, args...)}
}

// classError gives an error a class without adding words.
type classError struct {
	class, cause error
}

func (e *classError) Error() string   { return e.cause.Error() }
func (e *classError) Unwrap() []error { return []error{e.class, e.cause} }
