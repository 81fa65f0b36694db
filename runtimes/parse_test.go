package runtimes

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const digestA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// goodTOML is a valid file; the tables below break it one line at a time.
const goodTOML = `name       = "python"
version    = "3.12.0"
aliases    = ["py", "python3"]
extensions = [".py"]
driver     = "cpython"

[source]
npm    = "@scope/lang@1.2.3"
path   = "dist/lang.wasm"
sha256 = "` + digestA + `"
`

func TestParseRefusesBadFiles(t *testing.T) {
	const (
		npmLine  = `npm    = "@scope/lang@1.2.3"`
		pathLine = `path   = "dist/lang.wasm"`
		pinLine  = `sha256 = "` + digestA + `"`
	)
	tests := []struct {
		name     string
		old, new string // goodTOML with old replaced by new; all of it when old is ""
		want     string
	}{
		{"an empty file", "", "", "" +
			`runtime.toml:1: name is missing: give the runtime a name, such as name = "python"` + "\n" +
			`runtime.toml:1: version is missing: say which version of the language this is, such as version = "3.12.0"` + "\n" +
			`runtime.toml:1: driver is missing: say how the host enters the module: cpython, quickjs, ruby, extism, command` + "\n" +
			`runtime.toml:1: source is missing: add a [source] table with npm, file, https, oci or go, and sha256`},
		{"text that is not TOML", "", "name: python\n", `runtime.toml:1: not valid TOML: expected '.' or '=', but got ':' instead`},
		{"a key given twice", `version `, "name = \"b\"\nversion ", `runtime.toml:2: not valid TOML: Key 'name' has already been defined`},
		{"an unfinished string", `"python"`, `"python`, `runtime.toml:1: not valid TOML: strings cannot contain newlines`},
		{"bytes that are not UTF-8", `"python"`, "\"py\xffthon\"", `runtime.toml:1: not valid TOML: invalid UTF-8 byte: 0xff`},
		{"a file too large", "", strings.Repeat("#", maxFile+1), `runtime.toml:1: the file is too large: at most 16384 bytes are read`},
		{"a misspelled key", `driver `, `drvier `, `runtime.toml:5: unknown key "drvier" (did you mean "driver"?)`},
		{"an unknown key with nothing near", `driver `, "colour = \"red\"\ndriver ", `runtime.toml:5: unknown key "colour"; the keys here are name, version, aliases, extensions, driver, command, limits, source`},
		{"a key in another case", `name `, `Name `, `runtime.toml:1: unknown key "Name" (did you mean "name"?)`},
		{"a misspelled table", `[source]`, `[sources]`, `runtime.toml:7: unknown key "sources" (did you mean "source"?)`},
		{"a misspelled key of a table", `sha256`, `sha265`, `runtime.toml:10: unknown key "source.sha265" (did you mean "source.sha256"?)`},
		{"an unknown key of a table", pathLine, pathLine + "\nftp = \"x\"", `runtime.toml:10: unknown key "source.ftp"; the keys here are npm, file, https, oci, go, path, sha256`},
		{"an unknown table", npmLine, npmLine + "\n[grants]\nfuel = 1", "" +
			`runtime.toml:7: source.sha256 is missing: pin the module with its SHA-256, as sha256sum prints it` + "\n" +
			`runtime.toml:8: source.path is missing: say where in the npm package the module is` + "\n" +
			`runtime.toml:9: unknown key "grants"; the keys here are name, version, aliases, extensions, driver, command, limits, source`},
		{"a name that is a number", `"python"`, `3`, `runtime.toml:1: name must be a string, not an integer`},
		{"a version that is a float", `"3.12.0"`, `3.12`, `runtime.toml:2: version must be a string, not a float`},
		{"a version that is a date", `"3.12.0"`, `2024-01-01`, `runtime.toml:2: version must be a string, not a date or time`},
		{"aliases that are a string", `["py", "python3"]`, `"py"`, `runtime.toml:3: aliases must be an array of strings, not a string`},
		{"an alias that is a boolean", `["py", "python3"]`, `["py", true]`, `runtime.toml:3: aliases must hold strings, not a boolean`},
		{"a source that is a string", "", strings.Split(goodTOML, "[source]")[0] + "source = \"npm\"\n", `runtime.toml:7: source must be a table, not a string`},
		{"a source that is an array of tables", "[source]", "[[source]]", `runtime.toml:7: source must be a table, not an array of tables`},
		{"a pin that is an array", pinLine, `sha256 = []`, `runtime.toml:10: source.sha256 must be a string, not an array`},
		{"no name", "name       = \"python\"\n", "", `runtime.toml:1: name is missing: give the runtime a name, such as name = "python"`},
		{"no version", "version    = \"3.12.0\"\n", "", `runtime.toml:1: version is missing: say which version of the language this is, such as version = "3.12.0"`},
		{"no driver", "driver     = \"cpython\"\n", "", `runtime.toml:1: driver is missing: say how the host enters the module: cpython, quickjs, ruby, extism, command`},
		{"no source", "", strings.Split(goodTOML, "[source]")[0], `runtime.toml:1: source is missing: add a [source] table with npm, file, https, oci or go, and sha256`},
		{"an empty name", `"python"`, `""`, `runtime.toml:1: name: "" is not a name: use a lower-case letter, then at most 31 of a-z, 0-9, _ and -`},
		{"a name in upper case", `"python"`, `"Python"`, `runtime.toml:1: name: "Python" is not a name: use a lower-case letter, then at most 31 of a-z, 0-9, _ and -`},
		{"a name that is a path", `"python"`, `"../python"`, `runtime.toml:1: name: "../python" is not a name: use a lower-case letter, then at most 31 of a-z, 0-9, _ and -`},
		{"a name that is too long", `"python"`, `"` + strings.Repeat("p", 33) + `"`, `runtime.toml:1: name: "ppppppppppppppppppppppppppppppppp" is not a name: use a lower-case letter, then at most 31 of a-z, 0-9, _ and -`},
		{"a name that is much too long", `"python"`, `"` + strings.Repeat("p", 300) + `"`, `runtime.toml:1: name: "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"... is not a name: use a lower-case letter, then at most 31 of a-z, 0-9, _ and -`},
		{"a name with control characters", `"python"`, `"py\u001b[31m"`, `runtime.toml:1: name: "py\x1b[31m" is not a name: use a lower-case letter, then at most 31 of a-z, 0-9, _ and -`},
		{"an alias with a space", `"py",`, `"p y",`, `runtime.toml:3: aliases: "p y" is not a name: use a lower-case letter, then at most 31 of a-z, 0-9, _ and -`},
		{"an alias that is the name", `"py",`, `"python",`, `runtime.toml:3: aliases: "python" is given twice (the name counts)`},
		{"an alias given twice", `"py",`, `"python3",`, `runtime.toml:3: aliases: "python3" is given twice (the name counts)`},
		{"a version with a slash", `"3.12.0"`, `"3/12"`, `runtime.toml:2: version: "3/12" is not a version: use at most 64 letters, digits, dots, plus signs, underscores and hyphens`},
		{"an extension without its dot", `[".py"]`, `["py"]`, `runtime.toml:4: extensions: "py" must be written ".py", in lower case with its dot`},
		{"an extension in upper case", `[".py"]`, `[".PY"]`, `runtime.toml:4: extensions: ".PY" must be written ".py", in lower case with its dot`},
		{"an extension that is a path", `[".py"]`, `["./py"]`, `runtime.toml:4: extensions: "./py" is not a file name extension: use a dot, then at most 16 of a-z, 0-9, _, + and -`},
		{"an extension given twice", `[".py"]`, `[".py", ".py"]`, `runtime.toml:4: extensions: ".py" is given twice`},
		{"a misspelled driver", `"cpython"`, `"cpyton"`, `runtime.toml:5: driver: "cpyton" is not a driver (did you mean "cpython"?); drivers are cpython, quickjs, ruby, extism, command`},
		{"an unknown driver", `"cpython"`, `"native"`, `runtime.toml:5: driver: "native" is not a driver; drivers are cpython, quickjs, ruby, extism, command`},
		{"no kind of source", npmLine + "\n", "", `runtime.toml:7: source needs one of npm, file, https, oci or go`},
		{"two kinds of source", pathLine, `https = "https://example.org/a.tgz"` + "\n" + pathLine, `runtime.toml:9: source has both npm and https: keep one`},
		{"a package without a version", npmLine, `npm = "@scope/lang"`, `runtime.toml:8: source.npm: "@scope/lang" is not a package at one exact version, such as "@scope/name@1.2.3"`},
		{"a package at a range", npmLine, `npm = "@scope/lang@^1.2.3"`, `runtime.toml:8: source.npm: "@scope/lang@^1.2.3" is not a package at one exact version, such as "@scope/name@1.2.3"`},
		{"a package at a tag", npmLine, `npm = "lang@latest"`, `runtime.toml:8: source.npm: "lang@latest" is not a package at one exact version, such as "@scope/name@1.2.3"`},
		{"a package that is an address", npmLine, `npm = "git+https://example.org/x.git"`, `runtime.toml:8: source.npm: "git+https://example.org/x.git" is not a package at one exact version, such as "@scope/name@1.2.3"`},
		{"a package that is an option", npmLine, `npm = "--registry=x@1.2.3"`, `runtime.toml:8: source.npm: "--registry=x@1.2.3" is not a package at one exact version, such as "@scope/name@1.2.3"`},
		{"a package without a path", pathLine + "\n", "", `runtime.toml:8: source.path is missing: say where in the npm package the module is`},
		{"a path that is absolute", `"dist/lang.wasm"`, `"/etc/passwd"`, `runtime.toml:9: source.path: "/etc/passwd" must be a relative path with forward slashes`},
		{"a path that climbs", `"dist/lang.wasm"`, `"dist/../../x"`, `runtime.toml:9: source.path: "dist/../../x" must be a plain path to a file, without ., .. or empty parts`},
		{"a path with backslashes", `"dist/lang.wasm"`, `'dist\lang.wasm'`, `runtime.toml:9: source.path: "dist\\lang.wasm" must be a relative path with forward slashes`},
		{"a path to the folder itself", `"dist/lang.wasm"`, `"."`, `runtime.toml:9: source.path: "." must be a plain path to a file, without ., .. or empty parts`},
		{"a path with odd characters", `"dist/lang.wasm"`, `"dist/*.wasm"`, `runtime.toml:9: source.path: "dist/*.wasm" may hold only letters, digits, spaces and @ . _ / + - (at most 255)`},
		{"no pin", pinLine + "\n", "", `runtime.toml:7: source.sha256 is missing: pin the module with its SHA-256, as sha256sum prints it`},
		{"a pin that is too short", digestA, "abc", `runtime.toml:10: source.sha256: "abc" is not a SHA-256, which has 64 hexadecimal digits`},
		{"a pin in upper case", digestA, strings.ToUpper(digestA), `runtime.toml:10: source.sha256: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" must be in lower case`},
		{"a pin that is not hexadecimal", digestA, strings.Repeat("g", 64), `runtime.toml:10: source.sha256: "gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg" is not a SHA-256, which has 64 hexadecimal digits`},
		{"a plain http address", npmLine, `https = "http://example.org/a.tgz"`, `runtime.toml:8: source.https: "http://example.org/a.tgz" must begin with https://`},
		{"an https address without a host", npmLine, `https = "https:///a.tgz"`, `runtime.toml:8: source.https: "https:///a.tgz" is not an https address`},
		{"an https address that does not parse", npmLine, `https = "https://[::1/a.tgz"`, `runtime.toml:8: source.https: "https://[::1/a.tgz" is not an https address`},
		{"an https address with a password", npmLine, `https = "https://me:secret@example.org/a.tgz"`, `runtime.toml:8: source.https: the address must not hold a user name or password`},
		{"an https address with a query", npmLine, `https = "https://example.org/a.tgz?token=secret"`, `runtime.toml:8: source.https: the address must not have a query or a fragment`},
		{"an https module with a path", npmLine, `https = "https://example.org/a.wasm"`, `runtime.toml:9: source.path is only for npm and for https addresses that end in .tar.gz or .tgz`},
		{"an https archive without a path", npmLine + "\n" + pathLine, `https = "https://example.org/a.tar.gz"`, `runtime.toml:8: source.path is missing: say where in the archive the module is`},
		{"a file with a path", npmLine, `file = "a.wasm"`, `runtime.toml:9: source.path is only for npm and https: let source.file name the module itself`},
		{"an address of a registry without a tag", npmLine + "\n" + pathLine, `oci = "registry.example/team/lua"`, `runtime.toml:8: source.oci: "registry.example/team/lua" is not the address of a module in a registry, such as "registry.example/team/lua:5.4"`},
		{"an address of a registry with the prefix", npmLine + "\n" + pathLine, `oci = "oci:registry.example/team/lua:1"`, `runtime.toml:8: source.oci: "oci:registry.example/team/lua:1" must be written without oci:`},
		{"an address of a registry with a path", npmLine, `oci = "registry.example/team/lua:1"`, `runtime.toml:9: source.path is only for npm and https`},
		{"a Go program with a pin", npmLine + "\n" + pathLine, `go = "plugin"`, `runtime.toml:9: source.sha256 is not for go: the Go source is the pin`},
		{"a Go program outside the folder", npmLine + "\n" + pathLine + "\n" + pinLine, `go = "../plugin"`, `runtime.toml:8: source.go: "../plugin" must be a plain path to a file, without ., .. or empty parts`},
		{"a command line of another driver", pinLine, pinLine + "\n[command]\nprogram = \"file\"", `runtime.toml:11: command is only for driver = "command"`},
		{"a file outside the folder", npmLine + "\n" + pathLine, `file = "../a.wasm"`, `runtime.toml:8: source.file: "../a.wasm" must be a plain path to a file, without ., .. or empty parts`},
		{
			"everything wrong at once",
			"", "nmae = \"x\"\nversion = 3\ndriver = \"quickj\"\n[source]\nnpm = \"x\"\nsha256 = \"y\"\n",
			"" +
				`runtime.toml:1: unknown key "nmae" (did you mean "name"?)` + "\n" +
				`runtime.toml:2: version must be a string, not an integer` + "\n" +
				`runtime.toml:3: driver: "quickj" is not a driver (did you mean "quickjs"?); drivers are cpython, quickjs, ruby, extism, command` + "\n" +
				`runtime.toml:5: source.npm: "x" is not a package at one exact version, such as "@scope/name@1.2.3"` + "\n" +
				`runtime.toml:5: source.path is missing: say where in the npm package the module is` + "\n" +
				`runtime.toml:6: source.sha256: "y" is not a SHA-256, which has 64 hexadecimal digits`,
		},
		{
			"a dotted source",
			"", "name = \"x\"\nversion = \"1\"\ndriver = \"command\"\nsource.file = \"x.wasm\"\nsource.sha = \"y\"\n",
			"" +
				`runtime.toml:4: source.sha256 is missing: pin the module with its SHA-256, as sha256sum prints it` + "\n" +
				`runtime.toml:5: unknown key "source.sha"; the keys here are npm, file, https, oci, go, path, sha256`,
		},
		{
			"an inline source",
			"", "name = \"x\"\nversion = \"1\"\ndriver = \"command\"\nsource = { file = \"x.wasm\", sha256 = 1 }\n",
			`runtime.toml:4: source.sha256 must be a string, not an integer`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := tt.new
			if tt.old != "" {
				if !strings.Contains(goodTOML, tt.old) {
					t.Fatalf("the valid file does not hold %q", tt.old)
				}
				data = strings.Replace(goodTOML, tt.old, tt.new, 1)
			}
			d, err := Parse("runtime.toml", []byte(data), nil)
			if err == nil {
				t.Fatalf("accepted: %+v", d)
			}
			if got := err.Error(); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
			if !errors.Is(err, ErrInvalid) {
				t.Error("the error is not of class ErrInvalid")
			}
		})
	}
}

