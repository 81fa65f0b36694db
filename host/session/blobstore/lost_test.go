package blobstore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/internal/s3test"
)

// wire is a connection to the server that fails at a chosen byte.
type wire struct {
	to       string
	listener net.Listener

	mu    sync.Mutex
	fault fault
	left  int // bytes until it strikes; negative means never
	open  map[net.Conn]bool
	dead  bool   // nothing gets through any more
	on    string // a request whose answer is lost, as often as times says
	times int
}

// fault is what happens at the chosen byte.
type fault int

const (
	cut   fault = iota // the connection is reset, and others can be made
	down               // it is reset, and no other can be made
	stall              // it goes silent, and others do too
	deaf               // what is sent arrives, and no answer comes back
	faults
)

func newWire(t testing.TB, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{to: to, listener: listener, left: -1, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = listener.Close()
		w.reset()
	})
	go w.serve()
	return w
}

func (w *wire) address() string { return w.listener.Addr().String() }

// strike lets a fault happen after so many bytes, of both directions together.
func (w *wire) strike(f fault, after int) {
	w.reset()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.left, w.dead = f, after, false
}

// heal lets everything through, and reports whether the fault happened.
func (w *wire) heal() bool {
	w.mu.Lock()
	struck := w.left == 0
	w.left, w.dead = -1, false
	w.mu.Unlock()
	w.reset()
	return struck
}

// reset closes all connections.
func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		abort(c)
	}
	clear(w.open)
}

// abort closes a connection with a reset.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func (w *wire) serve() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		refused := w.dead && w.fault == down
		w.mu.Unlock()
		far, err := net.Dial("tcp", w.to)
		if err != nil || refused {
			abort(near)
			continue
		}
		w.mu.Lock()
		w.open[near], w.open[far] = true, true
		w.mu.Unlock()
		lose := new(bool) // the answer to what this connection asked
		go w.pass(near, far, false, lose)
		go w.pass(far, near, true, lose)
	}
}

// pass copies one direction of a connection, byte by byte around the fault.
func (w *wire) pass(from, to net.Conn, answer bool, lose *bool) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if w.loses(buffer[:n], answer, lose) {
			abort(from)
			abort(to)
			return
		}
		for sent := 0; sent < n; {
			piece, silent := w.take(n-sent, answer)
			if piece > 0 && !silent {
				if _, err := to.Write(buffer[sent : sent+piece]); err != nil {
					return
				}
			}
			if piece == 0 { // the end of this connection
				abort(from)
				abort(to)
				return
			}
			sent += piece
		}
		if err != nil {
			if tcp, ok := to.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
				_ = tcp.CloseWrite()
			}
			return
		}
	}
}

// loseAnswer lets the connection end when the answer to a request arrives.
func (w *wire) loseAnswer(on string, times int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on, w.times = on, times
}

// loses reports whether an answer is one that was to be lost. lose is what a
// connection's two directions know of it together.
func (w *wire) loses(data []byte, answer bool, lose *bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !answer && w.times > 0 && bytes.Contains(data, []byte(w.on)) {
		w.times, *lose = w.times-1, true
	}
	return answer && *lose
}

// take says how many of n bytes may pass, and whether nobody gets them. 0 means that
// the connection ends.
func (w *wire) take(n int, answer bool) (piece int, silent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.dead && w.fault == cut:
		return n, false
	case w.dead && w.fault == down:
		return 0, false
	case w.dead:
		return n, w.fault == stall || answer
	case w.left < 0:
		return n, false
	case w.left > 0:
		n = min(n, w.left)
		w.left -= n
		return n, false
	}
	w.dead = true
	if w.fault == cut || w.fault == down {
		return 0, false
	}
	return n, true
}

// TestALostAnswerIsNotALostTurn loses the answers to what commits. Whether the request
// is then made again, and refused, or not, the caller learns that it was done.
func TestALostAnswerIsNotALostTurn(t *testing.T) {
	for name, attempts := range map[string]string{"asked once": "1", "asked again": "3"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_MAX_ATTEMPTS", attempts)
			server := s3test.Start(t)
			w := newWire(t, server.Address)
			here := node(t, openBucket(t, server.URL(w.address())), Options{})
			witness := node(t, openBucket(t, server.URL(server.Address)), Options{})
			lost := func() {
				t.Helper()
				w.mu.Lock()
				defer w.mu.Unlock()
				if w.times > 0 {
					t.Error("no answer was lost")
				}
			}
			const commits = "PUT /sessions/commits/"
			w.loseAnswer(commits, 1)
			k := made(t, here, "s")
			lost()
			for _, history := range []int{1, 0} {
				w.loseAnswer(commits, 1)
				mustRun(t, here, k, history, fmt.Sprint(history))
				lost()
				if got, _ := content(t, witness, k); got != fmt.Sprint(history) {
					t.Errorf("%q is there", got)
				}
			}
			w.loseAnswer("PUT /sessions/leases/", 1)
			mustRun(t, here, k, 1, "leased")
			lost()
			w.loseAnswer(commits, 1)
			if err := store(here).Remove(t.Context(), k, true); err != nil {
				t.Error(err)
			}
			lost()
			if _, err := store(witness).Get(t.Context(), k); !errors.Is(err, session.ErrNotFound) {
				t.Error(err)
			}
		})
	}
}

