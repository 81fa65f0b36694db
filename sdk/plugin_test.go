package sdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/sandboxd/sandboxd/sdk"
	"github.com/sandboxd/sandboxd/sdk/handshake"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// pids hears from go-plugin which processes it starts.
type pids struct {
	mu   sync.Mutex
	seen []int
}

func (p *pids) Accept(_ string, _ hclog.Level, _ string, args ...any) {
	for i := 0; i+1 < len(args); i += 2 {
		if pid, ok := args[i+1].(int); ok && args[i] == "pid" {
			p.mu.Lock()
			p.seen = append(p.seen, pid)
			p.mu.Unlock()
		}
	}
}

// last is the process started last.
func (p *pids) last() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[len(p.seen)-1]
}

// listening makes a logger that tells pids.
func listening() (*pids, sdk.LaunchOption) {
	p := &pids{}
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Debug})
	logger.RegisterSink(p)
	return p, sdk.WithLogger(logger)
}

// signal sends a signal to a process that this test started.
func signal(t *testing.T, pid int, s os.Signal) {
	t.Helper()
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// firstWrite closes a channel when something is written.
type firstWrite struct {
	once sync.Once
	seen chan struct{}
}

func newFirstWrite() *firstWrite { return &firstWrite{seen: make(chan struct{})} }

func (w *firstWrite) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.seen) })
	return len(p), nil
}

func TestAPluginThatIsKilledLosesItsCallsAndComesBack(t *testing.T) {
	shared := t.TempDir()
	seen, logger := listening()
	c := launch(t, fmt.Sprintf(`
%s
[[profiles.long.mounts]]
host = %q
guest = "/shared"
mode = "rw"
`, longPolicy, shared), logger)
	const callers = 4
	errs := make(chan error, callers)
	for i := range callers {
		began := newFirstWrite()
		go func() {
			_, err := c.Stream(t.Context(), python(fmt.Sprintf(
				"open('/shared/%d', 'a').write('ran\\n')\nprint('began', flush=True)\nwhile True: pass", i)), began, nil)
			errs <- err
		}()
		select {
		case <-began.seen:
		case err := <-errs:
			t.Fatal(err)
		}
	}
	signal(t, seen.last(), os.Kill)
	for range callers {
		var crash *sdk.CrashError
		if err := <-errs; !errors.As(err, &crash) || !errors.Is(err, sdk.ErrUnavailable) {
			t.Errorf("got %v, want a crash", err)
		} else if runtime.GOOS == "linux" && crash.State != "signal: killed" {
			t.Errorf("state %q", crash.State)
		}
	}
	r, err := c.Run(t.Context(), python("print('back')"))
	if err != nil || r.Stdout != "back\n" {
		t.Errorf("%+v, %v", r, err)
	}
	for i := range callers {
		if data, err := os.ReadFile(filepath.Join(shared, strconv.Itoa(i))); err != nil || string(data) != "ran\n" {
			t.Errorf("call %d: %q, %v; want it to have run once", i, data, err)
		}
	}
}

func TestTerminatedAPluginLetsProgramsEnd(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no such signal")
	}
	seen, logger := listening()
	c := launch(t, plainPolicy, logger)
	began := newFirstWrite()
	type answer struct {
		r   *sdk.Result
		err error
	}
	done := make(chan answer, 1)
	go func() {
		r, err := c.Stream(t.Context(), python("import time\nprint('began', flush=True)\ntime.sleep(1.5)"), began, nil)
		done <- answer{r, err}
	}()
	<-began.seen
	signal(t, seen.last(), os.Interrupt) // for the program that loads it, not for the plugin
	signal(t, seen.last(), terminate)
	if a := <-done; a.err != nil || !a.r.Success {
		t.Errorf("%+v, %v", a.r, a.err)
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	c := launch(t, plainPolicy+"[server]\nqueue = 400\n")
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			r, err := c.Run(t.Context(), python(fmt.Sprintf("print(%d)", i)))
			if err != nil || r.Stdout != fmt.Sprintln(i) {
				t.Errorf("%d: %+v, %v", i, r, err)
			}
		})
	}
	all.Wait()
}

