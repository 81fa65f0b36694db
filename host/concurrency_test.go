package host_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// ending is a program and how it must end.
type ending struct {
	name   string
	r      host.Request
	status host.Status
	stdout string
}

// endings are programs that end in every way there is, apart from cancellation.
func endings() []ending {
	quick := timeout(50 * time.Millisecond)
	disk := policies.Bytes(1000)
	stdout := policies.Bytes(1000)
	stop := free("print('x' * 10**6)", policies.Overrides{Stdout: &stdout})
	stop.Profile = "stop"
	broken := python("input()")
	broken.Stdin = readerFunc(func([]byte) (int, error) { panic("reader") })
	return []ending{
		{"an end", python("print('hi')"), host.StatusOK, "hi\n"},
		{"an exception", python("1/0"), host.StatusError, ""},
		{"an exit", python("import sys; sys.exit(4)"), host.StatusError, ""},
		{"an exit from within", python("import os; os._exit(0)"), host.StatusOK, ""},
		{"a trap", python("f = lambda: 0\nf.__code__ = f.__code__.replace(co_code=bytes([100, 255, 0, 0] * 50 + [83, 0]), co_consts=(), co_stacksize=1)\nf()"), host.StatusError, ""},
		{"fuel", free("while True: pass", fuel(3_000_000)), host.StatusOutOfFuel, ""},
		{"a sleep", free("import time; time.sleep(9)", quick), host.StatusTimeout, ""},
		{"memory", free("a = []\nwhile True: a.append(bytes(1 << 20))", memory(24<<20)), host.StatusOutOfMemory, ""},
		{"disk", free("open('f', 'wb').write(bytes(50000))", policies.Overrides{DiskQuota: &disk}), host.StatusDiskQuota, ""},
		{"output", stop, host.StatusOutputLimit, strings.Repeat("x", 1000)},
		{"a fault of the host's", broken, host.StatusInternal, ""},
		{"files left open", python("import os\nheld = [os.open(f'/app/{n}', os.O_CREAT | os.O_WRONLY) for n in range(20)]\nos._exit(3)"), host.StatusError, ""},
		{"a spoiled interpreter", python("import builtins, sys, os, random\nbuiltins.len = None\nsys.modules.clear()\nos.environ['X'] = '1'\nrandom.seed(1)\nsum = None\nfor n in range(20): open(f'/app/{n}', 'w')"), host.StatusOK, ""},
	}
}

func (e ending) check(r *host.Result, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", e.name, err)
	case r.Status != e.status || r.Stdout != e.stdout:
		return fmt.Errorf("%s: status %s, stdout %.100q, stderr %.300q; want %s, %.100q", e.name, r.Status, r.Stdout, r.Stderr, e.status, e.stdout)
	}
	return nil
}

