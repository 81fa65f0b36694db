package policies

import (
	"strconv"
	"strings"

	"github.com/sandboxd/sandboxd/internal/near"
)

// quote shows untrusted text, or the beginning of it, on one line.
func quote(s string) string { return strconv.Quote(clip(s)) }

// clip keeps messages short whatever they quote.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// didYouMean returns ` (did you mean "x"?)`, or "" when nothing known is close.
func didYouMean(got string, known []string) string {
	word := nearest(got, known)
	if word == "" {
		return ""
	}
	return " (did you mean " + quote(word) + "?)"
}

// nearest returns the known word that is most likely meant by got; "" when none
// is close. The word in another case is, then the shortest of those cut short;
// otherwise up to two letters, or a third of them, may be wrong.
func nearest(got string, known []string) string {
	const longest = 64 // no known word is, and the distance is quadratic
	if len(got) > longest {
		return ""
	}
	best := ""
	for _, word := range known {
		if strings.EqualFold(word, got) {
			return word
		}
		if len(got) > 2 && strings.HasPrefix(word, got) && (best == "" || len(word) < len(best)) {
			best = word
		}
	}
	if best != "" {
		return best
	}
	bestDistance := 1 + min(2, len(got)/3)
	for _, word := range known {
		if d := near.Distance(got, word); d < bestDistance {
			best, bestDistance = word, d
		}
	}
	return best
}
