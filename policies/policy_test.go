package policies

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// explain returns one "key = value (origin)" a line, for comparison.
func explain(t *testing.T, p *Policy, name, dir string) string {
	t.Helper()
	settings, err := p.Explain(name)
	if err != nil {
		t.Fatalf("Explain(%q): %v", name, err)
	}
	var b strings.Builder
	for _, s := range settings {
		fmt.Fprintf(&b, "%s = %s (%s)\n", s.Key, s.Value, s.Origin)
	}
	if dir == "" {
		return b.String()
	}
	return strings.ReplaceAll(b.String(), dir, "$DIR")
}

func TestBuiltinProfiles(t *testing.T) {
	env := map[string]string{"LANG": "C.UTF-8"}
	network := Network{
		Requests: 20, MaxRequest: 1 << 20, MaxResponse: 5 << 20, Total: 20 << 20, Timeout: Duration(10 * time.Second),
	}
	tools := Tools{Calls: 100, MaxRequest: 1 << 20, MaxResponse: 4 << 20, Total: 64 << 20, Timeout: Duration(30 * time.Second)}
	want := []*Profile{
		{
			Name: "strict", Fuel: 500_000_000, Memory: 32 << 20, Stdout: 100_000, Stderr: 100_000,
			Timeout: Duration(10 * time.Second), Disk: Disk{Quota: 50 << 20, Files: 1000, Depth: 32, OpenFiles: 64},
			Env: env, OutputLimit: "truncate", Network: network, Tools: tools, Sessions: Sessions{History: 1},
		},
		{
			Name: "default", Fuel: 2_000_000_000, Memory: 128_000_000, Stdout: 2_000_000, Stderr: 1_000_000,
			Timeout: Duration(30 * time.Second), Disk: Disk{Quota: 200 << 20, Files: 5000, Depth: 32, OpenFiles: 64},
			Env: env, OutputLimit: "truncate", Network: network, Tools: tools, Sessions: Sessions{History: 1},
		},
		{
			Name: "relaxed", Fuel: 5_000_000_000, Memory: 128 << 20, Stdout: 1_000_000, Stderr: 1_000_000,
			Timeout: Duration(time.Minute), Disk: Disk{Quota: 500 << 20, Files: 10_000, Depth: 32, OpenFiles: 64},
			Env: env, OutputLimit: "truncate", Network: network, Tools: tools, Sessions: Sessions{History: 1},
		},
	}
	p := Builtin()
	for _, w := range want {
		got, err := p.Profile(w.Name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", w.Name, diff)
		}
		if err := sound(got); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
	}
	if got, want := p.Names(), []string{"default", "relaxed", "strict"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %v, want %v", got, want)
	}
	if p.Default() != "strict" || p.Path() != "" || p.Server() != (Server{}) {
		t.Errorf("Default, Path, Server = %q, %q, %v", p.Default(), p.Path(), p.Server())
	}
	byDefault, err := p.Profile("")
	if err != nil || byDefault.Name != "strict" {
		t.Errorf(`Profile("") = %v, %v; want strict`, byDefault, err)
	}
}

func TestUnknownProfileNamesTheNearest(t *testing.T) {
	_, err := Builtin().Profile("stict")
	const want = `profile "stict" not found (did you mean "strict"?); known profiles: default, relaxed, strict`
	if !errors.Is(err, ErrNotFound) || err.Error() != want {
		t.Errorf("Profile: %v, want %s", err, want)
	}
	if _, err := Builtin().Explain("none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Explain: %v, want an ErrNotFound", err)
	}
}

func TestProfilesHandedOutAreCopies(t *testing.T) {
	policy, err := Parse("sandbox.toml", []byte(`[profiles.strict]
overridable = ["fuel"]`))
	if err != nil {
		t.Fatal(err)
	}
	before := explain(t, policy, "strict", "")
	p, err := policy.Profile("strict")
	if err != nil {
		t.Fatal(err)
	}
	p.Fuel++
	p.Env["LANG"] = "changed"
	p.Overridable[0] = "memory"
	if diff := cmp.Diff(before, explain(t, policy, "strict", "")); diff != "" {
		t.Errorf("the policy changed with the copy (-before +after):\n%s", diff)
	}
}

