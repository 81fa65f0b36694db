package runtimes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// failingDisk fails where it is told to.
type failingDisk struct {
	create, write, sync, rename error
	room                        int // bytes written before write fails
}

func (f failingDisk) Create(name string) (moduleFile, error) {
	if f.create != nil {
		return nil, f.create
	}
	file, err := osDisk{}.Create(name)
	return &failingFile{moduleFile: file, disk: f}, err
}

func (f failingDisk) Rename(from, to string) error {
	if f.rename != nil {
		return f.rename
	}
	return osDisk{}.Rename(from, to)
}

type failingFile struct {
	moduleFile
	disk failingDisk
}

func (f *failingFile) Write(b []byte) (int, error) {
	if f.disk.room -= len(b); f.disk.room < 0 && f.disk.write != nil {
		return 0, f.disk.write
	}
	return f.moduleFile.Write(b)
}

func (f *failingFile) Sync() error {
	if f.disk.sync != nil {
		return f.disk.sync
	}
	return f.moduleFile.Sync()
}

func TestFetchSurvivesABadDisk(t *testing.T) {
	full := fmt.Sprintf("the disk is full: %d bytes needed in the runtime cache", len(testModule))
	tests := []struct {
		name string
		disk failingDisk
		want string
	}{
		{"full at once", failingDisk{create: syscall.ENOSPC}, full},
		{"full in the middle", failingDisk{write: syscall.ENOSPC, room: 1 << 20}, full},
		{"full at the end", failingDisk{sync: syscall.ENOSPC}, full},
		{"full when named", failingDisk{rename: syscall.ENOSPC}, "the disk is full: space needed in the runtime cache"},
		{"over quota", failingDisk{write: syscall.EDQUOT}, full},
		{"over the file size limit", failingDisk{write: syscall.EFBIG}, full},
		{"read-only", failingDisk{create: syscall.EROFS}, "cannot be written: make it writable"},
		{"of someone else", failingDisk{create: syscall.EACCES}, "cannot be written: make it writable"},
		{"broken", failingDisk{write: syscall.EIO}, "write the runtime cache: input/output error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, d := newStore(t), fileDefinition()
			s.disk = tt.disk
			path, err := s.Fetch(t.Context(), d, nil)
			if !errors.Is(err, ErrUnavailable) {
				t.Fatalf("got %q, %v, want class ErrUnavailable", path, err)
			}
			if !strings.HasPrefix(err.Error(), "fetch runtime lang: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if strings.Contains(tt.want, "cache") && !strings.Contains(tt.want, "write the") && !strings.Contains(err.Error(), s.Dir) {
				t.Errorf("the message does not name the directory: %v", err)
			}
			wantCache(t, s)
			s.disk = osDisk{}
			if _, err := s.Fetch(t.Context(), d, nil); err != nil {
				t.Errorf("a second try: %v", err)
			}
			wantCache(t, s, d.Source.SHA256)
		})
	}
}

func TestFetchIntoAReadOnlyCacheSaysSo(t *testing.T) {
	if os.Geteuid() <= 0 {
		t.Skip("root writes anywhere, and Windows ignores the mode")
	}
	s := newStore(t)
	if err := os.Chmod(s.Dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := s.Fetch(t.Context(), fileDefinition(), nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), s.Dir+" cannot be written") {
		t.Errorf("got %v", err)
	}
}

func TestFetchKeepsNothingWithAWrongDigest(t *testing.T) {
	s, d := newStore(t), fileDefinition()
	d.Source.SHA256 = digestA
	_, err := s.Fetch(t.Context(), d, nil)
	want := "fetch runtime lang: wrong SHA-256: file build/lang.wasm holds " + digestOf(testModule) +
		" but runtime.toml pins " + digestA + "; nothing was kept. If the new module is the one you want, change source.sha256"
	if err == nil || err.Error() != want || !errors.Is(err, ErrDigest) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	wantCache(t, s)
}

func TestFetchStopsWhenCancelled(t *testing.T) {
	cause := errors.New("the user pressed a key")
	for _, after := range []int64{0, reportStep} {
		s := newStore(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err := s.Load(ctx, fileDefinition(), func(e Event) {
			if e.Done >= after {
				cancel(cause)
			}
		})
		if !errors.Is(err, cause) {
			t.Errorf("cancelled after %d bytes: got %v, want the cause", after, err)
		}
		wantCache(t, s)
	}
}

func TestFileSourcesMustBePlainFilesInTheFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "build", "folder.wasm"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "build", "lang.wasm"), testModule, 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"link.wasm": "build/lang.wasm", "linked": "build"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	tests := []struct {
		file  string
		class error
		want  string
	}{
		{"build/lang.wasm", nil, ""},
		{"link.wasm", ErrInvalid, `source.file: "link.wasm" is a symbolic link`},
		{"linked/lang.wasm", ErrInvalid, `source.file: "linked" is a symbolic link`},
		{"build/folder.wasm", ErrInvalid, `source.file: "build/folder.wasm" is not a regular file`},
		{"build/none.wasm", ErrUnavailable, "no such file"},
		{"../lang.wasm", ErrInvalid, "must be a plain path"},
	}
	for _, tt := range tests {
		s, d := newStore(t), fileDefinition()
		d.Files, d.Source.File = root.FS(), tt.file
		_, err := s.Fetch(t.Context(), d, nil)
		if tt.class == nil {
			if err != nil {
				t.Errorf("%s: %v", tt.file, err)
			}
			continue
		}
		if !errors.Is(err, tt.class) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.file, err, tt.want)
		}
		wantCache(t, s)
	}
	d := fileDefinition()
	d.Files = nil
	if _, err := newStore(t).Fetch(t.Context(), d, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("without a folder: got %v, want class ErrInvalid", err)
	}
}

