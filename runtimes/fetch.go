package runtimes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// Names inside the cache directory, beside the modules.
const (
	tempPrefix = "fetch-" // a directory of one fetch under way
	lockSuffix = ".lock"  // locked while a module is being fetched
)

// staleAfter is the age past which a fetch's directory must be the leftover of
// a killed process: no fetch goes without a byte, or a timeout, for so long.
const staleAfter = 24 * time.Hour

// fetch gets d's module from its source into the cache, unless someone else
// does so first.
func (s *Store) fetch(ctx context.Context, d *Definition, to reporter) error {
	unlock, err := s.lock(ctx, d, to)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := s.read(d); err == nil {
		return nil
	}
	s.sweep()
	dir, err := os.MkdirTemp(s.Dir, tempPrefix+"*")
	if err != nil {
		return s.writeError(err, 0)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	temp := filepath.Join(dir, "module")
	if err := s.fill(ctx, d, temp, dir, to); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	if err := s.disk.Rename(temp, s.path(d)); err != nil {
		return s.writeError(err, 0)
	}
	return syncDir(s.Dir)
}

// fill writes the module that d's source holds to temp and checks its digest.
// dir is a private directory for whatever else the source needs.
func (s *Store) fill(ctx context.Context, d *Definition, temp, dir string, to reporter) error {
	put := func(from io.Reader, size int64) error { return s.write(ctx, d, temp, from, size) }
	switch {
	case d.Source.NPM != "":
		return s.fromNPM(ctx, d, dir, to, put)
	case d.Source.File != "":
		return fromFile(d, to, put)
	case d.Source.HTTPS != "":
		return s.fromHTTPS(ctx, d, to, put)
	case d.Source.OCI != "":
		return fromOCI(ctx, d, to, put)
	case d.Source.Build != "":
		return unavailable("the %s that was built from source is gone from the cache or damaged: build or import it again (sandboxd runtimes build %s)", d.Name, d.Name)
	default:
		return fmt.Errorf("%w: it has no source", ErrInvalid)
	}
}

// putFunc stores a module read from a source; size is its length in bytes if
// known, else 0. Sources call it once.
type putFunc func(from io.Reader, size int64) error

// write copies a module to the file temp, which must not exist, makes sure that
// it is on the disk, and refuses one without the pinned digest.
func (s *Store) write(ctx context.Context, d *Definition, temp string, from io.Reader, size int64) error {
	if size > maxModule {
		return tooLarge()
	}
	file, err := s.disk.Create(temp)
	if err != nil {
		return s.writeError(err, size)
	}
	hash := sha256.New()
	err = s.copy(ctx, io.MultiWriter(file, hash), from, size)
	if err == nil {
		if err = file.Sync(); err != nil {
			err = s.writeError(err, size)
		}
	}
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = s.writeError(closeErr, size)
	}
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != d.Source.SHA256 {
		return fmt.Errorf("%w: %s holds %s but %s pins %s; nothing was kept. If the new module is the one you want, change source.sha256",
			ErrDigest, d.Source, got, fileName, d.Source.SHA256)
	}
	return nil
}

// copy is [io.Copy] with a cap, an eye on ctx, and errors that say which side
// failed.
func (s *Store) copy(ctx context.Context, dst io.Writer, src io.Reader, size int64) error {
	buffer := make([]byte, 64<<10)
	for total := int64(0); ; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, readErr := src.Read(buffer)
		if total += int64(n); total > maxModule {
			return tooLarge()
		}
		if _, err := dst.Write(buffer[:n]); err != nil {
			return s.writeError(err, size)
		}
		switch {
		case errors.Is(readErr, io.EOF):
			return nil
		case readErr != nil:
			return fmt.Errorf("read the source: %w", readErr)
		}
	}
}

func tooLarge() error {
	return fmt.Errorf("%w: the module is larger than %d MiB", ErrInvalid, maxModule>>20)
}

// writeError explains why the cache could not be written; size is the length of
// the module in bytes if known, else 0.
func (s *Store) writeError(err error, size int64) error {
	switch {
	case isDiskFull(err):
		need := "space"
		if size > 0 {
			need = fmt.Sprintf("%d bytes", size)
		}
		return unavailable("the disk is full: %s needed in the runtime cache %s: free some, or choose another cache directory: %w",
			need, s.Dir, err)
	case isReadOnly(err):
		return unavailable("the runtime cache %s cannot be written: make it writable, or choose another cache directory: %w", s.Dir, err)
	default:
		return unavailable("write the runtime cache: %w", err)
	}
}

// sweep removes what killed fetches left behind. It is a courtesy: what cannot
// be removed stays.
func (s *Store) sweep() {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && e.IsDir() && strings.HasPrefix(e.Name(), tempPrefix) && time.Since(info.ModTime()) > staleAfter {
			_ = os.RemoveAll(filepath.Join(s.Dir, e.Name()))
		}
	}
}

// lockPoll is how often a fetch asks whether the one before it is done.
const lockPoll = 100 * time.Millisecond

// lock waits for its turn to fetch d's module. Where locks do not work the turn
// comes at once, which costs a second download and nothing else.
func (s *Store) lock(ctx context.Context, d *Definition, to reporter) (unlock func(), err error) {
	name := strings.TrimSuffix(s.path(d), ".wasm") + lockSuffix
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, s.writeError(err, 0)
	}
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for waits := int64(0); ; waits++ {
		if locked, err := owned.TryLock(file); locked || err != nil {
			return func() { _ = file.Close() }, nil
		}
		to.send(Event{Stage: StageWait})
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// osDisk is the real filesystem.
type osDisk struct{}

func (osDisk) Create(name string) (moduleFile, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

// isReadOnly reports whether err says that a file may not be written.
func isReadOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || isReadOnlyFS(err)
}

// syncDir makes the names in dir survive a crash.
func syncDir(dir string) error {
	if err := owned.SyncDir(dir); err != nil {
		return fmt.Errorf("sync the runtime cache: %w", err)
	}
	return nil
}
