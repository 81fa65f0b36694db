package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// worker is a door served by another, lasting process: a small driver in the
// peer's own language that calls the peer's public interface. Driver and harness
// exchange one JSON object a line. The driver says {"version": "..."} when it is
// ready, and answers {"code": "..."} with stdout, the milliseconds it measured
// around the call, and fuel if the peer counts it, or with an error.
type worker struct {
	mu     sync.Mutex
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr tail
	ended  func() error // waits for the driver's end, once
	// version is the peer's own account of what it runs.
	version string
}

type workerRequest struct {
	Code string `json:"code"`
}

type workerReply struct {
	Version string  `json:"version"`
	Stdout  string  `json:"stdout"`
	MS      float64 `json:"ms"`
	Fuel    uint64  `json:"fuel"`
	Error   string  `json:"error"`
}

// startWorker starts a driver in dir and waits until it is ready. The driver
// ends when ctx is done, or with close.
func startWorker(ctx context.Context, dir, name string, args ...string) (*worker, error) {
	//nolint:gosec // G204: the harness runs the peers the operator asked for.
	w := &worker{cmd: exec.CommandContext(ctx, name, args...)}
	w.cmd.Dir = dir
	w.cmd.Stderr = &w.stderr
	w.ended = sync.OnceValue(w.cmd.Wait)
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start a driver: %w", err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a driver: %w", err)
	}
	w.in, w.out = in, bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a driver: %w", err)
	}
	ready, err := w.receive()
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.version = ready.Version
	return w, nil
}

// receive reads one reply. Call it with mu held, or before sharing w.
func (w *worker) receive() (workerReply, error) {
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		_ = w.in.Close()
		_ = w.ended() // what it wrote last may still be on its way
		return workerReply{}, fmt.Errorf("read from the driver: %w: %s", err, lastLines(w.stderr.String(), 3))
	}
	var r workerReply
	if err := json.Unmarshal(line, &r); err != nil {
		return workerReply{}, fmt.Errorf("read from the driver: %w: %.100q", err, line)
	}
	if r.Error != "" {
		return workerReply{}, errors.New(r.Error)
	}
	return r, nil
}

func (w *worker) call(_ context.Context, code string, stdin io.Reader) (outcome, error) {
	if stdin != nil {
		return outcome{}, errors.New("a driver takes no input")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := json.NewEncoder(w.in).Encode(workerRequest{code}); err != nil {
		return outcome{}, fmt.Errorf("write to the driver: %w", err)
	}
	r, err := w.receive()
	if err != nil {
		return outcome{}, err
	}
	elapsed := time.Duration(r.MS * float64(time.Millisecond))
	return outcome{stdout: r.Stdout, fuel: r.Fuel, elapsed: elapsed}, nil
}

// close ends the driver, which stops at the end of its input.
func (w *worker) close() error {
	err := w.in.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil // the driver ended before
	}
	if waited := w.ended(); waited != nil {
		err = errors.Join(err, fmt.Errorf("end a driver: %w: %s", waited, lastLines(w.stderr.String(), 2)))
	}
	return err
}

func (w *worker) pid() int { return w.cmd.Process.Pid }

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-tailSize):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.text), "?")
}
