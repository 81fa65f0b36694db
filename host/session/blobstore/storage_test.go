package blobstore

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/session/sessiontest"
)

func TestABucketInMemoryIsAStorage(t *testing.T) {
	var mu sync.Mutex
	buckets := map[string]*blob.Bucket{}
	sessiontest.Storage(t, func(t *testing.T, dir string) session.Storage {
		mu.Lock()
		defer mu.Unlock()
		if buckets[dir] == nil {
			buckets[dir] = memblob.OpenBucket(nil)
		}
		return opened(t, Options{Bucket: buckets[dir], Prefix: "some/where/", Cache: dir})
	})
}

// oneByOne makes sessions one after the other: fileblob looks whether an object is
// there and then renames its file.
type oneByOne struct {
	*Storage

	mu *sync.Mutex
}

func (s oneByOne) Create(ctx context.Context, k session.Key, record []byte, turn session.TurnData, from *session.Place) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Storage.Create(ctx, k, record, turn, from)
}

func TestABucketOfFilesIsAStorage(t *testing.T) {
	sessiontest.Storage(t, func(t *testing.T, dir string) session.Storage {
		bucket, err := fileblob.OpenBucket(dir+"-bucket", &fileblob.Options{CreateDir: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = bucket.Close() })
		return oneByOne{opened(t, Options{Bucket: bucket, Cache: filepath.Clean(dir)}), new(sync.Mutex)}
	})
}

func opened(t testing.TB, o Options) *Storage {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
