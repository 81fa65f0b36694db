package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/workspace"
)

func TestIDs(t *testing.T) {
	const uuid = "0190163d-8694-739b-aea5-966c26f8ad91"
	tests := []struct {
		name, id string
		ok, uuid bool
	}{
		{"letters, digits and the three signs", "aZ09._-", true, false},
		{"one letter", "a", true, false},
		{"a UUID", uuid, true, true},
		{"a UUID in capitals", strings.ToUpper(uuid), true, true},
		{"a UUID without dashes", strings.ReplaceAll(uuid, "-", ""), true, false},
		{"dots inside", "a..b", true, false},
		{"the longest", strings.Repeat("a", MaxID), true, false},
		{"too long", strings.Repeat("a", MaxID+1), false, false},
		{"empty", "", false, false},
		{"a dot in front", ".a", false, false},
		{"the parent", "..", false, false},
		{"a separator", "a/b", false, false},
		{"the other separator", `a\b`, false, false},
		{"a NUL", "a\x00", false, false},
		{"a line break", "a\n", false, false},
		{"a space", "a b", false, false},
		{"no ASCII", "ä", false, false},
		{"a digit of another script", "a\u0661", false, false},
	}
	lax, strict := New(Options{}), New(Options{UUIDs: true})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for s, want := range map[*Store]bool{lax: test.ok, strict: test.uuid} {
				err := s.checkKey(Key{ID: test.id})
				if (err == nil) != want || err != nil && !errors.Is(err, ErrInvalid) {
					t.Errorf("only UUIDs %t: %v", s.uuids, err)
				}
			}
		})
	}
}

func TestGeneratedIDsAreAccepted(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range []*Store{New(Options{}), New(Options{UUIDs: true})} {
		for range 100 {
			id := s.newID()
			if err := s.checkKey(Key{ID: id}); err != nil || seen[id] {
				t.Fatalf("%q: %v, seen before: %t", id, err, seen[id])
			}
			seen[id] = true
		}
	}
}

func TestASessionBelongsToItsOwner(t *testing.T) {
	s, _ := openStore(t)
	ctx := t.Context()
	owners := []string{"", "ann", "ANN", "of-ann", "../ann", "a\nb", strings.Repeat("x", MaxOwner)}
	for _, owner := range owners {
		// Each has an id of its own, and one that all of them have.
		for _, id := range []string{"same", fmt.Sprintf("own-%x", owner)[:min(100, 4+2*len(owner))]} {
			k := Key{owner, id}
			if _, err := s.Create(ctx, Spec{Owner: owner, ID: id, Language: "python"}); err != nil {
				t.Fatal(err)
			}
			ran(t, s, k, 1, keeps("whose", owner, ""))
		}
	}
	for _, owner := range owners {
		list, err := s.List(ctx, owner)
		if err != nil || len(list) != 2 {
			t.Fatalf("%q has %d sessions, %v", owner, len(list), err)
		}
		if got := content(t, s, Key{owner, "same"}).files["whose"]; got != owner {
			t.Errorf("the session of %q holds what %q wrote", owner, got)
		}
		for _, n := range list {
			for _, other := range owners {
				if n.ID == "same" || other == owner {
					continue
				}
				k := Key{other, n.ID}
				_, got := s.Get(ctx, k)
				_, viewed := s.View(ctx, k)
				_, ran := s.Run(ctx, keeps("x", "", ""), k, Call{})
				_, forked := s.Fork(ctx, k, -1, "")
				_, rolled := s.Rollback(ctx, k, 0)
				_, reset := s.Reset(ctx, k, false, 0)
				_, turns := s.Turns(ctx, k)
				edited := s.Edit(ctx, k, unlimited, func(*workspace.Workspace) error { return nil })
				removed := s.Remove(ctx, k, true)
				for i, err := range []error{got, viewed, ran, forked, rolled, reset, turns, edited, removed} {
					if !errors.Is(err, ErrNotFound) {
						t.Errorf("%q on the session of %q, way %d: %v", other, owner, i, err)
					}
				}
			}
		}
	}
	all, err := s.storage.Owners(ctx)
	slices.Sort(all)
	slices.Sort(owners)
	if err != nil || !slices.Equal(all, owners) {
		t.Errorf("owners %q, %v", all, err)
	}
	for _, owner := range []string{"\xff", strings.Repeat("x", MaxOwner+1)} {
		if _, err := s.Create(ctx, Spec{Owner: owner}); !errors.Is(err, ErrInvalid) {
			t.Errorf("owner %q: %v", owner, err)
		}
	}
}

