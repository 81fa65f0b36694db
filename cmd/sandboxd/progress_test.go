package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sandboxd/sandboxd/runtimes"
)

// withProgress runs work with a progress display and returns what it printed.
func withProgress(t *testing.T, terminal, quiet bool, work func(p *progress)) string {
	t.Helper()
	var out strings.Builder
	synctest.Test(t, func(*testing.T) {
		p := newProgress(&out, terminal, quiet)
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
	tests := []struct {
		name            string
		terminal, quiet bool
		work            func(p *progress)
		want            string
	}{
		{"quick work is not shown", true, false, func(p *progress) {
			p.event(stage("compile"))
			time.Sleep(patience / 2)
			p.event(done)
			time.Sleep(time.Hour)
		}, ""},
		{"quick stages one after another are not shown", false, false, func(p *progress) {
			for _, name := range []string{"a", "b", "c", "d"} {
				p.event(stage(name))
				time.Sleep(patience / 2)
			}
		}, ""},
		{"long work is one line a stage in a pipe", false, false, func(p *progress) {
			p.event(download)
			time.Sleep(3 * time.Second)
			p.event(download)
			time.Sleep(3 * time.Second)
			p.event(stage("compile"))
			time.Sleep(3 * time.Second)
			p.event(done)
			time.Sleep(time.Hour)
		}, "sandboxd: python: download  25% of 20 MiB ...\nsandboxd: python: compile ...\n"},
		{"long work is one line that is removed on a terminal", true, false, func(p *progress) {
			p.event(stage("compile"))
			time.Sleep(patience + refreshRate + refreshRate/2)
		}, "\r\x1b[Kpython: compile 1s\r\x1b[Kpython: compile 1s\r\x1b[K"},
		{"quiet work is not shown", false, true, func(p *progress) {
			p.event(download)
			time.Sleep(time.Hour)
		}, ""},
		{"a warning is shown at once", false, true, func(p *progress) {
			p.event(runtimes.Event{Runtime: "python", Stage: "repair", Warning: "the cached module is damaged\x1b"})
		}, "sandboxd: the cached module is damaged^[\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := withProgress(t, tt.terminal, tt.quiet, tt.work); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
