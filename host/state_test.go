package host_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
)

// session is calls that go on from each other.
type session struct {
	host    *host.Host
	request host.Request // of every call
	state   []byte
}

func newSession(tb testing.TB) *session {
	return &session{host: shared(tb), request: host.Request{Language: "python", Profile: "free", KeepState: true}}
}

// try runs a program in the session, which goes on from it if its state was kept.
func (s *session) try(tb testing.TB, code string) *host.Result {
	tb.Helper()
	r := s.request
	r.Code, r.State = []byte(code), s.state
	result := execute(tb, s.host, r)
	if (result.State == nil) != (result.StateError != "") && r.KeepState {
		tb.Fatalf("%d bytes of state, error %q", len(result.State), result.StateError)
	}
	if result.State != nil {
		s.state = result.State
	}
	return result
}

// turn runs a program that must succeed, and returns what it printed.
func (s *session) turn(tb testing.TB, code string) string {
	tb.Helper()
	r := s.try(tb, code)
	if r.Status != host.StatusOK || r.Stderr != "" || r.State == nil {
		tb.Fatalf("%s\n%s: %s%s", code, r.Status, r.Stderr, r.StateError)
	}
	return r.Stdout
}

// TestValuesSurviveACall runs the sessions of testdata/state/values.txt.
func TestValuesSurviveACall(t *testing.T) {
	valuesSurvive(t, "testdata/state/values.txt", 100, newSession, "")
}

// valuesSurvive runs the sessions of a file, of which there are least or more. Every one
// is some programs that are separated by "--" and must not fail, each after prelude.
func valuesSurvive(t *testing.T, file string, least int, open func(testing.TB) *session, prelude string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sessions := strings.Split("\n"+string(text), "\n== ")[1:]
	if len(sessions) < least {
		t.Fatalf("found %d sessions", len(sessions))
	}
	for _, text := range sessions {
		name, programs, _ := strings.Cut(text, "\n")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.request.Workspace = t.TempDir()
			for code := range strings.SplitSeq(programs, "\n--\n") {
				s.turn(t, prelude+code)
			}
		})
	}
}
