package runtimes

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goProgram is a folder with a runtime that is made of a Go program.
func goProgram(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files[fileName] = "name = \"made\"\nversion = \"1\"\ndriver = \"extism\"\n[source]\ngo = \"plugin\"\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	smallGo   = "package main\n\nfunc main() {}\n\n//go:wasmexport execute\nfunc execute() int32 { return 0 }\n"
	smallGoMo = "module made\n\ngo 1.25\n"
)

func loadGo(t *testing.T, dir string) *Definition {
	t.Helper()
	d, err := LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAGoProgramIsBuiltOnceAndAgainWhenItHasChanged(t *testing.T) {
	if testing.Short() {
		t.Skip("Go programs are built without -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	dir := goProgram(t, map[string]string{"plugin/main.go": smallGo, "plugin/go.mod": smallGoMo, "plugin/main_test.go": "not Go", "plugin/notes.txt": "x"})
	store, err := OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	d := loadGo(t, dir)
	if same := store.Prefer(d); same != d {
		t.Errorf("before it was built: %+v", same)
	}
	built := 0
	count := func(e Event) {
		if e.Stage == StageBuild {
			built++
		}
	}
	first, err := store.Resolve(t.Context(), d, count)
	if err != nil {
		t.Fatal(err)
	}
	module, err := store.Load(t.Context(), first, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadBuild(module)
	if err != nil || b.Runtime != "made" || !strings.HasPrefix(b.Inputs["go"], "go1.") {
		t.Errorf("got %+v, %v", b, err)
	}
	again, err := store.Resolve(t.Context(), loadGo(t, dir), count)
	if err != nil || again.Source != first.Source || built != 1 {
		t.Errorf("got %+v, %v after %d builds", again, err, built)
	}

	// Elsewhere, the same source makes the same bytes.
	other, err := OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	copied := goProgram(t, map[string]string{"plugin/main.go": smallGo, "plugin/go.mod": smallGoMo})
	elsewhere, err := other.Resolve(t.Context(), loadGo(t, copied), nil)
	if err != nil || elsewhere.Source != first.Source {
		t.Errorf("got %+v, %v; want %+v", elsewhere, err, first.Source)
	}

	if err := os.WriteFile(filepath.Join(dir, "plugin", "main.go"), []byte(smallGo+"\n// changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed, err := store.Resolve(t.Context(), loadGo(t, dir), count)
	if err != nil || changed.Source.Build == first.Source.Build || built != 2 {
		t.Errorf("got %+v, %v after %d builds", changed, err, built)
	}
}

func TestAGoProgramThatCannotBeBuiltSaysWhy(t *testing.T) {
	store, err := OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("no module file", func(t *testing.T) {
		_, err := store.Resolve(t.Context(), loadGo(t, goProgram(t, map[string]string{"plugin/main.go": smallGo})), nil)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `there is no go.mod in "plugin"`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		_, err := store.Resolve(t.Context(), loadGo(t, goProgram(t, map[string]string{})), nil)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "source.go") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a link to a file of the user's", func(t *testing.T) {
		dir := goProgram(t, map[string]string{"plugin/go.mod": smallGoMo, "secret": "key"})
		if err := os.Symlink("../secret", filepath.Join(dir, "plugin", "main.go")); err != nil {
			t.Skip(err)
		}
		if _, err := store.Resolve(t.Context(), loadGo(t, dir), nil); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "is a symbolic link") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no Go", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := store.Resolve(t.Context(), loadGo(t, goProgram(t, map[string]string{"plugin/main.go": smallGo, "plugin/go.mod": smallGoMo})), nil)
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "install Go, or export it where Go is and import it here (sandboxd runtimes import made.wasm)") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a mistake", func(t *testing.T) {
		if _, err := exec.LookPath("go"); err != nil {
			t.Skip(err)
		}
		_, err := store.Resolve(t.Context(), loadGo(t, goProgram(t, map[string]string{"plugin/main.go": "package main\n\nfunc main() { nope() }\n", "plugin/go.mod": smallGoMo})), nil)
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "main.go:3:15: undefined: nope") {
			t.Errorf("got %v", err)
		}
	})
	if left, _ := filepath.Glob(filepath.Join(store.Dir, "build-*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}
