package guestfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
)

// BenchmarkCalls compares the calls that programs make most with those of
// wazero's own directory, which confines nothing.
func BenchmarkCalls(b *testing.B) {
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"f", "a/b/f"} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 4096), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	writable, readOnly := new(FS), new(FS)
	for _, f := range []*FS{writable, readOnly} {
		mount := Mount{Guest: "/app", Writable: f == writable, Root: openRoot(b, dir)}
		if err := f.Bind(Options{Mounts: []Mount{mount}, Limits: roomy}); err != nil {
			b.Fatal(err)
		}
		defer f.Close()
	}
	for _, subject := range []struct {
		name, prefix string
		fs           sys.FS
	}{
		{"wazero", "", sysfs.DirFS(dir)},
		{"read-only", "app/", readOnly},
		{"writable", "app/", writable},
	} {
		for _, path := range []string{"f", "a/b/f"} {
			benchmarkFile(b, subject.name+"/"+path, subject.fs, subject.prefix+path)
		}
	}
	b.Run("bind", func(b *testing.B) {
		o := Options{Mounts: []Mount{{Guest: "/app", Writable: true, Root: openRoot(b, dir)}, {Guest: "/data", Root: openRoot(b, dir)}}}
		b.ReportAllocs()
		for b.Loop() {
			f := new(FS)
			if err := f.Bind(o); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmarkFile(b *testing.B, name string, fsys sys.FS, path string) {
	b.Run(name+"/stat", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, errno := fsys.Stat(path); errno != 0 {
				b.Fatal(errno)
			}
		}
	})
	b.Run(name+"/open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			file, errno := fsys.OpenFile(path, sys.O_RDONLY, 0)
			if errno != 0 {
				b.Fatal(errno)
			}
			file.Close()
		}
	})
	b.Run(name+"/read", func(b *testing.B) {
		file, errno := fsys.OpenFile(path, sys.O_RDONLY, 0)
		if errno != 0 {
			b.Fatal(errno)
		}
		defer file.Close()
		buf := make([]byte, 4096)
		b.SetBytes(4096)
		for b.Loop() {
			if n, errno := file.Pread(buf, 0); n != len(buf) || errno != 0 {
				b.Fatal(n, errno)
			}
		}
	})
}
