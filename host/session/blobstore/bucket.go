package blobstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/sandboxd/sandboxd/host/session"
)

// Directories of a bucket.
const (
	commitsDir = "commits/"
	dataDir    = "data/"
	leasesDir  = "leases/"
)

func (s *Storage) path(dir string, k session.Key) string {
	return s.o.Prefix + dir + ownerName(k.Owner) + "/" + k.ID
}

func (s *Storage) commitName(k session.Key, number uint64) string {
	return fmt.Sprintf("%s/%0*d", s.path(commitsDir, k), commitDigits, number)
}

func (s *Storage) dataName(k session.Key, life, name string) string {
	return s.path(dataDir, k) + "/" + life + "/" + name
}

// commitDigits is how long the number of a commit is written, so that they are listed
// in order.
const commitDigits = 16

// slowest is the rate, in bytes a second, at which requests with much content are
// given up.
const slowest = 128 << 10

// patience bounds one request that moves so many bytes.
func (s *Storage) patience(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.o.Timeout+time.Duration(size/slowest)*time.Second)
}

// create makes an object, unless it is there: FailedPrecondition.
func (s *Storage) create(ctx context.Context, name string, data []byte) error {
	return s.put(ctx, name, data, true)
}

func (s *Storage) put(ctx context.Context, name string, data []byte, ifNotThere bool) error {
	ctx, cancel := s.patience(ctx, int64(len(data)))
	defer cancel()
	return s.o.Bucket.WriteAll(ctx, name, data, &blob.WriterOptions{
		ContentType: contentType, DisableContentTypeDetection: true, IfNotExist: ifNotThere,
	})
}

const contentType = "application/octet-stream"

// upload writes a long object of a size that is known.
func (s *Storage) upload(ctx context.Context, name string, from io.Reader, size int64) error {
	ctx, cancel := s.patience(ctx, size)
	defer cancel()
	return s.o.Bucket.Upload(ctx, name, from, &blob.WriterOptions{
		ContentType: contentType, BufferSize: partSize, MaxConcurrency: 2,
	})
}

// partSize is in what pieces long objects are written; S3 takes ten thousand.
const partSize = 8 << 20

// remove deletes an object. That it is not there is no error.
func (s *Storage) remove(ctx context.Context, name string) error {
	ctx, cancel := s.patience(ctx, 0)
	defer cancel()
	if err := s.o.Bucket.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return err
	}
	return nil
}

// read reads an object of at most so many bytes.
func (s *Storage) read(ctx context.Context, name string, most int64) (_ []byte, err error) {
	ctx, cancel := s.patience(ctx, most)
	defer cancel()
	r, err := s.o.Bucket.NewReader(ctx, name, nil)
	if err != nil {
		return nil, notFound(err)
	}
	defer func() { _ = r.Close() }() // opened for reading
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, most+1))
	if err != nil {
		return nil, unreachable(err)
	}
	if n > most {
		return nil, errLong
	}
	return b.Bytes(), nil
}

// fetch reads what a commit names and compares it with what the commit says of it.
func (s *Storage) fetch(ctx context.Context, k session.Key, life string, r *blobRef, most int64) ([]byte, error) {
	if r.Name == "" {
		return r.Inline, nil
	}
	if r.Size > most {
		return nil, damaged(k, r.Name, fmt.Errorf("%d bytes, at most %d are read", r.Size, most))
	}
	data, err := s.read(ctx, s.dataName(k, life, r.Name), r.Size)
	if err == nil && digestOf(data) != r.SHA256 {
		err = errChanged
	}
	if errors.Is(err, errChanged) || errors.Is(err, errLong) {
		return nil, damaged(k, r.Name, err)
	}
	return data, err
}

var (
	errChanged = errors.New("its checksum is wrong")
	errLong    = errors.New("it is too long")
)

// notFound gives an error about something that cannot be read its class.
func notFound(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return session.ErrNotFound
	}
	return unreachable(err)
}

func unreachable(err error) error { return fmt.Errorf("%w: %w", session.ErrUnreachable, err) }

// list visits objects in the order of their names.
func (s *Storage) list(ctx context.Context, o *blob.ListOptions, visit func(*blob.ListObject) error) error {
	token := blob.FirstPageToken
	for token != nil {
		page, cancel := s.patience(ctx, 0)
		objects, next, err := s.o.Bucket.ListPage(page, token, pageSize, o)
		cancel()
		if err != nil {
			return unreachable(err)
		}
		for _, object := range objects {
			if err := visit(object); err != nil {
				return err
			}
		}
		token = next
	}
	return nil
}

// pageSize is how many objects a bucket lists at once, at most.
const pageSize = 1000

// listed is a commit as it is listed. Of an empty one the session was deleted.
type listed struct {
	number uint64
	size   int64
	time   time.Time
}

// eachSession visits the sessions below a prefix, with their commits in order; there
// is at least one.
func (s *Storage) eachSession(ctx context.Context, prefix string, visit func(session.Key, []listed) error) error {
	var k session.Key
	var commits []listed
	flush := func() error {
		if len(commits) == 0 {
			return nil
		}
		err := visit(k, commits)
		commits = commits[:0]
		return err
	}
	err := s.list(ctx, &blob.ListOptions{Prefix: prefix}, func(o *blob.ListObject) error {
		at, number, ok := s.parseCommit(o.Key)
		if !ok {
			return nil // not ours
		}
		if at != k {
			if err := flush(); err != nil {
				return err
			}
			k = at
		}
		if len(commits) == maxListed {
			return damaged(k, "its commits", fmt.Errorf("there are more than %d", maxListed))
		}
		commits = append(commits, listed{number, o.Size, o.ModTime})
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// maxListed bounds the commits of one session that were not deleted yet.
const maxListed = 1 << 16

// parseCommit takes the name of a commit apart; false for what is none.
func (s *Storage) parseCommit(name string) (k session.Key, number uint64, ok bool) {
	parts := strings.Split(strings.TrimPrefix(name, s.o.Prefix+commitsDir), "/")
	if len(parts) != 3 || len(parts[2]) != commitDigits || session.CheckID(parts[1]) != nil {
		return k, 0, false
	}
	owner, ok := ownerOf(parts[0])
	number, err := strconv.ParseUint(parts[2], 10, 64)
	return session.Key{Owner: owner, ID: parts[1]}, number, ok && err == nil
}

// commits lists those of one session, in order.
func (s *Storage) commits(ctx context.Context, k session.Key) ([]listed, error) {
	var all []listed
	err := s.eachSession(ctx, s.path(commitsDir, k)+"/", func(_ session.Key, commits []listed) error {
		all = append(all, commits...)
		return nil
	})
	return all, err
}
