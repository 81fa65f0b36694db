package runtimes

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// lies is something in a cache, and what is to become of it: "" is that it stays and is
// not mentioned, "removed: " or "skipped: " that it is, with the beginning of the reason.
type lies struct {
	name    string // a folder's ends with a slash
	content string // of a file; of a folder's only file; beginning with "-> ", of a link
	days    int    // since it was used
	old     string // by pruning what was not used for 30 days
	all     string // by pruning all
}

const (
	emptyModule = wasmHeader
	key         = "prepared/0123456789abcdef0123456789abcde"
)

// digest is a name of a module.
func digest(c string) string { return strings.Repeat(c, 64) }

// lay puts things into a new cache.
func lay(t *testing.T, all []lies) *Store {
	t.Helper()
	s := newStore(t)
	if err := os.Mkdir(filepath.Join(s.Dir, PreparedDir), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		name, file := filepath.Join(s.Dir, l.name), filepath.Join(s.Dir, l.name)
		if strings.HasSuffix(l.name, "/") {
			file = filepath.Join(name, "d", "file")
		}
		err := os.MkdirAll(filepath.Dir(file), 0o700)
		if target, link := strings.CutPrefix(l.content, "-> "); link {
			err = errors.Join(err, os.Symlink(target, file))
		} else {
			err = errors.Join(err, os.WriteFile(file, []byte(l.content), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
		age(t, name, l.days)
	}
	return s
}

// age has something been used so many days ago. Links stay as they are.
func age(t *testing.T, name string, days int) {
	t.Helper()
	then := time.Now().AddDate(0, 0, -days)
	if info, err := os.Lstat(name); err != nil || info.Mode().Type() == fs.ModeSymlink {
		return
	}
	if err := os.Chtimes(name, then, then); err != nil {
		t.Fatal(err)
	}
}

// told is what a Prune says of each thing.
func told(p *Pruned) map[string]string {
	all := map[string]string{}
	for _, r := range p.Removed {
		all[r.Name] = "removed: " + r.Reason
	}
	for _, s := range p.Skipped {
		all[s.Name] = "skipped: " + s.Reason
	}
	return all
}

const month = 30 * 24 * time.Hour

func TestPrune(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("makes symbolic links")
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "file"), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	built := string(packed(t, testBuild()))
	const (
		unused  = "removed: last used 20"
		unnamed = "removed: no runtime names it, last used 20"
		foreign = "skipped: not known"
		killed  = "removed: left behind"
	)
	all := []lies{
		{key + "0/", "image", 29, "", unused},
		{key + "1/", "image", 31, unused, unused},
		{key + "2/", "image", 0, "", unused},
		{key + "3/", "image", -1000, "", unused}, // the clock was wrong
		{key + "4/", "-> " + outside, 31, unused, unused},
		{key + "5/", "-> ../../../..", 31, unused, unused},
		{key + "6", "-> " + outside, 31, foreign, foreign},
		{key + "7", "-> 0123456789abcdef0123456789abcde2", 31, foreign, foreign},
		{key + "8", "a file", 31, foreign, foreign},
		{key + "90/", "a longer name", 31, foreign, foreign},
		{strings.ToUpper(key[9:]) + "A/", "not in prepared", 31, foreign, foreign},
		{"prepared/new-12/", "half of an image", 2, killed, killed},
		{"prepared/new-13/", "half of an image", 0, "", ""},
		{"prepared/new-14", "-> " + outside, 2, foreign, foreign},
		{"prepared/new-x/", "not ours", 2, foreign, foreign},
		{"prepared/.. /", "not ours", 31, foreign, foreign},
		{digest("1") + ".wasm", emptyModule, 100, "", ""}, // known
		{digest("2") + ".wasm", emptyModule, 31, unnamed, unnamed},
		{digest("3") + ".wasm", emptyModule, 29, "", unnamed},
		{digest("4") + ".wasm", built, 31, "skipped: built from source", "skipped: built from source"},
		{digest("5") + ".wasm", "text", 31, "skipped: it is not a WebAssembly module", "skipped: it is not a WebAssembly module"},
		{digest("6") + ".wasm", built[:20], 31, "skipped: a section is cut short", "skipped: a section is cut short"},
		{digest("7") + ".wasm", "-> " + filepath.Join(outside, "file"), 31, foreign, foreign},
		{digest("8") + ".wasm/", "a folder", 31, foreign, foreign},
		{digest("2") + ".lock", "", 100, "", ""},
		{"build-python.json", "{}", 100, "", ""},
		{"build-..json", "{}", 100, foreign, foreign},
		{"fetch-12/", "half of a module", 2, killed, killed},
		{"fetch-13/", "half of a module", 0, "", ""},
		{"fetch-14", "-> " + outside, 2, foreign, foreign},
		{"mine/", "not ours", 100, foreign, foreign},
	}
	known := []*Definition{{Name: "known", Source: Source{SHA256: digest("1")}}}
	for name, o := range map[string]PruneOptions{"old": {Idle: month}, "all": {}} {
		t.Run(name, func(t *testing.T) {
			s := lay(t, all)
			o.Known, o.DryRun = known, true
			would, err := s.Prune(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range all {
				if _, err := os.Lstat(filepath.Join(s.Dir, l.name)); err != nil {
					t.Errorf("a dry run removed it: %v", err)
				}
			}
			o.DryRun = false
			did, err := s.Prune(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			got := told(did)
			if !maps.Equal(told(would), got) || would.Bytes != did.Bytes || !would.DryRun || did.DryRun {
				t.Errorf("a dry run said %+v, and then it did %+v", would, did)
			}
			bytes := int64(0)
			for _, l := range all {
				want := l.old
				if name == "all" {
					want = l.all
				}
				shown := strings.TrimSuffix(l.name, "/")
				if said := got[shown]; !strings.HasPrefix(said, want) || (said == "") != (want == "") {
					t.Errorf("%s: %q, want %q", l.name, said, want)
				}
				delete(got, shown)
				_, err := os.Lstat(filepath.Join(s.Dir, l.name))
				removed := strings.HasPrefix(want, "removed")
				if removed != errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s is to be %q: %v", l.name, want, err)
				}
				if removed && !strings.HasPrefix(l.content, "-> ") {
					bytes += int64(len(l.content))
				}
			}
			if len(got) > 0 || did.Bytes != bytes {
				t.Errorf("it also said %q; %d bytes, want %d", got, did.Bytes, bytes)
			}
			if text, err := os.ReadFile(filepath.Join(outside, "file")); err != nil || string(text) != "precious" {
				t.Errorf("outside of the cache: %q, %v", text, err)
			}
			if again, err := s.Prune(t.Context(), o); err != nil || len(again.Removed) != 0 || len(again.Skipped) != len(did.Skipped) {
				t.Errorf("once more: %+v, %v", again, err)
			}
		})
	}
}

// TestPruneLeavesWhatIsInUse has others hold what is old.
func TestPruneLeavesWhatIsInUse(t *testing.T) {
	if !owned.Locks {
		t.Skip("no locks here: age decides")
	}
	s := lay(t, []lies{{key + "0/", "image", 90, "", ""}, {"prepared/new-1/", "half", 90, "", ""}, {key + "1/", "image", 90, "", ""}})
	image := owned.Hold(filepath.Join(s.Dir, key+"0"))
	making := owned.Hold(filepath.Join(s.Dir, "prepared/new-1"))
	p, err := s.Prune(t.Context(), PruneOptions{})
	want := []Skipped{{key + "0", "in use"}, {"prepared/new-1", "in use"}}
	if err != nil || len(p.Removed) != 1 || !slices.Equal(p.Skipped, want) {
		t.Errorf("got %+v, %v", p, err)
	}
	if err := errors.Join(image.Close(), making.Close()); err != nil {
		t.Fatal(err)
	}
	if p, err = s.Prune(t.Context(), PruneOptions{}); err != nil || len(p.Removed) != 2 || len(p.Skipped) != 0 {
		t.Errorf("when it is not in use any more: %+v, %v", p, err)
	}
}

// TestPruneOfAnImageThatIsUsedMeanwhile looks at an image after somebody used it, who
// was not there when the cache was listed.
func TestPruneOfAnImageThatIsUsedMeanwhile(t *testing.T) {
	s := lay(t, []lies{{key + "0/", "image", 0, "", ""}})
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	p := &pruning{Pruned: &Pruned{}, idle: month, root: root}
	p.image(key + "0")
	p.image(key + "1")
	want := []Skipped{{key + "0", errUsed.Error()}, {key + "1", "removed meanwhile"}}
	if len(p.Removed) != 0 || !slices.Equal(p.Skipped, want) {
		t.Errorf("got %+v", p.Pruned)
	}
}

// TestPruneThatIsKilled leaves an image by a name under which nobody looks for it.
func TestPruneThatIsKilled(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("needs a file that cannot be removed")
	}
	s := lay(t, []lies{{key + "0/", "image", 90, "", ""}})
	kept := filepath.Join(s.Dir, key+"0", "d")
	if err := os.Chmod(kept, 0o500); err != nil {
		t.Fatal(err)
	}
	p, err := s.Prune(t.Context(), PruneOptions{})
	if err != nil || len(p.Removed) != 0 || len(p.Skipped) != 1 || !strings.Contains(p.Skipped[0].Reason, "permission denied") {
		t.Errorf("got %+v, %v", p, err)
	}
	left, err := filepath.Glob(filepath.Join(s.Dir, PreparedDir, "*"))
	if err != nil || len(left) != 1 || !makingName.MatchString(filepath.Base(left[0])) {
		t.Fatalf("it left %q, %v", left, err)
	}
	if err := os.Chmod(filepath.Join(left[0], "d"), 0o700); err != nil { //nolint:gosec // a folder
		t.Fatal(err)
	}
	age(t, left[0], 2)
	if p, err = s.Prune(t.Context(), PruneOptions{Idle: month}); err != nil || len(p.Removed) != 1 {
		t.Errorf("the next one: %+v, %v", p, err)
	}
}

func TestPruneWithoutAPreparedFolder(t *testing.T) {
	outside := t.TempDir()
	if err := os.Mkdir(filepath.Join(outside, filepath.Base(key)+"0"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	if p, err := s.Prune(t.Context(), PruneOptions{}); err != nil || len(p.Removed)+len(p.Skipped) != 0 {
		t.Errorf("an empty cache: %+v, %v", p, err)
	}
	if err := os.Symlink(outside, filepath.Join(s.Dir, PreparedDir)); err != nil {
		t.Skip(err)
	}
	if p, err := s.Prune(t.Context(), PruneOptions{}); err != nil || len(p.Removed) != 0 || len(p.Skipped) != 1 {
		t.Errorf("a link in its place: %+v, %v", p, err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
		t.Errorf("behind the link: %v, %v", left, err)
	}
}

func TestPruneStopsWhenItIsCanceled(t *testing.T) {
	s := lay(t, []lies{{key + "0/", "image", 90, "", ""}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := s.Prune(ctx, PruneOptions{}); !errors.Is(err, context.Canceled) || len(p.Removed) != 0 {
		t.Errorf("got %+v, %v", p, err)
	}
}

// TestUsedModulesStay uses a module that no known runtime has: another project's.
func TestUsedModulesStay(t *testing.T) {
	s := lay(t, []lies{{digest("2") + ".wasm", emptyModule, 90, "", ""}})
	s.Used(&Definition{Source: Source{SHA256: digest("2")}})
	if p, err := s.Prune(t.Context(), PruneOptions{Idle: month}); err != nil || len(p.Removed) != 0 {
		t.Errorf("got %+v, %v", p, err)
	}
}
