package host_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestOutputCaps(t *testing.T) {
	h := shared(t)
	limit := policies.Bytes(1000)
	tests := []struct {
		name, code string
		output     string
		truncated  bool
	}{
		{"exactly the cap", "w('x' * 1000)", strings.Repeat("x", 1000), false},
		{"one byte more", "w('x' * 1001)", strings.Repeat("x", 1000), true},
		{"byte by byte", "for i in range(1500): w(str(i % 10))", strings.Repeat("0123456789", 100), true},
		{"a character cut in half is left out", "w('x' * 999 + '\u00e9')", strings.Repeat("x", 999), true},
		{"a character of four bytes", "w('x' * 997 + '\U0001f600')", strings.Repeat("x", 997), true},
		{"a character that just fits", "w('x' * 996 + '\U0001f600' + 'y')", strings.Repeat("x", 996) + "\U0001f600", true},
		{"half a character, and nothing was cut", "b(b'x\\xc3')", "x\uFFFD", false},
		{"binary output", "b(b'a\\xffb')", "a\uFFFDb", false},
		{"nothing", "", "", false},
	}
	for _, stream := range []string{"stdout", "stderr"} {
		for _, tt := range tests {
			t.Run(stream+": "+tt.name, func(t *testing.T) {
				var out, errs bytes.Buffer
				code := "import sys\ns = sys." + stream + "\ndef w(x): s.write(x); s.flush()\ndef b(x): s.buffer.write(x); s.flush()\n" + tt.code
				r := free(code, policies.Overrides{Stdout: &limit, Stderr: &limit})
				r.Stdout, r.Stderr = &out, &errs
				got := execute(t, h, r)
				checkStatus(t, got, host.StatusOK, 0)
				text, truncated, streamed, other := got.Stdout, got.StdoutTruncated, &out, got.Stderr
				if stream == "stderr" {
					text, truncated, streamed, other = got.Stderr, got.StderrTruncated, &errs, got.Stdout
				}
				if text != tt.output || truncated != tt.truncated || other != "" {
					t.Errorf("got %q, truncated %t, other %q; want %q, %t", text, truncated, other, tt.output, tt.truncated)
				}
				if streamed.Len() > 1000 || !strings.HasPrefix(strings.ToValidUTF8(streamed.String(), "\uFFFD"), tt.output) {
					t.Errorf("%d bytes were streamed: %q", streamed.Len(), streamed)
				}
			})
		}
	}
}

