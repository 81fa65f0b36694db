package daemontest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/sdk"
)

// dial connects a client that the test closes.
func dial(t *testing.T, address string, options ...sdk.DialOption) *sdk.Client {
	t.Helper()
	c, err := sdk.Dial(t.Context(), address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestTheSDKOverTheSocket(t *testing.T) {
	ctx := t.Context()
	d := start(t, newDir(t, ""))
	c := dial(t, "unix://"+d.socket)

	s, err := c.CreateSession(ctx, sdk.SessionSpec{Language: "python", KeepState: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Files().Write(ctx, "in.txt", sdk.WriteNew, io.LimitReader(endless{}, 3<<20)); err != nil {
		t.Fatal(err)
	}
	tool := sdk.Tool{Name: "double", Call: func(_ context.Context, args json.RawMessage) (any, error) {
		var in struct{ N int }
		err := json.Unmarshal(args, &in)
		return 2 * in.N, err
	}}
	var stdout bytes.Buffer
	r, err := s.Stream(ctx, sdk.Request{
		Code:  "import os, tools\nsize = os.path.getsize('in.txt')\nn = sum(tools.double(n=size) for _ in range(10))\nprint(n)",
		Tools: []sdk.Tool{tool},
	}, &stdout, nil)
	if err != nil || !r.Success || stdout.String() != fmt.Sprintln(60<<20) || len(r.Tools) != 10 || r.Turn != 1 {
		t.Errorf("%q, %+v, %v", stdout.String(), r, err)
	}
	if r, err := s.Run(ctx, sdk.Request{Code: "print(n)\n1/0"}); err != nil || r.Status != sdk.StatusError || r.Stdout != stdout.String() {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := c.Run(ctx, sdk.Request{Language: "python", Profile: "nothing"}); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("another profile: %v", err)
	}
	late, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := c.Run(late, sdk.Request{Language: "python", Code: "import time\ntime.sleep(9)"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("late: %v", err)
	}
	d.end()
	if _, err := c.Run(ctx, sdk.Request{Language: "python"}); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
}

// endless is the same byte for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	copy(p, strings.Repeat("x", len(p)))
	return len(p), nil
}

func TestTheSDKOverANetwork(t *testing.T) {
	dir := newDir(t, fmt.Sprintf("[server.listen]\ntcp = \"127.0.0.1:0\"\ncert = \"cert.pem\"\nkey = \"key.pem\"\n"+
		"[[server.tokens]]\nname = \"ci\"\nhash = \"%x\"\nprofiles = [\"strict\"]\n", sha256.Sum256([]byte("secret"))))
	newCertificate(t, dir, 1)
	d := start(t, dir)
	_, port, err := net.SplitHostPort(d.address())
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", port)
	config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test made the certificate
	c := dial(t, address, sdk.WithTLS(config), sdk.WithToken("secret"))
	if r, err := c.Run(t.Context(), sdk.Request{Language: "python", Code: "print(1)"}); err != nil || r.Stdout != "1\n" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := c.Run(t.Context(), sdk.Request{Language: "python", Profile: "relaxed"}); !errors.Is(err, sdk.ErrDenied) {
		t.Errorf("another profile: %v", err)
	}
	if _, err := sdk.Dial(t.Context(), address, sdk.WithTLS(config), sdk.WithToken("guess")); !errors.Is(err, sdk.ErrUnauthenticated) {
		t.Errorf("another token: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := sdk.Dial(ctx, address, sdk.WithToken("secret")); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("a certificate of nobody: %v", err)
	}
	if _, err := sdk.Dial(ctx, "unix://"+filepath.Join(dir, "nothing.sock")); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("no socket: %v", err)
	}
}
