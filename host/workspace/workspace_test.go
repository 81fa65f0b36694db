package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamesAreChecked(t *testing.T) {
	w := newWorld(t, roomy)
	w.plant("a", "content")
	for what, name := range map[string]string{
		"empty":                    "",
		"absolute":                 "/a",
		"upwards":                  "..",
		"upwards inside":           "a/../a",
		"upwards to the canary":    "../outside/canary",
		"the directory itself":     "./a",
		"an empty component":       "a//b",
		"a slash at the end":       "a/",
		"a NUL byte":               "a\x00",
		"a path that is too long":  strings.Repeat("abc/", MaxPath/4) + "d",
		"a name that is too long":  strings.Repeat("a", MaxName+1),
		"a path that is too deep":  strings.Repeat("a/", MaxDepth) + "a",
		"a dot, where none may be": ".",
	} {
		t.Run(what, func(t *testing.T) {
			calls := map[string]error{
				"write":   w.put(name, Replace, "x"),
				"append":  w.put(name, Append, "x"),
				"remove":  w.Remove(name),
				"move":    w.Move(name, "b"),
				"move to": w.Move("a", name),
				"read":    second(w.get(name)),
			}
			if name != "." { // the workspace itself
				calls["stat"] = second(w.Stat(name))
				calls["remove all"] = w.RemoveAll(t.Context(), name)
			}
			for call, err := range calls {
				if !errors.Is(err, ErrName) {
					t.Errorf("%s: %v, want ErrName", call, err)
				}
			}
		})
	}
	if content, err := w.get("a"); content != "content" || err != nil {
		t.Errorf("the file holds %q, %v", content, err)
	}
	w.checkOutside()
}

func second[T any](_ T, err error) error { return err }

