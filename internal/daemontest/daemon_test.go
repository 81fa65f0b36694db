// Package daemontest tests the daemon as it is delivered: the real binary, its real
// sockets and signals.
package daemontest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/sandboxd/sandboxd/internal/delivered"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// binary is the program under test.
var binary string

func TestMain(m *testing.M) { os.Exit(delivered.Main(m, &binary)) }

// daemon is one that runs.
type daemon struct {
	t       *testing.T
	cmd     *exec.Cmd
	log     *buffer
	dir     string // with its policy and its data
	socket  string
	exited  chan struct{}
	client  *http.Client // over the socket
	grpc    *grpc.ClientConn
	Sandbox pb.SandboxClient
}

// buffer is a log that is read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// environment is that of a sandboxd with a data directory and no policy but that of its
// working directory.
func environment(dir string) []string {
	return append(os.Environ(), "SANDBOXD_DATA_DIR="+filepath.Join(dir, "data"), "SANDBOXD_CONFIG=", "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_RUNTIME_DIR=")
}

// newDir returns a short directory, for the paths of sockets, with a policy.
func newDir(t *testing.T, policy string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the daemon's signals are those of Unix")
	}
	dir, err := os.MkdirTemp("", "sbx") //nolint:usetesting // a test's own directory has too long a path for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	write(t, filepath.Join(dir, "sandbox.toml"), policy)
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start starts a daemon in dir and waits until it is ready.
func start(t *testing.T, dir string, args ...string) *daemon {
	t.Helper()
	d := launch(t, dir, args...)
	d.wait("it is ready", func() bool { return d.get("/readyz") == http.StatusOK })
	d.logged("msg=ready") // which says what it has given up, and follows its addresses
	return d
}

// launch starts a daemon in dir.
func launch(t *testing.T, dir string, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, log: &buffer{}, dir: dir, socket: filepath.Join(dir, "data", "run", "sandboxd.sock"), exited: make(chan struct{})}
	d.cmd = exec.Command(binary, append([]string{"serve", "--runtime", "python"}, args...)...)
	d.cmd.Dir, d.cmd.Stderr, d.cmd.Env = dir, d.log, environment(dir)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.exited)
	}()
	d.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", d.socket)
	}}}
	var err error
	d.grpc, err = grpc.NewClient("unix:"+d.socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	d.Sandbox = pb.NewSandboxClient(d.grpc)
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.exited
		_ = d.grpc.Close()
		d.client.CloseIdleConnections()
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.log)
		}
	})
	return d
}

// wait waits until something is so. The deadline is only for a daemon that hangs: one
// that finds an empty cache fetches and compiles Python first.
func (d *daemon) wait(what string, so func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		select {
		case <-d.exited:
			d.t.Fatalf("the daemon has ended, and %s is not so", what)
		default:
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("after five minutes, %s is not so", what)
		}
	}
}

// logged waits for a line of the log.
func (d *daemon) logged(text string) {
	d.t.Helper()
	d.wait("the log says "+text, func() bool { return strings.Contains(d.log.String(), text) })
}

// get is the status of a request over the socket; 0 without an answer.
func (d *daemon) get(path string) int {
	res, err := d.client.Get("http://localhost" + path)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// body is the answer to a request over the socket.
func (d *daemon) body(path string) string {
	d.t.Helper()
	res, err := d.client.Get("http://localhost" + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		d.t.Fatal(err)
	}
	return b.String()
}

func (d *daemon) signal(s os.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// end ends a daemon, which must be content with that.
func (d *daemon) end() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	d.ends()
}

// ends waits for the end of a daemon that was told to.
func (d *daemon) ends() {
	d.t.Helper()
	select {
	case <-d.exited:
	case <-time.After(2 * time.Minute):
		d.t.Fatal("the daemon does not end")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		d.t.Errorf("the daemon ended with code %d", code)
	}
}

// address is where the daemon listens on TCP.
func (d *daemon) address() string {
	d.t.Helper()
	found := regexp.MustCompile(`network=tcp address=(\S+)`).FindStringSubmatch(d.log.String())
	if found == nil {
		d.t.Fatalf("no address in\n%s", d.log)
	}
	return found[1]
}

// begun runs a program that first prints "begun", and returns when it has.
func (d *daemon) begun(r *pb.ExecuteRequest) grpc.ServerStreamingClient[pb.ExecuteResponse] {
	d.t.Helper()
	answers, err := d.Sandbox.Execute(d.t.Context(), r)
	if err != nil {
		d.t.Fatal(err)
	}
	answer, err := answers.Recv()
	if said := string(answer.GetOutput().GetData()); err != nil || said != "begun\n" {
		d.t.Fatalf("the program begins with %q, %v", said, err)
	}
	return answers
}

// run runs a program and returns what it wrote.
func (d *daemon) run(ctx context.Context, r *pb.ExecuteRequest) (string, error) {
	if r.GetLanguage() == "" {
		r.Language = "python"
	}
	res, err := d.Sandbox.Run(ctx, r)
	if err != nil {
		return "", err
	}
	if !res.GetResult().GetSuccess() {
		return "", fmt.Errorf("%s: %s", res.GetResult().GetStatus(), res.GetResult().GetStderr())
	}
	return res.GetResult().GetStdout(), nil
}
