package harden

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// Hardening is for good, so every test of it runs in a process of its own: this test's
// program once more, with a scene in its environment.
const sceneVariable = "SANDBOXD_TEST_HARDEN"

// scene is what a test prepared for the process that gives up its powers.
type scene struct {
	Options Options
	Soft    bool   // apply nothing: a control, to see that the attempts work otherwise
	Dir     string // a directory with "data", "shared", "outside" and "scratch"
	TCP     string // the address of a listener outside
	Socket  string // the abstract name of another
}

// play runs the named test in a process of its own, which must pass.
func play(t *testing.T, test string, s scene) {
	t.Helper()
	if out, err := run(t, test, s); err != nil || !bytes.Contains(out, []byte("--- PASS: "+test)) {
		t.Errorf("%v\n%s", err, out)
	}
}

// run runs the named test in a process of its own.
func run(t *testing.T, test string, s scene) ([]byte, error) {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+test+"$", "-test.v", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), sceneVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
	return cmd.CombinedOutput()
}

// played is the scene of a process that play started; a test that is not in one is
// skipped.
func played(t *testing.T) scene {
	t.Helper()
	text := os.Getenv(sceneVariable)
	if text == "" {
		t.Skip("runs in a process of its own only")
	}
	var s scene
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// apply hardens this process as s says. Every layer that is missing ends the test, but
// for Landlock and seccomp on kernels without them.
func (s scene) apply(t *testing.T) {
	t.Helper()
	if s.Soft {
		return
	}
	report, err := Apply(s.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", report)
}

// require skips the test where this machine lacks a layer.
func require(t *testing.T, layers ...string) {
	t.Helper()
	for _, missing := range Available().Missing() {
		for _, name := range layers {
			if missing.Name == name {
				t.Skipf("%s: %s", name, missing.Detail)
			}
		}
	}
}
