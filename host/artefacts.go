package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	shared "github.com/sandboxd/sandboxd/internal/owned"
	"github.com/sandboxd/sandboxd/runtimes"
)

// artefacts is the cache of prepared runtimes: one directory for each, named by
// a key. A directory appears under its key by a rename when all its files are
// written and synced, so what is found is whole; a manifest in it guards against
// damage that comes later. Several processes may share the cache: each prepares
// in a directory of its own, and the first to commit wins. What is prepared, and what is
// loaded, is held, and its use recorded: runtimes.Store.Prune removes what is old.
type artefacts struct{ dir string }

func openArtefacts(dir string) (artefacts, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // our cache
		return artefacts{}, fmt.Errorf("open cache of prepared runtimes: %w", err)
	}
	return artefacts{dir}, nil
}

// find returns the directory of key, if there is one.
func (a artefacts) find(key string) (string, bool) {
	dir := filepath.Join(a.dir, key)
	info, err := os.Stat(dir)
	return dir, err == nil && info.IsDir()
}

// hold is find for a directory that is to be used. It stays until the use is closed; nil
// if it is not there.
func (a artefacts) hold(key string) *use { return useOf(filepath.Join(a.dir, key)) }

// use is a use of a directory, which is not pruned until it is closed.
type use struct {
	io.Closer

	dir string
}

// useOf begins a use; nil if there is no such directory.
func useOf(dir string) *use {
	hold := shared.Hold(dir)
	if hold == nil {
		return nil
	}
	shared.Touch(dir)
	return &use{hold, dir}
}

// Close ends the use and records it, which also a process can do that has given up the
// right to write.
func (u *use) Close() error {
	shared.Touch(u.dir)
	return u.Closer.Close()
}

// begin returns a new directory to prepare in. The caller removes it.
func (a artefacts) begin() (string, error) {
	dir, err := os.MkdirTemp(a.dir, runtimes.PreparedTemp)
	if err != nil {
		return "", fmt.Errorf("prepare runtime: %w", err)
	}
	return dir, nil
}

// commit moves a prepared directory to its key. If another process was faster, its
// directory is as good.
func (a artefacts) commit(dir, key string) error {
	err := os.Rename(dir, filepath.Join(a.dir, key))
	if err == nil {
		return syncDir(a.dir)
	}
	if _, found := a.find(key); found {
		return nil
	}
	return fmt.Errorf("prepare runtime: %w", err)
}

// discard removes a damaged directory. It is renamed first, so that nobody finds
// half of it.
func (a artefacts) discard(key string) error {
	dir, err := a.begin()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	err = os.Rename(filepath.Join(a.dir, key), filepath.Join(dir, key))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("discard damaged runtime: %w", err)
	}
	return nil
}

// manifest describes a prepared directory. In its file, which holds JSON, a line
// with a checksum of its own follows.
type manifest struct {
	// MinMemory is the linear memory that the module starts with, in bytes.
	MinMemory uint64                  `json:"min_memory"`
	Files     map[string]manifestFile `json:"files"`
}

type manifestFile struct {
	Size   int64  `json:"size"`
	CRC32C uint32 `json:"crc32c"`
}

const manifestName = "manifest.json"

var errDamaged = errors.New("damaged")

// seal writes the manifest of all files below dir and syncs everything.
func seal(dir string, minMemory uint64) error {
	m := manifest{MinMemory: minMemory, Files: map[string]manifestFile{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return syncDir(path)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		m.Files[filepath.ToSlash(name)], err = describeFile(path, (*os.File).Sync)
		return err
	})
	if err != nil {
		return fmt.Errorf("seal prepared runtime: %w", err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("seal prepared runtime: %w", err)
	}
	name := filepath.Join(dir, manifestName)
	if err := os.WriteFile(name, withChecksum(text), 0o600); err != nil {
		return fmt.Errorf("seal prepared runtime: %w", err)
	}
	if _, err := describeFile(name, (*os.File).Sync); err != nil {
		return fmt.Errorf("seal prepared runtime: %w", err)
	}
	return nil
}

// unseal checks every file of a prepared directory against its manifest. The
// engine checks less of its compiled code, and nothing of a module's.
func unseal(dir string) (manifest, error) {
	var m manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestName)) //nolint:gosec // our cache
	if err != nil {
		return m, err
	}
	text, ok := cutChecksum(text)
	if !ok || json.Unmarshal(text, &m) != nil {
		return m, fmt.Errorf("%w: %s", errDamaged, manifestName)
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for name, want := range m.Files {
		group.Go(func() error {
			got, err := describeFile(filepath.Join(dir, filepath.FromSlash(name)), nil)
			if err == nil && got != want {
				err = fmt.Errorf("%w: %s", errDamaged, name)
			}
			return err
		})
	}
	return m, group.Wait()
}

// withChecksum adds a line to a manifest by which it guards itself.
func withChecksum(text []byte) []byte {
	return fmt.Appendf(text, "\n%08x\n", crc32.Checksum(text, castagnoli))
}

// cutChecksum returns what withChecksum was given, if nobody has changed it.
func cutChecksum(text []byte) ([]byte, bool) {
	const length = len("\n00000000\n")
	if len(text) < length {
		return nil, false
	}
	manifest := text[:len(text)-length]
	return manifest, bytes.Equal(withChecksum(slices.Clip(manifest)), text)
}

// describeFile reads a file for its manifest entry; then, if set, runs after.
func describeFile(name string, after func(*os.File) error) (_ manifestFile, err error) {
	f, err := os.Open(name) //nolint:gosec // our cache
	if err != nil {
		return manifestFile{}, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	sum := crc32.New(castagnoli)
	size, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{f}, make([]byte, 1<<20))
	if err == nil && after != nil {
		err = after(f)
	}
	return manifestFile{Size: size, CRC32C: sum.Sum32()}, err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // our cache
	if err != nil {
		return err
	}
	// Not every system can sync a directory; those that cannot need not.
	_ = d.Sync()
	return d.Close()
}
