package host_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// cacheDir is shared by all tests, and with the user's own runs: preparing a
// runtime takes long, and what lies there is keyed by what went into it.
func cacheDir(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("SANDBOXD_CACHE_DIR"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(dir, "sandboxd")
}

func open(tb testing.TB, o host.Options) *host.Host {
	tb.Helper()
	if o.CacheDir == "" {
		o.CacheDir = cacheDir(tb)
	}
	h, err := host.Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return h
}

// testPolicy has profiles whose every limit a request may change either way, so
// that a test names the limits it is about.
const testPolicy = `
[profiles.free]
extends     = "strict"
fuel        = 4_000_000_000
memory      = "64MiB"
timeout     = "60s"
overridable = ["fuel", "memory", "stdout", "stderr", "timeout", "disk.quota", "disk.files"]

[profiles.endless]
extends = "free"
fuel    = 1_000_000_000_000

[profiles.stop]
extends      = "free"
output_limit = "stop"
`

func policy(tb testing.TB, text string) *policies.Policy {
	tb.Helper()
	p, err := policies.Parse("sandbox.toml", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// sharedHost is what tests run on that need no host of their own: loading a
// prepared runtime takes a while.
var sharedHost struct {
	sync.Mutex
	host *host.Host
}

// shared returns the host of most tests, under testPolicy.
func shared(tb testing.TB) *host.Host {
	tb.Helper()
	sharedHost.Lock()
	defer sharedHost.Unlock()
	if sharedHost.host != nil {
		return sharedHost.host
	}
	h, err := host.Open(tb.Context(), host.Options{CacheDir: cacheDir(tb), Policy: policy(tb, testPolicy)})
	if err != nil {
		tb.Fatal(err)
	}
	sharedHost.host = h
	return h
}

func TestMain(m *testing.M) {
	code := m.Run()
	if h := sharedHost.host; h != nil {
		if err := h.Close(); err != nil {
			_, _ = os.Stderr.WriteString("close the shared host: " + err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}

// python is a program under the strict profile.
func python(code string) host.Request {
	return host.Request{Language: "python", Code: []byte(code)}
}

// free is a program under a profile that lets a test set every limit.
func free(code string, o policies.Overrides) host.Request {
	return host.Request{Language: "python", Code: []byte(code), Profile: "free", Overrides: o}
}

// languageVersion is the version of a language that the tests run.
func languageVersion(tb testing.TB, language string) string {
	tb.Helper()
	registry, err := runtimes.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	definition, err := registry.Lookup(language)
	if err != nil {
		tb.Fatal(err)
	}
	store, err := runtimes.OpenStore(cacheDir(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return store.Prefer(definition).Version
}

func execute(tb testing.TB, h *host.Host, r host.Request) *host.Result {
	tb.Helper()
	result, err := h.Execute(tb.Context(), r)
	if err != nil {
		tb.Fatalf("Execute(%.200q): %v", r.Code, err)
	}
	return result
}

// BenchmarkHello runs the smallest program of each language.
func BenchmarkHello(b *testing.B) {
	for language, request := range map[string]host.Request{
		"python":     python(`print("hi")`),
		"javascript": javascript(`console.log("hi")`),
	} {
		h := open(b, host.Options{})
		execute(b, h, request)
		run := func(b *testing.B) {
			b.Helper()
			r := execute(b, h, request)
			if r.Stdout != "hi\n" {
				b.Fatalf("got %+v", r)
			}
		}
		b.Run(language+"/sequential", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run(b)
			}
		})
		b.Run(language+"/parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					run(b)
				}
			})
		})
	}
}

// paths are the names of files that a result lists.
func paths(files []host.File) []string {
	var names []string
	for _, f := range files {
		names = append(names, f.Path)
	}
	return names
}

// unadvised is an error without its guidance, of which there must be some.
func unadvised(tb testing.TB, e *host.GuestError) *host.GuestError {
	tb.Helper()
	if e == nil {
		return nil
	}
	if len(e.Guidance) == 0 {
		tb.Errorf("%s: %s: there is no guidance", e.Type, e.Message)
	}
	without := *e
	without.Guidance = []string{}
	return &without
}