func TestParseReadsEveryKey(t *testing.T) {
	files := fstest.MapFS{}
	got, err := Parse("runtime.toml", []byte(goodTOML), files)
	if err != nil {
		t.Fatal(err)
	}
	want := &Definition{
		Name: "python", Version: "3.12.0", Driver: DriverCPython,
		Aliases: []string{"py", "python3"}, Extensions: []string{".py"},
		Source: Source{NPM: "@scope/lang@1.2.3", Path: "dist/lang.wasm", SHA256: digestA},
		Files:  files,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestParseAcceptsEverySource(t *testing.T) {
	const head = "name = \"x\"\nversion = \"1\"\ndriver = \"extism\"\n[source]\nsha256 = \"" + digestA + "\"\n"
	tests := []struct{ source, want string }{
		{`file = "build/x.wasm"`, "file build/x.wasm"},
		{"npm = \"lang@1.2.3-rc.1+build\"\npath = \"x.wasm\"", "npm lang@1.2.3-rc.1+build (x.wasm)"},
		{`https = "https://example.org/x.wasm"`, "https://example.org/x.wasm"},
		{"https = \"https://example.org:8443/x.tgz\"\npath = \"lib/x.wasm\"", "https://example.org:8443/x.tgz (lib/x.wasm)"},
	}
	for _, tt := range tests {
		d, err := Parse("runtime.toml", []byte(head+tt.source), nil)
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
			continue
		}
		if got := d.Source.String(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.source, got, tt.want)
		}
	}
}

func TestLoadDirStaysInItsFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "runtime.toml"), []byte(goodTOML), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if file, err := d.Files.Open("runtime.toml"); err != nil {
		t.Error(err)
	} else {
		_ = file.Close()
	}

	outside := filepath.Join(t.TempDir(), "runtime.toml")
	if err := os.WriteFile(outside, []byte(goodTOML), 0o600); err != nil {
		t.Fatal(err)
	}
	linked := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(linked, "runtime.toml")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := LoadDir(linked); !errors.Is(err, ErrInvalid) {
		t.Errorf("a linked runtime.toml: got %v, want class ErrInvalid", err)
	}
}

func TestLoadDirNamesTheFileInItsErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "runtime.toml")
	if _, err := LoadDir(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a runtime.toml: got %v, want not exist", err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(goodTOML, "driver", "drvier", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	want := path + `:5: unknown key "drvier" (did you mean "driver"?)`
	if _, err := LoadDir(dir); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// FuzzParse checks that no file makes Parse panic, that every problem has its
// line, and that what is accepted follows the rules.
func FuzzParse(f *testing.F) {
	f.Add([]byte(goodTOML))
	f.Add([]byte("source.file = 'x'\nsource.sha256 = 1\n[a.b]\nc = [[1], {d = 2}]"))
	f.Add([]byte("[[source]]\nnpm = 1979-05-27T07:32:00Z\n[[source]]"))
	f.Add([]byte("\"\" = 1\n'a.b' = {'c d' = nan}"))
	f.Add([]byte("name = \"\\\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse("f", data, nil)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("class of %v", err)
			}
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "f:") || strings.HasPrefix(line, "f:0:") {
					t.Errorf("a problem without its line: %q", line)
				}
			}
			return
		}
		for _, wrong := range rulesBrokenBy(d) {
			t.Errorf("accepted: %s", wrong)
		}
		if _, err := NewRegistry(d); err != nil {
			t.Errorf("accepted, but: %v", err)
		}
	})
}

