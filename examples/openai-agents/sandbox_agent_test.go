package agents

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// sandboxStory is what the sandbox agents must print, in either language.
var sandboxStory = []string{
	"north,120", "pip: no such command", "Created report.py", "KeyError: 'area'", "Updated report.py",
	"north 165", "agent: The north sells most: 165. The program is report.py.",
	"the sandbox is gone", "north 165", "west 260", "agent: Now the west does: 260. It was the north.",
}

func TestPythonSandboxAgent(t *testing.T) {
	python := pythonOfTheExamples(t)
	script, err := filepath.Abs(filepath.Join("python", "sandbox_agent.py"))
	if err != nil {
		t.Fatal(err)
	}
	tell(t, sandboxStory, exec.CommandContext(t.Context(), python, script))
}

// TestPythonSandboxClient runs the client's own checks, which start a daemon.
func TestPythonSandboxClient(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), pythonOfTheExamples(t), "-W", "error::ResourceWarning", "-m", "unittest", "--verbose", "sandboxd_client_test")
	cmd.Dir = "python"
	tell(t, []string{"test_command_lines", "OK"}, cmd)
}

func pythonOfTheExamples(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIP: the daemon's socket is one of Unix")
	}
	t.Setenv("SANDBOXD_SOCKET", "") // they start their own daemon
	return interpreter(environment(t, "python", []string{"requirements.txt"}, func(ctx context.Context, dir string) []*exec.Cmd {
		return []*exec.Cmd{
			exec.CommandContext(ctx, "python3", "-m", "venv", dir),
			exec.CommandContext(ctx, interpreter(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", filepath.Join("python", "requirements.txt")),
		}
	}))
}

func TestTypeScriptSandboxAgent(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "node", "--import", "tsx", "sandbox-agent.ts")
	cmd.Dir = typeScriptOfTheExamples(t)
	tell(t, sandboxStory, cmd)
}

// TestTypeScriptSandboxClient runs the client's own checks, which start a daemon.
func TestTypeScriptSandboxClient(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "node", "--import", "tsx", "--test", "--test-reporter", "tap", "sandboxd-client.test.ts")
	cmd.Dir = typeScriptOfTheExamples(t)
	tell(t, []string{"# pass 7", "# fail 0"}, cmd)
}

// typeScriptOfTheExamples returns a directory with the programs beside their packages,
// which must not be in the repository.
func typeScriptOfTheExamples(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIP: the daemon's socket is one of Unix")
	}
	t.Setenv("SANDBOXD_SOCKET", "")
	root := environment(t, "typescript", []string{"package.json", "package-lock.json"}, func(ctx context.Context, dir string) []*exec.Cmd {
		for _, name := range []string{"package.json", "package-lock.json"} {
			copyFile(t, filepath.Join("typescript", name), filepath.Join(dir, name))
		}
		return []*exec.Cmd{exec.CommandContext(ctx, "npm", "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")}
	})
	work := t.TempDir()
	for _, pattern := range []string{"typescript/*.ts", "typescript/package.json", "scripts/*.json", "guest/*.py", "sales.csv"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, name := range files {
			copyFile(t, name, filepath.Join(work, name))
		}
	}
	if err := os.Symlink(filepath.Join(root, "node_modules"), filepath.Join(work, "typescript", "node_modules")); err != nil {
		t.Skip("SKIP: no symbolic links: ", err)
	}
	return filepath.Join(work, "typescript")
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
