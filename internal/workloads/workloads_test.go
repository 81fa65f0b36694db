package workloads_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/internal/workloads"
)

func all() []workloads.Workload {
	return append([]workloads.Workload{workloads.Hello()}, workloads.Python()...)
}

func TestNativePythonPrintsEachChecksum(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on PATH")
	}
	for _, w := range all() {
		t.Run(w.Name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), python, "-I", "-c", w.Code).Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Check(string(out)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryProgramFileIsAWorkload(t *testing.T) {
	listed := map[string]bool{}
	for _, w := range all() {
		if listed[w.Name] {
			t.Errorf("%s is listed twice", w.Name)
		}
		listed[w.Name] = true
		if w.About == "" {
			t.Errorf("%s does not say what it measures", w.Name)
		}
	}
	files, err := fs.Glob(os.DirFS("programs"), "*.py")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(listed) {
		t.Errorf("%d files, %d workloads", len(files), len(listed))
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".py"); !listed[name] {
			t.Errorf("%s is no workload", file)
		}
	}
}

func TestCheckRefusesAnotherLine(t *testing.T) {
	w := workloads.Hello()
	tests := []struct {
		name, stdout string
		ok           bool
	}{
		{"the exact line", "hi\n", true},
		{"a line with a carriage return", "hi\r\n", true},
		{"nothing", "", false},
		{"no newline", "hi", false},
		{"one line more", "hi\nhi\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := w.Check(tt.stdout); (err == nil) != tt.ok {
				t.Errorf("Check(%q) = %v", tt.stdout, err)
			}
		})
	}
}
