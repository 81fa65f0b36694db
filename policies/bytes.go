package policies

import (
	"encoding/json"
	"errors"
	"math/bits"
	"strconv"
	"strings"
)

// Bytes is a number of bytes. In text it is a whole number followed by a unit:
// B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).
// Without a unit it counts bytes. In JSON it is a number.
type Bytes uint64

type sizeUnit struct {
	name string
	size uint64
}

// sizeUnits is read-only. It lists large units before small ones, so that of two
// equally short forms String takes the one with the smaller number.
var sizeUnits = []sizeUnit{
	{"TiB", 1 << 40},
	{"TB", 1e12},
	{"GiB", 1 << 30},
	{"GB", 1e9},
	{"MiB", 1 << 20},
	{"MB", 1e6},
	{"KiB", 1 << 10},
	{"KB", 1e3},
	{"B", 1},
}

// String returns the shortest exact form with a unit, such as "64MiB", "100KB"
// or "1B". [ParseBytes] reads it back.
func (b Bytes) String() string {
	if b == 0 {
		return "0B"
	}
	best := ""
	for _, u := range sizeUnits {
		if uint64(b)%u.size != 0 {
			continue
		}
		s := strconv.FormatUint(uint64(b)/u.size, 10) + u.name
		if best == "" || len(s) < len(best) {
			best = s
		}
	}
	return best
}

// ParseBytes reads a size as [Bytes] describes. Signs, fractions, spaces and
// unknown units are [ErrInvalid]; the message says what to write instead. Zero
// is a size, though not a limit.
func ParseBytes(s string) (Bytes, error) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits > 40 { // hints repeat them
		return 0, invalidf("size %s: too large for a number of bytes", quote(s))
	}
	unit := s[digits:]
	size, ok := unitSize(unit)
	if digits == 0 || !ok {
		return 0, invalidf("size %s: %s", quote(s), sizeHint(s, s[:digits], unit))
	}
	n, err := strconv.ParseUint(s[:digits], 10, 64)
	hi, total := bits.Mul64(n, size)
	if err != nil || hi != 0 {
		return 0, invalidf("size %s: too large for a number of bytes", quote(s))
	}
	return Bytes(total), nil
}

func unitSize(name string) (uint64, bool) {
	if name == "" {
		return 1, true
	}
	for _, u := range sizeUnits {
		if u.name == name {
			return u.size, true
		}
	}
	return 0, false
}

// sizeHint says what is wrong with a size and what to write instead.
func sizeHint(s, digits, unit string) string {
	const form = `write a whole number and a unit, such as "64MiB", "100KB" or "1GB"`
	if strings.HasPrefix(s, "-") {
		return "a size is not negative"
	}
	if digits == "" {
		return form
	}
	unit = strings.TrimSpace(unit)
	for _, u := range sizeUnits {
		if strings.EqualFold(u.name, unit) {
			return "write " + strconv.Quote(digits+u.name)
		}
		if len(u.name) == 2 && strings.EqualFold(u.name[:1], unit) {
			return "unit " + strconv.Quote(unit) + " could mean two things; write " +
				strconv.Quote(digits+u.name) + " (powers of 1000) or " +
				strconv.Quote(digits+u.name[:1]+"iB") + " (powers of 1024)"
		}
	}
	return form
}

// UnmarshalText implements [encoding.TextUnmarshaler] with [ParseBytes].
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := ParseBytes(string(text))
	if err != nil {
		return err
	}
	*b = v
	return nil
}

// MarshalText implements [encoding.TextMarshaler] with String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalTOML reads a decoded TOML value: a string as [ParseBytes] takes it,
// or a whole number of bytes.
func (b *Bytes) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case string:
		return b.UnmarshalText([]byte(v))
	case int64:
		if v < 0 {
			return invalidf("%d is negative; a size is not", v)
		}
		*b = Bytes(v)
		return nil
	default:
		return invalidf(`want a size such as "64MiB", or a whole number of bytes, not %s`, describe(v))
	}
}

// MarshalJSON writes the number of bytes.
func (b Bytes) MarshalJSON() ([]byte, error) {
	return strconv.AppendUint(nil, uint64(b), 10), nil
}

// UnmarshalJSON reads a whole number of bytes, or a string as [ParseBytes]
// takes it.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil && len(data) > 0 && data[0] == '"' {
		return b.UnmarshalText([]byte(s))
	}
	n, err := strconv.ParseUint(string(data), 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return invalidf("size %s: too large for a number of bytes", clip(string(data)))
	}
	if err != nil {
		return invalidf("size %s: want a whole number of bytes or a string such as \"64MiB\"", quote(string(data)))
	}
	*b = Bytes(n)
	return nil
}
