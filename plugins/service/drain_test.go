package service_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// sleeper is an engine whose programs take a second.
type sleeper struct{}

func (sleeper) Execute(ctx context.Context, _ host.Request) (*host.Result, error) {
	select {
	case <-time.After(time.Second):
		return &host.Result{Status: host.StatusOK}, nil
	case <-ctx.Done():
		return &host.Result{Status: host.StatusCanceled}, nil
	}
}

// counter counts what it observes.
type counter struct {
	mu                                   sync.Mutex
	started, finished, refused, canceled int
}

func (o *counter) Started(service.Caller) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.started++
}

func (o *counter) Finished(_ service.Caller, r *host.Result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished++
	if r.Status == host.StatusCanceled {
		o.canceled++
	}
}

func (o *counter) Failed(_ service.Caller, _ error, started bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !started {
		o.refused++
	}
}

func TestADrainedServiceLosesNoResult(t *testing.T) {
	for name, test := range map[string]struct {
		patience time.Duration
		canceled int
	}{
		"which waits":           {time.Minute, 0},
		"which waits no longer": {time.Millisecond, 5},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				registry, err := runtimes.Builtin()
				if err != nil {
					t.Fatal(err)
				}
				disk, err := session.OpenDisk(filepath.Join(dir, "sessions"))
				if err != nil {
					t.Fatal(err)
				}
				o := &counter{}
				s, err := service.New(service.Options{
					Engine: sleeper{}, Policy: policies.Builtin(), Registry: registry,
					Sessions: session.New(session.Options{Storage: disk}), Observer: o,
				})
				if err != nil {
					t.Fatal(err)
				}
				program := service.Execution{Request: host.Request{Language: "python"}}
				var calls sync.WaitGroup
				for range 5 {
					calls.Go(func() {
						if _, err := s.Execute(t.Context(), ada, program); err != nil {
							t.Error(err)
						}
					})
				}
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), test.patience)
				defer cancel()
				drained := make(chan struct{})
				go func() { s.Drain(ctx); close(drained) }()
				synctest.Wait()
				if _, err := s.Execute(t.Context(), ada, program); service.KindOf(err) != service.Unavailable {
					t.Errorf("a new one: %v", err)
				}
				<-drained
				calls.Wait()
				s.Drain(ctx) // again
				if o.started != 5 || o.finished != 5 || o.refused != 1 || o.canceled != test.canceled {
					t.Errorf("%d started, %d finished, %d refused, %d canceled", o.started, o.finished, o.refused, o.canceled)
				}
			})
		})
	}
}
