package policies

import (
	"strings"
	"time"
)

// Duration is a length of wall-clock time that is always written with a unit:
// "500ms", "10s", "1m30s", "2h". The syntax is that of [time.ParseDuration],
// without signs.
type Duration time.Duration

// String returns the shortest form that [ParseDuration] reads back, such as
// "10s", "1m30s" or "2h".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// ParseDuration reads a duration. A number without a unit is [ErrInvalid], as
// is a signed one: the reader would have to guess what it counts. "0s" is a
// duration, though not a limit.
func ParseDuration(s string) (Duration, error) {
	const form = `write a number and a unit, such as "500ms", "10s" or "1m30s"`
	if s != "" && strings.Trim(s, "0123456789._") == "" {
		return 0, invalidf("duration %s has no unit; for seconds write %s", quote(s), quote(s+"s"))
	}
	if strings.HasPrefix(s, "-") {
		return 0, invalidf("duration %s is negative; %s", quote(s), form)
	}
	d, err := time.ParseDuration(s)
	if err != nil || strings.HasPrefix(s, "+") {
		return 0, invalidf("duration %s is not one; %s", quote(s), form)
	}
	return Duration(d), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler] with [ParseDuration].
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// MarshalText implements [encoding.TextMarshaler] with String; in JSON a
// Duration is therefore a string.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalTOML reads a decoded TOML value, which must be a string.
func (d *Duration) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case string:
		return d.UnmarshalText([]byte(v))
	case int64:
		return invalidf(`%d has no unit; for seconds write "%ds"`, v, v)
	default:
		return invalidf(`want a duration such as "10s", not %s`, describe(v))
	}
}
