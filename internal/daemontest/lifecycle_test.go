package daemontest

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

func TestTwoHundredCallersAtOnce(t *testing.T) {
	d := start(t, newDir(t, "[server]\nqueue = 500\n"))
	var calls sync.WaitGroup
	for i := range 200 {
		calls.Go(func() {
			want := fmt.Sprintf("%d\n", i*i)
			got, err := d.run(t.Context(), &pb.ExecuteRequest{Code: fmt.Sprintf("print(%d ** 2)", i)})
			if err != nil || got != want {
				t.Errorf("caller %d: %q, %v", i, got, err)
			}
		})
	}
	calls.Wait()
	d.end()
}

func TestADrainLosesNoResult(t *testing.T) {
	d := start(t, newDir(t, "[server]\nqueue = 500\n[profiles.strict]\ntimeout = \"60s\"\n"))
	var begun, whole, refused atomic.Int32
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for {
				begun.Add(1)
				got, err := d.run(t.Context(), &pb.ExecuteRequest{Code: "import time\ntime.sleep(0.1)\nprint('whole')"})
				switch {
				case err == nil && got == "whole\n":
					whole.Add(1)
				case status.Code(err) == codes.Unavailable:
					refused.Add(1)
					return
				default:
					t.Errorf("got %q, %v", got, err)
					return
				}
			}
		})
	}
	d.wait("some are through", func() bool { return whole.Load() >= 16 })
	d.signal(syscall.SIGTERM)
	calls.Wait()
	d.ends()
	if whole.Load()+refused.Load() != begun.Load() || refused.Load() != 8 {
		t.Errorf("of %d calls %d have a result and %d were refused", begun.Load(), whole.Load(), refused.Load())
	}
}

func TestADrainThatTakesTooLongCancels(t *testing.T) {
	d := start(t, newDir(t, "[profiles.strict]\ntimeout = \"10m\"\n"), "--drain", "100ms")
	answers := d.begun(&pb.ExecuteRequest{Language: "python", Code: "import time\nprint('begun')\ntime.sleep(500)"})
	d.signal(syscall.SIGTERM)
	if answer, err := answers.Recv(); err != nil || answer.GetResult().GetStatus() != "canceled" {
		t.Errorf("got %v, %v", answer, err)
	}
	d.ends()
}

func TestAReloadUnderLoadDisturbsNobody(t *testing.T) {
	dir := newDir(t, "default_profile = \"a\"\n[profiles.a]\n")
	policy := filepath.Join(dir, "sandbox.toml")
	d := start(t, dir)
	stop := make(chan struct{})
	var calls sync.WaitGroup
	var ran atomic.Int32
	for range 4 {
		calls.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := d.run(t.Context(), &pb.ExecuteRequest{Code: "print(1)"}); err != nil {
					t.Error(err)
					return
				}
				ran.Add(1)
			}
		})
	}
	reload := func(text, outcome string) {
		t.Helper()
		before := strings.Count(d.log.String(), outcome)
		write(t, policy+".new", text)
		if err := os.Rename(policy+".new", policy); err != nil { // as editors do
			t.Fatal(err)
		}
		d.signal(syscall.SIGHUP)
		d.wait("a reload is "+outcome, func() bool { return strings.Count(d.log.String(), outcome) > before })
	}
	for i := range 10 {
		reload(fmt.Sprintf("default_profile = \"p%d\"\n[server]\nmax_concurrent = %d\n[profiles.p%d]\n", i, 1+i%4, i), "msg=reloaded")
	}
	reload("default_profile = \"nonesuch\"\n", "reload refused")
	if log := d.log.String(); !strings.Contains(log, `sandbox.toml:1: default_profile: there is no profile \"nonesuch\"`) {
		t.Errorf("the log does not say why:\n%s", log)
	}
	res, err := d.Sandbox.Run(t.Context(), &pb.ExecuteRequest{Language: "python", Code: ""})
	if err != nil || res.GetResult().GetProfile() != "p9" {
		t.Errorf("after a bad file: %v, %v", res, err)
	}
	reload("[profiles.p9]\nextends = \"strict\"\n[profiles.strict]\nfuel = 1_000_000\n", "msg=reloaded")
	close(stop)
	calls.Wait()
	res, err = d.Sandbox.Run(t.Context(), &pb.ExecuteRequest{Language: "python", Code: "while True: pass"})
	if err != nil || res.GetResult().GetStatus() != "out_of_fuel" {
		t.Errorf("with less fuel: %v, %v", res, err)
	}
	if ran.Load() == 0 {
		t.Error("nobody was there to be disturbed")
	}
	if strings.Contains(d.body("/metrics"), "sandboxd_slots 0") {
		t.Error("no slots are left")
	}
	d.end()
}

