package host

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/runtimes"
)

// notes are what a host reported of its preparations.
type notes struct {
	mu       sync.Mutex
	warnings []string
	stages   map[string]int
	// onRepair is called when a damaged entry is reported, if it is set.
	onRepair func()
}

func (n *notes) progress(e runtimes.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stages == nil {
		n.stages = map[string]int{}
	}
	n.stages[e.Stage]++
	if e.Warning != "" {
		n.warnings = append(n.warnings, e.Warning)
	}
	if e.Stage == runtimes.StageRepair && n.onRepair != nil {
		n.onRepair()
	}
}

// pythonBuilder returns what prepares Python for h.
func pythonBuilder(t *testing.T, h *Host) *builder {
	t.Helper()
	definition, err := h.registry.Lookup("python")
	if err != nil {
		t.Fatal(err)
	}
	definition = h.store.Prefer(definition)
	d, err := newDriver(definition)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := openArtefacts(filepath.Join(h.store.Dir, "prepared"))
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{host: h, entries: entries, definition: definition, driver: d, optimized: definition.Source.Build == ""}
	if _, ok := entries.find(b.key()); !ok {
		b.optimized = false
	}
	return b
}

// cloneCache returns a cache directory that holds what the shared one holds of
// Python, and the directory of the prepared Python in it.
func cloneCache(t *testing.T, b *builder) (dir, entry string) {
	t.Helper()
	from, dir := b.host.store.Dir, t.TempDir()
	entry = filepath.Join("prepared", b.key())
	err := filepath.WalkDir(filepath.Join(from, entry), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, name), 0o700)
		}
		return link(path, filepath.Join(dir, name))
	})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{b.definition.Source.SHA256 + ".wasm"}
	if b.definition.Source.Build != "" {
		names = append(names, "build-python.json")
	}
	for _, name := range names {
		if err := link(filepath.Join(from, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, filepath.Join(dir, entry)
}

// link makes a hard link, or a copy where the file system has none.
func link(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// regular lists the files below dir.
func regular(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// damage replaces the file called name, which may have other names, by what change
// makes of its content.
func damage(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := change(data)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if changed == nil {
		return
	}
	if err := os.WriteFile(name, changed, 0o600); err != nil {
		t.Fatal(err)
	}
}

func flip(at func(size int) int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[at(len(b))] ^= 0x10
		return b
	}
}

var damages = []struct {
	name   string
	change func([]byte) []byte
}{
	{"first byte changed", flip(func(int) int { return 0 })},
	{"middle byte changed", flip(func(n int) int { return n / 2 })},
	{"last byte changed", flip(func(n int) int { return n - 1 })},
	{"cut in half", func(b []byte) []byte { return b[:len(b)/2] }},
	{"last byte missing", func(b []byte) []byte { return b[:len(b)-1] }},
	{"a byte too many", func(b []byte) []byte { return append(b, 0) }},
	{"empty", func([]byte) []byte { return []byte{} }},
	{"zeroes", func(b []byte) []byte { clear(b); return b }},
	{"missing", func([]byte) []byte { return nil }},
}

func TestUnsealNoticesEveryChange(t *testing.T) {
	write := func(t *testing.T) string {
		t.Helper()
		dir := t.TempDir()
		for name, text := range map[string]string{"module.wasm": "module", "image/memory": "memory", "empty": ""} {
			name = filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := seal(dir, 1<<20); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if m, err := unseal(write(t)); err != nil || m.MinMemory != 1<<20 || len(m.Files) != 3 {
		t.Fatalf("what nobody changed: %+v, %v", m, err)
	}
	dir := write(t)
	for _, name := range regular(t, dir) {
		short, err := filepath.Rel(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range damages {
			t.Run(short+": "+d.name, func(t *testing.T) {
				if short == "empty" && d.name != "missing" && d.name != "a byte too many" {
					t.Skip("an empty file has nothing to change")
				}
				dir := write(t)
				damage(t, filepath.Join(dir, short), d.change)
				if m, err := unseal(dir); err == nil {
					t.Errorf("went unnoticed: %+v", m)
				}
			})
		}
	}
	// The manifest guards itself: one bit of each byte.
	dir = write(t)
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		changed := []byte(string(text))
		changed[i] ^= 1 << (i % 8)
		if err := os.WriteFile(filepath.Join(dir, manifestName), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := unseal(dir); err == nil {
			t.Errorf("%s went unnoticed: %+v", changed, m)
		}
	}
}

// TestDamageIsNoticed damages each file of a prepared Python. The host must say so
// and prepare it again, which is cut short here: TestDamageIsRepaired does it once.
func TestDamageIsNoticed(t *testing.T) {
	h, _ := pythonPlugin(t)
	b := pythonBuilder(t, h)
	_, entry := cloneCache(t, b)
	names := regular(t, entry)
	if len(names) < 5 {
		t.Fatalf("a prepared runtime of %d files: %q", len(names), names)
	}
	for i, name := range names {
		short, err := filepath.Rel(entry, name)
		if err != nil {
			t.Fatal(err)
		}
		d := damages[i%len(damages)]
		t.Run(filepath.Base(short)+": "+d.name, func(t *testing.T) {
			dir, entry := cloneCache(t, b)
			damage(t, filepath.Join(entry, short), d.change)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := &notes{onRepair: cancel}
			h, err := Open(t.Context(), Options{CacheDir: dir, Progress: n.progress})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = h.Close() }()
			err = h.Prepare(ctx, "python")
			if !errors.Is(err, context.Canceled) || len(n.warnings) != 1 || !strings.Contains(n.warnings[0], "damaged") {
				t.Errorf("got %v, warnings %q", err, n.warnings)
			}
			if left, err := os.ReadDir(filepath.Join(dir, "prepared")); err != nil || len(left) != 0 {
				t.Errorf("after giving up, %v are left (%v)", left, err)
			}
		})
	}
}

// TestDamageIsRepaired has two hosts find the same damage at once, as two processes
// would. Both must repair it, or use what the other repaired, and run right.
func TestDamageIsRepaired(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("prepares Python twice: a minute and more under the race detector")
	}
	h, _ := pythonPlugin(t)
	b := pythonBuilder(t, h)
	dir, entry := cloneCache(t, b)
	damage(t, filepath.Join(entry, imageDir, "memory"), damages[1].change)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			h, err := Open(t.Context(), Options{CacheDir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() {
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			}()
			r, err := h.Execute(t.Context(), Request{Language: "python", Code: []byte("print(sum(range(1000)))")})
			if err != nil || r.Stdout != "499500\n" || r.Status != StatusOK {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
	wg.Wait()
	if _, err := unseal(entry); err != nil {
		t.Errorf("after the repair: %v", err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "prepared"))
	if err != nil || len(left) != 1 {
		t.Errorf("after the repair, %v are in the cache (%v)", left, err)
	}
	n := &notes{}
	again, err := Open(t.Context(), Options{CacheDir: dir, Progress: n.progress})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if err := again.Prepare(t.Context(), "python"); err != nil || len(n.warnings) != 0 || n.stages[StageCompile] != 0 {
		t.Errorf("the next host: %v, %+v", err, n)
	}
}

// TestTheSelfTestRefusesAWrongWayBack changes where an image leads to. The self-test
// must refuse it, whatever lies there.
func TestTheSelfTestRefusesAWrongWayBack(t *testing.T) {
	h, _ := pythonPlugin(t)
	b := pythonBuilder(t, h)
	tests := []struct {
		name   string
		change func(*image.Target, []uint64)
		right  bool
	}{
		{"the right one", func(*image.Target, []uint64) {}, true},
		{"no stack", func(_ *image.Target, globals []uint64) { clear(globals) }, false},
		{"another function", func(t *image.Target, _ []uint64) { t.Slot++ }, false},
		{"no function", func(t *image.Target, _ []uint64) { t.Slot = 1<<32 - 1 }, false},
		{"another object", func(t *image.Target, _ []uint64) { t.Args[0] = t.Args[1] }, false},
		{"no object", func(t *image.Target, _ []uint64) { t.Args[0] = 0 }, false},
		{"no arguments", func(t *image.Target, _ []uint64) { t.Args[1] = 1 << 31 }, false},
	}
	if b.driver.entry().Resume != "" {
		tests = tests[:4] // the module knows its object and arguments itself
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, entry := cloneCache(t, b)
			p, err := b.load(t.Context(), entry)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.close() }()
			damage(t, filepath.Join(entry, imageDir, "image.json"), func(text []byte) []byte { return retarget(t, text, tt.change) })
			if err := p.image.Close(); err != nil {
				t.Fatal(err)
			}
			if err := p.openImage(filepath.Join(entry, imageDir), ""); err != nil {
				t.Fatal(err)
			}
			err = b.selfTest(t.Context(), p)
			if tt.right != (err == nil) || err != nil && !strings.Contains(err.Error(), "self-test") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// retarget changes the target in an image's description.
func retarget(t *testing.T, text []byte, change func(*image.Target, []uint64)) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	var target image.Target
	var globals []uint64
	err := json.Unmarshal(text, &all)
	if err = errors.Join(err, json.Unmarshal(all["target"], &target), json.Unmarshal(all["globals"], &globals)); err != nil {
		t.Fatal(err)
	}
	change(&target, globals)
	if all["globals"], err = json.Marshal(globals); err != nil {
		t.Fatal(err)
	}
	if all["target"], err = json.Marshal(target); err != nil {
		t.Fatal(err)
	}
	if text, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	return text
}