func TestNamesMayHoldAnything(t *testing.T) {
	w := newWorld(t, roomy)
	for _, name := range []string{
		"a b", "line\nbreak", "\x1b[2J", "\xff\xfe", "ünï", "-rf", "~", "*", "a\\b", "...", "..a", strings.Repeat("x", MaxName),
		strings.Repeat("d/", 199) + "deep",
	} {
		if err := w.put(name, Create, name); err != nil {
			t.Errorf("write: %v", err)
		}
		if content, err := w.get(name); content != name || err != nil {
			t.Errorf("read %q: %q, %v", name, content, err)
		}
		if got := w.paths(ListOptions{}); !slices.Contains(got, name) {
			t.Errorf("the listing %q lacks %q", got, name)
		}
		first, _, _ := strings.Cut(name, "/")
		if err := w.RemoveAll(t.Context(), first); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	if got := w.paths(ListOptions{}); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

func TestReading(t *testing.T) {
	w := newWorld(t, roomy)
	w.plant("dir/file", "0123456789")
	for _, test := range []struct {
		offset, length int64
		want           string
	}{
		{0, -1, "0123456789"},
		{0, 0, ""},
		{0, 3, "012"},
		{4, 3, "456"},
		{8, 5, "89"},
		{10, -1, ""},
		{11, -1, ""},
		{1 << 62, 1 << 62, ""},
		{3, -1, "3456789"},
	} {
		r, e, err := w.Read("dir/file", test.offset, test.length)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != test.want || err != nil || e.Size != 10 || e.Kind != KindFile || e.Path != "dir/file" {
			t.Errorf("%d bytes at %d are %q, %v, want %q, of %+v", test.length, test.offset, got, err, test.want, e)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := w.Read("dir/file", -1, 1); !errors.Is(err, ErrName) {
		t.Errorf("a negative offset: %v", err)
	}
}

// TestOnlyFilesAreRead also holds when the kind is one that blocks.
func TestOnlyFilesAreRead(t *testing.T) {
	w := hostileWorld(t)
	for name, want := range map[string]error{
		"missing": ErrNotFound, "dir": ErrNotRegular, "dir/missing": ErrNotFound, "file/x": ErrNotDirectory,
		"pipe": ErrNotRegular, "socket": ErrNotRegular, "loop": ErrNotRegular, "out": ErrNotRegular,
		"up/canary": ErrNotDirectory, "inside": ErrNotRegular, "loop/x": ErrNotDirectory, "dirlink/file": ErrNotDirectory,
	} {
		if _, err := w.Lstat(name); err != nil && errors.Is(want, ErrNotRegular) {
			continue // not on this system
		}
		if content, err := w.get(name); !errors.Is(err, want) {
			t.Errorf("read %s: %q, %v, want %v", name, content, err, want)
		}
		if err := w.put(name, Append, "x"); !errors.Is(want, ErrNotFound) && !errors.Is(err, want) {
			t.Errorf("append to %s: %v, want %v", name, err, want)
		}
	}
	w.checkOutside()
}

// Lstat looks at the disk behind the workspace's back.
func (w *world) Lstat(name string) (os.FileInfo, error) {
	return os.Lstat(filepath.Join(w.dir, name))
}

// hostileWorld is a workspace full of traps.
func hostileWorld(t testing.TB) *world {
	w := newWorld(t, roomy)
	w.plant("file", "content")
	w.plant("dir/file", "content")
	w.plant("dir/line\nbreak", "")
	w.link("loop", "loop")
	w.link("../outside/canary", "out")
	w.link("../outside", "up")
	w.link("/etc/passwd", "absolute")
	w.link("file", "inside")
	w.link("dir", "dirlink")
	w.link("..", "dir/parent")
	plantSpecial(t, w.dir)
	return w
}

func TestListingAHostileWorkspace(t *testing.T) {
	w := hostileWorld(t)
	kinds := map[string]Kind{}
	for e, err := range w.List(t.Context(), ListOptions{Hash: true}) {
		if err != nil || (e.Kind == KindFile) != (e.SHA256 != "") || e.Kind != KindFile && e.Size != 0 {
			t.Errorf("%+v: %v", e, err)
		}
		kinds[e.Path] = e.Kind
	}
	want := map[string]Kind{
		"file": KindFile, "dir": KindDirectory, "dir/file": KindFile, "dir/line\nbreak": KindFile, "loop": KindLink, "out": KindLink,
		"up": KindLink, "absolute": KindLink, "inside": KindLink, "dirlink": KindLink, "dir/parent": KindLink,
		"pipe": KindOther, "socket": KindOther,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	if got, err := w.Measure(t.Context()); got != (Usage{14, 13}) || err != nil {
		t.Errorf("measured %+v, %v", got, err)
	}
	other := newWorld(t, roomy)
	if got, skipped, err := w.CopyTo(t.Context(), other.Workspace); got != (Usage{14, 4}) || skipped != 9 || err != nil {
		t.Errorf("copied %+v, %d left out, %v", got, skipped, err)
	}
	if got := other.paths(ListOptions{}); !slices.Equal(got, []string{"dir", "dir/file", "dir/line\nbreak", "file"}) {
		t.Errorf("the copy holds %q", got)
	}
	if err := w.RemoveAll(t.Context(), "."); err != nil {
		t.Error(err)
	}
	if got := w.paths(ListOptions{}); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
	w.checkOutside()
}

func TestWriting(t *testing.T) {
	tests := []struct {
		name string
		path string
		mode Mode
		want string
		err  error
	}{
		{"create", "new", Create, "new", nil},
		{"create with directories", "a/b/new", Create, "new", nil},
		{"create what is there", "file", Create, "content", ErrExists},
		{"create over a directory", "dir", Create, "", ErrExists},
		{"create over a link", "out", Create, "", ErrExists},
		{"replace what is there", "file", Replace, "new", nil},
		{"replace nothing", "new", Replace, "new", nil},
		{"replace a directory", "dir", Replace, "", ErrNotRegular},
		{"replace a link, not what it names", "out", Replace, "new", nil},
		{"replace a loop", "loop", Replace, "new", nil},
		{"append to what is there", "file", Append, "contentnew", nil},
		{"append to nothing", "new", Append, "new", nil},
		{"append through a link", "out", Append, "", ErrNotRegular},
		{"below a link out", "up/new", Create, "", ErrNotDirectory},
		{"below a link inside", "dirlink/new", Create, "", ErrNotDirectory},
		{"below a file", "file/new", Create, "", ErrNotDirectory},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := hostileWorld(t)
			e, err := w.Write(t.Context(), test.path, test.mode, strings.NewReader("new"))
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v, want %v", err, test.err)
			}
			if err == nil && (e.Size != int64(len(test.want)) || e.Kind != KindFile || len(e.SHA256) != 64 || e.Path != test.path) {
				t.Errorf("describes it as %+v", e)
			}
			if content, _ := w.get(test.path); content != test.want {
				t.Errorf("holds %q, want %q", content, test.want)
			}
			if left := w.paths(ListOptions{Pattern: "**/" + TempPrefix + "*"}); len(left) != 0 {
				t.Errorf("left %q behind", left)
			}
			w.checkOutside()
		})
	}
}

// TestFailedWritesChangeNothing covers input that fails, input that never ends, and
// a caller who gives up.
func TestFailedWritesChangeNothing(t *testing.T) {
	broken := errors.New("broken")
	ctx, cancel := context.WithCancel(t.Context())
	tests := []struct {
		name  string
		input io.Reader
		want  error
	}{
		{"broken input", io.MultiReader(strings.NewReader("x"), failing{func() error { return broken }}), broken},
		{"endless input", endless{}, ErrQuota},
		{"a caller who gives up", io.MultiReader(strings.NewReader("x"), failing{func() error { cancel(); return nil }}), context.Canceled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Limits{Bytes: 100_000, Entries: 10})
			w.plant("file", "content")
			if _, err := w.Write(ctx, "file", Replace, test.input); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if content, err := w.get("file"); content != "content" || err != nil {
				t.Errorf("holds %q, %v", content, err)
			}
			if got := w.paths(ListOptions{}); !slices.Equal(got, []string{"file"}) {
				t.Errorf("holds %q", got)
			}
		})
	}
}

