package host_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/audit"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// auditor keeps records in memory, and fails if it is told to.
type auditor struct {
	mu   sync.Mutex
	kept []audit.Record
	err  error
}

func (a *auditor) Record(r audit.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept = append(a.kept, r)
	return a.err
}

// last returns the newest record of want.
func (a *auditor) last(t *testing.T, want int) audit.Record {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.kept) != want {
		t.Fatalf("%d records, want %d", len(a.kept), want)
	}
	return a.kept[want-1]
}

func hashOf(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// TestEveryCallIsRecorded makes calls of every ending and compares each record with
// what its caller was told.
func TestEveryCallIsRecorded(t *testing.T) {
	log := &auditor{}
	h := open(t, host.Options{Policy: policy(t, testPolicy), Audit: log})
	calls := 0
	for _, e := range endings() {
		before := time.Now()
		result, err := h.Execute(t.Context(), e.r)
		if err := e.check(result, err); err != nil {
			t.Fatal(err)
		}
		calls++
		got := log.last(t, calls)
		want := audit.Record{
			Event: audit.EventExecution, Status: string(e.status), ExitCode: result.ExitCode,
			Runtime: "python", Profile: result.Profile, CodeSHA256: hashOf(string(e.r.Code)), CodeBytes: len(e.r.Code),
			Fuel: result.FuelConsumed, MemoryBytes: result.MemoryBytes,
			StdoutTruncated: result.StdoutTruncated, StderrTruncated: result.StderrTruncated,
		}
		for _, f := range result.FilesCreated {
			want.FilesCreated.Paths = append(want.FilesCreated.Paths, f.Path)
		}
		want.FilesCreated.Count = len(result.FilesCreated)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(audit.Record{}, "Time", "DurationSeconds", "ModuleSHA256", "Limits")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.name, diff)
		}
		if got.Time.Before(before) || got.DurationSeconds < result.DurationSeconds {
			t.Errorf("%s: at %v, took %v s; the call began at %v and took %v s", e.name, got.Time, got.DurationSeconds, before, result.DurationSeconds)
		}
		if len(got.ModuleSHA256) != 64 || got.Limits == nil || got.Limits.Fuel != result.FuelBudget {
			t.Errorf("%s: module %q, limits %+v", e.name, got.ModuleSHA256, got.Limits)
		}
	}
}