// TestAStateOutOfReachIsNotDamaged loses what a node asks for that has no copies: the
// call fails, and does not go on without.
func TestAStateOutOfReachIsNotDamaged(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	server := s3test.Start(t)
	w := newWire(t, server.Address)
	direct, broken := openBucket(t, server.URL(server.Address)), openBucket(t, server.URL(w.address()))
	here := node(t, direct, Options{})
	k := made(t, here, "s")
	mustRun(t, here, k, 1, "1")
	for _, what := range []string{"GET /sessions/commits/", "/image-", "/files-"} {
		moved := node(t, broken, Options{})
		w.loseAnswer(what, 100) // HTTP asks again by itself
		if err := run(t, moved, k, 1, "2"); !errors.Is(err, session.ErrUnreachable) {
			t.Errorf("%s: %v", what, err)
		}
		w.loseAnswer("", 0)
		if got, calls := content(t, moved, k); got != "1" || calls != 1 {
			t.Errorf("%s: %q after %d calls", what, got, calls)
		}
	}
	mustRun(t, node(t, broken, Options{}), k, 1, "2")
}

// TestLostConnections breaks the connection at random bytes of a call. What is found afterwards, by a
// node that had nothing to do with it, is one turn, the one before or the one after;
// and where the call was reported as done, the one after. The session goes on from it.
func TestLostConnections(t *testing.T) {
	// One attempt at each request: the faults are to be met, not mended.
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	server := s3test.Start(t)
	w := newWire(t, server.Address)
	direct := openBucket(t, server.URL(server.Address))
	here := node(t, openBucket(t, server.URL(w.address())), Options{Lease: time.Second})
	witness := node(t, direct, Options{})
	k := made(t, here, "s")
	mustRun(t, here, k, 1, "0")
	w.strike(cut, 1<<30)
	mustRun(t, here, k, 1, "0")
	w.mu.Lock()
	length := 1<<30 - w.left
	w.mu.Unlock()
	w.heal()
	// Only where connections break may a request that takes long count as lost.
	patient := here.o.Timeout
	here.o.Timeout = 100 * time.Millisecond

	limit := 8 * time.Second
	switch {
	case os.Getenv("SANDBOXD_LONG_TESTS") != "":
		limit = 5 * time.Minute
	case testing.Short():
		limit = 2 * time.Second
	}
	var struck, done, failed, after int
	last := "0"
	late := map[string]bool{} // calls that failed since: the server may still come to what they sent
	// A busy machine gets as many faults as a quick one, in more time.
	enough := func() bool { return struck >= 10 && failed > 0 }
	for i, begin := 1, time.Now(); time.Since(begin) < limit || !enough() && i < 500; i++ {
		number, f, position := fmt.Sprint(i), fault(rand.IntN(int(faults))), rand.IntN(length)
		if i%8 > 0 { // the others are waited for
			f = cut
		}
		w.strike(f, position)
		err := run(t, here, k, i%2, number)
		if w.heal() {
			struck++
		}
		got, _ := content(t, witness, k)
		name := fmt.Sprintf("round %d, fault %d at byte %d of %d: %v", i, f, position, length, err)
		switch {
		case err == nil && got != number:
			t.Fatalf("%s: %q is there", name, got)
		case err == nil:
			done++
		case errors.Is(err, session.ErrDamaged) || errors.Is(err, errMixed):
			t.Fatal(name)
		case errors.Is(err, session.ErrConflict) && !late[got]:
			t.Fatal(name) // nobody else is there
		case got == number:
			after++
		case got == last, late[got]:
			failed++
		default:
			t.Fatalf("%s: %q is there, and %q was before", name, got, last)
		}
		if got != last {
			clear(late)
		}
		if err != nil && got != number {
			late[number] = true
		}
		last = got
	}
	t.Logf("%d faults in a call of %d bytes: %d calls were done, %d failed and left all as before, %d were told as failed and are there", struck, length, done, failed, after)
	if !enough() {
		t.Error("too few faults to test anything")
	}
	// And nothing is in the way of the next, unless what is late comes now.
	here.o.Timeout = patient
	if err := run(t, here, k, 1, "end"); errors.Is(err, session.ErrConflict) && len(late) > 0 {
		mustRun(t, here, k, 1, "end")
	} else if err != nil {
		t.Fatal(err)
	}
	mustRun(t, witness, k, 1, "end 2")
}
