package daemontest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// TestAClientInPython generates and runs the client of examples/grpc-python. Its
// libraries are installed once, into the user's cache.
func TestAClientInPython(t *testing.T) {
	if testing.Short() {
		t.Skip("libraries of Python are installed without -short")
	}
	example, err := filepath.Abs("../../examples/grpc-python")
	if err != nil {
		t.Fatal(err)
	}
	python := virtualEnvironment(t, filepath.Join(example, "requirements.txt"))
	generated := t.TempDir()
	cmd := exec.Command(python, "-m", "grpc_tools.protoc", "-I", "../../plugins/rpc/proto",
		"--python_out="+generated, "--grpc_python_out="+generated, "sandboxd/v1/sandboxd.proto")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("generate the client: %v\n%s", err, out)
	}
	const secret = "a secret of Python"
	dir := newDir(t, fmt.Sprintf("[[server.tokens]]\nname = \"py\"\nhash = \"%x\"\nprofiles = [\"strict\"]\n", sha256.Sum256([]byte(secret))))
	d := start(t, dir, "--tcp", "127.0.0.1:0", "--insecure")
	want := "sandboxd " + runtime.GOOS + "/" + runtime.GOARCH + "\n0\n1\n2\nstatus ok fuel True\ntotal 60\nstatus out_of_fuel\nerror NOT_FOUND\n"
	for name, env := range map[string][]string{
		"socket": {"SANDBOXD_SOCKET=" + d.socket},
		"TCP":    {"SANDBOXD_ADDRESS=" + d.address(), "SANDBOXD_TOKEN=" + secret},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), python, filepath.Join(example, "client.py"))
			cmd.Env = append(append(os.Environ(), "PYTHONPATH="+generated, "PYTHONDONTWRITEBYTECODE=1"), env...)
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != want {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	d.end()
}

// virtualEnvironment is a Python with the libraries of a file, made if it is not there.
func virtualEnvironment(t *testing.T, requirements string) (python string) {
	t.Helper()
	own, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	text, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	venv := filepath.Join(cache, "sandboxd-tests", fmt.Sprintf("grpc-python-%x", sha256.Sum256(text))[:28])
	python = filepath.Join(venv, "bin", "python")
	if exec.Command(python, "-c", "import grpc_tools").Run() == nil {
		return python
	}
	// An index that is slow is no better than none.
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	for _, args := range [][]string{
		{own, "-m", "venv", "--clear", venv},
		{python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "-r", requirements},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.WaitDelay = time.Second
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("the libraries cannot be had: %v\n%s", err, out)
		}
	}
	return python
}