func TestAReloadGrantsNothingThatWasGivenUp(t *testing.T) {
	dir := newDir(t, "")
	d := start(t, dir)
	if !strings.Contains(d.log.String(), "hardened=true") {
		t.Skip("this machine hardens nothing")
	}
	if err := os.Mkdir(filepath.Join(dir, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "sandbox.toml"), "[[profiles.strict.mounts]]\nhost = \"more\"\nguest = \"/more\"\n")
	d.signal(syscall.SIGHUP)
	d.logged("restart the daemon")
	d.end()
	d = start(t, dir)
	if got, err := d.run(t.Context(), &pb.ExecuteRequest{Code: "import os\nprint(os.listdir('/more'))"}); err != nil || got != "[]\n" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	d.end()
}

// A token that was revoked must not stay valid because packages cannot be had.
func TestAReloadRevokesTokensWhatEverPackagesAre(t *testing.T) {
	token := fmt.Sprintf("[[server.tokens]]\nname = \"ada\"\nhash = \"%x\"\nprofiles = [\"strict\"]\n", sha256.Sum256([]byte("a")))
	dir := newDir(t, token)
	d := start(t, dir, "--tcp", "127.0.0.1:0", "--insecure")
	status := func() int {
		client := &http.Client{Transport: bearer("a")}
		defer client.CloseIdleConnections()
		res, err := client.Get("http://" + d.address() + "/v1/sessions")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := status(); got != http.StatusOK {
		t.Fatalf("before: %d", got)
	}
	installed := filepath.Join(dir, "data", "packages", "javascript")
	if err := os.MkdirAll(installed, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(installed, "installed.toml"), "damaged")
	write(t, filepath.Join(dir, "sandbox.toml"), "")
	d.signal(syscall.SIGHUP)
	d.logged("msg=reloaded")
	d.logged(`run \"sandboxd runtimes prepare\" and reload, or restart the daemon`)
	if got := status(); got != http.StatusUnauthorized {
		t.Errorf("the token was revoked, and its owner is answered %d", got)
	}
	d.end()
}

func TestSessionsSurviveTheEndOfTheProcess(t *testing.T) {
	dir := newDir(t, "[profiles.strict]\ntimeout = \"10m\"\n")
	d := start(t, dir)
	turn := func(code string) string {
		t.Helper()
		got, err := d.run(t.Context(), &pb.ExecuteRequest{
			Code: code, SessionId: "s", CreateSession: true, Persist: pb.Persist_PERSIST_STATE,
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	turn("n = 41\nopen('f', 'w').write('kept')")
	// The process ends in the middle of this one.
	d.begun(&pb.ExecuteRequest{
		Language: "python", SessionId: "s", Code: "n = 0\nopen('f', 'w').write('lost')\nprint('begun')\nimport time\ntime.sleep(500)",
	})
	d.signal(syscall.SIGKILL)
	<-d.exited
	d = start(t, dir)
	if got := turn("n += 1\nprint(n, open('f').read())"); got != "42 kept\n" {
		t.Errorf("got %q", got)
	}
	d.end()
}

func TestTwoDaemonsDoNotShareASocket(t *testing.T) {
	dir := newDir(t, "")
	d := start(t, dir)
	second := exec.Command(binary, "serve", "--runtime", "python")
	second.Dir, second.Env = dir, environment(dir)
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), "another daemon listens there") {
		t.Errorf("got %v\n%s", err, out)
	}
	if info, err := os.Stat(d.socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	if info, err := os.Stat(filepath.Dir(d.socket)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its directory: %v, %v", info, err)
	}
	d.end()
}

func TestANetworkNeedsTLS(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"--tcp 0.0.0.0:0 --insecure", "a network needs TLS"},
		{"--tcp :0 --insecure", "a network needs TLS"},
		{"--tcp 127.0.0.1:0", "or --insecure"},
		{"--tcp 127.0.0.1", "is no address"},
		{"--tcp 127.0.0.1:0 --cert c.pem", "needs its key"},
		{"--socket /nonesuch/dir/that/is/far/too/long/" + strings.Repeat("x", 100), "at most 103 bytes"},
	} {
		dir := newDir(t, "")
		cmd := exec.Command(binary, append([]string{"serve"}, strings.Fields(test.args)...)...)
		cmd.Dir, cmd.Env = dir, environment(dir)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: got %v\n%s", test.args, err, out)
		}
	}
}

