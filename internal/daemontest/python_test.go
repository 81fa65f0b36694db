package daemontest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
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

// TestWhatAClientInPythonInstalls compares what the example asks for with what is pinned:
// each library by its version and by hashes, from whatever index the user has.
func TestWhatAClientInPythonInstalls(t *testing.T) {
	var texts []string
	for _, name := range []string{"requirements.in", "requirements.txt"} {
		text, err := os.ReadFile(filepath.Join("../../examples/grpc-python", name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	asked := regexp.MustCompile(`(?m)^[\w-]+==[\w.]+$`).FindAllString(texts[0], -1)
	pinned := regexp.MustCompile(`(?m)^([\w-]+==[\w.]+).*((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$`).FindAllStringSubmatch(texts[1], -1)
	var names []string
	for _, pin := range pinned {
		names = append(names, pin[1])
	}
	if lines := regexp.MustCompile(`(?m)^\w`).FindAllString(texts[1], -1); len(lines) != len(names) || strings.Contains(texts[1], "://") {
		t.Errorf("requirements.txt has %d libraries, and %d with hashes: %q; or it names an index", len(lines), len(names), names)
	}
	for _, name := range asked {
		if !slices.Contains(names, name) {
			t.Errorf("requirements.txt has no %s: requirements.in says how to make it", name)
		}
	}
	if len(asked) == 0 {
		t.Error("requirements.in asks for nothing")
	}
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
		{python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--require-hashes", "-r", requirements},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.WaitDelay = time.Second
		if out, err := cmd.CombinedOutput(); err != nil {
			if bytes.Contains(bytes.ToLower(out), []byte("hashes")) {
				t.Fatalf("the libraries are not those of %s: %v\n%s", requirements, err, out)
			}
			t.Skipf("the libraries cannot be had: %v\n%s", err, out)
		}
	}
	return python
}
