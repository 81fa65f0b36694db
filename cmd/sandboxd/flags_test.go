package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCount(t *testing.T) {
	good := map[string]uint64{
		"0":                    0,
		"7":                    7,
		"500_000_000":          500_000_000,
		"500M":                 500_000_000,
		"2G":                   2_000_000_000,
		"10K":                  10_000,
		"1_000K":               1_000_000,
		"18446744073709551615": math.MaxUint64,
	}
	for in, want := range good {
		if got, err := parseCount(in); err != nil || got != want {
			t.Errorf("parseCount(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	bad := map[string]string{
		"":                      errNotACount.Error(),
		"M":                     errNotACount.Error(),
		"-1":                    errNotACount.Error(),
		"+1":                    errNotACount.Error(),
		"1.5M":                  errNotACount.Error(),
		"5e8":                   errNotACount.Error(),
		"0x10":                  errNotACount.Error(),
		"1m":                    errNotACount.Error(),
		"1MK":                   errNotACount.Error(),
		"_1":                    errNotACount.Error(),
		"1_":                    errNotACount.Error(),
		"1__0":                  errNotACount.Error(),
		" 1":                    errNotACount.Error(),
		"18446744073709551616":  "the number is too large",
		"18446744073709551615K": "the number is too large",
	}
	for in, want := range bad {
		if got, err := parseCount(in); err == nil || err.Error() != want {
			t.Errorf("parseCount(%q) = %d, %v; want error %q", in, got, err, want)
		}
	}
}

func FuzzParseCount(f *testing.F) {
	f.Add("500_000_000")
	f.Add("5M")
	f.Add("9999999999999999999G")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseCount(s)
		if err != nil {
			return
		}
		if again, err := parseCount(grouped(n)); err != nil || again != n {
			t.Errorf("parseCount(%q) = %d, but %q gives %d, %v", s, n, grouped(n), again, err)
		}
	})
}

func TestParseEnv(t *testing.T) {
	got, err := parseEnv([]string{"A=1", "B=", "C=x=y", "A=2"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"A": "2", "B": "", "C": "x=y"}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "A", "=1"} {
		if env, err := parseEnv([]string{bad}); err == nil {
			t.Errorf("parseEnv(%q) = %v, want an error", bad, env)
		}
	}
}

func TestGrouped(t *testing.T) {
	for in, want := range map[uint64]string{0: "0", 999: "999", 1000: "1_000", 500_000_000: "500_000_000", 12_345: "12_345"} {
		if got := grouped(in); got != want {
			t.Errorf("grouped(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestRoughNumbers(t *testing.T) {
	tests := []struct{ got, want string }{
		{roughCount(0), "0"},
		{roughCount(999), "999"},
		{roughCount(1_234), "1.2K"},
		{roughCount(45_678_901), "46M"},
		{roughCount(5_000_000_000), "5.0G"},
		{roughBytes(512), "512 B"},
		{roughBytes(1536), "1.5 KiB"},
		{roughBytes(32 << 20), "32 MiB"},
		{roughSeconds(0.00083), "0.8 ms"},
		{roughSeconds(0.0123), "12 ms"},
		{roughSeconds(61.25), "61.2 s"},
		{percent(0, 0), "0%"},
		{percent(1, 1_000_000), "<0.1%"},
		{percent(1, 40), "2.5%"},
		{percent(1, 2), "50%"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
