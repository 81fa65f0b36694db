package wasm

import "encoding/binary"

// AppendU32 appends v in unsigned LEB128, in as few bytes as possible.
//
// See https://webassembly.github.io/spec/core/binary/values.html#integers
func AppendU32(b []byte, v uint32) []byte {
	return binary.AppendUvarint(b, uint64(v))
}

// AppendS32 appends v in signed LEB128, the encoding of i32.const.
func AppendS32(b []byte, v int32) []byte {
	return AppendS64(b, int64(v))
}

// AppendS64 appends v in signed LEB128, the encoding of i64.const.
func AppendS64(b []byte, v int64) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v&0x7f)|0x80)
		v >>= 7
	}
	return append(b, byte(v&0x7f))
}

// AppendName appends a length-prefixed string.
func AppendName(b []byte, s string) []byte {
	return append(AppendU32(b, uint32(len(s))), s...) //nolint:gosec // a string longer than 4 GiB is no name
}

// uleb reads an unsigned LEB128 of at most 32 bits. It returns the number of
// bytes read, 0 if b ends too early or the value is too long.
func uleb(b []byte) (uint32, int) {
	var v uint32
	for i, c := range b {
		if i == 4 {
			if c > 0x0f {
				return 0, 0
			}
			return v | uint32(c)<<28, 5
		}
		v |= uint32(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// sleb reads a signed LEB128 of the given width, 32, 33 or 64 bits, as uleb
// does. The unused bits of a longest encoding must repeat the sign.
func sleb(b []byte, width uint) (int64, int) {
	var v int64
	var shift uint
	for i, c := range b {
		v |= int64(c&0x7f) << shift
		shift += 7
		if c >= 0x80 {
			if shift >= width {
				return 0, 0
			}
			continue
		}
		if shift < 64 {
			v = v << (64 - shift) >> (64 - shift)
		}
		if shift > width && !signExtended(c, shift-width) {
			return 0, 0
		}
		return v, i + 1
	}
	return 0, 0
}

// signExtended reports whether the top unused bits of the seven in c repeat
// the bit below them.
func signExtended(c byte, unused uint) bool {
	top := int8(c<<1) >> (7 - unused) //nolint:gosec // the bits, as a signed number
	return top == 0 || top == -1
}
