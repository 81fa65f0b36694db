package workspace

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestListingIsOrderedAndContinues(t *testing.T) {
	w := newWorld(t, roomy)
	for _, p := range []string{"b", "a/z", "a/b/c", "a!", "a/b!", "c/", "\xff", "a.d/x"} {
		w.plant(p, "")
	}
	want := []string{"a", "a/b", "a/b/c", "a/b!", "a/z", "a!", "a.d", "a.d/x", "b", "c", "\xff"}
	if got := w.paths(ListOptions{}); !slices.Equal(got, want) {
		t.Fatalf("listed %q, want %q", got, want)
	}
	for i, after := range want {
		if got := w.paths(ListOptions{After: after}); !slices.Equal(got, want[i+1:]) {
			t.Errorf("after %q: %q, want %q", after, got, want[i+1:])
		}
	}
	for after, first := range map[string]string{"0": "a", "a/a/q/r": "a/b", "a/b/c/d": "a/b!", "aa": "b", "b/x": "c", "\xff/x": ""} {
		got := append(w.paths(ListOptions{After: after}), "")
		if got[0] != first {
			t.Errorf("after %q, which is not there, comes %q, want %q", after, got[0], first)
		}
	}
	if got := w.paths(ListOptions{Pattern: "a/**/c", After: "a"}); !slices.Equal(got, []string{"a/b/c"}) {
		t.Errorf("a pattern and a beginning give %q", got)
	}
	for _, o := range []ListOptions{{Pattern: "["}, {After: "a//b"}, {After: "/"}} {
		for e, err := range w.List(t.Context(), o) {
			if !errors.Is(err, ErrName) || e.Path != "" {
				t.Errorf("%+v gives %+v, %v", o, e, err)
			}
		}
	}
}

// crowd fills a directory with n empty files, in no particular order.
func crowd(t testing.TB, dir string, n int) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, i := range rand.Perm(n) {
		file, err := root.Create(fmt.Sprintf("%07d", i))
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
}

