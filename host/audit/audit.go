// Package audit keeps a file of what was run: one [Record] for each call, as one
// line of JSON.
//
// A [Writer] appends records to a file and rotates it. It is made for two wishes
// that pull against each other: a record should be in the file before its call is
// answered, and a slow or full disk must not hold calls up. So one goroutine
// writes, a caller waits for its own record, and it waits no longer than a bound.
// What was written survives the end of the process, also by SIGKILL; nothing is
// synced, so the last seconds before a crash of the machine may be missing.
//
// Several processes may append to one file, and rotate it, where files can be
// locked (Unix). The package imports nothing of ours.
package audit

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// What applies where Options do not say.
const (
	DefaultMaxSize = 64 << 20
	DefaultKeep    = 8
	DefaultWait    = 100 * time.Millisecond
)

// MinMaxSize is the smallest size to rotate at, in bytes: room for some records
// of any length.
const MinMaxSize = 1 << 20

// queued is how many records wait for the disk. At MaxRecord bytes each they take
// 16 MiB.
const queued = 512

// batched is how many bytes are written at once while records are waiting.
const batched = 64 << 10

// closeWait is how long Close waits for a disk that hangs.
const closeWait = 5 * time.Second

// ErrNotWritten says that a record is not in the file, or not yet.
var ErrNotWritten = errors.New("audit record not written")

// Options configure a Writer.
type Options struct {
	// Path is the file to append to. It is made with mode 0600, its directory
	// with 0700. An existing directory or file that others could write to is
	// refused, as is a link or anything but a regular file. Required. Next to it
	// are Path.1, the file before, Path.2 and so on, and Path.lock.
	Path string
	// MaxSize is the size in bytes that the file does not exceed, at least
	// [MinMaxSize]; 0 means [DefaultMaxSize].
	MaxSize int64
	// Keep is how many older files there may be; 0 means [DefaultKeep].
	Keep int
	// Wait is how long a call waits for its record to be written; 0 means
	// [DefaultWait].
	Wait time.Duration
	// Required makes Record return an error for a record that is not in the file
	// when it returns.
	Required bool
	// Log is told when records begin to be late or lost, and when that is over,
	// once each. Nil discards it.
	Log *slog.Logger
}

// Stats say what became of records so far.
type Stats struct {
	Written uint64 // they are in the file
	Late    uint64 // their calls were answered before they were written or lost
	Lost    uint64 // they will not be in the file
}

// Writer appends records to a file. Make one with [Open]. It is safe for
// concurrent use.
type Writer struct {
	name     string
	wait     time.Duration
	required bool
	log      *slog.Logger

	mu     sync.Mutex // guards sending to queue against its close
	closed bool
	queue  chan *entry
	ended  chan error // what closing the file gave

	seq                 atomic.Uint64
	written, late, lost atomic.Uint64
	behind              atomic.Bool // a record was late, and the queue was not empty since
	// unsaid is how many records were lost that no record in the file tells of.
	unsaid atomic.Uint64
}

// entry is a record on its way to the file. done is closed when it is written, or
// when err says why it is lost.
type entry struct {
	line []byte
	done chan struct{}
	err  error
}

// appender is where lines go: the file, or a test's idea of one.
type appender interface {
	// append writes lines, each with its line break, and returns how many of
	// their bytes are in the file for good: whole lines.
	append(lines []byte) (int, error)
	close() error
}

// Open opens the file at o.Path for appending, and makes it if need be. A last
// line that a killed process left unfinished is ended, so that the next record
// has a line of its own. The caller closes the Writer.
func Open(o Options) (*Writer, error) {
	if o.MaxSize == 0 {
		o.MaxSize = DefaultMaxSize
	}
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	if o.MaxSize < MinMaxSize || o.Keep < 0 || o.Wait < 0 {
		return nil, fmt.Errorf("open audit log: max size %d, keep %d, wait %v: want at least %d, 1 and 0", o.MaxSize, o.Keep, o.Wait, MinMaxSize)
	}
	file, err := openFile(o.Path, o.MaxSize, o.Keep)
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	return start(file, o), nil
}

