package main

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// inertWriter passes text to a terminal and makes what could drive the terminal
// visible instead: a guest must not retitle windows, move the cursor over what
// others wrote, answer for the keyboard or hide text. What passes unchanged is
// printable UTF-8, newlines, tabs, carriage returns, and the sequences that only
// choose colours and styles (SGR, ECMA-48 section 8.3.117).
//
// It does not stop a guest from writing a misleading text in plain letters.
type inertWriter struct {
	to io.Writer
	// held is an unfinished escape sequence or rune, kept until the rest of it
	// arrives. It is never longer than maxStyle bytes.
	held   []byte
	styled bool // a style is on and has to be switched off at the end
}

// maxStyle is the longest style sequence that passes, in bytes. Real ones, with
// two 24-bit colours, are under 40.
const maxStyle = 64

const styleReset = "\x1b[0m"

// Write implements io.Writer. Bytes that it holds back count as written.
func (w *inertWriter) Write(p []byte) (int, error) {
	text := append(w.held, p...)
	out := make([]byte, 0, len(text)+len(text)/8)
	for len(text) > 0 {
		n, complete := unit(text)
		if !complete {
			break
		}
		out = w.appendInert(out, text[:n])
		text = text[n:]
	}
	w.held = append([]byte(nil), text...)
	if _, err := w.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush writes what was held back, as it will not be completed, and switches
// styles off.
func (w *inertWriter) flush() error {
	var out []byte
	for _, b := range w.held {
		out = w.appendInert(out, []byte{b})
	}
	if w.styled {
		out = append(out, styleReset...)
	}
	w.held, w.styled = nil, false
	_, err := w.to.Write(out)
	return err
}

// appendInert appends the harmless form of one unit of text.
func (w *inertWriter) appendInert(out, unit []byte) []byte {
	if len(unit) > 1 && unit[0] == esc {
		w.styled = string(unit) != styleReset && string(unit) != "\x1b[m"
		return append(out, unit...)
	}
	r, size := utf8.DecodeRune(unit)
	switch {
	case r == utf8.RuneError && size <= 1:
		return utf8.AppendRune(out, utf8.RuneError)
	case r == '\n', r == '\t', r == '\r':
		return append(out, unit...)
	case r < 0x20 || r == 0x7f:
		return append(out, '^', unit[0]^0x40) // as less(1) and stty(1) show them
	case drives(r):
		return fmt.Appendf(out, `\u%04x`, r)
	default:
		return append(out, unit...)
	}
}

// drives reports whether r is not shown itself but changes how other text is
// shown: C1 controls, and the marks that reorder or join lines of text.
func drives(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f, // C1 controls
		r == 0x61c, r == 0x200e, r == 0x200f, // direction marks
		r >= 0x202a && r <= 0x202e, // embeddings and overrides
		r >= 0x2066 && r <= 0x2069, // isolates
		r == 0x2028, r == 0x2029:   // line and paragraph separators
		return true
	}
	return false
}

const esc = 0x1b

// unit returns the length of the first unit of text: a style sequence, or else a
// single rune or byte. It is not complete when more bytes could make it longer.
// Text is not empty.
func unit(text []byte) (n int, complete bool) {
	if text[0] != esc {
		if !utf8.FullRune(text) {
			return 0, false
		}
		_, n = utf8.DecodeRune(text)
		return n, true
	}
	for i, b := range text[1:min(len(text), maxStyle)] {
		switch {
		case i == 0 && b == '[':
		case i > 0 && (b >= '0' && b <= '9' || b == ';' || b == ':'):
		case i > 0 && b == 'm':
			return i + 2, true
		default:
			return 1, true
		}
	}
	return 1, len(text) >= maxStyle
}

// inert is the harmless form of a whole text, without styles of its own.
func inert(text string) string {
	var out []byte
	var w inertWriter
	for len(text) > 0 {
		n := 1
		if text[0] != esc {
			_, n = utf8.DecodeRuneInString(text)
		}
		out = w.appendInert(out, []byte(text[:n]))
		text = text[n:]
	}
	return string(out)
}
