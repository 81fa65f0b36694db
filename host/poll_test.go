package host

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tetratelabs/wazero"
)

// clockRecord is a subscription to a clock, as WASI lays it out.
func clockRecord(userdata uint64, clock uint32, timeout uint64, flags uint16) []byte {
	b := make([]byte, subscriptionSize)
	binary.LittleEndian.PutUint64(b, userdata)
	b[8] = pollClock
	binary.LittleEndian.PutUint32(b[16:], clock)
	binary.LittleEndian.PutUint64(b[24:], timeout)
	binary.LittleEndian.PutUint16(b[40:], flags)
	return b
}

// fdRecord is a subscription to a descriptor.
func fdRecord(userdata uint64, kind byte, fd uint32) []byte {
	b := make([]byte, subscriptionSize)
	binary.LittleEndian.PutUint64(b, userdata)
	b[8] = kind
	binary.LittleEndian.PutUint32(b[16:], fd)
	return b
}

func TestReadSubscription(t *testing.T) {
	const now = int64(1_000_000)
	tests := []struct {
		name   string
		record []byte
		wait   time.Duration
		errno  uint16
	}{
		{"a relative time", clockRecord(1, clockMonotonic, 5000, 0), 5000, 0},
		{"a relative time on the real clock", clockRecord(1, clockRealtime, 5000, 0), 5000, 0},
		{"an absolute time that is to come", clockRecord(1, clockMonotonic, uint64(now)+70, clockAbsolute), 70, 0},
		{"an absolute time that is past", clockRecord(1, clockMonotonic, 70, clockAbsolute), 0, 0},
		{"an absolute real time that is past", clockRecord(1, clockRealtime, 1, clockAbsolute), 0, 0},
		{"no time", clockRecord(1, clockMonotonic, 0, 0), 0, 0},
		{"the longest time", clockRecord(1, clockMonotonic, math.MaxInt64, 0), math.MaxInt64, 0},
		{"a time beyond the longest", clockRecord(1, clockMonotonic, math.MaxUint64, 0), math.MaxInt64, 0},
		{"an absolute time beyond the longest", clockRecord(1, clockMonotonic, math.MaxUint64, clockAbsolute), time.Duration(math.MaxInt64 - now), 0},
		{"a clock that counts processor time", clockRecord(1, 2, 5000, 0), 0, errnoInval},
		{"a clock that is none", clockRecord(1, math.MaxUint32, 5000, 0), 0, errnoInval},
		{"flags that are none", clockRecord(1, clockMonotonic, 5000, 0xFFFE), 5000, 0},
		{"a descriptor to read", fdRecord(1, pollFDRead, 0), 0, 0},
		{"a descriptor to write", fdRecord(1, pollFDWrite, math.MaxUint32), 0, 0},
		{"a kind that is none", fdRecord(1, 3, 0), 0, errnoInval},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := readSubscription(tt.record, now)
			if s.wait != tt.wait || s.errno != tt.errno || s.kind != tt.record[8] || !bytes.Equal(s.userdata[:], tt.record[:8]) {
				t.Errorf("got %+v, want wait %v, errno %d", s, tt.wait, tt.errno)
			}
		})
	}
	soon := clockRecord(1, clockRealtime, uint64(time.Now().Add(time.Hour).UnixNano()), clockAbsolute)
	if s := readSubscription(soon, now); s.wait <= 59*time.Minute || s.wait > time.Hour {
		t.Errorf("an absolute real time in an hour: %v", s.wait)
	}
}

func TestWriteEvent(t *testing.T) {
	event := bytes.Repeat([]byte{0xFF}, eventSize+8)
	subscription{userdata: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, kind: pollFDWrite, errno: errnoInval}.writeEvent(event)
	want := append([]byte{1, 2, 3, 4, 5, 6, 7, 8, errnoInval, 0, pollFDWrite}, make([]byte, eventSize-11)...)
	want = append(want, bytes.Repeat([]byte{0xFF}, 8)...)
	if !bytes.Equal(event, want) {
		t.Errorf("got  %x\nwant %x", event, want)
	}
}

// guestMemory is an instance with a page of memory and nothing else.
func guestMemory(tb testing.TB) *instance {
	tb.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	tb.Cleanup(func() { _ = r.Close(ctx) })
	mod, err := r.Instantiate(ctx, []byte("\x00asm\x01\x00\x00\x00\x05\x04\x01\x01\x01\x01\x07\x0a\x01\x06memory\x02\x00"))
	if err != nil {
		tb.Fatal(err)
	}
	return &instance{mod: mod}
}

