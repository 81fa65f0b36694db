//go:build unix

package session

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sandboxd/sandboxd/host/workspace"
)

// TestAHostileWorkspaceHarmsNothing fills a workspace with what no guest can make, but
// what unpacks an archive for it might, and does with the session all there is to do.
func TestAHostileWorkspaceHarmsNothing(t *testing.T) {
	s, d := openStore(t)
	k := created(t, s, "s")
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Mkdir(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	giant := strings.Repeat("n", 255)
	hostile := executor(func(ctx context.Context, r request) (*result, error) {
		w := r.Workspace
		for link, to := range map[string]string{
			"file": filepath.Join(outside, "secret"), "dir": outside, "root": "/", "up": "../../..", "record": "../turn.json", "self": ".", "gone": "nowhere",
		} {
			if err := os.Symlink(to, filepath.Join(w, link)); err != nil {
				return nil, err
			}
		}
		if err := syscall.Mkfifo(filepath.Join(w, "fifo"), 0o600); err != nil {
			return nil, err
		}
		if err := os.Link(filepath.Join(outside, "secret"), filepath.Join(w, "hard")); err != nil {
			return nil, err
		}
		deep := w
		for range 10 {
			deep = filepath.Join(deep, giant)
		}
		if err := os.MkdirAll(deep, 0o700); err != nil {
			return nil, err
		}
		for _, name := range []string{giant + "/" + giant + "f", "line\nbreak", "\x1b[2Jclear", "bad\xff", "-rf", ".sandboxd-x", "turn.json", "session.json", "lock"} {
			if len(filepath.Base(name)) > 255 {
				name = giant + "/f"
			}
			if err := os.WriteFile(filepath.Join(w, name), []byte("x"), 0o600); err != nil {
				return nil, err
			}
		}
		if os.Geteuid() == 0 { // a directory that others could not even look into
			if err := os.Mkdir(filepath.Join(w, "closed"), 0o000); err != nil {
				return nil, err
			}
		}
		return keeps("plain", "plain", "state")(ctx, r)
	})
	ran(t, s, k, 2, hostile)
	ctx := t.Context()
	fork, err := s.Fork(ctx, k, 1, "fork")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []Key{k, fork.Key()} {
		v := content(t, s, k)
		for name, text := range v.files {
			if strings.Contains(text, "secret") && name != "hard" {
				t.Errorf("%q holds what is outside", name)
			}
		}
		if v.files["line\nbreak"] != "x" || v.files["session.json"] != "x" {
			t.Errorf("files got lost: %q", v.files)
		}
		w, err := s.View(ctx, k)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"file", "dir/secret", "root/etc/hostname", "up/session.json", "record", "fifo"} {
			if file, _, err := w.Read(name, 0, -1); err == nil {
				t.Errorf("%q can be read", name)
				_ = file.Close()
			}
		}
		if _, _, err := w.WriteTar(ctx, discard{}); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		err = s.Edit(ctx, k, unlimited, func(w *workspace.Workspace) error {
			if k == fork.Key() { // which has no links
				return nil
			}
			for _, name := range []string{"dir/new", "root/tmp/new", "up/new"} {
				if _, err := w.Write(ctx, name, workspace.Replace, strings.NewReader("new")); err == nil {
					t.Errorf("%q could be written", name)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	ran(t, s, k, 2, keeps("plain", "again", "state 2"))
	if _, err := s.Rollback(ctx, k, 1); err != nil {
		t.Error(err)
	}
	if _, err := s.Reset(ctx, k, true, 0); err != nil {
		t.Error(err)
	}
	if p, err := s.Prune(ctx, PruneOptions{Count: 1}); err != nil || len(p.Removed) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, k := range []Key{k, fork.Key()} {
		if err := s.Remove(ctx, k, true); err != nil {
			t.Log(err) // one of them was pruned
		}
	}
	left, err := os.ReadDir(filepath.Join(d.root, tempDir))
	if err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	if data, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(data) != "secret" {
		t.Errorf("outside is %q, %v", data, err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside has %v, %v", entries, err)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
