package host

import (
	"context"
	"encoding/binary"
	"math"
	"time"
)

// Sizes and tags of poll_oneoff's records.
// See https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#-subscription-record
const (
	subscriptionSize = 48
	eventSize        = 32

	pollClock   = 0
	pollFDRead  = 1
	pollFDWrite = 2

	clockRealtime  = 0
	clockMonotonic = 1
	clockAbsolute  = 1 // flag

	// maxSubscriptions is far above what libraries pass; a guest that wants to
	// wait for more has something else in mind.
	maxSubscriptions = 4096
)

// pollOneoff waits for clocks; descriptors are always ready, since files never
// block and a read of standard input observes the deadline itself.
//
// A hostile guest can ask for any number of subscriptions at any address (both
// checked), for a sleep of centuries (ended by the deadline or by cancellation;
// sleeping costs no fuel, only wall time), and for clocks that do not exist (an
// error in that event).
func pollOneoff(ctx context.Context, in *instance, stack []uint64) {
	stack[0] = poll(ctx, in, uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3])) //nolint:gosec // wasm i32
}

func poll(ctx context.Context, in *instance, from, to, count, result uint32) uint64 {
	return pollRecords(ctx, in, subscriptionSize, func(b []byte) []byte { return b }, from, to, count, result)
}

// pollRecords is poll for subscriptions of another size, which record turns into those
// of preview 1.
func pollRecords(ctx context.Context, in *instance, size uint32, record func([]byte) []byte, from, to, count, result uint32) uint64 {
	if count == 0 || count > maxSubscriptions {
		return errnoInval
	}
	mem := in.mod.Memory()
	subscriptions, ok1 := mem.Read(from, count*size)
	events, ok2 := mem.Read(to, count*eventSize)
	if !ok1 || !ok2 {
		return errnoFault
	}

	waiting := make([]subscription, count)
	earliest := time.Duration(math.MaxInt64)
	for i := range waiting {
		waiting[i] = readSubscription(record(subscriptions[i*int(size):]), in.nanotime())
		earliest = min(earliest, waiting[i].wait)
	}
	if earliest > 0 {
		in.sleep(ctx, earliest)
	}
	fired := uint32(0)
	for _, s := range waiting {
		if s.wait <= earliest {
			s.writeEvent(events[fired*eventSize:])
			fired++
		}
	}
	if !mem.WriteUint32Le(result, fired) {
		return errnoFault
	}
	return errnoSuccess
}

// subscription is one thing a guest waits for.
type subscription struct {
	userdata [8]byte
	kind     byte
	errno    uint16
	wait     time.Duration // 0 for what is ready, and for what is wrong
}

// readSubscription decodes a record of subscriptionSize bytes.
func readSubscription(b []byte, monotonic int64) subscription {
	s := subscription{kind: b[8]}
	copy(s.userdata[:], b)
	switch s.kind {
	case pollFDRead, pollFDWrite:
	case pollClock:
		clock := binary.LittleEndian.Uint32(b[16:])
		nanos := int64(min(binary.LittleEndian.Uint64(b[24:]), math.MaxInt64)) //nolint:gosec // bounded
		absolute := binary.LittleEndian.Uint16(b[40:])&clockAbsolute != 0
		switch {
		case clock > clockMonotonic:
			s.errno = errnoInval
			return s
		case absolute && clock == clockRealtime:
			nanos -= time.Now().UnixNano()
		case absolute:
			nanos -= monotonic
		}
		s.wait = time.Duration(max(nanos, 0))
	default:
		s.errno = errnoInval
	}
	return s
}

// writeEvent encodes a record of eventSize bytes.
func (s subscription) writeEvent(b []byte) {
	clear(b[:eventSize])
	copy(b, s.userdata[:])
	binary.LittleEndian.PutUint16(b[8:], s.errno)
	b[10] = s.kind
}

// sleep waits for d, or until the call is over, which it does not outlive.
func (in *instance) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	in.checkDeadline(ctx)
}

// epoch is what every guest's monotonic clock counts from.
var epoch = time.Now()

// nanotime is the guest's monotonic clock, in nanoseconds.
func (in *instance) nanotime() int64 {
	if in.checkpoint != nil {
		return in.warmUpTick()
	}
	return int64(time.Since(epoch)) + in.ahead
}

// aheadOf is by how much a clock must be ahead of the host's so as not to go back
// behind what it showed before, perhaps on another host.
func aheadOf(shown int64) int64 {
	const latest = 1 << 62 // so that nothing overflows
	return max(0, min(max(shown, 0), latest)-int64(time.Since(epoch)))
}
