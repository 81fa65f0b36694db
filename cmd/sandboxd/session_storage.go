package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"

	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/session/blobstore"
	"github.com/sandboxd/sandboxd/policies"
)

// storage is where the user's sessions are, and what a process must reach to work in
// one.
type storage struct {
	session.Storage

	sweep  func(context.Context) error       // nil where that is not needed
	root   string                            // of all sessions, on this machine
	dir    func(session.Key) (string, error) // of one of them
	remote bool                              // it needs the network
}

// Sweep implements [session.Sweeper].
func (s *storage) Sweep(ctx context.Context) error {
	if s.sweep == nil {
		return nil
	}
	return s.sweep(ctx)
}

// storage opens the storage that the policy names.
func (a *app) storage(ctx context.Context) (*storage, error) {
	policy, err := a.policy()
	if err != nil {
		return nil, err
	}
	return a.openStorage(ctx, policy.Server().Sessions)
}

func (a *app) openStorage(ctx context.Context, s policies.ServerSessions) (*storage, error) {
	data, err := a.data()
	if err != nil {
		return nil, err
	}
	if s.Bucket != "" {
		return openBucket(ctx, s, data)
	}
	dir := s.Dir
	if dir == "" {
		dir = filepath.Join(data, "sessions")
	}
	disk, err := session.OpenDisk(dir)
	if err != nil {
		return nil, err
	}
	return &storage{Storage: disk, root: dir, dir: func(k session.Key) (string, error) { return disk.Dir(k), nil }}, nil
}

// openBucket opens sessions in a bucket. The local copies of two buckets, or of two
// prefixes in one, are kept apart.
func openBucket(ctx context.Context, s policies.ServerSessions, data string) (*storage, error) {
	u, err := url.Parse(s.Bucket)
	if err != nil {
		return nil, err // the policy was checked
	}
	if u.Scheme != s3blob.Scheme {
		return nil, fmt.Errorf("[server.sessions] storage: this sandboxd has no driver for %s://; it has those for file:// and s3://, and a program that embeds the host may bring any", u.Scheme)
	}
	// Each object is compared with a checksum of our own. The SDK would say on standard
	// error that some servers give none.
	const validation = "response_checksum_validation"
	if q := u.Query(); !q.Has(validation) {
		q.Set(validation, "when_required")
		u.RawQuery = q.Encode()
	}
	// What the AWS SDK takes from the environment, the credentials among it, it takes
	// now.
	bucket, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, fmt.Errorf("[server.sessions] storage: %w", err)
	}
	cache := s.Cache
	if cache == "" {
		cache = filepath.Join(data, "sessions-cache")
	}
	sum := sha256.Sum256([]byte(s.Bucket + "\n" + s.Prefix))
	root := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	remote, err := blobstore.Open(ctx, blobstore.Options{
		Bucket: bucket, Prefix: s.Prefix, Cache: root,
	})
	if err != nil {
		return nil, err
	}
	return &storage{Storage: remote, root: root, sweep: remote.Sweep, dir: remote.Dir, remote: true}, nil
}

// sessions opens the user's sessions.
func (a *app) sessions(ctx context.Context) (*session.Store, error) {
	s, err := a.storage(ctx)
	if err != nil {
		return nil, err
	}
	return session.New(session.Options{Storage: s}), nil
}
