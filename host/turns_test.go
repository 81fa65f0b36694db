package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/sandboxd/sandboxd/policies"
)

// TestCallsRunInTheirTurn fills the queue of a host with one slot. Calls must run in
// the order in which they came, without those that were cancelled while they waited,
// and one too many must be refused at once.
func TestCallsRunInTheirTurn(t *testing.T) {
	const queue = 12
	policy, err := policies.Parse("sandbox.toml", []byte(fmt.Sprintf("[server]\nmax_concurrent = 1\nqueue = %d\n", queue)))
	if err != nil {
		t.Fatal(err)
	}
	shared, _ := pythonPlugin(t)
	h, err := Open(t.Context(), Options{CacheDir: shared.store.Dir, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()

	var order []string // by one at a time: there is one slot
	call := func(ctx context.Context, name string, before func()) error {
		r, err := h.Execute(ctx, Request{
			Language: "python", Code: []byte("import sys\nprint(sys.argv[1])"), Args: []string{name},
			Stdout: writer(func(p []byte) (int, error) {
				before()
				order = append(order, string(p))
				return len(p), nil
			}),
		})
		if err == nil && (r.Status != StatusOK || r.Stdout != name+"\n") {
			err = fmt.Errorf("%s: %s, %q", name, r.Status, r.Stdout)
		}
		return err
	}
	running, release := make(chan struct{}), make(chan struct{})
	errs := make([]error, queue+1)
	var calls sync.WaitGroup
	calls.Go(func() {
		errs[0] = call(t.Context(), "0", func() { close(running); <-release })
	})
	<-running
	cancels := make([]context.CancelFunc, queue+1)
	want := []string{"0\n"}
	for n := 1; n <= queue; n++ {
		var ctx context.Context
		ctx, cancels[n] = context.WithCancel(t.Context())
		defer cancels[n]()
		calls.Go(func() { errs[n] = call(ctx, fmt.Sprint(n), func() {}) })
		h.waitForQueue(n)
		if n%3 != 0 {
			want = append(want, fmt.Sprintln(n))
		}
	}
	if err := call(t.Context(), "too many", func() {}); !errors.Is(err, ErrBusy) {
		t.Errorf("the queue is full, got %v", err)
	}
	for n := 3; n <= queue; n += 3 {
		cancels[n]()
	}
	h.waitForQueue(queue - queue/3)
	close(release)
	calls.Wait()
	if !slices.Equal(order, want) {
		t.Errorf("they ran in the order %q, want %q", order, want)
	}
	for n, err := range errs {
		if cancelled := n > 0 && n%3 == 0; cancelled && !errors.Is(err, context.Canceled) || !cancelled && err != nil {
			t.Errorf("call %d: %v", n, err)
		}
	}
}

// waitForQueue returns when so many calls wait for their turn.
func (h *Host) waitForQueue(calls int) {
	for {
		h.admission.mu.Lock()
		waiting := h.admission.waiting.Len()
		h.admission.mu.Unlock()
		if waiting == calls {
			return
		}
		runtime.Gosched()
	}
}

type writer func([]byte) (int, error)

func (f writer) Write(p []byte) (int, error) { return f(p) }
