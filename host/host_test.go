package host_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sandboxd/sandboxd/host"
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

func python(code string) host.Request {
	return host.Request{Language: "python", Code: []byte(code)}
}

func execute(tb testing.TB, h *host.Host, r host.Request) *host.Result {
	tb.Helper()
	result, err := h.Execute(tb.Context(), r)
	if err != nil {
		tb.Fatalf("Execute(%.200q): %v", r.Code, err)
	}
	return result
}

func BenchmarkHello(b *testing.B) {
	h := open(b, host.Options{})
	execute(b, h, python(`print("hi")`))
	run := func(b *testing.B) {
		r := execute(b, h, python(`print("hi")`))
		if r.Stdout != "hi\n" {
			b.Fatalf("got %+v", r)
		}
	}
	b.Run("sequential", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			run(b)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				run(b)
			}
		})
	})
}
