package host_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// commands opens a host with the runtimes of examples/runtimes.
func commands(t *testing.T) *host.Host {
	t.Helper()
	var all []*runtimes.Definition
	for _, name := range []string{"sqlite", "php"} {
		d, err := runtimes.LoadDir(filepath.Join("..", "examples", "runtimes", name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	registry, err := runtimes.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, host.Options{Registry: registry, Policy: policy(t, testPolicy)})
}

func TestCommands(t *testing.T) {
	h := commands(t)
	workspace := t.TempDir()
	tests := []struct {
		name, language, code string
		args                 []string
		status               host.Status
		exit                 int
		stdout, stderr       string // stderr is a part
		fault                string // the error's type
		created              []string
	}{
		{name: "a query", language: "sqlite", code: "select 6 * 7, sqlite_version();", stdout: "42|3.26.0\n"},
		{
			name: "a database", language: "sqlite",
			code:   "attach '/app/a.db' as a; create table a.t(x); insert into a.t values (1), (2);\nselect sum(x) from a.t;",
			stdout: "3\n", created: []string{"/app/a.db"},
		},
		{name: "the database again", language: "sqlite", code: "attach '/app/a.db' as a; select count(*) from a.t;", stdout: "2\n"},
		{
			name: "nonsense", language: "sqlite", code: "select 1;\nselekt 2;", status: host.StatusError, exit: 1, fault: "exit",
			stdout: "1\n", stderr: `Error: near line 2: near "selekt": syntax error`,
		},
		{name: "a page", language: "php", code: "text <?= 6 * 7 ?>\n", stdout: "text 42"},
		{
			name: "arguments and environment", language: "php", args: []string{"a", "b c"},
			code: `<?php echo implode(",", array_slice($argv, 1)), getenv("COLOUR");`, stdout: "a,b cblue",
		},
		{
			name: "files by relative paths", language: "php",
			code:   `<?php file_put_contents("made", "x"); mkdir("d"); rename("made", "d/moved"); echo implode(",", array_diff(scandir("."), [".", "..", "a.db"])), file_get_contents("/app/d/moved");`,
			stdout: "dx", created: []string{"/app/d/moved"},
		},
		{
			name: "a program that fails", language: "php", code: "<?php\n\nnope();", status: host.StatusError, exit: 255, fault: "exit",
			stderr: "PHP Fatal error:  Uncaught Error: Call to undefined function nope() in /.sandboxd/program.php:3",
		},
		{name: "an exit code", language: "php", code: "<?php exit(7);", status: host.StatusError, exit: 7, fault: "exit"},
		{name: "its own program changed", language: "php", code: `<?php var_dump(@file_put_contents(__FILE__, "x"));`, stdout: "bool(false)\n"},
		{name: "a host file", language: "php", code: `<?php var_dump(@file_get_contents("/etc/passwd"), @file_get_contents("../../etc/passwd"));`, stdout: "bool(false)\nbool(false)\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := execute(t, h, host.Request{
				Language: tt.language, Code: []byte(tt.code), Args: tt.args,
				Profile: "free", Env: map[string]string{"COLOUR": "blue"}, Workspace: workspace,
			})
			if tt.status == "" {
				tt.status = host.StatusOK
			}
			checkStatus(t, got, tt.status, tt.exit)
			if !strings.HasPrefix(got.Stdout, tt.stdout) || !strings.Contains(got.Stderr, tt.stderr) || (got.Error != nil) != (tt.fault != "") {
				t.Errorf("got %+v, error %+v", got, got.Error)
			}
			if created := paths(got.FilesCreated); !slices.Equal(created, tt.created) {
				t.Errorf("created %q, want %q", created, tt.created)
			}
		})
	}
}

func TestCommandsAreLimited(t *testing.T) {
	h := commands(t)
	disk := policies.Bytes(100_000)
	tests := []struct {
		name, language, code string
		overrides            policies.Overrides
		status               host.Status
	}{
		{"fuel", "php", "<?php while (true);", fuel(100_000_000), host.StatusOutOfFuel},
		{"time", "php", "<?php sleep(60);", timeout(50 * time.Millisecond), host.StatusTimeout},
		{"memory", "php", `<?php ini_set("memory_limit", -1); $a = []; while (true) $a[] = str_repeat("x", 1 << 20);`, memory(24 << 20), host.StatusOutOfMemory},
		{"disk", "sqlite", "attach '/app/a.db' as a; create table a.t as with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) select randomblob(100) from n;", policies.Overrides{DiskQuota: &disk}, host.StatusDiskQuota},
		{"a query without end", "sqlite", "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n;", fuel(100_000_000), host.StatusOutOfFuel},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := execute(t, h, host.Request{Language: tt.language, Code: []byte(tt.code), Profile: "free", Overrides: tt.overrides})
			if got.Status != tt.status {
				t.Errorf("got %+v, error %+v", got, got.Error)
			}
		})
	}
}

func TestCommandsSpendTheSameFuelEveryTime(t *testing.T) {
	h := commands(t)
	for language, code := range map[string]string{"php": "<?php echo strrev('hi');", "sqlite": "select hex(1234);"} {
		want := execute(t, h, host.Request{Language: language, Code: []byte(code)}).FuelConsumed
		for range 3 {
			if got := execute(t, h, host.Request{Language: language, Code: []byte(code)}).FuelConsumed; got != want {
				t.Errorf("%s: %d, before %d", language, got, want)
			}
		}
	}
}
