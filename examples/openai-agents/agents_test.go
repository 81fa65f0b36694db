// Package agents runs the examples as people do who have no key: the real SDKs, the
// real protocol and the real sandbox, with a model that follows a script.
package agents

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// programs are the binaries under test: sandboxd and the model.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sandboxd-agents-")
	if err != nil {
		panic(err)
	}
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator),
		"github.com/sandboxd/sandboxd/cmd/sandboxd", "github.com/sandboxd/sandboxd/examples/openai-agents/model")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	programs = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// story is what an example must print, in this order, in either language.
type story struct {
	name string
	want []string
}

var codeMode = story{"code-mode", []string{
	"Edsger: a person must approve 250 for order 104", "refunded 65", "ok:", "of 200,000,000 fuel",
	"tools.list_orders: 2 ok", "tools.get_customer: 6 ok", "tools.refund: 2 ok, 1 failed",
	"agent: I refunded 65. For Edsger I could not: a person must approve 250 for order 104.",
	"Promise.all", "Ada, Edsger, Grace", "tools.list_orders: 2 ok", "tools.get_customer: 3 ok", "agent: These wait: Ada, Edsger, Grace.",
	"AttributeError", "no tool 'refund'; there are list_orders, get_customer",
	"this program has no tool \"refund\"", "tools.refund: 1 unknown", "agent: I cannot refund",
	"refunded orders: 101, 105\n",
}}

var stories = []story{
	{"basic", []string{
		"25 1060", "ok:", "42.40", "ok:",
		"out_of_fuel: 100,000,000 of 100,000,000 fuel", "out_of_memory:", "output cut",
		"agent: There are 25 primes below 100; their sum is 1060 and their mean 42.40.",
	}},
	{"stateful", []string{
		"SyntaxError", "not closed in line 1", "agent: I left a bracket open in line 1; now 4 temperatures are kept.",
		"ModuleNotFoundError", "20.75", "Write to: /app", "agent: The file says: mean 20.75.",
		"out_of_fuel: 20,000,000 of 20,000,000 fuel", "of 40,000,000 fuel",
		"agent: The sum is 21333253333400000", "4 mean 20.75",
	}},
	{"shell-utils", []string{
		"['web.log']", "GET /a 500", "north 15", "south 7", "agent: Two requests failed. Sales: north 15, south 7.",
	}},
	{"external-files", []string{
		"4 305", "Read-only file system", "agent: 4 rows add up to 305; /app/total.txt says 305.", "sales.csv is unchanged: true",
	}},
	codeMode,
}

// TestPins compares what the programs in Python import with what is pinned for them.
func TestPins(t *testing.T) {
	var pinned [2][]string
	for i, name := range []string{"requirements.in", "requirements.txt"} {
		text, err := os.ReadFile(filepath.Join("python", name))
		if err != nil {
			t.Fatal(err)
		}
		pinned[i] = regexp.MustCompile(`(?m)^[\w-]+==[\w.]+`).FindAllString(string(text), -1)
	}
	if len(pinned[0]) == 0 {
		t.Fatal("requirements.in has no pins")
	}
	for _, pin := range pinned[0] {
		if !slices.Contains(pinned[1], pin) {
			t.Errorf("requirements.txt has no %s: requirements.in says how to make it", pin)
		}
	}
}

