package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// full is a record with s in every string and list.
func full(s string) Record {
	paths := Paths{Count: 3, Paths: []string{s, "/app/" + s, s + s}}
	return Record{
		Event: s, Time: time.Unix(1e9, 5).UTC(), Writer: s, Seq: math.MaxUint64, Caller: s, Status: s, ErrorClass: s, Error: s, ExitCode: -5,
		Runtime: s, ModuleSHA256: s, Profile: s, Filename: s, CodeSHA256: s, CodeBytes: math.MaxInt,
		Limits: &Limits{
			Fuel: math.MaxUint64, MemoryBytes: math.MaxUint64, StdoutBytes: math.MaxUint64, StderrBytes: math.MaxUint64,
			TimeoutSeconds: math.MaxFloat64, DiskQuotaBytes: math.MaxUint64, DiskFiles: math.MaxUint64,
			DiskFileSize: math.MaxUint64, DiskDepth: math.MaxUint64, DiskOpenFiles: math.MaxUint64, OutputLimit: s,
		},
		Fuel: math.MaxUint64, MemoryBytes: math.MaxUint64, DurationSeconds: math.SmallestNonzeroFloat64,
		StdoutTruncated: true, StderrTruncated: true, FilesCreated: paths, FilesModified: paths, FilesDeleted: paths, FilesOmitted: math.MaxInt,
		Requests:  Requests{Count: 2, Requests: []Request{{Method: s, URL: s, Status: -999, Sent: math.MinInt64, Received: math.MinInt64, Refused: s}}},
		Tools:     Tools{Count: 2, Calls: []ToolCall{{Name: s, Outcome: s, DurationSeconds: math.MaxFloat64, Sent: math.MinInt64, Received: math.MinInt64}}},
		Workspace: s, Session: s, Mounts: Mounts{Count: 2, Mounts: []Mount{{Host: s, Guest: s, Writable: true}, {Host: s, Guest: s}}},
		Lost: math.MaxUint64,
	}
}

// fieldNames are the names in a JSON object in their order, nested ones with their
// path; elements of lists count once.
func fieldNames(t *testing.T, line []byte) []string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(line))
	var names []string
	var object func(prefix string)
	var item func(prefix string)
	item = func(prefix string) {
		switch token, err := dec.Token(); {
		case err != nil:
			t.Fatal(err)
		case token == json.Delim('{'):
			object(prefix)
		case token == json.Delim('['):
			for dec.More() {
				item(prefix)
			}
			_, _ = dec.Token()
		}
	}
	object = func(prefix string) {
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprint(prefix, key)
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			item(name + ".")
		}
		_, _ = dec.Token()
	}
	item("")
	return names
}