func TestARecordHasTheLimitsAndGrantsInForce(t *testing.T) {
	log := &auditor{}
	h := open(t, host.Options{Policy: policy(t, testPolicy), Audit: log})
	work, data := t.TempDir(), t.TempDir()
	for _, name := range []string{"old", "gone"} {
		if err := os.WriteFile(filepath.Join(work, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := python("import os\nopen('new\\n', 'w')\nopen('old', 'w').write('x')\nos.remove('gone')\nprint('much too much')")
	quota := policies.Bytes(5000)
	r.Overrides.DiskQuota = &quota
	out := policies.Bytes(4)
	r.Overrides.Stdout = &out
	r.Caller, r.Filename, r.Workspace = "token:ci", "a\x1b[2J.py", work
	r.Mounts = []policies.Mount{{Host: data, Guest: "/data"}}
	r.Args, r.Env = []string{"secret-argument"}, map[string]string{"TOKEN": "secret-value"}
	execute(t, h, r)
	got := log.last(t, 1)
	want := audit.Record{
		Event: audit.EventExecution, Caller: "token:ci", Status: "ok", Runtime: "python", Profile: "strict",
		Filename: "a\x1b[2J.py", CodeSHA256: hashOf(string(r.Code)), CodeBytes: len(r.Code),
		Limits: &audit.Limits{
			Fuel: 500_000_000, MemoryBytes: 32 << 20, StdoutBytes: 4, StderrBytes: 100_000, TimeoutSeconds: 10,
			DiskQuotaBytes: 5000, DiskFiles: 1000, DiskFileSize: 5000, DiskDepth: 32, DiskOpenFiles: 64, OutputLimit: "truncate",
		},
		StdoutTruncated: true,
		FilesCreated:    audit.PathsOf([]string{"/app/new\n"}), FilesModified: audit.PathsOf([]string{"/app/old"}), FilesDeleted: audit.PathsOf([]string{"/app/gone"}),
		Workspace: work, Mounts: audit.Mounts{Count: 1, Mounts: []audit.Mount{{Host: data, Guest: "/data"}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(audit.Record{}, "Time", "DurationSeconds", "ModuleSHA256", "Fuel", "MemoryBytes")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := fmt.Sprintf("%+v", got); strings.Contains(text, "secret") {
		t.Errorf("a secret is in %s", text)
	}
}

// withBroken is a registry with Python and a runtime whose module is not there.
func withBroken(t *testing.T) *runtimes.Registry {
	t.Helper()
	builtin, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	broken, err := runtimes.Parse("runtime.toml", fmt.Appendf(nil,
		"name = \"broken\"\nversion = \"1\"\ndriver = \"cpython\"\n[source]\nfile = \"none.wasm\"\nsha256 = \"%064d\"\n", 1), fstest.MapFS{"guest.py": {}, "warm_up.py": {}})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := runtimes.NewRegistry(append(builtin.All(), broken)...)
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

func TestRefusalsAreRecordedWithTheirClass(t *testing.T) {
	log := &auditor{}
	h := open(t, host.Options{Policy: policy(t, testPolicy+"[server]\nmax_concurrent = 1\nqueue = 1\n"), Registry: withBroken(t), Audit: log})
	if err := h.Prepare(t.Context(), "python"); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	large := policies.Bytes(1 << 30)
	small := policies.Bytes(1 << 20)
	tests := []struct {
		class   string
		ctx     context.Context
		request host.Request
		limits  bool // they were known
	}{
		{"not_found", t.Context(), host.Request{Language: "cobol"}, false},
		{"not_found", t.Context(), host.Request{Language: "python", Profile: "none"}, false},
		{"denied", t.Context(), host.Request{Language: "python", Overrides: policies.Overrides{Memory: &large}}, false},
		{"invalid", t.Context(), host.Request{Language: "python", Args: []string{"\x00"}}, false},
		{"invalid", t.Context(), host.Request{Language: "python", Overrides: policies.Overrides{Memory: &small}}, true},
		{"canceled", ended, host.Request{Language: "python"}, true},
		{"invalid", t.Context(), host.Request{Language: "python", Mounts: []policies.Mount{{Host: filepath.Join(t.TempDir(), "gone"), Guest: "/d"}}}, true},
		{"internal", t.Context(), host.Request{Language: "broken"}, true},
	}
	for i, tt := range tests {
		result, err := h.Execute(tt.ctx, tt.request)
		if result != nil || err == nil {
			t.Fatalf("%s: got %+v, %v", tt.class, result, err)
		}
		got := log.last(t, i+1)
		if got.Status != audit.StatusRefused || got.ErrorClass != tt.class || got.Error != err.Error() || got.Limits != nil != tt.limits {
			t.Errorf("%s: got %+v for %v", tt.class, got, err)
		}
	}
	// A program that is too large is not hashed, and not run.
	_, err := h.Execute(t.Context(), host.Request{Language: "python", Code: make([]byte, host.MaxCode+1)})
	if got := log.last(t, len(tests)+1); !errors.Is(err, host.ErrInvalid) || got.ErrorClass != "invalid" || got.CodeSHA256 != "" || got.CodeBytes != host.MaxCode+1 {
		t.Errorf("a large program: %+v, %v", got, err)
	}

	first := hold(t, h, "")
	waits, give := context.WithCancel(t.Context())
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := h.Execute(waits, python("print(2)"))
			errs <- err
		}()
	}
	if err := <-errs; !errors.Is(err, host.ErrBusy) {
		t.Errorf("the third call: %v", err)
	}
	if got := log.last(t, len(tests)+2); got.ErrorClass != "busy" {
		t.Errorf("busy: %+v", got)
	}
	give()
	<-errs
	if got := log.last(t, len(tests)+3); got.ErrorClass != "canceled" {
		t.Errorf("gave up: %+v", got)
	}
	first.release()
	<-first.result
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	_, _ = h.Execute(t.Context(), python("print(3)"))
	if got := log.last(t, len(tests)+5); got.ErrorClass != "closed" {
		t.Errorf("closed: %+v", got)
	}
}

func TestWithoutItsRecordACallHasNoResult(t *testing.T) {
	lost := errors.New("no room")
	log := &auditor{err: lost}
	h := open(t, host.Options{Audit: log})
	if r, err := h.Execute(t.Context(), python("print(1)")); r != nil || !errors.Is(err, lost) {
		t.Errorf("got %+v, %v", r, err)
	}
	// A refusal stays what it was.
	if r, err := h.Execute(t.Context(), python("\x00"+strings.Repeat("#", host.MaxCode))); r != nil || !errors.Is(err, lost) || !errors.Is(err, host.ErrInvalid) {
		t.Errorf("got %+v, %v", r, err)
	}
	log.last(t, 2)
}

// TestARecordIsInTheFileBeforeItsResultIsKnown runs calls at once against a real
// log, and looks into the file as soon as each returns.
func TestARecordIsInTheFileBeforeItsResultIsKnown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit", "log")
	log, err := audit.Open(audit.Options{Path: path, Required: true, Wait: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, host.Options{Audit: log})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for round := range 5 {
				r := python("print('hi')")
				r.Caller = fmt.Sprint(worker, "/", round)
				if _, err := h.Execute(t.Context(), r); err != nil {
					t.Error(err)
				}
				data, err := os.ReadFile(path)
				name, _ := json.Marshal(r.Caller)
				if err != nil || !bytes.Contains(data, append([]byte(`"caller":`), name...)) {
					t.Errorf("%s is not in the file: %v", r.Caller, err)
				}
			}
		})
	}
	wg.Wait()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}
