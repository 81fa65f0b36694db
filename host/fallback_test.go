package host

import (
	"bytes"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
)

// wrongDriver is a driver that is mistaken about its runtime.
type wrongDriver struct {
	driver
	retarget func(image.Target) image.Target
	retell   func([]byte) []byte
	shown    map[string]guestfs.Virtual
	answer   string
}

func (d *wrongDriver) target(memory, told []byte) (image.Target, error) {
	if d.retell != nil {
		told = d.retell(told)
	}
	target, err := d.driver.target(memory, told)
	if d.retarget != nil {
		target = d.retarget(target)
	}
	return target, err
}

func (d *wrongDriver) warmUpFiles(ready *checkpoint) map[string]guestfs.Virtual {
	files := d.driver.warmUpFiles(ready)
	maps.Copy(files, d.shown)
	return files
}

func (d *wrongDriver) selfTest() (program, stdout string) {
	program, stdout = d.driver.selfTest()
	return program, d.answer + stdout
}

// wrongDrivers are wrong each in one way, and what is said of it.
var wrongDrivers = map[string]struct {
	driver wrongDriver
	says   string
}{
	// A module with an export to resume through has no such global to be set.
	"a wrong tp_call": {wrongDriver{retarget: func(t image.Target) image.Target { t.Slot++; return t }}, "self-test"},
	"a wrong place for randomness": {wrongDriver{retarget: func(t image.Target) image.Target {
		t.Entropy = []image.Range{{Start: 1<<32 - 8, Length: 8}}
		return t
	}}, "self-test"},
	"a wrong checkpoint": {wrongDriver{retell: func([]byte) []byte {
		return []byte(`{"function": 4294967295, "random": 4294967000}`)
	}}, ""},
	"a warm-up that ends before its checkpoint": {wrongDriver{shown: warmUp("print('warm')")}, errNoCheckpoint.Error()},
	"a warm-up that fails":                      {wrongDriver{shown: warmUp("1/0")}, "ZeroDivisionError"},
	"a warm-up that traps":                      {wrongDriver{shown: warmUp("import os; os.abort()")}, errNoCheckpoint.Error()},
	"another answer":                            {wrongDriver{answer: "x"}, "self-test"},
}

func warmUp(program string) map[string]guestfs.Virtual {
	return map[string]guestfs.Virtual{warmUpPath: {Data: []byte(program)}}
}

// TestTheSelfTestRefusesAWrongSnapshot warms Python up with drivers that are wrong
// about it.
func TestTheSelfTestRefusesAWrongSnapshot(t *testing.T) {
	h, shared := pythonPlugin(t)
	for name, tt := range wrongDrivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := pythonBuilder(t, h)
			wrong := tt.driver
			wrong.driver, b.driver = b.driver, &wrong
			p := bare(t, shared)
			p.driver, p.image = b.driver, nil
			err := b.snapshot(t.Context(), p, filepath.Join(t.TempDir(), imageDir))
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v", err)
			}
			p.standby.close()
			p.live.Wait()
			if p.image != nil {
				if err := p.image.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestAWrongSnapshotIsNotUsed prepares Python with a driver that is wrong about it.
// What comes of it must say so, and start Python plainly: slowly, but right.
func TestAWrongSnapshotIsNotUsed(t *testing.T) {
	shared, _ := pythonPlugin(t)
	dir, entry := cloneCache(t, pythonBuilder(t, shared))
	n, log := &notes{}, &bytes.Buffer{}
	h, err := Open(t.Context(), Options{CacheDir: dir, Progress: n.progress, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	b := pythonBuilder(t, h)
	wrong := wrongDrivers["a wrong tp_call"].driver
	wrong.driver, b.driver = b.driver, &wrong
	fresh, err := b.entries.begin()
	if err != nil {
		t.Fatal(err)
	}
	// Compiling takes seconds, and is not what this is about.
	if err := os.Rename(filepath.Join(entry, compiledDir), filepath.Join(fresh, compiledDir)); err != nil {
		t.Fatal(err)
	}
	if err := b.build(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	if len(n.warnings) != 1 || !strings.Contains(n.warnings[0], "cannot start from a snapshot") || !strings.Contains(log.String(), "no snapshot") {
		t.Errorf("warnings %q, log %q", n.warnings, log)
	}
	p, err := b.load(t.Context(), fresh)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.close() }()
	if p.image != nil {
		t.Error("there is an image all the same")
	}
	profile := resetProfile()
	profile.Fuel = 10_000_000_000
	r := run(t, h, p, profile, &Request{Code: []byte("import json, sys\nprint(json.dumps(sys.argv))\nsys.exit(3)"), Args: []string{"a"}}, nil)
	if r.Stdout != "[\"-c\", \"a\"]\n" || r.ExitCode != 3 {
		t.Errorf("got %+v", r)
	}
}
