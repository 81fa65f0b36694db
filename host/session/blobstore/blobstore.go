// Package blobstore keeps sessions in a bucket: S3 and what speaks like it, Azure
// Blob Storage, Google Cloud Storage, or any other bucket that gocloud.dev has a
// driver for. A session that was used on one machine goes on, files and interpreter,
// on another.
//
// A bucket holds, below a prefix:
//
//	commits/OWNER/ID/N       what a session was after its commit N; the highest counts
//	data/OWNER/ID/LIFE/NAME  archives of workspaces, states, long records of turns
//	leases/OWNER/ID          who works on it
//
// Data is never changed: each object is written once, under a random name, and named
// by a commit with its size and SHA-256. A commit is made by creating object N+1 on
// the condition that it is not there (If-None-Match), and all that it names is in the
// bucket by then. An empty one says that the session was deleted.
//
// # What is guaranteed
//
// A session is always as its highest commit says, and each commit was made by one
// that had seen the commit before it as the highest. Of two nodes that work on the
// same turn, however that came about, one commits; the other gets
// [session.ErrConflict], and nothing of the winner's is touched.
//
// The lease only keeps nodes from doing work in vain. It is written by one node at a
// time, renewed while that lives, and taken over once it was not for [Options.Lease],
// by the clocks of the two nodes. So it may have two holders: where a node stalled,
// or lost its connection, or where clocks differ. The commit is what decides then.
//
//   - A node that dies leaves its lease, which another waits for, and objects that no
//     commit names. On the same node, nobody waits: a lock of the operating system
//     tells that the process is gone.
//   - A node that stalls and wakes up commits if nobody else has, else it gets the
//     conflict.
//   - When a connection is lost while a commit is made, the commit is looked for. If
//     that fails too, the caller gets an error and cannot know: the session is as
//     before the call or, from then or a little later on, as after it.
//
// For all that the bucket must be strongly consistent, also in listings, and must
// honour the condition. The four above do and are; [Open] tries out the latter.
// gocloud.dev's fileblob does not between processes: use [session.Disk].
//
// # What is left behind
//
// A commit is followed by the deletion of what it no longer names, in
// [Storage.Keep]; a session's deletion by that of its data. What is left of nodes
// that died meanwhile, and of deleted sessions the empty commit, goes with
// [Storage.Sweep] once it is older than [Options.Abandoned].
//
// # Hostile buckets
//
// Whoever can write to the bucket can change sessions: commits are checked, not
// signed. What is read is bounded all the same ([Options.Limits], [Options.MaxImage]),
// compared with its checksum, and unpacked by package workspace into a directory of
// this package's. Names in commits are plain and lie in the session's own data.
package blobstore

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/internal/owned"
)

// Options configure a Storage.
type Options struct {
	// Bucket holds the sessions. Required; closing it is the caller's.
	Bucket *blob.Bucket
	// Prefix is what the names of all objects begin with.
	Prefix string
	// Cache is a directory of this machine, made with mode 0700 if it is not there,
	// in which programs run and copies are kept. Required. Several processes may
	// share one, on Unix; it belongs to one bucket and prefix.
	Cache string
	// Limits are the largest workspace that is written or read; zero fields mean
	// those of [DefaultLimits].
	Limits workspace.Limits
	// MaxImage is the largest state of an interpreter; 0 means [DefaultMaxImage].
	MaxImage int64
	// Lease is for how long a node that does not renew it keeps a session; 0 means
	// [DefaultLease].
	Lease time.Duration
	// Timeout is how long one request may take, without the time for its content,
	// for which a slow connection is assumed; 0 means [DefaultTimeout].
	Timeout time.Duration
	// Abandoned is how old an object must be before Sweep takes it for one that
	// nobody will name any more; 0 means [DefaultAbandoned]. It must be longer than
	// a commit takes, and than a lost one may be on its way.
	Abandoned time.Duration
}

// What holds where nothing else is said.
const (
	DefaultMaxImage  = 1 << 30
	DefaultLease     = 30 * time.Second
	DefaultTimeout   = 30 * time.Second
	DefaultAbandoned = 24 * time.Hour
)

// DefaultLimits are the largest workspace where nothing else is said.
var DefaultLimits = workspace.Limits{Bytes: 64 << 30, Entries: 4 << 20}

// Storage is [session.Storage] in a bucket. It is safe for concurrent use.
type Storage struct {
	o    Options
	node string // a random name, the same for all processes that share the cache
	sync bool   // local copies must survive a crash of the machine

	mu   sync.Mutex
	held map[session.Key]*state // sessions that this process has locked
}

var _ session.Storage = (*Storage)(nil)

