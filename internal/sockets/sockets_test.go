package sockets

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// newDir returns a directory whose path is short enough for sockets.
func newDir(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of Unix")
	}
	dir, err := os.MkdirTemp("", "sbx") //nolint:usetesting // a test's own directory has too long a path for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestASocketIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(newDir(t), "run", "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	owned := OnlyOwner(l, slog.New(slog.DiscardHandler))
	go func() {
		if conn, err := owned.Accept(); err == nil {
			_, _ = conn.Write([]byte("hello"))
			_ = conn.Close()
		}
	}()
	conn, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(conn); err != nil || got.String() != "hello" {
		t.Errorf("got %q, %v", &got, err)
	}
	if err := owned.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("a closed socket is left: %v", err)
	}
}

func TestOnlyWhatADaemonLeftIsReplaced(t *testing.T) {
	dir := newDir(t)
	left := filepath.Join(dir, "left")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(left); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("a socket in use: %v", err)
	}
	old.SetUnlinkOnClose(false)
	_ = old.Close()
	l, err := Listen(left)
	if err != nil {
		t.Fatalf("a socket that nobody listens on: %v", err)
	}
	_ = l.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "link"} {
		if _, err := Listen(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), "no socket") {
			t.Errorf("a %s: %v", name, err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(open, "s")); err == nil || !strings.Contains(err.Error(), "others may write") {
		t.Errorf("in everybody's directory: %v", err)
	}
}

func TestSocketsMeantForOthersAreLeftAlone(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"nothing":              {},
		"those of a parent":    {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
		"those of nobody":      {"LISTEN_PID": "x", "LISTEN_FDS": "1"},
		"a socket of no count": {"LISTEN_FDS": "1"},
	} {
		if l, err := Activated(func(key string) string { return env[key] }); err != nil || l != nil {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
	n, err := OpenNotifier(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	n.Tell("READY=1") // nobody hears it
}