func TestACallThatTheHostFailedLeavesNothing(t *testing.T) {
	tests := []struct {
		name   string
		result host.Result
		err    error
	}{
		{"an error", host.Result{}, errHost},
		{"status internal", host.Result{Status: host.StatusInternal}, nil},
		{"a guest that did not return", host.Result{Status: host.StatusTimeout, Abandoned: true}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, d := openStore(t)
			k := created(t, s, "s")
			ran(t, s, k, 1, keeps("f", "before", "before"))
			out, err := s.Run(t.Context(), executor(func(ctx context.Context, r request) (*result, error) {
				if _, err := keeps("f", "after", "after")(ctx, r); err != nil {
					return nil, err
				}
				failed := test.result
				failed.State = []byte("after")
				return &failed, test.err
			}), k, Call{History: 1})
			if !errors.Is(err, test.err) || err == nil && len(out.Warnings) != 1 {
				t.Fatalf("%v, %v", out, err)
			}
			if v := content(t, s, k); v.state != "before" || v.files["f"] != "before" {
				t.Errorf("state %q, files %v", v.state, v.files)
			}
			entries, err := os.ReadDir(d.path(k, turnsDir))
			if err != nil || len(entries) != 2 {
				t.Errorf("%d turns on disk, %v", len(entries), err)
			}
		})
	}
}

func TestACallThatWasStoppedKeepsItsFilesAndTheStateFromBefore(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 1, keeps("f", "1", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	out, err := s.Run(ctx, executor(func(ctx context.Context, r request) (*result, error) {
		r2, err := keeps("f", "2", "")(ctx, r)
		r2.Status, r2.StateError = host.StatusCanceled, "stopped"
		cancel()
		return r2, err
	}), k, Call{History: 1})
	if err != nil || out.Turn != 2 {
		t.Fatal(out, err)
	}
	if v := content(t, s, k); v.state != "1" || v.files["f"] != "2" {
		t.Errorf("state %q, files %v", v.state, v.files)
	}
}

func TestWithoutHistoryFilesAreChangedInPlace(t *testing.T) {
	s, d := openStore(t)
	k := created(t, s, "s")
	for _, n := range []string{"1", "2", "3"} {
		ran(t, s, k, 0, keeps("f", n, n))
	}
	if v := content(t, s, k); v.state != "3" || v.files["f"] != "3" {
		t.Errorf("state %q, files %v", v.state, v.files)
	}
	n, err := s.Get(t.Context(), k)
	if err != nil || n.Turn != 0 || n.Calls != 3 {
		t.Errorf("%+v, %v", n, err)
	}
	for dir, want := range map[string]int{turnsDir: 1, imagesDir: 1} {
		entries, err := os.ReadDir(d.path(k, dir))
		if err != nil || len(entries) != want {
			t.Errorf("%d entries in %s, %v", len(entries), dir, err)
		}
	}
	if _, err := s.Run(t.Context(), executor(func(context.Context, request) (*result, error) { return nil, errHost }), k, Call{}); !errors.Is(err, errHost) {
		t.Error(err)
	}
	if v := content(t, s, k); v.state != "3" {
		t.Errorf("state %q", v.state)
	}
}

func TestADamagedStateIsPassedOver(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, d *Disk, k Key, digests []string)
		want   string
		warned int
	}{
		{"one that was changed, for the one before", func(t *testing.T, d *Disk, k Key, digests []string) {
			overwrite(t, d.path(k, imagesDir, digests[2]))
		}, "2", 1},
		{"one that is gone, for the one before", func(t *testing.T, d *Disk, k Key, digests []string) {
			if err := os.Remove(d.path(k, imagesDir, digests[2])); err != nil {
				t.Fatal(err)
			}
		}, "2", 1},
		{"a turn's record too", func(t *testing.T, d *Disk, k Key, _ []string) {
			overwrite(t, d.turnPath(k, 3, turnFile))
		}, "2", 1},
		{"all, for none", func(t *testing.T, d *Disk, k Key, digests []string) {
			for _, digest := range digests {
				overwrite(t, d.path(k, imagesDir, digest))
			}
		}, "", 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, d := openStore(t)
			k := created(t, s, "s")
			var digests []string
			for _, n := range []string{"1", "2", "3"} {
				ran(t, s, k, 5, keeps("f", n, n))
				digests = append(digests, digestOf([]byte(n)))
			}
			test.damage(t, d, k, digests)
			var v sees
			out := ran(t, s, k, 5, &v)
			if v.state != test.want || v.files["f"] != "3" || len(out.Warnings) != test.warned {
				t.Errorf("state %q, files %v, %q", v.state, v.files, out.Warnings)
			}
			// It is said once: the state that was found is the session's now.
			if out = ran(t, s, k, 5, &v); len(out.Warnings) != 0 || v.state != test.want {
				t.Errorf("again: state %q, %q", v.state, out.Warnings)
			}
		})
	}
}

