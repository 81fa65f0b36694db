package agents

import (
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
	return interpreter(environment(t, "python", []string{"requirements.txt"}, func(dir string) []*exec.Cmd {
		return []*exec.Cmd{
			exec.Command("python3", "-m", "venv", dir),
			exec.Command(interpreter(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join("python", "requirements.txt")),
		}
	}))
}
