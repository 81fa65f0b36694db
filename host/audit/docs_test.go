package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheDocumentationNamesEveryField holds docs/audit.md against what is written.
func TestTheDocumentationNamesEveryField(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "audit.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(page, []byte("```json\n"))
	example, table, ok := bytes.Cut(after, []byte("```\n"))
	if !ok {
		t.Fatal("no example")
	}
	shown := fieldNames(t, example)
	for _, name := range fieldNames(t, encoded(t, full("x"))) {
		top, _, nested := strings.Cut(name, ".")
		if !nested && !bytes.Contains(table, []byte("`"+top+"`")) {
			t.Errorf("the table lacks %q", top)
		}
		optional := slices.Contains([]string{"error_class", "error", "lost"}, top) || strings.HasPrefix(name, "mounts.mounts.") || strings.HasPrefix(name, "requests.requests.") || strings.HasPrefix(name, "tools.calls.")
		if optional == slices.Contains(shown, name) {
			t.Errorf("the example: %q is there: %t", name, !optional)
		}
	}
}

func TestTheDocumentationHasTheDefaults(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "profiles.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		fmt.Sprintf("| `max_size` | size | %dMiB | 1TiB | %dMiB |\n", MinMaxSize>>20, DefaultMaxSize>>20),
		fmt.Sprintf("| `keep` | whole number | 1 | 1000 | %d |\n", DefaultKeep),
	} {
		if !bytes.Contains(page, []byte(row)) {
			t.Errorf("it lacks %q", row)
		}
	}
}
