package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/guestfs"
)

// TestMain lets tests run this binary again as a process that works on a session and
// is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SANDBOXD_TEST_SESSION_WORKER"); dir != "" {
		os.Exit(work(dir))
	}
	os.Exit(m.Run())
}

// executor is a program as a function: what it does to the files in dir, going on
// from a state, and the result it comes to.
type executor func(ctx context.Context, r host.Request) (*host.Result, error)

func (e executor) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	return e(ctx, r)
}

// keeps is a program that writes one file and leaves one state.
func keeps(name, content, state string) executor {
	return func(_ context.Context, r host.Request) (*host.Result, error) {
		if err := writes(r, name, content); err != nil {
			return nil, err
		}
		result := &host.Result{
			Success: true, Status: host.StatusOK, SessionID: r.Session,
			FilesCreated: []host.File{{Path: "/app/" + name, Size: int64(len(content))}},
		}
		if r.KeepState && state != "" {
			result.State = []byte(state)
		}
		return result, nil
	}
}

// writes writes a file as a guest does: in place, through the file system of guests.
func writes(r host.Request, name, content string) (err error) {
	root, err := os.OpenRoot(r.Workspace)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	var files guestfs.FS
	err = files.Bind(guestfs.Options{
		Mounts: []guestfs.Mount{{
			Guest: "/app", Writable: true, Shared: r.WorkspaceShared, Root: func() (*os.Root, error) { return root, nil },
		}},
		Limits: guestfs.Limits{MaxBytes: 1 << 30, MaxFiles: 1 << 20},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	file, errno := files.OpenFile("/app/"+name, sys.O_RDWR|sys.O_CREAT, 0)
	if errno != 0 {
		return errno
	}
	if _, errno := file.Pwrite([]byte(content), 0); errno != 0 {
		return errno
	}
	if errno := file.Truncate(int64(len(content))); errno != 0 {
		return errno
	}
	return nil
}

// fails is a program that the host gives no result for.
var errHost = errors.New("the host failed")

func openStore(t testing.TB) (*Store, *Disk) {
	t.Helper()
	d, err := OpenDisk(filepath.Join(t.TempDir(), "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Storage: d}), d
}

// created makes a session that keeps state.
func created(t testing.TB, s *Store, id string) Key {
	t.Helper()
	n, err := s.Create(t.Context(), Spec{ID: id, Language: "python", Persist: PersistState})
	if err != nil {
		t.Fatal(err)
	}
	return n.Key()
}

// ran runs a program and demands that it is committed.
func ran(t testing.TB, s *Store, k Key, history int, e Executor) *Outcome {
	t.Helper()
	out, err := s.Run(t.Context(), e, k, Call{History: history})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sees is a program that only tells what it found.
type sees struct {
	state string
	files map[string]string
}

func (v *sees) Execute(_ context.Context, r host.Request) (*host.Result, error) {
	v.state, v.files = string(r.State), filesOf(r.Workspace)
	return &host.Result{Success: true, Status: host.StatusOK}, nil
}

// filesOf are the regular files below a directory.
func filesOf(dir string) map[string]string {
	files := map[string]string{}
	_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			data, _ := os.ReadFile(path)
			name, _ := filepath.Rel(dir, path)
			files[name] = string(data)
		}
		return nil
	})
	return files
}

// content is what a session's next call would find.
func content(t testing.TB, s *Store, k Key) sees {
	t.Helper()
	n, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	turn, err := s.turn(t.Context(), k, n.Turn)
	if err != nil {
		t.Fatal(err)
	}
	var v sees
	if turn.State != "" {
		data, err := s.storage.Image(t.Context(), k, turn.State)
		if err != nil {
			t.Fatal(err)
		}
		v.state = string(data)
	}
	dir, err := s.storage.Workspace(t.Context(), k, n.Turn)
	if err != nil {
		t.Fatal(err)
	}
	v.files = filesOf(dir)
	return v
}

type (
	request = host.Request
	result  = host.Result
)
