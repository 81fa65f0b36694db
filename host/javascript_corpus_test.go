package host_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/runtimes"
)

const javaScriptFolder = "../runtimes/javascript"

// needJavaScript skips a test where no runtime takes JavaScript.
func needJavaScript(tb testing.TB) {
	tb.Helper()
	registry, err := runtimes.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	if _, known := registry.ByExtension(".js"); !known {
		tb.Skip("no runtime for .js")
	}
}

// TestJavaScriptProgramsBehaveAsInNode runs every program of
// runtimes/javascript/testdata/programs and compares what it prints with what
// Node printed. The comments at a program's top say what it needs, as
// runtimes/javascript/test/run.mjs explains.
func TestJavaScriptProgramsBehaveAsInNode(t *testing.T) {
	needJavaScript(t)
	h := shared(t)
	var files []string
	for _, pattern := range []string{"*.js", "*.mjs"} {
		found, err := filepath.Glob(filepath.Join(javaScriptFolder, "testdata/programs", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 60 {
		t.Fatalf("found %d programs", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, filepath.Ext(file)) + ".want")
			if err != nil {
				t.Fatal(err)
			}
			r := host.Request{Language: "javascript", Filename: filepath.Base(file), Code: code, Profile: "free"}
			exits := javaScriptNeeds(t, string(code), &r)
			got := execute(t, h, r)
			if diff := cmp.Diff(string(want), got.Stdout); diff != "" {
				t.Errorf("standard output (-Node +here):\n%s\nstderr: %s", diff, got.Stderr)
			}
			if got.ExitCode != exits {
				t.Errorf("exit code %d, want %d\nstderr: %s", got.ExitCode, exits, got.Stderr)
			}
		})
	}
}

// javaScriptNeeds sets what the comments of a program ask for and returns the
// exit code it is to end with.
func javaScriptNeeds(t *testing.T, code string, r *host.Request) int {
	t.Helper()
	line := func(key string) (string, bool) {
		m := regexp.MustCompile(`(?m)^// ` + key + `: (.*)$`).FindStringSubmatch(code)
		if m == nil {
			return "", false
		}
		return m[1], true
	}
	if args, ok := line("args"); ok {
		r.Args = strings.Split(args, " ")
	}
	if env, ok := line("env"); ok {
		r.Env = map[string]string{}
		for pair := range strings.SplitSeq(env, " ") {
			name, value, _ := strings.Cut(pair, "=")
			r.Env[name] = value
		}
	}
	if quoted, ok := line("stdin"); ok {
		var stdin string
		if err := json.Unmarshal([]byte(quoted), &stdin); err != nil {
			t.Fatal(err)
		}
		r.Stdin = strings.NewReader(stdin)
	}
	exits, ok := line("exits")
	if !ok {
		return 0
	}
	number, err := strconv.Atoi(exits)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// TestJavaScriptModulesAreDocumented checks docs/javascript-library.md against
// what a program finds.
func TestJavaScriptModulesAreDocumented(t *testing.T) {
	needJavaScript(t)
	page, err := os.ReadFile("../docs/javascript-library.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := func(heading string) string {
		_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
		if !found {
			t.Fatalf("the page has no section %q", heading)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		var names []string
		for _, m := range regexp.MustCompile("(?m)^\\| `([^|]+)` \\|").FindAllStringSubmatch(section, -1) {
			names = append(names, strings.Split(m[1], "`, `")...)
		}
		return strings.Join(names, "\n")
	}
	r := execute(t, shared(t), host.Request{Language: "javascript", Code: []byte(`
		console.log(process.getBuiltinModule('module').builtinModules.join('\n'));
		for (const name of process.getBuiltinModule('module').builtinModules) process.getBuiltinModule(name);
	`)})
	if r.Status != host.StatusOK {
		t.Fatalf("got %+v", r)
	}
	present := strings.Fields(documented("Modules") + "\n" + documented("Modules that only say why not"))
	listed := map[string]bool{}
	for _, name := range present {
		listed[name] = true
	}
	for name := range strings.FieldsSeq(r.Stdout) {
		if !listed[name] {
			t.Errorf("the page does not list %s", name)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("the page lists %s, which is not there", name)
	}
	var program strings.Builder
	for name := range strings.FieldsSeq(documented("Globals")) {
		program.WriteString("if (typeof " + name + " === 'undefined') console.log('" + name + "');\n")
	}
	if r := execute(t, shared(t), host.Request{Language: "javascript", Code: []byte(program.String())}); r.Stdout != "" || r.Status != host.StatusOK {
		t.Errorf("documented globals that are not there: %s (%s %s)", r.Stdout, r.Status, r.Stderr)
	}
}

// TestJavaScriptOutputSurvivesPatchedBuiltins replaces what the library itself
// might lean on; output, errors and the exit code must not depend on it.
func TestJavaScriptOutputSurvivesPatchedBuiltins(t *testing.T) {
	needJavaScript(t)
	r := execute(t, shared(t), host.Request{Language: "javascript", Filename: "patched.js", Code: []byte(`
		const map = new Map([[3, { c: [] }]]);
		const boom = () => { throw new Error('patched') };
		for (const name of ['map', 'filter', 'forEach', 'join', 'push', 'slice', 'reduce', 'includes', 'indexOf']) Array.prototype[name] = boom;
		for (const name of ['split', 'slice', 'replace', 'indexOf', 'includes', 'padStart', 'repeat']) String.prototype[name] = boom;
		for (const name of ['keys', 'getOwnPropertyDescriptor', 'getPrototypeOf', 'assign', 'entries']) Object[name] = boom;
		JSON.stringify = JSON.parse = boom;
		Map.prototype.get = Map.prototype.set = Set.prototype.has = boom;
		Array.prototype.extra = 1;
		globalThis.Promise = undefined;
		console.log('%s', 'a', { b: [1, 'two', map] }, [1.5, -0]);
		setTimeout(() => { throw new TypeError('late') });
	`)})
	if want := "a { b: [ 1, 'two', Map(1) { 3 => [Object] } ] } [ 1.5, -0 ]\n"; r.Stdout != want {
		t.Errorf("stdout %q, want %q", r.Stdout, want)
	}
	if r.ExitCode != 1 || r.Error == nil || r.Error.Type != "TypeError" || r.Error.Message != "late" {
		t.Errorf("exit code %d, error %+v, stderr %s", r.ExitCode, r.Error, r.Stderr)
	}
}
