package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// engine is an Executor that tells what it was asked for, or waits until it is
// canceled.
type engine struct {
	last    host.Request
	files   []string // in the workspace
	started chan struct{}
}

func (e *engine) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	e.last, e.files = r, nil
	if r.Workspace != "" {
		entries, err := os.ReadDir(r.Workspace)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			e.files = append(e.files, entry.Name())
		}
	}
	if e.started != nil {
		close(e.started)
		<-ctx.Done()
		return &host.Result{Status: host.StatusCanceled, SessionID: r.Session}, nil
	}
	return &host.Result{Status: host.StatusOK, Success: true, SessionID: r.Session}, nil
}

func open(t *testing.T) (*service.Service, *engine) {
	t.Helper()
	disk, err := session.OpenDisk(filepath.Join(t.TempDir(), "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{}
	s, err := service.New(service.Options{
		Engine: e, Policy: policies.Builtin(), Registry: registry,
		Sessions: session.New(session.Options{Storage: disk}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

var (
	ada   = service.Caller{Name: "ada", Owner: "ada"}
	grace = service.Caller{Name: "grace", Owner: "grace", Profiles: []string{"relaxed", "strict"}}
)

func TestNobodyReachesWhatBelongsToOthers(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	if _, err := s.CreateSession(ctx, ada, session.Spec{ID: "mine", Language: "py", Owner: "grace"}); err != nil {
		t.Fatal(err)
	}
	attempts := map[string]func() error{
		"show":    func() error { _, err := s.Session(ctx, grace, "mine"); return err },
		"turns":   func() error { _, err := s.Turns(ctx, grace, "mine"); return err },
		"fork":    func() error { _, err := s.Fork(ctx, grace, "mine", -1, "stolen"); return err },
		"roll":    func() error { _, err := s.Rollback(ctx, grace, "mine", 1); return err },
		"reset":   func() error { _, err := s.Reset(ctx, grace, "mine", false); return err },
		"destroy": func() error { return s.Destroy(ctx, grace, "mine") },
		"read":    func() error { _, err := s.Files(ctx, grace, "mine"); return err },
		"write": func() error {
			return s.Edit(ctx, grace, "mine", func(*workspace.Workspace) error { return nil })
		},
		"run": func() error {
			_, err := s.Execute(ctx, grace, service.Execution{Session: "mine", Request: host.Request{Language: "python"}})
			return err
		},
	}
	for name, attempt := range attempts {
		if err := attempt(); service.KindOf(err) != service.NotFound {
			t.Errorf("%s: got %v, want that there is no such session", name, err)
		}
	}
	if list, err := s.Sessions(ctx, grace); err != nil || len(list) != 0 {
		t.Errorf("grace sees %v, %v", list, err)
	}
}

func TestARequestDecidesNothingThatIsTheServices(t *testing.T) {
	s, e := open(t)
	_, err := s.Execute(t.Context(), grace, service.Execution{Request: host.Request{
		Language: "python", Caller: "root", Workspace: "/etc", Session: "other", State: []byte("x"), KeepState: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r := e.last; r.Caller != "grace" || r.Workspace != "" || r.Session != "" || r.State != nil || r.KeepState || r.Profile != "relaxed" {
		t.Errorf("the engine was asked for %+v", r)
	}
}

func TestACallerHasItsOwnProfiles(t *testing.T) {
	s, _ := open(t)
	run := func(c service.Caller, profile string) error {
		_, err := s.Execute(t.Context(), c, service.Execution{Request: host.Request{Language: "python", Profile: profile}})
		return err
	}
	if err := run(grace, "default"); service.KindOf(err) != service.Denied || !strings.Contains(err.Error(), `["relaxed" "strict"]`) {
		t.Errorf("got %v", err)
	}
	if err := run(service.Caller{Profiles: []string{}}, ""); service.KindOf(err) != service.Denied {
		t.Errorf("a caller without profiles: %v", err)
	}
	if err := run(ada, "nonesuch"); service.KindOf(err) != service.NotFound {
		t.Errorf("got %v", err)
	}
	list, err := s.Profiles(grace)
	if err != nil || len(list) != 2 || list[0].Name != "relaxed" {
		t.Errorf("got %v, %v", list, err)
	}
	if all, err := s.Profiles(ada); err != nil || len(all) < 3 || all[0].Name != policies.DefaultProfile {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestFilesComeBeforeTheProgram(t *testing.T) {
	s, e := open(t)
	ctx := t.Context()
	files := map[string][]byte{"a.csv": []byte("1"), "b.csv": []byte("2")}
	for name, run := range map[string]service.Execution{
		"alone":        {Files: files, Request: host.Request{Language: "python"}},
		"in a session": {Files: files, Session: "s", Create: true, Request: host.Request{Language: "python"}},
	} {
		out, err := s.Execute(ctx, ada, run)
		if err != nil || out.Result.SessionID != run.Session {
			t.Fatalf("%s: %+v, %v", name, out, err)
		}
		if strings.Join(e.files, " ") != "a.csv b.csv" {
			t.Errorf("%s: the program found %q", name, e.files)
		}
	}
	list, err := s.Sessions(ctx, ada)
	if err != nil || len(list) != 1 || list[0].ID != "s" {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

func TestCancelReachesOnlyOnesOwn(t *testing.T) {
	s, e := open(t)
	e.started = make(chan struct{})
	type reply struct {
		out *session.Outcome
		err error
	}
	replies := make(chan reply)
	go func() {
		out, err := s.Execute(t.Context(), ada, service.Execution{ID: "1", Request: host.Request{Language: "python"}})
		replies <- reply{out, err}
	}()
	<-e.started
	if err := s.Cancel(grace, "1"); !errors.Is(err, service.ErrNotFound) {
		t.Errorf("another caller: %v", err)
	}
	if _, err := s.Execute(t.Context(), ada, service.Execution{ID: "1", Request: host.Request{Language: "python"}}); service.KindOf(err) != service.Invalid {
		t.Errorf("a second execution of that id: %v", err)
	}
	if err := s.Cancel(ada, "1"); err != nil {
		t.Error(err)
	}
	if r := <-replies; r.err != nil || r.out.Result.Status != host.StatusCanceled {
		t.Errorf("got %+v", r)
	}
	if err := s.Cancel(ada, "1"); service.KindOf(err) != service.NotFound {
		t.Errorf("when it is over: %v", err)
	}
}
