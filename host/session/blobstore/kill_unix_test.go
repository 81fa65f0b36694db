//go:build unix

package blobstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"gocloud.dev/blob"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/internal/s3test"
)

// TestMain lets tests run this binary again as a node of its own, which is killed.
func TestMain(m *testing.M) {
	if url := os.Getenv("SANDBOXD_TEST_NODE_BUCKET"); url != "" {
		os.Exit(work(url, os.Getenv("SANDBOXD_TEST_NODE_CACHE")))
	}
	os.Exit(m.Run())
}

// work runs calls in session "s", each with the number of calls that there were, and
// says so after each that it was committed, until the process is killed. What the node
// before it sent may reach the bucket only now: the first call may be in conflict.
func work(url, cache string) int {
	ctx := context.Background()
	err := func() error {
		bucket, err := blob.OpenBucket(ctx, url)
		if err != nil {
			return err
		}
		s, err := Open(ctx, Options{Bucket: bucket, Cache: cache, Lease: time.Second})
		if err != nil {
			return err
		}
		k := session.Key{ID: "s"}
		for first := true; ; first = false {
			var c counts
			out, err := store(s).Run(ctx, &c, k, session.Call{History: 1})
			if first && errors.Is(err, session.ErrConflict) {
				continue
			}
			if err == nil && len(out.Warnings) > 0 {
				err = fmt.Errorf("%v", out.Warnings)
			}
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintln(os.Stdout, c.number)
		}
	}()
	_, _ = fmt.Fprintln(os.Stdout, "error", err)
	return 1
}

// counts is a program that writes the number after the one it finds.
type counts struct{ number int }

func (c *counts) Execute(ctx context.Context, r host.Request) (*host.Result, error) {
	c.number = 1
	if len(r.State) > 0 {
		before, err := strconv.Atoi(string(r.State))
		if err != nil {
			return nil, err
		}
		c.number += before
	}
	return program(strconv.Itoa(c.number)).Execute(ctx, r)
}

// killed starts a node, kills it at a random instant, and returns the last call that
// it reported.
func killed(t *testing.T, url, cache string, after time.Duration) (last int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SANDBOXD_TEST_NODE_BUCKET="+url, "SANDBOXD_TEST_NODE_CACHE="+cache)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	timer := (*time.Timer)(nil)
	for lines.Scan() {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Errorf("a node says %q", lines.Text())
		}
		if timer == nil { // some instant of the calls that follow
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // it was killed
	return last
}

// TestKilledNodes kills processes that work on a session, each a node of its own or
// the one before it. What another node finds then is one turn, and none before the
// last that was reported; and it goes on from it.
func TestKilledNodes(t *testing.T) {
	kills := 16
	switch {
	case os.Getenv("SANDBOXD_LONG_TESTS") != "":
		kills = 1000
	case testing.Short():
		kills = 5
	}
	server := s3test.Start(t)
	url := server.URL(server.Address)
	witness := node(t, openBucket(t, url), Options{Lease: time.Second})
	k := made(t, witness, "s")
	caches := []string{t.TempDir() + "/cache", t.TempDir() + "/cache"}
	for i := range kills {
		last := killed(t, url, caches[i%4/3], time.Duration(rand.IntN(60))*time.Millisecond)
		if t.Failed() {
			return
		}
		got, calls := content(t, witness, k)
		if got != strconv.Itoa(calls) || calls < last {
			t.Fatalf("%q is there after %d calls, and %d were reported", got, calls, last)
		}
	}
	_, calls := content(t, witness, k)
	mustRun(t, witness, k, 1, strconv.Itoa(calls+1))
	t.Logf("%d calls, %d kills", calls, kills)
}