// checkLine holds a line to what every line must be.
func checkLine(t *testing.T, line []byte) Record {
	t.Helper()
	if len(line) > MaxRecord {
		t.Errorf("%d bytes", len(line))
	}
	if i := bytes.IndexFunc(line[:len(line)-1], func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
		t.Fatalf("byte %#x at %d of %q", line[i], i, line)
	}
	if line[len(line)-1] != '\n' {
		t.Fatalf("no line break at the end of %q", line)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	var r Record
	if err := dec.Decode(&r); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	return r
}

func encoded(t *testing.T, r Record) []byte {
	t.Helper()
	line, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestWhatIsShortComesBackAsItWas(t *testing.T) {
	for _, s := range []string{
		"", "plain", `"quoted" \ and <html>&`, "line\nbreak\r\n\x00\x1b[2J\x7f", "\u202egnp.exe\u2066\u200b\u2028\ufeff",
		"日本語 ñ 🙂 \U0010ffff", `","status":"ok`, `\u0041`, "\x9b",
	} {
		if got := checkLine(t, encoded(t, full(s))); !reflect.DeepEqual(got, full(replaced(s))) {
			t.Errorf("%q: got %+v", s, got)
		}
	}
}

func TestLongStringsAndListsAreCut(t *testing.T) {
	for _, unit := range []string{"a", "\n", `"`, "é", "🙂", "\u202e", "\xff", "ab\u202e"} {
		long := full(strings.Repeat(unit, 100_000))
		many := slices.Repeat([]string{strings.Repeat(unit, 20)}, 100_000)
		long.FilesDeleted = PathsOf(many)
		long.Mounts.Mounts = slices.Repeat(long.Mounts.Mounts, 32)
		got := checkLine(t, encoded(t, long))
		if got.FilesCreated.Count != 3 || got.FilesDeleted.Count != 100_000 {
			t.Errorf("%q: counts %d and %d", unit, got.FilesCreated.Count, got.FilesDeleted.Count)
		}
		if n := len(got.FilesDeleted.Paths); n < 10 || n > maxList/20 {
			t.Errorf("%q: %d paths", unit, n)
		}
		if len(got.Mounts.Mounts) == 0 {
			t.Errorf("%q: no mounts", unit)
		}
		for _, s := range []string{got.Caller, got.Error, got.Workspace, got.Filename, got.FilesCreated.Paths[0], got.Mounts.Mounts[0].Host} {
			if !strings.HasSuffix(s, cutMark) || len(s) < 40 {
				t.Errorf("%q: not cut, or too short: %q", unit, s)
			}
		}
		if len(many[0]) != 20*len(unit) || len(long.FilesCreated.Paths[0]) != 100_000*len(unit) {
			t.Errorf("%q: the caller's own list was changed", unit)
		}
	}
}

func TestAStringAtItsBoundIsNotCut(t *testing.T) {
	for _, s := range []string{strings.Repeat("a", maxWord), strings.Repeat(`"`, maxWord/2)} {
		if got := clip(s, maxWord); got != s {
			t.Errorf("cut to %d bytes", len(got))
		}
		if got := clip(s+"a", maxWord); encodedLen(got) > maxWord || !strings.HasSuffix(got, cutMark) {
			t.Errorf("one more: %q", got)
		}
	}
}

func TestFieldNamesAreFixed(t *testing.T) {
	plain := fieldNames(t, encoded(t, full("x")))
	hostile := fieldNames(t, encoded(t, full(`","event":"x`+"\n{")))
	if !slices.Equal(plain, hostile) {
		t.Errorf("got %q, want %q", hostile, plain)
	}
}

func TestANumberThatJSONLacksIsAnError(t *testing.T) {
	if line, err := (Record{DurationSeconds: math.NaN()}).encode(); err == nil {
		t.Errorf("got %q", line)
	}
}

// FuzzRecord claims that whatever strings a record holds, it is one line of
// printable ASCII within its bound, with the same field names, that reads back as
// the same strings or as ones that were cut.
func FuzzRecord(f *testing.F) {
	names := []string(nil)
	f.Add("a", "b", "c")
	f.Add("\n{\"event\":\"execution\"}\n", "\u202e\x1b]0;\x07", "\xff\xfe🙂")
	f.Add(strings.Repeat("\x00", 600), strings.Repeat("🙂", 300), `\\\"`)
	f.Fuzz(func(t *testing.T, caller, path, text string) {
		if names == nil {
			names = fieldNames(t, encoded(t, full("x")))
		}
		r := full(caller)
		r.Error, r.Workspace = text, path
		if r.ErrorClass == "" || r.Error == "" {
			r.ErrorClass, r.Error = "class", "error" // left out when empty
		}
		r.FilesCreated = PathsOf(slices.Repeat([]string{path, text}, 50))
		line := encoded(t, r)
		got := checkLine(t, line)
		if bytes.Count(line, []byte("\n")) != 1 {
			t.Errorf("more than one line: %q", line)
		}
		if fields := fieldNames(t, line); !slices.Equal(fields, names) {
			t.Errorf("fields %q, want %q", fields, names)
		}
		for _, pair := range [][2]string{{caller, got.Caller}, {path, got.Workspace}, {r.Error, got.Error}} {
			want, got := replaced(pair[0]), pair[1]
			start, cut := strings.CutSuffix(got, cutMark)
			if got != want && (!cut || !strings.HasPrefix(want, start)) {
				t.Errorf("%q became %q", pair[0], got)
			}
		}
	})
}

// replaced is s with every byte that is not UTF-8 replaced by one mark.
func replaced(s string) string { return string([]rune(s)) }
