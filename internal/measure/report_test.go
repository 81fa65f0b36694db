package measure

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func report() *Report {
	fast := Row{Name: "python/hello/in-process", PerSecond: 2812.4, PerSecondOne: 1400, Workers: 2, PrivateKB: 700}
	fast.Fill(Series{Turns: [][]Observation{{{600 * time.Microsecond, 412345}, {3 * time.Millisecond, 412345}}}})
	slow := Row{Name: "python/hello/other"}
	slow.Fill(Series{Turns: [][]Observation{{{13 * time.Second, 5}}, {{12 * time.Second, 7}}}, Err: errors.New("it\nbroke")})
	broken := Row{Name: "python/fib/other"}
	broken.Fill(Series{Err: errors.New("no\nluck")})
	return &Report{
		Machine: "a machine",
		Peers: []Peer{
			{Door: "in-process", About: "this", Version: "1.2"},
			{Door: "other", About: "that", Unavailable: "pip is missing\nsorry"},
		},
		Ratios: []Comparison{{Name: "a/b/c", Base: "a/b/d", Ratio: 3.14159, Best: 3, Low: 0.5, High: 1234.5}},
		Rows:   []Row{fast, slow, broken},
	}
}

func TestTableLeadsWithRatios(t *testing.T) {
	var b bytes.Buffer
	if err := report().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	const want = `a machine

DOOR        VERSION  WHAT IT IS
in-process  1.2      this
other       -        not available: pip is missing sorry

RATIO  BEST  LOW    HIGH   OF     TO
3.14   3.00  0.500  1 235  a/b/c  a/b/d

ROW                      P50 ms  P99 ms  MIN     MAX     N  1 thread/s  all/s  KiB each  KiB process  FUEL
python/hello/in-process  0.600   3.00    0.600   3.00    2  1 400       2 812  700       -            412 345
python/hello/other       12 000  13 000  12 000  13 000  2  -           -      -         -            5 to 7
python/fib/other         failed: no luck
`
	if got := b.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestJSONHasTheNamesOfTheContract(t *testing.T) {
	var b bytes.Buffer
	if err := report().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Rows []map[string]any
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "python/hello/in-process", "p50_ms": 0.6, "p99_ms": 3.0, "min_ms": 0.6, "max_ms": 3.0, "samples": 2.0,
		"per_second": 2812.4, "per_second_one": 1400.0, "workers": 2.0, "private_kb": 700.0, "fuel": 412345.0,
	}
	row := got.Rows[0]
	for key, value := range want {
		if row[key] != value {
			t.Errorf("%s is %v, want %v", key, row[key], value)
		}
	}
	if len(row) != len(want) {
		t.Errorf("row has other keys: %v", row)
	}
	b.Reset()
	if err := (&Report{}).WriteJSON(&b); err != nil || !strings.Contains(b.String(), `"rows": []`) {
		t.Errorf("no rows are written as %s, %v", b.String(), err)
	}
}

func TestNumbersKeepThreeDigits(t *testing.T) {
	tests := []struct {
		value float64
		want  string
	}{
		{0, "-"},
		{-1, "-"},
		{0.0126, "0.013"},
		{0.994, "0.994"},
		{0.996, "1.00"},
		{9.994, "9.99"},
		{9.996, "10.0"},
		{99.94, "99.9"},
		{99.96, "100"},
		{1234567, "1 234 567"},
	}
	for _, tt := range tests {
		if got := number(tt.value); got != tt.want {
			t.Errorf("number(%v) = %q, want %q", tt.value, got, tt.want)
		}
	}
}

// fullDisk fails every write.
type fullDisk struct{}

var errFull = errors.New("disk is full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestAFailedWriteIsReported(t *testing.T) {
	writers := map[string]func(io.Writer) error{
		"table": report().WriteTable,
		"json":  report().WriteJSON,
		"plot":  func(w io.Writer) error { return WriteSVG(w, Chart{}) },
	}
	for name, write := range writers {
		if err := write(fullDisk{}); !errors.Is(err, errFull) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestPlotIsXMLWhateverTheText(t *testing.T) {
	hostile := "</text><script>alert(1)</script> & \x00\xff \"'"
	charts := []Chart{
		{Title: hostile, Note: hostile, Unit: hostile, Log: true, Bars: []Bar{{Label: hostile, Value: 0.5, Text: hostile}, {Label: "b", Value: 5000, Accent: true}}},
		{Title: "no bars"},
		{Title: "nothing to draw", Bars: []Bar{{Label: "x", Text: "not available"}}},
	}
	var b bytes.Buffer
	if err := WriteSVG(&b, charts...); err != nil {
		t.Fatal(err)
	}
	elements := map[string]int{}
	for dec := xml.NewDecoder(&b); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			elements[start.Name.Local]++
		}
	}
	// The ground and two bars; nothing that the texts smuggled in.
	if elements["rect"] != 3 || elements["script"] != 0 || elements["g"] != 3 {
		t.Errorf("got %v", elements)
	}
}

func TestBarsGrowWithTheirValues(t *testing.T) {
	tests := []struct {
		name       string
		log        bool
		values     []float64
		last, tick float64 // length of the longest bar and value of the last tick
	}{
		{"linear scale ends at a round value", false, []float64{1, 3.5}, barRoom * 3.5 / 4, 4},
		{"linear scale from nine", false, []float64{9}, barRoom * 9.0 / 10, 10},
		{"log scale ends at a power of ten", true, []float64{0.5, 50}, barRoom * (1 - (2-1.69897)/3), 100},
		{"log scale of one power of ten", true, []float64{10}, barRoom, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Chart{Log: tt.log}
			for _, v := range tt.values {
				c.Bars = append(c.Bars, Bar{Value: v})
			}
			s := c.scale()
			previous := 0.0
			for _, v := range tt.values {
				if l := s.length(v); l <= previous || l > barRoom {
					t.Errorf("%v is drawn %v long after %v", v, l, previous)
				} else {
					previous = l
				}
			}
			if diff := previous - tt.last; diff < -0.01 || diff > 0.01 {
				t.Errorf("the longest bar is %v, want %v", previous, tt.last)
			}
			if last := s.ticks[len(s.ticks)-1]; last < tt.tick*0.999 || last > tt.tick*1.001 {
				t.Errorf("the last tick is %v, want %v", last, tt.tick)
			}
		})
	}
}

func TestBarsAreDrawnAsLongAsTheyMeasure(t *testing.T) {
	var b bytes.Buffer
	chart := Chart{Bars: []Bar{{Label: "long", Value: 10}, {Label: "half", Value: 5}, {Label: "tiny", Value: 1e-6}}}
	if err := WriteSVG(&b, chart); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`width="420.0"`, `width="210.0"`, `width="2.0"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no bar has %s in\n%s", want, b.String())
		}
	}
}
