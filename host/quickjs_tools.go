package host

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/sandboxd/sandboxd/host/tool"
)

// callsTools says that programs can, through runtimes/javascript/lib/internal/tools.js.
func (d *quickjs) callsTools() {}

// toolCalls are the calls of tools that a script has not been told the end of.
type toolCalls struct {
	last    int
	pending map[int]*tool.Call

	mu    sync.Mutex
	ended []int         // in the order in which they ended
	some  chan struct{} // holds a value when something was added
}

// end notes the end of a call. It is called by the call's own goroutine.
func (t *toolCalls) end(id int) {
	t.mu.Lock()
	t.ended = append(t.ended, id)
	t.mu.Unlock()
	select {
	case t.some <- struct{}{}:
	default: // it was said
	}
}

// next takes the call that ended first of those that ended, if any.
func (t *toolCalls) next() (id int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.ended) == 0 {
		return 0, false
	}
	id = t.ended[0]
	t.ended = t.ended[1:]
	return id, true
}

var errNoTools = &failure{"ENOENT", "this program was given no tools: the program that runs it decides which there are"}

var errManyCalls = &failure{"EAGAIN", "more calls wait for their ends than this program may make"}

// jsToolStart begins a call of the tool that text names, with the JSON in view, and gives
// its number. How many there may be, and what becomes of the bytes, see
// [tool.Client.Start].
func jsToolStart(ctx context.Context, in *instance, s *script, text, view []byte) (reply, error) {
	var a struct {
		Name string `json:"name"`
	}
	if err := in.decodeArgs(ctx, text, &a); err != nil {
		return reply{}, err
	}
	if in.tools == nil {
		return reply{}, errNoTools
	}
	t := &s.tools
	if uint64(len(t.pending)) > s.call.profile.Tools.Calls { // what waits is refused calls in part, without end
		return reply{}, errManyCalls
	}
	if t.pending == nil {
		t.pending, t.some = map[int]*tool.Call{}, make(chan struct{}, 1)
	}
	t.last++
	id := t.last
	t.pending[id] = in.tools.Start(ctx, a.Name, view, func() { t.end(id) })
	in.pay(ctx, 0)
	return replyWith(map[string]int{"id": id}), nil
}

// jsToolWait waits until a call has ended, but no longer than asked, for ever where that
// is negative, and never past the call's deadline. It gives the call's number and what
// came of it, or the number 0.
func jsToolWait(ctx context.Context, in *instance, s *script, a *jsArgs) (reply, error) {
	t := &s.tools
	if len(t.pending) == 0 {
		return replyWith(map[string]int{"id": 0}), nil
	}
	id, ok := t.next()
	if !ok && a.MS != 0 {
		t.wait(ctx, a.MS)
		in.checkDeadline(ctx)
		id, ok = t.next()
	}
	if !ok {
		return replyWith(map[string]int{"id": 0}), nil
	}
	answer, f := t.pending[id].Wait()
	delete(t.pending, id)
	in.pay(ctx, 0)
	if f != nil {
		in.checkDeadline(ctx) // it may be that the execution ended before the call did
		return replyWith(map[string]any{"id": id, "kind": f.Kind, "message": f.Message}), nil
	}
	in.moved(len(answer))
	data := append(make([]byte, 0, len(answer)+60), `{"id":`...)
	data = append(strconv.AppendInt(data, int64(id), 10), `,"kind":"ok","value":`...)
	return reply{kind: replyJSON, data: append(append(data, answer...), '}')}, nil
}

func (t *toolCalls) wait(ctx context.Context, ms float64) {
	var timeout <-chan time.Time
	if ms > 0 {
		timer := time.NewTimer(milliseconds(ms))
		defer timer.Stop()
		timeout = timer.C
	}
	// Something may have been said before what it said was taken: then there is nothing.
	for {
		select {
		case <-t.some:
			if !t.none() {
				return
			}
		case <-timeout:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (t *toolCalls) none() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ended) == 0
}
