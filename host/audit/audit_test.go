package audit

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// disk is an appender that a test holds up or fills.
type disk struct {
	mu     sync.Mutex
	held   sync.Mutex // appending waits for it
	begun  chan struct{}
	room   int // bytes that are still taken while limited
	limits bool
	lines  bytes.Buffer
}

var errNoRoom = errors.New("no room")

func newDisk() *disk { return &disk{begun: make(chan struct{}, 10_000)} }

func (d *disk) append(lines []byte) (int, error) {
	d.begun <- struct{}{}
	d.held.Lock()
	defer d.held.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.limits && len(lines) > d.room {
		kept := bytes.LastIndexByte(lines[:d.room], '\n') + 1
		d.lines.Write(lines[:kept])
		return kept, errNoRoom
	}
	d.lines.Write(lines)
	return len(lines), nil
}

func (d *disk) close() error { return nil }

// room sets how many bytes of each batch the disk takes; negative for all.
func (d *disk) setRoom(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room, d.limits = n, n >= 0
}

func (d *disk) records(t *testing.T) []Record {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	return parse(t, d.lines.Bytes())
}

// parse reads lines that all must be records.
func parse(t *testing.T, data []byte) []Record {
	t.Helper()
	var all []Record
	for line := range bytes.Lines(data) {
		all = append(all, checkLine(t, line))
	}
	return all
}

// events lists the records as the callers they name, and losses as their number.
func events(all []Record) []string {
	out := []string{}
	for _, r := range all {
		if r.Event == EventLost {
			out = append(out, fmt.Sprint("lost ", r.Lost))
			continue
		}
		out = append(out, r.Caller)
	}
	return out
}

// syncBuffer is what the log writes to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.b.String(), text)
}

// patient waits longer than any test takes; hasty does not wait.
const (
	patient = time.Hour
	hasty   = time.Nanosecond
)

func by(caller string) Record { return Record{Event: EventExecution, Caller: caller} }

func TestARecordIsThereWhenRecordReturns(t *testing.T) {
	d := newDisk()
	w := start(d, Options{Wait: patient, Required: true})
	for i := range 50 {
		if err := w.Record(by(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		got := d.records(t)
		if len(got) != i+1 || got[i].Caller != fmt.Sprint(i) || got[i].Seq != uint64(i+1) || got[i].Writer != w.name || got[i].Time.IsZero() {
			t.Fatalf("after record %d: %+v", i, got)
		}
	}
	if got := w.Stats(); got != (Stats{Written: 50}) {
		t.Errorf("%+v", got)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	if err := w.Record(by("late")); !errors.Is(err, ErrNotWritten) {
		t.Errorf("after Close: %v", err)
	}
}

func TestASlowDiskHoldsNobodyUpForLong(t *testing.T) {
	for _, required := range []bool{false, true} {
		t.Run(fmt.Sprint("required ", required), func(t *testing.T) {
			d, said := newDisk(), new(syncBuffer)
			d.held.Lock()
			w := start(d, Options{Wait: hasty, Required: required, Log: slog.New(slog.NewTextHandler(said, nil))})
			check := func(err error) {
				t.Helper()
				if errors.Is(err, ErrNotWritten) != required {
					t.Errorf("got %v", err)
				}
			}
			check(w.Record(by("first")))
			<-d.begun // the writer is at the disk with it
			for i := range queued {
				check(w.Record(by(fmt.Sprint(i))))
			}
			if got := w.Stats(); got != (Stats{Late: queued + 1}) {
				t.Errorf("while the disk hangs: %+v", got)
			}
			// There is no room for more to wait.
			check(w.Record(by("overflow")))
			check(w.Record(by("overflow")))
			if got := w.Stats(); got != (Stats{Late: queued + 1, Lost: 2}) {
				t.Errorf("beyond the queue: %+v", got)
			}
			d.held.Unlock()
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			want := []string{"first", "lost 2"}
			for i := range queued {
				want = append(want, fmt.Sprint(i))
			}
			if got := events(d.records(t)); !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
			for _, text := range []string{"records are late", "in time again", "being lost", "written again"} {
				if n := said.count(text); n != 1 {
					t.Errorf("the log says %q %d times", text, n)
				}
			}
		})
	}
}

func TestAFullDiskLosesRecordsAndTheLogTellsHowMany(t *testing.T) {
	for _, required := range []bool{false, true} {
		t.Run(fmt.Sprint("required ", required), func(t *testing.T) {
			d, said := newDisk(), new(syncBuffer)
			w := start(d, Options{Wait: patient, Required: required, Log: slog.New(slog.NewTextHandler(said, nil))})
			record := func(caller string, written bool) {
				t.Helper()
				err := w.Record(by(caller))
				if want := required && !written; errors.Is(err, ErrNotWritten) != want || errors.Is(err, errNoRoom) != want {
					t.Errorf("%s: %v", caller, err)
				}
			}
			record("a", true)
			d.setRoom(0)
			for range 3 {
				record("lost", false)
			}
			d.setRoom(-1)
			record("b", true)
			d.setRoom(20) // half a line
			record("lost", false)
			d.setRoom(-1)
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			got := events(d.records(t))
			if want := []string{"a", "lost 3", "b", "lost 1"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := w.Stats(); got != (Stats{Written: 2, Lost: 4}) {
				t.Errorf("%+v", got)
			}
			if begun, over := said.count("being lost"), said.count("written again"); begun != 2 || over != 2 {
				t.Errorf("the log tells of %d beginnings and %d ends", begun, over)
			}
		})
	}
}

func TestOfABatchThatDoesNotFitWhatFitsIsKept(t *testing.T) {
	d := newDisk()
	w := start(d, Options{Wait: hasty})
	d.held.Lock()
	for i := range 11 { // one is at the disk, ten wait and are one batch
		if err := w.Record(by(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-d.begun
		}
	}
	line, err := Record{Event: EventExecution, Time: time.Now(), Writer: w.name, Seq: 1, Caller: "1"}.encode()
	if err != nil {
		t.Fatal(err)
	}
	d.setRoom(4*len(line) + len(line)/2)
	d.held.Unlock()
	<-d.begun // the batch is on its way
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	got := events(d.records(t))
	if want := []string{"0", "1", "2", "3", "4", "lost 6"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCloseTellsOfLossesThatTheFileDoesNot(t *testing.T) {
	d := newDisk()
	d.setRoom(0)
	w := start(d, Options{Wait: patient})
	for range 2 {
		if err := w.Record(by("x")); err != nil {
			t.Error(err)
		}
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "2 records were lost") {
		t.Errorf("got %v", err)
	}
}

func TestManyAtOnceAndAClose(t *testing.T) {
	d := newDisk()
	w := start(d, Options{Wait: patient, Required: true})
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept := 0
	for range 8 {
		wg.Go(func() {
			for range 100 {
				err := w.Record(by("x"))
				if err != nil && !errors.Is(err, errClosed) {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					kept++
					mu.Unlock()
				}
			}
		})
	}
	for range 20 {
		<-d.begun
	}
	if err := w.Close(); err != nil && !strings.Contains(err.Error(), "were lost") {
		t.Error(err)
	}
	wg.Wait()
	if got := len(d.records(t)); got < kept {
		t.Errorf("%d records, %d calls were told they are there", got, kept)
	}
}
