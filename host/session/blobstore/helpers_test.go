package blobstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"gocloud.dev/blob"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
)

// program is an executor that writes a number wherever a session keeps something: to
// two files, one of which does not change its size, and to the state.
type program string

func (p program) Execute(_ context.Context, r host.Request) (*host.Result, error) {
	if found, err := whole(r.Workspace, r.State); err != nil {
		return nil, fmt.Errorf("found %q: %w", found, err)
	}
	for _, name := range []string{"a", "sub/b"} {
		name = filepath.Join(r.Workspace, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, []byte(p), 0o600); err != nil {
			return nil, err
		}
	}
	return &host.Result{Success: true, Status: host.StatusOK, State: []byte(p)}, nil
}

var errMixed = errors.New("of different turns")

// whole is the number that a turn holds; an error if it holds several.
func whole(dir string, state []byte) (string, error) {
	a, errA := os.ReadFile(filepath.Join(dir, "a"))
	b, errB := os.ReadFile(filepath.Join(dir, "sub", "b"))
	if len(state) == 0 && errors.Is(errA, os.ErrNotExist) && errors.Is(errB, os.ErrNotExist) {
		return "", nil
	}
	if string(a) != string(state) || string(b) != string(state) {
		return "", fmt.Errorf("mixed: state %q, files %q and %q, %w", state, a, b, errors.Join(errA, errB, errMixed))
	}
	return string(state), nil
}

// node is a machine that shares nothing with others but a bucket.
func node(t testing.TB, bucket *blob.Bucket, o Options) *Storage {
	t.Helper()
	o.Bucket, o.Cache = bucket, filepath.Join(t.TempDir(), "cache")
	return opened(t, o)
}

func store(s session.Storage) *session.Store { return session.New(session.Options{Storage: s}) }

// made makes a session that keeps state.
func made(t testing.TB, s *Storage, id string) session.Key {
	t.Helper()
	n, err := store(s).Create(t.Context(), session.Spec{ID: id, Language: "python", Persist: session.PersistState})
	if err != nil {
		t.Fatal(err)
	}
	return n.Key()
}

func run(t testing.TB, s *Storage, k session.Key, history int, number string) error {
	t.Helper()
	out, err := store(s).Run(t.Context(), program(number), k, session.Call{History: history})
	if err == nil && len(out.Warnings) > 0 {
		t.Errorf("%s: %v", number, out.Warnings)
	}
	return err
}

func mustRun(t testing.TB, s *Storage, k session.Key, history int, number string) {
	t.Helper()
	if err := run(t, s, k, history, number); err != nil {
		t.Fatalf("%s: %v", number, err)
	}
}

// content is what a session's next call would find, and how many there were.
func content(t testing.TB, s *Storage, k session.Key) (string, int) {
	t.Helper()
	n, err := store(s).Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	number, err := at(t, s, n, n.Turn)
	if err != nil {
		t.Fatal(err)
	}
	return number, n.Calls
}

// at is what a turn holds.
func at(t testing.TB, s *Storage, n *session.Session, turn int) (string, error) {
	t.Helper()
	turns, err := store(s).Turns(t.Context(), n.Key())
	if err != nil {
		return "", err
	}
	var state []byte
	for _, past := range turns {
		if past.Number == turn && past.State != "" {
			if state, err = s.Image(t.Context(), n.Key(), past.State); err != nil {
				return "", err
			}
		}
	}
	dir, err := s.Workspace(t.Context(), n.Key(), turn)
	if err != nil {
		return "", err
	}
	return whole(dir, state)
}

// then is a program that does something else before it ends.
func then(p program, do func()) session.Executor { return &hooked{p, do} }

type hooked struct {
	program program
	after   func()
}

func (h *hooked) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	result, err := h.program.Execute(ctx, r)
	h.after()
	return result, err
}

// barrier lets programs end only once all of them have run.
type barrier struct{ arrived sync.WaitGroup }

func newBarrier(n int) *barrier {
	var b barrier
	b.arrived.Add(n)
	return &b
}

// run is a call of a program. Its end counts as the program's, should it have
// failed before that.
func (b *barrier) run(n *Storage, k session.Key, p program, history int) error {
	arrive := sync.OnceFunc(b.arrived.Done)
	defer arrive()
	_, err := store(n).Run(context.Background(), then(p, func() {
		arrive()
		b.arrived.Wait()
	}), k, session.Call{History: history})
	return err
}
