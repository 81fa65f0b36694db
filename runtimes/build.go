package runtimes

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Build says what a module is that was built from source. It travels inside the
// module, in a custom section, and so does the language's library: one file is
// all that is kept, copied and checked.
type Build struct {
	// Runtime is the name of the runtime that the module is for.
	Runtime string `json:"runtime"`
	// Version is the language's version.
	Version string `json:"version"`
	// Contract is the version of what host, guest-side files and module expect of
	// each other; see [BuildContract].
	Contract int `json:"contract"`
	// Recipe is the SHA-256 of the files that tell how to build.
	Recipe string `json:"recipe"`
	// Inputs are what went in: packages with their versions, or with the SHA-256
	// of what was fetched.
	Inputs map[string]string `json:"inputs"`
}

// BuildContract is the contract of the modules that this version can use.
const BuildContract = 1

// Names of the custom sections that a built module carries.
const (
	buildSection = "sandboxd.build"
	// LibrarySection holds the language's library, which the host shows to the
	// guest as a file.
	LibrarySection = "sandboxd.library"
)

// Pack returns module with b and library inside.
func (b *Build) Pack(module, library []byte) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("pack build: %w", err)
	}
	packed := appendSection(bytes.Clone(module), buildSection, text)
	return appendSection(packed, LibrarySection, library), nil
}

// ReadBuild returns what a packed module says of itself. A module that is none is
// [ErrInvalid]. The module may come from anybody: nothing but its sections' sizes
// and names is looked at, and what it says is checked before it is returned.
func ReadBuild(module []byte) (*Build, error) {
	text, err := customSection(module, buildSection)
	if err != nil {
		return nil, fmt.Errorf("read build: %w: %w", ErrInvalid, err)
	}
	b := new(Build)
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("read build: %w: section %s: %w", ErrInvalid, buildSection, err)
	}
	return b, b.check()
}

// Library returns the library that a packed module carries.
func Library(module []byte) ([]byte, error) {
	library, err := customSection(module, LibrarySection)
	if err != nil {
		return nil, fmt.Errorf("read library: %w: %w", ErrInvalid, err)
	}
	return library, nil
}

func (b *Build) check() error {
	problem := badName(b.Runtime)
	if problem == "" {
		problem = badVersion(b.Version)
	}
	if problem == "" {
		problem = badDigest(b.Recipe)
	}
	if problem == "" && b.Contract != BuildContract {
		problem = fmt.Sprintf("it was built for contract %d, and this version of sandboxd uses %d: build it again", b.Contract, BuildContract)
	}
	if problem != "" {
		return fmt.Errorf("build: %w: %s", ErrInvalid, problem)
	}
	return nil
}

// Install puts a packed module into the cache and makes it the one that
// [Store.Prefer] chooses for its runtime. It is atomic; of several at once the
// last counts.
func (s *Store) Install(module []byte) (*Build, error) {
	b, err := ReadBuild(module)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(module)
	chosen := installed{Version: b.Version, Recipe: b.Recipe, SHA256: hex.EncodeToString(sum[:])}
	text, err := json.Marshal(chosen)
	if err != nil {
		return nil, fmt.Errorf("install build: %w", err)
	}
	d := &Definition{Source: Source{SHA256: chosen.SHA256}}
	if err := s.replace(s.path(d), module); err != nil {
		return nil, err
	}
	return b, s.replace(s.installedPath(b.Runtime), text)
}

// Uninstall makes the runtime's own source count again. The module stays in the
// cache. It is no error if nothing was installed.
func (s *Store) Uninstall(runtime string) error {
	err := os.Remove(s.installedPath(runtime))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.writeError(err, 0)
	}
	return nil
}

// installed is the file that says which build of a runtime counts.
type installed struct {
	Version string `json:"version"`
	Recipe  string `json:"recipe"`
	SHA256  string `json:"sha256"`
}

func (s *Store) installedPath(runtime string) string {
	return filepath.Join(s.Dir, "build-"+runtime+".json")
}

// Prefer returns the definition of the build that was installed for d, or d if
// there is none or its module is gone.
func (s *Store) Prefer(d *Definition) *Definition {
	text, err := os.ReadFile(s.installedPath(d.Name))
	if err != nil {
		return d
	}
	var chosen installed
	if json.Unmarshal(text, &chosen) != nil || badVersion(chosen.Version)+badDigest(chosen.Recipe)+badDigest(chosen.SHA256) != "" {
		return d
	}
	if recipe, err := Recipe(d); d.Source.Go != "" && (err != nil || recipe != chosen.Recipe) {
		return d // another program of that name
	}
	built := *d
	built.Version = chosen.Version
	built.Source = Source{Build: chosen.Recipe, SHA256: chosen.SHA256}
	if _, ok := s.Cached(&built); !ok {
		return d
	}
	return &built
}

// replace writes a whole file under its name, or nothing.
func (s *Store) replace(name string, content []byte) error {
	dir, err := os.MkdirTemp(s.Dir, tempPrefix+"*")
	if err != nil {
		return s.writeError(err, 0)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	temp := filepath.Join(dir, "file")
	file, err := s.disk.Create(temp)
	if err != nil {
		return s.writeError(err, 0)
	}
	err = s.copy(context.Background(), file, bytes.NewReader(content), int64(len(content)))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return s.writeError(err, int64(len(content)))
	}
	if err := s.disk.Rename(temp, name); err != nil {
		return s.writeError(err, 0)
	}
	return syncDir(s.Dir)
}

// wasmHeader begins every WebAssembly module: magic and version.
const wasmHeader = "\x00asm\x01\x00\x00\x00"

var errNoSection = errors.New("it has no such section")

// customSection finds a custom section of a module by name.
func customSection(module []byte, name string) ([]byte, error) {
	rest, ok := bytes.CutPrefix(module, []byte(wasmHeader))
	if !ok {
		return nil, errors.New("it is not a WebAssembly module")
	}
	for len(rest) > 0 {
		id := rest[0]
		section, after, ok := cutSized(rest[1:])
		if !ok {
			return nil, errors.New("a section is cut short")
		}
		rest = after
		if id != 0 {
			continue
		}
		if found, content, ok := cutSized(section); ok && string(found) == name {
			return content, nil
		}
	}
	return nil, fmt.Errorf("section %s: %w", name, errNoSection)
}

// cutSized splits b after a length and so many bytes.
func cutSized(b []byte) (sized, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) { //nolint:gosec // not negative
		return nil, nil, false
	}
	b = b[used:]
	return b[:n], b[n:], true
}

func appendSection(module []byte, name string, content []byte) []byte {
	head := append(binary.AppendUvarint(nil, uint64(len(name))), name...)
	module = append(module, 0)
	module = binary.AppendUvarint(module, uint64(len(head)+len(content)))
	return append(append(module, head...), content...)
}

// short is how digests are shown to people.
func short(digest string) string { return digest[:min(12, len(digest))] }