func TestGoodFiles(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		profile string
		want    string // Explain of the profile
	}{
		{"an empty file is the built-in policy", "", "", strict()},
		{"a file of comments is the built-in policy", "# nothing\r\n\t# here", "", strict()},
		{"a byte order mark is skipped", "\xef\xbb\xbfdefault_profile = \"strict\"", "", strict()},
		{
			"a new profile starts from strict",
			"[profiles.x]\nfuel = 7\nmemory = 67_108_864", "x",
			strict("fuel = 7 (sandbox.toml:2)", "memory = 64MiB (sandbox.toml:3)"),
		},
		{
			"a new profile starts from the file's own strict",
			"[profiles.x]\nfuel = 7\n[profiles.strict]\ntimeout = \"90s\"", "x",
			strict("fuel = 7 (sandbox.toml:2)", "timeout = 1m30s (sandbox.toml:4)"),
		},
		{
			"a redefined built-in starts from itself",
			"[profiles.default]\nfuel = 7", "default",
			`fuel = 7 (sandbox.toml:2)
memory = 128MB (built-in default)
stdout = 2MB (built-in default)
stderr = 1MB (built-in default)
timeout = 30s (built-in default)
disk.quota = 200MiB (built-in default)
disk.files = 5_000 (built-in default)
disk.file_size = 200MiB (built-in default)
disk.depth = 32 (built-in default)
disk.open_files = 64 (built-in default)
tools.calls = 100 (built-in default)
tools.max_request = 1MiB (built-in default)
tools.max_response = 4MiB (built-in default)
tools.total = 64MiB (built-in default)
tools.timeout = 30s (built-in default)
output_limit = truncate (built-in default)
overridable = [] (built-in default)
sessions.history = 1 (built-in default)
env.LANG = C.UTF-8 (built-in default)
`,
		},
		{
			"a redefined built-in may extend another",
			"[profiles.default]\nextends = \"strict\"", "default", strict(),
		},
		{
			"redefining strict leaves the built-in relaxed alone",
			"[profiles.strict]\nfuel = 7", "relaxed",
			`fuel = 5_000_000_000 (built-in relaxed)
memory = 128MiB (built-in relaxed)
stdout = 1MB (built-in relaxed)
stderr = 1MB (built-in relaxed)
timeout = 1m (built-in relaxed)
disk.quota = 500MiB (built-in relaxed)
disk.files = 10_000 (built-in relaxed)
disk.file_size = 500MiB (built-in relaxed)
disk.depth = 32 (built-in relaxed)
disk.open_files = 64 (built-in relaxed)
tools.calls = 100 (built-in relaxed)
tools.max_request = 1MiB (built-in relaxed)
tools.max_response = 4MiB (built-in relaxed)
tools.total = 64MiB (built-in relaxed)
tools.timeout = 30s (built-in relaxed)
output_limit = truncate (built-in relaxed)
overridable = [] (built-in relaxed)
sessions.history = 1 (built-in relaxed)
env.LANG = C.UTF-8 (built-in relaxed)
`,
		},
		{
			"a chain inherits in any order of the file",
			"[profiles.c]\nextends = \"b\"\nstderr = \"3KB\"\n[profiles.b]\nextends = \"a\"\nfuel = 2\n[profiles.a]\nfuel = 1\nstdout = \"1KiB\"", "c",
			strict("fuel = 2 (sandbox.toml:6)", "stdout = 1KiB (sandbox.toml:9)", "stderr = 3KB (sandbox.toml:3)"),
		},
		{
			"half of disk is inherited",
			"profiles.x.disk.files = 3", "x",
			strict("disk.files = 3 (sandbox.toml:1)"),
		},
		{
			"a table inside a table keeps its lines",
			"profiles.x = { fuel = 3,\n  # why\n  disk = {\n    quota = '4KB' } }", "x",
			strict("fuel = 3 (sandbox.toml:1)", "disk.quota = 4KB (sandbox.toml:4)", "disk.file_size = 4KB (sandbox.toml:4)"),
		},
		{
			"a file's size follows the quota until it is set",
			"[profiles.x]\ndisk.file_size = '3KB'\n[profiles.y]\nextends = 'x'\ndisk.quota = '4KB'", "y",
			strict("disk.quota = 4KB (sandbox.toml:5)", "disk.file_size = 3KB (sandbox.toml:2)"),
		},
		{
			"long strings do not disturb the lines",
			"[profiles.x.env]\nA = '''\n[profiles.y]\n\"\"\"'''\nB = \"\"\"\\\n  b\\\"\"\"\"\n'C \\' = 'c'\n\"\\u0044\" = 'd'\n[profiles.x]\nfuel = 3", "x",
			strict(
				"fuel = 3 (sandbox.toml:10)", "env.A = [profiles.y]\n\"\"\" (sandbox.toml:2)",
				"env.B = b\" (sandbox.toml:5)", "env.C \\ = c (sandbox.toml:7)", "env.D = d (sandbox.toml:8)",
			),
		},
		{
			"environments merge by name",
			"[profiles.a.env]\nA = \"1\"\nB = \"1\"\n[profiles.x]\nextends = \"a\"\nenv = { LANG = false, B = \"2\" }", "x",
			strings.Replace(strict("env.A = 1 (sandbox.toml:2)", "env.B = 2 (sandbox.toml:6)"), "env.LANG = C.UTF-8 (built-in strict)\n", "", 1),
		},
		{
			"mounts merge by guest path",
			mount("host = \"many\"\nguest = \"/m\"\n") + mount("host = \"data\"\nguest = \"/d\"\nmode = \"rw\"\n") +
				"[[profiles.y.mounts]]\nguest = \"/d\"\nhost = \"alias\"\n[profiles.y]\nextends = \"x\"\n", "y",
			strict("mounts./d = $DIR/data (ro) (sandbox.toml:8)", "mounts./m = $DIR/many (ro) (sandbox.toml:1)"),
		},
		{
			"a parent's mount may be replaced by one that would clash with it",
			mount("host = \"data\"\nguest = \"/d\"\n") + "[profiles.y]\nextends = \"x\"\nmounts = [{ host = \"data/sub\", guest = \"/d\" }]", "y",
			strict("mounts./d = $DIR/data/sub (ro) (sandbox.toml:6)"),
		},
		{
			"the switches are inherited and replaced",
			"[profiles.a]\noutput_limit = \"stop\"\noverridable = [\"timeout\", \"fuel\"]\n[profiles.x]\nextends = \"a\"\noverridable = []", "x",
			strict("output_limit = stop (sandbox.toml:2)", "overridable = [] (sandbox.toml:6)"),
		},
		{
			"a history of turns is inherited and replaced, by none too",
			"[profiles.a]\nsessions = { history = 9 }\n[profiles.x]\nextends = \"a\"\n[profiles.x.sessions]\nhistory = 0", "x",
			strict("sessions.history = 0 (sandbox.toml:6)"),
		},
		{
			"overridable is listed in order",
			"[profiles.x]\noverridable = [\"timeout\", \"disk.files\"]", "x",
			strict("overridable = [disk.files, timeout] (sandbox.toml:2)"),
		},
		{
			"the default profile may be one of the file",
			"default_profile = \"x\"\n[profiles.x]\nfuel = 9", "",
			strict("fuel = 9 (sandbox.toml:3)"),
		},
	}
	dir := newDir(t)
	t.Chdir(dir)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := Parse("sandbox.toml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, explain(t, p, test.profile, dir)); diff != "" {
				t.Errorf("Explain(%q) (-want +got):\n%s", test.profile, diff)
			}
		})
	}
}

