package blobstore

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/internal/s3test"
)

// buckets runs a test over a bucket in memory and over one of a real server.
func buckets(t *testing.T, test func(t *testing.T, bucket *blob.Bucket, rounds int)) {
	rounds := 20
	if testing.Short() {
		rounds = 7
	}
	t.Run("memory", func(t *testing.T) { test(t, memblob.OpenBucket(nil), rounds) })
	t.Run("s3", func(t *testing.T) {
		server := s3test.Start(t)
		test(t, openBucket(t, server.URL(server.Address)), rounds/2)
	})
}

// TestNodesTakeTurns goes from node to node with a session: each finds what the last
// one left, in the files and in the state, and none leaves more in the bucket than
// the session has.
func TestNodesTakeTurns(t *testing.T) {
	buckets(t, func(t *testing.T, bucket *blob.Bucket, rounds int) {
		nodes := []*Storage{node(t, bucket, Options{}), node(t, bucket, Options{}), node(t, bucket, Options{})}
		k := made(t, nodes[0], "s")
		for i := range rounds {
			for _, history := range []int{0, 1, 2} {
				number := fmt.Sprint(i, " ", history)
				mustRun(t, nodes[(i+history)%3], k, history, number)
				if got, _ := content(t, nodes[(i+history+1)%3], k); got != number {
					t.Fatalf("%q, want %q", got, number)
				}
			}
		}
		st, err := nodes[0].look(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(st.commit.Turns); n > maxDead+3 {
			t.Errorf("%d turns are named, of which 3 are there", n)
		}
		objects := listAll(t, bucket, "data/")
		if len(objects) > 6 { // files and state of three turns
			t.Errorf("%d objects are left", len(objects))
		}
		if commits := listAll(t, bucket, "commits/"); len(commits) != 1 {
			t.Errorf("%q", commits)
		}
		if leases := listAll(t, bucket, "leases/"); len(leases) != 0 {
			t.Errorf("%q", leases)
		}
	})
}

func listAll(t testing.TB, bucket *blob.Bucket, prefix string) (names []string) {
	t.Helper()
	for o, err := range all(t, bucket, prefix) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, o)
	}
	return names
}

func all(t testing.TB, bucket *blob.Bucket, prefix string) func(func(string, error) bool) {
	return func(yield func(string, error) bool) {
		objects, _, err := bucket.ListPage(t.Context(), blob.FirstPageToken, 1000, &blob.ListOptions{Prefix: prefix})
		if err != nil {
			yield("", err)
		}
		for _, o := range objects {
			if !yield(o.Key, nil) {
				return
			}
		}
	}
}

// TestOfConflictingWritersOneWins lets nodes believe that each has the session, as
// they do when their leases run out under them, and commit the same turn.
func TestOfConflictingWritersOneWins(t *testing.T) {
	buckets(t, func(t *testing.T, bucket *blob.Bucket, rounds int) {
		o := Options{Lease: time.Nanosecond} // which has run out when it is written
		nodes := []*Storage{node(t, bucket, o), node(t, bucket, o), node(t, bucket, o)}
		k := made(t, nodes[0], "s")
		mustRun(t, nodes[0], k, 1, "first")
		conflicts := 0
		for i := range rounds {
			_, before := content(t, nodes[0], k)
			ready := newBarrier(len(nodes))
			errs := make([]error, len(nodes))
			var wait sync.WaitGroup
			for j, n := range nodes {
				wait.Go(func() { errs[j] = ready.run(n, k, program(fmt.Sprint(i, " ", j)), i%3) })
			}
			wait.Wait()
			won := -1
			for j, err := range errs {
				switch {
				case err == nil && won < 0:
					won = j
				case err == nil:
					t.Fatalf("round %d: nodes %d and %d both won", i, won, j)
				case !errors.Is(err, session.ErrConflict):
					t.Fatalf("round %d: node %d: %v", i, j, err)
				default:
					conflicts++
				}
			}
			if won < 0 {
				t.Fatalf("round %d: nobody won", i)
			}
			for j, n := range append(slices.Clone(nodes), node(t, bucket, o)) {
				if got, calls := content(t, n, k); got != fmt.Sprint(i, " ", won) || calls != before+1 {
					t.Fatalf("round %d: node %d sees %q after %d calls; %d has won, and there were %d", i, j, got, calls, won, before)
				}
			}
		}
		if conflicts != 2*rounds {
			t.Errorf("%d conflicts", conflicts)
		}
	})
}

// TestOneWhoSleptThroughTheNightIsInConflict commits on a node after others have made,
// and deleted, the very commit that would have stood in its way.
func TestOneWhoSleptThroughTheNightIsInConflict(t *testing.T) {
	bucket := memblob.OpenBucket(nil)
	o := Options{Lease: time.Nanosecond}
	slow, quick := node(t, bucket, o), node(t, bucket, o)
	k := made(t, slow, "s")
	for name, meanwhile := range map[string]func(){
		"turns": func() {
			for i := range 5 {
				mustRun(t, quick, k, 1, fmt.Sprint("quick ", i))
			}
		},
		"turns, while the commit before stays": func() {
			before := listAll(t, bucket, "commits/local/s/")
			data, err := bucket.ReadAll(t.Context(), before[len(before)-1])
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				mustRun(t, quick, k, 1, fmt.Sprint("quick ", i))
			}
			if err := bucket.WriteAll(t.Context(), before[len(before)-1], data, nil); err != nil {
				t.Fatal(err)
			}
		},
		"a rollback": func() {
			mustRun(t, quick, k, 1, "quick")
			if _, err := store(quick).Rollback(t.Context(), k, 0); err != nil && !errors.Is(err, session.ErrNotFound) {
				t.Fatal(err)
			}
		},
		"an edit": func() {
			err := store(quick).Edit(t.Context(), k, workspace.Limits{Bytes: 1000, Entries: 10}, func(*workspace.Workspace) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		wanted, calls := "", 0
		_, err := store(slow).Run(t.Context(), then(program("slow"), func() {
			meanwhile()
			wanted, calls = content(t, quick, k)
		}), k, session.Call{History: 1})
		if !errors.Is(err, session.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
		for _, n := range []*Storage{slow, quick, node(t, bucket, o)} {
			if got, after := content(t, n, k); got != wanted || after != calls {
				t.Errorf("%s: %q after %d calls, want %q after %d", name, got, after, wanted, calls)
			}
		}
	}
	// Nor does it bring back what was deleted, with the trace of that or without, nor
	// mix with what was made anew.
	for name, meanwhile := range map[string]func(){
		"deleted":           func() {},
		"deleted for long":  func() { removeAll(t, bucket, "commits/") },
		"deleted, and anew": func() { made(t, quick, "s") },
	} {
		_, err := store(slow).Run(t.Context(), then(program("slow"), func() {
			if err := store(quick).Remove(t.Context(), k, true); err != nil {
				t.Fatal(err)
			}
			meanwhile()
		}), k, session.Call{History: 1})
		if !errors.Is(err, session.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
		n, err := store(quick).Get(t.Context(), k)
		if name == "deleted, and anew" {
			if err != nil || n.Calls != 0 {
				t.Errorf("%s: %+v, %v", name, n, err)
			}
			continue
		}
		if !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
		made(t, slow, "s")
	}
}

func removeAll(t testing.TB, bucket *blob.Bucket, prefix string) {
	for _, name := range listAll(t, bucket, prefix) {
		if err := bucket.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}
