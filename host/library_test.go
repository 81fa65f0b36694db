package host_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
)

// runLibrary runs the programs of testdata/library with some ending, under the profile
// that applies by default, and returns their texts.
func runLibrary(t *testing.T, h *host.Host, language, pattern string) string {
	t.Helper()
	programs, err := filepath.Glob("testdata/library/" + pattern)
	if err != nil || len(programs) == 0 {
		t.Fatal(programs, err)
	}
	var all strings.Builder
	for _, name := range programs {
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(code)
		t.Run(filepath.Base(name), func(t *testing.T) {
			r := execute(t, h, host.Request{Language: language, Code: code, Filename: filepath.Base(name)})
			if !r.Success {
				t.Errorf("%s: %+v\n%s", r.Status, r.Error, r.Stderr)
			}
		})
	}
	return all.String()
}

// Every function of the modules that come with JavaScript and not with Node is called
// by a program of testdata/library, and is in the documentation.
func TestTheJavaScriptLibraryDoesWhatItSays(t *testing.T) {
	h := open(t, host.Options{})
	all := runLibrary(t, h, "javascript", "*js")
	listing := `console.log(JSON.stringify(['sandbox-utils', 'csv-simple', 'json-utils', 'string-utils']
		.flatMap((name) => Object.keys(require(name)))))`
	r := execute(t, h, host.Request{Language: "javascript", Code: []byte(listing)})
	var names []string
	if err := json.Unmarshal([]byte(r.Stdout), &names); err != nil || len(names) < 33 {
		t.Fatalf("%q, %v\n%s", names, err, r.Stderr)
	}
	documentation, err := os.ReadFile("../docs/javascript-library.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(all) {
			t.Errorf("no program calls %s", name)
		}
		if !regexp.MustCompile("`" + name + `\b`).Match(documentation) {
			t.Errorf("docs/javascript-library.md lacks %s", name)
		}
	}
}

// Every function of the modules that come with Python is called by a program of
// testdata/library, and is in the documentation.
func TestThePythonLibraryDoesWhatItSays(t *testing.T) {
	h := open(t, host.Options{})
	all := runLibrary(t, h, "python", "*.py")
	listing := `
import inspect, json, sandbox_charts, sandbox_display, sandbox_utils
names = {}
for module in sandbox_utils, sandbox_charts, sandbox_display:
    for name in module.__all__:
        thing = getattr(module, name)
        assert thing.__doc__ and len(thing.__doc__) > 20, name
        if inspect.isfunction(thing):
            assert inspect.getsource(thing).startswith("def " + name)
            signature = inspect.signature(thing)
            bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
            names[name] = str(signature.replace(parameters=bare, return_annotation=signature.empty))
print(json.dumps(names))`
	r := execute(t, h, host.Request{Language: "python", Code: []byte(listing)})
	var functions map[string]string
	if err := json.Unmarshal([]byte(r.Stdout), &functions); err != nil {
		t.Fatalf("%v\n%s", err, r.Stderr)
	}
	if len(functions) < 37 {
		t.Errorf("there are %d functions: %v", len(functions), functions)
	}
	documentation, err := os.ReadFile("../docs/python-library.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, signature := range functions {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(all) {
			t.Errorf("no program calls %s", name)
		}
		if !strings.Contains(string(documentation), "`"+name+signature+"`") {
			t.Errorf("docs/python-library.md lacks `%s%s`", name, signature)
		}
	}
}

// Importing what is in the image costs next to nothing.
func TestTheLibraryIsInTheImage(t *testing.T) {
	h := open(t, host.Options{})
	fuel := func(code string) uint64 {
		return execute(t, h, host.Request{Language: "python", Code: []byte(code)}).FuelConsumed
	}
	plain, with := fuel("pass\n"), fuel("import sandbox_utils, sandbox_charts\n")
	if with > plain+200_000 {
		t.Errorf("the import took %d instructions", with-plain)
	}
}