// errEnough ends a stream from its reader's side.
var errEnough = errors.New("enough")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errEnough }

func TestCallsThatAreGivenUpLeakNothing(t *testing.T) {
	// A call that was given up may still wait in the queue when the next one comes.
	c := launch(t, longPolicy+"[server]\nmax_concurrent = 1\nqueue = 10\n")
	if _, err := c.Run(t.Context(), python("pass")); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	const endless = "print('began', flush=True)\nwhile True: pass"
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		began := newFirstWrite()
		go func() {
			<-began.seen
			cancel()
		}()
		if _, err := c.Stream(ctx, python(endless), began, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		cancel()

		ctx, cancel = context.WithTimeout(t.Context(), 30*time.Millisecond)
		if _, err := c.Stream(ctx, python(endless), nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("late: %v", err)
		}
		cancel()

		if _, err := c.Stream(t.Context(), python(endless), failing{}, nil); !errors.Is(err, errEnough) {
			t.Errorf("abandoned: %v", err)
		}
	}
	// The one slot becomes free, which it would not for an hour if anything ran on.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if r, err := c.Run(ctx, python("print('free')")); err != nil || r.Stdout != "free\n" {
		t.Errorf("%+v, %v", r, err)
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before+2; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, there were %d", runtime.NumGoroutine(), before)
		}
	}
}

// blocked is a reader that does not read on until it is let go.
type blocked struct {
	began *firstWrite
	free  chan struct{}
}

func (b blocked) Write(p []byte) (int, error) {
	_, _ = b.began.Write(p)
	<-b.free
	return len(p), nil
}

func TestASlowReaderHoldsUpNobodyElse(t *testing.T) {
	c := launch(t, `
default_profile = "p"
[profiles.p]
extends = "relaxed"
stdout = "16MiB"
`)
	free := make(chan struct{})
	var slow sync.WaitGroup
	for range 3 {
		began := newFirstWrite()
		slow.Go(func() {
			r, err := c.Stream(t.Context(), python("for _ in range(128): print('x' * 65535)"), blocked{began, free}, nil)
			if err != nil || !r.Success {
				t.Errorf("slow: %+v, %v", r, err)
			}
		})
		<-began.seen
	}
	for i := range 20 {
		if r, err := c.Run(t.Context(), python("print('x' * 100_000)")); err != nil || len(r.Stdout) != 100_001 {
			t.Errorf("%d: %v", i, err)
		}
	}
	close(free)
	slow.Wait()
}

func TestTooMuchInOneRequestIsRefused(t *testing.T) {
	c := launch(t, plainPolicy)
	for name, r := range map[string]sdk.Request{
		"a program": {Language: "python", Code: strings.Repeat("#", 17<<20)},
		"a message": {Language: "python", Code: "pass", Stdin: make([]byte, 40<<20)},
		"a file":    {Language: "python", Code: "pass", Files: map[string][]byte{"../x": nil}},
	} {
		if _, err := c.Run(t.Context(), r); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Run(t.Context(), python("pass")); err != nil {
		t.Error(err)
	}
}

func TestTheWrongBinaryIsNotStarted(t *testing.T) {
	_, err := sdk.Launch(t.Context(), sdk.WithBinary(binary), sdk.WithChecksum(strings.Repeat("00", 32)))
	if !errors.Is(err, goplugin.ErrChecksumsDoNotMatch) {
		t.Errorf("another checksum: %v", err)
	}
	_, err = sdk.Launch(t.Context(), sdk.WithBinary(binary), sdk.WithChecksum("abc"))
	if err == nil || !strings.Contains(err.Error(), "not a SHA-256") {
		t.Errorf("no checksum: %v", err)
	}
	_, err = sdk.Launch(t.Context(), sdk.WithBinary(filepath.Join(t.TempDir(), "sandboxd")))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no binary: %v", err)
	}
	launch(t, plainPolicy, sdk.WithChecksum(checksum(t)))
}

