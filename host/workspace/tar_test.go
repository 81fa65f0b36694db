package workspace

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// archive is a tar archive of headers; a file's content is as many "x" as its size.
func archive(t *testing.T, headers ...tar.Header) io.Reader {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, strings.Repeat("x", int(h.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestAnArchiveComesBackAsItWas(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for name, text := range map[string]string{"a": "", "d/b": "\x00\xff", "d/e/line\nbreak": "c", "d/" + strings.Repeat("n", 255): "long"} {
		name = filepath.Join(from, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, then, then)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(from, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(from, "link")); err != nil {
		t.Skip(err)
	}
	source, target := open(t, from, Limits{}), open(t, to, Limits{Bytes: 7, Entries: 7})
	var out bytes.Buffer
	written, skipped, err := source.WriteTar(t.Context(), &out)
	if err != nil || skipped != 1 || written != (Usage{Bytes: 7, Entries: 7}) {
		t.Fatalf("%+v, %d skipped, %v", written, skipped, err)
	}
	read, skipped, err := target.ReadTar(t.Context(), Create, &out)
	if err != nil || skipped != 0 || read != written {
		t.Fatalf("%+v, %d skipped, %v", read, skipped, err)
	}
	for e, err := range source.List(t.Context(), ListOptions{Hash: true}) {
		if err != nil || e.Kind == KindLink {
			continue
		}
		got, err := target.Stat(e.Path)
		if err != nil || got.Kind != e.Kind || got.Size != e.Size || e.Kind == KindFile && !got.Modified.Equal(then) {
			t.Errorf("%q: %+v, %v", e.Path, got, err)
		}
	}
}

func TestHostileArchives(t *testing.T) {
	file := func(name string, size int64) tar.Header {
		return tar.Header{Name: name, Size: size, Typeflag: tar.TypeReg}
	}
	tests := []struct {
		name    string
		headers []tar.Header
		mode    Mode
		want    error
		skipped int
	}{
		{"a name that leads out", []tar.Header{file("../f", 1)}, Create, ErrName, 0},
		{"one that leads out in the middle", []tar.Header{file("a/../../f", 1)}, Create, ErrName, 0},
		{"an absolute name", []tar.Header{file("/f", 1)}, Create, ErrName, 0},
		{"a directory that leads out", []tar.Header{{Name: "../d/", Typeflag: tar.TypeDir}}, Create, ErrName, 0},
		{"links and devices are left out", []tar.Header{
			{Name: "l", Linkname: "/etc", Typeflag: tar.TypeSymlink}, {Name: "h", Linkname: "f", Typeflag: tar.TypeLink}, {Name: "p", Typeflag: tar.TypeFifo},
		}, Create, nil, 3},
		{"a file below a link that was left out", []tar.Header{{Name: "l", Linkname: "/tmp", Typeflag: tar.TypeSymlink}, file("l/f", 1)}, Create, nil, 1},
		{"a file below a link that is there", []tar.Header{file("there/f", 1)}, Create, ErrNotDirectory, 0},
		{"more bytes than fit", []tar.Header{file("a", 6), file("b", 5)}, Create, ErrQuota, 0},
		{"more entries than fit", []tar.Header{file("a/b/c/d/e", 0)}, Create, ErrQuota, 0},
		{"a name twice", []tar.Header{file("a", 1), file("a", 2)}, Create, ErrExists, 0},
		{"a name twice, to be replaced", []tar.Header{file("a", 9), file("a", 10)}, Replace, nil, 0},
		{"the usual dots in front", []tar.Header{{Name: "./", Typeflag: tar.TypeDir}, file("./a", 1)}, Create, nil, 0},
		{"appending", nil, Append, ErrName, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "workspace")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(parent, filepath.Join(dir, "there")); err != nil {
				t.Skip(err)
			}
			w := open(t, dir, Limits{Bytes: 10, Entries: 5})
			_, skipped, err := w.ReadTar(t.Context(), test.mode, archive(t, test.headers...))
			if !errors.Is(err, test.want) || test.want == nil && err != nil || skipped != test.skipped {
				t.Errorf("%d skipped, %v", skipped, err)
			}
			if outside, err := os.ReadDir(parent); err != nil || len(outside) != 1 {
				t.Errorf("outside is %v, %v", outside, err)
			}
			if used, err := w.Measure(t.Context()); err != nil || used.Bytes > 10 || used.Entries > 5 {
				t.Errorf("it holds %+v, %v", used, err)
			}
		})
	}
	w := open(t, t.TempDir(), Limits{Bytes: 1 << 20, Entries: 9})
	// A hole of a terabyte, which archive/tar reads and does not write, takes its room.
	hole := archive(t, tar.Header{Name: "hole", Size: 1, Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: map[string]string{
		"XXX.sparse.size": "1099511627776", "XXX.sparse.numblocks": "1", "XXX.sparse.map": "0,1",
	}})
	raw, err := io.ReadAll(hole)
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.ReplaceAll(raw, []byte("XXX.sparse."), []byte("GNU.sparse."))
	if _, _, err := w.ReadTar(t.Context(), Create, bytes.NewReader(raw)); !errors.Is(err, ErrQuota) {
		t.Errorf("of a hole that does not fit is said %v", err)
	}
	if used, err := w.Measure(t.Context()); err != nil || used.Bytes > 0 {
		t.Errorf("of a hole it holds %+v, %v", used, err)
	}
	if _, _, err := w.ReadTar(t.Context(), Create, io.LimitReader(archive(t, file("cut", 5000)), 700)); !errors.Is(err, ErrArchive) {
		t.Errorf("of an archive that was cut is said %v", err)
	}
	if _, _, err := w.ReadTar(t.Context(), Create, strings.NewReader(strings.Repeat("no archive ", 100))); !errors.Is(err, ErrArchive) {
		t.Errorf("of what is no archive is said %v", err)
	}
}

func TestSyncCopesWithWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"d/e", "closed"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "d", "link")); err != nil {
		t.Skip(err)
	}
	if err := os.Chmod(filepath.Join(dir, "closed"), 0); err != nil {
		t.Fatal(err)
	}
	w := open(t, dir, Limits{Bytes: 100, Entries: 1000})
	if err := w.Sync(t.Context()); err != nil {
		t.Error(err)
	}
	for range syncEach {
		if err := os.WriteFile(filepath.Join(dir, "d", "e", time.Now().Format("05.000000000")), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Sync(t.Context()); err != nil {
		t.Error(err)
	}
}

func open(t *testing.T, dir string, limits Limits) *Workspace {
	t.Helper()
	w, err := Open(dir, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}
