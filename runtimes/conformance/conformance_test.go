// Package conformance holds what every runtime must do, whatever its language.
//
// A behaviour is a claim about programs: that endless ones run out of fuel, that
// output comes before the end. It is checked with a program in each language, so that
// a runtime gets all of the suite for one file of small programs:
// testdata/NAME.txtar, of which each section is a program, named as in [behaviours].
// What a language cannot do has a reason in place of the program, in a section named
// "no" and the behaviour or the program; the suite prints it. A runtime that comes with
// sandboxd, or is among the examples, and says nothing of a behaviour, fails.
package conformance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// heavy are the runtimes that take long to load, and sit out short runs.
var heavy = []string{"ruby"}

func TestConformance(t *testing.T) {
	registry := everything(t)
	h := open(t, registry)
	for _, d := range registry.All() {
		t.Run(d.Name, func(t *testing.T) {
			l := &language{Definition: d, host: h, sections: read(t, d.Name)}
			l.complete(t)
			if testing.Short() && slices.Contains(heavy, d.Name) {
				t.Skip("takes long to load")
			}
			for _, b := range behaviours {
				t.Run(b.name, func(t *testing.T) {
					if why := l.excuse(b); why != "" {
						t.Skip(why)
					}
					b.check(t, l)
				})
			}
		})
	}
}

// everything registers the runtimes that come with sandboxd and those of the examples.
func everything(t *testing.T) *runtimes.Registry {
	t.Helper()
	builtin, err := runtimes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	all := builtin.All()
	recipes, err := filepath.Glob("../../examples/runtimes/*/runtime.toml")
	if err != nil || len(recipes) == 0 {
		t.Fatalf("found no recipes (%v)", err)
	}
	for _, name := range recipes {
		d, err := runtimes.LoadDir(filepath.Dir(name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	registry, err := runtimes.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// policyText has profiles that let a test set the limits that it is about.
const policyText = `
default_profile = "free"

[profiles.free]
fuel        = 4_000_000_000
memory      = "128MiB"
stdout      = "2MB"
stderr      = "1MB"
timeout     = "60s"
overridable = ["fuel", "memory", "stdout", "stderr", "timeout", "disk.quota"]

[profiles.endless]
extends = "free"
fuel    = 1_000_000_000_000

[profiles.stop]
extends      = "free"
output_limit = "stop"
`

func open(t *testing.T, registry *runtimes.Registry) *host.Host {
	t.Helper()
	policy, err := policies.Parse("sandbox.toml", []byte(policyText))
	if err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("SANDBOXD_CACHE_DIR")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(user, "sandboxd")
	}
	h, err := host.Open(t.Context(), host.Options{CacheDir: cache, Registry: registry, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// language is one runtime under test.
type language struct {
	*runtimes.Definition

	host     *host.Host
	sections map[string]string
}

// read reads what a runtime's author wrote for the suite.
func read(t *testing.T, name string) map[string]string {
	t.Helper()
	file := filepath.Join("testdata", name+".txtar")
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatalf("every runtime has programs for this suite: %v", err)
	}
	sections := map[string]string{}
	for _, f := range archive.Files {
		if _, twice := sections[f.Name]; twice {
			t.Errorf("%s: section %q is there twice", file, f.Name)
		}
		sections[f.Name] = string(f.Data)
	}
	return sections
}

// excuse is why the language cannot do something; empty if it can.
func (l *language) excuse(b behaviour) string {
	for _, name := range append([]string{b.name}, b.programs...) {
		if why := l.sections["no "+name]; why != "" {
			return strings.TrimSpace(why)
		}
	}
	return ""
}

// complete checks that there is a program or a reason for every behaviour, and nothing
// else.
func (l *language) complete(t *testing.T) {
	t.Helper()
	known := map[string]bool{}
	for _, b := range behaviours {
		known["no "+b.name] = true
		for _, p := range b.programs {
			known[p], known["no "+p] = true, true
			_, is := l.sections[p]
			if _, cannot := l.sections["no "+p]; is && cannot {
				t.Errorf("there are both a program %q and a reason for none", p)
			}
			if !is && l.excuse(b) == "" {
				t.Errorf("behaviour %q: there is neither a program %q nor a section %q that says why", b.name, p, "no "+b.name)
			}
		}
	}
	for name := range l.sections {
		if !known[name] {
			t.Errorf("no behaviour has a program %q", name)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// request is a program of the language as a request.
func (l *language) request(t *testing.T, program string) host.Request {
	t.Helper()
	code, ok := l.sections[program]
	if !ok && program != "empty" {
		t.Fatalf("no program %q", program)
	}
	return host.Request{Language: l.Name, Code: []byte(code), Filename: "main" + l.Extensions[0]}
}

func (l *language) execute(t *testing.T, r host.Request) *host.Result {
	t.Helper()
	result, err := l.host.Execute(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// run runs a program as it is.
func (l *language) run(t *testing.T, program string) *host.Result {
	t.Helper()
	return l.execute(t, l.request(t, program))
}

// expect reports a result that is not as expected, shortly.
func expect(t *testing.T, r *host.Result, status host.Status, exitCode int, stdout string) {
	t.Helper()
	if r.Status != status || r.ExitCode != exitCode || r.Success != (status == host.StatusOK) || r.Success != (r.Error == nil) {
		t.Errorf("status %s, exit code %d, success %t, stderr %.1000q, error %+v; want %s, %d",
			r.Status, r.ExitCode, r.Success, r.Stderr, r.Error, status, exitCode)
	}
	if r.Stdout != stdout {
		t.Errorf("stdout %.300q, want %.300q", r.Stdout, stdout)
	}
	if r.FuelConsumed == 0 || r.FuelConsumed > r.FuelBudget {
		t.Errorf("consumed %d of %d fuel", r.FuelConsumed, r.FuelBudget)
	}
}
