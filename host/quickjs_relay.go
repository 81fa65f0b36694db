package host

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// errSourceMap means that the output of esbuild is not what it is known to write.
var errSourceMap = errors.New("translated program without a source map that makes sense")

const sourceMapStart = "\n//# sourceMappingURL=data:application/json;base64,"

// relay lays JavaScript that was written without line ends out so that what came
// from a line of the original is on that line again. Errors and stack traces then
// name the lines that the user knows, with no map at run time.
//
// A line end is only put where it cannot mean anything: in front of a token that the
// source map names, after one of a few that a statement cannot end with or that are
// its end for sure. So a token is never earlier than its line, and may be later only
// where the original had several statements to a line. A wrong map, which hostile
// text cannot make esbuild write, would give a program that does not do the same,
// and that only to its author.
func relay(output string) ([]byte, error) {
	if strings.HasPrefix(output, sourceMapStart[1:]) {
		return []byte{}, nil // types and comments only
	}
	at := strings.LastIndex(output, sourceMapStart)
	if at < 0 {
		return nil, errSourceMap
	}
	code, encoded := output[:at+1], strings.TrimSpace(output[at+len(sourceMapStart):])
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSourceMap, err)
	}
	var m struct {
		Mappings string `json:"mappings"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", errSourceMap, err)
	}
	w := relayer{code: code}
	if err := w.lines(m.Mappings); err != nil {
		return nil, err
	}
	return w.out, nil
}

// relayer copies code and puts line ends into it.
type relayer struct {
	code string // what is left
	out  []byte
	line int // how many line ends are in out
}

// lines follows the mappings: lines end with a semicolon, segments with a comma, and
// each is a list of numbers, less those of the one before it: column, source, line
// and column in the source, and a name.
//
// See https://tc39.es/ecma426/.
func (w *relayer) lines(mappings string) error {
	original := 0
	for group := range strings.SplitSeq(mappings, ";") {
		column, done := 0, 0
		for segment := range strings.SplitSeq(group, ",") {
			if segment == "" {
				continue
			}
			numbers, err := decodeVLQ(segment)
			if err != nil {
				return err
			}
			column += numbers[0]
			if len(numbers) >= 4 {
				original += numbers[2]
			}
			if column < done {
				return errSourceMap
			}
			w.copyUnits(column - done)
			done = column
			if len(numbers) >= 4 && w.mayBreak() {
				for ; w.line < original && len(w.out) < maxRelaid; w.line++ {
					w.out = append(w.out, '\n')
				}
			}
		}
		end := strings.IndexByte(w.code, '\n')
		if end < 0 {
			break
		}
		w.out = append(w.out, w.code[:end+1]...)
		w.code = w.code[end+1:]
		w.line++
	}
	w.out = append(w.out, w.code...)
	return nil
}

// maxRelaid bounds what a map can make a program grow to.
const maxRelaid = 32 << 20

// copyUnits copies characters that take n units of UTF-16, but no line end.
func (w *relayer) copyUnits(n int) {
	i := 0
	for n > 0 && i < len(w.code) && w.code[i] != '\n' {
		r, size := utf8.DecodeRuneInString(w.code[i:])
		n -= max(utf16.RuneLen(r), 1)
		i += size
	}
	w.out = append(w.out, w.code[:i]...)
	w.code = w.code[i:]
}

// mayBreak reports whether a line end means nothing here. A closing parenthesis may
// be that of an arrow function's parameters, which have to be on the arrow's line.
func (w *relayer) mayBreak() bool {
	if len(w.out) == 0 {
		return true
	}
	switch w.out[len(w.out)-1] {
	case ';', '{', '}', '(', ',', '[', ':', '=':
		return true
	case ')':
		return !strings.HasPrefix(w.code, "=>")
	}
	return false
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// decodeVLQ decodes the numbers of a segment, of which there are 1, 4 or 5: digits of
// five bits, the lowest first, with a sixth for those that are followed by another;
// the lowest bit of the number is its sign.
func decodeVLQ(segment string) ([]int, error) {
	var numbers []int
	value, shift := 0, 0
	for i := range len(segment) {
		digit := strings.IndexByte(base64Digits, segment[i])
		if digit < 0 || shift > 30 {
			return nil, errSourceMap
		}
		value |= digit & 31 << shift
		shift += 5
		if digit&32 != 0 {
			continue
		}
		n := value >> 1
		if value&1 != 0 {
			n = -n
		}
		numbers = append(numbers, n)
		value, shift = 0, 0
	}
	if shift != 0 || len(numbers) != 1 && len(numbers) != 4 && len(numbers) != 5 {
		return nil, errSourceMap
	}
	return numbers, nil
}
