package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sandboxd/sandboxd/runtimes"
)

// progress shows long work on standard error: one line that updates itself on a
// terminal, one line a stage elsewhere. A stage that is over within patience is
// not shown at all. It is safe for concurrent use.
type progress struct {
	to       io.Writer
	terminal bool
	patience time.Duration

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
	// patience is how long a stage may take unannounced, where preparing is not
	// what the user asked for.
	patience = time.Second
	// refreshRate is how often the terminal's line is redrawn.
	refreshRate = 100 * time.Millisecond
	// barWidth is the width of the bar of a stage whose size is known.
	barWidth = 24
)

// newProgress starts a progress display; stop ends it.
func newProgress(to io.Writer, terminal bool, patience time.Duration) *progress {
	p := newQuietProgress(to)
	p.terminal, p.patience = terminal, patience
	p.stopped.Go(p.loop)
	return p
}

// newQuietProgress is a display that shows only warnings.
func newQuietProgress(to io.Writer) *progress {
	return &progress{to: to, done: make(chan struct{})}
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
	case now.Sub(p.since) < p.patience && !p.dirty:
	case p.terminal:
		p.dirty = true
		p.print("\r\x1b[K" + describe(p.current, true) + " " + now.Sub(p.since).Truncate(time.Second).String())
	case !p.shown:
		p.shown = true
		p.print("sandboxd: " + describe(p.current, false) + " ...\n")
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

// describe says what is being done and, as far as that is known, how much of it
// there is. Live, it also says how far it has come.
func describe(e runtimes.Event, live bool) string {
	text := fmt.Sprintf("%s: %s", e.Runtime, e.Stage)
	amount := func(n int64) string { return fmt.Sprint(n) }
	if e.Unit == "bytes" {
		amount = func(n int64) string { return roughBytes(uint64(max(n, 0))) }
	}
	switch {
	case e.Total > 0 && live:
		filled := int(max(0, min(barWidth, e.Done*barWidth/e.Total)))
		bar := strings.Repeat("#", filled) + strings.Repeat(".", barWidth-filled)
		return fmt.Sprintf("%s [%s] %s of %s", text, bar, amount(e.Done), amount(e.Total))
	case e.Total > 0:
		return fmt.Sprintf("%s %s", text, amount(e.Total))
	case e.Done > 0 && live:
		return fmt.Sprintf("%s %s", text, amount(e.Done))
	default:
		return text
	}
}
