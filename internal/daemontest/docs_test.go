package daemontest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v2"

	"github.com/sandboxd/sandboxd/policies"
)

// block is a piece of a page that is fenced as "sh daemon".
var block = regexp.MustCompile("(?s)```sh daemon\n(.*?)```\n")

// TestExamplesOfTheDocumentation runs the commands of docs/http.md against a daemon.
func TestExamplesOfTheDocumentation(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("the documentation is written for a POSIX shell: ", err)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip(err)
	}
	page, err := os.ReadFile("../../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a secret of the documentation"
	dir := newDir(t, fmt.Sprintf("[[server.tokens]]\nname = \"docs\"\nhash = \"%x\"\nprofiles = [\"strict\"]\n", sha256.Sum256([]byte(secret))))
	d := start(t, dir, "--tcp", "127.0.0.1:0", "--insecure")
	blocks := block.FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 6 {
		t.Fatalf("found %d blocks", len(blocks))
	}
	for i, b := range blocks {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), shell, "-eu", "-c", b[1])
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "SANDBOXD_SOCKET="+d.socket, "SANDBOXD_ADDRESS="+d.address(), "SANDBOXD_TOKEN="+secret)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s\n%s", err, b[1], out)
			}
		})
	}
	d.end()
}

// TestPoliciesOfTheDocumentation reads the policies of docs/daemon.md.
func TestPoliciesOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/daemon.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```\n").FindAllSubmatch(page, -1)
	if len(blocks) == 0 {
		t.Fatal("there is none")
	}
	for _, b := range blocks {
		if _, err := policies.Parse("sandbox.toml", b[1]); err != nil {
			t.Error(err)
		}
	}
}

// TestDeployments reads the files of examples/deploy with parsers of their formats.
func TestDeployments(t *testing.T) {
	const dir = "../../examples/deploy"
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if _, err := policies.Load(filepath.Join(dir, "sandbox.toml")); err != nil {
		t.Error(err)
	}
	var kinds []string
	docs := yaml.NewDecoder(strings.NewReader(read("kubernetes.yaml")))
	docs.SetStrict(true)
	for {
		var doc struct {
			Kind string
			Data map[string]string
			Rest map[string]any `yaml:",inline"`
		}
		err := docs.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, doc.Kind)
		if policy, ok := doc.Data["sandbox.toml"]; ok {
			if _, err := policies.Parse("sandbox.toml", []byte(policy)); err != nil {
				t.Error(err)
			}
		}
	}
	if got := strings.Join(kinds, " "); got != "ConfigMap Deployment Service" {
		t.Errorf("kubernetes.yaml has %s", got)
	}
	t.Run("systemd", func(t *testing.T) {
		analyze, err := exec.LookPath("systemd-analyze")
		if err != nil {
			t.Skip(err)
		}
		units := t.TempDir() // with a program and a user that this machine has
		for _, name := range []string{"sandboxd.service", "sandboxd.socket"} {
			text := strings.ReplaceAll(read(name), "/usr/bin/sandboxd", binary)
			write(t, filepath.Join(units, name), strings.NewReplacer("User=sandboxd", "User=root", "Group=sandboxd", "Group=root").Replace(text))
		}
		out, err := exec.Command(analyze, "verify", "--man=no", filepath.Join(units, "sandboxd.service"), filepath.Join(units, "sandboxd.socket")).CombinedOutput()
		if err != nil || strings.Contains(string(out), units) {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("nomad", func(t *testing.T) {
		nomad, err := exec.LookPath("nomad")
		if err != nil {
			t.Skip(err)
		}
		if out, err := exec.Command(nomad, "fmt", "-check", filepath.Join(dir, "sandboxd.nomad.hcl")).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
