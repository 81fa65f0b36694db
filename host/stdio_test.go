package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestTrimPartialRune(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"plain", "abc", "abc"},
		{"a whole character", "a\u00e9", "a\u00e9"},
		{"half of two bytes", "a\xc3", "a"},
		{"one of three bytes", "a\xe2", "a"},
		{"two of three bytes", "a\xe2\x82", "a"},
		{"one of four bytes", "a\xf0", "a"},
		{"three of four bytes", "a\xf0\x9f\x98", "a"},
		{"four of four bytes", "a\xf0\x9f\x98\x80", "a\xf0\x9f\x98\x80"},
		{"only a part", "\xf0\x9f", ""},
		{"a byte that starts nothing", "a\xff", "a\xff"},
		{"bytes that continue nothing", "a\x80\x80\x80\x80\x80", "a\x80\x80\x80\x80\x80"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := trimPartialRune([]byte(tt.in)); string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzOutput writes any bytes in any pieces under any cap.
func FuzzOutput(f *testing.F) {
	f.Add([]byte("a\u00e9\U0001f600"), uint(3), uint(2))
	f.Add([]byte("\xff\xfe"), uint(0), uint(1))
	f.Fuzz(func(t *testing.T, data []byte, limit, piece uint) {
		var stream bytes.Buffer
		var moved, full int
		o := output{limit: uint64(limit), stream: &stream, moved: func(n int) { moved += n }, full: func() { full++ }}
		for rest := data; len(rest) > 0; {
			p := rest[:min(uint(len(rest)), piece%64+1)]
			if n, err := o.Write(p); n != len(p) || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
			rest = rest[len(p):]
		}
		kept := data[:min(uint(len(data)), limit)]
		text, cut := o.text()
		if cut != (uint(len(data)) > limit) || moved != len(data) || (full == 1) != cut || full > 1 {
			t.Errorf("cut %t, moved %d, full %d of %d bytes under %d", cut, moved, full, len(data), limit)
		}
		if !bytes.Equal(stream.Bytes(), kept) || !bytes.Equal(o.kept.Bytes(), kept) {
			t.Errorf("streamed %q and kept %q, want %q", stream.Bytes(), o.kept.Bytes(), kept)
		}
		if !utf8.ValidString(text) || utf8.Valid(kept) && text != string(kept) {
			t.Errorf("text %q of %q", text, kept)
		}
	})
}

func TestOutputDetaches(t *testing.T) {
	var stream bytes.Buffer
	o := output{limit: 100, stream: &stream, moved: func(int) {}}
	_, _ = o.Write([]byte("a"))
	o.detach()
	_, _ = o.Write([]byte("b"))
	if text, cut := o.text(); stream.String() != "a" || text != "ab" || cut {
		t.Errorf("streamed %q, kept %q", stream.String(), text)
	}
}

type reads func([]byte) (int, error)

func (f reads) Read(p []byte) (int, error) { return f(p) }

func TestInputReads(t *testing.T) {
	failure := errors.New("failure")
	tests := []struct {
		name   string
		reader io.Reader
		want   string
		err    error
	}{
		{"no reader", nil, "", io.EOF},
		{"memory", strings.NewReader("abcdefgh"), "abcd", nil},
		{"any reader", reads(strings.NewReader("abcdefgh").Read), "abcd", nil},
		{"less than was wanted", reads(strings.NewReader("ab").Read), "ab", nil},
		{"the end", reads(strings.NewReader("").Read), "", io.EOF},
		{"data and the end at once", reads(func(p []byte) (int, error) { return copy(p, "ab"), io.EOF }), "ab", io.EOF},
		{"a failure", reads(func([]byte) (int, error) { return 0, failure }), "", failure},
		{"nothing", reads(func([]byte) (int, error) { return 0, nil }), "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			moved := 0
			in := input{ctx: t.Context(), reader: tt.reader, moved: func(n int) { moved += n }}
			p := make([]byte, 4)
			n, err := in.Read(p)
			if string(p[:n]) != tt.want || !errors.Is(err, tt.err) || err != nil && tt.err == nil || moved != n {
				t.Errorf("got %q, %v, moved %d; want %q, %v", p[:n], err, moved, tt.want, tt.err)
			}
		})
	}
}

// TestAReadEndsWithItsCall has a reader that blocks and, when the call is long over,
// writes into what it was given: that must not be the guest's memory.
func TestAReadEndsWithItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		over := false
		in := input{ctx: ctx, moved: func(int) {}, over: func() { over = true }, reader: reads(func(p []byte) (int, error) {
			<-release
			return copy(p, "late"), nil
		})}
		guest := make([]byte, 100)
		started := time.Now()
		if n, err := in.Read(guest); n != 0 || err == nil || !over || time.Since(started) != time.Minute {
			t.Errorf("got %d, %v, over %t after %v", n, err, over, time.Since(started))
		}
		close(release)
		synctest.Wait()
		if !bytes.Equal(guest, make([]byte, 100)) {
			t.Errorf("written after the call: %q", guest)
		}
	})
}