func TestPython(t *testing.T) {
	root := environment(t, "python", []string{"requirements.txt"}, func(ctx context.Context, dir string) []*exec.Cmd {
		return []*exec.Cmd{
			exec.CommandContext(ctx, "python3", "-m", "venv", dir),
			exec.CommandContext(ctx, interpreter(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", filepath.Join("python", "requirements.txt")),
		}
	})
	tellAll(t, func(t *testing.T, name string) *exec.Cmd {
		script, err := filepath.Abs(filepath.Join("python", strings.ReplaceAll(name, "-", "_")+".py"))
		if err != nil {
			t.Fatal(err)
		}
		return exec.CommandContext(t.Context(), interpreter(root), script)
	})
}

func TestTypeScript(t *testing.T) {
	root := environment(t, "typescript", []string{"package.json", "package-lock.json"}, func(ctx context.Context, dir string) []*exec.Cmd {
		for _, name := range []string{"package.json", "package-lock.json"} {
			data, err := os.ReadFile(filepath.Join("typescript", name))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return []*exec.Cmd{exec.CommandContext(ctx, "npm", "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")}
	})
	// Node.js looks for packages beside the program, which must not be in the
	// repository: the programs go where the packages are.
	work := t.TempDir()
	here := filepath.Join(work, "examples", "openai-agents")
	for _, glob := range []string{"*/*.[jt]s*", "sales.csv", "orders.json", "../../plugins/rpc/proto/sandboxd/v1/*.proto"} {
		files, err := filepath.Glob(glob)
		if err != nil || files == nil {
			t.Fatalf("%s: %d files, error %v", glob, len(files), err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err == nil {
				err = os.MkdirAll(filepath.Join(here, filepath.Dir(name)), 0o700)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(here, name), data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	modules := filepath.Join(here, "typescript", "node_modules")
	if err := os.Symlink(filepath.Join(root, "node_modules"), modules); err != nil {
		t.Skip("SKIP: no symbolic links: ", err)
	}
	tellAll(t, func(t *testing.T, name string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "node", "--import", "tsx", name+".ts")
		cmd.Dir = filepath.Join(here, "typescript")
		return cmd
	})
}

// tellAll tells all stories of a language.
func tellAll(t *testing.T, command func(t *testing.T, name string) *exec.Cmd) {
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			if story.name == codeMode.name {
				needsSockets(t)
			}
			tell(t, story.want, command(t, story.name))
		})
	}
	t.Run("code-mode of a daemon that runs", func(t *testing.T) {
		needsSockets(t)
		// Nothing that it could start itself is to be had.
		tell(t, codeMode.want, command(t, codeMode.name), "SANDBOXD_SOCKET="+serve(t), "SANDBOXD=none")
	})
}

func needsSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIP: gRPC for Node.js has no Unix sockets there")
	}
}

// serve starts a daemon and returns its socket once it is ready.
func serve(t *testing.T) string {
	dir, err := os.MkdirTemp("", "sbx") //nolint:usetesting // a test's own directory has too long a path for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "sandboxd.sock")
	cmd := exec.Command(filepath.Join(programs, "sandboxd"), "serve", "--data-dir", dir, "--socket", socket, "--runtime", "python", "--runtime", "javascript")
	cmd.Env = append(os.Environ(), "SANDBOXD_CONFIG=")
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(log)
	var told strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&told, lines.Text())
		if strings.Contains(lines.Text(), "msg=ready") {
			return socket
		}
	}
	t.Fatalf("the daemon ended before it was ready:\n%s", &told)
	return ""
}

// tell runs an example, with more of an environment, and looks for what it must print,
// in order.
func tell(t *testing.T, want []string, cmd *exec.Cmd, env ...string) {
	t.Helper()
	cmd.Env = append(os.Environ(), "OPENAI_API_KEY=", "SANDBOXD="+filepath.Join(programs, "sandboxd"),
		"SCRIPTED_MODEL="+filepath.Join(programs, "model"), "SANDBOXD_CONFIG=", "SANDBOXD_DATA_DIR="+t.TempDir(), "SANDBOXD_SOCKET=", "NO_COLOR=1")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := string(out)
	for _, text := range want {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Fatalf("%q does not come, or not in this order:\n%s", text, out)
		}
		rest = after
	}
}

// installTime is how long packages may take to come: a registry that does not answer is
// no failure of an example's.
const installTime = 3 * time.Minute

// failed says why the packages of a language cannot be had, so that no other test waits
// for them.
var failed = map[string]string{}

// environment returns a directory with the packages of a language, which install makes
// once for all runs: under another name first, so that nobody sees half of it. A
// machine that cannot make it skips the test and says why.
func environment(t *testing.T, language string, locks []string, install func(ctx context.Context, dir string) []*exec.Cmd) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the examples are programs of their own, of which -short and the race detector see nothing")
	}
	sum := sha256.New()
	for _, name := range locks {
		data, err := os.ReadFile(filepath.Join(language, name))
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(data)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("SKIP: no cache directory: ", err)
	}
	parent := filepath.Join(cache, "sandboxd", "examples-openai-agents")
	dir := filepath.Join(parent, language+"-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if reason := failed[language]; reason != "" {
		t.Skip(reason)
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	making, err := os.MkdirTemp(parent, "making-") //nolint:usetesting // it is renamed, which one file system must hold
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(making)
	ctx, cancel := context.WithTimeout(t.Context(), installTime)
	defer cancel()
	for _, cmd := range install(ctx, making) {
		t.Logf("once, which may take a minute: %s", cmd)
		cmd.WaitDelay = time.Second // what it has started may outlive it
		if out, err := cmd.CombinedOutput(); err != nil {
			if bytes.Contains(bytes.ToLower(out), []byte("hashes")) {
				t.Fatalf("%s: not what is pinned: %v\n%s", cmd, err, out)
			}
			failed[language] = fmt.Sprintf("SKIP: %s: %v\n%s", cmd, err, out)
			t.Skip(failed[language])
		}
	}
	if err := os.Rename(making, dir); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	return dir
}

// interpreter is the Python of a virtual environment.
func interpreter(dir string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(dir, "Scripts", "python.exe")
	}
	return filepath.Join(dir, "bin", "python")
}
