package blobstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"syscall"

	"github.com/klauspost/compress/zstd"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
)

// Begin implements [session.Storage].
func (s *Storage) Begin(ctx context.Context, k session.Key, number, from int) error {
	st, err := s.state(ctx, k)
	if err != nil {
		return err
	}
	source, copied := "", (*blobRef)(nil)
	if from >= 0 {
		if source, err = s.workspace(ctx, k, st, from); err != nil {
			return err
		}
		if t := st.turn(from); t != nil {
			copied = t.Files
		}
	}
	next := st.clone()
	if b := next.Begun[number]; b != nil {
		if err := workspace.Delete(ctx, s.localPath(k, filesDir, b.Dir)); err != nil {
			return err
		}
	}
	name, err := s.stage(ctx, k, source)
	if err != nil {
		return err
	}
	next.Begun[number] = &begun{Dir: name, From: copied}
	return s.note(k, next)
}

// stage makes a local workspace with a copy of what is in a directory, or an empty
// one.
func (s *Storage) stage(ctx context.Context, k session.Key, source string) (name string, err error) {
	if _, err := s.Dir(k); err != nil {
		return "", err
	}
	name = "new-" + rand.Text()
	dir := s.localPath(k, filesDir, name)
	if err := os.Mkdir(dir, 0o700); err != nil || source == "" {
		return name, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, workspace.Delete(context.WithoutCancel(ctx), dir))
		}
	}()
	from, err := workspace.Open(source, workspace.Limits{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := workspace.Open(dir, s.o.Limits)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	// What is left out are links and devices, which no program makes.
	_, _, err = from.CopyTo(ctx, to)
	return name, err
}

// Workspace implements [session.Storage]. It brings the files here if need be.
func (s *Storage) Workspace(ctx context.Context, k session.Key, number int) (string, error) {
	st, err := s.state(ctx, k)
	if err != nil {
		return "", err
	}
	return s.workspace(ctx, k, st, number)
}

func (s *Storage) workspace(ctx context.Context, k session.Key, st *state, number int) (string, error) {
	dir, ok := s.local(k, st, number)
	if ok {
		return dir, nil
	}
	t := st.commit.turn(number)
	if t == nil || st.Begun[number] != nil {
		return "", session.ErrNotFound
	}
	if _, err := s.Dir(k); err != nil {
		return "", err
	}
	temp := s.localPath(k, filesDir, workspace.TempPrefix+rand.Text())
	if err := os.Mkdir(temp, 0o700); err != nil {
		return "", err
	}
	err := s.unpack(ctx, k, st.commit.Life, t, temp)
	if err == nil {
		if err = os.Rename(temp, dir); err == nil {
			return dir, nil
		}
		if info, there := os.Lstat(dir); there == nil && info.IsDir() {
			err = nil // somebody else of this node was faster
		}
	}
	return dir, errors.Join(err, workspace.Delete(context.WithoutCancel(ctx), temp))
}

// Turn implements [session.Storage].
func (s *Storage) Turn(ctx context.Context, k session.Key, number int) ([]byte, error) {
	st, err := s.state(ctx, k)
	if err != nil {
		return nil, err
	}
	t := st.turn(number)
	if t == nil {
		return nil, session.ErrNotFound
	}
	return s.fetch(ctx, k, st.commit.Life, t.Record, maxRecord)
}

// SetTurn implements [session.Storage]: it takes the turn's files to the bucket,
// unless they are those that the turn began with.
func (s *Storage) SetTurn(ctx context.Context, k session.Key, data session.TurnData) error {
	st, err := s.state(ctx, k)
	if err != nil {
		return err
	}
	dir, ok := s.local(k, st, data.Number)
	if !ok {
		return session.ErrNotFound
	}
	var same *blobRef
	if t := st.turn(data.Number); t != nil {
		same = t.Files
	} else if b := st.Begun[data.Number]; b != nil {
		same = b.From
	}
	t, err := s.store(ctx, k, st.commit.Life, data, dir, same)
	if err != nil {
		_, forgotten := s.forget(ctx, k, st)
		return errors.Join(err, forgotten)
	}
	next := st.clone()
	next.Begun[data.Number] = &begun{Dir: st.dirName(data.Number), Turn: t}
	return s.note(k, next)
}

// store writes a turn's record and files to the bucket. Files whose archive is the
// same are not written again.
func (s *Storage) store(ctx context.Context, k session.Key, life string, data session.TurnData, dir string, same *blobRef) (_ *turn, err error) {
	t := &turn{Number: data.Number}
	if t.Record, err = s.keepData(ctx, k, life, "turn-", data.Data); err != nil {
		return nil, err
	}
	spool, err := os.CreateTemp(s.localPath(k), workspace.TempPrefix+"*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, spool.Close(), os.Remove(spool.Name())) }()
	if t.Files, err = s.pack(ctx, t, dir, spool); err != nil {
		return nil, err
	}
	if same != nil && same.SHA256 == t.Files.SHA256 && same.Size == t.Files.Size {
		t.Files = same
		return t, nil
	}
	t.Files.Name = "files-" + rand.Text()
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return t, s.upload(ctx, s.dataName(k, life, t.Files.Name), spool, t.Files.Size)
}

// keepData puts short data into the reference itself, and long data into the bucket.
func (s *Storage) keepData(ctx context.Context, k session.Key, life, prefix string, data []byte) (*blobRef, error) {
	r := &blobRef{Size: int64(len(data)), SHA256: digestOf(data)}
	if len(data) <= maxInline {
		r.Inline = data
		return r, nil
	}
	r.Name = prefix + rand.Text()
	return r, s.put(ctx, s.dataName(k, life, r.Name), data, false)
}

// pack archives a workspace and notes what it holds in t.
func (s *Storage) pack(ctx context.Context, t *turn, dir string, to io.Writer) (_ *blobRef, err error) {
	w, err := workspace.Open(dir, workspace.Limits{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := s.settled(ctx, w); err != nil {
		return nil, err
	}
	sum := &summed{to: to, hash: sha256.New()}
	// One thread makes the same archive of the same files.
	packed, err := zstd.NewWriter(sum, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	used, _, err := w.WriteTar(ctx, packed)
	if err = errors.Join(err, packed.Close()); err != nil {
		return nil, err
	}
	if used.Bytes > s.o.Limits.Bytes || used.Entries > s.o.Limits.Entries {
		return nil, fmt.Errorf("the workspace holds %d bytes in %d entries: %w: at most %d in %d are kept",
			used.Bytes, used.Entries, workspace.ErrQuota, s.o.Limits.Bytes, s.o.Limits.Entries)
	}
	t.Bytes, t.Entries = used.Bytes, used.Entries
	return &blobRef{Size: sum.size, SHA256: hex.EncodeToString(sum.hash.Sum(nil))}, nil
}

// summed counts and hashes what is written.
type summed struct {
	to   io.Writer
	hash hash.Hash
	size int64
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	_, _ = s.hash.Write(p[:n]) // it does not fail
	s.size += int64(n)
	return n, err
}

// unpack reads a turn's files into an empty directory.
func (s *Storage) unpack(ctx context.Context, k session.Key, life string, t *turn, dir string) (err error) {
	limits := s.o.Limits
	if t.Bytes > limits.Bytes || t.Entries > limits.Entries {
		return damaged(k, t.Files.Name, fmt.Errorf("%d bytes in %d entries, at most %d in %d are read", t.Bytes, t.Entries, limits.Bytes, limits.Entries))
	}
	ctx, cancel := s.patience(ctx, t.Files.Size)
	defer cancel()
	object, err := s.o.Bucket.NewReader(ctx, s.dataName(k, life, t.Files.Name), nil)
	if err != nil {
		return notFound(err)
	}
	defer func() { _ = object.Close() }() // opened for reading
	from := &watched{from: object}
	w, err := workspace.Open(dir, workspace.Limits{Bytes: t.Bytes, Entries: t.Entries})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := unpack(ctx, w, from, t); err != nil {
		if from.err != nil {
			return fmt.Errorf("read %s: %w", t.Files.Name, unreachable(from.err))
		}
		if errors.Is(err, syscall.ENOSPC) || ctx.Err() != nil {
			return err
		}
		return damaged(k, t.Files.Name, err)
	}
	return s.settled(ctx, w)
}

// watched remembers why something could not be read to its end.
type watched struct {
	from io.Reader
	err  error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// unpack reads an archive, which may be hostile, into an empty workspace whose limits
// are what t says it holds. No more of it is read than t.Files.Size, and nothing is
// right until all of that was read and has the right checksum: a hostile archive can
// fill the workspace to its limits, which is deleted then. Memory is bounded by the
// window, and what an archive of nothing but headers can be blown up to, by the entries.
func unpack(ctx context.Context, w *workspace.Workspace, from io.Reader, t *turn) error {
	sum := &summed{to: io.Discard, hash: sha256.New()}
	raw := io.TeeReader(io.LimitReader(from, t.Files.Size), sum)
	packed, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return err
	}
	defer packed.Close()
	most := t.Bytes + (int64(t.Entries)+1)*maxHeaders
	used, _, err := w.ReadTar(ctx, workspace.Create, io.LimitReader(packed, most))
	if err == nil {
		_, err = io.Copy(io.Discard, raw)
	}
	if err == nil && (sum.size != t.Files.Size || hex.EncodeToString(sum.hash.Sum(nil)) != t.Files.SHA256) {
		err = errChanged
	}
	if err == nil && (used.Bytes != t.Bytes || used.Entries != t.Entries) {
		err = fmt.Errorf("%d bytes in %d entries, not %d in %d", used.Bytes, used.Entries, t.Bytes, t.Entries)
	}
	return err
}

const (
	// maxWindow is how far back an archive may refer: eight times as far as those of
	// this package do.
	maxWindow = 32 << 20
	// maxHeaders is how long the headers and the padding of one entry may be, with
	// the longest name there is.
	maxHeaders = 16 << 10
)

// Image implements [session.Storage].
func (s *Storage) Image(ctx context.Context, k session.Key, digest string) ([]byte, error) {
	st, err := s.state(ctx, k)
	if err != nil {
		return nil, err
	}
	r := st.images()[digest]
	if r == nil {
		return nil, session.ErrNotFound
	}
	if r.Size > s.o.MaxImage {
		return nil, damaged(k, r.Name, fmt.Errorf("%d bytes, at most %d are read", r.Size, s.o.MaxImage))
	}
	data, err := readFile(s.localPath(k, imagesDir, r.Name), r.Size+1)
	if err == nil && digestOf(data) == r.SHA256 {
		return data, nil
	}
	if data, err = s.fetch(ctx, k, st.commit.Life, r, s.o.MaxImage); err != nil {
		return nil, err
	}
	s.cacheImage(k, r, data)
	return data, nil
}

// cacheImage keeps an image here too. What cannot be kept is fetched again.
func (s *Storage) cacheImage(k session.Key, r *blobRef, data []byte) {
	if _, err := s.Dir(k); err == nil {
		_ = writeFile(s.localPath(k, imagesDir), r.Name, data)
	}
}

// SetImage implements [session.Storage].
func (s *Storage) SetImage(ctx context.Context, k session.Key, digest string, data []byte) error {
	st, err := s.state(ctx, k)
	if err != nil {
		return err
	}
	if int64(len(data)) > s.o.MaxImage {
		return fmt.Errorf("the interpreter's state has %d bytes, at most %d are kept", len(data), s.o.MaxImage)
	}
	r := &blobRef{Name: "image-" + rand.Text(), Size: int64(len(data)), SHA256: digestOf(data)}
	if err := s.put(ctx, s.dataName(k, st.commit.Life, r.Name), data, false); err != nil {
		_, forgotten := s.forget(ctx, k, st)
		return errors.Join(err, forgotten)
	}
	s.cacheImage(k, r, data)
	next := st.clone()
	next.Saved[digest] = r
	return s.note(k, next)
}
