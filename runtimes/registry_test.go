package runtimes

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func testRegistry(t *testing.T) *Registry {
	t.Helper()
	r, err := NewRegistry(
		&Definition{Name: "ruby", Version: "3.4", Aliases: []string{"rb"}, Extensions: []string{".rb"}},
		&Definition{Name: "python", Version: "3.12", Aliases: []string{"py", "python3"}, Extensions: []string{".py", ".pyw"}},
		&Definition{Name: "javascript", Version: "2025", Aliases: []string{"js", "node"}, Extensions: []string{".js"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBuiltinHoldsPython(t *testing.T) {
	r, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.Lookup("python3")
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "python" || d.Version != "3.12.0" || d.Driver != DriverCPython {
		t.Errorf("got %s %s with driver %s", d.Name, d.Version, d.Driver)
	}
	if wrong := rulesBrokenBy(d); len(wrong) > 0 {
		t.Error(wrong)
	}
	if _, err := fs.Stat(d.Files, "runtime.toml"); err != nil {
		t.Errorf("Files is not the runtime's folder: %v", err)
	}
}

func TestLookup(t *testing.T) {
	r := testRegistry(t)
	for name, want := range map[string]string{
		"python": "python", "py": "python", "python3": "python", "js": "javascript", "rb": "ruby",
	} {
		if d, err := r.Lookup(name); err != nil || d.Name != want {
			t.Errorf("Lookup(%q): got %v, %v, want %s", name, d, err, want)
		}
	}
	const list = "; available: javascript, python, ruby"
	for name, want := range map[string]string{
		"pyhton": `look up runtime "pyhton": not found (did you mean "python"?)` + list,
		"Python": `look up runtime "Python": not found (did you mean "python"?)` + list,
		"perl":   `look up runtime "perl": not found` + list,
		"":       `look up runtime "": not found` + list,
		"a\nb":   `look up runtime "a\nb": not found` + list,
	} {
		if d, err := r.Lookup(name); err == nil || err.Error() != want || !errors.Is(err, ErrNotFound) {
			t.Errorf("Lookup(%q): got %v, %v\nwant %s", name, d, err, want)
		}
	}
	empty, err := NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := empty.Lookup("python"); err == nil || !strings.HasSuffix(err.Error(), "not found; none are registered") {
		t.Errorf("an empty registry: got %v", err)
	}
}

func TestByExtension(t *testing.T) {
	r := testRegistry(t)
	for ext, want := range map[string]string{
		".py": "python", ".PY": "python", ".pyw": "python", ".js": "javascript", "py": "", ".": "", "": "", ".pyc": "",
	} {
		d, ok := r.ByExtension(ext)
		if ok != (want != "") || ok && d.Name != want {
			t.Errorf("ByExtension(%q): got %v, %v, want %q", ext, d, ok, want)
		}
	}
}

func TestByShebang(t *testing.T) {
	r := testRegistry(t)
	tests := []struct{ name, line, want string }{
		{"a full path", "#!/usr/bin/python3\n", "python"},
		{"a path with a version", "#!/usr/bin/python3.12\n", "python"},
		{"a path with a long version", "#!/opt/python3.12.1\n", "python"},
		{"a path with options", "#!/usr/bin/python3.12 -I -u\nimport x", "python"},
		{"a space before the path", "#! /usr/bin/python", "python"},
		{"the end of a Windows line", "#!/usr/bin/env python3\r\nprint()", "python"},
		{"env", "#!/usr/bin/env python3", "python"},
		{"env with variables", "#!/usr/bin/env -i A=b C=d python3", "python"},
		{"env that splits", "#!/usr/bin/env -S python3 -I", "python"},
		{"env that splits, written together", "#!/usr/bin/env -Spython3 -I", "python"},
		{"an alias", "#!/usr/bin/env node", "javascript"},
		{"a bare name", "#!ruby", "ruby"},
		{"an unknown interpreter", "#!/bin/sh", ""},
		{"a name that only begins like one", "#!/usr/bin/pythonic", ""},
		{"env alone", "#!/usr/bin/env", ""},
		{"env with options alone", "#!/usr/bin/env -i -S", ""},
		{"nothing after the mark", "#!", ""},
		{"an empty line after the mark", "#!\npython3", ""},
		{"a folder", "#!/usr/bin/python/", ""},
		{"digits alone", "#!/usr/bin/3.12", ""},
		{"no mark", "/usr/bin/python3", ""},
		{"a mark that is not first", " #!/usr/bin/python3", ""},
		{"nothing", "", ""},
		{"a very long line", "#!" + strings.Repeat(" ", 1<<20) + "python", ""},
	}
	for _, tt := range tests {
		d, ok := r.ByShebang([]byte(tt.line))
		if ok != (tt.want != "") || ok && d.Name != tt.want {
			t.Errorf("%s: got %v, %v, want %q", tt.name, d, ok, tt.want)
		}
	}
}

func TestAllIsSortedAndTheCallersOwn(t *testing.T) {
	r := testRegistry(t)
	all := r.All()
	if got := strings.Join(namesOf(all), " "); got != "javascript python ruby" {
		t.Errorf("got %s", got)
	}
	all[0] = nil
	if r.All()[0] == nil {
		t.Error("a caller can change the registry")
	}
}

func TestNewRegistryRefusesClashes(t *testing.T) {
	_, err := NewRegistry(
		&Definition{Name: "python", Version: "3.12", Aliases: []string{"py"}, Extensions: []string{".py"}},
		&Definition{Name: "pypy", Version: "7", Aliases: []string{"py"}, Extensions: []string{".py"}},
	)
	want := `register runtimes: invalid runtime: name "py" is claimed by both pypy 7 and python 3.12; ` +
		`extension ".py" is claimed by both pypy 7 and python 3.12`
	if err == nil || err.Error() != want || !errors.Is(err, ErrInvalid) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"python", "py", "javascript", "js", "ruby"}
	for got, want := range map[string]string{
		"python": "python", "PYTHON": "python", "pyhton": "python", "pythn": "python", "pythonn": "python",
		"jvascrpt": "javascript", "rubi": "ruby", "jx": "", "go": "", "": "", "rust": "",
		strings.Repeat("python", 1000): "",
	} {
		if near := Nearest(got, words); near != want {
			t.Errorf("Nearest(%.20q): got %q, want %q", got, near, want)
		}
	}
}
