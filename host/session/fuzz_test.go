package session

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// FuzzID holds what ids are accepted against what they must never be.
func FuzzID(f *testing.F) {
	for _, id := range []string{"a", "..", ".a", "a/b", "a\x00", "0190163d-8694-739b-aea5-966c26f8ad91", "", "é"} {
		f.Add(id, "owner")
	}
	s := New(Options{})
	d := &Disk{root: "/root"}
	f.Fuzz(func(t *testing.T, id, owner string) {
		k := Key{owner, id}
		if err := s.checkKey(k); err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Error(err)
			}
			return
		}
		dir := d.Dir(k)
		if filepath.Base(dir) != id || filepath.Dir(filepath.Dir(dir)) != filepath.Clean(d.root) || len(filepath.Base(filepath.Dir(dir))) > 255 {
			t.Errorf("%q of %q lies in %q", id, owner, dir)
		}
		if isUUID(id) && len(id) != 36 {
			t.Errorf("%q is a UUID", id)
		}
	})
}

// FuzzRecord demands that whatever is accepted as a record is one: in bounds, of the
// session it was looked for, and the same when it is written again.
func FuzzRecord(f *testing.F) {
	k := Key{"o", "s"}
	good, err := encodeRecord(&Session{ID: "s", Owner: "o", Persist: PersistState, Created: time.Unix(1e9, 0).UTC(), Turn: 3, Oldest: 2, Parent: &Parent{ID: "p"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte(`"turn":3`), []byte(`"turn":-3`), 1))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := decodeRecord(k, data)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
			return
		}
		if n.Key() != k || n.Oldest < 0 || n.Turn < n.Oldest || n.Bytes < 0 {
			t.Fatalf("%+v", n)
		}
		again, err := encodeRecord(n)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeRecord(k, again); err != nil || !back.Used.Equal(n.Used) || back.Turn != n.Turn {
			t.Fatalf("%+v, %v", back, err)
		}
	})
}

// FuzzTurn demands the same of a turn's record.
func FuzzTurn(f *testing.F) {
	f.Add([]byte(`{"number":3,"time":"2026-01-01T00:00:00Z","status":"ok","state":"","state_bytes":0}`))
	f.Add([]byte(`{"number":3,"state":"../../../etc/passwd"}`))
	f.Add([]byte(`{"number":3} {}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		turn, err := decodeTurn(Key{ID: "s"}, 3, data)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
			return
		}
		if turn.Number != 3 || turn.State != "" && !isDigest(turn.State) {
			t.Fatalf("%+v", turn)
		}
	})
}
