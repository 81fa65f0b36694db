package runtimes

import (
	"bytes"
	"strings"
	"unicode"
)

const (
	maxTail     = 16 << 10 // bytes of npm's standard error kept
	maxTailLine = 200      // characters shown of one line
	tailLines   = 6        // lines shown
)

// tail is a writer that keeps the end of what is written to it.
type tail struct{ kept []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b[max(0, len(b)-maxTail):]...)
	if extra := len(t.kept) - maxTail; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(b), nil
}

// lines returns what is worth showing of the last lines, printable characters
// only and cut where long. Left out are stack traces and object dumps, which npm
// indents, and the line that points at npm's own log.
func (t *tail) lines() []string {
	var lines []string
	for raw := range bytes.Lines(t.kept) {
		line := strings.TrimSpace(strings.Map(printable, strings.ToValidUTF8(string(raw), "?")))
		said := strings.TrimPrefix(line, "npm error")
		if said == "" || said == " }" || strings.HasPrefix(said, "  ") || strings.HasPrefix(said, " A complete log of this run") {
			continue
		}
		if cut := []rune(line); len(cut) > maxTailLine {
			line = string(cut[:maxTailLine]) + "..."
		}
		lines = append(lines, line)
	}
	return lines[max(0, len(lines)-tailLines):]
}

func printable(r rune) rune {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return ' '
	case !unicode.IsPrint(r):
		return '?'
	default:
		return r
	}
}

// npmHints maps the error codes npm prints to what a user can do. The first
// code found counts.
//
// See https://docs.npmjs.com/common-errors and the errno names of Node.js.
var npmHints = []struct {
	codes []string
	hint  string
}{
	{
		[]string{"ENOSPC", "EDQUOT"},
		": the disk is full: free some space in the runtime cache %DIR% or in npm's own cache",
	},
	{
		[]string{"E404", "ETARGET", "ENOVERSIONS"},
		": the registry does not have it: check the name and the version, and which registry npm is set to use",
	},
	{
		[]string{"E401", "E403", "ENEEDAUTH"},
		": the registry refused: check npm's credentials",
	},
	{
		[]string{
			"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH",
			"ERR_SOCKET_TIMEOUT", "ENOTCACHED",
		},
		": the registry could not be reached: check the network and npm's proxy settings; a runtime that is in the cache works offline",
	},
	{
		[]string{"EINTEGRITY"},
		": the download was damaged: run npm cache verify and try again",
	},
}

// npmHint returns advice for what npm printed, to follow the error, or nothing.
func npmHint(stderr *tail, dir string) string {
	for _, h := range npmHints {
		for _, code := range h.codes {
			if bytes.Contains(stderr.kept, []byte(code)) {
				return strings.ReplaceAll(h.hint, "%DIR%", dir)
			}
		}
	}
	return ""
}
