package guidance_test

import (
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

var advised = regexp.MustCompile("set `Overrides\\.(\\w+)` of the `Request` to ([^ ]+)\\.$")

// TestRaisingALimitHelps has programs reach each limit, does what they are told until
// nothing is said any more, and sees that they succeed.
func TestRaisingALimitHelps(t *testing.T) {
	l := openedLab(t)
	tests := []struct {
		name, code string
		status     host.Status
		field      string
	}{
		{"fuel", "sum(n * n for n in range(150_000))", host.StatusOutOfFuel, "Fuel"},
		{"memory", "a = bytes(24_000_000)", host.StatusOutOfMemory, "Memory"},
		{"stdout", "print('x' * 1500)", host.StatusOutputLimit, "Stdout"},
		{"the size of files", "open('a', 'w').write('x' * 15_000)", host.StatusDiskQuota, "DiskQuota"},
		{"the size of one file", "open('a', 'w').write('x' * 9_000)", host.StatusDiskQuota, "DiskFileSize"},
		{"the number of files", "for n in range(5): open(str(n), 'w').close()", host.StatusDiskQuota, "DiskFiles"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := host.Request{Language: "python", Code: []byte(tt.code), Profile: "tight"}
			request.Overrides.Timeout = new(policies.Duration(time.Minute)) // a busy machine is none of the limits
			if tt.field == "DiskQuota" {
				request.Overrides.DiskFileSize = new(policies.Bytes(50_000))
			}
			if tt.field != "Fuel" {
				request.Overrides.Fuel = new(uint64(500_000_000))
			}
			for round := range 6 {
				r := l.run(t, request)
				if r.Success && round > 0 {
					return
				}
				if r.Status != tt.status {
					t.Fatalf("it ended with %s: %+v", r.Status, r.Error)
				}
				match := advised.FindStringSubmatch(r.Error.Guidance[len(r.Error.Guidance)-1])
				if match == nil || match[1] != tt.field {
					t.Fatalf("it is told %q", r.Error.Guidance)
				}
				override(t, &request.Overrides, match[1], match[2])
			}
			t.Error("it was told to raise the limit again and again")
		})
	}
}

