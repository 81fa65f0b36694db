// Package sessiontest has the tests that every implementation of [session.Storage]
// must pass.
package sessiontest

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host/session"
)

// Storage tests an implementation. open returns an empty storage; with the same dir,
// the one that was opened there before, as another process would find it.
func Storage(t *testing.T, open func(t *testing.T, dir string) session.Storage) {
	for _, test := range []struct {
		name string
		test func(*suite, *testing.T)
	}{
		{"what is made is there for the next process", (*suite).lasts},
		{"an id is taken once, by one of many", (*suite).taken},
		{"owners are kept apart", (*suite).owners},
		{"what is not there is not found", (*suite).missing},
		{"a turn begins with a copy", (*suite).copies},
		{"a fork shares nothing that can change", (*suite).forks},
		{"what is not kept is gone, and all of the rest there", (*suite).keeps},
		{"a lock excludes others and waits for them", (*suite).locks},
		{"a session that is deleted under its waiters is not found", (*suite).deletedWhileWaiting},
		{"the size is that of what was stored", (*suite).sizes},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			// A directory of its own: a storage may want to make it, and its mode.
			where := filepath.Join(dir, "storage")
			test.test(&suite{t.Context(), open(t, where), func() session.Storage { return open(t, where) }}, t)
		})
	}
}

type suite struct {
	ctx   context.Context // of one test
	s     session.Storage
	again func() session.Storage
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *suite) create(t *testing.T, k session.Key) {
	t.Helper()
	check(t, c.s.Create(c.ctx, k, []byte("record"), session.TurnData{Data: []byte("turn 0")}, nil))
}

// put writes a file of a turn, directories included.
func (c *suite) put(t *testing.T, s session.Storage, k session.Key, turn int, name, text string) {
	t.Helper()
	dir, err := s.Workspace(c.ctx, k, turn)
	check(t, err)
	name = filepath.Join(dir, name)
	check(t, os.MkdirAll(filepath.Dir(name), 0o700))
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) { // another turn may have it too
		check(t, err)
	}
	check(t, os.WriteFile(name, []byte(text), 0o600))
}

// files are the files of a turn.
func (c *suite) files(t *testing.T, s session.Storage, k session.Key, turn int) map[string]string {
	t.Helper()
	dir, err := s.Workspace(c.ctx, k, turn)
	check(t, err)
	files := map[string]string{}
	check(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // a file of this test's
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(data)
		return err
	}))
	return files
}

func (c *suite) lasts(t *testing.T) {
	k := session.Key{ID: "a"}
	c.create(t, k)
	check(t, c.s.SetRecord(c.ctx, k, []byte("record 2")))
	check(t, c.s.Begin(c.ctx, k, 1, -1))
	c.put(t, c.s, k, 1, "d/f", "text\x00")
	check(t, c.s.SetTurn(c.ctx, k, session.TurnData{Number: 1, Data: []byte("turn 1")}))
	digest := strings.Repeat("0a", 32)
	check(t, c.s.SetImage(c.ctx, k, digest, []byte("image")))
	s := c.again()
	record, err := s.Record(c.ctx, k)
	check(t, err)
	turn, err := s.Turn(c.ctx, k, 1)
	check(t, err)
	image, err := s.Image(c.ctx, k, digest)
	check(t, err)
	if string(record) != "record 2" || string(turn) != "turn 1" || string(image) != "image" {
		t.Errorf("%q, %q, %q", record, turn, image)
	}
	if got := c.files(t, s, k, 1); !maps.Equal(got, map[string]string{"d/f": "text\x00"}) {
		t.Errorf("%q", got)
	}
}

func (c *suite) taken(t *testing.T) {
	k := session.Key{ID: "a"}
	var won, lost int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := c.s.Create(c.ctx, k, []byte("record"), session.TurnData{Data: []byte("turn")}, nil)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case errors.Is(err, session.ErrExists):
				lost++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won != 1 || lost != 7 {
		t.Errorf("%d made it, %d were told that it exists", won, lost)
	}
}

