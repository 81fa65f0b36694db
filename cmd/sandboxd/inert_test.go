package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestInert(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text passes", "héllo, 世界 🙂\n", "héllo, 世界 🙂\n"},
		{"tabs and carriage returns pass", "a\tb\rc\r\n", "a\tb\rc\r\n"},
		{"colours pass and are switched off at the end", "\x1b[1;31mred", "\x1b[1;31mred\x1b[0m"},
		{"a style that the guest reset is not reset again", "\x1b[31mred\x1b[m", "\x1b[31mred\x1b[m"},
		{"24-bit colours pass", "\x1b[38:2::1:2:3mx\x1b[0m", "\x1b[38:2::1:2:3mx\x1b[0m"},
		{"a window title is shown, not set", "\x1b]0;owned\x07", "^[]0;owned^G"},
		{"clearing the screen is shown", "\x1b[2J\x1b[H", "^[[2J^[[H"},
		{"a cursor report is not asked for", "\x1b[6n", "^[[6n"},
		{"private styles are shown", "\x1b[?25l\x1b[>4;2m", "^[[?25l^[[>4;2m"},
		{"a device control string is shown", "\x1bP$q\x1b\\", "^[P$q^[\\"},
		{"an endless style is shown", "\x1b[" + strings.Repeat("1;", 99) + "m", "^[[" + strings.Repeat("1;", 99) + "m"},
		{"backspace, bell and delete are shown", "a\b\a\x7f\x00", "a^H^G^?^@"},
		{"an escape at the end is shown", "x\x1b", "x^["},
		{"an unfinished style is shown", "x\x1b[3", "x^[[3"},
		{"C1 controls are shown", "\u009b2J", `\u009b2J`},
		{"raw bytes above ASCII are replaced", "\x9b2J\xff", "\ufffd2J\ufffd"},
		{"an unfinished rune is replaced", "\xe4\xb8", "\ufffd\ufffd"},
		{"direction marks are shown", "a\u202eb\u2066c\u200fd", `a\u202eb\u2066c\u200fd`},
		{"line separators are shown", "a\u2028b", `a\u2028b`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := throughInert(t, []byte(tt.in), len(tt.in)); got != tt.want {
				t.Errorf("at once: got %q, want %q", got, tt.want)
			}
			if got := throughInert(t, []byte(tt.in), 1); got != tt.want {
				t.Errorf("byte by byte: got %q, want %q", got, tt.want)
			}
		})
	}
}

// throughInert writes text in pieces of size bytes and returns what arrives.
func throughInert(t *testing.T, text []byte, size int) string {
	t.Helper()
	var out bytes.Buffer
	w := &inertWriter{to: &out}
	for len(text) > 0 {
		n := min(size, len(text))
		if wrote, err := w.Write(text[:n]); err != nil || wrote != n {
			t.Fatalf("Write(%q) = %d, %v", text[:n], wrote, err)
		}
		text = text[n:]
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestInertKeepsNoStyleInOurOwnLines(t *testing.T) {
	if got, want := inert("\x1b[31mred\x1b]0;x\a"), "^[[31mred^[]0;x^G"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzInert checks that nothing but styles can drive a terminal, and that it
// does not matter how the text is cut up.
func FuzzInert(f *testing.F) {
	f.Add([]byte("\x1b[31mred\x1b[0m \x1b]0;t\x07 \xe4\xb8\x96\xff"), 3)
	f.Add([]byte("\x1b[1;2;3"), 1)
	f.Add([]byte("\u202e\u009b\x1b\x1b[m"), 2)
	style := regexp.MustCompile(`\x1b\[[0-9;:]*m`)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		whole := throughInert(t, text, max(1, len(text)))
		if pieces := throughInert(t, text, max(1, size)); pieces != whole {
			t.Fatalf("in pieces of %d: %q, at once: %q", size, pieces, whole)
		}
		if !utf8.ValidString(whole) {
			t.Fatalf("not UTF-8: %q", whole)
		}
		for _, r := range style.ReplaceAllString(whole, "") {
			if r < 0x20 && r != '\n' && r != '\t' && r != '\r' || r == 0x7f || drives(r) {
				t.Fatalf("%q passes in %q", r, whole)
			}
		}
	})
}
