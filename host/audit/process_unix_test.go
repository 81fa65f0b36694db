//go:build unix

package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The variables by which a process that a test started knows its part.
const (
	partVar = "SANDBOXD_TEST_AUDIT_PART"
	pathVar = "SANDBOXD_TEST_AUDIT_PATH"
)

// TestMain is also the program of the other processes.
func TestMain(m *testing.M) {
	part := map[string]func(string) error{"": nil, "write": writeMany, "forever": writeForever, "limited": writeLimited}[os.Getenv(partVar)]
	if part == nil {
		os.Exit(m.Run())
	}
	if err := part(os.Getenv(pathVar)); err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		os.Exit(1)
	}
}

// process prepares this test's program once more, to play part.
func process(t *testing.T, part, path string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), partVar+"="+part, pathVar+"="+path)
	return cmd
}

const perProcess = 400

// writer writes to a log that rotates every few records: what Open opens, but for
// the size.
func writer(path string) (*Writer, error) {
	f, err := openFile(path, 8<<10, 1000)
	if err != nil {
		return nil, err
	}
	return start(f, Options{Wait: patient, Required: true}), nil
}

// writeMany writes numbered records under its process's name, from two goroutines.
func writeMany(path string) error {
	w, err := writer(path)
	if err != nil {
		return err
	}
	errs := make(chan error, 2)
	for half := range 2 {
		go func() {
			var err error
			for i := half; i < perProcess; i += 2 {
				err = errors.Join(err, w.Record(by(fmt.Sprintf("%d/%d", os.Getpid(), i))))
			}
			errs <- err
		}()
	}
	return errors.Join(<-errs, <-errs, w.Close())
}

// beforeKilled is more records than anybody waits for before a kill, and so few that
// all processes together fill no more files than are kept.
const beforeKilled = 1500

// writeForever says each record's number when it is written, and stays until it is killed.
func writeForever(path string) error {
	w, err := writer(path)
	if err != nil {
		return err
	}
	for i := range beforeKilled {
		if err := w.Record(by(fmt.Sprintf("%d/%d", os.Getpid(), i))); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(os.Stdout, i)
	}
	time.Sleep(patient)
	return nil
}

// logged reads all files of a log. It returns how often each caller is in it, and
// how many lines are no records.
func logged(t *testing.T, path string) (callers map[string]int, torn int) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	callers = map[string]int{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var r Record
			if json.Unmarshal(line, &r) != nil || line[len(line)-1] != '\n' {
				torn++
				continue
			}
			callers[r.Caller]++
		}
	}
	return callers, torn
}

func TestProcessesShareALogAndRotateIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "log")
	var all []*exec.Cmd
	outputs := make([]bytes.Buffer, 3)
	for i := range outputs {
		cmd := process(t, "write", path)
		cmd.Stdout, cmd.Stderr = &outputs[i], &outputs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for i, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, outputs[i].Bytes())
		}
	}
	got, torn := logged(t, path)
	if torn > 0 {
		t.Errorf("%d lines are no records", torn)
	}
	if len(got) != len(all)*perProcess {
		t.Errorf("%d records, want %d", len(got), len(all)*perProcess)
	}
	for caller, n := range got {
		if n != 1 {
			t.Errorf("%s is there %d times", caller, n)
		}
	}
	files, err := filepath.Glob(path + ".*")
	if err != nil || len(files) < 50 {
		t.Errorf("%d files; too few rotations to see anything: %v", len(files), err)
	}
	for _, file := range append(files, path) {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() > 8<<10 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info, err)
	}
}

// TestAKilledProcessLosesNothingItWasToldIsWritten kills processes while they write
// and rotate, with another one at the same log.
func TestAKilledProcessLosesNothingItWasToldIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	bystander, err := writer(path)
	if err != nil {
		t.Fatal(err)
	}
	const kills = 8
	said := map[string]bool{}
	for kill := range kills {
		cmd := process(t, "forever", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		for i := 0; ; i++ {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			said[fmt.Sprintf("%d/%s", cmd.Process.Pid, strings.TrimSpace(line))] = true
			if i == 20+7*kill {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		if err := bystander.Record(by(fmt.Sprint("bystander ", kill))); err != nil {
			t.Error(err)
		}
		said[fmt.Sprint("bystander ", kill)] = true
	}
	if err := bystander.Close(); err != nil {
		t.Error(err)
	}
	got, torn := logged(t, path)
	if torn > kills {
		t.Errorf("%d lines are no records", torn)
	}
	for caller := range said {
		if got[caller] != 1 {
			t.Errorf("%s is there %d times", caller, got[caller])
		}
	}
	if len(said) < kills*20 {
		t.Errorf("only %d records were written", len(said))
	}
}

// writeLimited meets the real end of a file: the process may write no file larger
// than some bytes, and then it may again.
func writeLimited(path string) error {
	w, err := Open(Options{Path: path, Wait: patient, Required: true})
	if err != nil {
		return err
	}
	limit := func(n uint64) error {
		var l syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			return err
		}
		l.Cur = min(n, l.Max)
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l)
	}
	if err := limit(4321); err != nil {
		return err
	}
	kept, lost := 0, 0
	for i := 0; lost < 3; i++ {
		err := w.Record(by("limited/" + strconv.Itoa(i)))
		switch {
		case err == nil:
			kept++
		case errors.Is(err, ErrNotWritten) && errors.Is(err, syscall.EFBIG):
			lost++
		default:
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	if err := limit(1 << 30); err != nil {
		return err
	}
	if err := w.Record(by("again")); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stdout, kept)
	return w.Close()
}

func TestAFullDiskTearsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	out, err := process(t, "limited", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{}
	kept, _ := strconv.Atoi(strings.TrimSpace(string(out)))
	for i := range kept {
		want = append(want, "limited/"+strconv.Itoa(i))
	}
	want = append(want, "lost 3", "again")
	if got := events(parse(t, data)); kept < 3 || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOpenRefusesLinksPipesAndWhatOthersMayChange(t *testing.T) {
	tests := []struct {
		name string
		make func(path string) error
		says string
	}{
		{"a link", func(p string) error { return os.Symlink("/dev/null", p) }, ""},
		{"a link that leads nowhere", func(p string) error { return os.Symlink("gone", p) }, ""},
		{"a pipe", func(p string) error { return syscall.Mkfifo(p, 0o600) }, "not a regular file"},
		{"a link for the lock", func(p string) error { return os.Symlink("gone", p+".lock") }, ""},
		{"a file that the group may write", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0o600), os.Chmod(p, 0o620))
		}, "may be written by others"},
		{"a directory that all may write", func(p string) error { return os.Chmod(filepath.Dir(p), 0o1777) }, "may be written by others"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			w, err := Open(Options{Path: path})
			if err == nil {
				_ = w.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "gone")); err == nil {
				t.Error("the link was followed")
			}
		})
	}
}