// Open opens the sessions in a bucket. The first time, it tries whether the bucket
// refuses to create what is there already.
func Open(ctx context.Context, o Options) (*Storage, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the sessions' bucket: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, o Options) (*Storage, error) {
	if o.Limits.Bytes == 0 {
		o.Limits.Bytes = DefaultLimits.Bytes
	}
	if o.Limits.Entries == 0 {
		o.Limits.Entries = DefaultLimits.Entries
	}
	if o.MaxImage == 0 {
		o.MaxImage = DefaultMaxImage
	}
	for _, d := range []struct {
		to    *time.Duration
		value time.Duration
	}{{&o.Lease, DefaultLease}, {&o.Timeout, DefaultTimeout}, {&o.Abandoned, DefaultAbandoned}} {
		if *d.to == 0 {
			*d.to = d.value
		}
	}
	var err error
	if o.Cache, err = filepath.Abs(o.Cache); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Cache, 0o700); err != nil { //nolint:gosec // the operator names the directory
		return nil, err
	}
	info, err := os.Stat(o.Cache)
	if err == nil {
		err = owned.Check(o.Cache, info, owned.Nothing)
	}
	if err != nil {
		return nil, err
	}
	s := &Storage{o: o, held: map[session.Key]*state{}}
	if err := s.checkBoot(ctx); err != nil {
		return nil, err
	}
	if s.node, err = s.nodeName(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// nodeName reads the name of this node from the cache. Where there is none, the
// bucket is new to this node, and tried out.
func (s *Storage) nodeName(ctx context.Context) (string, error) {
	name := filepath.Join(s.o.Cache, nodeFile)
	for {
		data, err := readFile(name, maxName)
		if err == nil && plain(string(data)) {
			return string(data), nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if err := s.tryOut(ctx); err != nil {
			return "", err
		}
		// Of several processes that are the first at once, the last gives its name to
		// all that come.
		if err := writeFile(s.o.Cache, nodeFile, []byte(rand.Text())); err != nil {
			return "", err
		}
	}
}

// tryOut creates an object twice.
func (s *Storage) tryOut(ctx context.Context) error {
	name := s.o.Prefix + "tried/" + rand.Text()
	if err := s.create(ctx, name, []byte("1")); err != nil {
		return err
	}
	err := s.create(ctx, name, []byte("2"))
	removed := s.remove(ctx, name)
	if err == nil {
		return errors.New("the bucket replaces an object that was to be created only if it is not there (If-None-Match); sessions would be lost in it")
	}
	if gcerrors.Code(err) != gcerrors.FailedPrecondition {
		return err
	}
	return removed
}

// Names below the cache directory and below a session's directory in it.
const (
	nodeFile  = "node"
	lockFile  = "lock"
	localFile = "local.json"
	filesDir  = "turns"
	imagesDir = "images"
)

// Dir is the local directory of a session: all that a process has to reach, beside
// the bucket, to work in it. It is made if it is not there.
func (s *Storage) Dir(k session.Key) (string, error) {
	dir := filepath.Join(s.o.Cache, ownerName(k.Owner), k.ID)
	for _, sub := range []string{filesDir, imagesDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil { //nolint:gosec // keys are plain names
			return "", err
		}
	}
	return dir, nil
}

// ownerCode writes owners as plain names and keeps them apart.
var ownerCode = base32.HexEncoding.WithPadding(base32.NoPadding)

const (
	localOwner  = "local"
	ownerPrefix = "of-"
)

func ownerName(owner string) string {
	if owner == "" {
		return localOwner
	}
	return ownerPrefix + strings.ToLower(ownerCode.EncodeToString([]byte(owner)))
}

// ownerOf is the inverse of ownerName; false for what is no owner's name.
func ownerOf(name string) (string, bool) {
	if name == localOwner {
		return "", true
	}
	code, ok := strings.CutPrefix(name, ownerPrefix)
	if !ok {
		return "", false
	}
	owner, err := ownerCode.DecodeString(strings.ToUpper(code))
	return string(owner), err == nil && len(owner) > 0 && len(owner) <= session.MaxOwner
}

// Owners implements [session.Storage].
func (s *Storage) Owners(ctx context.Context) ([]string, error) {
	var owners []string
	prefix := s.o.Prefix + commitsDir
	err := s.list(ctx, &blob.ListOptions{Prefix: prefix, Delimiter: "/"}, func(o *blob.ListObject) error {
		if owner, ok := ownerOf(strings.TrimSuffix(strings.TrimPrefix(o.Key, prefix), "/")); ok {
			owners = append(owners, owner)
		}
		return nil
	})
	return owners, err
}

// Sessions implements [session.Storage]. It takes a request for each thousand.
func (s *Storage) Sessions(ctx context.Context, owner string) ([]string, error) {
	var ids []string
	err := s.eachSession(ctx, s.o.Prefix+commitsDir+ownerName(owner)+"/", func(k session.Key, commits []listed) error {
		if k.Owner == owner && commits[len(commits)-1].size > 0 {
			ids = append(ids, k.ID)
		}
		return nil
	})
	return ids, err
}

// Record implements [session.Storage].
func (s *Storage) Record(ctx context.Context, k session.Key) ([]byte, error) {
	st, err := s.state(ctx, k)
	if err != nil {
		return nil, err
	}
	return st.commit.Record, nil
}

// SetRecord implements [session.Storage]: it commits. See the package's comment for
// what that means, and for [session.ErrConflict].
func (s *Storage) SetRecord(ctx context.Context, k session.Key, data []byte) error {
	st, err := s.state(ctx, k)
	if err != nil {
		return err
	}
	return s.advance(ctx, k, st, data)
}

// Size implements [session.Storage]. Files count with their own sizes, not those of
// archives.
func (s *Storage) Size(ctx context.Context, k session.Key) (int64, error) {
	st, err := s.state(ctx, k)
	if err != nil {
		return 0, err
	}
	size := int64(len(st.commit.Record))
	for _, t := range st.turns() {
		bytes := t.Bytes
		if dir, ok := s.local(k, st, t.Number); ok {
			used, err := measure(ctx, dir)
			if err != nil {
				return 0, err
			}
			bytes = used.Bytes
		}
		size += bytes
		if t.Record != nil {
			size += t.Record.Size
		}
	}
	for _, i := range st.images() {
		size += i.Size
	}
	return size, nil
}

func measure(ctx context.Context, dir string) (workspace.Usage, error) {
	w, err := workspace.Open(dir, workspace.Limits{})
	if err != nil {
		return workspace.Usage{}, err
	}
	used, err := w.Measure(ctx)
	return used, errors.Join(err, w.Close())
}
