package host_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// TestNothingIsLeftBehind takes stock after a batch of calls, then after many more:
// what differs is what calls leave behind.
func TestNothingIsLeftBehind(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	h := open(t, host.Options{Policy: policy(t, testPolicy)})
	files := t.TempDir()
	batch := func(calls int) {
		t.Helper()
		all := endings()
		for i := range calls / len(all) {
			for _, e := range all {
				if i%2 == 0 {
					e.r.Workspace = files
				}
				got, err := h.Execute(t.Context(), e.r)
				if err := e.check(got, err); err != nil {
					t.Fatal(err)
				}
			}
			cancelOne(t, h)
		}
	}
	crowd(t, h)
	batch(50)
	abandonOne(t, h)
	before := takeStock(t, temp)
	batch(220)
	abandonOne(t, h)
	checkStock(t, temp, before)
}

// checkStock demands that no more is held than before. What ends by itself after its
// call, such as a goroutine that has just sent its last word, gets time to do so.
func checkStock(t *testing.T, temp string, before stock) {
	t.Helper()
	after := takeStock(t, temp)
	for deadline := time.Now().Add(settling); !after.within(before) && time.Now().Before(deadline); after = takeStock(t, temp) {
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("before: %s", before.counts())
	t.Logf("after:  %s", after.counts())
	if !after.within(before) {
		t.Errorf("more is held than before; mappings before:\n%s\nafter:\n%s", before.summary(), after.summary())
	}
}

// settling is how long a busy machine may take to end what ends by itself.
const settling = 20 * time.Second

// crowd has as many calls run at once as may, under some limits of memory. Then as many
// regions are kept for the next calls as ever are: how many calls that come one by one
// need depends on how soon each gives its own back.
func crowd(t *testing.T, h *host.Host) {
	t.Helper()
	for _, limit := range []policies.Bytes{40 << 20, 44 << 20, 48 << 20, 52 << 20} {
		var calls, inside sync.WaitGroup
		slots := h.Load().Slots
		inside.Add(slots)
		for range slots {
			calls.Go(func() {
				r := free("print(1)", memory(limit))
				r.Stdout = writerFunc(func(p []byte) (int, error) {
					inside.Done()
					inside.Wait()
					return len(p), nil
				})
				if got, err := h.Execute(t.Context(), r); err != nil || got.Status != host.StatusOK {
					t.Errorf("got %+v, %v", got, err)
				}
			})
		}
		calls.Wait()
	}
}

func cancelOne(t *testing.T, h *host.Host) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := python("import time\nprint(1)\ntime.sleep(99)")
	r.Stdout = writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	if got, err := h.Execute(ctx, r); err != nil || got.Status != host.StatusCanceled {
		t.Fatalf("got %+v, %v", got, err)
	}
}

// abandonOne has a call be answered while its guest is stuck, and then lets go.
func abandonOne(t *testing.T, h *host.Host) {
	t.Helper()
	release := make(chan struct{})
	r := free("print(1)", timeout(20*time.Millisecond))
	r.Stdout = writerFunc(func(p []byte) (int, error) {
		<-release
		return len(p), nil
	})
	if got := execute(t, h, r); got.Status != host.StatusTimeout {
		t.Fatalf("got %+v", got)
	}
	close(release)
}

// stock is what a process holds.
type stock struct {
	goroutines, descriptors, mappings, files int
	threads                                  int
	maps                                     string
}

func takeStock(t *testing.T, temp string) stock {
	t.Helper()
	runtime.GC() // ends what only finalizers end
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(temp, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return stock{
		goroutines: runtime.NumGoroutine(), descriptors: openDescriptors(t), files: len(left), threads: len(threads),
		mappings: bytes.Count(maps, []byte("\n")), maps: string(maps),
	}
}

// within reports whether nothing has become more. Mappings may, a little: Go's own
// heap has some, and grows. So has each thread that a busy machine makes Go start: two
// for its stack, and two for the memory that the C library gives it.
func (s stock) within(before stock) bool {
	const heap, thread = 8, 4
	return s.goroutines <= before.goroutines && s.descriptors <= before.descriptors && s.files <= before.files &&
		s.mappings <= before.mappings+heap+thread*max(s.threads-before.threads, 0)
}

func (s stock) counts() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d mappings, %d files, %d threads", s.goroutines, s.descriptors, s.mappings, s.files, s.threads)
}

// summary counts the mappings by what they map.
func (s stock) summary() string {
	kinds := map[string]int{}
	for line := range strings.Lines(s.maps) {
		fields := strings.Fields(line)
		name := "anonymous " + fields[1]
		if len(fields) > 5 {
			name = fields[5]
		}
		kinds[name]++
	}
	return fmt.Sprint(kinds)
}

// TestFilesAreClosedWithTheirCall has guests leave files open. The garbage collector,
// which would close them some time, stands still.
func TestFilesAreClosedWithTheirCall(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	h := shared(t)
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := python("import os\nheld = [os.open(f'/app/{n}', os.O_CREAT | os.O_WRONLY) for n in range(20)] + [os.open('/data/f', os.O_RDONLY), os.open('/app', os.O_RDONLY)]\nos._exit(3)")
	r.Mounts = []policies.Mount{{Host: data, Guest: "/data"}}
	checkStatus(t, execute(t, h, r), host.StatusError, 3)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	before := openDescriptors(t)
	for range 5 {
		checkStatus(t, execute(t, h, r), host.StatusError, 3)
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestAClosedHostLeavesNothing opens and closes hosts, each of which loads a
// runtime and runs programs.
func TestAClosedHostLeavesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	cycle := func() {
		h, err := host.Open(t.Context(), host.Options{CacheDir: cacheDir(t), Policy: policy(t, testPolicy)})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range endings() {
			got, err := h.Execute(t.Context(), e.r)
			if err := e.check(got, err); err != nil {
				t.Error(err)
			}
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	cycle()
	before := takeStock(t, temp)
	for range 4 {
		cycle()
	}
	checkStock(t, temp, before)
}
