//go:build unix

package session

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// work runs calls in session "s" until the process is killed, and says after each
// that it was committed. Each writes its number to two files and to the state.
func work(dir string) int {
	d, err := OpenDisk(dir)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, "error", err)
		return 1
	}
	s := New(Options{Storage: d})
	ctx := context.Background()
	k := Key{ID: "s"}
	for {
		var found sees
		n, err := s.Get(ctx, k)
		if err == nil {
			number := strconv.Itoa(n.Calls + 1)
			var out *Outcome
			out, err = s.Run(ctx, executor(func(ctx context.Context, r request) (*result, error) {
				if _, err := found.Execute(ctx, r); err != nil {
					return nil, err
				}
				if found.state != found.files["a"] || found.state != found.files["b"] {
					return nil, fmt.Errorf("mixed: state %q, files %q", found.state, found.files)
				}
				if err := writes(r, "a", number); err != nil {
					return nil, err
				}
				return keeps("b", number, number)(ctx, r)
			}), k, Call{History: 1})
			if err == nil && len(out.Warnings) > 0 {
				err = fmt.Errorf("%v", out.Warnings)
			}
			if err == nil {
				_, _ = fmt.Fprintln(os.Stdout, number)
			}
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stdout, "error", err)
			return 1
		}
	}
}

// TestKilledAtAnyInstant kills processes that work on a session. What is found
// afterwards is one turn, its files and its state, and never one before the last that
// was reported as committed.
func TestKilledAtAnyInstant(t *testing.T) {
	kills := 150
	if os.Getenv("SANDBOXD_LONG_TESTS") != "" {
		kills = 5000
	}
	if testing.Short() {
		kills = 20
	}
	s, d := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 1, both("0"))
	for range kills {
		last := killedWork(t, d.root)
		v := content(t, s, k)
		number, err := strconv.Atoi(v.state)
		if err != nil || v.files["a"] != v.state || v.files["b"] != v.state {
			t.Fatalf("after a kill: state %q, files %v", v.state, v.files)
		}
		if number < last {
			t.Fatalf("turn %d was committed, and %d is there", last, number)
		}
	}
	n, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if n.Calls < kills/10 {
		t.Errorf("only %d calls were committed; the processes were killed too soon to test anything", n.Calls)
	}
	// The next call finds nothing in its way, and leaves nothing behind.
	ran(t, s, k, 1, both("end"))
	for dir, want := range map[string]int{turnsDir: 2, imagesDir: 2} {
		entries, err := os.ReadDir(d.path(k, dir))
		if err != nil || len(entries) != want {
			t.Errorf("%d entries in %s (%v), want %d", len(entries), dir, err, want)
		}
	}
}

// both writes a number wherever a worker looks for it.
func both(number string) executor {
	return func(ctx context.Context, r request) (*result, error) {
		if err := writes(r, "a", number); err != nil {
			return nil, err
		}
		return keeps("b", number, number)(ctx, r)
	}
}

// killedWork starts a worker, kills it at a random instant after its first words, or
// before them, and returns the last number it reported.
func killedWork(t *testing.T, dir string) (last int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SANDBOXD_TEST_SESSION_WORKER="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	// Which call is hit, and where in it, is chance: after so many lines, and some
	// microseconds on.
	for range rand.IntN(3) {
		if lines.Scan() {
			last = reported(t, lines.Text())
		}
	}
	timer := time.AfterFunc(time.Duration(rand.IntN(5000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	for lines.Scan() {
		last = reported(t, lines.Text())
	}
	_ = cmd.Wait() // it was killed
	return last
}

func reported(t *testing.T, line string) int {
	t.Helper()
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("a worker says %q", line)
	}
	return n
}

// TestTwoProcessesTakeTurns runs two workers on one session: no call of one is lost to
// the other.
func TestTwoProcessesTakeTurns(t *testing.T) {
	s, d := openStore(t)
	k := created(t, s, "s")
	ran(t, s, k, 1, both("0"))
	before, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	counts := make(chan int, 2)
	for range cap(counts) {
		go func() { counts <- countedWork(t, d.root, 20) }()
	}
	total := 0
	for range cap(counts) {
		total += <-counts
	}
	after, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if done := after.Calls - before.Calls; done < total {
		t.Errorf("%d calls were reported, %d are on record", total, done)
	}
	v := content(t, s, k)
	if v.state != v.files["a"] || v.state != v.files["b"] {
		t.Errorf("state %q, files %v", v.state, v.files)
	}
}

// countedWork lets a worker report some calls and kills it.
func countedWork(t *testing.T, dir string, want int) (got int) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SANDBOXD_TEST_SESSION_WORKER="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Error(err)
		return 0
	}
	lines := bufio.NewScanner(out)
	for got < want && lines.Scan() {
		if _, err := strconv.Atoi(lines.Text()); err != nil {
			t.Errorf("a worker says %q", lines.Text())
			break
		}
		got++
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	return got
}
