package runtimes

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func TestNPMPackagesAreFetchedOnce(t *testing.T) {
	installFakeNPM(t, "ok", goodPackage()...)
	s, d := newStore(t), npmDefinition()
	var stages []string
	path, err := s.Fetch(t.Context(), d, func(e Event) {
		if len(stages) == 0 || stages[len(stages)-1] != e.Stage {
			stages = append(stages, e.Stage)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(stages, " "); got != "download extract done" {
		t.Errorf("stages: got %s", got)
	}
	if data, err := os.ReadFile(path); err != nil || digestOf(data) != d.Source.SHA256 {
		t.Errorf("%s: %d bytes, %v", path, len(data), err)
	}
	wantCache(t, s, d.Source.SHA256)

	t.Setenv("PATH", t.TempDir()) // from here on there is no npm
	if _, err := s.Fetch(t.Context(), d, nil); err != nil {
		t.Errorf("from the cache: %v", err)
	}
}

func TestNPMFailuresExplainThemselves(t *testing.T) {
	const refused = "the registry could not be reached: check the network and npm's proxy settings; a runtime that is in the cache works offline"
	tests := []struct {
		name, mode string
		files      []member
		class      error
		want       string // %DIR% stands for the cache
	}{
		{
			"offline", "offline", nil, ErrUnavailable,
			"npm could not fetch @scope/lang@1.2.3: exit status 1: " + refused +
				"\n\tnpm error code ECONNREFUSED\n\tnpm error syscall connect\n\tnpm error errno ECONNREFUSED" +
				"\n\tnpm error FetchError: request to https://registry.example/@scope%2flang failed, reason: connect ECONNREFUSED 127.0.0.1:9" +
				"\n\tnpm error If you are behind a proxy, please make sure that the 'proxy' config is set properly.  See: 'npm help config'",
		},
		{
			"not in the registry", "404", nil, ErrUnavailable,
			"npm could not fetch @scope/lang@1.2.3: exit status 1: " +
				"the registry does not have it: check the name and the version, and which registry npm is set to use" +
				"\n\tnpm error 404 Not Found - GET https://registry.example/@scope%2flang\n\tnpm error 404" +
				"\n\tnpm error 404  The requested resource '@scope/lang@1.2.3' could not be found or you do not have permission to access it." +
				"\n\tnpm error 404\n\tnpm error 404 Note that you can also install from a\n\tnpm error 404 tarball, folder, http url, or git url.",
		},
		{
			"a full disk", "full", nil, ErrUnavailable,
			"npm could not fetch @scope/lang@1.2.3: exit status 1: " +
				"the disk is full: free some space in the runtime cache %DIR% or in npm's own cache" +
				"\n\tnpm error code ENOSPC\n\tnpm error syscall write\n\tnpm error errno -28" +
				"\n\tnpm error nospc ENOSPC: no space left on device, write" +
				"\n\tnpm error nospc There appears to be insufficient space on your system to finish." +
				"\n\tnpm error nospc Clear up some disk space and try again.",
		},
		{
			"without a word", "silent", nil, ErrUnavailable,
			"npm could not fetch @scope/lang@1.2.3: exit status 7; it printed nothing",
		},
		{
			"with hostile words", "hostile", nil, ErrUnavailable,
			"npm could not fetch @scope/lang@1.2.3: exit status 1\n\t" + strings.Repeat("x", maxTailLine) + "..." +
				"\n\t?[31mred?[0m ? ?\n\t" + strings.Repeat("y", maxTailLine) + "...",
		},
		{
			"no tarball", "nothing", nil, ErrUnavailable,
			"find the package npm fetched: npm reported success but left no tarball",
		},
		{
			"no such member", "ok",
			[]member{{name: "package/dist/lagn.wasm", data: "x"}},
			ErrInvalid,
			`npm package @scope/lang@1.2.3: invalid runtime: there is no "package/dist/lang.wasm" in the archive (did you mean "package/dist/lagn.wasm"?)`,
		},
		{
			"a member that is a link", "ok",
			[]member{{name: "package/dist/lang.wasm", kind: '2', link: "/etc/passwd"}},
			ErrInvalid,
			`npm package @scope/lang@1.2.3: invalid runtime: "package/dist/lang.wasm" in the archive is not a regular file`,
		},
		{
			"other bytes", "ok",
			[]member{{name: "package/dist/lang.wasm", data: "other"}},
			ErrDigest,
			"npm package @scope/lang@1.2.3: wrong SHA-256: npm @scope/lang@1.2.3 (dist/lang.wasm) holds " + digestOf([]byte("other")) +
				" but runtime.toml pins " + digestOf(testModule) + "; nothing was kept. If the new module is the one you want, change source.sha256",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			installFakeNPM(t, tt.mode, tt.files...)
			s := newStore(t)
			_, err := s.Fetch(t.Context(), npmDefinition(), nil)
			want := "fetch runtime lang: " + strings.ReplaceAll(tt.want, "%DIR%", s.Dir)
			if err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
			if !errors.Is(err, tt.class) {
				t.Errorf("not of class %v", tt.class)
			}
			wantCache(t, s)
		})
	}
}

func TestNPMMissingSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := newStore(t)
	_, err := s.Fetch(t.Context(), npmDefinition(), nil)
	want := "fetch runtime lang: npm was not found on PATH: install Node.js, which brings it, " +
		"or use source.file or source.https in runtime.toml: exec: \"npm\": executable file not found in "
	if err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	wantCache(t, s)
}

func TestNPMIsNeverGivenAnOption(t *testing.T) {
	installFakeNPM(t, "ok", goodPackage()...)
	s, d := newStore(t), npmDefinition()
	d.Source.NPM = "--registry=https://example.org"
	if _, err := s.Fetch(t.Context(), d, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v, want class ErrInvalid", err)
	}
	if runs := npmRuns(t); runs != 0 {
		t.Errorf("npm ran %d times", runs)
	}
}

// hangPoint is where a hanging fake npm reports to.
func hangPoint(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	t.Setenv(fakeDial, listener.Addr().String())
	return listener
}

// accept returns the connection of the next process that hangs. The process
// lives until the connection ends, on either side.
func accept(t *testing.T, listener net.Listener) net.Conn {
	t.Helper()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestCancellationKillsNPMAndItsChildren(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process groups")
	}
	installFakeNPM(t, "hang")
	listener := hangPoint(t)
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := s.Fetch(ctx, npmDefinition(), nil)
		failed <- err
	}()
	conns := []net.Conn{accept(t, listener), accept(t, listener)}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	for i, conn := range conns {
		// A process that lives would keep this read waiting for ever.
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("process %d sent something", i)
		} else if !errors.Is(err, io.EOF) {
			t.Logf("process %d: %v", i, err)
		}
	}
	wantCache(t, s)
}

