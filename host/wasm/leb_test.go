package wasm

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestUnsignedNumbers(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		want uint32
		n    int // 0 is an error
	}{
		{"zero", "\x00", 0, 1},
		{"two bytes", "\x80\x01", 128, 2},
		{"longer than needed", "\x81\x80\x80\x80\x00", 1, 5},
		{"the largest", "\xff\xff\xff\xff\x0f", math.MaxUint32, 5},
		{"what follows is left alone", "\x05\x05", 5, 1},
		{"33 bits", "\xff\xff\xff\xff\x1f", 0, 0},
		{"six bytes", "\x80\x80\x80\x80\x80\x00", 0, 0},
		{"cut short", "\x80", 0, 0},
		{"nothing", "", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v, n := uleb([]byte(tt.in)); v != tt.want || n != tt.n {
				t.Errorf("%d in %d bytes; want %d in %d", v, n, tt.want, tt.n)
			}
		})
	}
}

func TestSignedNumbers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    string
		width uint
		want  int64
		n     int // 0 is an error
	}{
		{"minus one", "\x7f", 32, -1, 1},
		{"the sign of 64", "\xc0\x00", 32, 64, 2},
		{"longer than needed", "\xff\xff\xff\xff\x7f", 32, -1, 5},
		{"the least of 32 bits", "\x80\x80\x80\x80\x78", 32, math.MinInt32, 5},
		{"the largest of 32 bits", "\xff\xff\xff\xff\x07", 32, math.MaxInt32, 5},
		{"32 bits too large", "\xff\xff\xff\xff\x0f", 32, 0, 0},
		{"32 bits too small", "\x80\x80\x80\x80\x70", 32, 0, 0},
		{"33 bits hold that", "\xff\xff\xff\xff\x0f", 33, math.MaxUint32, 5},
		{"33 bits too large", "\xff\xff\xff\xff\x1f", 33, 0, 0},
		{"six bytes", "\x80\x80\x80\x80\x80\x00", 32, 0, 0},
		{"the least of 64 bits", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 64, math.MinInt64, 10},
		{"the largest of 64 bits", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 64, math.MaxInt64, 10},
		{"64 bits too large", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 64, 0, 0},
		{"cut short", "\xff", 64, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v, n := sleb([]byte(tt.in), tt.width); n != tt.n || n > 0 && v != tt.want {
				t.Errorf("%d in %d bytes; want %d in %d", v, n, tt.want, tt.n)
			}
		})
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(math.MinInt64))
	f.Add(int64(1) << 31)
	f.Add(int64(-65))
	f.Fuzz(func(t *testing.T, v int64) {
		if got, n := sleb(AppendS64(nil, v), 64); got != v || n == 0 {
			t.Errorf("signed %d came back as %d", v, got)
		}
		u := uint32(v)
		enc := AppendU32(nil, u)
		if got, n := uleb(enc); got != u || n != len(enc) {
			t.Errorf("unsigned %d came back as %d", u, got)
		}
		if want := binary.AppendUvarint(nil, uint64(u)); string(want) != string(enc) {
			t.Errorf("%d is % x; want % x", u, enc, want)
		}
		if got, n := sleb(AppendS32(nil, int32(v)), 32); got != int64(int32(v)) || n == 0 {
			t.Errorf("signed %d came back as %d", int32(v), got)
		}
	})
}
