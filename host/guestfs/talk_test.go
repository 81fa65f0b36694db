package guestfs

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// shouter answers what it was told in capitals, and then ends.
type shouter struct {
	heard  strings.Builder
	closed int
	locked func() // called by Read, which must be able to wait
}

func (s *shouter) Write(p []byte) (int, error) { return s.heard.Write(p) }

func (s *shouter) Read(p []byte) (int, error) {
	s.locked()
	text := strings.ToUpper(s.heard.String())
	switch text {
	case "":
		return 0, io.EOF
	case "FAIL":
		return 0, errors.New("broken")
	}
	n := copy(p, text)
	rest := text[n:]
	s.heard.Reset()
	s.heard.WriteString(rest)
	return n, nil
}

func (s *shouter) Close() error { s.closed++; return nil }

func TestConversations(t *testing.T) {
	var f FS
	var made []*shouter
	charged := 0
	err := f.Bind(Options{
		Limits: Limits{MaxBytes: 1, MaxFiles: 1, MaxOpen: 3},
		Charge: func(n int) { charged += n },
		Virtual: map[string]Virtual{Reserved + "/talk": {Talk: func() io.ReadWriteCloser {
			// A file system that held its lock while a conversation waits would
			// hang here, and with it Close.
			made = append(made, &shouter{locked: func() { f.mu.Lock(); defer f.mu.Unlock() }})
			return made[len(made)-1]
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const path = ".sandboxd/talk"
	for _, flag := range []sys.Oflag{sys.O_RDONLY, sys.O_WRONLY} {
		if _, errno := f.OpenFile(path, flag, 0); errno != sys.EACCES {
			t.Errorf("opened one way only, with %v: %v", flag, errno)
		}
	}
	if st, errno := f.Stat(path); errno != 0 || st.Mode != 0o600 || st.Size != 0 {
		t.Errorf("Stat: %+v, %v", st, errno)
	}
	open := func() sys.File {
		t.Helper()
		file, errno := f.OpenFile(path, sys.O_RDWR, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		return file
	}
	a, b := open(), open()
	say := func(file sys.File, text string) {
		t.Helper()
		if n, errno := file.Write([]byte(text)); n != len(text) || errno != 0 {
			t.Fatalf("Write(%q) = %d, %v", text, n, errno)
		}
	}
	hear := func(file sys.File, want string, wantErrno sys.Errno) {
		t.Helper()
		buf := make([]byte, 4)
		n, errno := file.Read(buf)
		if string(buf[:n]) != want || errno != wantErrno {
			t.Errorf("Read = %q, %v; want %q, %v", buf[:n], errno, want, wantErrno)
		}
	}
	say(a, "hel")
	say(b, "other")
	say(a, "lo")
	hear(a, "HELL", 0)
	hear(a, "O", 0)
	hear(a, "", 0)
	hear(b, "OTHE", 0)
	say(a, "fail")
	hear(a, "", sys.EIO)
	if charged != len("hel"+"other"+"lo"+"HELLO"+"OTHE"+"fail") {
		t.Errorf("charged for %d bytes", charged)
	}
	for name, errno := range map[string]sys.Errno{
		"seek":     func() sys.Errno { _, e := a.Seek(0, io.SeekStart); return e }(),
		"pread":    func() sys.Errno { _, e := a.Pread(make([]byte, 1), 0); return e }(),
		"pwrite":   func() sys.Errno { _, e := a.Pwrite([]byte("x"), 0); return e }(),
		"truncate": a.Truncate(5),
		"readdir":  func() sys.Errno { _, e := a.Readdir(1); return e }(),
	} {
		if errno == 0 {
			t.Errorf("%s is no error", name)
		}
	}
	if errno := a.Close(); errno != 0 {
		t.Error(errno)
	}
	if _, errno := a.Write([]byte("x")); errno != sys.EBADF {
		t.Errorf("write after the end: %v", errno)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, errno := b.Read(make([]byte, 1)); errno != sys.EBADF {
		t.Errorf("read after the end: %v", errno)
	}
	_ = a.Close()
	for i, s := range made {
		if s.closed != 1 {
			t.Errorf("conversation %d was closed %d times", i, s.closed)
		}
	}
}
