package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/runtimes"
)

// yard is a user with a project, and nothing else.
type yard struct {
	t       *testing.T
	project string
	data    string
}

func newYard(t *testing.T) *yard {
	t.Helper()
	y := &yard{t: t, project: t.TempDir(), data: t.TempDir()}
	t.Setenv("SANDBOXD_DATA_DIR", y.data)
	return y
}

func (y *yard) write(name string, content []byte) {
	y.t.Helper()
	path := filepath.Join(y.project, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		y.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		y.t.Fatal(err)
	}
}

// does runs sandboxd in the project, and fails the test unless it ends with code and
// says what is wanted, on either stream.
func (y *yard) does(code int, want string, args ...string) string {
	y.t.Helper()
	stdout, stderr, got := sandboxd(y.t, y.project, "", args...)
	if all := stdout + stderr; got != code || !strings.Contains(all, want) {
		y.t.Errorf("sandboxd %s: exit code %d, want %d and %q in:\n%s", strings.Join(args, " "), got, code, want, all)
	}
	return stdout
}

// returning is a plugin whose programs end with an exit code.
func returning(code int32) []byte {
	m := &wasm.Module{Memories: []wasm.Limits{{Min: 1}}}
	f := m.AddFunc(m.AddType(nil, []wasm.ValType{wasm.I32}), nil, new(wasm.Asm).I32Const(code).Op(wasm.OpEnd).Bytes())
	m.AddExport("execute", wasm.KindFunc, f)
	return m.Encode()
}

func folder(name string, module []byte, more string) []byte {
	return []byte("name = \"" + name + "\"\nversion = \"1\"\nextensions = [\"." + name + "\"]\ndriver = \"extism\"\n" + more +
		"[source]\nfile = \"m.wasm\"\nsha256 = \"" + runtimes.Digest(module) + "\"\n")
}

