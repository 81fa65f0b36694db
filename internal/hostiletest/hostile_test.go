// Package hostiletest runs the corpus of hostile guests through the command line. It is
// apart from the command's other tests because it takes as long as half of them.
package hostiletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/delivered"
	"github.com/sandboxd/sandboxd/internal/hostile"
	"github.com/sandboxd/sandboxd/runtimes"
)

// binary is sandboxd, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(delivered.Main(m, &binary)) }

// command is sandboxd in dir, with a data directory of its own and no policy of the user's.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SANDBOXD_CONFIG=", "SANDBOXD_DATA_DIR="+t.TempDir())
	return cmd
}

// cacheDir is where sandboxd keeps runtimes when nobody says where.
func cacheDir(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("SANDBOXD_CACHE_DIR"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "sandboxd")
}

// hostilePolicy is what the corpus runs under. Guests name limits of their own.
const hostilePolicy = `
[profiles.free]
extends     = "strict"
fuel        = 4_000_000_000
memory      = "64MiB"
timeout     = "60s"
overridable = ["fuel", "memory", "stdout", "stderr", "timeout", "disk.quota", "disk.files"]

[profiles.stop]
extends      = "free"
output_limit = "stop"
`

// TestHostilePrograms runs the corpus through the command line, each guest in a process
// of its own: with the result as JSON, exit codes as a shell sees them, and standard
// error for nobody but sandboxd.
func TestHostilePrograms(t *testing.T) {
	// Guests must find nothing to wait for, and sandboxd nothing to say of that.
	prepare := command(t, t.TempDir(), "runtimes", "prepare", "--no-optimize", "python", "javascript")
	if out, err := prepare.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	registry, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	names, err := hostile.Names("../../host/testdata/hostile", func(extension string) bool {
		_, ok := registry.ByExtension(extension)
		return ok
	})
	if err != nil || len(names) < 40 {
		t.Fatalf("found %d hostile guests (%v)", len(names), err)
	}
	config := filepath.Join(t.TempDir(), "sandbox.toml")
	if err := os.WriteFile(config, []byte(hostilePolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	t.Cleanup(func() { // when all have ended
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
	for i, name := range names {
		// A process for each takes a while: in short, every fourth.
		if testing.Short() && i%4 != 0 {
			continue
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			attackCommand(t, registry, name, config, temp)
		})
	}
}

func attackCommand(t *testing.T, registry *runtimes.Registry, name, config, temp string) {
	d, _ := registry.ByExtension(filepath.Ext(name))
	store, err := runtimes.OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	g, err := hostile.Read(name, store.Prefer(d).Version)
	if err != nil {
		t.Fatal(err)
	}
	y, err := hostile.NewYard(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	before, err := y.Sealed()
	if err != nil {
		t.Fatal(err)
	}
	// Guests know the name that they are run by.
	dir, program := t.TempDir(), "hostile"+filepath.Ext(name)
	if err := os.WriteFile(filepath.Join(dir, program), g.Code, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, dir, append(hostileArgs(g, y, config), program)...)
	cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	code := 0
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	var r host.Result
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("it printed %.1000q, exit code %d, stderr %.1000q: %v", stdout.String(), code, stderr.String(), err)
	}
	o := hostile.Outcome{
		Status: string(r.Status), ExitCode: r.ExitCode, Success: r.Success, Stdout: r.Stdout, Stderr: r.Stderr,
		Truncated:    r.StdoutTruncated || r.StderrTruncated,
		FuelConsumed: r.FuelConsumed, FuelBudget: r.FuelBudget, Told: stderr.String(),
	}
	for _, f := range r.FilesCreated {
		o.Created = append(o.Created, f.Path)
	}
	if r.Error != nil {
		o.Fault, o.Told = r.Error.Type, o.Told+fmt.Sprint(r.Error)
	}
	if err := g.Check(o); err != nil {
		t.Error(err)
	}
	if code != r.ExitCode {
		t.Errorf("the process ended with %d, the guest with %d", code, r.ExitCode)
	}
	if stderr.Len() > 0 {
		t.Errorf("on standard error: %.1000q", stderr.String())
	}
	if after, err := y.Sealed(); err != nil || !cmp.Equal(before, after) {
		t.Errorf("changed what it must not (%v, -before +after):\n%s", err, cmp.Diff(before, after))
	}
}

// hostileArgs is the command line for a guest, but for the program.
func hostileArgs(g *hostile.Guest, y *hostile.Yard, config string) []string {
	args := []string{"run", "--json", "--config", config, "--profile", g.Profile, "--workspace", y.Workspace}
	for _, m := range y.Mounts {
		mode := ":ro"
		if m.Writable {
			mode = ":rw"
		}
		args = append(args, "--mount", m.Host+":"+m.Guest+mode)
	}
	o := &g.Overrides
	for flag, value := range map[string]any{"fuel": o.Fuel, "files": o.DiskFiles} {
		if n, ok := value.(*uint64); ok && n != nil {
			args = append(args, "--"+flag, fmt.Sprint(*n))
		}
	}
	if o.Memory != nil {
		args = append(args, "--memory", fmt.Sprint(uint64(*o.Memory)))
	}
	if o.DiskQuota != nil {
		args = append(args, "--disk", fmt.Sprint(uint64(*o.DiskQuota)))
	}
	if o.Stdout != nil {
		args = append(args, "--stdout", fmt.Sprint(uint64(*o.Stdout)))
	}
	if o.Stderr != nil {
		args = append(args, "--stderr", fmt.Sprint(uint64(*o.Stderr)))
	}
	if o.Timeout != nil {
		args = append(args, "--timeout", o.Timeout.String())
	}
	return args
}