// strict is the explanation of the built-in strict profile with some lines
// changed, or added in alphabetical order after the rest.
func strict(changed ...string) string {
	lines := []string{
		"fuel = 500_000_000", "memory = 32MiB", "stdout = 100KB", "stderr = 100KB", "timeout = 10s",
		"disk.quota = 50MiB", "disk.files = 1_000", "disk.file_size = 50MiB", "disk.depth = 32",
		"disk.open_files = 64",
		"tools.calls = 100", "tools.max_request = 1MiB", "tools.max_response = 4MiB", "tools.total = 64MiB", "tools.timeout = 30s", "output_limit = truncate", "overridable = []", "sessions.history = 1",
	}
	extra := []string{"env.LANG = C.UTF-8 (built-in strict)"}
	for i := range lines {
		lines[i] += " (built-in strict)"
	}
	for _, c := range changed {
		key, _, _ := strings.Cut(c, " = ")
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, key+" = ") })
		if i < 0 {
			extra = append(extra, c)
			continue
		}
		lines[i] = c
	}
	slices.Sort(extra)
	return strings.Join(append(lines, extra...), "\n") + "\n"
}

func TestServerSettings(t *testing.T) {
	p, err := Parse("sandbox.toml", []byte("[server]\nmax_concurrent = 4\nqueue = 100"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Server(), (Server{MaxConcurrent: 4, Queue: 100}); got != want {
		t.Errorf("Server() = %v, want %v", got, want)
	}
}

func TestAuditSettings(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "sandbox.toml")
	p, err := Parse(path, []byte("[server.audit]\nfile = \"logs/a.jsonl\"\nmax_size = \"5MB\"\nkeep = 3\nrequired = true\n[profiles.x]\n"+mount("host = \"data\"\nguest = \"/data\"")))
	if err != nil {
		t.Fatal(err)
	}
	want := Audit{File: filepath.Join(dir, "logs", "a.jsonl"), MaxSize: 5_000_000, Keep: 3, Required: true}
	if got := p.Server().Audit; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if p, err = Parse(path, []byte("[server.audit]\nfile = \"a\"")); err != nil || p.Server().Audit != (Audit{File: filepath.Join(dir, "a")}) {
		t.Errorf("a file alone: %+v, %v", p.Server(), err)
	}
}

func TestAuditHolds(t *testing.T) {
	dir := newDir(t)
	if err := os.Symlink(filepath.Join(dir, "data"), filepath.Join(dir, "link")); err != nil {
		t.Skip("this system makes no links: ", err)
	}
	t.Chdir(dir)
	tests := []struct {
		name, file, dir string
		want            bool
	}{
		{"its own directory", "data/a", "data", true},
		{"a directory above", "data/new/er/a", ".", true},
		{"a directory that is to come", "data/new/a", "data", true},
		{"a directory beside it", "data/a", "other", false},
		{"a directory below", "a", "data", false},
		{"a name that begins alike", "database/a", "data", false},
		{"its directory through a link", "data/a", "link", true},
		{"a file that lies behind a link", "link/new/a", "data", true},
		{"a directory that is not there", "gone/a", "gone", false},
	}
	for _, tt := range tests {
		a := Audit{File: filepath.Join(dir, tt.file)}
		for _, d := range []string{tt.dir, filepath.Join(dir, tt.dir)} {
			if got := a.Holds(d); got != tt.want {
				t.Errorf("%s: Holds(%q) = %t", tt.name, d, got)
			}
		}
	}
	if (Audit{}).Holds("/") {
		t.Error("no file is held by the root")
	}
}

func TestHardening(t *testing.T) {
	for text, want := range map[string]Hardening{
		"":                           HardenIfPossible,
		"[server]\nqueue = 1":        HardenIfPossible,
		"[server]\nharden = true":    HardenAlways,
		"[server]\nharden = false":   HardenNever,
		"server = { harden = false}": HardenNever,
	} {
		p, err := Parse("sandbox.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Server().Harden; got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "sandbox.toml")
	if err := os.WriteFile(path, []byte(mount("host = \"./data\"\nguest = \"/data\"")), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("relative mounts start at the file, not at the process", func(t *testing.T) {
		t.Chdir(filepath.Join(dir, "other"))
		for _, from := range []string{path, "../sandbox.toml"} {
			p, err := Load(from)
			if err != nil {
				t.Fatal(err)
			}
			prof, err := p.Profile("x")
			if err != nil {
				t.Fatal(err)
			}
			want := []Mount{{Host: filepath.Join(dir, "data"), Guest: "/data"}}
			if diff := cmp.Diff(want, prof.Mounts); diff != "" {
				t.Errorf("%s: mounts (-want +got):\n%s", from, diff)
			}
			if p.Path() != from {
				t.Errorf("Path() = %q, want %q", p.Path(), from)
			}
		}
	})
	t.Run("a missing file is not found", func(t *testing.T) {
		if _, err := Load(filepath.Join(dir, "gone.toml")); !errors.Is(err, ErrNotFound) {
			t.Errorf("Load: %v, want an ErrNotFound", err)
		}
	})
	t.Run("a directory is refused", func(t *testing.T) {
		if _, err := Load(dir); !errors.Is(err, ErrInvalid) {
			t.Errorf("Load: %v, want an ErrInvalid", err)
		}
	})
	t.Run("a device without an end is refused", func(t *testing.T) {
		if _, err := Load("/dev/zero"); !errors.Is(err, ErrInvalid) {
			t.Errorf("Load: %v, want an ErrInvalid", err)
		}
	})
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	touch := func(parts ...string) string {
		path := filepath.Join(append([]string{dir}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	work, config, empty := filepath.Join(dir, "work"), filepath.Join(dir, "config"), filepath.Join(dir, "empty")
	inWork, inConfig, other := touch("work", "sandbox.toml"), touch("config", "sandboxd", "sandbox.toml"), touch("other.toml")
	loose := filepath.Join(dir, "loose")
	if err := os.Mkdir(loose, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(loose, "sandbox.toml")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name                       string
		explicit, workDir, userDir string
		want                       string
		wantErr                    error
	}{
		{"explicit wins", other, work, config, other, nil},
		{"working directory before user configuration", "", work, config, inWork, nil},
		{"user configuration last", "", empty, config, inConfig, nil},
		{"nothing anywhere", "", empty, empty, "", nil},
		{"nowhere to look", "", "", "", "", nil},
		{"explicit file that does not exist", filepath.Join(dir, "gone"), work, config, "", ErrNotFound},
		{"a broken link is not passed over", "", loose, config, filepath.Join(loose, "sandbox.toml"), nil},
		{"a file that cannot be reached is not passed over", "", inWork, config, "", errAny},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Find(test.explicit, test.workDir, test.userDir)
			if got != test.want || (err != nil) != (test.wantErr != nil) {
				t.Fatalf("Find = %q, %v; want %q, %v", got, err, test.want, test.wantErr)
			}
			if test.wantErr != nil && test.wantErr != errAny && !errors.Is(err, test.wantErr) { //nolint:errorlint // errAny is never wrapped
				t.Errorf("Find: %v, want %v", err, test.wantErr)
			}
		})
	}
}

// errAny stands for an error of no class.
var errAny = errors.New("any")