func TestAddingALanguage(t *testing.T) {
	y := newYard(t)
	y.write("seven.wasm", returning(7))
	y.does(0, "seven  2.1  added", "runtimes", "add", "seven.wasm", "--extension", ".sev", "--version", "2.1", "--alias", "sieben")
	y.write("p.sev", []byte("anything"))
	if err := os.Remove(filepath.Join(y.project, "seven.wasm")); err != nil {
		t.Fatal(err)
	}
	y.does(7, "", "run", "p.sev")
	y.does(7, "", "run", "--lang", "sieben", "-c", "x")
	y.does(0, "seven", "runtimes", "list")
	y.does(exitFailed, "there is one of that name already: remove it first", "runtimes", "add", filepath.Join(y.data, "runtimes", "seven"))

	// A folder, with limits of its own.
	nine := returning(9)
	y.write("nine/m.wasm", nine)
	y.write("nine/runtime.toml", folder("nine", nine, "[limits]\nfuel = 77_000\n"))
	y.does(0, `"may":[]`, "runtimes", "inspect", "./nine", "--json")
	y.does(0, "nine", "runtimes", "add", "./nine")
	var result struct {
		FuelBudget uint64 `json:"fuel_budget"`
	}
	if err := json.Unmarshal([]byte(y.does(9, "", "run", "--json", "--lang", "nine", "-c", "x")), &result); err != nil || result.FuelBudget != 77_000 {
		t.Errorf("%+v, %v", result, err)
	}
	y.does(exitFailed, "a folder's runtime.toml says what the flags would", "runtimes", "add", "./nine", "--name", "x")

	// What takes another's place is refused, and nothing stays of it.
	y.write("python.wasm", returning(1))
	y.does(exitFailed, `name "python" is claimed by both`, "runtimes", "add", "python.wasm")
	y.does(exitFailed, `extension ".py" is claimed by both`, "runtimes", "add", "python.wasm", "--name", "other", "--extension", ".py")
	y.does(exitFailed, `"Other" is not a name`, "runtimes", "add", "python.wasm", "--name", "Other")
	y.does(exitFailed, "no such file", "runtimes", "add", "missing.wasm")
	y.does(exitFailed, "is not a package at one exact version", "runtimes", "add", "npm:lang/x.wasm")
	y.write("nine/runtime.toml", []byte("name = 3\n"))
	y.does(exitFailed, "runtime.toml:1: name must be a string", "runtimes", "add", "./nine")

	y.does(0, "seven is removed", "runtimes", "remove", "seven")
	y.does(exitFailed, `"seven"`, "run", "--lang", "seven", "-c", "x")
	y.does(exitFailed, `"seven"`, "runtimes", "remove", "seven")
	y.does(exitFailed, `"../nine"`, "runtimes", "remove", "../nine")

	// One that is damaged is left out, and the others work.
	y.write("eight.wasm", returning(8))
	y.does(0, "added", "runtimes", "add", "eight.wasm")
	if err := os.WriteFile(filepath.Join(y.data, "runtimes", "eight", "runtime.toml"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	y.does(9, "left out: ", "run", "--lang", "nine", "-c", "x")
}

func TestInspectingAModule(t *testing.T) {
	y := newYard(t)
	m := &wasm.Module{Memories: []wasm.Limits{{Min: 1}}}
	none := m.AddType(nil, nil)
	m.Imports = []wasm.Import{
		{Module: "wasi_snapshot_preview1", Name: "path_open", Type: none},
		{Module: "extism:host/env", Name: "http_request", Type: none},
	}
	m.AddExport("execute", wasm.KindFunc, m.AddFunc(none, nil, new(wasm.Asm).Op(wasm.OpEnd).Bytes()))
	y.write("m.wasm", m.Encode())
	y.does(0, "open the files it is given; ask for the network, which is refused", "runtimes", "inspect", "m.wasm")
	y.does(0, `"driver":"extism"`, "runtimes", "inspect", "m.wasm", "--json")
	m.Imports[0].Module = "env"
	y.write("other.wasm", m.Encode())
	y.does(0, `problem`, "runtimes", "inspect", "other.wasm")
	y.does(exitFailed, "not a WebAssembly module", "runtimes", "inspect", filepath.Join(repository(t), "go.mod"))
}

// TestAProjectsRuntimes works in a folder that may come from anybody.
func TestAProjectsRuntimes(t *testing.T) {
	y := newYard(t)
	five := returning(5)
	y.write("runtimes.d/five/m.wasm", five)
	y.write("runtimes.d/five/runtime.toml", folder("five", five, "aliases = [\"fem\"]\n"))
	y.write("p.five", []byte("x"))
	y.write("tool", []byte("#!/usr/bin/env five\n"))
	y.does(5, "", "run", "--lang", "five", "p.five")
	y.does(exitFailed, `this project brings runtime "five" for such files, which is used when you name it: --lang five`, "run", "p.five")
	y.does(exitFailed, "neither its extension nor its first line tells", "run", "tool")
	y.does(exitFailed, `"fem"`, "run", "--lang", "fem", "p.five")
	y.does(exitFailed, "five belongs to this project: delete", "runtimes", "remove", "five")
	if stdout := y.does(0, "python", "runtimes", "prepare", "--no-optimize"); strings.Contains(stdout, "five") {
		t.Errorf("it was prepared without being named:\n%s", stdout)
	}

	// It fetches nothing, takes nobody's place, and does not keep others from working.
	y.write("runtimes.d/python/m.wasm", five)
	y.write("runtimes.d/python/runtime.toml", folder("python", five, ""))
	y.write("runtimes.d/net/runtime.toml", []byte("name = \"net\"\nversion = \"1\"\ndriver = \"command\"\n[source]\nhttps = \"https://registry.example/a.wasm\"\nsha256 = \""+runtimes.Digest(five)+"\"\n"))
	y.write("runtimes.d/built/runtime.toml", []byte("name = \"built\"\nversion = \"1\"\ndriver = \"extism\"\n[source]\ngo = \"plugin\"\n"))
	y.write("runtimes.d/snake/runtime.toml", []byte("name = \"snake\"\nversion = \"1\"\ndriver = \"cpython\"\n[source]\nfile = \"m.wasm\"\nsha256 = \""+runtimes.Digest(five)+"\"\n"))
	y.write("runtimes.d/wrong/runtime.toml", []byte("?"))
	if err := os.Symlink(y.data, filepath.Join(y.project, "runtimes.d", "link")); err == nil {
		y.does(5, "", "run", "--lang", "five", "p.five")
	}
	for _, want := range []string{
		`name "python" is claimed by both`, "load runtime net of this project: invalid runtime: a project's runtime must bring its module",
		"load runtime built of this project", `driver "cpython" is only for sandboxd's own runtimes`, "wrong/runtime.toml:1: not valid TOML",
	} {
		y.does(5, want, "run", "--lang", "five", "p.five")
	}
}

// TestAddingALanguageFromARegistry pushes a module as other tools do, and adds it.
func TestAddingALanguageFromARegistry(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	address := strings.TrimPrefix(server.URL, "http://") + "/team/six:1.0"
	staged := memory.New()
	layer, err := oras.PushBytes(t.Context(), staged, "application/wasm", returning(6))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := oras.PackManifest(t.Context(), staged, oras.PackManifestVersion1_1, "application/vnd.wasm.config.v0+json",
		oras.PackManifestOptions{Layers: []ocispec.Descriptor{layer}})
	if err != nil {
		t.Fatal(err)
	}
	if err := staged.Tag(t.Context(), manifest, "1.0"); err != nil {
		t.Fatal(err)
	}
	repo, err := remote.NewRepository(address)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	if _, err := oras.Copy(t.Context(), staged, "1.0", repo, "1.0", oras.DefaultCopyOptions); err != nil {
		t.Fatal(err)
	}

	y := newYard(t)
	y.does(0, "six", "runtimes", "add", "oci:"+address)
	y.does(6, "", "run", "--lang", "six", "-c", "x")
	y.does(exitFailed, "2.0: not found; check the address", "runtimes", "add", "oci:"+strings.Replace(address, "1.0", "2.0", 1), "--name", "other")

	// Once added, it is pinned: another cache gets the same module or none.
	other := filepath.Join(t.TempDir(), "cache")
	y.does(6, "", "--cache-dir", other, "run", "--lang", "six", "-c", "x")
	text := filepath.Join(y.data, "runtimes", "six", "runtime.toml")
	content, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(content), runtimes.Digest(returning(6)), runtimes.Digest(nil), 1)
	if err := os.WriteFile(text, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	y.does(exitFailed, "wrong SHA-256", "run", "--lang", "six", "-c", "x")
}
