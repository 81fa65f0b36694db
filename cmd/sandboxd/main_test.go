package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sandboxd/sandboxd/host/harden"
)

// TestMain lets the scripts, the README's commands and the examples run this
// test binary as "sandboxd".
func TestMain(m *testing.M) {
	if os.Getenv(fakeRegistry) != "" && filepath.Base(os.Args[0]) == "npm" {
		if err := fakeNPM(os.Args[1:]); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testscript.Main(m, map[string]func(){"sandboxd": func() { os.Exit(realMain()) }})
}

// TestScripts runs the stories in testdata/script.
func TestScripts(t *testing.T) {
	prepare(t)
	cache := cacheDir(t)
	binary, err := exec.LookPath("sandboxd")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("SANDBOXD_UPDATE_GOLDEN") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SANDBOXD_CACHE_DIR", cache)
			env.Setenv("SANDBOXD_DATA_DIR", filepath.Join(env.WorkDir, ".data"))
			env.Setenv("SANDBOXD_BIN", filepath.Dir(binary))
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "hardened" { // this machine has all layers
				return len(harden.Available().Missing()) == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     cmdExits,
			"json":      cmdJSON,
			"samefield": cmdSameField,
			"damage":    cmdDamage,
			"terminal":  cmdTerminal,
			"age":       cmdAge,
		},
	})
}

// cacheDir is the one cache of a whole test run: SANDBOXD_CACHE_DIR, or the
// user's, so that a fresh machine fetches each runtime once.
func cacheDir(t *testing.T) string {
	t.Helper()
	dir, err := (&app{getenv: os.Getenv}).cache()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// prepared says whether the cache is filled.
var prepared struct {
	sync.Mutex
	yes bool
}

// prepare fills the cache, so that no test measures or prints a fetch, and scripts,
// whose environment is bare, need no client of a registry. The first test that needs it
// does it for all.
func prepare(t *testing.T) {
	t.Helper()
	prepared.Lock()
	defer prepared.Unlock()
	if prepared.yes {
		return
	}
	var both sync.WaitGroup // with an empty cache, one of them takes as long as the other
	for _, args := range [][]string{{"python"}, {"--no-optimize", "javascript", "ruby"}} {
		cmd := exec.CommandContext(t.Context(), "sandboxd", append([]string{"runtimes", "prepare"}, args...)...)
		cmd.Env = childEnv(t)
		cmd.Dir = t.TempDir()
		both.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("sandboxd runtimes prepare %s: %v\n%s", args, err, out)
			}
		})
	}
	both.Wait()
	if prepared.yes = !t.Failed(); !prepared.yes {
		t.FailNow()
	}
}

// childEnv is the environment for a sandboxd that a test starts: this process's,
// with the shared cache, without a policy of the user's, and with a data directory of
// its own unless the test has set one.
func childEnv(t *testing.T) []string {
	t.Helper()
	data := os.Getenv("SANDBOXD_DATA_DIR")
	if data == "" {
		data = t.TempDir()
	}
	return append(os.Environ(), "SANDBOXD_CACHE_DIR="+cacheDir(t), "SANDBOXD_CONFIG=", "SANDBOXD_DATA_DIR="+data)
}

// cmdExits runs a command and compares its exit code:
//
//	exits 124 sandboxd run --timeout 1s sleep.py
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdDamage changes every file below a directory:
//
//	damage data/packages
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage directory")
	}
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return os.WriteFile(path, []byte("damaged"), 0o600)
	}))
}

// cmdAge has a file or folder been modified some time ago:
//
//	age 720h cache/prepared/…
func cmdAge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: age duration file")
	}
	ago, err := time.ParseDuration(args[0])
	ts.Check(err)
	then := time.Now().Add(-ago)
	ts.Check(os.Chtimes(ts.MkAbs(args[1]), then, then))
}

// repository is the root of the repository.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
