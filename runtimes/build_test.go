package runtimes

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var testRecipe = strings.Repeat("ab", 32)

func testBuild() *Build {
	return &Build{
		Runtime: "python", Version: "3.13.5", Contract: BuildContract, Recipe: testRecipe,
		Inputs: map[string]string{"clang": "19"},
	}
}

func packed(t *testing.T, b *Build) []byte {
	t.Helper()
	module, err := b.Pack([]byte(wasmHeader), []byte("library"))
	if err != nil {
		t.Fatal(err)
	}
	return module
}

func TestBuildTravelsInsideItsModule(t *testing.T) {
	module := packed(t, testBuild())
	b, err := ReadBuild(module)
	if err != nil || b.Version != "3.13.5" || b.Inputs["clang"] != "19" {
		t.Fatalf("got %+v, %v", b, err)
	}
	library, err := Library(module)
	if err != nil || string(library) != "library" {
		t.Errorf("the library is %q, %v", library, err)
	}
}

func TestInstalledBuildIsPreferred(t *testing.T) {
	s, err := OpenStore(cacheDir(t))
	if err != nil {
		t.Fatal(err)
	}
	own := &Definition{Name: "python", Version: "3.12.0", Source: Source{NPM: "x@1.0.0", SHA256: testRecipe}}
	if s.Prefer(own) != own {
		t.Fatal("something is preferred before anything was installed")
	}
	module := packed(t, testBuild())
	if _, err := s.Install(module); err != nil {
		t.Fatal(err)
	}
	d := s.Prefer(own)
	if d.Version != "3.13.5" || d.Source.Build != testRecipe || d.Name != "python" {
		t.Fatalf("preferred is %+v", d)
	}
	if got, err := s.Load(t.Context(), d, nil); err != nil || !bytes.Equal(got, module) {
		t.Errorf("loaded %d bytes, %v", len(got), err)
	}
	if s.Prefer(&Definition{Name: "ruby"}).Source.Build != "" {
		t.Error("it is preferred for another language too")
	}

	t.Run("damaged", func(t *testing.T) {
		path, _ := s.Cached(d)
		if err := os.WriteFile(path, append(module[:len(module)-1], 'Y'), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := s.Load(t.Context(), d, nil)
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "sandboxd runtimes build python") {
			t.Errorf("a damaged one: %v", err)
		}
	})
	t.Run("gone", func(t *testing.T) {
		path, _ := s.Cached(d)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if s.Prefer(own) != own {
			t.Error("a build whose module is gone is preferred")
		}
	})
	if _, err := s.Install(module); err != nil {
		t.Fatal(err)
	}
	t.Run("nonsense", func(t *testing.T) {
		for _, text := range []string{"", "{", `{"version":"../x"}`, `{"version":"1","recipe":"x","sha256":"../../etc"}`} {
			if err := os.WriteFile(filepath.Join(s.Dir, "build-python.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if s.Prefer(own) != own {
				t.Errorf("%q is believed", text)
			}
		}
	})
	for range 2 {
		if err := s.Uninstall("python"); err != nil {
			t.Fatal(err)
		}
	}
	if s.Prefer(own) != own {
		t.Error("it is preferred after it was uninstalled")
	}
}

func TestReadBuildRefuses(t *testing.T) {
	good := packed(t, testBuild())
	change := func(f func(*Build)) []byte {
		b := testBuild()
		f(b)
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return appendSection([]byte(wasmHeader), buildSection, text)
	}
	for name, module := range map[string][]byte{
		"nothing":               nil,
		"text":                  []byte("hello"),
		"a module of others":    []byte(wasmHeader),
		"a section cut short":   good[:40],
		"a length beyond":       append([]byte(wasmHeader), 1, 0xff, 0xff, 0xff, 0x7f),
		"a length without end":  append([]byte(wasmHeader), 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"a manifest of nothing": appendSection([]byte(wasmHeader), buildSection, nil),
		"a name with a path":    change(func(b *Build) { b.Runtime = "../python" }),
		"another contract":      change(func(b *Build) { b.Contract++ }),
		"no recipe":             change(func(b *Build) { b.Recipe = "" }),
		"no version":            change(func(b *Build) { b.Version = "" }),
	} {
		t.Run(name, func(t *testing.T) {
			if b, err := ReadBuild(module); !errors.Is(err, ErrInvalid) {
				t.Errorf("got %+v, %v", b, err)
			}
			if library, err := Library(module); !errors.Is(err, ErrInvalid) {
				t.Errorf("its library is %q, %v", library, err)
			}
		})
	}
}

func FuzzReadBuild(f *testing.F) {
	f.Add([]byte(wasmHeader))
	f.Add(appendSection([]byte(wasmHeader), buildSection, []byte(`{"runtime":"python","version":"3","contract":1,"recipe":"`+testRecipe+`"}`)))
	f.Fuzz(func(t *testing.T, module []byte) {
		b, err := ReadBuild(module)
		if err != nil {
			return
		}
		again, err := b.Pack([]byte(wasmHeader), nil)
		if err != nil {
			t.Fatalf("read but not packed: %v", err)
		}
		if _, err := ReadBuild(again); err != nil {
			t.Errorf("packed but not read: %v", err)
		}
	})
}
