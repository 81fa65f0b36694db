package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandboxd/sandboxd/policies"
)

// faultPart tells a process of TestFaults that it is one, and which: limits on a process
// are for good, or for all of its tests.
const faultPart = "SANDBOXD_TEST_FAULT"

// TestFaults takes from a process of its own what it needs of the system, while it makes
// calls. Calls may fail, and say so; none may hang, end the process, or come to anything
// that is not true, and all go on when the fault is over.
func TestFaults(t *testing.T) {
	if part := os.Getenv(faultPart); part != "" {
		faults[part](t)
		return
	}
	for name := range faults {
		t.Run(name, func(t *testing.T) {
			c := child(t, "TestFaults", faultPart+"="+name)
			err := c.cmd.Wait()
			switch out := c.output.String(); {
			case err == nil && strings.Contains(out, "--- SKIP"):
				t.Skipf("%s", out)
			case err != nil || !strings.Contains(out, "--- PASS"):
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

var faults = map[string]func(t *testing.T){
	"few descriptors":                    faultDescriptors,
	"little address space":               faultAddressSpace,
	"a full disk":                        faultFullDisk,
	"a disk that is read-only":           faultReadOnly,
	"temporary files are removed":        faultTemporary,
	"a cache that cannot be a directory": faultCache,
}

// faultHost is the host under test, with Python ready.
func faultHost(t *testing.T) *Host {
	t.Helper()
	h, _ := pythonPlugin(t)
	mustSay(t, h, "before")
	return h
}

// filesProgram writes and reads files, and prints a word if nothing failed.
const filesProgram = "import sys\nfs = [open(f'/app/{n}', 'w+') for n in range(10)]\nfor f in fs:\n    f.write(sys.argv[1]); f.seek(0); assert f.read() == sys.argv[1]\nprint(sys.argv[1])"

func say(t *testing.T, h *Host, word string) (*Result, error) {
	t.Helper()
	return h.Execute(t.Context(), Request{Language: "python", Code: []byte(filesProgram), Args: []string{word}})
}

// mustSay demands that a call works.
func mustSay(t *testing.T, h *Host, word string) {
	t.Helper()
	if r, err := say(t, h, word); err != nil || r.Status != StatusOK || r.Stdout != word+"\n" {
		t.Fatalf("%s: got %+v, %v", word, r, err)
	}
}

// maySay makes calls, many at once, which may fail but not lie. It returns how many did.
func maySay(t *testing.T, h *Host, word string) (failed int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 4 {
				word := fmt.Sprint(word, i, j)
				r, err := say(t, h, word)
				mu.Lock()
				switch {
				case err != nil, r.Status == StatusInternal, r.Status == StatusError && r.Error.Type == "OSError":
					failed++
				case r.Status != StatusOK || r.Stdout != word+"\n":
					t.Errorf("got %+v", r)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failed
}

// limited runs f under a limit of the process.
func limited(t *testing.T, resource int, most uint64, f func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(resource, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: most, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	f()
	if err := unix.Setrlimit(resource, &old); err != nil {
		t.Fatal(err)
	}
}

func faultDescriptors(t *testing.T) {
	h := faultHost(t)
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	limited(t, unix.RLIMIT_NOFILE, uint64(len(entries)+12), func() {
		if maySay(t, h, "during") == 0 {
			t.Error("no call failed: the fault is none")
		}
	})
	mustSay(t, h, "after")
}

func faultAddressSpace(t *testing.T) {
	h := faultHost(t)
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	if _, err := fmt.Sscan(string(status), &pages); err != nil {
		t.Fatal(err)
	}
	profile, err := h.policy.Load().Profile("default")
	if err != nil {
		t.Fatal(err)
	}
	large := *profile
	large.Memory = 3 << 30
	limited(t, unix.RLIMIT_AS, pages*uint64(os.Getpagesize())+1<<30, func() {
		if c, err := h.newCall(h.plugins["python"].plugin, &large, &Request{Code: []byte("print(1)")}); err == nil {
			t.Errorf("a call got %d bytes", c.in.region.Size())
		}
		mustSay(t, h, "during")
	})
	mustSay(t, h, "after")
}

// smallDisk is a file system of a few bytes, if this process may mount one.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount a small file system (it takes root): %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func faultFullDisk(t *testing.T) {
	disk := smallDisk(t, "size=64k")
	t.Setenv("TMPDIR", disk)
	h := faultHost(t)
	if err := os.WriteFile(filepath.Join(disk, "rest"), make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if maySay(t, h, "during") == 0 {
		t.Error("no call failed: the fault is none")
	}
	kept := filepath.Join(disk, "kept")
	if err := os.Mkdir(kept, 0o700); err != nil {
		t.Skip(err)
	}
	// What a program is told of its own files, in a workspace that it keeps.
	r, err := h.Execute(t.Context(), Request{Language: "python", Workspace: kept, Code: []byte("open('f', 'wb').write(bytes(100000))")})
	if err != nil || r.Status != StatusError || r.Error.Type != "OSError" {
		t.Errorf("got %+v, %v", r, err)
	}
	if err := os.Remove(filepath.Join(disk, "rest")); err != nil {
		t.Fatal(err)
	}
	mustSay(t, h, "after")
	// Preparing on a disk that is full fails, says why, and leaves nothing.
	b := pythonBuilder(t, h)
	cache := filepath.Join(disk, "cache")
	b.entries, err = openArtefacts(cache)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := b.make(t.Context()); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("prepared %v, %v", p, err)
	}
	if left := directories(t, cache); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func faultReadOnly(t *testing.T) {
	disk := smallDisk(t, "size=64k")
	h := faultHost(t)
	b := pythonBuilder(t, h)
	// A cache that is there and whole can be used wherever it lies.
	dir, _ := b.entries.find(b.key())
	shown, workspace := filepath.Join(disk, "prepared"), filepath.Join(disk, "workspace")
	if err := errors.Join(os.Mkdir(shown, 0o700), os.MkdirAll(filepath.Join(workspace, "d"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(filepath.Dir(dir), shown, "", unix.MS_BIND, ""); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(shown, unix.MNT_DETACH) })
	if err := unix.Mount("", shown, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	entries, err := openArtefacts(shown)
	if err != nil {
		t.Fatal(err)
	}
	b.entries = entries
	p, err := b.find(t.Context())
	if err != nil || p == nil {
		t.Fatalf("a read-only cache: %v, %v", p, err)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
	if _, err := b.make(t.Context()); !errors.Is(err, unix.EROFS) {
		t.Errorf("preparing there: %v", err)
	}
	// A workspace there can be read.
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	r, err := h.Execute(t.Context(), Request{
		Language: "python", Workspace: workspace,
		Code: []byte("import errno, os\nprint(len(os.listdir()) > 0)\ntry: open('f', 'w')\nexcept OSError as e: print(errno.errorcode[e.errno])"),
	})
	if err != nil || r.Status != StatusOK || r.Stdout != "True\nEROFS\n" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func faultTemporary(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	h := faultHost(t)
	if err := os.RemoveAll(h.scratch.dir); err != nil {
		t.Fatal(err)
	}
	if maySay(t, h, "during") == 0 {
		t.Error("no call failed: the fault is none")
	}
	r, err := h.Execute(t.Context(), Request{Language: "python", Code: []byte("print(1)")})
	if err != nil || r.Status != StatusOK {
		t.Errorf("a program without files: %+v, %v", r, err)
	}
}

func faultCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "cache"), "/proc/sandboxd"} {
		h, err := Open(t.Context(), Options{CacheDir: dir})
		if err == nil {
			err = h.Prepare(t.Context(), "python")
			_ = h.Close()
		}
		if err == nil {
			t.Errorf("%s is a cache", dir)
		}
	}
}

// TestLookingAtFilesAfterwardsEndsNothing has programs use up all of their fuel and leave
// files, which the host looks at when nothing is left to end.
func TestLookingAtFilesAfterwardsEndsNothing(t *testing.T) {
	h, _ := pythonPlugin(t)
	fuel := uint64(60_000_000)
	for _, code := range []string{
		"for n in range(100): open(str(n), 'wb').write(bytes(400000))\nwhile True: pass",
		"import os\nfor n in range(20): os.makedirs(f'd{n}/e/f/g'); open(f'd{n}/e/f/g/h', 'wb').write(bytes(9000))\nwhile True: pass",
		"open('f', 'wb').write(bytes(1000000))\nwhile True: pass",
	} {
		r, err := h.Execute(t.Context(), Request{Language: "python", Code: []byte(code), Overrides: policies.Overrides{Fuel: &fuel}})
		if err != nil || r.Status != StatusOutOfFuel || len(r.FilesCreated) == 0 || r.FuelConsumed != fuel {
			t.Errorf("got %+v, %v", r, err)
		}
	}
}
