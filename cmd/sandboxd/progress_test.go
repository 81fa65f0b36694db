package main

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sandboxd/sandboxd/runtimes"
)

// withProgress runs work with a progress display and returns what it printed.
func withProgress(t *testing.T, start func(io.Writer) *progress, work func(p *progress)) string {
	t.Helper()
	var out strings.Builder
	synctest.Test(t, func(*testing.T) {
		p := start(&out)
		work(p)
		p.stop()
		p.stop()
	})
	return out.String()
}

func stage(name string) runtimes.Event { return runtimes.Event{Runtime: "python", Stage: name} }

func TestProgress(t *testing.T) {
	download := runtimes.Event{Runtime: "python", Stage: "download", Done: 5 << 20, Total: 20 << 20, Unit: "bytes"}
	done := runtimes.Event{Runtime: "python", Stage: "done", Finished: true}
	onTerminal := func(w io.Writer) *progress { return newProgress(w, true, patience) }
	inPipe := func(w io.Writer) *progress { return newProgress(w, false, patience) }
	eager := func(w io.Writer) *progress { return newProgress(w, false, 0) }
	tests := []struct {
		name  string
		start func(io.Writer) *progress
		work  func(p *progress)
		want  string
	}{
		{"quick work is not shown", onTerminal, func(p *progress) {
			p.event(stage("compile"))
			time.Sleep(patience / 2)
			p.event(done)
			time.Sleep(time.Hour)
		}, ""},
		{"quick stages one after another are not shown", inPipe, func(p *progress) {
			for _, name := range []string{"a", "b", "c", "d"} {
				p.event(stage(name))
				time.Sleep(patience / 2)
			}
		}, ""},
		{"long work is one line a stage in a pipe", inPipe, func(p *progress) {
			p.event(download)
			time.Sleep(3 * time.Second)
			p.event(download)
			time.Sleep(3 * time.Second)
			p.event(stage("compile"))
			time.Sleep(3 * time.Second)
			p.event(done)
			time.Sleep(time.Hour)
		}, "sandboxd: python: download 20 MiB ...\nsandboxd: python: compile ...\n"},
		{"long work is one line that is removed on a terminal", onTerminal, func(p *progress) {
			p.event(stage("compile"))
			time.Sleep(patience + refreshRate + refreshRate/2)
		}, "\r\x1b[Kpython: compile 1s\r\x1b[Kpython: compile 1s\r\x1b[K"},
		{"a known size has a bar on a terminal", func(w io.Writer) *progress { return newProgress(w, true, 0) }, func(p *progress) {
			p.event(download)
			time.Sleep(refreshRate + refreshRate/2)
		}, "\r\x1b[Kpython: download [######..................] 5.0 MiB of 20 MiB 0s\r\x1b[K"},
		{"preparing on request shows every stage", eager, func(p *progress) {
			for _, name := range []string{"meter", "compile"} {
				p.event(stage(name))
				time.Sleep(patience / 2)
			}
			p.event(done)
		}, "sandboxd: python: meter ...\nsandboxd: python: compile ...\n"},
		{"quiet work is not shown", newQuietProgress, func(p *progress) {
			p.event(download)
			time.Sleep(time.Hour)
		}, ""},
		{"a warning is shown at once", newQuietProgress, func(p *progress) {
			p.event(runtimes.Event{Runtime: "python", Stage: "repair", Warning: "the cached module is damaged\x1b"})
		}, "sandboxd: the cached module is damaged^[\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := withProgress(t, tt.start, tt.work); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
