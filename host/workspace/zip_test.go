package workspace

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// zipped is a zip archive; headers without a method are stored, with the text.
func zipped(tb testing.TB, text string, headers ...zip.FileHeader) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, h := range headers {
		to, err := w.CreateHeader(&h)
		if err != nil {
			tb.Fatal(err)
		}
		if strings.HasSuffix(h.Name, "/") {
			continue
		}
		if _, err := to.Write([]byte(text)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestAZipComesBackAsItWas(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for name, text := range map[string]string{"a": "", "d/b": "\x00\xff", "d/e/line\nbreak": "c", "d/not\xffutf8": "u", "d/" + strings.Repeat("n", 255): "long"} {
		name = filepath.Join(from, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, then, then)); err != nil {
			t.Skip(err) // a system that has no such names
		}
	}
	if err := errors.Join(os.Mkdir(filepath.Join(from, "empty"), 0o700), os.Symlink("/etc", filepath.Join(from, "link"))); err != nil {
		t.Skip(err)
	}
	source, target := open(t, from, Limits{}), open(t, to, Limits{Bytes: 8, Entries: 8})
	var out bytes.Buffer
	written, skipped, err := source.WriteZip(t.Context(), &out)
	if err != nil || skipped != 1 || written != (Usage{Bytes: 8, Entries: 8}) {
		t.Fatalf("%+v, %d skipped, %v", written, skipped, err)
	}
	read, skipped, err := target.ReadZip(t.Context(), Create, &out)
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

func TestHostileZips(t *testing.T) {
	link := zip.FileHeader{Name: "link"}
	link.SetMode(fs.ModeSymlink | 0o777)
	pipe := zip.FileHeader{Name: "pipe"}
	pipe.SetMode(fs.ModeNamedPipe | 0o644)
	named := func(names ...string) (all []zip.FileHeader) {
		for _, name := range names {
			all = append(all, zip.FileHeader{Name: name})
		}
		return all
	}
	// spoil changes what the list at the end says of the one entry.
	spoil := func(offset int, value uint32) []byte {
		data := zipped(t, "text", zip.FileHeader{Name: "a", Method: zip.Deflate})
		at := bytes.LastIndex(data, []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint32(data[at+offset:], value)
		return data
	}
	encrypted := zipped(t, "text", zip.FileHeader{Name: "a"})
	encrypted[bytes.LastIndex(encrypted, []byte("PK\x01\x02"))+8] |= 1
	tests := []struct {
		name    string
		data    []byte
		want    string // of the error; "" is none
		class   error
		skipped int
	}{
		{"an absolute name", zipped(t, "x", named("/etc/passwd")...), "unusable name", ErrName, 0},
		{"a name that leads out", zipped(t, "x", named("a/../../b")...), "unusable name", ErrName, 0},
		{"a directory that leads out", zipped(t, "", named("../")...), "unusable name", ErrName, 0},
		{"a link and a pipe", zipped(t, "/etc", link, pipe), "", nil, 2},
		{"a file below a link", zipped(t, "/etc", link, zip.FileHeader{Name: "link/x"}), "", nil, 1},
		{"the same name twice", zipped(t, "x", named("a", "a")...), "exists already in the archive", ErrExists, 0},
		{"a file that is a directory too", zipped(t, "x", named("a", "a/b")...), "not a directory", ErrNotDirectory, 0},
		{"a bomb", zipped(t, strings.Repeat("x", 1<<20), zip.FileHeader{Name: "a", Method: zip.Deflate}), "quota exceeded", ErrQuota, 0},
		{"too many entries", zipped(t, "", named("a", "b", "c", "d", "e", "f", "g", "h", "i")...), "quota exceeded", ErrQuota, 0},
		{"an archive that is too long", zipped(t, strings.Repeat("x", 1<<20), named("a")...), "quota exceeded", ErrQuota, 0},
		{"a smaller size than is true", spoil(24, 1), "", nil, -1},
		{"a larger size than is true", spoil(24, math.MaxUint32-1), "unexpected EOF", nil, -1},
		{"a wrong checksum", spoil(16, 7), "checksum", ErrArchive, 0},
		{"content elsewhere", spoil(42, 1<<30), "", nil, -1},
		{"encrypted content", encrypted, "without a password", ErrArchive, 0},
		{"no archive", []byte("PK"), "not a valid zip", ErrArchive, 0},
		{"nothing", nil, "not a valid zip", ErrArchive, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			w := open(t, dir, Limits{Bytes: 100, Entries: 8})
			_, skipped, err := w.ReadZip(t.Context(), Create, bytes.NewReader(tt.data))
			if tt.skipped < 0 {
				if err == nil {
					t.Fatal("it was unpacked")
				}
			} else if (err == nil) != (tt.want == "") || skipped != tt.skipped || tt.class != nil && !errors.Is(err, tt.class) {
				t.Fatalf("%d skipped, %v", skipped, err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
			used, err := w.Measure(t.Context())
			if err != nil || used.Bytes > 100 || used.Entries > 8 {
				t.Errorf("it holds %+v, %v", used, err)
			}
		})
	}
}

// TestALongListOfEntriesIsRefused: each entry of the list takes memory, whatever the
// limits are.
func TestALongListOfEntriesIsRefused(t *testing.T) {
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	entry := make([]byte, 46+60_000)
	copy(entry, "PK\x01\x02")
	binary.LittleEndian.PutUint16(entry[28:], 60_000) // a name
	list := bytes.Repeat(entry, zipDirectory/len(entry)+2)
	binary.LittleEndian.PutUint16(end[8:], uint16(len(list)/len(entry)))
	binary.LittleEndian.PutUint16(end[10:], uint16(len(list)/len(entry)))
	binary.LittleEndian.PutUint32(end[12:], uint32(len(list)))
	w := open(t, t.TempDir(), Limits{Bytes: 1 << 40, Entries: 1 << 20})
	_, _, err := w.ReadZip(t.Context(), Create, bytes.NewReader(append(list, end...)))
	if !errors.Is(err, ErrQuota) || !strings.Contains(err.Error(), "list of entries") {
		t.Errorf("got %v", err)
	}
}

func FuzzReadZip(f *testing.F) {
	f.Add(zipped(f, "text", zip.FileHeader{Name: "a"}, zip.FileHeader{Name: "d/"}, zip.FileHeader{Name: "d/b", Method: zip.Deflate}))
	f.Add(zipped(f, "text", zip.FileHeader{Name: "../a"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		outside := t.TempDir()
		dir := filepath.Join(outside, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		w := open(t, dir, Limits{Bytes: 1000, Entries: 10})
		_, _, _ = w.ReadZip(t.Context(), Replace, bytes.NewReader(data))
		used, err := w.Measure(t.Context())
		if err != nil || used.Bytes > 1000 || used.Entries > 10 {
			t.Errorf("it holds %+v, %v", used, err)
		}
		if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
			t.Errorf("outside: %v, %v", entries, err)
		}
	})
}
