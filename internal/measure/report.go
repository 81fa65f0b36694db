package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Row is one measurement, named language/workload/door: the language of the
// program, the program, and the way it was run. Zero fields were not measured.
type Row struct {
	Name string `json:"name"`

	// Wall time of a call, in milliseconds, over Samples calls.
	P50     float64 `json:"p50_ms,omitempty"`
	P99     float64 `json:"p99_ms,omitempty"`
	Min     float64 `json:"min_ms,omitempty"`
	Max     float64 `json:"max_ms,omitempty"`
	Samples int     `json:"samples,omitempty"`

	// PerSecond is how many calls end in a second with one goroutine for each
	// of Workers; PerSecondOne the same with a single goroutine.
	PerSecond    float64 `json:"per_second,omitempty"`
	PerSecondOne float64 `json:"per_second_one,omitempty"`
	Workers      int     `json:"workers,omitempty"`

	// PrivateKB is the private memory of one more instance, in KiB; ProcessKB
	// that of the whole process that holds one.
	PrivateKB uint64 `json:"private_kb,omitempty"`
	ProcessKB uint64 `json:"process_kb,omitempty"`

	// Fuel is what one call burned, in the door's own unit. FuelMost is set
	// when calls differed: Fuel is then the least.
	Fuel     uint64 `json:"fuel,omitempty"`
	FuelMost uint64 `json:"fuel_most,omitempty"`

	// Error is why the row has no or few measurements.
	Error string `json:"error,omitempty"`
}

// Fill sets the times and the fuel of the row from a series.
func (r *Row) Fill(s Series) {
	st := StatsOf(s.Elapsed())
	r.P50, r.P99, r.Min, r.Max = ms(st.P50), ms(st.P99), ms(st.Min), ms(st.Max)
	r.Samples = st.N
	least, most := s.Fuel()
	r.Fuel = least
	if most != least {
		r.FuelMost = most
	}
	if s.Err != nil {
		r.Error = s.Err.Error()
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Comparison is a ratio with its name: how many times as long as Base the
// subject took.
type Comparison struct {
	Name string `json:"name"`
	Base string `json:"base"`
	// Ratio is the median, or the mean over several programs; Low and High are
	// the extremes it was taken from. Best is as in [Ratio].
	Ratio float64 `json:"ratio"`
	Best  float64 `json:"best"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Target is a bound that something measured should keep.
type Target struct {
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Limit    float64 `json:"limit"`
	Measured float64 `json:"measured"` // 0: it was not
	// AtLeast turns the bound around: less is worse.
	AtLeast bool `json:"at_least,omitempty"`
}

// Met says whether the bound was kept.
func (t Target) Met() bool {
	if t.AtLeast {
		return t.Measured >= t.Limit
	}
	return t.Measured > 0 && t.Measured <= t.Limit
}

// Peer says what a door is, or why it was not measured.
type Peer struct {
	Door        string `json:"door"`
	About       string `json:"about"`
	Version     string `json:"version,omitempty"`
	Unavailable string `json:"unavailable,omitempty"`
}

// Report is everything one run found.
type Report struct {
	Machine string       `json:"machine"`
	Peers   []Peer       `json:"peers,omitempty"`
	Ratios  []Comparison `json:"ratios,omitempty"`
	Targets []Target     `json:"targets,omitempty"`
	Rows    []Row        `json:"rows"`
}

// WriteJSON writes the report as one indented JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	out := *r
	if out.Rows == nil {
		out.Rows = []Row{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// WriteTable writes the report for people: what was compared, then the ratios,
// then the absolute numbers.
func (r *Report) WriteTable(w io.Writer) error {
	tables := []struct {
		header string
		lines  []string
	}{
		{"DOOR\tVERSION\tWHAT IT IS", r.peerLines()},
		{"TARGET\tMEASURED\tPROMISED\t", r.targetLines()},
		{"RATIO\tBEST\tLOW\tHIGH\tOF\tTO", r.ratioLines()},
		{"ROW\tP50 ms\tP99 ms\tMIN\tMAX\tN\t1 thread/s\tall/s\tKiB each\tKiB process\tFUEL", r.rowLines()},
	}
	if _, err := fmt.Fprintln(w, r.Machine); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	for _, t := range tables {
		if len(t.lines) == 0 {
			continue
		}
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, err := fmt.Fprintf(tw, "\n%s\n%s\n", t.header, strings.Join(t.lines, "\n"))
		if err = errors.Join(err, tw.Flush()); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}

func (r *Report) peerLines() []string {
	var lines []string
	for _, p := range r.Peers {
		about := p.About
		if p.Unavailable != "" {
			about = "not available: " + strings.Join(strings.Fields(p.Unavailable), " ")
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s", p.Door, dash(p.Version), about))
	}
	return lines
}

func (r *Report) targetLines() []string {
	var lines []string
	for _, t := range r.Targets {
		bound, met := "at most", "not met"
		if t.AtLeast {
			bound = "at least"
		}
		switch {
		case t.Measured == 0:
			met = "not measured"
		case t.Met():
			met = "met"
		}
		lines = append(lines, fmt.Sprintf("%s\t%s %s\t%s %s %s\t%s", t.Name, number(t.Measured), t.Unit, bound, number(t.Limit), t.Unit, met))
	}
	return lines
}

func (r *Report) ratioLines() []string {
	var lines []string
	for _, c := range r.Ratios {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s",
			number(c.Ratio), number(c.Best), number(c.Low), number(c.High), c.Name, c.Base))
	}
	return lines
}

func (r *Report) rowLines() []string {
	var lines []string
	for _, row := range r.Rows {
		if row.Samples == 0 && row.Error != "" {
			lines = append(lines, fmt.Sprintf("%s\tfailed: %s", row.Name, strings.Join(strings.Fields(row.Error), " ")))
			continue
		}
		fuel := integer(row.Fuel)
		if row.FuelMost != 0 {
			fuel += " to " + integer(row.FuelMost)
		}
		cells := []string{
			row.Name, number(row.P50), number(row.P99), number(row.Min), number(row.Max),
			integer(uint64(max(0, row.Samples))), number(row.PerSecondOne), number(row.PerSecond),
			integer(row.PrivateKB), integer(row.ProcessKB), fuel,
		}
		lines = append(lines, strings.Join(cells, "\t"))
	}
	return lines
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// number prints three significant digits without an exponent, and a dash for
// what was not measured.
func number(v float64) string {
	switch {
	case v <= 0:
		return "-"
	case v < 0.995:
		return fmt.Sprintf("%.3f", v)
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	default:
		return integer(uint64(v + 0.5))
	}
}

// integer groups digits by thousands with spaces, so that a table needs no
// locale, and prints a dash for zero.
func integer(v uint64) string {
	if v == 0 {
		return "-"
	}
	s := fmt.Sprint(v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
