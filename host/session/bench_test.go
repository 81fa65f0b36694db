package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
)

// idle is a program that does nothing.
var idle = executor(func(context.Context, request) (*result, error) {
	return &host.Result{Success: true, Status: host.StatusOK}, nil
})

// BenchmarkTurn is what a session adds to a call, for workspaces of several sizes,
// with a turn of history and without.
func BenchmarkTurn(b *testing.B) {
	for _, size := range []struct {
		name         string
		files, bytes int
	}{{"empty", 0, 0}, {"10x1KB", 10, 1000}, {"20x1MB", 20, 1 << 20}, {"1000x1KB", 1000, 1000}} {
		for history := range 2 {
			b.Run(fmt.Sprintf("%s/history=%d", size.name, history), func(b *testing.B) {
				s, _ := openStore(b)
				k := created(b, s, "s")
				ran(b, s, k, 0, fills(size.files, size.bytes))
				for b.Loop() {
					ran(b, s, k, history, idle)
				}
			})
		}
	}
}

// fills is a program that writes so many files.
func fills(files, size int) executor {
	return func(_ context.Context, r request) (*result, error) {
		for i := range files {
			if err := writes(r, fmt.Sprint(i), strings.Repeat("x", size)); err != nil {
				return nil, err
			}
		}
		return &host.Result{Success: true, Status: host.StatusOK, State: make([]byte, 100<<10)}, nil
	}
}

func BenchmarkFork20MB(b *testing.B) {
	s, _ := openStore(b)
	k := created(b, s, "s")
	ran(b, s, k, 0, fills(20, 1<<20))
	for b.Loop() {
		if _, err := s.Fork(b.Context(), k, -1, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList10000 lists ten thousand sessions.
func BenchmarkList10000(b *testing.B) {
	s, d := openStore(b)
	k := created(b, s, "s")
	record, err := d.Record(b.Context(), k)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 9999 { // without what makes them last
		dir := d.Dir(Key{ID: fmt.Sprint("s", i)})
		if err := os.Mkdir(dir, 0o700); err != nil {
			b.Fatal(err)
		}
		data := strings.Replace(string(record), `"id":"s"`, fmt.Sprintf(`"id":"s%d"`, i), 1)
		if err := os.WriteFile(filepath.Join(dir, recordFile), []byte(data), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		list, err := s.List(b.Context(), "")
		if err != nil || len(list) != 10_000 || list[0].Damaged != "" {
			b.Fatal(len(list), err)
		}
	}
}