func TestAKilledFetchLeavesNothingUnderTheFinalName(t *testing.T) {
	installFakeNPM(t, "hang-alone", goodPackage()...)
	listener := hangPoint(t)
	s, d := newStore(t), npmDefinition()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), childDir+"="+s.Dir)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	orphan := accept(t, listener)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Error("the child was not killed")
	}
	if path, ok := s.Cached(d); ok {
		t.Errorf("%s is there", path)
	}
	_ = orphan.Close()

	t.Setenv(fakeMode, "ok") // its lock died with it
	if _, err := s.Fetch(t.Context(), d, nil); err != nil {
		t.Errorf("the next fetch: %v", err)
	}
	if _, ok := s.Cached(d); !ok {
		t.Error("the module is not there")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var end tail
	for range 1000 {
		if n, err := end.Write([]byte("something quite long that goes away\n")); n != 36 || err != nil {
			t.Fatal(n, err)
		}
	}
	_, _ = io.WriteString(&end, "npm error last\n")
	if len(end.kept) != maxTail {
		t.Errorf("kept %d bytes, want %d", len(end.kept), maxTail)
	}
	lines := end.lines()
	if len(lines) != tailLines || lines[tailLines-1] != "npm error last" {
		t.Errorf("got %q", lines)
	}
}
