package session

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// model is what a session should be: all that each turn it still has left.
type model struct {
	turns  []sees // from oldest to current
	oldest int
}

func (m *model) current() *sees { return &m.turns[len(m.turns)-1] }

func (m *model) push(v sees, history int) {
	m.turns = append(m.turns, v)
	if drop := len(m.turns) - 1 - history; drop > 0 {
		m.turns = slices.Delete(m.turns, 0, drop)
		m.oldest += drop
	}
}

// TestATreeOfForksIsAsTheModelSays runs, forks, rolls back, resets and removes at
// random, and compares every session with a model that keeps all in memory.
func TestATreeOfForksIsAsTheModelSays(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s, _ := openStore(t)
	models := map[string]*model{}
	steps := 400
	if testing.Short() {
		steps = 100
	}
	for step := range steps {
		ids := slices.Sorted(maps.Keys(models))
		if len(ids) == 0 || random.IntN(20) == 0 && len(ids) < 8 {
			id := fmt.Sprint("new", step)
			created(t, s, id)
			models[id] = &model{turns: []sees{{files: map[string]string{}}}}
			continue
		}
		id := ids[random.IntN(len(ids))]
		k, m := Key{ID: id}, models[id]
		switch random.IntN(8) {
		case 0:
			turn := m.oldest + random.IntN(len(m.turns)+2) - 1
			fork := fmt.Sprint("fork", step)
			_, err := s.Fork(t.Context(), k, turn, fork)
			if turn < 0 { // the current one
				turn = m.oldest + len(m.turns) - 1
			}
			if inside := turn >= m.oldest && turn < m.oldest+len(m.turns); inside != (err == nil) || err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatalf("fork of turn %d of %d..: %v", turn, m.oldest, err)
			}
			if err == nil {
				models[fork] = &model{turns: []sees{m.turns[turn-m.oldest].clone()}}
			}
		case 1:
			turn := m.oldest + random.IntN(len(m.turns)+1) - 1
			_, err := s.Rollback(t.Context(), k, turn)
			if (turn >= m.oldest) != (err == nil) || err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatalf("rollback to turn %d of %d..: %v", turn, m.oldest, err)
			}
			if err == nil {
				m.turns = m.turns[:turn-m.oldest+1]
			}
		case 2:
			keepFiles, history := random.IntN(2) == 0, random.IntN(4)
			if _, err := s.Reset(t.Context(), k, keepFiles, history); err != nil {
				t.Fatal(err)
			}
			v := sees{files: map[string]string{}}
			if keepFiles {
				v.files = m.current().clone().files
			}
			m.push(v, history)
		case 3:
			if random.IntN(4) == 0 {
				if err := s.Remove(t.Context(), k, true); err != nil {
					t.Fatal(err)
				}
				delete(models, id)
			}
		default:
			history := random.IntN(4)
			name, text := fmt.Sprint(random.IntN(5)), fmt.Sprint(step)
			ran(t, s, k, history, keeps(name, text, text))
			v := m.current().clone()
			v.files[name], v.state = text, text
			if history == 0 { // in place
				m.turns = []sees{v}
				n, err := s.Get(t.Context(), k)
				if err != nil {
					t.Fatal(err)
				}
				m.oldest = n.Turn
			} else {
				m.push(v, history)
			}
		}
		if m, ok := models[id]; ok {
			m.compare(t, s, k)
		}
	}
	for id, m := range models {
		m.compare(t, s, Key{ID: id})
	}
}

func (v *sees) clone() sees { return sees{v.state, maps.Clone(v.files)} }

func (m *model) compare(t *testing.T, s *Store, k Key) {
	t.Helper()
	n, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if n.Oldest != m.oldest || n.Turn != m.oldest+len(m.turns)-1 {
		t.Fatalf("%s has turns %d to %d, want %d to %d", k.ID, n.Oldest, n.Turn, m.oldest, m.oldest+len(m.turns)-1)
	}
	got, want := content(t, s, k), m.current()
	if got.state != want.state || !maps.Equal(got.files, want.files) {
		t.Fatalf("%s is %v, want %v", k.ID, got, *want)
	}
	size := int64(len(want.state))
	for _, text := range want.files {
		size += int64(len(text))
	}
	if n.Bytes != size {
		t.Fatalf("%s has %d bytes, want %d", k.ID, n.Bytes, size)
	}
}