func (c *suite) owners(t *testing.T) {
	owners := []string{"", "a", "A", "../b", "a/b", "\x01", strings.Repeat("é", session.MaxOwner/2)}
	for _, owner := range owners {
		k := session.Key{Owner: owner, ID: "same"}
		c.create(t, k)
		check(t, c.s.SetRecord(c.ctx, k, []byte(owner)))
	}
	got, err := c.s.Owners(c.ctx)
	check(t, err)
	slices.Sort(got)
	slices.Sort(owners)
	if !slices.Equal(got, owners) {
		t.Errorf("%q, want %q", got, owners)
	}
	for _, owner := range owners {
		record, err := c.s.Record(c.ctx, session.Key{Owner: owner, ID: "same"})
		check(t, err)
		ids, err := c.s.Sessions(c.ctx, owner)
		check(t, err)
		if string(record) != owner || !slices.Equal(ids, []string{"same"}) {
			t.Errorf("%q: record %q, sessions %q", owner, record, ids)
		}
	}
}

func (c *suite) missing(t *testing.T) {
	there, k := session.Key{ID: "there"}, session.Key{ID: "missing"}
	c.create(t, there)
	ids, err := c.s.Sessions(c.ctx, "nobody")
	if err != nil || len(ids) != 0 {
		t.Errorf("%q, %v", ids, err)
	}
	_, record := c.s.Record(c.ctx, k)
	_, turn := c.s.Turn(c.ctx, there, 7)
	_, files := c.s.Workspace(c.ctx, there, 7)
	_, image := c.s.Image(c.ctx, there, strings.Repeat("0", 64))
	_, locked := c.s.Lock(c.ctx, k, true)
	_, size := c.s.Size(c.ctx, k)
	for what, err := range map[string]error{
		"record": record, "turn": turn, "workspace": files, "image": image, "lock": locked, "size": size,
		"set record": c.s.SetRecord(c.ctx, k, nil), "delete": c.s.Delete(c.ctx, k), "begin": c.s.Begin(c.ctx, there, 1, 7),
		"fork": c.s.Create(c.ctx, k, nil, session.TurnData{}, &session.Place{Key: there, Turn: 7}),
	} {
		if !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if ids, err := c.s.Sessions(c.ctx, ""); err != nil || len(ids) != 1 {
		t.Errorf("%q, %v", ids, err)
	}
}

func (c *suite) copies(t *testing.T) {
	k := session.Key{ID: "a"}
	c.create(t, k)
	c.put(t, c.s, k, 0, "d/f", "0")
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	dir, err := c.s.Workspace(c.ctx, k, 0)
	check(t, err)
	for _, name := range []string{"d/f", "d"} {
		check(t, os.Chtimes(filepath.Join(dir, name), then, then))
	}
	check(t, c.s.Begin(c.ctx, k, 1, 0))
	copied, err := c.s.Workspace(c.ctx, k, 1)
	check(t, err)
	for _, name := range []string{"d/f", "d"} {
		info, err := os.Stat(filepath.Join(copied, name))
		check(t, err)
		if !info.ModTime().Equal(then) {
			t.Errorf("%s was modified at %v", name, info.ModTime())
		}
	}
	c.put(t, c.s, k, 1, "d/f", "1")
	c.put(t, c.s, k, 1, "new", "1")
	if got := c.files(t, c.s, k, 0); !maps.Equal(got, map[string]string{"d/f": "0"}) {
		t.Errorf("%q", got)
	}
	// Begun once more, it holds nothing of the first time.
	check(t, c.s.Begin(c.ctx, k, 1, 0))
	if got := c.files(t, c.s, k, 1); !maps.Equal(got, map[string]string{"d/f": "0"}) {
		t.Errorf("%q", got)
	}
}

func (c *suite) forks(t *testing.T) {
	k, fork := session.Key{Owner: "o", ID: "a"}, session.Key{Owner: "o", ID: "b"}
	c.create(t, k)
	c.put(t, c.s, k, 0, "f", "0")
	digest := strings.Repeat("0", 64)
	check(t, c.s.SetImage(c.ctx, k, digest, []byte("image")))
	check(t, c.s.Create(c.ctx, fork, []byte("r"), session.TurnData{Number: 0, Data: []byte("t")}, &session.Place{Key: k, Turn: 0, Image: digest}))
	c.put(t, c.s, k, 0, "f", "1")
	check(t, c.s.Keep(c.ctx, k, []int{0}, nil))
	image, err := c.s.Image(c.ctx, fork, digest)
	check(t, err)
	if got := c.files(t, c.s, fork, 0); got["f"] != "0" || string(image) != "image" {
		t.Errorf("%q, %q", got, image)
	}
	check(t, c.s.Delete(c.ctx, fork))
	if got := c.files(t, c.s, k, 0); got["f"] != "1" {
		t.Errorf("%q", got)
	}
}

func (c *suite) keeps(t *testing.T) {
	k := session.Key{ID: "a"}
	c.create(t, k)
	digests := []string{strings.Repeat("0", 64), strings.Repeat("1", 64)}
	for i, digest := range digests {
		check(t, c.s.Begin(c.ctx, k, i+1, i))
		check(t, c.s.SetTurn(c.ctx, k, session.TurnData{Number: i + 1, Data: []byte("t")}))
		check(t, c.s.SetImage(c.ctx, k, digest, []byte("image")))
	}
	check(t, c.s.Keep(c.ctx, k, []int{0, 2}, digests[1:]))
	for turn, want := range map[int]bool{0: true, 1: false, 2: true} {
		_, err := c.s.Turn(c.ctx, k, turn)
		if want != (err == nil) || err != nil && !errors.Is(err, session.ErrNotFound) {
			t.Errorf("turn %d: %v", turn, err)
		}
	}
	for i, digest := range digests {
		_, err := c.s.Image(c.ctx, k, digest)
		if (i == 1) != (err == nil) || err != nil && !errors.Is(err, session.ErrNotFound) {
			t.Errorf("image %d: %v", i, err)
		}
	}
}

func (c *suite) locks(t *testing.T) {
	k := session.Key{ID: "a"}
	c.create(t, k)
	unlock, err := c.s.Lock(c.ctx, k, false)
	check(t, err)
	other := c.again()
	if _, err := other.Lock(c.ctx, k, false); !errors.Is(err, session.ErrBusy) {
		t.Errorf("not waiting: %v", err)
	}
	impatient, cancel := context.WithCancel(c.ctx)
	cancel()
	if _, err := other.Lock(impatient, k, true); !errors.Is(err, context.Canceled) {
		t.Errorf("giving up: %v", err)
	}
	got := make(chan error, 1)
	go func() {
		unlock, err := other.Lock(c.ctx, k, true)
		if err == nil {
			unlock()
		}
		got <- err
	}()
	unlock()
	check(t, <-got)
	unlock, err = c.s.Lock(c.ctx, k, false)
	check(t, err)
	unlock()
}

func (c *suite) deletedWhileWaiting(t *testing.T) {
	k := session.Key{ID: "a"}
	c.create(t, k)
	unlock, err := c.s.Lock(c.ctx, k, true)
	check(t, err)
	other := c.again()
	got := make(chan error, 1)
	go func() {
		_, err := other.Lock(c.ctx, k, true)
		got <- err
	}()
	check(t, c.s.Delete(c.ctx, k))
	unlock()
	if err := <-got; !errors.Is(err, session.ErrNotFound) {
		t.Error(err)
	}
	c.create(t, k) // the id is free
}

func (c *suite) sizes(t *testing.T) {
	k := session.Key{ID: "a"}
	c.create(t, k)
	before, err := c.s.Size(c.ctx, k)
	check(t, err)
	c.put(t, c.s, k, 0, "f", strings.Repeat("x", 1000))
	check(t, c.s.SetImage(c.ctx, k, strings.Repeat("0", 64), make([]byte, 500)))
	after, err := c.s.Size(c.ctx, k)
	check(t, err)
	if after-before != 1500 {
		t.Errorf("1500 bytes made it %d larger", after-before)
	}
}
