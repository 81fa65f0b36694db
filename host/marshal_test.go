package host

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The wanted bytes are what marshal.dumps(value, 2) gives in CPython 3.12.
func TestMarshal(t *testing.T) {
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"bytes", marshalBytes([]byte("a\x00b")), "s\x03\x00\x00\x00a\x00b"},
		{"no bytes", marshalBytes(nil), "s\x00\x00\x00\x00"},
		{"text", marshalText("a\u00e9"), "u\x03\x00\x00\x00a\xc3\xa9"},
		{"text that is none", marshalText("a\xff\xfeb"), "u\x05\x00\x00\x00a\xef\xbf\xbdb"},
		{"a list", marshalTexts([]string{"a", ""}), "[\x02\x00\x00\x00u\x01\x00\x00\x00au\x00\x00\x00\x00"},
		{"no list", marshalTexts(nil), "[\x00\x00\x00\x00"},
		{"a dict, in order", marshalEnv(map[string]string{"B": "", "A": "1"}), "{s\x01\x00\x00\x00As\x01\x00\x00\x001s\x01\x00\x00\x00Bs\x00\x00\x00\x000"},
		{"no dict", marshalEnv(nil), "{0"},
		{"a tuple", marshalTuple(marshalText("x"), marshalEnv(nil)), "(\x02\x00\x00\x00u\x01\x00\x00\x00x{0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if string(tt.got) != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
	long := marshalBytes(bytes.Repeat([]byte("x"), 0x01020304))
	if !bytes.HasPrefix(long, []byte("s\x04\x03\x02\x01x")) || len(long) != 5+0x01020304 {
		t.Errorf("a long one starts with %q and has %d bytes", long[:6], len(long))
	}
}

// FuzzMarshal encodes a request as the guest gets it, and reads it back as CPython does.
func FuzzMarshal(f *testing.F) {
	f.Add("<string>", "a\x00b", "NAME", "value", []byte("print(1)"))
	f.Add("", "\xff\xfe", "", "0", []byte(nil))
	f.Add("u\x01\x00\x00\x00", "[", "{", "0", []byte("\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, name, arg, key, value string, code []byte) {
		env := map[string]string{key: value, "OTHER": arg}
		encoded := marshalTuple(marshalText(name), marshalTexts([]string{arg, name}), marshalEnv(env), marshalBytes(code))
		r := unmarshaler{t: t, rest: encoded}
		got := fmt.Sprintf("%q", r.value())
		if len(r.rest) > 0 {
			t.Errorf("%d bytes are left", len(r.rest))
		}
		text := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
		pairs := []any{}
		for _, k := range slices.Sorted(maps.Keys(env)) {
			pairs = append(pairs, k, env[k])
		}
		want := fmt.Sprintf("%q", []any{text(name), []any{text(arg), text(name)}, pairs, string(code)})
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// unmarshaler reads what marshal.loads accepts of what requests are made of. A dict
// gives a list of its names and values.
type unmarshaler struct {
	t    *testing.T
	rest []byte
}

func (u *unmarshaler) take(n int) []byte {
	if n < 0 || n > len(u.rest) {
		u.t.Fatalf("%d bytes are wanted of %d", n, len(u.rest))
	}
	b := u.rest[:n]
	u.rest = u.rest[n:]
	return b
}

func (u *unmarshaler) value() any {
	switch letter := u.take(1)[0]; letter {
	case 's', 'u':
		b := u.take(int(binary.LittleEndian.Uint32(u.take(4))))
		if letter == 'u' && !utf8.Valid(b) {
			u.t.Fatalf("%q is no text", b)
		}
		return string(b)
	case '[', '(':
		list := []any{}
		for range binary.LittleEndian.Uint32(u.take(4)) {
			list = append(list, u.value())
		}
		return list
	case '{':
		list := []any{}
		for u.rest[0] != '0' {
			list = append(list, u.value(), u.value())
		}
		u.take(1)
		return list
	default:
		u.t.Fatalf("an unknown letter %q", letter)
		return nil
	}
}