// peakMemory is the most memory that this process ever held, in bytes.
func peakMemory(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc:", err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

func TestAFloodOfOutputTakesNoMemory(t *testing.T) {
	h := shared(t)
	limit := policies.Bytes(1 << 20)
	var streamed int
	r := free("import sys\nline = b'x' * (1 << 20)\nfor _ in range(1024): sys.stdout.buffer.write(line)", policies.Overrides{Stdout: &limit})
	r.Stdout = writerFunc(func(p []byte) (int, error) {
		streamed += len(p)
		return len(p), nil
	})
	before := peakMemory(t)
	got := execute(t, h, r)
	if !got.StdoutTruncated || len(got.Stdout) != 1<<20 || streamed != 1<<20 {
		t.Errorf("truncated %t, kept %d bytes, streamed %d, %s", got.StdoutTruncated, len(got.Stdout), streamed, got.Status)
	}
	if grown := peakMemory(t) - before; grown > 64<<20 {
		t.Errorf("the process grew by %d bytes", grown)
	}
}

// TestOutputStreams has a guest wait for an answer to what it wrote: it ends only
// if the output arrives while it runs.
func TestOutputStreams(t *testing.T) {
	h := shared(t)
	answers, questions := io.Pipe()
	r := python("import sys\nprint('name?')\nname = input()\nprint('hello', name, file=sys.stderr)\nprint('again?')\nprint(input())")
	r.Stdin = answers
	var told bytes.Buffer
	r.Stderr = &told
	asked := 0
	r.Stdout = writerFunc(func(p []byte) (int, error) {
		if asked++; asked <= 2 {
			go func() { _, _ = io.WriteString(questions, "me\n") }()
		}
		return len(p), nil
	})
	got := execute(t, h, r)
	checkStatus(t, got, host.StatusOK, 0)
	if got.Stdout != "name?\nagain?\nme\n" || told.String() != "hello me\n" || asked != 3 {
		t.Errorf("stdout %q, stderr %q, %d writes", got.Stdout, told.String(), asked)
	}
}

func TestAWriterThatFailsIsLeftAlone(t *testing.T) {
	h := shared(t)
	writes := 0
	r := python("print(1)\nprint(2)\nprint(3)")
	r.Stdout = writerFunc(func([]byte) (int, error) {
		writes++
		return 0, errors.New("gone")
	})
	got := execute(t, h, r)
	checkStatus(t, got, host.StatusOK, 0)
	if got.Stdout != "1\n2\n3\n" || writes != 1 {
		t.Errorf("stdout %q, %d writes", got.Stdout, writes)
	}
}

func TestAWriterThatPanicsIsOurFault(t *testing.T) {
	h := shared(t)
	r := python("print(1)")
	r.Stdout = writerFunc(func([]byte) (int, error) { panic("writer") })
	got := execute(t, h, r)
	checkStatus(t, got, host.StatusInternal, 125)
	if strings.Contains(got.Error.Message, "writer") {
		t.Errorf("the error tells of the inside: %q", got.Error.Message)
	}
}

func TestAStuckWriterDoesNotHoldTheCaller(t *testing.T) {
	h := open(t, host.Options{Policy: policy(t, testPolicy)})
	var written []*atomic.Int32 // in each call
	untilItComes(t, func(limit time.Duration) bool {
		release, writes := make(chan struct{}), new(atomic.Int32)
		written = append(written, writes)
		r := free("print('x', flush=True)\nprint('y', flush=True)", timeout(limit))
		r.Stdout = writerFunc(func(p []byte) (int, error) {
			writes.Add(1)
			<-release
			return len(p), nil
		})
		got := execute(t, h, r)
		stuck := writes.Load() > 0
		checkStatus(t, got, host.StatusTimeout, 124)
		if stuck && (got.Error == nil || !strings.Contains(got.Error.Message, "abandoned") || got.Stdout != "x\n") {
			t.Errorf("got %q, %+v", got.Stdout, got.Error)
		}
		if got := execute(t, h, python("print(1)")); got.Stdout != "1\n" {
			t.Errorf("the next: %+v", got)
		}
		close(release)
		return stuck
	})
	// Close waits for the guests: only then may nothing be written any more.
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	for _, writes := range written {
		if n := writes.Load(); n > 1 {
			t.Errorf("%d writes, the last after the call was answered", n)
		}
	}
}

func TestInput(t *testing.T) {
	h := shared(t)
	tests := []struct {
		name string
		in   io.Reader
		code string
		want string
	}{
		{"none", nil, "import sys; print(repr(sys.stdin.read()))", "''\n"},
		{"a string", strings.NewReader("a\nb"), "print(input(), input())", "a b\n"},
		{"a reader of single bytes", readerFunc(strings.NewReader("abc\n").Read), "print(input())", "abc\n"},
		{"a megabyte", strings.NewReader(strings.Repeat("x", 1<<20)), "import sys; print(len(sys.stdin.read()))", "1048576\n"},
		{"a megabyte through a pipe", readerFunc(strings.NewReader(strings.Repeat("x", 1<<20)).Read), "import sys; print(len(sys.stdin.read()))", "1048576\n"},
		{"a reader that fails", readerFunc(func([]byte) (int, error) { return 0, errors.New("secret") }), "try: input()\nexcept OSError as e: print(e.errno != 0, 'secret' in str(e))", "True False\n"},
		{"a reader that gives nothing", readerFunc(func([]byte) (int, error) { return 0, nil }), "import sys; print(repr(sys.stdin.read()))", "''\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := python(tt.code)
			r.Stdin = tt.in
			if got := execute(t, h, r); got.Stdout != tt.want {
				t.Errorf("got %q, want %q; stderr %s", got.Stdout, tt.want, got.Stderr)
			}
		})
	}
}

func TestReadersThatMisbehaveAreOurFault(t *testing.T) {
	h := shared(t)
	for name, in := range map[string]io.Reader{
		"a panic":                     readerFunc(func([]byte) (int, error) { panic("reader") }),
		"more bytes than were wanted": readerFunc(func(p []byte) (int, error) { return len(p) + 1, nil }),
		"less than nothing":           readerFunc(func([]byte) (int, error) { return -1, nil }),
	} {
		t.Run(name, func(t *testing.T) {
			r := python("import sys\ntry: sys.stdin.read()\nexcept BaseException: print('caught')")
			r.Stdin = in
			got := execute(t, h, r)
			checkStatus(t, got, host.StatusInternal, 125)
			if got.Stdout != "" || strings.Contains(got.Error.Message, "goroutine") {
				t.Errorf("stdout %q, error %+v", got.Stdout, got.Error)
			}
			if got := execute(t, h, python("print(1)")); got.Stdout != "1\n" {
				t.Errorf("afterwards: %+v", got)
			}
		})
	}
}
