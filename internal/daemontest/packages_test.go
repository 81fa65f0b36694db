package daemontest

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sandboxd/sandboxd/runtimes"
	"github.com/sandboxd/sandboxd/runtimes/packages"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// install writes down a package of one module, as "packages add" does before it makes the
// package ready.
func install(t *testing.T, dir string) {
	t.Helper()
	var wheel bytes.Buffer
	z := zip.NewWriter(&wheel)
	w, err := z.Create("light.py")
	if err == nil {
		_, err = w.Write([]byte("version = 1\n"))
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	p := packages.Package{
		Name: "light", Version: "1.0", Summary: "For a test", Imports: []string{"light"},
		File: "light-1.0-py3-none-any.whl", SHA256: runtimes.Digest(wheel.Bytes()),
	}
	lock, err := (&packages.Lock{Packages: []packages.Package{p}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	installed := filepath.Join(dir, "data", "packages", "python")
	if err := os.MkdirAll(filepath.Join(installed, "wheels"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(installed, "wheels", p.SHA256+".whl"), wheel.String())
	write(t, filepath.Join(installed, "installed.toml"), string(lock))
}

func TestAHardenedDaemonTakesPackagesOverThatWereMadeReady(t *testing.T) {
	dir := newDir(t, "")
	d := start(t, dir)
	if !strings.Contains(d.log.String(), "hardened=true") {
		t.Skip("this machine hardens nothing")
	}
	install(t, dir)
	reloads := 0
	reload := func(want bool) {
		t.Helper()
		reloads++
		d.signal(syscall.SIGHUP)
		d.wait("it reloads", func() bool { return strings.Count(d.log.String(), "msg=reloaded") == reloads })
		got, err := d.run(t.Context(), &pb.ExecuteRequest{Code: "import light\nprint(light.version)"})
		if found := err == nil && got == "1\n"; found != want {
			t.Errorf("after reload %d: %q, %v", reloads, got, err)
		}
	}
	reload(false)
	d.logged("packages stay as they were")
	prepare := exec.Command(binary, "runtimes", "prepare", "--no-optimize", "python")
	prepare.Dir, prepare.Env = dir, environment(dir)
	if out, err := prepare.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	reload(true)
	d.end()
}
