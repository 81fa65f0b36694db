package host

import (
	"bytes"
	"testing"
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
