package blobstore

import (
	"path/filepath"
	"testing"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // s3://

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/session/sessiontest"
	"github.com/sandboxd/sandboxd/internal/s3test"
)

// TestS3IsAStorage runs against a server that is a process of its own.
func TestS3IsAStorage(t *testing.T) {
	server := s3test.Start(t)
	sessiontest.Storage(t, func(t *testing.T, dir string) session.Storage {
		return opened(t, Options{Bucket: openBucket(t, server.URL(server.Address)), Prefix: filepath.Base(t.Name()) + "/", Cache: dir})
	})
}

func openBucket(t testing.TB, url string) *blob.Bucket {
	t.Helper()
	bucket, err := blob.OpenBucket(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	return bucket
}
