package host

import (
	"runtime"
	"sync"
)

// standby keeps instances that are ready to be entered, so that a call need not
// wait for one to be made: making one takes as long as running a small program.
// They are as fresh as any other; each is still used once and thrown away.
//
// Nothing is made ahead for the first call: a process that runs one program has
// no use for it. The zero value is ready; it is safe for concurrent use.
type standby struct {
	mu     sync.Mutex
	limit  uint64 // the memory limit of the instances in ready
	ready  []*instance
	making bool
	closed bool
	makers sync.WaitGroup
}

// maxStandby is how many instances are kept: as many as can start at once.
var maxStandby = runtime.GOMAXPROCS(0)

// take returns an instance whose memory can grow to limit bytes. Only the limit
// that was asked for last is kept in stock.
func (s *standby) take(p *plugin, limit uint64) (*instance, error) {
	s.mu.Lock()
	var stale []*instance
	known := s.limit == limit
	if !known {
		stale, s.ready, s.limit = s.ready, nil, limit
	}
	var in *instance
	if n := len(s.ready); n > 0 {
		in, s.ready = s.ready[n-1], s.ready[:n-1]
	}
	if known && !s.making && !s.closed {
		s.making = true
		s.makers.Go(func() { s.fill(p, limit) })
	}
	s.mu.Unlock()
	for _, old := range stale {
		old.discard()
	}
	if in != nil {
		return in, nil
	}
	return p.newInstance(limit, nil)
}

// fill makes instances until there are enough.
func (s *standby) fill(p *plugin, limit uint64) {
	for {
		s.mu.Lock()
		if s.closed || s.limit != limit || len(s.ready) >= maxStandby {
			s.making = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		in, err := p.newInstance(limit, nil)
		s.mu.Lock()
		if err != nil {
			// The next call meets the same error and reports it.
			s.making = false
			s.mu.Unlock()
			return
		}
		if s.closed || s.limit != limit {
			s.mu.Unlock()
			in.discard()
			continue
		}
		s.ready = append(s.ready, in)
		s.mu.Unlock()
	}
}

// count is how many there are.
func (s *standby) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ready)
}

// close throws the instances away and makes no more.
func (s *standby) close() {
	s.mu.Lock()
	s.closed = true
	ready := s.ready
	s.ready = nil
	s.mu.Unlock()
	s.makers.Wait()
	for _, in := range ready {
		in.discard()
	}
}