type failing struct{ fail func() error }

func (f failing) Read([]byte) (int, error) { return 0, f.fail() }

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestQuotas(t *testing.T) {
	w := newWorld(t, Limits{Bytes: 20, Entries: 3})
	w.plant("file", "0123456789")
	steps := []struct {
		name string
		do   func() error
		want error
	}{
		{"one byte too many", func() error { return w.put("b", Create, "01234567890") }, ErrQuota},
		{"all there is", func() error { return w.put("b", Create, "0123456789") }, nil},
		{"one byte more", func() error { return w.put("c", Create, "0") }, ErrQuota},
		{"an empty file", func() error { return w.put("c", Create, "") }, nil},
		{"an entry too many", func() error { return w.put("d", Create, "") }, ErrQuota},
		{"a directory too many", func() error { return w.put("dir/b", Create, "") }, ErrQuota},
		{"as much instead", func() error { return w.put("b", Replace, "9876543210") }, nil},
		{"more instead", func() error { return w.put("b", Replace, "98765432100") }, ErrQuota},
		{"less instead", func() error { return w.put("b", Replace, "98765") }, nil},
		{"more added", func() error { return w.put("b", Append, "012345") }, ErrQuota},
		{"as much added", func() error { return w.put("b", Append, "01234") }, nil},
	}
	for _, s := range steps {
		if err := s.do(); !errors.Is(err, s.want) {
			t.Errorf("%s: %v, want %v", s.name, err, s.want)
		}
	}
	if got, err := w.get("b"); got != "9876501234" || err != nil {
		t.Errorf("the file holds %q, %v", got, err)
	}
	if got := w.paths(ListOptions{}); !slices.Equal(got, []string{"b", "c", "file"}) {
		t.Errorf("the workspace holds %q", got)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "dir")); err == nil {
		t.Error("a refused write left a directory")
	}
	full := newWorld(t, Limits{Bytes: 19, Entries: 3})
	if _, _, err := w.CopyTo(t.Context(), full.Workspace); !errors.Is(err, ErrQuota) {
		t.Errorf("copied into too few bytes: %v", err)
	}
	full = newWorld(t, Limits{Bytes: 20, Entries: 2})
	if _, _, err := w.CopyTo(t.Context(), full.Workspace); !errors.Is(err, ErrQuota) {
		t.Errorf("copied into too few entries: %v", err)
	}
}

