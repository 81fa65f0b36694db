package host

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	reported := func(kind, message string, line int) *GuestError {
		return &GuestError{Type: kind, Message: message, Line: line, Guidance: []string{}}
	}
	tests := []struct {
		name, text string
		want       *GuestError
	}{
		{"nothing", "", nil},
		{"an error", `{"type":"ValueError","message":"bad","line":3}`, reported("ValueError", "bad", 3)},
		{"the last of several", `{"type":"A"} {"type":"B","line":2}` + "\n", reported("B", "", 2)},
		{"one and then garbage", `{"type":"A"} {"type`, reported("A", "", 0)},
		{"garbage and then one", `x{"type":"A"}`, nil},
		{"an empty object", `{}`, reported("", "", 0)},
		{"null", `null`, reported("", "", 0)},
		{"an array", `["A"]`, nil},
		{"a line below 1", `{"type":"A","line":-7}`, reported("A", "", 0)},
		{"a line that is no number", `{"type":"A","line":"7"}`, nil},
		{"a line that is no integer", `{"type":"A","line":1e300}`, nil},
		{"keys nobody knows", `{"type":"A","status":"ok","guidance":["rm -rf"]}`, reported("A", "", 0)},
		{"a type that is too long", `{"type":"` + strings.Repeat("\u00e9", 200) + `"}`, reported(strings.Repeat("\u00e9", 128), "", 0)},
		{"a message that is too long", `{"message":"` + strings.Repeat("x", 5000) + `"}`, reported("", strings.Repeat("x", 4096), 0)},
		{"text that is not UTF-8", "{\"message\":\"a\xffb\"}", reported("", "a\uFFFDb", 0)},
		{"half of a surrogate pair", `{"message":"\ud800"}`, reported("", "\uFFFD", 0)},
		{"nested beyond reason", `{"type":` + strings.Repeat("[", 60_000), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r report
			for _, part := range strings.SplitAfter(tt.text, "}") {
				if n, err := r.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatalf("Write: %d, %v", n, err)
				}
			}
			if diff := cmp.Diff(tt.want, r.guestError()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReportIsBounded(t *testing.T) {
	var r report
	for range 10 {
		if n, err := r.Write(make([]byte, 20<<10)); n != 20<<10 || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
	}
	if r.text.Len() != reportLimit {
		t.Errorf("%d bytes are kept", r.text.Len())
	}
}

func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"type":"ValueError","message":"bad","line":3}`))
	f.Add([]byte(`{"type":"A"}{"type":"B"}[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r report
		if n, err := r.Write(text); n != len(text) || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
		e := r.guestError()
		if e == nil {
			return
		}
		if len(e.Type) > 256 || len(e.Message) > 4096 || e.Line < 0 || !utf8.ValidString(e.Type+e.Message) {
			t.Errorf("got %+v", e)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Error(err)
		}
	})
}

func TestCut(t *testing.T) {
	tests := []struct {
		s    string
		n    int
		want string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abc", 2, "ab"},
		{"abc", 0, ""},
		{"a\u00e9", 2, "a"},
		{"a\u00e9", 3, "a\u00e9"},
		{"\U0001f600", 3, ""},
		{"\xff\xff\xff", 2, ""},
		{"a\xff", 10, "a\uFFFD"},
	}
	for _, tt := range tests {
		if got := cut(tt.s, tt.n); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
}

func TestAnalyse(t *testing.T) {
	tests := []struct {
		consumed, budget uint64
		status, advice   string
	}{
		{0, 1000, "efficient", ""},
		{499, 1000, "efficient", ""},
		{500, 1000, "moderate", ""},
		{749, 1000, "moderate", ""},
		{750, 1000, "warning", "a budget of 1200 would leave room"},
		{899, 1000, "warning", "a budget of 1400 would leave room"},
		{900, 1000, "critical", "a budget of 1800 would leave room"},
		{999, 1000, "critical", "a budget of 2000 would leave room"},
		{1000, 1000, "exhausted", "do less work per call, or allow more fuel: try 2000"},
		{1, 1, "exhausted", "do less work per call, or allow more fuel: try 2"},
	}
	for _, tt := range tests {
		got := analyse(tt.consumed, tt.budget)
		if got.Status != tt.status || got.Recommendation != tt.advice || got.Utilization != float64(tt.consumed)/float64(tt.budget) {
			t.Errorf("analyse(%d, %d) = %+v, want %s, %q", tt.consumed, tt.budget, got, tt.status, tt.advice)
		}
	}
}

func TestRoundUp(t *testing.T) {
	for n, want := range map[uint64]uint64{
		0: 0, 1: 1, 9: 9, 10: 10, 99: 99, 100: 100, 101: 110, 999: 1000, 1000: 1000, 1001: 1100,
		123_456_789: 130_000_000, 2_000_000_000_000_000_000: 2_000_000_000_000_000_000,
	} {
		if got := roundUp(n); got != want {
			t.Errorf("roundUp(%d) = %d, want %d", n, got, want)
		}
	}
}