func TestPoll(t *testing.T) {
	in := guestMemory(t)
	mem := in.mod.Memory()
	const to, result = 10_000, 60_000
	tests := []struct {
		name    string
		records [][]byte
		fired   []byte // the low byte of each event's userdata
		slept   time.Duration
	}{
		{"the earliest of two clocks", [][]byte{clockRecord(1, clockMonotonic, uint64(time.Hour), 0), clockRecord(2, clockMonotonic, uint64(time.Second), 0)}, []byte{2}, time.Second},
		{"two clocks at once", [][]byte{clockRecord(1, clockMonotonic, 5, 0), clockRecord(2, clockMonotonic, 5, 0)}, []byte{1, 2}, 5},
		{"a descriptor before a clock", [][]byte{clockRecord(1, clockMonotonic, uint64(time.Hour), 0), fdRecord(2, pollFDRead, 0)}, []byte{2}, 0},
		{"an error before a clock", [][]byte{clockRecord(1, clockMonotonic, uint64(time.Hour), 0), clockRecord(2, 77, 5, 0)}, []byte{2}, 0},
		{"all descriptors", [][]byte{fdRecord(1, pollFDRead, 0), fdRecord(2, pollFDWrite, 1), fdRecord(3, pollFDRead, 99)}, []byte{1, 2, 3}, 0},
		{"a day", [][]byte{clockRecord(9, clockMonotonic, uint64(24*time.Hour), 0)}, []byte{9}, 24 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem.Write(0, bytes.Join(tt.records, nil))
				mem.WriteUint32Le(result, 99)
				started := time.Now()
				if errno := poll(t.Context(), in, 0, to, uint32(len(tt.records)), result); errno != errnoSuccess {
					t.Fatalf("errno %d", errno)
				}
				if slept := time.Since(started); slept != tt.slept {
					t.Errorf("slept %v, want %v", slept, tt.slept)
				}
				if n, _ := mem.ReadUint32Le(result); int(n) != len(tt.fired) {
					t.Fatalf("%d events, want %d", n, len(tt.fired))
				}
				for i, want := range tt.fired {
					if got, _ := mem.ReadByte(uint32(to + i*eventSize)); got != want {
						t.Errorf("event %d is of subscription %d, want %d", i, got, want)
					}
				}
			})
		})
	}
}

func TestPollRefuses(t *testing.T) {
	in := guestMemory(t)
	in.mod.Memory().Write(0, fdRecord(1, pollFDRead, 0))
	for _, tt := range []struct {
		name                    string
		from, to, count, result uint32
		errno                   uint64
	}{
		{"nothing to wait for", 0, 0, 0, 0, errnoInval},
		{"too much to wait for", 0, 0, maxSubscriptions + 1, 0, errnoInval},
		{"a count that overflows", 0, 0, math.MaxUint32, 0, errnoInval},
		{"a count whose size overflows", 0, 0, 1 << 28, 0, errnoInval},
		{"records beyond memory", 65536 - subscriptionSize + 1, 0, 1, 0, errnoFault},
		{"records at the end of the address space", math.MaxUint32, 0, 1, 0, errnoFault},
		{"events beyond memory", 0, 65536 - eventSize + 1, 1, 0, errnoFault},
		{"a result beyond memory", 0, 1000, 1, 65536 - 3, errnoFault},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := poll(t.Context(), in, tt.from, tt.to, tt.count, tt.result); got != tt.errno {
				t.Errorf("got %d, want %d", got, tt.errno)
			}
		})
	}
}

// mustEnd runs f, which must end the guest.
func mustEnd(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("the guest goes on")
		}
	}()
	f()
}

func TestASleepEndsWithItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &instance{}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errTimeout)
		defer cancel()
		started := time.Now()
		mustEnd(t, func() { in.sleep(ctx, time.Hour) })
		if in.ended == nil || in.ended.status != StatusTimeout || time.Since(started) != time.Minute {
			t.Errorf("%+v after %v", in.ended, time.Since(started))
		}
	})
}

// FuzzPoll gives poll_oneoff any memory and any arguments. It must not panic but to
// end a guest, must write nothing but events and their number, and must not wait.
func FuzzPoll(f *testing.F) {
	f.Add(clockRecord(1, 0, 5, 1), uint32(0), uint32(100), uint32(1), uint32(200))
	f.Add(bytes.Join([][]byte{fdRecord(1, 1, 0), clockRecord(2, 9, math.MaxUint64, 3)}, nil), uint32(0), uint32(8), uint32(2), uint32(0))
	f.Add([]byte{}, uint32(math.MaxUint32), uint32(math.MaxUint32), uint32(math.MaxUint32), uint32(math.MaxUint32))
	in := guestMemory(f)
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a wait ends the guest at once
	f.Fuzz(func(t *testing.T, memory []byte, from, to, count, result uint32) {
		mem := in.mod.Memory()
		all, _ := mem.Read(0, mem.Size())
		clear(all)
		copy(all, memory)
		before := bytes.Clone(all)
		defer func() {
			if cause := recover(); cause != nil && (in.ended == nil || in.ended.status != StatusCanceled) {
				t.Errorf("panic: %v", cause)
			}
			in.ended = nil
		}()
		errno := poll(ctx, in, from, to, count, result)
		checkUntouched(t, before, all, []span{{to, uint64(count) * eventSize}, {result, 4}})
		if errno != errnoSuccess {
			return
		}
		if n, ok := mem.ReadUint32Le(result); !ok || n == 0 || n > count {
			t.Errorf("%d events of %d subscriptions", n, count)
		}
	})
}

type span struct {
	start  uint32
	length uint64
}

func checkUntouched(t *testing.T, before, after []byte, except []span) {
	t.Helper()
	for i := range before {
		inside := false
		for _, s := range except {
			inside = inside || uint64(i) >= uint64(s.start) && uint64(i) < uint64(s.start)+s.length
		}
		if !inside && before[i] != after[i] {
			t.Fatalf("byte %d was changed", i)
		}
	}
}
