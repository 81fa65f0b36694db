package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const corpus = "../../host/testdata/hostile"

// TestEveryGuestIsInTheTable reads all guests, whatever their language, and the table
// that says what they attack.
func TestEveryGuestIsInTheTable(t *testing.T) {
	names, err := Names(corpus, func(string) bool { return true })
	if err != nil || len(names) < 40 {
		t.Fatalf("%d guests, %v", len(names), err)
	}
	text, err := os.ReadFile(filepath.Join(corpus, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	table := string(text)
	there := map[string]bool{}
	for _, name := range names {
		if _, err := Read(name, "0.0"); err != nil {
			t.Error(err)
		}
		base := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		there[base] = true
		if !strings.Contains(table, "`"+base+"`") {
			t.Errorf("%s is not in the table", base)
		}
	}
	for _, m := range regexp.MustCompile("`([a-z]+_[a-z_]+)`").FindAllStringSubmatch(table, -1) {
		if !there[m[1]] {
			t.Errorf("the table names %s, which is no guest", m[1])
		}
	}
	for n := 1; n <= 26; n++ {
		if !strings.Contains(table, fmt.Sprintf("\n| F%d |", n)) {
			t.Errorf("F%d is not in the table", n)
		}
	}
}

func TestRead(t *testing.T) {
	tests := []struct{ name, text, err string }{
		{"a guest", "# Tries.\n#\n# status: ok\npass\n", ""},
		{"one of another language", "// Tries.\n//\n// status: ok\n// exit 0.1: 5\n;\n", ""},
		{"one that says nothing of its status", "# Tries.\n#\n# exit: 1\npass\n", "does not say which status"},
		{"an unknown fact", "# Tries.\n#\n# statsu: ok\npass\n", "unknown fact"},
		{"a fact without a value", "# Tries.\n#\n# status\npass\n", "not a fact"},
		{"a limit that is none", "# Tries.\n#\n# status: ok\n# memory: much\npass\n", "much"},
		{"comments alone", "# Tries.\n#\n# status: ok\n", "no program"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "guest.py")
			if err := os.WriteFile(name, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Read(name, "0.0.7")
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

// TestCheckNotices changes one thing at a time of an outcome that is as it must be.
func TestCheckNotices(t *testing.T) {
	g := &Guest{want: want{status: "error", exit: 1, stdout: "x", stderr: []string{"bad"}, fault: "E", created: []string{"/app/f"}}}
	right := Outcome{Status: "error", ExitCode: 1, Stdout: "x", Stderr: "so bad", Fault: "E", Created: []string{"/app/f"}, FuelConsumed: 5, FuelBudget: 9}
	if err := g.Check(right); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Outcome){
		"the status":                  func(o *Outcome) { o.Status = "internal" },
		"the exit code":               func(o *Outcome) { o.ExitCode = 2 },
		"a success":                   func(o *Outcome) { o.Success = true },
		"the output":                  func(o *Outcome) { o.Stdout = "xx" },
		"the error output":            func(o *Outcome) { o.Stderr = "" },
		"a secret in the output":      func(o *Outcome) { o.Stderr += Canary },
		"a secret in what is told":    func(o *Outcome) { o.Told = "see " + Canary },
		"the error":                   func(o *Outcome) { o.Fault = "F" },
		"the files":                   func(o *Outcome) { o.Created = nil },
		"output that was cut":         func(o *Outcome) { o.Truncated = true },
		"no fuel":                     func(o *Outcome) { o.FuelConsumed = 0 },
		"more fuel than the budget":   func(o *Outcome) { o.FuelConsumed = 10 },
		"no error where there is one": func(o *Outcome) { o.Fault = "" },
	} {
		o := right
		change(&o)
		if g.Check(o) == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

func TestTheYardNoticesChanges(t *testing.T) {
	for name, change := range map[string]func(y *Yard) error{
		"a file outside": func(y *Yard) error { return os.WriteFile(filepath.Join(y.dir, "outside", "new"), nil, 0o600) },
		"the canary": func(y *Yard) error {
			return os.WriteFile(filepath.Join(y.dir, "outside", "canary.txt"), []byte("x"), 0o600)
		},
		"a file in what is read-only": func(y *Yard) error { return os.Remove(filepath.Join(y.dir, "data", "table.csv")) },
		"a file beside":               func(y *Yard) error { return os.WriteFile(filepath.Join(y.dir, "new"), nil, 0o600) },
		"a mode":                      func(y *Yard) error { return os.Chmod(filepath.Join(y.dir, "data", "sub"), 0o777) },
	} {
		y, err := NewYard(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		before, err := y.Sealed()
		if err != nil {
			t.Fatal(err)
		}
		if err := change(y); err != nil {
			t.Fatal(err)
		}
		after, err := y.Sealed()
		if err != nil || fmt.Sprint(before) == fmt.Sprint(after) {
			t.Errorf("%s: not noticed (%v)", name, err)
		}
	}
}
