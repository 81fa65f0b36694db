package policies

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	docsPage    = filepath.Join("..", "docs", "profiles.md")
	projectFile = filepath.Join("..", "sandbox.toml")

	// block is a TOML example and, when it is wrong on purpose, its messages.
	block = regexp.MustCompile("(?s)```toml\n(.*?)```\n(?:```text\n(.*?)```\n)?")
)

func readDocs(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestExamplesOfTheDocumentation(t *testing.T) {
	page := readDocs(t)
	dir := t.TempDir()
	t.Chdir(dir)
	for _, sub := range []string{"data", "results"} {
		if err := os.Mkdir(sub, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	blocks := block.FindAllStringSubmatch(page, -1)
	if len(blocks) != strings.Count(page, "```toml") || len(blocks) < 5 {
		t.Fatalf("found %d blocks", len(blocks))
	}
	for _, b := range blocks {
		name, _, _ := strings.Cut(strings.TrimSpace(b[1]), "\n")
		t.Run(name, func(t *testing.T) {
			got := ""
			if _, err := Parse("sandbox.toml", []byte(b[1])); err != nil {
				got = err.Error() + "\n"
			}
			if diff := cmp.Diff(b[2], got); diff != "" {
				t.Errorf("messages (-documented +got):\n%s", diff)
			}
		})
	}
}

func TestTablesOfTheDocumentation(t *testing.T) {
	page := readDocs(t)
	p := Builtin()
	values := map[string]map[string]string{}
	for _, name := range p.Names() {
		settings, err := p.Explain(name)
		if err != nil {
			t.Fatal(err)
		}
		values[name] = map[string]string{}
		for _, s := range settings {
			values[name][s.Key] = s.Value
		}
	}
	kinds := map[string]string{"fuel": "whole number", "timeout": "duration", "disk.files": "whole number", "disk.depth": "whole number", "disk.open_files": "whole number", "tools.calls": "whole number", "tools.timeout": "duration"}
	for _, l := range limits {
		kind := kinds[l.key]
		if kind == "" {
			kind = "size"
		}
		for _, row := range []string{
			fmt.Sprintf("| `%s` | %s | %s | %s |\n", l.key, kind, l.format(l.min), l.format(l.max)),
			fmt.Sprintf("| `%s` | %s | %s | %s |\n", l.key, values["strict"][l.key], values["default"][l.key], values["relaxed"][l.key]),
			fmt.Sprintf("\n- `%s`", strings.Replace(l.key, "stderr", "stdout`, `stderr", 1)),
		} {
			if !strings.Contains(page, row) {
				t.Errorf("%s lacks %q", docsPage, row)
			}
		}
	}
	for key := range (&parser{}).profileFields(&declared{}) {
		if !strings.Contains(page, "`"+key) {
			t.Errorf("%s does not mention %q", docsPage, key)
		}
	}
	network := builtinNetwork()
	for _, l := range networkLimits {
		kind := "size"
		switch l.key {
		case "network.requests":
			kind = "whole number"
		case "network.timeout":
			kind = "duration"
		}
		key := strings.TrimPrefix(l.key, "network.")
		if row := fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", key, kind, l.format(l.min), l.format(l.max), l.format(l.get(&network))); !strings.Contains(page, row) {
			t.Errorf("%s lacks %q", docsPage, row)
		}
	}
	for _, row := range []string{
		fmt.Sprintf("| `max_concurrent` | whole number | 1 | %d |", MaxConcurrentLimit),
		fmt.Sprintf("| `queue` | whole number | 1 | %d |", MaxQueueLimit),
		fmt.Sprintf("| `max_size` | size | %v | %v |", MinAuditSize, MaxAuditSize),
		fmt.Sprintf("| `keep` | whole number | 1 | %d |", MaxAuditKeep),
		fmt.Sprintf("| `max_external_file_size` | size | 1B | %v |", MaxExternalFileSize),
		fmt.Sprintf("| `concurrent` | whole number | 1 | %d |", MaxConcurrentLimit),
		fmt.Sprintf("| `rate` | number | 0.001 | %d |", MaxTokenRate),
		fmt.Sprintf("| `external_files` | list of paths | 0 | %d |", MaxExternalFiles),
		"| `harden` | true or false |",
		fmt.Sprintf("| `prune.age` | duration | %v | %v | |", MinPruneTime, MaxPruneTime),
		fmt.Sprintf("| `prune.idle` | duration | %v | %v | |", MinPruneTime, MaxPruneTime),
		fmt.Sprintf("| `prune.count` | whole number | 1 | %d | |", MaxPruneCount),
		fmt.Sprintf("| `prune.bytes` | size | 1B | %v | |", MaxPruneBytes),
		fmt.Sprintf("| `prune.every` | duration | %v | %v | %v |", MinPruneTime, MaxPruneTime, DefaultPruneEvery),
	} {
		if !strings.Contains(page, row) {
			t.Errorf("%s lacks %q", docsPage, row)
		}
	}
}

func TestProjectFileEqualsTheBuiltInProfiles(t *testing.T) {
	p, err := Load(projectFile)
	if err != nil {
		t.Fatal(err)
	}
	if p.Default() != DefaultProfile {
		t.Errorf("the default profile is %q", p.Default())
	}
	for _, name := range Builtin().Names() {
		want, err := Builtin().Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-built in +file):\n%s", name, diff)
		}
	}
	sales, err := p.Profile("sales")
	if err != nil {
		t.Fatal(err)
	}
	if len(sales.Mounts) != 1 || sales.Mounts[0].Guest != "/data" || sales.Mounts[0].Writable {
		t.Fatalf("mounts of sales: %v", sales.Mounts)
	}
	if _, err := os.Stat(filepath.Join(sales.Mounts[0].Host, "sales.csv")); err != nil {
		t.Error(err)
	}
}
