package blobstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/internal/s3test"
)

// changes is a program that changes one file and a state of a size.
type changes struct {
	files, bytes int
	number       int
}

func (c *changes) Execute(_ context.Context, r host.Request) (*host.Result, error) {
	c.number++
	content := strings.Repeat("x", c.bytes)
	for i := range c.files {
		name := filepath.Join(r.Workspace, fmt.Sprint(i))
		if _, err := os.Stat(name); err == nil && i > 0 {
			continue
		}
		if err := os.WriteFile(name, fmt.Append(nil, c.number, content), 0o600); err != nil {
			return nil, err
		}
	}
	return &host.Result{Success: true, Status: host.StatusOK, State: fmt.Append(make([]byte, 1<<20), c.number)}, nil
}

// BenchmarkTurn is what a turn costs on top of its call, with a state of 1 MB and a
// server on this machine. "moving" is the first turn on another node.
func BenchmarkTurn(b *testing.B) {
	server := s3test.Start(b)
	bucket := openBucket(b, server.URL(server.Address))
	for _, c := range []changes{{0, 0, 0}, {10, 1000, 0}, {20, 1 << 20, 0}, {1000, 1000, 0}} {
		for _, moving := range []bool{false, true} {
			b.Run(fmt.Sprintf("files=%d/bytes=%d/moving=%v", c.files, c.bytes, moving), func(b *testing.B) {
				nodes := []*Storage{node(b, bucket, Options{}), node(b, bucket, Options{})}
				k := made(b, nodes[0], fmt.Sprintf("s%d-%v-%d", c.files, moving, b.N))
				turn := func(n *Storage) {
					if _, err := store(n).Run(b.Context(), &c, k, session.Call{History: 1}); err != nil {
						b.Fatal(err)
					}
				}
				turn(nodes[0])
				b.ResetTimer()
				for i := range b.N {
					if moving {
						turn(nodes[(i+1)%2])
					} else {
						turn(nodes[0])
					}
				}
			})
		}
	}
}