func TestManyFetchesAtOnceDownloadOnce(t *testing.T) {
	installFakeNPM(t, "ok", goodPackage()...)
	dir := newStore(t).Dir
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			s, err := OpenStore(dir) // as another process would
			if err != nil {
				t.Error(err)
				return
			}
			data, err := s.Load(t.Context(), npmDefinition(), nil)
			if err != nil || !bytes.Equal(data, testModule) {
				t.Errorf("got %d bytes, %v", len(data), err)
			}
		})
	}
	group.Wait()
	if runs := npmRuns(t); runs != 1 && locksWork(t) {
		t.Errorf("npm ran %d times, want once", runs)
	}
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantCache(t, s, npmDefinition().Source.SHA256)
}

// locksWork reports whether this system and filesystem have file locks.
func locksWork(t *testing.T) bool {
	t.Helper()
	name := filepath.Join(t.TempDir(), "lock")
	var files [2]*os.File
	for i := range files {
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		files[i] = file
	}
	first, firstErr := owned.TryLock(files[0])
	second, secondErr := owned.TryLock(files[1])
	return first && !second && firstErr == nil && secondErr == nil
}

func TestFetchWaitingForAnotherCanBeCancelled(t *testing.T) {
	if !locksWork(t) {
		t.Skip("no file locks here")
	}
	s, d := newStore(t), fileDefinition()
	unlock, err := s.lock(t.Context(), d, reporter{})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.Fetch(ctx, d, func(e Event) {
		if e.Stage == StageWait {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}

func TestFetchClearsUpAfterKilledOnes(t *testing.T) {
	s := newStore(t)
	old, young := filepath.Join(s.Dir, tempPrefix+"old"), filepath.Join(s.Dir, tempPrefix+"young")
	foreign := filepath.Join(s.Dir, "other")
	for _, dir := range []string{old, young, foreign} {
		if err := os.MkdirAll(filepath.Join(dir, "packed"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(s.Dir, tempPrefix+"file") // not a fetch's: those are directories
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-2 * staleAfter)
	if err := errors.Join(os.Chtimes(old, past, past), os.Chtimes(foreign, past, past), os.Chtimes(file, past, past)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context(), fileDefinition(), nil); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{old: false, young: true, foreign: true, file: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: exists is %v, want %v", filepath.Base(dir), err == nil, want)
		}
	}
}

func TestProgressTellsTheWholeStory(t *testing.T) {
	var events []Event
	s, d := newStore(t), fileDefinition()
	if _, err := s.Fetch(t.Context(), d, func(e Event) { events = append(events, e) }); err != nil {
		t.Fatal(err)
	}
	size, last := int64(len(testModule)), int64(-1)
	for _, e := range events[:len(events)-1] {
		if e.Runtime != "lang" || e.Stage != StageDownload || e.Total != size || e.Unit != "bytes" || e.Finished || e.Done <= last {
			t.Errorf("unexpected event %+v after %d", e, last)
		}
		last = e.Done
	}
	if last != size || len(events) < 4 {
		t.Errorf("%d events that end at %d bytes of %d", len(events), last, size)
	}
	if e := events[len(events)-1]; e != (Event{Runtime: "lang", Stage: StageDone, Finished: true}) {
		t.Errorf("the last event is %+v", e)
	}
}

func TestModulesAreCapped(t *testing.T) {
	s := newStore(t)
	d := fileDefinition()
	d.Files = fstest.MapFS{"build/lang.wasm": &fstest.MapFile{Data: testModule}}
	err := s.write(t.Context(), d, filepath.Join(s.Dir, "x"), bytes.NewReader(nil), maxModule+1)
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "larger than 512 MiB") {
		t.Errorf("a size over the cap: got %v", err)
	}
	err = s.copy(t.Context(), &discard{}, &endless{}, 0)
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "larger than 512 MiB") {
		t.Errorf("a source without an end: got %v", err)
	}
}

// endless is a reader without an end; discard is where it goes.
type (
	endless struct{}
	discard struct{}
)

func (*endless) Read(b []byte) (int, error)  { return len(b), nil }
func (*discard) Write(b []byte) (int, error) { return len(b), nil }