func TestMoving(t *testing.T) {
	for _, test := range []struct {
		name, from, to string
		want           error
	}{
		{"a file", "file", "new", nil},
		{"a file into a directory", "file", "dir/new", nil},
		{"a directory", "dir", "new", nil},
		{"a link", "out", "new", nil},
		{"nothing", "missing", "new", ErrNotFound},
		{"onto a file", "dir/file", "file", ErrExists},
		{"onto a directory", "file", "dir", ErrExists},
		{"onto a link", "file", "out", ErrExists},
		{"onto itself", "file", "file", ErrExists},
		{"into itself", "dir", "dir/new", ErrName},
		{"into a missing directory", "file", "missing/new", ErrNotFound},
		{"through a link", "file", "up/new", ErrNotDirectory},
		{"from behind a link", "up/canary", "new", ErrNotDirectory},
		{"below a file", "dir", "file/new", ErrNotDirectory},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := hostileWorld(t)
			before := w.paths(ListOptions{})
			if err := w.Move(test.from, test.to); !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			_, fromErr := w.Stat(test.from)
			_, toErr := w.Stat(test.to)
			if test.want == nil && (!errors.Is(fromErr, ErrNotFound) || toErr != nil) {
				t.Errorf("afterwards: %v, %v", fromErr, toErr)
			}
			if test.want != nil && !slices.Equal(before, w.paths(ListOptions{})) {
				t.Error("a refused move changed something")
			}
			w.checkOutside()
		})
	}
}

func TestRemoving(t *testing.T) {
	for name, want := range map[string]error{
		"file": nil, "out": nil, "loop": nil, "dir/parent": nil, "pipe": nil, "socket": nil,
		"dir": ErrNotEmpty, "missing": ErrNotFound, "up/canary": ErrNotDirectory,
	} {
		w := hostileWorld(t)
		if _, err := w.Lstat(name); err != nil && want == nil {
			continue // not on this system
		}
		if err := w.Remove(name); !errors.Is(err, want) {
			t.Errorf("remove %s: %v, want %v", name, err, want)
		}
		if errors.Is(want, ErrNotEmpty) {
			want = nil
		}
		w = hostileWorld(t)
		if err := w.RemoveAll(t.Context(), name); !errors.Is(err, want) {
			t.Errorf("remove all of %s: %v, want %v", name, err, want)
		}
		if _, err := w.Stat(name); err == nil {
			t.Errorf("%s is still there", name)
		}
		w.checkOutside()
	}
}

func TestErrorsTellNoHostPath(t *testing.T) {
	w := hostileWorld(t)
	for _, err := range []error{
		second(w.Stat("missing")), second(w.get("dir/missing")), w.Remove("dir"), w.Move("missing", "x"), w.Move("file", "dir"),
		w.put("file", Create, ""), w.put("up/x", Create, ""), w.RemoveAll(t.Context(), "missing"), w.put("pipe/x", Create, ""),
	} {
		if err == nil || strings.Contains(err.Error(), filepath.Dir(w.dir)) {
			t.Errorf("the error is %v", err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Stat("file"); err == nil || strings.Contains(err.Error(), filepath.Dir(w.dir)) {
		t.Errorf("after Close: %v", err)
	}
}

func TestDelete(t *testing.T) {
	w := hostileWorld(t)
	w.plant(strings.Repeat("d/", 200)+"deep", "")
	if err := os.Chmod(filepath.Join(w.dir, "d/d"), 0o000); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(w.dir, "dir"), 0o500); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Delete(t.Context(), w.dir); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(w.dir); err == nil {
			t.Error("it is still there")
		}
	}
	w.checkOutside()
}

// TestUnreadableDirectories lists what it can around them.
func TestUnreadableDirectories(t *testing.T) {
	if privileged() {
		t.Skip("this user may read everything")
	}
	w := newWorld(t, roomy)
	w.plant("a/file", "")
	w.plant("b/file", "")
	w.plant("c/file", "")
	for dir, mode := range map[string]os.FileMode{"b": 0o000, "c": 0o400} {
		if err := os.Chmod(filepath.Join(w.dir, dir), mode); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for e, err := range w.List(t.Context(), ListOptions{}) {
		got = append(got, fmt.Sprint(e.Path, " ", err != nil))
	}
	want := []string{"a false", "a/file false", "b false", "b true", "c false", "c true"}
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	if err := w.RemoveAll(t.Context(), "."); err != nil {
		t.Error(err)
	}
}
