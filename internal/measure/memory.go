package measure

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Private returns how many bytes a process has written to and shares with
// nobody: the Private_Dirty and Private_Hugetlb lines of Linux's
// /proc/PID/smaps_rollup. Pages mapped from a file and only read do not count.
// Elsewhere it returns an error that wraps [errors.ErrUnsupported].
func Private(pid int) (uint64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("read private memory of process %d: %w: %w", pid, errors.ErrUnsupported, err)
	}
	if err != nil {
		return 0, fmt.Errorf("read private memory: %w", err)
	}
	return parseSmaps(data)
}

func parseSmaps(data []byte) (uint64, error) {
	var total uint64
	seen := false
	for scan := bufio.NewScanner(bytes.NewReader(data)); scan.Scan(); {
		key, value, _ := strings.Cut(scan.Text(), ":")
		if key != "Private_Dirty" && key != "Private_Hugetlb" {
			continue
		}
		number, unit, _ := strings.Cut(strings.TrimSpace(value), " ")
		kib, err := strconv.ParseUint(number, 10, 44)
		if err != nil || unit != "kB" {
			return 0, fmt.Errorf("read private memory: line %q has no size in kB", scan.Text())
		}
		total += kib << 10
		seen = true
	}
	if !seen {
		return 0, errors.New("read private memory: no Private_Dirty line")
	}
	return total, nil
}

// Instances held while memory is measured: the first few pay for what all share.
const (
	holdFirst = 4
	holdMore  = 16
)

// PerInstance returns the bytes of private memory of this process that one more
// instance costs. The run function starts an instance with the given standard
// input, whose program must read it to the end, and returns when the instance
// ends. Twenty instances are held at once, so run must not queue them.
func PerInstance(ctx context.Context, run func(ctx context.Context, stdin io.Reader) error) (uint64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	open := make(chan struct{})
	var wg sync.WaitGroup
	hold := func(n int) (uint64, error) {
		reached := make(chan struct{}, n)
		for range n {
			g := &gate{reached: reached, open: open, done: ctx.Done()}
			wg.Go(func() {
				err := run(ctx, g)
				if err == nil && !g.read.Load() {
					err = errors.New("the program ended without reading its input")
				}
				if err != nil {
					cancel(err)
				}
			})
		}
		for range n {
			select {
			case <-reached:
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		}
		debug.FreeOSMemory()
		return Private(os.Getpid())
	}
	first, err := hold(holdFirst)
	var all uint64
	if err == nil {
		all, err = hold(holdMore)
	}
	close(open)
	wg.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("measure memory: %w", err)
	}
	return (max(all, first) - first) / holdMore, nil
}

// gate is an empty input that ends only when it is opened. It tells of the first
// read, by when the program that reads is fully started.
type gate struct {
	reached    chan<- struct{}
	open, done <-chan struct{}
	read       atomic.Bool
}

func (g *gate) Read([]byte) (int, error) {
	if !g.read.Swap(true) {
		g.reached <- struct{}{}
	}
	select {
	case <-g.open:
	case <-g.done:
	}
	return 0, io.EOF
}
