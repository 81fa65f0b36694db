// Package fuelprofile tells where a guest's fuel went, by the functions of its program.
//
// The guest's own interpreter tells a [Recorder] which function begins and ends, one
// message each; what fuel was used by then, only the host knows. The interpreter's work
// on the messages is not the program's: what one message takes is measured before the
// program begins, and left out.
//
// A hostile guest may tell anything at any time. It falsifies its own profile, which is
// information and decides nothing. What is kept is bounded: functions, the nodes of the
// call tree, its depth, and the length of names.
package fuelprofile

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Messages, each in a write of its own. Numbers are 32 bits, the lowest byte first.
const (
	enter     = 'E' // and a function: it begins, or goes on
	leave     = 'L' // the one that began last ends, or pauses
	pause     = 'P' // what follows is not the program's, until something is entered
	define    = 'D' // and a function, a line, its name, a zero byte, its file
	calibrate = 'C' // see Recorder.calibrated
	begin     = 'B' // the program begins
	end       = 'X' // the program has ended; nothing counts that is told after it
)

// Bounds of a profile.
const (
	maxFunctions = 1 << 14
	maxNodes     = 1 << 16
	maxDepth     = 250
	maxText      = 256
)

// rounds is how many calls of an empty function a guest makes between calibrating
// messages.
const rounds = 64

// Recorder receives a guest's messages, from one goroutine at a time.
type Recorder struct {
	clock func() uint64 // the fuel used so far

	functions []function
	root      node
	nodes     int
	current   *node
	excess    int // how many functions are running that have no node
	last      uint64
	paused    bool
	previous  byte // enter or leave, whichever was last

	marks       []uint64 // of calibrating messages
	calibrating bool
	first       [2]uint64 // what came between two messages at the calibration's end, by which was the first
	cost        [2]uint64 // and what of it the messages took
	overhead    uint64
	ended       bool
}

type function struct {
	name, file string
	line       int
}

// node is a function in the tree of calls, by the functions that it was called from.
type node struct {
	function uint32
	parent   *node
	children map[uint32]*node
	depth    int
	calls    uint64
	self     uint64
}

// New returns a recorder for a call whose use of fuel clock tells, which never goes
// back.
func New(clock func() uint64) *Recorder {
	r := &Recorder{clock: clock}
	r.current = &r.root
	return r
}

// Write takes a message. It never fails: one that makes no sense changes nothing.
func (r *Recorder) Write(message []byte) (int, error) {
	n := len(message)
	if n == 0 || r.ended {
		return n, nil
	}
	now := r.clock()
	kind, rest := message[0], message[1:]
	switch kind {
	case enter, leave:
		r.pass(now, kind)
		if r.calibrating {
			break
		}
		if kind == leave {
			r.leave()
		} else if len(rest) >= 4 {
			r.enter(binary.LittleEndian.Uint32(rest))
		}
	case pause:
		r.pass(now, enter)
		r.paused = true
	case end:
		r.pass(now, leave)
		r.current, r.ended = &r.root, true
	case calibrate:
		if len(r.marks) < 3 {
			r.overhead += now - r.last // little of it was for the program
			r.marks = append(r.marks, now)
			r.calibrating = len(r.marks) == 3
			break
		}
		r.skip(now)
	case begin:
		if r.calibrating {
			r.calibrated()
			break
		}
		r.skip(now)
	case define:
		r.skip(now)
		r.define(rest)
	default:
		r.skip(now)
	}
	r.last = now
	return n, nil
}

// pass accounts what was used since the last message.
func (r *Recorder) pass(now uint64, kind byte) {
	used := now - r.last
	from := index(r.previous)
	switch {
	case r.calibrating:
		r.first[from] = used
		r.overhead += used
	case r.paused:
		r.overhead += used
	default:
		cost := min(used, r.cost[from])
		if r.previous == kind {
			cost = min(used, (r.cost[0]+r.cost[1])/2)
		}
		r.overhead += cost
		r.current.self += used - cost
	}
	r.previous, r.paused = kind, false
}

// skip accounts what was used since the last message where neither it nor this one is
// what a function begins or ends with.
func (r *Recorder) skip(now uint64) {
	if r.paused || r.calibrating {
		r.overhead += now - r.last
		return
	}
	r.current.self += now - r.last
}

func index(kind byte) int {
	if kind == leave {
		return 1
	}
	return 0
}

// calibrated works out what messages take. A guest made rounds calls of an empty
// function between the first two marks, without messages, and nothing between the second
// and the third; then as many calls with messages. What two messages take is what comes
// between them in the last call, which is like all but the first, without the call.
func (r *Recorder) calibrated() {
	r.calibrating = false
	mark := r.marks[2] - r.marks[1]
	call := (r.marks[1] - r.marks[0] - min(mark, r.marks[1]-r.marks[0])) / rounds
	// Of the call, about a quarter is within the function.
	r.cost[0] = r.first[0] - min(r.first[0], call/4)
	r.cost[1] = r.first[1] - min(r.first[1], call-call/4)
	r.overhead += r.clock() - r.last
	r.previous = leave
}

// enter makes a function the one that is running. Where there is no more room for it,
// it counts as a part of the one that called it.
func (r *Recorder) enter(id uint32) {
	if r.excess > 0 {
		r.excess++
		return
	}
	child := r.current.children[id]
	if child == nil {
		if r.nodes >= maxNodes || r.current.depth >= maxDepth || int(id) >= len(r.functions) {
			r.excess++
			return
		}
		child = &node{function: id, parent: r.current, depth: r.current.depth + 1}
		if r.current.children == nil {
			r.current.children = map[uint32]*node{}
		}
		r.current.children[id] = child
		r.nodes++
	}
	child.calls++
	r.current = child
}

func (r *Recorder) leave() {
	switch {
	case r.excess > 0:
		r.excess--
	case r.current.parent != nil:
		r.current = r.current.parent
	}
}

// define names the next function. Their numbers count from 0.
func (r *Recorder) define(text []byte) {
	if len(text) < 8 || len(r.functions) >= maxFunctions || binary.LittleEndian.Uint32(text) != uint32(len(r.functions)) { //nolint:gosec // bounded
		return
	}
	name, file, _ := bytes.Cut(text[8:], []byte{0})
	r.functions = append(r.functions, function{
		name: valid(name), file: valid(file), line: int(binary.LittleEndian.Uint32(text[4:]) & (1<<31 - 1)),
	})
}

// valid is a guest's text, cut short and made valid UTF-8.
func valid(text []byte) string {
	return strings.ToValidUTF8(string(text[:min(len(text), maxText)]), "\uFFFD")
}
