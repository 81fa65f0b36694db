package policies

import (
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseBytes(t *testing.T) {
	tests := []struct {
		text string
		want Bytes
		err  string
	}{
		{"0", 0, ""},
		{"1", 1, ""},
		{"512B", 512, ""},
		{"100KB", 100_000, ""},
		{"1MB", 1e6, ""},
		{"2GB", 2e9, ""},
		{"3TB", 3e12, ""},
		{"100KiB", 102_400, ""},
		{"64MiB", 64 << 20, ""},
		{"4GiB", 4 << 30, ""},
		{"1TiB", 1 << 40, ""},
		{"007KB", 7000, ""},
		{"18446744073709551615", math.MaxUint64, ""},
		{"18446744073709551616", 0, `size "18446744073709551616": too large for a number of bytes`},
		{"16777216TiB", 0, `size "16777216TiB": too large for a number of bytes`},
		{"", 0, `size "": write a whole number and a unit, such as "64MiB", "100KB" or "1GB"`},
		{"MiB", 0, `size "MiB": write a whole number and a unit, such as "64MiB", "100KB" or "1GB"`},
		{"1_000", 0, `size "1_000": write a whole number and a unit, such as "64MiB", "100KB" or "1GB"`},
		{"+1", 0, `size "+1": write a whole number and a unit, such as "64MiB", "100KB" or "1GB"`},
		{"-1", 0, `size "-1": a size is not negative`},
		{"5k", 0, `size "5k": unit "k" could mean two things; write "5KB" (powers of 1000) or "5KiB" (powers of 1024)`},
		{"5mib", 0, `size "5mib": write "5MiB"`},
		{"5 b", 0, `size "5 b": write "5B"`},
		{"5PB", 0, `size "5PB": write a whole number and a unit, such as "64MiB", "100KB" or "1GB"`},
		{strings.Repeat("9", 500), 0, `size "` + strings.Repeat("9", 80) + `...": too large for a number of bytes`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := ParseBytes(test.text)
			checkText(t, got, err, test.want, test.err)
		})
	}
}

func checkText[T comparable](t *testing.T, got T, err error, want T, wantErr string) {
	t.Helper()
	if wantErr != "" {
		if !errors.Is(err, ErrInvalid) || err.Error() != wantErr {
			t.Errorf("error %v\nwant %s", err, wantErr)
		}
		return
	}
	if err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestBytesPrintsItsShortestForm(t *testing.T) {
	tests := map[Bytes]string{
		0: "0B", 1: "1B", 999: "999B", 1000: "1KB", 1024: "1KiB", 1001: "1001B", 100_000: "100KB",
		1_024_000: "1024KB", 10_112_000: "9875KiB", 64 << 20: "64MiB", 1e9: "1GB", 1 << 40: "1TiB", math.MaxUint64: "18446744073709551615B",
	}
	for b, want := range tests {
		if got := b.String(); got != want {
			t.Errorf("%d prints as %q, want %q", uint64(b), got, want)
		}
		if text, err := b.MarshalText(); err != nil || string(text) != want {
			t.Errorf("%d as text is %q, %v; want %q", uint64(b), text, err, want)
		}
	}
}

func TestBytesInJSONIsANumber(t *testing.T) {
	data, err := json.Marshal(map[string]Bytes{"memory": 64 << 20})
	if err != nil || string(data) != `{"memory":67108864}` {
		t.Errorf("Marshal = %s, %v", data, err)
	}
	tests := []struct {
		text string
		want Bytes
		err  string
	}{
		{`67108864`, 64 << 20, ""},
		{`"64MiB"`, 64 << 20, ""},
		{`"64M"`, 0, `size "64M": unit "M" could mean two things; write "64MB" (powers of 1000) or "64MiB" (powers of 1024)`},
		{`-5`, 0, `size "-5": want a whole number of bytes or a string such as "64MiB"`},
		{`1.5`, 0, `size "1.5": want a whole number of bytes or a string such as "64MiB"`},
		{`true`, 0, `size "true": want a whole number of bytes or a string such as "64MiB"`},
		{`99999999999999999999`, 0, `size 99999999999999999999: too large for a number of bytes`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			var got Bytes
			err := json.Unmarshal([]byte(test.text), &got)
			checkText(t, got, err, test.want, test.err)
		})
	}
}