func TestAStateThatTheHostFindsDamagedIsPassedOver(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 2, keeps("f", "1", "good"))
	ran(t, s, k, 2, keeps("f", "2", "bad"))
	var v sees
	out := ran(t, s, k, 2, executor(func(ctx context.Context, r request) (*result, error) {
		if string(r.State) == "bad" {
			return nil, fmt.Errorf("checksum: %w", host.ErrState)
		}
		return v.Execute(ctx, r)
	}))
	if v.state != "good" || v.files["f"] != "2" || len(out.Warnings) != 1 {
		t.Errorf("state %q, files %v, %q", v.state, v.files, out.Warnings)
	}
}

func overwrite(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAStateOfAnotherVersionNeedsAReset(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 1, keeps("f", "1", "old"))
	upgraded := executor(func(ctx context.Context, r request) (*result, error) {
		if r.State != nil {
			return nil, host.ErrStateVersion
		}
		return keeps("g", "2", "new")(ctx, r)
	})
	if _, err := s.Run(t.Context(), upgraded, k, Call{History: 1}); !errors.Is(err, host.ErrStateVersion) {
		t.Fatal(err)
	}
	if v := content(t, s, k); v.state != "old" || v.files["f"] != "1" {
		t.Errorf("state %q, files %v", v.state, v.files)
	}
	if _, err := s.Run(t.Context(), upgraded, k, Call{History: 1, ResetState: true}); err != nil {
		t.Fatal(err)
	}
	if v := content(t, s, k); v.state != "new" || v.files["f"] != "1" || v.files["g"] != "2" {
		t.Errorf("state %q, files %v", v.state, v.files)
	}
}