// override sets a field of o to what an advice says.
func override(t *testing.T, o *policies.Overrides, name, value string) {
	t.Helper()
	var err error
	switch f := reflect.ValueOf(o).Elem().FieldByName(name).Addr().Interface().(type) {
	case **uint64:
		var n uint64
		n, err = strconv.ParseUint(value, 10, 64)
		*f = &n
	case **policies.Bytes:
		var n policies.Bytes
		n, err = policies.ParseBytes(value)
		*f = &n
	case **policies.Duration:
		var n policies.Duration
		n, err = policies.ParseDuration(value)
		*f = &n
	default:
		t.Fatalf("an override of type %T", f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// endless is standard input that never comes.
type endless struct{ io.Reader }

// TestAdviceOnTime tells programs that wait from those that compute.
func TestAdviceOnTime(t *testing.T) {
	l := openedLab(t)
	never, _ := io.Pipe()
	tests := []struct {
		name, code, want string
		stdin            io.Reader
	}{
		{"one that sleeps", "import time; time.sleep(60)", "was waiting, not computing", nil},
		{"one that waits for input", "input()", "was waiting, not computing", endless{never}},
		{"one that computes", "while True: pass", "set `Overrides.Timeout` of the `Request` to 600ms.", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// A machine that is busy with others may let a program compute nothing in its
			// time, or not notice its end, but not time after time.
			var r *host.Result
			for range 5 {
				r = l.run(t, host.Request{
					Language: "python", Code: []byte(tt.code), Profile: "tight", Stdin: tt.stdin,
					Overrides: policies.Overrides{Fuel: new(uint64(1_000_000_000_000))},
				})
				if r.Status != host.StatusTimeout || strings.Contains(strings.Join(r.Error.Guidance, "\n"), tt.want) {
					break
				}
			}
			if r.Status != host.StatusTimeout || !strings.Contains(strings.Join(r.Error.Guidance, "\n"), tt.want) {
				t.Errorf("%s: it is told %q", r.Status, r.Error.Guidance)
			}
		})
	}
}

// TestLikelyCauses looks at what a program that came near its budget is told of where it
// went.
func TestLikelyCauses(t *testing.T) {
	l := openedLab(t)
	tests := []struct {
		name, code string
		fuel       uint64
		want       string
	}{
		{"its own loops", "while True: pass", 20_000_000, "the program's own computing"},
		{"an import", "import urllib.request\nwhile True: pass", 320_000_000, `importing "urllib.request", which takes up to`},
		{"output", "import os\nx = b'x' * 1_000_000\nwhile True: os.write(1, x)", 40_000_000, "what the host did and copied for the program"},
		{"a long program", "data = [" + strings.Repeat("1, ", 60_000) + "]\nwhile True: pass", 40_000_000, "compiling the program"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := l.run(t, host.Request{Language: "python", Code: []byte(tt.code), Overrides: policies.Overrides{Fuel: &tt.fuel}})
			a := r.FuelAnalysis
			if r.Status != host.StatusOutOfFuel || a.Status != "exhausted" || a.RecommendedBudget < 2*tt.fuel {
				t.Errorf("%s: %+v", r.Status, a)
			}
			if got := strings.Join(a.LikelyCauses, "; "); !strings.Contains(got, tt.want) {
				t.Errorf("likely causes are %q", a.LikelyCauses)
			}
		})
	}
}

// TestCostlyImportsCostThat holds the figures of the rules against what importing takes.
func TestCostlyImportsCostThat(t *testing.T) {
	l := openedLab(t)
	for language, rules := range languages(t) {
		for name, most := range rules.Costly.Fuel {
			r := l.run(t, host.Request{Language: language, Code: []byte("import " + name)})
			if !r.Success || r.FuelConsumed > most {
				t.Errorf("%s: importing %s takes %d (%s), and %d at most is said", language, name, r.FuelConsumed, r.Status, most)
			}
		}
	}
}

// TestTheLibrarysNamesExist holds what Go programs are told against the packages that
// they use. The tests of other interfaces do the same with theirs.
func TestTheLibrarysNamesExist(t *testing.T) {
	owners := []reflect.Type{reflect.TypeFor[host.Request](), reflect.TypeFor[host.Options](), reflect.TypeFor[policies.Mount]()}
	has := func(owner reflect.Type, name string) bool {
		_, ok := owner.FieldByName(name)
		return ok
	}
	names := guidance.Names(guidance.Library)
	if len(names) < 15 {
		t.Errorf("only %d names are in it: %q", len(names), names)
	}
	for _, name := range names {
		override, isOverride := strings.CutPrefix(name, "Overrides.")
		switch {
		case isOverride && has(reflect.TypeFor[policies.Overrides](), override):
		case slices.ContainsFunc(owners, func(o reflect.Type) bool { return has(o, name) || o.Name() == name }):
		case strings.ToLower(name) == name: // a key of a policy; see the command line's test
		default:
			t.Errorf("`%s`: there is no such name", name)
		}
	}
}

// TestServersOfferWhatTheySay keeps the names in the advice of servers to those that
// their own tests check.
func TestServersOfferWhatTheySay(t *testing.T) {
	servers := []string{
		"files", "limits.disk_file_size", "limits.disk_files", "limits.disk_quota", "limits.fuel", "limits.memory",
		"limits.stderr", "limits.stdout", "limits.timeout", "network.allow", "profile", "stdin",
	}
	for i, want := range map[guidance.Interface][]string{
		guidance.MCP:  {"execute_code", "files", "list_available_packages", "list_files", "list_profiles", "profile", "stdin", "timeout", "write_file"},
		guidance.RPC:  servers,
		guidance.HTTP: servers,
	} {
		if got := guidance.Names(i); !slices.Equal(got, want) {
			t.Errorf("%s names %q, want %q", i, got, want)
		}
	}
}

// TestAddedRuntimesHaveRulesToo gives a runtime of somebody's a file of rules.
func TestAddedRuntimesHaveRulesToo(t *testing.T) {
	execute := func(rules string) (*host.Result, error) {
		d, err := runtimes.LoadDir("../../examples/runtimes/sqlite")
		if err != nil {
			t.Fatal(err)
		}
		d.Files = fstest.MapFS{guidance.FileName: {Data: []byte(rules)}}
		registry, err := runtimes.NewRegistry(d)
		if err != nil {
			t.Fatal(err)
		}
		h, err := host.Open(t.Context(), host.Options{Registry: registry, CacheDir: cacheDir(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}()
		return h.Execute(t.Context(), host.Request{Language: "sqlite", Code: []byte("selekt 2;")})
	}
	r, err := execute(`
[[rule]]
name   = "syntax"
stderr = 'near "(?P<word>\w+)": syntax error'
say    = ["{word} is not SQL."]
`)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{`"selekt" is not SQL.`}; !slices.Equal(r.Error.Guidance, want) {
		t.Errorf("it is told %q: %s", r.Error.Guidance, r.Stderr)
	}
	if _, err = execute("[[rule]]\nsay = []"); !errors.Is(err, runtimes.ErrInvalid) || !strings.Contains(err.Error(), `runtime "sqlite": `) {
		t.Errorf("rules that are wrong: %v", err)
	}
}