func TestParseDuration(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
		err  string
	}{
		{"0s", 0, ""},
		{"500ms", 500 * time.Millisecond, ""},
		{"10s", 10 * time.Second, ""},
		{"1.5s", 1500 * time.Millisecond, ""},
		{"1m30s", 90 * time.Second, ""},
		{"2h", 2 * time.Hour, ""},
		{"10", 0, `duration "10" has no unit; for seconds write "10s"`},
		{"0", 0, `duration "0" has no unit; for seconds write "0s"`},
		{"-1s", 0, `duration "-1s" is negative; write a number and a unit, such as "500ms", "10s" or "1m30s"`},
		{"+1s", 0, `duration "+1s" is not one; write a number and a unit, such as "500ms", "10s" or "1m30s"`},
		{"", 0, `duration "" is not one; write a number and a unit, such as "500ms", "10s" or "1m30s"`},
		{"1d", 0, `duration "1d" is not one; write a number and a unit, such as "500ms", "10s" or "1m30s"`},
		{"10 s", 0, `duration "10 s" is not one; write a number and a unit, such as "500ms", "10s" or "1m30s"`},
		{"9999999h", 0, `duration "9999999h" is not one; write a number and a unit, such as "500ms", "10s" or "1m30s"`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := ParseDuration(test.text)
			checkText(t, got, err, Duration(test.want), test.err)
		})
	}
}

func TestDurationPrintsItsShortestForm(t *testing.T) {
	tests := map[time.Duration]string{
		0: "0s", time.Millisecond: "1ms", 10 * time.Second: "10s", time.Minute: "1m", 90 * time.Second: "1m30s",
		10 * time.Minute: "10m", time.Hour: "1h", 10 * time.Hour: "10h", time.Hour + time.Second: "1h0m1s", 90 * time.Minute: "1h30m",
	}
	for d, want := range tests {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v prints as %q, want %q", d, got, want)
		}
	}
	data, err := json.Marshal(Duration(time.Minute))
	if err != nil || string(data) != `"1m"` {
		t.Errorf("Marshal = %s, %v", data, err)
	}
}

func TestParseMount(t *testing.T) {
	dir := newDir(t)
	t.Chdir(dir)
	data := filepath.Join(dir, "data")
	tests := []struct {
		text string
		want Mount
		err  string
	}{
		{"data:/data", Mount{Host: data, Guest: "/data", Writable: false}, ""},
		{"./data:/data:ro", Mount{Host: data, Guest: "/data", Writable: false}, ""},
		{data + ":/in/put:rw", Mount{Host: data, Guest: "/in/put", Writable: true}, ""},
		{"alias:/data", Mount{Host: data, Guest: "/data", Writable: false}, ""},
		{"data/../data/:/data", Mount{Host: data, Guest: "/data", Writable: false}, ""},
		{"gone:/ro:/data", Mount{}, `mount "gone:/ro:/data": host directory "$DIR/gone:/ro" does not exist; create it or correct the path`},
		{"data", Mount{}, `mount "data": write it as host:guest or host:guest:rw, such as ./data:/data`},
		{"data:ro", Mount{}, `mount "data:ro": write it as host:guest or host:guest:rw, such as ./data:/data`},
		{"data:/data:", Mount{}, `mount "data:/data:": mode "" is unknown; write "ro" (read only) or "rw" (read and write)`},
		{"data:/data:RW", Mount{}, `mount "data:/data:RW": mode "RW" is unknown; write "ro" (read only) or "rw" (read and write)`},
		{"data:guest", Mount{}, `mount "data:guest": mode "guest" is unknown; write "ro" (read only) or "rw" (read and write)`},
		{":/data", Mount{}, `mount ":/data": host directory is missing; write its path`},
		{"data:/app", Mount{}, `mount "data:/app": guest path "/app" is reserved for the workspace; choose another, such as "/data"`},
		{"data:/", Mount{}, `mount "data:/": guest path "/" is the guest's own root; choose one below it, such as "/data"`},
		{"/:/data", Mount{}, `mount "/:/data": host directory is the root of the host; mount only the directory that is needed`},
		{"top:/data", Mount{}, `mount "top:/data": host directory is the root of the host; mount only the directory that is needed`},
		{"file:/data", Mount{}, `mount "file:/data": host directory "$DIR/file" is not a directory; mount the directory it is in`},
		{"a\x00b:/data", Mount{}, `mount "a\x00b:/data": host directory "a\x00b" holds a NUL character`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := ParseMount(test.text)
			checkText(t, got, err, test.want, strings.ReplaceAll(test.err, "$DIR", dir))
		})
	}
}