func TestOneCallAtATime(t *testing.T) {
	d, err := OpenDisk(filepath.Join(t.TempDir(), "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Storage: d, Queue: 2})
	k := created(t, s, "s")
	inside, leave := make(chan struct{}), make(chan struct{})
	slow := executor(func(ctx context.Context, r request) (*result, error) {
		inside <- struct{}{}
		<-leave
		return keeps("f", "x", "")(ctx, r)
	})
	var calls sync.WaitGroup
	run := func(ctx context.Context, e Executor) {
		calls.Go(func() {
			if _, err := s.Run(ctx, e, k, Call{}); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	run(t.Context(), slow)
	<-inside
	for who, other := range map[string]*Store{"this store": s, "another": New(Options{Storage: d})} {
		if _, err := other.Run(t.Context(), slow, k, Call{NoWait: true}); !errors.Is(err, ErrBusy) || !errors.Is(err, host.ErrBusy) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if p, err := s.Prune(t.Context(), PruneOptions{Idle: 1}); err != nil || len(p.Removed) != 0 || len(p.Skipped) != 1 || p.Skipped[0].Reason != "in use" {
		t.Errorf("%+v, %v", p, err)
	}
	// As many as may wait do, and the next is refused.
	patient, give := context.WithCancel(t.Context())
	run(patient, slow)
	run(patient, slow)
	for waiting := func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.gates[k].users }; waiting() < 3; {
		time.Sleep(time.Millisecond) // until they are there
	}
	if _, err := s.Run(t.Context(), slow, k, Call{}); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	give() // those that wait give up
	leave <- struct{}{}
	calls.Wait()
	if n, err := s.Get(t.Context(), k); err != nil || n.Calls != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	if len(s.gates) != 0 {
		t.Error("a gate was left behind")
	}
}

// TestACallThatWasGivenUpDoesNotRun has both at once, its turn and the end of its
// context, as often as it takes for a choice between them to go wrong.
func TestACallThatWasGivenUpDoesNotRun(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		if _, err := s.Run(ctx, keeps("f", "x", ""), k, Call{}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if n, err := s.Get(t.Context(), k); err != nil || n.Calls != 0 {
		t.Errorf("%+v, %v", n, err)
	}
	ran(t, s, k, 0, keeps("f", "x", "")) // the turn was given back
}

func TestCreatingTwiceIsRefused(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 0, keeps("f", "kept", ""))
	if _, err := s.Create(t.Context(), Spec{ID: "s"}); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if _, err := s.Fork(t.Context(), k, -1, "s"); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if v := content(t, s, k); v.files["f"] != "kept" {
		t.Error(v.files)
	}
	if _, err := s.Create(t.Context(), Spec{Persist: "all"}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestAStateIsForItsLanguage(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	c := Call{Request: request{Language: "javascript"}}
	if _, err := s.Run(t.Context(), keeps("f", "", ""), k, c); !errors.Is(err, host.ErrInvalid) {
		t.Error(err)
	}
	n, err := s.Create(t.Context(), Spec{Language: "python"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), keeps("f", "", ""), n.Key(), c); err != nil {
		t.Error(err)
	}
}

func TestPruning(t *testing.T) {
	d, err := OpenDisk(filepath.Join(t.TempDir(), "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := New(Options{Storage: d, Now: func() time.Time { return now }})
	for i, id := range []string{"a", "b", "c", "d"} { // used one hour after the other
		k := created(t, s, id)
		now = now.Add(time.Hour)
		ran(t, s, k, 1, keeps("f", strings.Repeat("x", 1000*(i+1)), ""))
	}
	k := created(t, s, "damaged")
	overwrite(t, d.path(k, recordFile))
	other := "other"
	if _, err := s.Create(t.Context(), Spec{Owner: other, ID: "o"}); err != nil {
		t.Fatal(err)
	}
	mine := ""
	size := func(id string) int64 {
		n, err := s.Size(t.Context(), Key{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	total := size("a") + size("b") + size("c") + size("d")
	tests := []struct {
		name string
		o    PruneOptions
		want string
	}{
		{"nothing asked", PruneOptions{}, ""},
		{"by age", PruneOptions{Owner: &mine, Age: 150 * time.Minute}, "a b"},
		{"by idle time", PruneOptions{Owner: &mine, Idle: 90 * time.Minute}, "a b"},
		{"by count", PruneOptions{Owner: &mine, Count: 3}, "a"},
		{"by bytes", PruneOptions{Owner: &mine, Bytes: total - 1}, "a"},
		{"by bytes that just fit", PruneOptions{Owner: &mine, Bytes: total}, ""},
		{"of all owners", PruneOptions{Count: 4}, "a"},
		{"of another owner", PruneOptions{Owner: &other, Count: 1}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.o.DryRun = true
			p, err := s.Prune(t.Context(), test.o)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			var bytes int64
			for _, r := range p.Removed {
				ids = append(ids, r.ID)
				bytes += size(r.ID)
				if r.Bytes != size(r.ID) {
					t.Errorf("%s: %d bytes, it has %d", r.ID, r.Bytes, size(r.ID))
				}
			}
			if strings.Join(ids, " ") != test.want || p.Bytes != bytes {
				t.Errorf("%q with %d bytes, want %q", ids, p.Bytes, test.want)
			}
			if test.o.Owner != &other && (len(p.Skipped) != 1 || p.Skipped[0].ID != "damaged" || !strings.Contains(p.Skipped[0].Reason, "record")) {
				t.Errorf("skipped: %+v", p.Skipped)
			}
		})
	}
	dry, err := s.Prune(t.Context(), PruneOptions{Count: 2, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	before := diskSize(t, d.root)
	wet, err := s.Prune(t.Context(), PruneOptions{Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	if freed := before - diskSize(t, d.root); dry.Bytes != wet.Bytes || wet.Bytes != freed || freed == 0 {
		t.Errorf("%d bytes announced, %d reported, %d freed", dry.Bytes, wet.Bytes, freed)
	}
	// What is damaged can be removed by name.
	if err := s.Remove(t.Context(), k, true); err != nil {
		t.Error(err)
	}
}

// diskSize is the size of all files below a directory.
func diskSize(t *testing.T, dir string) (total int64) {
	t.Helper()
	err := filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

func TestFilesFromOutside(t *testing.T) {
	s, _ := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 1, keeps("f", "program", "state"))
	err := s.Edit(t.Context(), k, workspace.Limits{Bytes: 20, Entries: 3}, func(w *workspace.Workspace) error {
		if _, err := w.Write(t.Context(), "in/put", workspace.Create, strings.NewReader("\x00\xff\r\n")); err != nil {
			return err
		}
		_, err := w.Write(t.Context(), "large", workspace.Create, strings.NewReader(strings.Repeat("x", 21)))
		return err
	})
	if !errors.Is(err, workspace.ErrQuota) {
		t.Error(err)
	}
	v := content(t, s, k)
	if want := map[string]string{"f": "program", "in/put": "\x00\xff\r\n"}; !maps.Equal(v.files, want) || v.state != "state" {
		t.Errorf("%q", v)
	}
	n, err := s.Get(t.Context(), k)
	if err != nil || n.Bytes != int64(len("program\x00\xff\r\nstate")) {
		t.Errorf("%+v, %v", n, err)
	}
	var found sees
	ran(t, s, k, 1, &found)
	if found.files["in/put"] != "\x00\xff\r\n" {
		t.Errorf("%q", found.files)
	}
}
