package runtimes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

// extracted returns the member of an archive, or why there is none.
func extracted(archive []byte, name string) (string, error) {
	var got []byte
	err := extract(bytes.NewReader(archive), name, func(from io.Reader, size int64) error {
		var err error
		got, err = io.ReadAll(from)
		if err == nil && int64(len(got)) != size {
			return errors.New("the size was wrong")
		}
		return err
	})
	return string(got), err
}

func TestExtractTakesTheMemberAsked(t *testing.T) {
	tests := []struct {
		name    string
		members []member
	}{
		{"alone", []member{{name: "a/x.wasm", data: "good"}}},
		{"among others", []member{{name: "a"}, {name: "b", data: "bad"}, {name: "a/x.wasm", data: "good"}, {name: "c", data: "bad"}}},
		{"before another of its name", []member{{name: "a/x.wasm", data: "good"}, {name: "a/x.wasm", data: "bad"}}},
		{"written with a dot", []member{{name: "./a/x.wasm", data: "good"}}},
		{"beside names that climb", []member{{name: "../a/x.wasm", data: "bad"}, {name: "b/../a/x.wasm", data: "bad"}, {name: "/a/x.wasm", data: "bad"}, {name: "a/x.wasm", data: "good"}}},
		{"beside links", []member{{name: "a", kind: tar.TypeSymlink, link: "/etc"}, {name: "b", kind: tar.TypeLink, link: "a/x.wasm"}, {name: "a/x.wasm", data: "good"}}},
		{"with a long name before it", []member{{name: strings.Repeat("n/", 500), kind: tar.TypeDir}, {name: "a/x.wasm", data: "good"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := extracted(archiveOf(t, tt.members...), "a/x.wasm"); got != "good" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	good := archiveOf(t, member{name: "a/x.wasm", data: strings.Repeat("x", 5000)})
	tests := []struct {
		name    string
		archive []byte
		class   error
		want    string
	}{
		{"nothing", nil, ErrUnavailable, "damaged or was cut short"},
		{"what is not an archive", []byte("<html>404</html>"), ErrUnavailable, "damaged or was cut short"},
		{"an archive cut short", good[:len(good)/2], ErrUnavailable, "damaged or was cut short"},
		{"an empty archive", archiveOf(t), ErrInvalid, `there is no "a/x.wasm" in the archive`},
		{"a member near the one asked", archiveOf(t, member{name: "a/x.wsam", data: "x"}), ErrInvalid, `(did you mean "a/x.wsam"?)`},
		{"a symbolic link", archiveOf(t, member{name: "a/x.wasm", kind: tar.TypeSymlink, link: "/etc/passwd"}), ErrInvalid, "is not a regular file"},
		{"a hard link", archiveOf(t, member{name: "a/x.wasm", kind: tar.TypeLink, link: "b"}), ErrInvalid, "is not a regular file"},
		{"a device", archiveOf(t, member{name: "a/x.wasm", kind: tar.TypeChar}), ErrInvalid, "is not a regular file"},
		{"a folder", archiveOf(t, member{name: "a/x.wasm", kind: tar.TypeDir}), ErrInvalid, "is not a regular file"},
		{"a member that claims to be huge", hugeArchive(t, maxModule+1), ErrInvalid, "larger than 512 MiB"},
		{"a member that is shorter than it claims", hugeArchive(t, 1000), ErrUnavailable, "damaged or was cut short"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := extracted(tt.archive, "a/x.wasm")
			if !errors.Is(err, tt.class) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// hugeArchive is an archive whose only member claims a size and has no bytes.
func hugeArchive(t testing.TB, size int64) []byte {
	t.Helper()
	var raw bytes.Buffer
	if err := tar.NewWriter(&raw).WriteHeader(&tar.Header{Name: "a/x.wasm", Typeflag: tar.TypeReg, Size: size}); err != nil {
		t.Fatal(err)
	}
	return zipped(t, raw.Bytes())
}

func TestExtractStopsAtBombs(t *testing.T) {
	var header bytes.Buffer
	if err := tar.NewWriter(&header).WriteHeader(&tar.Header{Name: "other", Typeflag: tar.TypeReg, Size: 8 * maxUnpacked}); err != nil {
		t.Fatal(err)
	}
	err := findMember(io.MultiReader(&header, &endless{}), "a/x.wasm", nil)
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "unpacks to more than 1024 MiB") {
		t.Errorf("bytes without an end: got %v", err)
	}

	var entries bytes.Buffer
	archive := tar.NewWriter(&entries)
	for range maxMembers + 1 {
		if err := archive.WriteHeader(&tar.Header{Name: "n"}); err != nil {
			t.Fatal(err)
		}
	}
	err = findMember(&entries, "a/x.wasm", nil)
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "more than 100000 entries") {
		t.Errorf("entries without an end: got %v", err)
	}
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if _, err := zip.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unzipped(data []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zip)
}

// FuzzFindMember checks that no archive makes findMember panic, hand out more than
// the cap, or hand out anything twice.
func FuzzFindMember(f *testing.F) {
	add := func(archive []byte) {
		raw, err := unzipped(archive)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	add(archiveOf(f, member{name: "a/x.wasm", data: "good"}, member{name: "a/x.wasm", data: "again"}))
	add(archiveOf(f, member{name: "../a/x.wasm", data: "bad"}, member{name: "a/x.wasm", kind: tar.TypeSymlink, link: "/etc/passwd"}))
	add(archiveOf(f, member{name: strings.Repeat("long/", 80) + "x", data: "pax"}, member{name: "a/x.wasm", data: strings.Repeat("x", 2000)}))
	add(hugeArchive(f, maxModule+1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		calls := 0
		err := findMember(bytes.NewReader(raw), "a/x.wasm", func(from io.Reader, size int64) error {
			calls++
			n, err := io.Copy(io.Discard, from)
			if n > size || size > maxModule {
				t.Errorf("%d bytes of %d", n, size)
			}
			if err == nil && n != size {
				t.Errorf("%d bytes of %d without an error", n, size)
			}
			return err
		})
		if calls > 1 || err == nil && calls != 1 {
			t.Errorf("%d calls and error %v", calls, err)
		}
		if err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnavailable) {
			t.Errorf("class of %v", err)
		}
	})
}

func TestAnArchiveThatUnpacksForEverIsRefused(t *testing.T) {
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipped)
	for _, size := range []int64{64 << 20, 1} {
		if err := archive.WriteHeader(&tar.Header{Name: map[bool]string{true: "a.wasm", false: "pad"}[size == 1], Typeflag: tar.TypeReg, Mode: 0o600, Size: size}); err != nil {
			t.Fatal(err)
		}
		zeros := make([]byte, 1<<20)
		for left := size; left > 0; left -= int64(len(zeros)) {
			if _, err := archive.Write(zeros[:min(left, int64(len(zeros)))]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"a.wasm", "pad"} {
		err := extract(bytes.NewReader(packed.Bytes()), member, func(from io.Reader, _ int64) error {
			_, err := io.Copy(io.Discard, from)
			return err
		})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "200 times its size") {
			t.Errorf("%s: got %v", member, err)
		}
	}
}
