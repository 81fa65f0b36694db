package packages

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// sourceEndings are those of the files that a bundle can be made of. The others are not
// unpacked.
var sourceEndings = []string{".js", ".cjs", ".mjs", ".json", ".jsx", ".ts", ".cts", ".mts", ".tsx"}

// sortByIntegrity notes the archives in a directory by their SHA-512.
func sortByIntegrity(dir string, found map[string]string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		name := filepath.Join(dir, e.Name())
		sum, err := integrity(name)
		if err != nil {
			return err
		}
		found[sum] = name
	}
	return nil
}

// integrity is a file's SHA-512 as npm writes it.
func integrity(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = file.Close() }()
	h := sha512.New()
	if err := copyWhole(h, file); err != nil {
		return "", err
	}
	return "sha512-" + base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
}

// npmUnpacker writes the sources of archives below a directory.
type npmUnpacker struct {
	root    *os.Root
	left    int64 // bytes that may still be read of all archives together
	room    int64 // bytes that may still be written
	members int   // how many files may still be seen
}

func newNPMUnpacker(dir string) (*npmUnpacker, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return &npmUnpacker{root: root, left: maxUnpacked, room: maxUnpacked, members: 4 * maxMembers}, nil
}

// unpack writes the sources of an archive to a directory.
//
// Its digest may be one that nobody has looked at but npm. A hostile one could name files
// outside of the directory or through a link, one file twice, be links or devices, or
// unpack for ever: paths are checked and opened below the directory alone, no file is
// replaced, only regular files are taken, and numbers and actual sizes are bounded for all
// archives together: what is read as well as what is written, as holes of sparse files take
// no room in an archive. Native code is refused wherever it is.
func (u *npmUnpacker) unpack(archive, to string) error {
	file, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("%w: the archive is damaged: %w", ErrInvalid, err)
	}
	reader := tar.NewReader(&leftReader{unzipped, &u.left})
	seen := map[string]bool{}
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: the archive is damaged: %w", ErrInvalid, err)
		}
		if u.members--; u.members < 0 {
			return fmt.Errorf("%w: it has too many files, with all that it needs", ErrInvalid)
		}
		name, err := archivePath(header)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if name == "" {
			continue
		}
		if isNativeFile(name) {
			return nativeError{name}
		}
		if !slices.Contains(sourceEndings, strings.ToLower(path.Ext(name))) || strings.HasSuffix(name, ".d.ts") {
			continue
		}
		if folded := strings.ToLower(name); seen[folded] {
			return fmt.Errorf("%w: %q is there twice, or in two cases", ErrInvalid, name)
		} else {
			seen[folded] = true
		}
		if err := u.write(reader, path.Join(to, name)); err != nil {
			return err
		}
	}
}

// nativeError says that an archive has native code.
type nativeError struct{ file string }

func (e nativeError) Error() string {
	return fmt.Sprintf("has native code (%q), which is made for one kind of processor and does not run inside WebAssembly", e.file)
}

// isNativeFile says whether a file of an archive is native code, or the recipe for some.
func isNativeFile(name string) bool {
	top, _, nested := strings.Cut(name, "/")
	return strings.HasSuffix(strings.ToLower(name), ".node") || name == "binding.gyp" || nested && top == "prebuilds"
}

// archivePath is where a member belongs in its package; empty if it is no file. The first
// directory of all, which most archives call "package", is left out.
func archivePath(h *tar.Header) (string, error) {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return "", fmt.Errorf("%q is a sparse file, which npm does not make", h.Name)
		}
	}
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return "", nil
	case tar.TypeReg:
	default:
		return "", fmt.Errorf("%q is not a regular file", h.Name)
	}
	_, name, ok := strings.Cut(strings.TrimPrefix(h.Name, "./"), "/")
	if !ok || !fs.ValidPath(name) || len(name) > maxPath || !utf8.ValidString(name) || strings.ContainsAny(name, "\\:\x00") ||
		strings.Count(name, "/") >= maxDepth || !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", fmt.Errorf("%q is no path that a package may have", h.Name)
	}
	return name, nil
}

func (u *npmUnpacker) write(from io.Reader, name string) error {
	if err := u.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	to, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: another package has %q as well", ErrInvalid, name)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	n, err := io.Copy(to, io.LimitReader(from, u.room+1))
	if u.room -= n; u.room < 0 {
		err = errors.Join(errTooMuch, err)
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

var errTooMuch = fmt.Errorf("it unpacks to more than a package may, which is %d MiB", maxUnpacked>>20)

// leftReader reads no more than is left.
type leftReader struct {
	from io.Reader
	left *int64
}

func (r *leftReader) Read(b []byte) (int, error) {
	if *r.left <= 0 {
		return 0, errTooMuch
	}
	n, err := r.from.Read(b[:min(int64(len(b)), *r.left)])
	*r.left -= int64(n)
	return n, err
}
