package sdk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/sandboxd/sandboxd/internal/delivered"
	"github.com/sandboxd/sandboxd/sdk"
)

// executable is how programs' names end.
var executable = map[string]string{"windows": ".exe"}[runtime.GOOS]

// binary is the sandboxd that the tests load, built once.
var binary string

// loaderVariable names it for a process of a test's that loads the plugin and hangs.
const loaderVariable = "SANDBOXD_TEST_LOADER"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if binary = os.Getenv(loaderVariable); binary != "" {
		return m.Run() // a process of a test's, which has built it
	}
	return delivered.Main(m, &binary)
}

// launch starts a plugin that the test closes.
func launch(t testing.TB, policy string, options ...sdk.LaunchOption) *sdk.Client {
	t.Helper()
	config := filepath.Join(t.TempDir(), "sandbox.toml")
	if err := os.WriteFile(config, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	o := []sdk.LaunchOption{sdk.WithBinary(binary), sdk.WithConfig(config), sdk.WithDirectories("", t.TempDir())}
	client, err := sdk.Launch(t.Context(), append(o, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

const (
	plainPolicy = "default_profile = \"strict\"\n"
	// longPolicy lets a program compute for longer than any test takes.
	longPolicy = `
default_profile = "long"
[profiles.long]
extends = "relaxed"
fuel = 1_000_000_000_000
timeout = "1h"
`
)

func python(code string) sdk.Request { return sdk.Request{Language: "python", Code: code} }

func TestRunInAPlugin(t *testing.T) {
	c := launch(t, plainPolicy)
	r, err := c.Run(t.Context(), python("print(6 * 7)"))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Success || r.Stdout != "42\n" || r.Runtime != "python" || r.Profile != "strict" || r.FuelConsumed == 0 {
		t.Errorf("%+v", r)
	}
	r, err = c.Run(t.Context(), python("1/0"))
	if err != nil || r.Status != sdk.StatusError || r.Error == nil || r.Error.Type != "ZeroDivisionError" {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = c.Run(t.Context(), sdk.Request{Language: "cobol"})
	if !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Run(ctx, python("pass")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// checksum is the SHA-256 of the binary.
func checksum(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

func TestASession(t *testing.T) {
	ctx := t.Context()
	c := launch(t, plainPolicy+"[profiles.strict.sessions]\nhistory = 4\n")
	s, err := c.CreateSession(ctx, sdk.SessionSpec{ID: "one", Language: "python", KeepState: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateSession(ctx, sdk.SessionSpec{ID: "one", Language: "python"}); !errors.Is(err, sdk.ErrExists) {
		t.Errorf("created twice: %v", err)
	}
	for i, code := range []string{"x = 41", "x += 1\nopen('out.txt', 'w').write(str(x))"} {
		if r, err := s.Run(ctx, sdk.Request{Code: code}); err != nil || !r.Success || r.Turn != i+1 || r.SessionID != "one" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	fork, err := s.Fork(ctx, 1, "two")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := fork.Run(ctx, sdk.Request{Code: "print(x)"}); err != nil || r.Stdout != "41\n" {
		t.Errorf("%+v, %v", r, err)
	}
	turns, err := s.Turns(ctx)
	if err != nil || len(turns) != 3 || len(turns[2].FilesCreated) != 1 || !turns[2].State {
		t.Errorf("%+v, %v", turns, err)
	}
	if n, err := s.Rollback(ctx, 1); err != nil || n.Turn != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := s.Rollback(ctx, 9); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if n, err := s.Reset(ctx, false); err != nil || n.Turn != 2 {
		t.Errorf("%+v, %v", n, err)
	}
	var ids []string
	for n, err := range c.Sessions(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, n.ID)
	}
	if len(ids) != 2 {
		t.Errorf("%q", ids)
	}
	if n, err := fork.Info(ctx); err != nil || n.Parent != "one" || n.ParentTurn != 1 || !n.KeepState {
		t.Errorf("%+v, %v", n, err)
	}
	if err := s.Destroy(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(ctx, sdk.Request{Code: "pass"}); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestFiles(t *testing.T) {
	ctx := t.Context()
	c := launch(t, plainPolicy)
	s, err := c.CreateSession(ctx, sdk.SessionSpec{Language: "python"})
	if err != nil {
		t.Fatal(err)
	}
	f := s.Files()
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	entry, err := f.Write(ctx, "data/in.bin", sdk.WriteNew, bytes.NewReader(content))
	if err != nil || entry.Size != 1_000_000 || entry.Kind != sdk.KindFile || entry.SHA256 == "" {
		t.Fatalf("%+v, %v", entry, err)
	}
	if _, err := f.Write(ctx, "data/in.bin", sdk.WriteNew, bytes.NewReader(content)); !errors.Is(err, sdk.ErrExists) {
		t.Errorf("written twice: %v", err)
	}
	if _, err := f.Write(ctx, "big", sdk.WriteNew, io.LimitReader(zeros{}, 60<<20)); !errors.Is(err, sdk.ErrExhausted) {
		t.Errorf("more than the quota: %v", err)
	}
	if r, err := s.Run(ctx, sdk.Request{Code: "print(len(open('data/in.bin').read()))"}); err != nil || r.Stdout != "1000000\n" {
		t.Errorf("%+v, %v", r, err)
	}
	var part bytes.Buffer
	if e, err := f.Read(ctx, "data/in.bin", 999_995, sdk.ToEnd, &part); err != nil || part.String() != "56789" || e.Size != 1_000_000 {
		t.Errorf("%q, %+v, %v", part.String(), e, err)
	}
	part.Reset()
	if _, err := f.Read(ctx, "data/in.bin", 3, 4, &part); err != nil || part.String() != "3456" {
		t.Errorf("%q, %v", part.String(), err)
	}
	if err := f.Move(ctx, "data/in.bin", "out.bin"); err != nil {
		t.Error(err)
	}
	var archive bytes.Buffer
	sent, err := f.Download(ctx, &archive)
	if err != nil || sent.Bytes != 1_000_000 {
		t.Errorf("%+v, %v", sent, err)
	}
	for _, path := range []string{"data", "out.bin"} {
		if err := f.Delete(ctx, path, false); err != nil {
			t.Error(err)
		}
	}
	if got, err := f.Upload(ctx, sdk.WriteNew, &archive); err != nil || got != sent {
		t.Errorf("%+v, %v; want %+v", got, err, sent)
	}
	var names []string
	for e, err := range f.List(ctx, sdk.ListOptions{Hash: true}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Path)
	}
	if len(names) != 2 || names[1] != "out.bin" {
		t.Errorf("%q", names)
	}
	if _, err := f.Read(ctx, "../../etc/passwd", 0, sdk.ToEnd, io.Discard); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if _, err := f.Read(ctx, "nothing", 0, sdk.ToEnd, io.Discard); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestTheCatalog(t *testing.T) {
	c := launch(t, plainPolicy)
	runtimes, err := c.Runtimes(t.Context())
	if err != nil || len(runtimes) == 0 {
		t.Errorf("%+v, %v", runtimes, err)
	}
	profiles, err := c.Profiles(t.Context())
	if err != nil || len(profiles) == 0 || profiles[0].Name != "strict" || profiles[0].Fuel != 500_000_000 {
		t.Errorf("%+v, %v", profiles, err)
	}
	info, err := c.Info(t.Context())
	if err != nil || info.Version == "" || info.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%+v, %v", info, err)
	}
	if err := c.Cancel(t.Context(), "nothing"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Info(t.Context()); !errors.Is(err, sdk.ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestAnExecutionIsCanceledByItsID(t *testing.T) {
	c := launch(t, longPolicy)
	began := newFirstWrite()
	go func() {
		<-began.seen
		if err := c.Cancel(t.Context(), "it"); err != nil {
			t.Error(err)
		}
	}()
	r, err := c.Stream(t.Context(), sdk.Request{ID: "it", Language: "python", Code: "print(1, flush=True)\nwhile True: pass"}, began, nil)
	if err != nil || r.Status != sdk.StatusCanceled {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWhatAProgramShowsAndIsWorth(t *testing.T) {
	client := launch(t, "")
	r, err := client.Run(t.Context(), sdk.Request{
		Language: "python", WantValue: true, ProfileFuel: true,
		Code: "def hot():\n    return sum(range(20_000))\nopen('r.txt', 'w').close()\nartifact('r.txt', title='Report')\ndisplay([1])\nhot()\n6 * 7",
	})
	if err != nil || !r.Success {
		t.Fatalf("%+v, %v", r, err)
	}
	if r.Value["text/plain"] != "42" || len(r.Displays) != 1 || r.Displays[0]["application/json"] != "[1]" {
		t.Errorf("value %q, shown %q", r.Value, r.Displays)
	}
	if len(r.Artifacts) != 1 || r.Artifacts[0] != (sdk.Artifact{Path: "/app/r.txt", Title: "Report"}) {
		t.Errorf("artifacts: %v", r.Artifacts)
	}
	if p := r.FuelProfile; p == nil || len(p.Functions) == 0 || len(p.Pprof) == 0 {
		t.Errorf("profile: %+v", p)
	}
	if r.FuelAnalysis.RecommendedBudget < r.FuelBudget {
		t.Errorf("it recommends %d, and there are %d", r.FuelAnalysis.RecommendedBudget, r.FuelBudget)
	}
}
