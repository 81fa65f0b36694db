package measure

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
)

// Bar is one horizontal bar of a chart.
type Bar struct {
	Label string
	// Value is the length of the bar. A bar whose value is not a positive number
	// is drawn as its text alone.
	Value float64
	// Text is printed at the end of the bar; empty means the value and the unit.
	Text string
	// Accent marks the bar the chart is about.
	Accent bool
}

// Chart is a bar plot, drawn from top to bottom in the order given.
type Chart struct {
	Title string
	// Note says how to read the chart, such as "less is better".
	Note string
	Unit string
	// Log draws powers of ten at equal distances, for values that differ a
	// thousandfold; bars then start at the power below the smallest value.
	Log  bool
	Bars []Bar
}

// The geometry of a plot, in SVG's user units.
const (
	plotWidth  = 760
	labelWidth = 210
	barRoom    = plotWidth - labelWidth - 130 // leaves space for the text
	barHeight  = 16
	barPitch   = 24
	headHeight = 54
	footHeight = 30
)

const plotStyle = `
text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2933}
.title{font-size:15px;font-weight:600}.note,.tick{fill:#66727f}.tick{font-size:10px}
.bar{fill:#9aa8b5}.accent{fill:#2f6feb}.bold{font-weight:600}.grid{stroke:#e4e8ec}
`

// WriteSVG draws the charts below each other as one SVG image with a white
// ground and no outside references. All text is escaped.
func WriteSVG(w io.Writer, charts ...Chart) error {
	height := 0
	for _, c := range charts {
		height += c.height()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`,
		plotWidth, height, plotWidth, height)
	fmt.Fprintf(&b, "\n<style>%s</style>\n", plotStyle)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="6" fill="#ffffff"/>`+"\n", plotWidth, height)
	top := 0
	for _, c := range charts {
		fmt.Fprintf(&b, `<g transform="translate(0 %d)">`+"\n", top)
		c.draw(&b)
		b.WriteString("</g>\n")
		top += c.height()
	}
	b.WriteString("</svg>\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	return nil
}

func (c Chart) height() int { return headHeight + len(c.Bars)*barPitch + footHeight }

func (c Chart) draw(b *bytes.Buffer) {
	text(b, 16, 26, "title", "start", c.Title)
	text(b, 16, 44, "note", "start", c.Note)
	s := c.scale()
	bottom := headHeight + len(c.Bars)*barPitch
	for _, tick := range s.ticks {
		x := labelWidth + s.length(tick)
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %dV%d"/>`+"\n", x, headHeight, bottom)
		text(b, x, float64(bottom+14), "tick", "middle", trimmed(tick)+" "+c.Unit)
	}
	for i, bar := range c.Bars {
		c.drawBar(b, bar, s, float64(headHeight+i*barPitch+(barPitch-barHeight)/2))
	}
}

func (c Chart) drawBar(b *bytes.Buffer, bar Bar, s scale, y float64) {
	class, bold := "bar", ""
	if bar.Accent {
		class, bold = "bar accent", "bold"
	}
	base := y + barHeight - 4
	text(b, labelWidth-8, base, bold, "end", bar.Label)
	end := float64(labelWidth)
	label := bar.Text
	if drawable(bar.Value) {
		length := max(2, s.length(bar.Value))
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%.1f" width="%.1f" height="%d" rx="2"/>`+"\n",
			class, labelWidth, y, length, barHeight)
		end += length
		if label == "" {
			label = trimmed(bar.Value) + " " + c.Unit
		}
	}
	text(b, end+6, base, bold, "start", label)
}

func text(b *bytes.Buffer, x, y float64, class, anchor, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">`, x, y, class, anchor)
	// A bytes.Buffer never fails, and characters XML cannot hold are replaced.
	_ = xml.EscapeText(b, []byte(s))
	b.WriteString("</text>\n")
}

// scale maps values to bar lengths.
type scale struct {
	log      bool
	min, max float64
	ticks    []float64
}

// scale covers every drawable bar with round limits.
func (c Chart) scale() scale {
	least, most := math.Inf(1), 0.0
	for _, bar := range c.Bars {
		if drawable(bar.Value) {
			least, most = min(least, bar.Value), max(most, bar.Value)
		}
	}
	if most == 0 {
		return scale{max: 1}
	}
	if c.Log {
		return logScale(least, most)
	}
	return linearScale(most)
}

func drawable(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

func logScale(least, most float64) scale {
	low, high := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	if low == math.Log10(least) {
		low-- // a bar as short as the limit would not be seen
	}
	s := scale{log: true, min: low, max: max(high, low+1)}
	for p := s.min; p <= s.max; p++ {
		s.ticks = append(s.ticks, math.Pow(10, p))
	}
	return s
}

func linearScale(most float64) scale {
	step := math.Pow(10, math.Floor(math.Log10(most)))
	switch {
	case most/step <= 2:
		step /= 2
	case most/step > 5:
		step *= 2
	}
	s := scale{max: math.Ceil(most/step) * step}
	for i := 0; float64(i)*step <= s.max*1.001; i++ {
		s.ticks = append(s.ticks, float64(i)*step)
	}
	return s
}

func (s scale) length(v float64) float64 {
	if s.log {
		v = math.Log10(v)
	}
	return barRoom * (v - s.min) / (s.max - s.min)
}

// trimmed prints three significant digits and no more zeros than needed.
func trimmed(v float64) string {
	if v >= 1000 {
		return integer(uint64(math.Round(v)))
	}
	return fmt.Sprintf("%.3g", v)
}
