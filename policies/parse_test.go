package policies

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newDir returns a directory with something to mount, without symbolic links in
// its own path.
func newDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"data", "data/sub", "other", "many"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i := range MaxMounts {
		if err := os.Mkdir(filepath.Join(dir, "many", strconv.Itoa(i)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"alias": "data", "top": "/", "loose": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mount is the text of one mount of profile x, after its header line.
func mount(lines string) string { return "[[profiles.x.mounts]]\n" + lines }

// numbered repeats a text n times, each with its number.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestBadFiles(t *testing.T) {
	tests := []struct {
		name string
		text string
		want string // one line a problem, without the path; $DIR is the file's directory
	}{
		// Keys.
		{
			"misspelled limit", "[profiles.small]\nmemroy = \"16MiB\"",
			`2: unknown key profiles.small.memroy (did you mean "memory"?)`,
		},
		{
			"limit in another case", "[profiles.x]\nFuel = 5",
			`2: unknown key profiles.x.Fuel (did you mean "fuel"? case counts)`,
		},
		{
			"limit in both cases", "[profiles.x]\nfuel = 5\nFUEL = 9_000",
			`3: unknown key profiles.x.FUEL (did you mean "fuel"? case counts)`,
		},
		{
			"key cut short", "[profiles.x]\nmem = \"64MiB\"",
			`2: unknown key profiles.x.mem (did you mean "memory"?)`,
		},
		{
			"key that is like no other", "[profiles.x]\nweather = true",
			`2: unknown key profiles.x.weather; known keys here: disk, env, extends, fuel, memory, mounts, network, output_limit, overridable, packages, sessions, stderr, stdout, timeout, tools`,
		},
		{
			"disk limit outside of disk", "[profiles.x]\nquota = \"1MB\"",
			`2: unknown key profiles.x.quota (did you mean "disk.quota"?)`,
		},
		{
			"unknown key in an inline table", "[profiles.x]\ndisk = { quota = \"1MB\",\n  file = 3 }",
			`3: unknown key profiles.x.disk.file (did you mean "files"?)`,
		},
		{
			"dotted unknown key", "profiles.x.disk.qouta = \"1MB\"",
			`1: unknown key profiles.x.disk.qouta (did you mean "quota"?)`,
		},
		{
			"quoted unknown key with a line break", "[profiles.x]\n\"fuel\\n\" = 1",
			`2: unknown key profiles.x."fuel\n" (did you mean "fuel"?)`,
		},
		{
			"unknown key in a mount", "[profiles.x]\n" + mount("host = \"data\"\nguest = \"/d\"\nwriteable = true"),
			`5: unknown key profiles.x.mounts.writeable; known keys here: guest, host, mode`,
		},
		{
			"limit outside of a profile", "fuel = 5",
			`1: unknown key fuel; it belongs in a profile, below [profiles.NAME]`,
		},
		{
			"profile outside of profiles", "\n[strict]\nfuel = 5",
			`2: unknown key strict; a profile is written as [profiles.strict]`,
		},
		{
			"unknown key at the top", "default = \"strict\"",
			`1: unknown key default (did you mean "default_profile"?)`,
		},
		{
			"misspelled table at the top", "[profile.x]\nfuel = 5",
			`1: unknown key profile (did you mean "profiles"?)`,
		},
		{
			"unknown server key", "[server]\nmax_concurent = 4",
			`2: unknown key server.max_concurent (did you mean "max_concurrent"?)`,
		},
		{
			"misspelled hardening", "[server]\nhardened = true",
			`2: unknown key server.hardened (did you mean "harden"?)`,
		},
		{
			"hardening of a profile", "[profiles.x]\nharden = false",
			`2: unknown key profiles.x.harden; known keys here: disk, env, extends, fuel, memory, mounts, network, output_limit, overridable, packages, sessions, stderr, stdout, timeout, tools`,
		},

		{
			"misspelled setting of a runtime", "[runtimes.python]\npreloads = []",
			`2: unknown key runtimes.python.preloads (did you mean "preload"?)`,
		},
		{
			"preload that is no list", "[runtimes.python]\npreload = \"jinja2\"",
			`2: runtimes.python.preload: want a list of packages such as ["jinja2", "openpyxl"], not the string "jinja2"`,
		},
		{
			"preloads that are no names", "[runtimes.python]\npreload = [\n  \"jinja2\", 5,\n  \"../x\",\n  \"jinja2\"]",
			"3: runtimes.python.preload: want the name of a package in quotes, not a number\n" +
				"4: runtimes.python.preload: \"../x\" cannot name a package or a module; write one that \"sandboxd packages list\" shows, or a module in it such as \"openpyxl.chart\"\n" +
				`5: runtimes.python.preload: "jinja2" is listed twice; delete one of the two`,
		},
		{
			"too many preloads", "[runtimes.python]\npreload = [" + strings.Repeat("'x', ", MaxPreload+1) + "]",
			"2: runtimes.python.preload: 101 packages are above the maximum of 100",
		},
		{
			"runtimes that are no tables", "runtimes = 1",
			"1: runtimes: want tables, written as [runtimes.NAME], not a number",
		},
		{
			"runtime that is no table", "[runtimes]\npython = true",
			"2: runtimes.python: want a table, not true",
		},

		// Types.
		{
			"fuel as a string", "[profiles.x]\nfuel = \"5G\"",
			`2: profiles.x.fuel: want a whole number such as 500_000_000, not the string "5G"`,
		},
		{
			"fuel as a decimal number", "[profiles.x]\nfuel = 5e8",
			`2: profiles.x.fuel: want a whole number such as 500_000_000, not a decimal number`,
		},
		{
			"memory as a boolean", "[profiles.x]\nmemory = true",
			`2: profiles.x.memory: want a size such as "64MiB", or a whole number of bytes, not true`,
		},
		{
			"timeout as a date", "[profiles.x]\ntimeout = 2026-01-01",
			`2: profiles.x.timeout: want a duration such as "10s", not a date or time`,
		},
		{
			"disk as a size", "[profiles.x]\ndisk = \"50MiB\"",
			`2: profiles.x.disk: want a table, not the string "50MiB"`,
		},
		{
			"a profile that is a number", "profiles.x = 1",
			`1: profiles.x: want a table, not a number`,
		},
		{
			"profiles as a list", "[[profiles]]\nname = \"x\"",
			`1: profiles: want tables, written as [profiles.NAME], not a list`,
		},
		{
			"server as a list", "server = []",
			`1: server: want a table, not a list`,
		},
		{
			"default profile as a table", "default_profile = {}",
			`1: default_profile: want a string, not a table`,
		},
		{
			"extends as a list", "[profiles.x]\nextends = [\n\"strict\"]",
			`2: profiles.x.extends: want a string, not a list`,
		},

		// Limits.
		{
			"negative fuel", "[profiles.x]\nfuel = -1",
			`2: profiles.x.fuel: -1 is negative; a limit is at least 1`,
		},
		{
			"no fuel", "[profiles.x]\nfuel = 0",
			`2: profiles.x.fuel: 0 is refused, as no value means unlimited; set at least 1, or leave the key out to inherit`,
		},
		{
			"too much fuel", "[profiles.x]\nfuel = 1_000_000_000_000_000_001",
			`2: profiles.x.fuel: 1_000_000_000_000_000_001 is above the maximum of 1_000_000_000_000_000_000`,
		},
		{
			"fuel beyond TOML", "[profiles.x]\nfuel = 99999999999999999999",
			`2: 99999999999999999999 is out of range for int64; use a smaller number`,
		},
		{
			"negative memory", "[profiles.x]\nmemory = -5",
			`2: profiles.x.memory: -5 is negative; a size is not`,
		},
		{
			"memory without its unit", "[profiles.x]\nmemory = 64",
			`2: profiles.x.memory: 64B is below the minimum of 1MiB`,
		},
		{
			"memory beyond 32 bits", "[profiles.x]\nmemory = \"5GB\"",
			`2: profiles.x.memory: 5GB is above the maximum of 4GiB`,
		},
		{
			"no memory", "[profiles.x]\nmemory = \"0MiB\"",
			`2: profiles.x.memory: 0B is refused, as no value means unlimited; set at least 1MiB, or leave the key out to inherit`,
		},
		{
			"size with an ambiguous unit", "[profiles.x]\nmemory = \"64M\"",
			`2: profiles.x.memory: size "64M": unit "M" could mean two things; write "64MB" (powers of 1000) or "64MiB" (powers of 1024)`,
		},
		{
			"size in another case", "[profiles.x]\nstdout = \"64kb\"",
			`2: profiles.x.stdout: size "64kb": write "64KB"`,
		},
		{
			"size with a space", "[profiles.x]\nstdout = \"64 KB\"",
			`2: profiles.x.stdout: size "64 KB": write "64KB"`,
		},
		{
			"size with a fraction", "[profiles.x]\nstderr = \"1.5MB\"",
			`2: profiles.x.stderr: size "1.5MB": write a whole number and a unit, such as "64MiB", "100KB" or "1GB"`,
		},
		{
			"size in words", "[profiles.x]\nstderr = \"unlimited\"",
			`2: profiles.x.stderr: size "unlimited": write a whole number and a unit, such as "64MiB", "100KB" or "1GB"`,
		},
		{
			"negative size in text", "[profiles.x]\nstderr = \"-1MB\"",
			`2: profiles.x.stderr: size "-1MB": a size is not negative`,
		},
		{
			"size beyond 64 bits", "[profiles.x]\nstderr = \"99999999TiB\"",
			`2: profiles.x.stderr: size "99999999TiB": too large for a number of bytes`,
		},
		{
			"output beyond the host's memory", "[profiles.x]\nstdout = \"2GiB\"",
			`2: profiles.x.stdout: 2GiB is above the maximum of 1GiB`,
		},
		{
			"duration without a unit", "[profiles.x]\ntimeout = 10",
			`2: profiles.x.timeout: 10 has no unit; for seconds write "10s"`,
		},
		{
			"duration in text without a unit", "[profiles.x]\ntimeout = \"1.5\"",
			`2: profiles.x.timeout: duration "1.5" has no unit; for seconds write "1.5s"`,
		},
		{
			"duration in a made-up unit", "[profiles.x]\ntimeout = \"10 seconds\"",
			`2: profiles.x.timeout: duration "10 seconds" is not one; write a number and a unit, such as "500ms", "10s" or "1m30s"`,
		},
		{
			"negative duration", "[profiles.x]\ntimeout = \"-10s\"",
			`2: profiles.x.timeout: duration "-10s" is negative; write a number and a unit, such as "500ms", "10s" or "1m30s"`,
		},
		{
			"no time", "[profiles.x]\ntimeout = \"0s\"",
			`2: profiles.x.timeout: 0s is refused, as no value means unlimited; set at least 1ms, or leave the key out to inherit`,
		},
		{
			"next to no time", "[profiles.x]\ntimeout = \"1us\"",
			`2: profiles.x.timeout: 1µs is below the minimum of 1ms`,
		},
		{
			"more than a day", "[profiles.x]\ntimeout = \"25h\"",
			`2: profiles.x.timeout: 25h is above the maximum of 24h`,
		},
		{
			"too many files", "[profiles.x.disk]\nfiles = 10_000_001",
			`2: profiles.x.disk.files: 10_000_001 is above the maximum of 10_000_000`,
		},
		{
			"explicit zero for the server", "[server]\nqueue = 0",
			`2: server.queue: 0 is refused; leave the key out to let sandboxd decide, or set at least 1`,
		},
		{
			"negative concurrency", "[server]\nmax_concurrent = -4",
			`2: server.max_concurrent: -4 is negative; set at least 1`,
		},
		{
			"absurd concurrency", "[server]\nmax_concurrent = 1000000",
			`2: server.max_concurrent: 1000000 is above the maximum of 10000`,
		},
		{
			"concurrency in words", "[server]\nmax_concurrent = \"auto\"",
			`2: server.max_concurrent: want a whole number, not the string "auto"`,
		},
		{
			"audit as a file", "[server]\naudit = \"audit.jsonl\"",
			`2: server.audit: want a table, not the string "audit.jsonl"`,
		},
		{
			"unknown audit key", "[server.audit]\nfile = \"a\"\nmaxsize = \"1MiB\"",
			`3: unknown key server.audit.maxsize (did you mean "max_size"?)`,
		},
		{
			"audit without a file", "[server.audit]\nkeep = 3",
			`1: server.audit.file: is missing; write the path of the file to keep, such as "audit/audit.jsonl"`,
		},
		{
			"audit file from a home directory", "[server.audit]\nfile = \"~/audit.jsonl\"",
			`2: server.audit.file: file "~/audit.jsonl": "~" is not expanded; write the path in full`,
		},
		{
			"audit file that is a directory", "[server.audit]\nfile = \"data\"",
			`2: server.audit.file: file "$DIR/data" is a directory; write the path of a file in it`,
		},
		{
			"audit file that cannot be but a directory", "[server.audit]\nfile = \"logs/\"",
			`2: server.audit.file: file "logs/" is a directory; write the path of a file in it`,
		},
		{
			"audit file with a NUL", "[server.audit]\nfile = \"a\\u0000b\"",
			`2: server.audit.file: file "a\x00b" holds a NUL character`,
		},
		{
			"audit size too small", "[server.audit]\nfile = \"a\"\nmax_size = \"64KB\"",
			`3: server.audit.max_size: 64KB is below the minimum of 1MiB`,
		},
		{
			"audit size too large", "[server.audit]\nfile = \"a\"\nmax_size = \"2TiB\"",
			`3: server.audit.max_size: 2TiB is above the maximum of 1TiB`,
		},
		{
			"audit size with half a unit", "[server.audit]\nfile = \"a\"\nmax_size = \"64M\"",
			`3: server.audit.max_size: size "64M": unit "M" could mean two things; write "64MB" (powers of 1000) or "64MiB" (powers of 1024)`,
		},
		{
			"no older audit files", "[server.audit]\nfile = \"a\"\nkeep = 0",
			`3: server.audit.keep: 0 is refused; leave the key out to let sandboxd decide, or set at least 1`,
		},
		{
			"too many audit files", "[server.audit]\nfile = \"a\"\nkeep = 1001",
			`3: server.audit.keep: 1001 is above the maximum of 1000`,
		},
		{
			"required in words", "[server.audit]\nfile = \"a\"\nrequired = \"yes\"",
			`3: server.audit.required: want true or false, not the string "yes"`,
		},
		{
			"audit file that a program could see", "[server.audit]\nfile = \"data/new/a\"\n[profiles.x]\n" + mount("host = \"data\"\nguest = \"/d\""),
			`4: profiles.x.mounts: host directory "$DIR/data" holds the audit log of line 2, which programs must not see; keep that elsewhere`,
		},
		{
			"sessions in a place that is no URL", "[server.sessions]\nstorage = \"/var/lib/sessions\"",
			`2: server.sessions.storage: "/var/lib/sessions" is not a storage; write "file:///PATH", or "s3://BUCKET?region=REGION", "azblob://CONTAINER" or "gs://BUCKET"`,
		},
		{
			"sessions in a relative file", "[server.sessions]\nstorage = \"file://sessions\"",
			`2: server.sessions.storage: "file://sessions": want the absolute path of a directory, as in "file:///var/lib/sandboxd/sessions"`,
		},
		{
			"credentials of a bucket, which are not repeated", "[server.sessions]\nstorage = \"s3://KEY:SECRET@bucket\"",
			`2: server.sessions.storage: it holds credentials, which belong in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY); delete what is before the "@"`,
		},
		{
			"a folder of a bucket", "[server.sessions]\nstorage = \"s3://bucket/folder\"",
			`2: server.sessions.storage: "s3://bucket/folder": want the name of a bucket and nothing else after "s3://"; where in it is said by prefix`,
		},
		{
			"prefix and cache without a bucket", "[server.sessions]\nprefix = \"a\"\ncache = \"c\"",
			`2: server.sessions.prefix: is about a bucket; name one with storage = "s3://BUCKET", or leave it out` + "\n" +
				`3: server.sessions.cache: is about a bucket; name one with storage = "s3://BUCKET", or leave it out`,
		},
		{
			"prefix that leads elsewhere, cache at home", "[server.sessions]\nstorage = \"gs://b\"\nprefix = \"a/../b\"\ncache = \"~/c\"",
			`3: server.sessions.prefix: "a/../b" cannot begin the names of objects; use letters, digits, '.', '_', '-' and, between them, '/', at most 256` + "\n" +
				`4: server.sessions.cache: directory "~/c": "~" is not expanded; write the path in full`,
		},
		{
			"sessions that a program could see", "[server.sessions]\nstorage = \"s3://b\"\ncache = \"data/new\"\n[profiles.x]\n" + mount("host = \"data\"\nguest = \"/d\""),
			`5: profiles.x.mounts: host directory "$DIR/data" holds the sessions of line 1, which programs must not see; keep those elsewhere`,
		},
		{
			"pruning that says not what", "[server.sessions]\nprune = { every = \"1h\" }",
			`2: server.sessions.prune: says not which sessions go; write one of age, idle, count and bytes, or leave it out`,
		},
		{
			"pruning out of bounds", "[server.sessions.prune]\nidle = \"1ms\"\nage = 5\nevery = \"900000h\"\ncount = 0\nbytes = \"0B\"",
			`2: server.sessions.prune.idle: 1ms is below the minimum of 1s` + "\n" +
				`3: server.sessions.prune.age: 5 has no unit; for seconds write "5s"` + "\n" +
				`4: server.sessions.prune.every: 900000h is above the maximum of 87600h` + "\n" +
				`5: server.sessions.prune.count: 0 is refused; leave the key out to let sandboxd decide, or set at least 1` + "\n" +
				`6: server.sessions.prune.bytes: 0 would leave no session; set at least 1, or leave the key out`,
		},
		{
			"hardening in words", "[server]\nharden = \"yes\"",
			`2: server.harden: want true or false, not the string "yes"`,
		},
		{
			"hardening as a number", "[server]\nharden = 1",
			`2: server.harden: want true or false, not a number`,
		},
		{
			"unknown output limit", "[profiles.x]\noutput_limit = \"kill\"",
			`2: profiles.x.output_limit: "kill" is unknown; write "truncate" (extra output is discarded) or "stop" (the program is stopped)`,
		},
		{
			"history that is no number, negative, too long or misspelled", "[profiles.a.sessions]\nhistory = \"5\"\n[profiles.b.sessions]\nhistory = -1\n[profiles.c.sessions]\nhistory = 101\n[profiles.d.sessions]\nhistry = 1",
			`2: profiles.a.sessions.history: want a whole number, not the string "5"
4: profiles.b.sessions.history: -1 is negative; 0 keeps no earlier turns
6: profiles.c.sessions.history: 101 is above the maximum of 100
8: unknown key profiles.d.sessions.histry (did you mean "history"?)`,
		},
		{
			"overridable that is no list", "[profiles.x]\noverridable = \"fuel\"",
			`2: profiles.x.overridable: want a list of limit keys such as ["fuel", "timeout"], not the string "fuel"`,
		},
		{
			"overridable with unknown and repeated keys", "[profiles.x]\noverridable = [\n  \"fuel\",\n  \"time\",\n  \"fuel\", 3]",
			`4: profiles.x.overridable: "time" is not a limit (did you mean "timeout"?); limits are fuel, memory, stdout, stderr, timeout, disk.quota, disk.files, disk.file_size, disk.depth, disk.open_files, tools.calls, tools.max_request, tools.max_response, tools.total, tools.timeout` + "\n" +
				`5: profiles.x.overridable: "fuel" is listed twice; delete one of the two` + "\n" +
				`5: profiles.x.overridable: want the key of a limit in quotes, not a number`,
		},

		// Profiles and inheritance.
		{
			"unknown default profile", "default_profile = \"strct\"",
			`1: default_profile: there is no profile "strct" (did you mean "strict"?); profiles are default, relaxed, strict`,
		},
		{
			"empty default profile", "default_profile = \"\"",
			`1: default_profile: is empty; write a value or leave the key out`,
		},
		{
			"unknown parent", "[profiles.tiny]\n[profiles.x]\nextends = \"tniy\"",
			`3: profiles.x.extends: there is no profile "tniy" (did you mean "tiny"?); profiles are default, relaxed, strict, tiny, x`,
		},
		{
			"profile that extends itself", "[profiles.x]\nextends = \"x\"",
			`2: profiles.x.extends: a profile cannot extend itself; leave extends out`,
		},
		{
			"profiles that extend each other",
			"[profiles.a]\nextends = \"b\"\n[profiles.b]\nextends = \"c\"\n[profiles.c]\nextends = \"a\"\n[profiles.d]\nextends = \"c\"",
			`2: profiles.a.extends: goes in a circle (a -> b -> c -> a); let one of them extend another profile`,
		},
		{
			"circle through the implied parent", "[profiles.a]\nfuel = 5\n[profiles.strict]\nextends = \"a\"",
			`4: profiles.strict.extends: goes in a circle (strict -> a -> strict); let one of them extend another profile`,
		},
		{
			"profile name in upper case", "[profiles.Strict]\nfuel = 5",
			`1: profiles.Strict: "Strict" cannot name a profile; use lower-case letters, digits, '-' and '_', at most 64, starting with a letter or a digit`,
		},
		{
			"empty profile name", "[profiles.\"\"]",
			`1: profiles."": "" cannot name a profile; use lower-case letters, digits, '-' and '_', at most 64, starting with a letter or a digit`,
		},

		// Environment.
		{
			"variable that is a number", "[profiles.x]\nenv = { JOBS = 4 }",
			`2: profiles.x.env.JOBS: want a string in quotes, or false to drop an inherited variable, not a number`,
		},
		{
			"variable that is true", "[profiles.x.env]\nDEBUG = true",
			`2: profiles.x.env.DEBUG: want a string in quotes, or false to drop an inherited variable, not true`,
		},
		{
			"variable with an equals sign", "[profiles.x.env]\n\"A=B\" = \"1\"",
			`2: profiles.x.env."A=B": name "A=B" holds a '=', a NUL or invalid UTF-8, which no variable can`,
		},
		{
			"variable without a name", "[profiles.x.env]\n\"\" = \"1\"",
			`2: profiles.x.env."": a variable has no name`,
		},
		{
			"value with a NUL", "[profiles.x.env]\nA = \"\\u0000\"",
			`2: profiles.x.env.A: the value of "A" holds a NUL or invalid UTF-8, which no variable can`,
		},
		{
			"dropping what is not inherited", "[profiles.x.env]\nLNAG = false",
			`2: profiles.x.env.LNAG: false drops an inherited variable, and "LNAG" is not inherited (did you mean "LANG"?); leave it out`,
		},
		{
			"environment as a list", "[profiles.x]\nenv = [\"A=B\"]",
			`2: profiles.x.env: want a table such as { LANG = "C.UTF-8" }, not a list`,
		},

		{
			"too many variables", "[profiles.y]\nextends = \"x\"\n[profiles.x]\n[profiles.x.env]\n" + numbered("V%d = \"\"\n", MaxEnv),
			`3: profiles.x.env: 257 variables are above the maximum of 256`,
		},

		// Mounts.
		{
			"missing host directory", "[profiles.x]\n" + mount("host = \"./gone\"\nguest = \"/d\""),
			`3: profiles.x.mounts.host: host directory "$DIR/gone" does not exist; create it or correct the path`,
		},
		{
			"link to nowhere as host directory", mount("host = \"loose\"\nguest = \"/d\""),
			`2: profiles.x.mounts.host: host directory "$DIR/loose" does not exist; create it or correct the path`,
		},
		{
			"host file", mount("host = \"file\"\nguest = \"/d\""),
			`2: profiles.x.mounts.host: host directory "$DIR/file" is not a directory; mount the directory it is in`,
		},
		{
			"host directory below a file", mount("host = \"file/x\"\nguest = \"/d\""),
			`2: profiles.x.mounts.host: host directory "$DIR/file/x" cannot be resolved: not a directory`,
		},
		{
			"host root", mount("host = \"/\"\nguest = \"/d\""),
			`2: profiles.x.mounts.host: host directory is the root of the host; mount only the directory that is needed`,
		},
		{
			"host root through dots", mount("host = \"/usr/..\"\nguest = \"/d\""),
			`2: profiles.x.mounts.host: host directory is the root of the host; mount only the directory that is needed`,
		},
		{
			"host root through a link", mount("host = \"top\"\nguest = \"/d\""),
			`2: profiles.x.mounts.host: host directory is the root of the host; mount only the directory that is needed`,
		},
		{
			"home directory by its short name", mount("host = \"~/data\"\nguest = \"/d\""),
			`2: profiles.x.mounts.host: host directory "~/data": "~" is not expanded; write the path in full`,
		},
		{
			"host and guest left out", mount("mode = \"ro\""),
			`1: profiles.x.mounts.guest: guest path is missing; write an absolute one such as "/data"` + "\n" +
				`1: profiles.x.mounts.host: host directory is missing; write its path`,
		},
		{
			"relative guest path", mount("host = \"data\"\nguest = \"data\""),
			`3: profiles.x.mounts.guest: guest path "data" is not absolute; write "/data"`,
		},
		{
			"guest path with dots", mount("host = \"data\"\nguest = \"/data/../app\""),
			`3: profiles.x.mounts.guest: guest path "/data/../app" is not in its shortest form; write "/app"`,
		},
		{
			"guest root", mount("host = \"data\"\nguest = \"/\""),
			`3: profiles.x.mounts.guest: guest path "/" is the guest's own root; choose one below it, such as "/data"`,
		},
		{
			"guest path in the workspace", mount("host = \"data\"\nguest = \"/app/data\""),
			`3: profiles.x.mounts.guest: guest path "/app/data" is reserved for the workspace; choose another, such as "/data"`,
		},
		{
			"guest path of the host's own", mount("host = \"data\"\nguest = \"/.sandboxd/x\""),
			`3: profiles.x.mounts.guest: guest path "/.sandboxd/x" is reserved for sandboxd; choose another, such as "/data"`,
		},
		{
			"guest path that cannot be shown", mount("host = \"data\"\nguest = \"/d\\u001b[2J\""),
			`3: profiles.x.mounts.guest: guest path "/d\x1b[2J" holds a character that cannot be shown; use plain names`,
		},
		{
			"guest path beyond all reason", mount("host = \"data\"\nguest = \"/" + strings.Repeat("d", MaxGuestPath) + "\""),
			`3: profiles.x.mounts.guest: guest path of 513 bytes is above the maximum of 512`,
		},
		{
			"host path beyond all reason", mount("guest = \"/d\"\nhost = \"/" + strings.Repeat("d", maxText) + "\""),
			`3: profiles.x.mounts.host: 4097 bytes are above the maximum of 4096`,
		},
		{
			"host path that is a number", mount("guest = \"/d\"\nhost = 7.5"),
			`3: profiles.x.mounts.host: want a string, not a decimal number`,
		},
		{
			"unknown mode", mount("host = \"data\"\nguest = \"/d\"\nmode = \"w\""),
			`4: profiles.x.mounts.mode: mode "w" is unknown; write "ro" (read only) or "rw" (read and write)`,
		},
		{
			"guest path mounted twice", mount("host = \"data\"\nguest = \"/d\"\n") + mount("host = \"other\"\nguest = \"/d\""),
			`6: profiles.x.mounts.guest: "/d" is mounted on line 1 already; delete one of the two`,
		},
		{
			"guest paths inside each other", mount("host = \"data\"\nguest = \"/d\"\n") + mount("host = \"other\"\nguest = \"/d/sub\""),
			`4: profiles.x.mounts: guest path "/d/sub" overlaps with "/d"; mount them side by side`,
		},
		{
			"host directories inside each other", mount("host = \"data\"\nguest = \"/a\"\n") + mount("host = \"data/sub\"\nguest = \"/b\"\nmode = \"rw\""),
			`4: profiles.x.mounts: host directory "$DIR/data/sub" overlaps with "$DIR/data", which is mounted at "/a"; mount each directory once`,
		},
		{
			"host directory under two names", mount("host = \"data\"\nguest = \"/a\"\n") + mount("host = \"alias\"\nguest = \"/b\"\nmode = \"rw\""),
			`4: profiles.x.mounts: host directory "$DIR/data" overlaps with "$DIR/data", which is mounted at "/a"; mount each directory once`,
		},
		{
			"overlap with an inherited mount", mount("host = \"data\"\nguest = \"/a\"\n") +
				"[profiles.y]\nextends = \"x\"\n[[profiles.y.mounts]]\nhost = \"other\"\nguest = \"/a/b\"",
			`6: profiles.y.mounts: guest path "/a/b" overlaps with "/a"; mount them side by side`,
		},
		{
			"mounts as one table", "[profiles.x.mounts]\nhost = \"data\"",
			`1: profiles.x.mounts: want tables, written as [[profiles.x.mounts]], not a table`,
		},
		{
			"mount that is a string", "[profiles.x]\nmounts = [\n\"data:/data\"]",
			`3: profiles.x.mounts: want a table, not the string "data:/data"`,
		},
		{
			"too many mounts with the inherited ones",
			numbered("[[profiles.x.mounts]]\nhost = \"many/%d\"\nguest = \"/d%[1]d\"\n", MaxMounts) +
				"[profiles.y]\nextends = \"x\"\nmounts = [{ host = \"other\", guest = \"/d\" }]",
			`193: profiles.y.mounts: 65 mounts are above the maximum of 64`,
		},
		{
			"too many mounts", "[profiles.x]\nmounts = [" + strings.Repeat("1,", MaxMounts+1) + "]",
			`2: profiles.x.mounts: 65 mounts are above the maximum of 64`,
		},

		// Syntax.
		{
			"duplicate key", "[profiles.x]\nfuel = 5\n\nfuel = 6",
			`4: profiles.x.fuel is set twice, first on line 2; delete one of the two`,
		},
		{
			"duplicate profile", "[profiles.x]\n\n[profiles.x]",
			`3: profiles.x is set twice, first on line 1; delete one of the two`,
		},
		{
			"disk in two ways", "[profiles.x]\ndisk.quota = 5\ndisk = { files = 5 }",
			`3: profiles.x.disk is set twice, first on line 2; delete one of the two`,
		},
		{
			"size without quotes", "[profiles.x]\nmemory = 64MiB",
			`2: 64MiB needs quotes, as a value with a unit is a string; write "64MiB"`,
		},
		{
			"duration without quotes, in a table", "profiles.x = { timeout = 10 s }",
			`1: 10s needs quotes, as a value with a unit is a string; write "10s"`,
		},
		{
			"word without quotes", "[profiles.x]\nextends = strict",
			`2: expected value but found "strict" instead; write strings in quotes`,
		},
		{
			"key without a value", "[profiles.x]\nfuel =\n",
			`2: expected value but found '\n' instead; write a value after '='`,
		},
		{
			"colon for an equals sign", "[profiles.x]\nfuel: 5",
			`2: expected '.' or '=', but got ':' instead; write key = value`,
		},
		{
			"quotes left open", "[profiles.x]\nmemory = \"64MiB\nfuel = 5",
			`2: strings cannot contain newlines; close the quotes on the same line`,
		},
		{
			"header left open", "[profiles.x\nfuel = 5",
			`1: expected '.' or ']' to end table name, but got '\n' instead; write a table as [profiles.NAME]`,
		},
		{
			"two keys on a line", "[profiles.x]\nfuel = 5 memory = 6",
			`2: expected a top-level item to end with a newline, comment, or EOF, but got 'm' instead; write one key = value a line`,
		},
		{
			"digits grouped wrongly", "[profiles.x]\nfuel = 5__0",
			`2: invalid integer "5__0": underscores must be surrounded by digits; write a number like 500_000_000`,
		},
		{
			"path with backslashes", mount("host = \"C:\\data\""),
			`2: invalid escape in string '\d'; write a backslash as "\\", or use single quotes`,
		},
		{
			"escaped line end", "a = \"\\\n\"",
			`1: invalid escape in string '\\n'; write a backslash as "\\", or use single quotes`,
		},
		{
			"invalid UTF-8", "# fine\n# \xff",
			`2: byte 0xff is not valid UTF-8; save the file as UTF-8 text`,
		},
		{
			"UTF-16", "\xff\xfe[\x00",
			`1: byte 0xff is not valid UTF-8; save the file as UTF-8 text`,
		},
		{
			"control character", "[profiles.x]\n# \x1b[2J",
			`2: control character 0x1b; delete it, or write it as an escape in a string`,
		},
		{
			"text that hides what it says", "[profiles.x]\n# \u202efuel",
			`2: character U+202E changes the direction of the text and can hide what is written; delete it, or write it as an escape in a string`,
		},
		{
			"lists without an end", "x = " + strings.Repeat("[", 1000),
			`1: nested more than 24 levels deep; a policy needs five`,
		},
		{
			"tables without an end", strings.Repeat("a={", 1000),
			`1: nested more than 24 levels deep; a policy needs five`,
		},
		{
			"dots without an end", "\n" + strings.Repeat("a.", 1000) + "a = 1",
			`2: nested more than 24 levels deep; a policy needs five`,
		},
		{
			"file without an end", strings.Repeat("#\n", MaxFile/2+1),
			`1: the file is larger than 1MiB; a policy is not that long`,
		},

		// All problems at once, in the order of the file.
		{
			"many problems",
			"default_profile = \"y\"\n[profiles.x]\ntimeout = 5\nfule = 1\n[server]\nqueue = -1\n[profiles.z]\nextends = \"w\"",
			`1: default_profile: there is no profile "y"; profiles are default, relaxed, strict, x, z` + "\n" +
				`3: profiles.x.timeout: 5 has no unit; for seconds write "5s"` + "\n" +
				`4: unknown key profiles.x.fule (did you mean "fuel"?)` + "\n" +
				`6: server.queue: -1 is negative; set at least 1` + "\n" +
				`8: profiles.z.extends: there is no profile "w"; profiles are default, relaxed, strict, x, z`,
		},
	}
	dir := newDir(t)
	path := filepath.Join(dir, "sandbox.toml")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(path, []byte(test.text))
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("Parse: %v, want an ErrInvalid", err)
			}
			got := strings.ReplaceAll(err.Error(), path+":", "")
			got = strings.ReplaceAll(got, dir, "$DIR")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if first, _, _ := strings.Cut(err.Error(), "\n"); !strings.HasPrefix(first, path+":") {
				t.Errorf("message %q does not start with the path", first)
			}
		})
	}
}
