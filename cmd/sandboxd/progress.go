package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sandboxd/sandboxd/runtimes"
)

// progress shows long work on standard error: one line that updates itself on a
// terminal, one line a stage elsewhere. Work that is over within patience is not
// shown at all. It is safe for concurrent use.
type progress struct {
	to       io.Writer
	terminal bool

	mu      sync.Mutex
	current runtimes.Event
	since   time.Time // when the current stage began; zero when nothing runs
	shown   bool      // the current stage has been shown
	dirty   bool      // the terminal's line is in use

	done    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once
}

const (
	patience    = time.Second            // how long work may take unannounced
	refreshRate = 100 * time.Millisecond // how often the terminal's line is redrawn
)

// newProgress starts a progress display; stop ends it. A quiet one shows only
// warnings.
func newProgress(to io.Writer, terminal, quiet bool) *progress {
	p := &progress{to: to, terminal: terminal, done: make(chan struct{})}
	if !quiet {
		p.stopped.Go(p.loop)
	}
	return p
}

// event is a [runtimes.Progress].
func (p *progress) event(e runtimes.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Warning != "" {
		p.clear()
		p.print("sandboxd: " + inert(e.Warning) + "\n")
	}
	switch {
	case e.Finished:
		p.since = time.Time{}
	case p.since.IsZero() || e.Runtime != p.current.Runtime || e.Stage != p.current.Stage:
		p.since, p.shown = time.Now(), false
	}
	p.current = e
}

// stop removes the display. It may be called more than once.
func (p *progress) stop() {
	p.once.Do(func() {
		close(p.done)
		p.stopped.Wait()
		p.clear()
	})
}

func (p *progress) loop() {
	ticker := time.NewTicker(refreshRate)
	defer ticker.Stop()
	for {
		select {
		case <-p.done:
			return
		case now := <-ticker.C:
			p.draw(now)
		}
	}
}

// draw shows the current stage if it has lasted long enough.
func (p *progress) draw(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.since.IsZero():
		p.clear()
	case now.Sub(p.since) < patience && !p.dirty:
	case p.terminal:
		p.dirty = true
		p.print("\r\x1b[K" + describe(p.current) + " " + now.Sub(p.since).Truncate(time.Second).String())
	case !p.shown:
		p.shown = true
		p.print("sandboxd: " + describe(p.current) + " ...\n")
	}
}

// clear empties the terminal's line.
func (p *progress) clear() {
	if p.dirty {
		p.dirty = false
		p.print("\r\x1b[K")
	}
}

// print ignores failures: progress that nobody sees is no reason to fail.
func (p *progress) print(s string) { _, _ = io.WriteString(p.to, s) }

// describe says what is being done, and how far it is.
func describe(e runtimes.Event) string {
	text := fmt.Sprintf("%s: %s", e.Runtime, e.Stage)
	amount := func(n int64) string {
		if e.Unit == "bytes" {
			return roughBytes(uint64(max(n, 0)))
		}
		return fmt.Sprint(n)
	}
	switch {
	case e.Total > 0:
		return fmt.Sprintf("%s %3d%% of %s", text, min(100, e.Done*100/e.Total), amount(e.Total))
	case e.Done > 0:
		return fmt.Sprintf("%s %s", text, amount(e.Done))
	default:
		return text
	}
}
