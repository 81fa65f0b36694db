package host

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// The few types of Python's marshal format, version 2, that a request needs: a
// letter, a 32-bit length, the contents. The guest reads it with one call of C
// code, which takes a tenth of the fuel that JSON takes.
// See Python/marshal.c in CPython's source.

func marshalSized(letter byte, length int, contents []byte) []byte {
	b := make([]byte, 0, 5+len(contents))
	b = binary.LittleEndian.AppendUint32(append(b, letter), uint32(length)) //nolint:gosec // at most MaxCode
	return append(b, contents...)
}

func marshalBytes(b []byte) []byte { return marshalSized('s', len(b), b) }

// marshalNone encodes None.
func marshalNone() []byte { return []byte{'N'} }

// marshalInt encodes an int below 1<<31.
func marshalInt(n uint32) []byte { return binary.LittleEndian.AppendUint32([]byte{'i'}, n) }

// marshalText encodes a str. Bytes that are not UTF-8 become U+FFFD.
func marshalText(s string) []byte {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return marshalSized('u', len(s), []byte(s))
}

func marshalTexts(list []string) []byte {
	var items [][]byte
	for _, s := range list {
		items = append(items, marshalText(s))
	}
	return marshalSized('[', len(list), slices.Concat(items...))
}

// marshalEnv encodes a dict from bytes to bytes, in the order of the names so
// that equal requests are equal bytes.
func marshalEnv(env map[string]string) []byte {
	b := []byte{'{'}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		b = append(b, marshalBytes([]byte(name))...)
		b = append(b, marshalBytes([]byte(env[name]))...)
	}
	return append(b, '0')
}

func marshalTuple(items ...[]byte) []byte {
	return marshalSized('(', len(items), slices.Concat(items...))
}