// rulesBrokenBy checks a definition in terms of its fields.
func rulesBrokenBy(d *Definition) []string {
	wrong := []string{badName(d.Name), badVersion(d.Version), badDriver(d.Driver), badDigest(d.Source.SHA256)}
	for _, alias := range d.Aliases {
		wrong = append(wrong, badName(alias))
	}
	for _, ext := range d.Extensions {
		wrong = append(wrong, badExtension(ext))
	}
	sources := 0
	for value, check := range map[string]func(string) string{
		d.Source.NPM: badNPM, d.Source.File: badPath, d.Source.HTTPS: badHTTPS,
	} {
		if value != "" {
			sources++
			wrong = append(wrong, check(value))
		}
	}
	if sources != 1 {
		wrong = append(wrong, "not exactly one source")
	}
	if archive := d.Source.NPM != "" || isArchive(d.Source.HTTPS); archive != (d.Source.Path != "") {
		wrong = append(wrong, "path does not go with the source")
	}
	var broken []string
	for _, w := range wrong {
		if w != "" {
			broken = append(broken, w)
		}
	}
	return broken
}

func TestParseCommandsAndLimits(t *testing.T) {
	const head = "name = \"sql\"\nversion = \"1\"\ndriver = \"command\"\n[source]\nfile = \"a.wasm\"\nsha256 = \"" + digestA + "\"\n"
	tests := []struct {
		name, text string
		command    Command
		limits     Limits
		want       string // the error
	}{
		{"nothing said", "", Command{"file", []string{"sql", "{program}", "{args}"}}, Limits{}, ""},
		{"the program on standard input", "[command]\nprogram = \"stdin\"", Command{"stdin", []string{"sql", "{args}"}}, Limits{}, ""},
		{"a command line of its own", "[command]\nargs = [\"sqlite\", \"-q\", \"{program}\"]", Command{"file", []string{"sqlite", "-q", "{program}"}}, Limits{}, ""},
		{
			"limits", "[limits]\nfuel = 5_000\nmemory = \"16MiB\"\nstdout = \"1KB\"\nstderr = 7\ntimeout = \"1.5s\"",
			Command{"file", []string{"sql", "{program}", "{args}"}},
			Limits{Fuel: 5000, Memory: 16 << 20, Stdout: 1000, Stderr: 7, Timeout: 1500 * time.Millisecond},
			"",
		},
		{"a command that is text", "[source.x]\n", Command{}, Limits{}, `runtime.toml:7: unknown key "source.x"; the keys here are npm, file, https, oci, go, path, sha256`},
		{"a misspelled key", "[command]\nprogramm = \"file\"", Command{}, Limits{}, `runtime.toml:8: unknown key "command.programm" (did you mean "command.program"?)`},
		{"another way", "[command]\nprogram = \"pipe\"", Command{}, Limits{}, `runtime.toml:8: command.program: "pipe" is neither "file" nor "stdin"`},
		{"no command line", "[command]\nargs = []", Command{}, Limits{}, `runtime.toml:8: command.args must begin with the command's own name`},
		{"no place for the program", "[command]\nargs = [\"a\"]", Command{}, Limits{}, `runtime.toml:8: command.args does not say where the program goes: add "{program}", or set command.program = "stdin"`},
		{"a place for what is not there", "[command]\nprogram = \"stdin\"\nargs = [\"a\", \"{program}\"]", Command{}, Limits{}, `runtime.toml:9: command.args holds "{program}", but the program is on standard input and has no file`},
		{"the arguments twice", "[command]\nargs = [\"a\", \"{program}\", \"{args}\", \"{args}\"]", Command{}, Limits{}, `runtime.toml:8: command.args holds "{args}" more than once`},
		{"a placeholder inside", "[command]\nargs = [\"a\", \"--file={program}\", \"{program}\"]", Command{}, Limits{}, `runtime.toml:8: command.args: "--file={program}" holds a brace: only whole elements can be "{program}" or "{args}"`},
		{"an argument with a NUL", "[command]\nargs = [\"a\\u0000\", \"{program}\"]", Command{}, Limits{}, `runtime.toml:8: command.args: "a\x00" holds a NUL byte`},
		{"limits that are text", "limits = 1", Command{}, Limits{}, `runtime.toml:7: unknown key "source.limits"; the keys here are npm, file, https, oci, go, path, sha256`},
		{"an unknown limit", "[limits]\ndisk = 1", Command{}, Limits{}, `runtime.toml:8: unknown key "limits.disk"; the keys here are fuel, memory, stdout, stderr, timeout`},
		{"fuel that is text", "[limits]\nfuel = \"1\"", Command{}, Limits{}, `runtime.toml:8: limits.fuel: must be a whole number, not a string`},
		{"no fuel", "[limits]\nfuel = 0", Command{}, Limits{}, `runtime.toml:8: limits.fuel: 0 is not above zero`},
		{"a size without a number", "[limits]\nmemory = \"MiB\"", Command{}, Limits{}, `runtime.toml:8: limits.memory: "MiB" is not a size, such as "64MiB" or "100KB"`},
		{"a size too large", "[limits]\nmemory = \"99999999999999GiB\"", Command{}, Limits{}, `runtime.toml:8: limits.memory: "99999999999999GiB" is not a size, such as "64MiB" or "100KB"`},
		{"a time that is a number", "[limits]\ntimeout = 5", Command{}, Limits{}, `runtime.toml:8: limits.timeout: must be a string with a unit, such as "5s", not an integer`},
		{"a time that is none", "[limits]\ntimeout = \"-5s\"", Command{}, Limits{}, `runtime.toml:8: limits.timeout: "-5s" is not a time above zero, such as "5s"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse("runtime.toml", []byte(head+tt.text), nil)
			if err != nil {
				if err.Error() != tt.want {
					t.Errorf("got %v\nwant %s", err, tt.want)
				}
				return
			}
			if tt.want != "" || !reflect.DeepEqual(d.Command, tt.command) || d.Limits != tt.limits {
				t.Errorf("got %+v, %+v; want %+v, %+v, %s", d.Command, d.Limits, tt.command, tt.limits, tt.want)
			}
		})
	}
}
