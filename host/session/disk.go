package session

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/internal/owned"
)

// Disk is [Storage] in a directory of a local filesystem. Several processes may use
// one directory, on Unix:
//
//	local/ID/session.json            the record; renamed into place
//	local/ID/lock                    locked while somebody works on the session
//	local/ID/images/DIGEST           interpreter states
//	local/ID/turns/7/turn.json       what turn 7 did
//	local/ID/turns/7/workspace/...   its files: all that a guest ever sees
//	of-OWNER/...                     the same for others, in base32
//	.tmp/...                         what is being made or deleted
//
// Turns and forks share files that are the same in them as hard links, images likewise,
// so that the filesystem counts who has them. Nothing writes to a file that has several
// names: guests get a copy when they first change one, see [Storage], and package
// workspace replaces files. Where files cannot be shared, and from 64 MiB on, they are
// copied by copy_file_range, which shares their content on filesystems that can (XFS,
// btrfs, ZFS). What is linked was synced before.
//
// The workspaces are hostile, so all that is done in them is package workspace's.
// Everything else was written by this package, in directories that nobody else may
// write to.
type Disk struct {
	root string
}

// Names below a session's directory, and below the root.
const (
	recordFile   = "session.json"
	lockFile     = "lock"
	imagesDir    = "images"
	turnsDir     = "turns"
	turnFile     = "turn.json"
	workspaceDir = "workspace"
	tempDir      = ".tmp"
	newPrefix    = "new-"
	gonePrefix   = "gone-"
)

// OpenDisk opens the storage in a directory, which is made with mode 0700 if it is not
// there and refused if others may write to it. It deletes what a crash left half made
// or half deleted.
func OpenDisk(dir string) (*Disk, error) {
	d, err := openDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("open the sessions' directory: %w", err)
	}
	return d, nil
}

func openDisk(dir string) (*Disk, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, tempDir), 0o700); err != nil { //nolint:gosec // the operator names the directory
		return nil, err
	}
	info, err := os.Stat(dir) //nolint:gosec // as before
	if err == nil {
		err = owned.Check(dir, info, owned.Nothing)
	}
	if err != nil {
		return nil, err
	}
	d := &Disk{dir}
	return d, d.sweep()
}

// abandoned is how old something half made must be before it counts as left behind.
const abandoned = 24 * time.Hour

