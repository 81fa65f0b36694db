package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/internal/workloads"
)

func millis(v int) time.Duration { return time.Duration(v) * time.Millisecond }

// fakeDriver speaks the drivers' protocol, or breaks it.
func fakeDriver(mode string) int {
	if mode == "broken" {
		fmt.Fprintln(os.Stderr, "Traceback: no such module")
		return 3
	}
	reply := func(r workerReply) { _ = json.NewEncoder(os.Stdout).Encode(r) }
	reply(workerReply{Version: "fake 1"})
	for scan := bufio.NewScanner(os.Stdin); scan.Scan(); {
		var request workerRequest
		if err := json.Unmarshal(scan.Bytes(), &request); err != nil {
			return 4
		}
		switch request.Code {
		case "chatter":
			_, _ = fmt.Fprintln(os.Stdout, "hello, I am not JSON")
		case "fail":
			reply(workerReply{Error: "NameError: x"})
		case "crash":
			fmt.Fprintln(os.Stderr, "segmentation fault")
			return 5
		default:
			reply(workerReply{Stdout: "hi\n", MS: 1500, Fuel: 7})
		}
	}
	return 0
}

func startFake(t *testing.T, mode string) (*worker, error) {
	t.Helper()
	t.Setenv("BENCH_FAKE_DRIVER", mode)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startWorker(t.Context(), t.TempDir(), self)
}

func TestADriverMeasuresItsOwnTime(t *testing.T) {
	w, err := startFake(t, "good")
	if err != nil {
		t.Fatal(err)
	}
	if w.version != "fake 1" || w.pid() == 0 {
		t.Errorf("version %q, pid %d", w.version, w.pid())
	}
	o, err := subject("fake", w, workloads.Hello()).Run(t.Context())
	if err != nil || o.Elapsed != 1500*time.Millisecond || o.Fuel != 7 {
		t.Errorf("got %+v, %v", o, err)
	}
	other := workloads.Workload{Name: "other", Want: "something else\n"}
	if _, err := subject("fake", w, other).Run(t.Context()); err == nil {
		t.Error("a wrong checksum was accepted")
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
}

func TestADriverThatFailsIsQuoted(t *testing.T) {
	tests := []struct {
		name, code, want string
	}{
		{"the program fails", "fail", "NameError: x"},
		{"the driver prints something else", "chatter", "I am not JSON"},
		{"the driver crashes", "crash", "EOF: segmentation fault"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := startFake(t, "good")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.close() }()
			if _, err := w.call(t.Context(), tt.code, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %s", err, tt.want)
			}
		})
	}
	if _, err := startFake(t, "broken"); err == nil || !strings.Contains(err.Error(), "no such module") {
		t.Errorf("a driver that does not start: %v", err)
	}
}

func TestAnInstallationIsFinishedOrRepeated(t *testing.T) {
	e := &environment{say: func(string, ...any) {}}
	dir := filepath.Join(t.TempDir(), "peer")
	broken := errors.New("broken")
	installs := 0
	install := func(err error) func() error {
		return func() error {
			installs++
			if entries, _ := os.ReadDir(dir); len(entries) != 0 {
				t.Errorf("installing over %v", entries)
			}
			return errors.Join(os.WriteFile(filepath.Join(dir, "part"), nil, 0o600), err)
		}
	}
	steps := []struct {
		name, version string
		err           error
		installs      int
	}{
		{"the first attempt fails", "p==1", broken, 1},
		{"it is repeated", "p==1", nil, 2},
		{"it is kept", "p==1", broken, 2},
		{"another version replaces it", "p==2", nil, 3},
	}
	for _, s := range steps {
		err := e.installed(dir, s.version, install(s.err))
		if installs != s.installs {
			t.Errorf("%s: installed %d times, want %d", s.name, installs, s.installs)
		}
		if wantErr := s.name == "the first attempt fails"; errors.Is(err, broken) != wantErr {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}
