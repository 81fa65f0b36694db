package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sandboxd/sandboxd/policies"
)

// reportLimit is the most a guest may report, in bytes.
const reportLimit = 64 << 10

// report receives what the guest's driver code says of an uncaught exception.
// The program runs in the same interpreter and may write here too, so the text
// informs people and decides nothing.
type report struct{ text bytes.Buffer }

// Write keeps the first reportLimit bytes.
func (r *report) Write(p []byte) (int, error) {
	room := reportLimit - r.text.Len()
	r.text.Write(p[:min(len(p), room)])
	return len(p), nil
}

// set replaces the report by one of the guest's, cut as it will be shown.
func (r *report) set(e *GuestError) {
	text, err := json.Marshal(GuestError{Type: cut(e.Type, 256), Message: cut(e.Message, 4096), Line: e.Line})
	if err != nil {
		return // nothing in it can fail
	}
	r.text.Reset()
	_, _ = r.Write(text)
}

// guestError is the last report, or nil when there is none that makes sense.
func (r *report) guestError() *GuestError {
	decoder := json.NewDecoder(bytes.NewReader(r.text.Bytes()))
	var last *GuestError
	for {
		var e struct {
			Type    string `json:"type"`
			Message string `json:"message"`
			Line    int    `json:"line"`
		}
		if decoder.Decode(&e) != nil {
			return last
		}
		last = &GuestError{
			Type:     cut(e.Type, 256),
			Message:  cut(e.Message, 4096),
			Line:     max(e.Line, 0),
			Guidance: []string{},
		}
	}
}

// cut shortens s to at most n bytes of whole, valid characters.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// analyse judges how tight the budget was.
func analyse(consumed, budget uint64) FuelAnalysis {
	used := float64(consumed) / float64(budget)
	a := FuelAnalysis{Utilization: used, RecommendedBudget: budget, LikelyCauses: []string{}}
	room := func(more uint64) uint64 {
		a.RecommendedBudget = min(max(roundUp(more), budget), policies.MaxFuel)
		return a.RecommendedBudget
	}
	switch {
	case used < 0.5:
		a.Status = "efficient"
	case used < 0.75:
		a.Status = "moderate"
	case used < 0.9:
		a.Status = "warning"
		a.Recommendation = fmt.Sprintf("a budget of %d would leave room", room(consumed/2*3))
	case consumed < budget:
		a.Status = "critical"
		a.Recommendation = fmt.Sprintf("a budget of %d would leave room", room(consumed*2))
	default:
		a.Status = "exhausted"
		a.Recommendation = fmt.Sprintf("do less work per call, or allow more fuel: try %d", room(budget*2))
	}
	return a
}

// roundUp rounds to two significant decimal digits, so that advice reads well.
func roundUp(n uint64) uint64 {
	unit := uint64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit - 1) / unit * unit
}