// sweep deletes what nobody will finish.
func (d *Disk) sweep() error {
	entries, err := os.ReadDir(filepath.Join(d.root, tempDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || strings.HasPrefix(e.Name(), newPrefix) && time.Since(info.ModTime()) < abandoned {
			continue
		}
		// Whatever cannot be deleted now is tried again the next time.
		_ = workspace.Delete(context.Background(), filepath.Join(d.root, tempDir, e.Name()))
	}
	return nil
}

// ownerCode writes owners as names that any filesystem takes and keeps apart.
var ownerCode = base32.HexEncoding.WithPadding(base32.NoPadding)

const (
	localOwner  = "local"
	ownerPrefix = "of-"
)

func ownerDir(owner string) string {
	if owner == "" {
		return localOwner
	}
	return ownerPrefix + strings.ToLower(ownerCode.EncodeToString([]byte(owner)))
}

// Dir is the directory of a session: all that a process has to reach to work in it.
func (d *Disk) Dir(k Key) string { return filepath.Join(d.root, ownerDir(k.Owner), k.ID) }

func (d *Disk) path(k Key, parts ...string) string {
	return filepath.Join(append([]string{d.Dir(k)}, parts...)...)
}

func (d *Disk) turnPath(k Key, turn int, parts ...string) string {
	return d.path(k, append([]string{turnsDir, strconv.Itoa(turn)}, parts...)...)
}

// Owners implements [Storage].
func (d *Disk) Owners(context.Context) ([]string, error) {
	names, err := directories(d.root)
	if err != nil {
		return nil, err
	}
	var owners []string
	for _, name := range names {
		if name == localOwner {
			owners = append(owners, "")
		} else if code, ok := strings.CutPrefix(name, ownerPrefix); ok {
			if owner, err := ownerCode.DecodeString(strings.ToUpper(code)); err == nil {
				owners = append(owners, string(owner))
			}
		}
	}
	return owners, nil
}

// Sessions implements [Storage].
func (d *Disk) Sessions(_ context.Context, owner string) ([]string, error) {
	names, err := directories(filepath.Join(d.root, ownerDir(owner)))
	ids := names[:0]
	for _, name := range names {
		if CheckID(name) == nil {
			ids = append(ids, name)
		}
	}
	return ids, err
}

// directories are the names of the directories in one, none if that is not there.
func directories(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Between two attempts at a lock, which cannot be waited for and given up.
const (
	firstPause = time.Millisecond
	longPause  = 50 * time.Millisecond
)

// Lock implements [Storage]. On systems without flock only one process at a time may
// use a directory.
func (d *Disk) Lock(ctx context.Context, k Key, wait bool) (func(), error) {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		file, err := d.tryLock(k)
		if err != nil || file != nil {
			return func() { _ = file.Close() }, err // which ends the lock
		}
		if !wait {
			return nil, ErrBusy
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// tryLock returns the locked file, or nil if somebody else has it. A session that was
// deleted, and perhaps made anew, between opening and locking is not the one that was
// locked.
func (d *Disk) tryLock(k Key) (*os.File, error) {
	name := d.path(k, lockFile)
	file, err := os.OpenFile(name, os.O_RDWR, 0) //nolint:gosec // a name of this package
	if err != nil {
		return nil, notFound(err)
	}
	locked, err := owned.TryLock(file)
	if err == nil && locked {
		opened, errOpened := file.Stat()
		there, errThere := os.Stat(name)
		if errOpened == nil && errThere == nil && os.SameFile(opened, there) {
			return file, nil
		}
		err = notFound(errors.Join(errOpened, errThere))
	}
	_ = file.Close() // nothing was written
	return nil, err
}

// notFound gives an error about something that is not there its class.
func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}

// Create implements [Storage].
func (d *Disk) Create(ctx context.Context, k Key, record []byte, turn TurnData, from *Place) (err error) {
	if _, err := os.Lstat(d.Dir(k)); err == nil {
		return ErrExists
	}
	owner := filepath.Dir(d.Dir(k))
	if err := os.MkdirAll(owner, 0o700); err != nil {
		return err
	}
	// A session that is being made is one of this storage's too, with a root of its own.
	name := newPrefix + rand.Text()
	made := filepath.Join(d.root, tempDir, name)
	defer func() {
		if err != nil {
			err = errors.Join(err, workspace.Delete(context.WithoutCancel(ctx), made))
		}
	}()
	for _, dir := range []string{made, filepath.Join(made, imagesDir), filepath.Join(made, turnsDir)} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(made, lockFile), nil, 0o600); err != nil {
		return err
	}
	at := filepath.Join(made, turnsDir, strconv.Itoa(turn.Number))
	source := ""
	if from != nil {
		source = d.turnPath(from.Key, from.Turn, workspaceDir)
		if from.Image != "" {
			// One that is missing is found missing by the first call.
			err := share(d.path(from.Key, imagesDir, from.Image), filepath.Join(made, imagesDir, from.Image))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := makeTurn(ctx, at, source); err != nil {
		return notFound(err)
	}
	// Nobody sees any of it before it has its name, so it may get to the disk in any order.
	turnRecord, err := put(at, turnFile, turn.Data)
	if err != nil {
		return err
	}
	sessionRecord, err := put(made, recordFile, record)
	if err != nil {
		return err
	}
	err = together(turnRecord.sync, sessionRecord.sync,
		func() error { return syncWorkspace(ctx, at) },
		func() error { return owned.SyncDir(at) },
		func() error { return owned.SyncDir(filepath.Dir(at)) },
		func() error { return owned.SyncDir(filepath.Join(made, imagesDir)) },
		func() error { return owned.SyncDir(made) },
	)
	if err != nil {
		return err
	}
	if err := os.Rename(made, d.Dir(k)); err != nil {
		if _, there := os.Lstat(d.Dir(k)); there == nil {
			return ErrExists
		}
		return err
	}
	return together(
		func() error { return owned.SyncDir(owner) },
		func() error { return owned.SyncDir(d.root) },
	)
}

// together syncs several things at once, which takes a disk little longer than one.
func together(syncs ...func() error) error {
	errs := make([]error, len(syncs))
	var running sync.WaitGroup
	for i, do := range syncs[1:] {
		running.Go(func() { errs[i+1] = do() })
	}
	errs[0] = syncs[0]()
	running.Wait()
	return errors.Join(errs...)
}

// share gives a file that does not change any more a second name, or copies it where
// the filesystem has no such thing.
func share(from, to string) error {
	if err := os.Link(from, to); err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := os.ReadFile(from) //nolint:gosec // a name of this package
	if err != nil {
		return err
	}
	return writeFile(filepath.Dir(to), filepath.Base(to), data)
}

// Delete implements [Storage].
func (d *Disk) Delete(ctx context.Context, k Key) error {
	gone := filepath.Join(d.root, tempDir, gonePrefix+rand.Text())
	if err := os.Rename(d.Dir(k), gone); err != nil {
		return notFound(err)
	}
	if err := owned.SyncDir(filepath.Dir(d.Dir(k))); err != nil {
		return err
	}
	return workspace.Delete(context.WithoutCancel(ctx), gone)
}

// Size implements [Storage].
func (d *Disk) Size(ctx context.Context, k Key) (int64, error) {
	w, err := workspace.Open(d.Dir(k), workspace.Limits{})
	if err != nil {
		return 0, notFound(err)
	}
	used, err := w.Measure(ctx)
	return used.Bytes, errors.Join(err, w.Close())
}

// Record implements [Storage].
func (d *Disk) Record(_ context.Context, k Key) ([]byte, error) {
	return readFile(d.path(k, recordFile), maxRecord)
}

// SetRecord implements [Storage].
func (d *Disk) SetRecord(_ context.Context, k Key, data []byte) error {
	return writeFile(d.Dir(k), recordFile, data)
}

// Begin implements [Storage].
func (d *Disk) Begin(ctx context.Context, k Key, turn, from int) error {
	at := d.turnPath(k, turn)
	if err := workspace.Delete(ctx, at); err != nil {
		return err
	}
	source := ""
	if from >= 0 {
		source = d.turnPath(k, from, workspaceDir)
	}
	return notFound(makeTurn(ctx, at, source))
}

// makeTurn makes a turn's directory with a copy of a workspace, or an empty one.
func makeTurn(ctx context.Context, at, source string) (err error) {
	files := filepath.Join(at, workspaceDir)
	if err := errors.Join(os.Mkdir(at, 0o700), os.Mkdir(files, 0o700)); err != nil || source == "" {
		return err
	}
	from, err := workspace.Open(source, workspace.Limits{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := workspace.Open(files, unlimited)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	// What is left out are links and devices, which no program makes.
	_, _, err = from.ShareTo(ctx, to)
	return err
}

// Workspace implements [Storage].
func (d *Disk) Workspace(_ context.Context, k Key, turn int) (string, error) {
	dir := d.turnPath(k, turn, workspaceDir)
	if _, err := os.Lstat(dir); err != nil {
		return "", notFound(err)
	}
	return dir, nil
}

// Turn implements [Storage].
func (d *Disk) Turn(_ context.Context, k Key, turn int) ([]byte, error) {
	return readFile(d.turnPath(k, turn, turnFile), maxTurn)
}

// SetTurn implements [Storage].
func (d *Disk) SetTurn(ctx context.Context, k Key, t TurnData) error {
	at := d.turnPath(k, t.Number)
	err := together(
		func() error { return syncWorkspace(ctx, at) },
		func() error { return owned.SyncDir(filepath.Dir(at)) },
	)
	if err != nil {
		return notFound(err)
	}
	return writeFile(at, turnFile, t.Data)
}

// syncWorkspace syncs the files of the turn in a directory.
func syncWorkspace(ctx context.Context, at string) error {
	w, err := workspace.Open(filepath.Join(at, workspaceDir), workspace.Limits{})
	if err != nil {
		return err
	}
	return errors.Join(w.Sync(ctx), w.Close())
}

// Commit implements [Committer]. It waits for the disk twice, however much there is to
// write: for everything that nobody sees yet, and then for the names that make it seen.
func (d *Disk) Commit(ctx context.Context, k Key, c Commit) error {
	return notFound(d.commit(ctx, k, c))
}

func (d *Disk) commit(ctx context.Context, k Key, c Commit) error {
	at, dir := d.turnPath(k, c.Turn.Number), d.Dir(k)
	// A turn that was begun for this is seen with the session's record, which names
	// it. One that is part of the session already has a record, which is replaced.
	_, err := os.Lstat(filepath.Join(at, turnFile))
	begun := errors.Is(err, fs.ErrNotExist)
	turn, err := write(at, turnFile, c.Turn.Data)
	if err != nil {
		return err
	}
	defer turn.discard()
	record, err := write(dir, recordFile, c.Record)
	if err != nil {
		return err
	}
	defer record.discard()
	syncs := []func() error{
		turn.sync, record.sync,
		func() error { return syncWorkspace(ctx, at) },
		func() error { return d.addImage(k, c.Image) },
	}
	if begun {
		if err := turn.place(); err != nil {
			return err
		}
		syncs = append(syncs,
			func() error { return owned.SyncDir(at) },
			func() error { return owned.SyncDir(filepath.Dir(at)) })
	}
	if err := together(syncs...); err != nil {
		return err
	}
	if begun {
		if err := record.place(); err != nil {
			return err
		}
		return owned.SyncDir(dir)
	}
	if err := turn.place(); err != nil {
		return err
	}
	if err := record.place(); err != nil {
		return err
	}
	return together(
		func() error { return owned.SyncDir(at) },
		func() error { return owned.SyncDir(dir) },
	)
}

// addImage writes an image that no turn names yet, so that it need not be whole before
// it is all there. One of its digest that is there already may have been named.
func (d *Disk) addImage(k Key, i *ImageData) error {
	if i == nil {
		return nil
	}
	dir := d.path(k, imagesDir)
	if _, err := os.Lstat(filepath.Join(dir, i.Digest)); !errors.Is(err, fs.ErrNotExist) {
		return writeFile(dir, i.Digest, i.Data)
	}
	image, err := put(dir, i.Digest, i.Data)
	if err != nil {
		return err
	}
	return together(image.sync, func() error { return owned.SyncDir(dir) })
}

// Image implements [Storage].
func (d *Disk) Image(_ context.Context, k Key, digest string) ([]byte, error) {
	data, err := os.ReadFile(d.path(k, imagesDir, digest))
	return data, notFound(err)
}

// SetImage implements [Storage].
func (d *Disk) SetImage(_ context.Context, k Key, digest string, data []byte) error {
	return writeFile(d.path(k, imagesDir), digest, data)
}

// Keep implements [Storage].
func (d *Disk) Keep(ctx context.Context, k Key, turns []int, images []string) error {
	keep := map[string]bool{}
	for _, turn := range turns {
		keep[filepath.Join(turnsDir, strconv.Itoa(turn))] = true
	}
	for _, image := range images {
		keep[filepath.Join(imagesDir, image)] = true
	}
	var errs []error
	for _, dir := range []string{turnsDir, imagesDir} {
		entries, err := os.ReadDir(d.path(k, dir))
		errs = append(errs, err)
		for _, e := range entries {
			if name := filepath.Join(dir, e.Name()); !keep[name] {
				errs = append(errs, workspace.Delete(ctx, d.path(k, name)))
			}
		}
	}
	return errors.Join(errs...)
}

// readFile reads a file of ours, up to a size: one byte more tells that it is larger.
func readFile(name string, most int64) (_ []byte, err error) {
	file, err := os.Open(name) //nolint:gosec // a name of this package
	if err != nil {
		return nil, notFound(err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, most+1))
}

// writeFile writes a file that is there as a whole or not at all, and then survives a
// crash of the machine.
func writeFile(dir, name string, data []byte) error {
	w, err := write(dir, name, data)
	if err != nil {
		return notFound(err)
	}
	defer w.discard()
	if err := w.sync(); err != nil {
		return err
	}
	if err := w.place(); err != nil {
		return err
	}
	return owned.SyncDir(dir)
}

// put writes a file under its name, for when it does not matter that a crash of the
// machine leaves a part of it.
func put(dir, name string, data []byte) (*written, error) {
	w, err := write(dir, name, data)
	if err != nil {
		return nil, err
	}
	defer w.discard()
	return w, w.place()
}

// written is a file that was written and has not got its name yet.
type written struct {
	path string // where it is
	name string // where it belongs
}

// write writes a file beside its place.
func write(dir, name string, data []byte) (_ *written, err error) {
	w := &written{path: filepath.Join(dir, workspace.TempPrefix+rand.Text()), name: filepath.Join(dir, name)}
	file, err := os.OpenFile(w.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a name of this package
	if err != nil {
		return nil, err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(w.path))
	}
	return w, nil
}

// sync makes the content survive a crash of the machine. It does not need the
// descriptor that wrote it, which would be in the way of renaming it on some systems.
func (w *written) sync() error {
	file, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// place gives the file its name.
func (w *written) place() error {
	err := os.Rename(w.path, w.name)
	if err == nil {
		w.path = w.name
	}
	return err
}

// discard deletes a file that did not get its name.
func (w *written) discard() {
	if w.path != w.name {
		_ = os.Remove(w.path) // it is in nobody's way, and goes with its directory
	}
}