// TestHugeWorkspaces has a directory that does not fit into what a listing keeps,
// below others.
func TestHugeWorkspaces(t *testing.T) {
	n := 100_000
	if os.Getenv("SANDBOXD_LONG_TESTS") != "" {
		n = 1_000_000
	}
	w := newWorld(t, Limits{Bytes: 1 << 20, Entries: 2 * n})
	w.plant("a/b/c/", "")
	crowd(t, filepath.Join(w.dir, "a/b/c"), n)
	next, peak := 0, uint64(0)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for e, err := range w.List(t.Context(), ListOptions{Pattern: "a/b/c/*"}) {
		if want := fmt.Sprintf("a/b/c/%07d", next); err != nil || e.Path != want {
			t.Fatalf("entry %d is %q, %v, want %q", next, e.Path, err, want)
		}
		if next++; next%(n/4) == 1 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
	if next != n {
		t.Errorf("listed %d of %d", next, n)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("a listing of %d entries keeps %d bytes", n, grown)
	}
	last := fmt.Sprintf("a/b/c/%07d", n-2)
	if got := w.paths(ListOptions{After: last}); len(got) != 1 {
		t.Errorf("%d entries after the last but one", len(got))
	}
	if got, err := w.Measure(t.Context()); got.Entries != n+3 || err != nil {
		t.Errorf("measured %+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.RemoveAll(ctx, "."); !errors.Is(err, context.Canceled) {
		t.Errorf("remove without time: %v", err)
	}
	for _, err := range w.List(ctx, ListOptions{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("list without time: %v", err)
		}
	}
	if err := Delete(t.Context(), w.dir); err != nil {
		t.Error(err)
	}
}

// TestListingInManyPieces gives a listing little room, so that it reads directories
// several times, at every level of a tree.
func TestListingInManyPieces(t *testing.T) {
	w := newWorld(t, roomy)
	dir := ""
	for range 3 {
		dir = filepath.Join(dir, "0000777")
		w.plant(dir+"/", "")
		crowd(t, filepath.Join(w.dir, filepath.Dir(dir)), 700)
		crowd(t, filepath.Join(w.dir, dir), 0)
	}
	want := w.paths(ListOptions{})
	g, _ := parseGlob("")
	for _, from := range []int{0, 1, 700, 1500, len(want) - 1} {
		var got []string
		l := lister{w: w.Workspace, ctx: t.Context(), glob: g, yield: func(e Entry, err error) bool {
			got = append(got, e.Path)
			return err == nil
		}}
		after := ""
		if from > 0 {
			after = want[from-1]
		}
		if !l.directory(".", 0, g.start(), after) || !slices.Equal(got, want[from:]) {
			t.Errorf("after %q it listed %d entries, want %d", after, len(got), len(want)-from)
		}
		if l.room != 0 {
			t.Errorf("%d names are left on the account", l.room)
		}
	}
}

func TestDeepWorkspaces(t *testing.T) {
	w := newWorld(t, roomy)
	deep := strings.Repeat("d/", 199) + "d"
	if err := w.put(deep, Create, "content"); err != nil {
		t.Fatal(err)
	}
	// Deeper than names may be, as something other than us may make it.
	at := w.root
	for range MaxDepth + 50 {
		err := at.Mkdir("e", 0o700)
		if err == nil {
			at, err = at.OpenRoot("e")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer at.Close()
	}
	entries, failed := 0, 0
	for _, err := range w.List(t.Context(), ListOptions{}) {
		if entries++; err != nil {
			failed++
		}
	}
	if entries != 200+MaxDepth+1 || failed != 1 {
		t.Errorf("listed %d entries, %d of them with an error", entries, failed)
	}
	if _, err := w.Measure(t.Context()); !errors.Is(err, ErrName) {
		t.Errorf("measure: %v", err)
	}
	if err := w.RemoveAll(t.Context(), "."); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(w.dir); len(left) != 0 || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestAWorkspaceThatChanges runs every call while a guest, or whoever plays one,
// replaces entries by others of every kind.
func TestAWorkspaceThatChanges(t *testing.T) {
	w := newWorld(t, roomy)
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	ctx, cancel := context.WithCancel(t.Context())
	var guest sync.WaitGroup
	root, err := os.OpenRoot(w.dir) // the one who plays the guest must not leave either
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	guest.Go(func() {
		random := rand.New(rand.NewPCG(1, 2))
		names := []string{"a", "b", "a/a", "a/b", "b/a", "a/a/a"}
		for ctx.Err() == nil {
			name := names[random.IntN(len(names))]
			_ = root.RemoveAll(name)
			switch random.IntN(4) {
			case 0:
				_ = root.WriteFile(name, []byte("content"), 0o600)
			case 1:
				_ = root.Symlink([]string{w.outside, filepath.Join(w.outside, "canary"), "..", "a"}[random.IntN(4)], name)
			default:
				_ = root.MkdirAll(name, 0o700)
			}
		}
	})
	other := newWorld(t, roomy)
	for range rounds {
		for e, err := range w.List(ctx, ListOptions{Hash: true}) {
			if strings.Contains(e.Path, "canary") {
				t.Fatalf("listed %q, %v", e.Path, err)
			}
			if content, err := w.get(e.Path); err == nil && strings.Contains(content, "canary") {
				t.Fatalf("read %q through %q", content, e.Path)
			}
		}
		_, _ = w.Measure(ctx)
		_ = w.put("a/a", Append, "x")
		_ = w.put("b/x/y", Create, "x")
		_ = w.Move("a", "b/z")
		_, _, _ = w.CopyTo(ctx, other.Workspace)
		_ = w.RemoveAll(ctx, "b")
		_ = other.RemoveAll(ctx, ".")
	}
	cancel()
	guest.Wait()
	w.checkOutside()
	if err := Delete(t.Context(), w.dir); err != nil {
		t.Error(err)
	}
}

func BenchmarkList(b *testing.B) {
	w := newWorld(b, roomy)
	crowd(b, w.dir, 10_000)
	for b.Loop() {
		for _, err := range w.List(b.Context(), ListOptions{}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkDeleteEmpty(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "w")
	for b.Loop() {
		if err := os.Mkdir(dir, 0o700); err != nil {
			b.Fatal(err)
		}
		if err := Delete(b.Context(), dir); err != nil {
			b.Fatal(err)
		}
	}
}
