package runtimes

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// madeBy is a runtime that the script builds.
func madeBy(script string) *Definition {
	return &Definition{Name: "python", Version: "3.12.0", Files: fstest.MapFS{
		"plugin/build.sh":  {Data: []byte(script)},
		"plugin/plugin.c":  {Data: []byte("int main;")},
		"plugin/README.md": {Data: []byte("not part of the recipe")},
	}}
}

const goodRecipe = `set -e
[ -f "$(dirname "$0")/plugin.c" ]
mkdir -p "$1" "$2"
echo "stage: first"
echo "a remark"
echo "stage: second"
printf '\0asm\1\0\0\0' > "$1/python.wasm"
echo library > "$1/library.zip"
echo '{"runtime":"python","version":"3.13.5","contract":1,"inputs":{"cc":"1"}}' > "$1/manifest.json"
touch "$2/kept"
`

func TestBuildFromSource(t *testing.T) {
	s, err := OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	d, work := madeBy(goodRecipe), t.TempDir()
	var stages, remarks []string
	b, err := s.Build(t.Context(), d, work, func(e Event) {
		if e.Warning != "" {
			remarks = append(remarks, e.Warning)
		} else {
			stages = append(stages, e.Stage)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"first", "second", StageDone}; !slices.Equal(stages, want) || !slices.Equal(remarks, []string{"a remark"}) {
		t.Errorf("stages %q, remarks %q", stages, remarks)
	}
	recipe, err := Recipe(d)
	if err != nil || b.Recipe != recipe || s.Prefer(d).Source.Build != recipe {
		t.Errorf("recipe %s, %v; built by %s", recipe, err, b.Recipe)
	}
	if _, err := os.Stat(filepath.Join(work, "work", "kept")); err != nil {
		t.Errorf("the user's work directory was cleared: %v", err)
	}
	if other, err := Recipe(madeBy(goodRecipe + "#")); err != nil || other == recipe {
		t.Errorf("a changed recipe is called the same: %v", err)
	}
}

func TestBuildFailures(t *testing.T) {
	for _, tt := range []struct{ name, script, says string }{
		{"a machine that cannot", "echo 'cannot build here: no compiler' >&2; exit 3", "python: cannot build here: no compiler"},
		{"a compiler that fails", "echo out; echo 'error: line 7' >&2; exit 2", "exit status 2: error: line 7"},
		{"no module", "mkdir -p $1", "made no python.wasm"},
		{"a manifest of nothing", goodRecipe + "echo '{' > $1/manifest.json", "manifest.json"},
		{"another contract", goodRecipe + `sed -i 's/"contract":1/"contract":9/' $1/manifest.json`, "contract 9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := OpenStore(cacheDir(t))
			if err != nil {
				t.Fatal(err)
			}
			d := madeBy(tt.script)
			_, err = s.Build(t.Context(), d, "", nil)
			if err == nil || !strings.Contains(err.Error(), tt.says) || !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrInvalid) {
				t.Errorf("got %v; want %q", err, tt.says)
			}
			if s.Prefer(d) != d {
				t.Error("something was installed")
			}
		})
	}
	s, err := OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Build(t.Context(), &Definition{Name: "ruby", Files: fstest.MapFS{}}, "", nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("a runtime without a recipe: %v", err)
	}
}

// What a cancelled build has started must end with it.
func TestBuildEndsWhenCancelled(t *testing.T) {
	s, err := OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	script := "mkdir -p $2; (trap '' TERM; while :; do echo x >> $2/alive; sleep 0.05; done) & echo 'stage: forever'; wait"
	_, err = s.Build(ctx, madeBy(script), work, func(e Event) {
		if e.Stage == "forever" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(work, "work", "alive"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	// It was killed, and may be about to die; one that lives writes for ever.
	for range 20 {
		before := size()
		time.Sleep(300 * time.Millisecond)
		if size() == before {
			return
		}
	}
	t.Error("its child went on")
}
