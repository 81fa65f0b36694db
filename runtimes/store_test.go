package runtimes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const testPackage = "@scope/lang@1.2.3"

// testModule stands in for a module: this package never looks inside one. It is
// long enough for several progress events.
var testModule = bytes.Repeat([]byte("\x00asm\x01\x00\x00\x00not really "), 200_000)

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func npmDefinition() *Definition {
	return &Definition{
		Name: "lang", Version: "1.2.3", Driver: DriverCommand,
		Source: Source{NPM: testPackage, Path: "dist/lang.wasm", SHA256: digestOf(testModule)},
	}
}

func fileDefinition() *Definition {
	return &Definition{
		Name: "lang", Version: "1.2.3", Driver: DriverCommand,
		Source: Source{File: "build/lang.wasm", SHA256: digestOf(testModule)},
		Files:  fstest.MapFS{"build/lang.wasm": &fstest.MapFile{Data: testModule}},
	}
}

// member is one entry of an archive; the zero type is a regular file.
type member struct {
	name, data, link string
	kind             byte
}

func archiveOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	for _, m := range members {
		kind := m.kind
		if kind == 0 {
			kind = tar.TypeReg
		}
		header := &tar.Header{Name: m.name, Typeflag: kind, Linkname: m.link, Size: int64(len(m.data)), Mode: 0o644}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(m.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// goodPackage is what the package of npmDefinition holds.
func goodPackage() []member {
	return []member{
		{name: "package/package.json", data: "{}"},
		{name: "package/dist/lang.wasm", data: string(testModule)},
	}
}

// cacheDir is where OpenStore makes a directory that only its user may write to,
// whatever the umask is.
func cacheDir(t *testing.T) string { return filepath.Join(t.TempDir(), "cache") }

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantCache checks that the cache holds the modules named and nothing else but
// locks: no temporary files, nothing partial.
func wantCache(t *testing.T, s *Store, modules ...string) {
	t.Helper()
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), lockSuffix) {
			got = append(got, e.Name())
		}
	}
	var want []string
	for _, digest := range modules {
		want = append(want, digest+".wasm")
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the cache holds %q, want %q", got, want)
	}
}

func TestOpenStoreMakesAPrivateDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if perm := info.Mode().Perm(); runtime.GOOS != "windows" && perm != 0o700 {
		t.Errorf("mode %#o, want 0700", perm)
	}
}

func TestOpenStoreRefusesDirectoriesOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits to check")
	}
	for _, perm := range []os.FileMode{0o770, 0o702, 0o777, 0o777 | os.ModeSticky} {
		dir := t.TempDir()
		if err := os.Chmod(dir, perm); err != nil {
			t.Fatal(err)
		}
		_, err := OpenStore(dir)
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "may be written by others") ||
			!strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("mode %v: got %v", perm, err)
		}
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 12345, -1); err != nil {
		t.Skip("only root can give a directory away:", err)
	}
	if _, err := OpenStore(dir); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "belongs to user 12345") {
		t.Errorf("someone else's directory: got %v", err)
	}
}

func TestOpenStoreRefusesAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(file); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want class ErrUnavailable", err)
	}
}

func TestFetchThenLoadWorksWithoutTheSource(t *testing.T) {
	s, d := newStore(t), fileDefinition()
	if path, ok := s.Cached(d); ok {
		t.Fatalf("an empty cache holds %s", path)
	}
	path, err := s.Fetch(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cached, ok := s.Cached(d); !ok || cached != path {
		t.Errorf("Cached: got %s, %v, want %s", cached, ok, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if perm := info.Mode().Perm(); runtime.GOOS != "windows" && perm != 0o600 {
		t.Errorf("mode %#o, want 0600", perm)
	}
	d.Files = nil
	data, err := s.Load(t.Context(), d, func(e Event) { t.Errorf("an event from the cache: %+v", e) })
	if err != nil || !bytes.Equal(data, testModule) {
		t.Errorf("Load: got %d bytes, %v", len(data), err)
	}
	wantCache(t, s, d.Source.SHA256)
}

func TestDamagedModulesAreFetchedAgain(t *testing.T) {
	damages := map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(path, 1000) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"grown":     func(path string) error { return os.Truncate(path, int64(len(testModule)+1)) },
		"one bit flipped": func(path string) error {
			data := bytes.Clone(testModule)
			data[len(data)/2] ^= 1
			return os.WriteFile(path, data, 0o600)
		},
		"replaced by a link": func(path string) error {
			copied := path + ".copy"
			return errors.Join(os.Rename(path, copied), os.Symlink(copied, path))
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			for way, use := range map[string]func(*Store, *Definition, Progress) error{
				"Load": func(s *Store, d *Definition, p Progress) error {
					data, err := s.Load(t.Context(), d, p)
					if err == nil && !bytes.Equal(data, testModule) {
						err = errors.New("the bytes are wrong")
					}
					return err
				},
				"Fetch": func(s *Store, d *Definition, p Progress) error {
					_, err := s.Fetch(t.Context(), d, p)
					return err
				},
			} {
				s, d := newStore(t), fileDefinition()
				path, err := s.Fetch(t.Context(), d, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := damage(path); err != nil {
					t.Fatal(err)
				}
				var warnings []string
				err = use(s, d, func(e Event) {
					if e.Warning != "" {
						warnings = append(warnings, e.Stage+": "+e.Warning)
					}
				})
				if err != nil {
					t.Errorf("%s: %v", way, err)
				}
				if len(warnings) != 1 || !strings.HasPrefix(warnings[0], "repair: the cached module of runtime lang is unusable") {
					t.Errorf("%s: warnings %q", way, warnings)
				}
				if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, testModule) {
					t.Errorf("%s: the cache holds %d bytes, %v", way, len(data), err)
				}
			}
		})
	}
}

func TestFetchRefusesADefinitionWithoutAPin(t *testing.T) {
	for _, pin := range []string{"", "../../etc/passwd", strings.ToUpper(digestA)} {
		s, d := newStore(t), fileDefinition()
		d.Source.SHA256 = pin
		if _, err := s.Fetch(t.Context(), d, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("pin %q: got %v, want class ErrInvalid", pin, err)
		}
		wantCache(t, s)
	}
}

func TestFetchRefusesADefinitionWithoutASource(t *testing.T) {
	d := fileDefinition()
	d.Source.File = ""
	if _, err := newStore(t).Fetch(t.Context(), d, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v, want class ErrInvalid", err)
	}
}
