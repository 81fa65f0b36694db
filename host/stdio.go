package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"unicode/utf8"
)

// output keeps what a guest writes to one stream, up to a cap, and passes it on
// as it comes. What is beyond the cap is counted as written and forgotten, so a
// flood costs the host nothing but the copy.
type output struct {
	mu     sync.Mutex
	limit  uint64
	passed uint64 // how many bytes were within the cap
	kept   bytes.Buffer
	cut    bool
	stream io.Writer
	// forget keeps nothing: the stream is enough.
	forget bool
	// full is called once, when the cap is first exceeded; nil to go on.
	full func()
	// moved is told how many bytes the guest wrote.
	moved func(int)
}

// Write never fails and never reports a short write: to the guest its output
// was written.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	keep := p[:min(uint64(len(p)), o.limit-o.passed)]
	o.passed += uint64(len(keep))
	if !o.forget {
		o.kept.Write(keep)
	}
	first := len(keep) < len(p) && !o.cut
	o.cut = o.cut || first
	stream := o.stream
	o.mu.Unlock()

	if stream != nil && len(keep) > 0 {
		if _, err := stream.Write(keep); err != nil {
			// The reader has gone; the result still carries what it is to carry.
			o.detach()
		}
	}
	o.moved(len(p))
	if first && o.full != nil {
		o.full()
	}
	return len(p), nil
}

// detach stops passing output on. A call that is abandoned must not write to
// its caller's streams any more.
func (o *output) detach() {
	o.mu.Lock()
	o.stream = nil
	o.mu.Unlock()
}

// text is what was kept, without half a character at the cut, and whether
// anything was lost.
func (o *output) text() (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.kept.Bytes()
	if o.cut {
		b = trimPartialRune(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), o.cut
}

func trimPartialRune(b []byte) []byte {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}

// input is a guest's standard input. A read ends when ctx does, even where the
// underlying reader blocks: then the reader keeps the one buffer it was given and
// the goroutine waiting for it until it returns.
type input struct {
	ctx    context.Context // the call's; a Reader has no other way to be given one
	reader io.Reader
	moved  func(int)   // told how many bytes the guest read
	over   func()      // ends the guest because its ctx has ended
	broken func(error) // ends the guest because its reader panicked
}

func (s *input) Read(p []byte) (int, error) {
	n, err := s.read(p)
	s.moved(n)
	return n, err
}

func (s *input) read(p []byte) (int, error) {
	switch r := s.reader.(type) {
	case nil:
		return 0, io.EOF
	case *strings.Reader, *bytes.Reader, *bytes.Buffer:
		return r.Read(p)
	}
	answers := make(chan answer, 1)
	go func() { answers <- ask(s.reader, min(len(p), 64<<10)) }()
	select {
	case a := <-answers:
		if a.panicked != nil {
			s.broken(a.panicked)
		}
		return copy(p, a.data), a.err
	case <-s.ctx.Done():
		s.over()
		return 0, s.ctx.Err()
	}
}

// answer is what a caller's reader gave.
type answer struct {
	data     []byte
	err      error
	panicked error
}

// ask reads up to n bytes. A reader's panic, in a goroutine that nobody else could
// recover, must not end the process: the reader belongs to one caller of many.
func ask(r io.Reader, n int) (a answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a = answer{panicked: fmt.Errorf("standard input: %v\n%s", cause, debug.Stack())}
		}
	}()
	data := make([]byte, n)
	n, err := r.Read(data)
	return answer{data: data[:n], err: err}
}