// start begins to write to out.
func start(out appender, o Options) *Writer {
	if o.Wait == 0 {
		o.Wait = DefaultWait
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var name [8]byte
	_, _ = rand.Read(name[:]) // it never fails
	w := &Writer{
		name: hex.EncodeToString(name[:]), wait: o.Wait, required: o.Required, log: o.Log,
		queue: make(chan *entry, queued), ended: make(chan error, 1),
	}
	go w.run(out)
	return w
}

// Record writes r and returns when it is in the file, or is lost, or the Writer's
// Wait is over; then it is written as soon as the disk lets it. It keeps nothing of
// r. An error, an [ErrNotWritten], is returned only where records are Required, or
// after Close.
func (w *Writer) Record(r Record) error {
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	r.Writer, r.Seq = w.name, w.seq.Add(1)
	line, err := r.encode()
	if err != nil {
		return w.refuse(err)
	}
	e := &entry{line: line, done: make(chan struct{})}
	if err := w.send(e); err != nil {
		return w.refuse(err)
	}
	timer := time.NewTimer(w.wait)
	defer timer.Stop()
	select {
	case <-e.done:
		if e.err != nil && w.required {
			return fmt.Errorf("%w: %w", ErrNotWritten, e.err)
		}
		return nil
	case <-timer.C:
	}
	w.late.Add(1)
	if w.behind.CompareAndSwap(false, true) {
		w.log.Warn("audit records are late: the disk is slow", "wait", w.wait)
	}
	if w.required {
		return fmt.Errorf("%w within %v", ErrNotWritten, w.wait)
	}
	return nil
}

var (
	errClosed = errors.New("audit log is closed")
	errFull   = fmt.Errorf("%d records are waiting for the disk", queued)
)

func (w *Writer) send(e *entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- e:
		return nil
	default:
		return errFull
	}
}

// refuse counts a record that did not come as far as the queue.
func (w *Writer) refuse(err error) error {
	w.lose(1, err)
	if w.required || errors.Is(err, errClosed) {
		return fmt.Errorf("%w: %w", ErrNotWritten, err)
	}
	return nil
}

// lose counts n records that are lost, and says so if it is the first time since
// the file last told of losses.
func (w *Writer) lose(n int, err error) {
	w.lost.Add(uint64(n))                     //nolint:gosec // a count
	if w.unsaid.Add(uint64(n)) == uint64(n) { //nolint:gosec // a count
		w.log.Error("audit records are being lost", "error", err)
	}
}

// Stats returns the counts so far.
func (w *Writer) Stats() Stats {
	return Stats{Written: w.written.Load(), Late: w.late.Load(), Lost: w.lost.Load()}
}

// Close writes the records that wait, for up to five seconds, and closes the
// file. It returns an error if it could not, or if losses remain that the file
// does not tell of. It may be called twice.
func (w *Writer) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.queue)
	w.mu.Unlock()
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case err := <-w.ended:
		if n := w.unsaid.Load(); n > 0 {
			err = errors.Join(err, fmt.Errorf("close audit log: %d records were lost", n))
		}
		return err
	case <-timer.C:
		return fmt.Errorf("close audit log: the disk did not take %d records within %v", len(w.queue)+1, closeWait)
	}
}

// run writes what is queued until Close.
func (w *Writer) run(out appender) {
	for e := range w.queue {
		w.write(out, w.more(e))
	}
	if w.unsaid.Load() > 0 {
		w.write(out, nil)
	}
	w.ended <- out.close()
}

// more adds to e what waits behind it.
func (w *Writer) more(e *entry) []*entry {
	batch := []*entry{e}
	for size := len(e.line); size < batched; {
		select {
		case next, open := <-w.queue:
			if !open {
				return batch
			}
			batch = append(batch, next)
			size += len(next.line)
		default:
			return batch
		}
	}
	return batch
}

// write writes a batch, after a record of what was lost before it, and tells those
// who wait.
func (w *Writer) write(out appender, batch []*entry) {
	var lines []byte
	unsaid := w.unsaid.Load()
	if unsaid > 0 {
		lines = w.told(unsaid)
	}
	first := len(lines)
	for _, e := range batch {
		lines = append(lines, e.line...)
	}
	kept, err := out.append(lines)
	if unsaid > 0 && kept >= first {
		w.unsaid.Add(-unsaid)
		w.log.Warn("audit records are written again", "lost", unsaid)
	}
	end, lost := first, 0
	for _, e := range batch {
		if end += len(e.line); end > kept {
			e.err = err
			lost++
			continue
		}
		w.written.Add(1)
	}
	if lost > 0 {
		w.lose(lost, err)
	}
	if len(w.queue) == 0 && err == nil && w.behind.CompareAndSwap(true, false) {
		w.log.Info("audit records are in time again", "late", w.late.Load())
	}
	for _, e := range batch {
		close(e.done)
	}
}

// told is the record that tells of n lost ones.
func (w *Writer) told(n uint64) []byte {
	r := Record{Event: EventLost, Time: time.Now(), Writer: w.name, Lost: n}
	line, _ := r.encode() // nothing in it can fail
	return line
}