// TestManyCallsAtOnceDoNotDisturbEachOther mixes programs of every ending with
// ones that look for traces of others.
func TestManyCallsAtOnceDoNotDisturbEachOther(t *testing.T) {
	h := shared(t)
	workers, rounds := 8, 9
	if testing.Short() {
		rounds = 2
	}
	const look = `
import builtins, os, random, sys
x = globals().get("x", "mine")
print(x, %d, %d, os.listdir("/app"), sorted(os.environ), sum(range(100)), len(builtins.__dict__) > 100, "json" in sys.modules)
x = "yours"
open("/app/trace", "w").write(x)
`
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for round := range rounds {
				for i, e := range endings() {
					got, err := h.Execute(t.Context(), e.r)
					if err := e.check(got, err); err != nil {
						t.Error(err)
					}
					run := (worker*1000+round)*100 + i
					want := fmt.Sprintln("mine", worker, run, "[] ['LANG'] 4950 True True")
					got, err = h.Execute(t.Context(), python(fmt.Sprintf(look, worker, run)))
					if err != nil || got.Stdout != want {
						t.Errorf("after %s: got %+v, %v; want %q", e.name, got, err, want)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestNoTwoCallsDrawTheSameRandomness(t *testing.T) {
	h := shared(t)
	const code = "import os, random, secrets, uuid\nprint(random.getrandbits(64))\nprint(os.urandom(8).hex())\nprint(secrets.token_hex(8))\nprint(uuid.uuid4())\nprint(random.SystemRandom().getrandbits(64))\nprint(random.Random().getrandbits(64))"
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				r, err := h.Execute(t.Context(), python(code))
				if err != nil || r.Status != host.StatusOK {
					t.Errorf("got %+v, %v", r, err)
					return
				}
				mu.Lock()
				for line := range strings.Lines(r.Stdout) {
					if seen[line] {
						t.Errorf("%q was drawn twice", line)
					}
					seen[line] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 4*10*6 {
		t.Errorf("%d draws", len(seen))
	}
}

// held is a call that runs until it is released.
type held struct {
	release func()
	result  chan *host.Result
}

// hold starts a call and returns when it runs.
func hold(t *testing.T, h *host.Host, code string) held {
	t.Helper()
	running, released := make(chan struct{}), make(chan struct{})
	call := held{release: sync.OnceFunc(func() { close(released) }), result: make(chan *host.Result, 1)}
	t.Cleanup(call.release)
	r := free("print(1)\n"+code, timeout(time.Minute))
	r.Stdout = writerFunc(func(p []byte) (int, error) {
		close(running)
		<-released
		return len(p), nil
	})
	go func() {
		got, err := h.Execute(context.WithoutCancel(t.Context()), r)
		if err != nil {
			t.Errorf("the call that is held: %v", err)
		}
		call.result <- got
	}()
	<-running
	return call
}

func narrow(t *testing.T) *host.Host {
	t.Helper()
	h := open(t, host.Options{Policy: policy(t, testPolicy+"[server]\nmax_concurrent = 1\nqueue = 1\n")})
	if err := h.Prepare(t.Context(), "python"); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAdmissionIsBounded(t *testing.T) {
	h := narrow(t)
	first := hold(t, h, "")
	// One of two more waits, the other is refused; which one is chance.
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := h.Execute(ctx, python("print(2)"))
			errs <- err
		}()
	}
	if err := <-errs; !errors.Is(err, host.ErrBusy) {
		t.Errorf("the third call: %v", err)
	}
	cancel()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("the queued call: %v", err)
	}
	first.release()
	checkStatus(t, <-first.result, host.StatusOK, 0)
	// Answered calls hold no slot: one after the other is never refused.
	for range 20 {
		if got := execute(t, h, python("print(4)")); got.Stdout != "4\n" {
			t.Errorf("afterwards: %+v", got)
		}
	}
}

func TestOneAtATimeTwoCallersAreNeverRefused(t *testing.T) {
	h := narrow(t)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 50 {
				if r, err := h.Execute(t.Context(), python("print(1)")); err != nil || r.Stdout != "1\n" {
					t.Errorf("got %+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCloseEndsWhatRunsAndRefusesWhatWaits(t *testing.T) {
	h := narrow(t)
	first := hold(t, h, "while True: pass")
	queued := make(chan error, 1)
	go func() {
		r, err := h.Execute(context.WithoutCancel(t.Context()), python("print(2)"))
		if err == nil {
			err = fmt.Errorf("it ran: %s", r.Status)
		}
		queued <- err
	}()
	closed := make(chan error, 2)
	go func() { closed <- h.Close() }()
	if err := <-queued; !errors.Is(err, host.ErrClosed) {
		t.Errorf("the queued call: %v", err)
	}
	if _, err := h.Execute(t.Context(), python("")); !errors.Is(err, host.ErrClosed) {
		t.Errorf("a call during Close: %v", err)
	}
	select {
	case err := <-closed:
		t.Errorf("Close returned %v while a guest was in the host", err)
	default:
	}
	first.release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	checkStatus(t, <-first.result, host.StatusCanceled, 130)
	if err := h.Prepare(t.Context(), "python"); !errors.Is(err, host.ErrClosed) {
		t.Errorf("Prepare after Close: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

func TestCloseInTheMiddleOfEverything(t *testing.T) {
	h := open(t, host.Options{Policy: policy(t, testPolicy)})
	if err := h.Prepare(t.Context(), "python"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				all := endings()
				_, err := h.Execute(t.Context(), all[i%len(all)].r)
				if errors.Is(err, host.ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		execute(t, h, python("print(1)"))
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

func TestPreparingAtOnceLoadsOnce(t *testing.T) {
	h := open(t, host.Options{})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%4 == 3 {
				cancel() // gives up; nobody else may notice
			}
			if err := h.Prepare(ctx, "python"); err != nil && (i%4 != 3 || !errors.Is(err, context.Canceled)) {
				t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	checkStatus(t, execute(t, h, python("print(1)")), host.StatusOK, 0)
}
