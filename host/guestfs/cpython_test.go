package guestfs

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// TestCPythonCannotLeave runs testdata/hostile.py in a real CPython, whose WASI
// module SANDBOXD_TEST_WASM names.
func TestCPythonCannotLeave(t *testing.T) {
	module := os.Getenv("SANDBOXD_TEST_WASM")
	if module == "" {
		t.Skip("SANDBOXD_TEST_WASM does not name a CPython built for WASI")
	}
	code, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join("testdata", "hostile.py"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, roomy)
	plant(w)

	ctx := t.Context()
	engine := wazero.NewRuntime(ctx)
	defer engine.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, engine)
	mounts := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(w.FS, "/")
	var out bytes.Buffer
	config := wazero.NewModuleConfig().WithFSConfig(mounts).WithStdout(&out).WithStderr(&out).
		WithArgs("python", "-c", string(script)).WithEnv("PWD", "/app").WithSysWalltime().WithSysNanotime()
	if _, err := engine.InstantiateWithConfig(ctx, code, config); err != nil {
		t.Logf("python ended with %v", err)
	}
	if got := out.String(); got != "PASS\n" {
		t.Errorf("python printed %q, want PASS", got)
	}
	w.checkCanary()
	if _, err := os.ReadFile(filepath.Join(w.data, "ok.txt")); err != nil {
		t.Error(err)
	}
	if got := w.Journal(); !slices.Contains(got.Created, "/app/fresh.py") || !slices.Contains(got.Deleted, "/app/link") {
		t.Errorf("journal %+v, want /app/fresh.py created and /app/link deleted", got)
	}
}

// plant puts links and pipes into the mounts, as a careless host might.
func plant(w *world) {
	w.write(filepath.Join(w.data, "ok.txt"), "fine\n")
	w.link("ok.txt", filepath.Join(w.data, "inner"))
	w.link("/proc", filepath.Join(w.data, "proc"))
	for _, dir := range []string{w.app, w.data} {
		w.link("../outside/canary", filepath.Join(dir, "link"))
		w.link(filepath.Join(w.outside, "canary"), filepath.Join(dir, "abs"))
		w.link("../outside", filepath.Join(dir, "linkdir"))
		w.link("loop", filepath.Join(dir, "loop"))
		mkfifo(w.t, filepath.Join(dir, "pipe"))
	}
	w.write(filepath.Join(w.app, "main.py"), "")
}
