package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/internal/workloads"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

func TestBenchLeavesOutWhatThisMachineCannotBuild(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{getenv: func(string) string { return "" }, stderr: &stderr, cacheDir: t.TempDir()}
	policy, err := policies.Parse("bench", []byte(benchPolicy))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	h, err := a.open(t.Context(), policy, registry, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	t.Setenv("PATH", t.TempDir())
	hellos := workloads.Hellos()
	got, err := a.prepared(t.Context(), h, registry, hellos[len(hellos)-1:])
	if len(got) != 0 || err != nil {
		t.Errorf("prepared %v, %v", got, err)
	}
	if want := "bench: starlark is left out: "; !strings.HasPrefix(stderr.String(), want) || !strings.Contains(stderr.String(), "go was not found on PATH") {
		t.Errorf("said %q, want %q and why", stderr.String(), want)
	}
	if _, err := a.prepared(t.Context(), h, registry, hellos[:1]); err == nil {
		t.Error("a runtime that cannot be fetched is left out as well")
	}
}
