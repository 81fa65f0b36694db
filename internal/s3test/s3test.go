// Package s3test starts a real S3 server for tests: versitygw, built from its sources
// as the module in server pins them, on a directory and a port of this machine.
package s3test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// What the server accepts, and nothing else in the world does.
const (
	AccessKey = "test-access-key"
	SecretKey = "test-secret-key"
	Region    = "us-east-1"
	Bucket    = "sessions"
)

// Server is a running server with one bucket, which is empty.
type Server struct {
	// Address is where it listens, such as 127.0.0.1:4711.
	Address string
	// Dir is the directory of the bucket: each object is a file of its name.
	Dir string
}

// Start starts a server that ends with the test, and points the AWS SDK at its keys.
// It builds the server the first time, which takes a minute and the module proxy.
func Start(t testing.TB) *Server {
	t.Helper()
	program := build(t)
	root := t.TempDir()
	s := &Server{Dir: filepath.Join(root, Bucket)}
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, value := range Environment() {
		t.Setenv(name, value)
	}
	sidecar := "" // what it knows of objects goes to their attributes, if those can be had
	for range 5 {
		s.Address = freeAddress(t) // somebody else may take it until it is used
		if s.run(t, program, root, sidecar) {
			return s
		}
		sidecar = t.TempDir()
	}
	t.Fatal("the S3 server does not start")
	return nil
}

// Environment is what the AWS SDK needs to know.
func Environment() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID": AccessKey, "AWS_SECRET_ACCESS_KEY": SecretKey,
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	}
}

// URL is the bucket's, as gocloud.dev opens it, with the server at an address: its
// own, or that of something in between.
func (s *Server) URL(address string) string {
	q := url.Values{"region": {Region}, "endpoint": {"http://" + address}, "use_path_style": {"true"}, "disable_https": {"true"}, "response_checksum_validation": {"when_required"}}
	return "s3://" + Bucket + "?" + q.Encode()
}

// run starts the server and waits until it answers, under a name that nobody else has
// who might listen at the address by then.
func (s *Server) run(t testing.TB, program, root, sidecar string) bool {
	ctx, cancel := context.WithCancel(context.Background())
	health := "/" + rand.Text()
	args := []string{"--quiet", "--keep-alive", "--access", AccessKey, "--secret", SecretKey, "--region", Region, "--health", health, "--port", s.Address, "posix"}
	if sidecar != "" {
		args = append(args, "--sidecar", sidecar)
	}
	cmd := exec.CommandContext(ctx, program, append(args, root)...) //nolint:gosec // it was just built
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed
		close(ended)
	}()
	stop := func() {
		cancel()
		<-ended
	}
	for {
		if answers("http://" + s.Address + health) {
			t.Cleanup(stop)
			return true
		}
		select {
		case <-ended:
			stop()
			t.Logf("the S3 server ended: %s", output.Bytes())
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// answers reports whether the S3 server is behind a URL.
func answers(url string) bool {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK && answer.Header.Get("Server") == "VERSITYGW"
}

func freeAddress(t testing.TB) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

var building sync.Mutex

// build builds the server, unless this version of it was built before.
func build(t testing.TB) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	_, file, _, _ := runtime.Caller(0)
	module := filepath.Join(filepath.Dir(file), "server")
	sums, err := os.ReadFile(filepath.Join(module, "go.sum")) //nolint:gosec // of this repository
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append(sums, runtime.Version()...))
	dir := filepath.Join(cache, "sandboxd-ci")
	program := filepath.Join(dir, "versitygw-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(program); err == nil { //nolint:gosec // the user's cache
		return program
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	temp, err := os.MkdirTemp(dir, "building-") //nolint:usetesting // on the filesystem that it is renamed in
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	made := filepath.Join(temp, "versitygw")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", made, "github.com/versity/versitygw/cmd/versitygw") //nolint:gosec // a temporary file
	cmd.Dir = module
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the S3 server: %v\n%s", err, output)
	}
	if err := os.Rename(made, program); err != nil { //nolint:gosec // as before
		t.Fatal(err)
	}
	return program
}
