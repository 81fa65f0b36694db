package blobstore

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"gocloud.dev/blob/memblob"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
)

// TestDamagedObjects changes, cuts, empties, lengthens and deletes each object of a
// session. A node that has no copy never takes what it finds for what was written.
func TestDamagedObjects(t *testing.T) {
	bucket := memblob.OpenBucket(nil)
	here := node(t, bucket, Options{})
	k := made(t, here, "s")
	mustRun(t, here, k, 1, strings.Repeat("long enough to be compressed ", 20))
	var objects []string
	for _, prefix := range []string{"commits/", "data/"} {
		objects = append(objects, listAll(t, bucket, prefix)...)
	}
	damages := map[string]func([]byte) []byte{
		"changed at the end": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"changed":            func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut":                func(b []byte) []byte { return b[:len(b)-1] },
		"longer":             func(b []byte) []byte { return append(b, 0) },
		"other":              func([]byte) []byte { return []byte("other") },
		"gone":               func([]byte) []byte { return nil },
	}
	damaged := 0
	for _, name := range objects {
		whole, err := bucket.ReadAll(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for what, damage := range damages {
			changed := damage(bytes.Clone(whole))
			if err = bucket.WriteAll(t.Context(), name, changed, nil); changed == nil {
				err = bucket.Delete(t.Context(), name)
			}
			if err != nil {
				t.Fatal(err)
			}
			n, err := store(node(t, bucket, Options{})).Get(t.Context(), k)
			if err == nil {
				_, err = at(t, node(t, bucket, Options{}), n, 1)
			}
			if err != nil {
				damaged++
			}
			switch {
			case err == nil && (strings.HasSuffix(name, "files-0") || what == "longer" || strings.Contains(name, "/files-") || strings.Contains(name, "/image-")):
				// It belongs to the turn before, or only has something after its end.
			case !errors.Is(err, session.ErrDamaged) && !errors.Is(err, session.ErrNotFound):
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		if err := bucket.WriteAll(t.Context(), name, whole, nil); err != nil {
			t.Fatal(err)
		}
	}
	if damaged < 3*len(damages)-2 {
		t.Errorf("%d of the damages were noticed", damaged)
	}
	if _, err := at(t, node(t, bucket, Options{}), &session.Session{ID: "s"}, 1); err != nil {
		t.Errorf("repaired: %v", err)
	}
}

// archive is a commit's description of an archive, and the archive.
func archive(t testing.TB, headers ...tar.Header) (*turn, []byte) {
	t.Helper()
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, h := range headers {
		h.Mode = 0o600
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return described(packed.Bytes()), packed.Bytes()
}

func described(packed []byte) *turn {
	return &turn{
		Record: &blobRef{SHA256: digestOf(nil)},
		Files:  &blobRef{Name: "files-x", Size: int64(len(packed)), SHA256: digestOf(packed)},
		Bytes:  1000, Entries: 3,
	}
}

// TestHostileArchives unpacks what somebody put into the bucket who knows all about
// checksums.
func TestHostileArchives(t *testing.T) {
	file := func(name string, size int64) tar.Header {
		return tar.Header{Name: name, Size: size, Typeflag: tar.TypeReg}
	}
	many := make([]tar.Header, 2000)
	for i := range many {
		many[i] = tar.Header{Name: fmt.Sprint("link", i), Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}
	}
	for name, headers := range map[string][]tar.Header{
		"a way out":                   {file("../out", 1)},
		"an absolute name":            {file("/out", 1)},
		"a way out over a link":       {{Name: "link", Linkname: "..", Typeflag: tar.TypeSymlink}, file("link/out", 1)},
		"more bytes than it says":     {file("a", 1001)},
		"a bomb":                      {file("a", 100<<20)},
		"more entries than it says":   {file("a", 0), file("b", 0), file("c", 0), file("d", 0)},
		"the same file twice":         {file("a", 1), file("a", 999)},
		"deep directories":            {{Name: strings.Repeat("d/", 300), Typeflag: tar.TypeDir}},
		"less than it says":           {file("a", 1)},
		"nothing but links, and many": many,
		"a device, a pipe and a link": {{Name: "d", Typeflag: tar.TypeBlock}, {Name: "p", Typeflag: tar.TypeFifo}, {Name: "l", Linkname: "p", Typeflag: tar.TypeLink}},
	} {
		t.Run(name, func(t *testing.T) {
			described, packed := archive(t, headers...)
			parent := t.TempDir()
			if err := unpackInto(t, parent, described, packed); err == nil {
				t.Error("it was taken")
			}
			entries, err := os.ReadDir(parent)
			if err != nil || len(entries) != 1 {
				t.Errorf("%v, %v", entries, err)
			}
		})
	}
	described, packed := archive(t, file("a", 999), file("d/b", 1))
	other, _ := archive(t, file("a", 998), file("d/b", 2))
	other.Files.Size = described.Files.Size
	if err := unpackInto(t, t.TempDir(), other, packed); !errors.Is(err, errChanged) {
		t.Errorf("a right one, in the place of another: %v", err)
	}
	if err := unpackInto(t, t.TempDir(), described, packed); err != nil {
		t.Errorf("a right one: %v", err)
	}
}

func unpackInto(t testing.TB, parent string, described *turn, packed []byte) error {
	t.Helper()
	dir := filepath.Join(parent, "workspace")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := workspace.Open(dir, workspace.Limits{Bytes: described.Bytes, Entries: described.Entries})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return unpack(t.Context(), w, bytes.NewReader(packed), described)
}

// TestSweep deletes what nobody names, and nothing else.
func TestSweep(t *testing.T) {
	bucket := memblob.OpenBucket(nil)
	s := node(t, bucket, Options{Abandoned: time.Nanosecond})
	kept, gone := made(t, s, "kept"), made(t, s, "gone")
	mustRun(t, s, kept, 2, "1")
	mustRun(t, s, kept, 2, "2")
	mustRun(t, s, gone, 2, "1")
	life := func(k session.Key) string {
		st, err := s.look(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		return st.commit.Life
	}
	keptLife := life(kept)
	orphans := []string{
		s.dataName(kept, keptLife, "files-of-the-dead"), s.dataName(kept, "AnotherLife", "image-x"),
		s.dataName(session.Key{Owner: "o", ID: "never"}, "ALife", "files-x"), s.leaseName(session.Key{ID: "dead"}),
		s.commitName(kept, 0),
	}
	for _, name := range orphans {
		if err := bucket.WriteAll(t.Context(), name, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	foreign := []string{"data/readme", "other/data/x", "commits/local/kept/notes"}
	for _, name := range foreign {
		if err := bucket.WriteAll(t.Context(), name, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	young := opened(t, Options{Bucket: bucket, Cache: s.o.Cache})
	if err := young.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range orphans {
		if there, err := bucket.Exists(t.Context(), name); err != nil || !there {
			t.Errorf("%s is young, and gone (%v)", name, err)
		}
	}
	if _, err := store(s).Prune(t.Context(), session.PruneOptions{}); err != nil { // which sweeps
		t.Fatal(err)
	}
	for _, name := range append(orphans, s.commitName(gone, 3)) {
		if there, err := bucket.Exists(t.Context(), name); err != nil || there {
			t.Errorf("%s is there (%v)", name, err)
		}
	}
	for _, name := range foreign {
		if there, err := bucket.Exists(t.Context(), name); err != nil || !there {
			t.Errorf("%s is not ours, and gone (%v)", name, err)
		}
	}
	if _, err := os.Stat(s.localPath(gone)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the local copy: %v", err)
	}
	other := node(t, bucket, Options{})
	n, err := store(other).Get(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	for turn, want := range []string{"", "1", "2"} {
		if got, err := at(t, other, n, turn); err != nil || got != want {
			t.Errorf("turn %d: %q, %v", turn, got, err)
		}
	}
	mustRun(t, other, kept, 2, "3")
}

// TestCopiesFromBeforeTheMachineStartedAreNotBelieved changes local files as a crash of
// the machine does, which were not synced.
func TestCopiesFromBeforeTheMachineStartedAreNotBelieved(t *testing.T) {
	if bootID() == "" {
		t.Skip("this system does not tell")
	}
	s := node(t, memblob.OpenBucket(nil), Options{})
	k := made(t, s, "s")
	mustRun(t, s, k, 1, "1")
	dir, err := s.Workspace(t.Context(), k, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := opened(t, s.o)
	if _, err := at(t, again, &session.Session{ID: "s"}, 1); err == nil {
		t.Fatal("the file was not changed")
	}
	if err := os.WriteFile(filepath.Join(s.o.Cache, bootFile), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	again = opened(t, s.o)
	if got, _ := content(t, again, k); got != "1" {
		t.Errorf("%q", got)
	}
}

// TestWhatADeadProcessChangedInPlaceIsNotBelieved finds the lock as a process leaves it
// that was killed while a program changed files in place.
func TestWhatADeadProcessChangedInPlaceIsNotBelieved(t *testing.T) {
	s := node(t, memblob.OpenBucket(nil), Options{})
	k := made(t, s, "s")
	mustRun(t, s, k, 0, "1")
	dir, err := s.Workspace(t.Context(), k, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{filepath.Join(dir, "a"): "?", s.localPath(k, lockFile): "held\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, s, k, 0, "2") // which looks at what it finds
	if got, calls := content(t, s, k); got != "2" || calls != 2 {
		t.Errorf("%q after %d calls", got, calls)
	}
}

// FuzzCommit decodes what a bucket may hold in place of a commit.
func FuzzCommit(f *testing.F) {
	c := &commit{Writes: []string{"w"}, Life: "L", Record: []byte("r"), Turns: []turn{*described([]byte("x"))}, Images: map[string]*blobRef{}}
	body, err := json.Marshal(c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"writes":["../w"],"life":"..","turns":[{"number":-1}]}`))
	f.Add([]byte(`{"writes":["w"],"life":"L","turns":[{"number":1,"record":null,"files":{}}],"images":{"x":null}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		data := fmt.Appendf(nil, "%s%s\n%s", commitHead, digestOf(body), body)
		c, err := decodeCommit(data)
		if _, raw := decodeCommit(body); raw == nil {
			t.Error("it needs no head")
		}
		if err != nil {
			return
		}
		st := &state{commit: c}
		for _, turn := range st.turns() {
			if found := st.turn(turn.Number); found == nil || !filepath.IsLocal(committedDir(&turn)) || strings.ContainsAny(committedDir(&turn), `/\`) {
				t.Errorf("turn %+v", turn)
			}
		}
		for name := range names(st) {
			if !plain(name) {
				t.Errorf("name %q", name)
			}
		}
		again, err := encodeCommit(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeCommit(again); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}

// FuzzUnpack unpacks what a bucket may hold in place of an archive.
func FuzzUnpack(f *testing.F) {
	_, packed := archive(f, tar.Header{Name: "a", Size: 999, Typeflag: tar.TypeReg}, tar.Header{Name: "d/b", Size: 1, Typeflag: tar.TypeReg})
	f.Add(packed)
	_, packed = archive(f, tar.Header{Name: "../a", Size: 9, Typeflag: tar.TypeReg}, tar.Header{Name: "l", Linkname: "/", Typeflag: tar.TypeSymlink})
	f.Add(packed)
	f.Fuzz(func(t *testing.T, packed []byte) {
		parent := t.TempDir()
		_ = unpackInto(t, parent, described(packed), packed)
		entries, err := os.ReadDir(parent)
		if err != nil || len(entries) != 1 {
			t.Errorf("it left its directory: %v, %v", entries, err)
		}
		used, err := measure(context.Background(), filepath.Join(parent, "workspace"))
		if err != nil || used.Bytes > 1000 || used.Entries > 3 {
			t.Errorf("%+v, %v", used, err)
		}
	})
}
