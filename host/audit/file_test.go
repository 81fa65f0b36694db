package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is a log that rotates after a few records, below what Open allows.
func small(t testing.TB, path string, size int64, keep int) *file {
	t.Helper()
	f, err := openFile(path, size, keep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.close() })
	return f
}

func add(t *testing.T, f *file, lines string) {
	t.Helper()
	if n, err := f.append([]byte(lines)); err != nil || n != len(lines) {
		t.Fatalf("append %q: %d, %v", lines, n, err)
	}
}

// content is each file in dir and what it holds, but for locks.
func content(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".lock") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Name()+": "+strings.ReplaceAll(string(data), "\n", "|"))
	}
	return all
}

func checkContent(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := content(t, dir); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRotationKeepsTheNewest(t *testing.T) {
	dir := t.TempDir()
	f := small(t, filepath.Join(dir, "log"), 10, 2)
	for i := range 9 {
		add(t, f, fmt.Sprintf("%03d\n", i))
	}
	checkContent(t, dir, "log: 008|", "log.1: 006|007|", "log.2: 004|005|")
	// Another Writer may keep fewer: the rest goes with the next rotation.
	add(t, small(t, filepath.Join(dir, "log"), 10, 1), "long line\n")
	checkContent(t, dir, "log: long line|", "log.1: 008|")
}

func TestAKilledRotationLosesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := small(t, path, 10, 4)
	for i := range 6 {
		add(t, f, fmt.Sprintf("%03d\n", i))
	}
	checkContent(t, dir, "log: 004|005|", "log.1: 002|003|", "log.2: 000|001|")
	// Killed after it moved the second: nothing has the name log.2 now.
	if err := os.Rename(path+".2", path+".3"); err != nil {
		t.Fatal(err)
	}
	add(t, f, "006\n")
	checkContent(t, dir, "log: 006|", "log.1: 004|005|", "log.2: 002|003|", "log.3: 000|001|")
	// Killed after it moved the log itself.
	if err := os.Rename(path, path+".4"); err != nil {
		t.Fatal(err)
	}
	add(t, f, "007\n")
	checkContent(t, dir, "log: 007|", "log.1: 004|005|", "log.2: 002|003|", "log.3: 000|001|", "log.4: 006|")
}

func TestATornLineIsEnded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	if err := os.WriteFile(path, []byte("one\ntw"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := small(t, path, 100, 1)
	add(t, f, "three\n")
	checkContent(t, dir, "log: one|tw|three|")
	// Another process tears one while this one has the file open.
	if err := os.WriteFile(path, []byte("one\nfo"), 0o600); err != nil {
		t.Fatal(err)
	}
	add(t, f, "five\n")
	checkContent(t, dir, "log: one|fo|five|")
}

func TestALogThatSomebodyElseMovedIsOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := small(t, path, 100, 1)
	add(t, f, "one\n")
	for _, name := range []string{path, path + ".lock"} {
		if err := os.Rename(name, name+".moved.lock"); err != nil {
			t.Fatal(err)
		}
	}
	add(t, f, "two\n")
	checkContent(t, dir, "log: two|")
	if _, err := os.Stat(path + ".lock"); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesWhatIsNoPlaceForALog(t *testing.T) {
	for _, o := range []Options{{MaxSize: 1}, {Keep: -1}, {Wait: -1}} {
		o.Path = filepath.Join(t.TempDir(), "log")
		if w, err := Open(o); err == nil {
			t.Errorf("%+v: got %v", o, w)
		}
	}
	dir := t.TempDir()
	if _, err := Open(Options{Path: dir}); err == nil {
		t.Error("a directory was opened")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Path: filepath.Join(file, "log")}); err == nil {
		t.Error("a file was taken for a directory")
	}
}

// BenchmarkRecord is what a call pays for its record.
func BenchmarkRecord(b *testing.B) {
	w, err := Open(Options{Path: filepath.Join(b.TempDir(), "log"), Required: true, Wait: patient})
	if err != nil {
		b.Fatal(err)
	}
	r := full("/app/some/result.csv")
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Record(r); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkEncode is the part of it that is no input or output.
func BenchmarkEncode(b *testing.B) {
	r := full("/app/some/result.csv")
	for b.Loop() {
		line, err := r.encode()
		if err != nil || !bytes.HasSuffix(line, []byte("\n")) {
			b.Fatal(err)
		}
	}
}