func TestAPolicyThatCannotBeReadIsTheReasonOfTheStart(t *testing.T) {
	config := filepath.Join(t.TempDir(), "sandbox.toml")
	if err := os.WriteFile(config, []byte("fuel = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sdk.Launch(t.Context(), sdk.WithBinary(binary), sdk.WithConfig(config))
	if err == nil || !strings.Contains(err.Error(), "sandbox.toml:1") {
		t.Errorf("got %v", err)
	}
}

func TestRunByHandItExplainsItself(t *testing.T) {
	for name, value := range map[string]string{"no cookie": "", "a wrong cookie": "cookie"} {
		cmd := exec.CommandContext(t.Context(), binary, "plugin")
		cmd.Env = append(os.Environ(), handshake.Config.MagicCookieKey+"="+value)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s: %v, want exit code 1", name, err)
		}
		if stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 2 || !strings.Contains(stderr.String(), "docs/go-plugin.md") {
			t.Errorf("%s: %q and %q", name, stdout.String(), stderr.String())
		}
	}
}

// otherSide is a plugin's side as a program has it that does not use package sdk.
type otherSide struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (otherSide) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (otherSide) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, g *grpc.ClientConn) (any, error) {
	return pb.NewSandboxClient(g), nil
}

// otherHost is a program that uses go-plugin itself.
func otherHost(t *testing.T, version int) *goplugin.ClientConfig {
	t.Helper()
	return &goplugin.ClientConfig{
		HandshakeConfig:  handshake.Config,
		VersionedPlugins: map[int]goplugin.PluginSet{version: {handshake.Name: otherSide{}}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	}
}

func TestAnotherVersionOfTheProtocolIsRefused(t *testing.T) {
	c := otherHost(t, handshake.Version+1)
	c.Cmd = exec.Command(binary, "plugin", "--data-dir", t.TempDir())
	client := goplugin.NewClient(c)
	defer client.Kill()
	if _, err := client.Client(); err == nil || !strings.Contains(err.Error(), "incompatible API version") {
		t.Errorf("got %v", err)
	}
}

func TestAnotherProgramReattaches(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("here it wants AutoMTLS, with which go-plugin cannot reattach")
	}
	first := otherHost(t, handshake.Version)
	first.Cmd = exec.Command(binary, "plugin", "--data-dir", t.TempDir())
	client := goplugin.NewClient(first)
	defer client.Kill()
	if _, err := client.Client(); err != nil {
		t.Fatal(err)
	}
	second := otherHost(t, handshake.Version)
	second.Reattach = client.ReattachConfig()
	second.Plugins = second.VersionedPlugins[handshake.Version]
	again := goplugin.NewClient(second)
	protocol, err := again.Client()
	if err != nil {
		t.Fatal(err)
	}
	if err := protocol.Ping(); err != nil {
		t.Errorf("health: %v", err)
	}
	raw, err := protocol.Dispense(handshake.Name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := raw.(pb.SandboxClient).Run(t.Context(), &pb.ExecuteRequest{Language: "python", Code: "print('again')"})
	if err != nil || r.GetResult().GetStdout() != "again\n" {
		t.Errorf("%v, %v", r, err)
	}
	again.Kill()
}

func TestTheEngineIsNotInThePackage(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		for _, engine := range []string{"wazero", "extism", "sandboxd/host", "sandboxd/policies", "sandboxd/runtimes", "sandboxd/plugins", "sandboxd/cmd"} {
			if strings.Contains(name, engine) {
				t.Errorf("it imports %s", name)
			}
		}
	}
}

func TestClosingEndsWhatStarts(t *testing.T) {
	seen, logger := listening()
	data := t.TempDir()
	c := launch(t, plainPolicy, logger, sdk.WithDirectories("", data))
	first := seen.last()
	signal(t, first, os.Kill)
	for deadline := time.Now().Add(time.Minute); seen.last() == first; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("it is not started again")
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if process, err := os.FindProcess(seen.last()); err == nil {
		if err := process.Signal(os.Kill); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("the process that was starting still runs: %v", err)
		}
	}
}

func TestClosingEndsWhatRuns(t *testing.T) {
	c := launch(t, longPolicy)
	began, done := newFirstWrite(), make(chan error, 1)
	go func() {
		_, err := c.Stream(t.Context(), python("print('began', flush=True)\nwhile True: pass"), began, nil)
		done <- err
	}()
	<-began.seen
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, sdk.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