// TestNothingIsLeftBehind has callers who leave in the middle, and counts.
func TestNothingIsLeftBehind(t *testing.T) {
	d := start(t, newDir(t, "[server]\nqueue = 500\n"))
	abandon := func(n int) {
		var calls sync.WaitGroup
		for i := range n {
			calls.Go(func() {
				conn, err := net.Dial("unix", d.socket)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				body := `{"language": "python", "code": "print(1, flush=True)\nwhile True: pass"}`
				if i%2 == 0 {
					body = `{"language": "python", "code": "while True: print('x' * 1000)"}`
				}
				fmt.Fprintf(conn, "POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				_, _ = conn.Read(make([]byte, 1))
			})
		}
		calls.Wait()
		d.wait("all have ended", func() bool {
			text := d.body("/metrics")
			return strings.Contains(text, "sandboxd_executions_active 0") && strings.Contains(text, "sandboxd_running 0\n")
		})
	}
	abandon(16)
	goroutines, files := d.goroutines(), d.files()
	abandon(100)
	d.wait("goroutines are as many as before", func() bool { return d.goroutines() <= goroutines })
	d.wait("files are as many as before", func() bool { return d.files() <= files })
	d.end()
}

func (d *daemon) goroutines() int {
	text, _, _ := strings.Cut(d.body("/debug/pprof/goroutine?debug=1"), "\n")
	_, count, _ := strings.Cut(text, "total ")
	n, err := strconv.Atoi(count)
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

// files is how many files the daemon has open, where the system says so.
func (d *daemon) files() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return len(entries)
}

// TestSocketsOfSystemdAreTakenOver starts a daemon as systemd does, with a listener and
// a socket to tell how it is.
func TestSocketsOfSystemdAreTakenOver(t *testing.T) {
	dir := newDir(t, "")
	path := filepath.Join(dir, "activated.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	// LISTEN_PID is that of the process itself, so a shell sets it and becomes it.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" serve --runtime python`, binary)
	cmd.Dir, cmd.ExtraFiles = dir, []*os.File{file}
	cmd.Env = append(environment(dir), "LISTEN_FDS=1", "NOTIFY_SOCKET="+filepath.Join(dir, "notify"))
	log := &buffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	defer func() { _ = cmd.Process.Kill() }()
	hear := func(want string) {
		t.Helper()
		p := make([]byte, 100)
		_ = notify.SetReadDeadline(time.Now().Add(5 * time.Minute))
		n, err := notify.Read(p)
		if err != nil || string(p[:n]) != want {
			t.Fatalf("systemd hears %q, %v; want %q\n%s", p[:n], err, want, log)
		}
	}
	hear("READY=1")
	d := &daemon{t: t, socket: path, exited: make(chan struct{})}
	run := exec.Command("curl", "-sf", "--unix-socket", path, "http://localhost/v1/about")
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
	if _, err := os.Stat(d.socket); err != nil {
		t.Errorf("systemd's socket was deleted: %v", err)
	}
}
