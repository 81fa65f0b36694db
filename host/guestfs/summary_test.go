package guestfs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
)

var allOfIt = Bounds{Files: 100, Names: 1 << 10, Hashed: 1 << 20}

func fileWith(path, content string) File {
	sum := sha256.Sum256([]byte(content))
	return File{Path: path, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

func TestSummaryHashesWhatTheGuestLeft(t *testing.T) {
	w := newWorld(t, roomy)
	w.write(filepath.Join(w.app, "old"), "before")
	w.write(filepath.Join(w.app, "dead"), "before")
	w.write(filepath.Join(w.app, "untouched"), "before")
	if got := w.Summary(t.Context(), allOfIt); !cmp.Equal(got, Summary{}) {
		t.Errorf("before the guest did anything: %+v", got)
	}
	w.put("app/old", "after")
	w.put("app/empty", "")
	if errno := w.Mkdir("app/dir", 0); errno != 0 {
		t.Fatal(errno)
	}
	w.put("app/dir/new", strings.Repeat("x", 200_000))
	open := w.opened("app/open", sys.O_WRONLY|sys.O_CREAT)
	_ = write(open, "not closed")
	if errno := w.Unlink("app/dead"); errno != 0 {
		t.Fatal(errno)
	}
	want := Summary{
		Created:  []File{fileWith("/app/dir/new", strings.Repeat("x", 200_000)), fileWith("/app/empty", ""), fileWith("/app/open", "not closed")},
		Modified: []File{fileWith("/app/old", "after")},
		Deleted:  []string{"/app/dead"},
	}
	if diff := cmp.Diff(want, w.Summary(t.Context(), allOfIt)); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestSummaryIsBounded(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	sized := func(path string, size int64) File { return File{Path: path, Size: size} }
	tests := []struct {
		name    string
		ctx     context.Context
		bounds  Bounds
		created []File
		deleted []string
		omitted int
	}{
		{"nothing", t.Context(), Bounds{}, nil, nil, 4},
		{"two files", t.Context(), Bounds{Files: 2, Names: 100, Hashed: 100}, []File{fileWith("/app/a", "1234567890"), fileWith("/app/b", "")}, nil, 2},
		{"all files", t.Context(), Bounds{Files: 4, Names: 24, Hashed: 100}, []File{fileWith("/app/a", "1234567890"), fileWith("/app/b", ""), fileWith("/app/c", "123")}, []string{"/app/d"}, 0},
		{"one byte of names too few", t.Context(), Bounds{Files: 4, Names: 23, Hashed: 100}, []File{fileWith("/app/a", "1234567890"), fileWith("/app/b", ""), fileWith("/app/c", "123")}, nil, 1},
		{"bytes for the small files", t.Context(), Bounds{Files: 4, Names: 100, Hashed: 9}, []File{sized("/app/a", 10), fileWith("/app/b", ""), fileWith("/app/c", "123")}, []string{"/app/d"}, 0},
		{"bytes for the first file", t.Context(), Bounds{Files: 4, Names: 100, Hashed: 12}, []File{fileWith("/app/a", "1234567890"), fileWith("/app/b", ""), sized("/app/c", 3)}, []string{"/app/d"}, 0},
		{"a time that is past", t.Context(), Bounds{4, 100, 100, time.Unix(1, 0)}, []File{sized("/app/a", 0), sized("/app/b", 0), sized("/app/c", 0)}, []string{"/app/d"}, 0},
		{"no time", over, Bounds{Files: 4, Names: 100, Hashed: 100}, []File{sized("/app/a", 0), sized("/app/b", 0), sized("/app/c", 0)}, []string{"/app/d"}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, roomy)
			w.write(filepath.Join(w.app, "d"), "")
			w.put("app/a", "1234567890")
			w.put("app/b", "")
			w.put("app/c", "123")
			if errno := w.Unlink("app/d"); errno != 0 {
				t.Fatal(errno)
			}
			want := Summary{Created: test.created, Deleted: test.deleted, Omitted: test.omitted}
			if diff := cmp.Diff(want, w.Summary(test.ctx, test.bounds)); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSummaryReadsNothingButFiles has someone else change the workspace after the
// guest wrote to it.
func TestSummaryReadsNothingButFiles(t *testing.T) {
	tests := []struct {
		name string
		swap func(w *world, path string)
	}{
		{"nothing", func(*world, string) {}},
		{"a directory", func(w *world, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"a link out", func(w *world, path string) { w.link(filepath.Join(w.outside, "canary"), path) }},
		{"a link inside", func(w *world, path string) { w.link("other", path) }},
		{"a link to itself", func(w *world, path string) { w.link("file", path) }},
		{"a pipe", func(w *world, path string) { mkfifo(w.t, path) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, roomy)
			w.put("app/file", "content")
			w.write(filepath.Join(w.app, "other"), "other")
			if err := os.Remove(filepath.Join(w.app, "file")); err != nil {
				t.Fatal(err)
			}
			test.swap(w, filepath.Join(w.app, "file"))
			want := Summary{Created: []File{{Path: "/app/file"}}}
			if diff := cmp.Diff(want, w.Summary(t.Context(), allOfIt)); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a parent that is a link out", func(t *testing.T) {
		w := newWorld(t, roomy)
		if errno := w.Mkdir("app/dir", 0); errno != 0 {
			t.Fatal(errno)
		}
		w.put("app/dir/canary", "content")
		if err := os.RemoveAll(filepath.Join(w.app, "dir")); err != nil {
			t.Fatal(err)
		}
		w.link(w.outside, filepath.Join(w.app, "dir"))
		if got := w.Summary(t.Context(), allOfIt).Created[0]; got.SHA256 != "" || got.Size != 0 {
			t.Errorf("read %+v through a link", got)
		}
	})
}

// TestSummaryOfAFileThatGrows reads a file that is longer than its size said.
func TestSummaryOfAFileThatGrows(t *testing.T) {
	w := newWorld(t, roomy)
	w.write(filepath.Join(w.app, "f"), strings.Repeat("x", 100_000))
	file, err := os.Open(filepath.Join(w.app, "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, budget := range []int64{0, 1, 99_999, 100_000} {
		if _, err := file.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		r := reader{ctx: t.Context(), left: Bounds{Hashed: budget}, file: file}
		n := 0
		for err = nil; err == nil; {
			var got int
			got, err = r.Read(make([]byte, 4096))
			n += got
		}
		if ended := budget >= 100_000; ended != (n == 100_000) || ended == errors.Is(err, errBudget) || int64(n) > budget {
			t.Errorf("with a budget of %d it read %d bytes, then %v", budget, n, err)
		}
	}
}

// TestSummaryFollowsRenames looks at files whose paths no guest call could name
// any more.
func TestSummaryFollowsRenames(t *testing.T) {
	limits := roomy
	limits.MaxPath = 30
	w := newWorld(t, limits)
	if errno := w.Mkdir("app/d", 0); errno != 0 {
		t.Fatal(errno)
	}
	w.put("app/d/a-rather-long-name", "content")
	if errno := w.Rename("app/d", "app/a-longer-name"); errno != 0 {
		t.Fatal(errno)
	}
	want := Summary{Created: []File{fileWith("/app/a-longer-name/a-rather-long-name", "content")}}
	if diff := cmp.Diff(want, w.Summary(t.Context(), allOfIt)); diff != "" || len(w.denied) != 0 {
		t.Errorf("denied %v; summary (-want +got):\n%s", w.denied, diff)
	}
}
